// tune.c - fuzzes the reader of tune files, for a small model: what is read is written,
// and reads back as the same.

#include "compiler/tune.h"
#include "compiler/sema/sema.h"
#include "fuzz.h"
#include "grammar/parse.h"

#include <string.h>

static const char model[] = "tfx 1;\n"
                            "dim T in 1..8\n"
                            "block M {\n"
                            "    w: f32[8, 4]\n"
                            "    entry f(x: f32[T, 4]) -> f32[T, 8] { return x @ w' }\n"
                            "}\n";

void fuzz_one(Arena *a, const char *text, size_t n)
{
    Diag *d = diag_new(a);
    size_t size = strlen(model);
    SemaOptions options = {.name = "m"};
    uint32_t base = diag_source(d, "model.tfx", model, size);
    Module *m =
        tfx_build(a, d, &options, tfx_parse(a, d, "model.tfx", model, size, base));
    fuzz_expect(m != NULL, "the model builds", "");
    Tune t = {.file = "m.tune"}, again = {.file = "m.tune"};
    base = diag_source(d, "m.tune", text, n);
    bool ok = tune_read(a, d, m, text, n, base, &t);
    fuzz_expect(ok == (diag_errors(d) == 0), "an error, or choices", "");
    if (!ok)
        return;
    Text first, second;
    text_init(&first, a);
    text_init(&second, a);
    tune_write(&t, m, &first);
    base = diag_source(d, "again.tune", first.p, first.n);
    fuzz_expect(tune_read(a, d, m, first.p, first.n, base, &again),
                "what was written can be read", first.p);
    tune_write(&again, m, &second);
    fuzz_expect(strcmp(first.p, second.p) == 0, "the same choices", second.p);
}
