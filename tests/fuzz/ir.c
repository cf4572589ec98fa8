// ir.c - fuzzes the reader of graph IR, its printer, and the passes on what it reads.

#include "compiler/ir.h"
#include "fuzz.h"
#include "passes/pass.h"

#include <string.h>

static Module *read(Arena *a, Diag *d, const char *text, size_t n)
{
    return ir_parse(a, d, text, n, diag_source(d, "fuzz", text, n));
}

void fuzz_one(Arena *a, const char *text, size_t n)
{
    Diag *d = diag_new(a);
    Text once, twice, why;
    text_init(&once, a);
    text_init(&twice, a);
    text_init(&why, a);
    Module *m = read(a, d, text, n);
    fuzz_expect((m == NULL) == (diag_errors(d) > 0), "an error, or a module", "");
    if (!m)
        return;
    ir_print(m, &once);
    Module *again = read(a, d, once.p, once.n);
    fuzz_expect(again != NULL, "what was printed does not read back", once.p);
    ir_print(again, &twice);
    fuzz_expect(strcmp(once.p, twice.p) == 0, "it prints otherwise", once.p);
    PassOptions o = {.list = NULL};
    if (passes_run(m, &o, d))
        fuzz_expect(ir_verify(m, &why), "the passes built an illegal graph", why.p);
}
