// overrides.c - fuzzes what stands behind -D: each line is one, for a small model.

#include "compiler/ir.h"
#include "compiler/sema/sema.h"
#include "fuzz.h"
#include "grammar/parse.h"

#include <string.h>

static const char model[] =
    "tfx 1;\n"
    "config width = 4, heads = 2, eps = 1e-5, bias = false, kind = \"a\"\n"
    "dim T in 1..8\n"
    "block M {\n"
    "    w: f32[heads * width, width]\n"
    "    entry f(x: f32[T, width]) -> f32[T, heads * width] { return x @ w' + eps }\n"
    "}\n";

enum { MAX_LINES = 16 };

void fuzz_one(Arena *a, const char *text, size_t n)
{
    Override o[MAX_LINES];
    int lines = 0;
    Diag *d = diag_new(a);
    Text why;
    text_init(&why, a);
    for (size_t at = 0; at < n && lines < MAX_LINES;) {
        size_t len = strcspn(text + at, "\n");
        char *line = arena_strndup(a, text + at, len);
        size_t k = strcspn(line, "=<");
        o[lines].op = line[k] == '<' ? "<=" : "=";
        o[lines].value =
            line + k + (line[k] ? 1 : 0) + (line[k] == '<' && line[k + 1] == '=');
        o[lines++].name = arena_strndup(a, line, k);
        at += len + 1;
    }
    size_t size = strlen(model);
    SemaOptions options = {.overrides = o, .noverrides = lines, .name = "m"};
    uint32_t base = diag_source(d, "model.tfx", model, size);
    Module *m =
        tfx_build(a, d, &options, tfx_parse(a, d, "model.tfx", model, size, base));
    fuzz_expect((m == NULL) == (diag_errors(d) > 0), "an error, or a module", "");
    if (m)
        fuzz_expect(ir_verify(m, &why), "the front end built an illegal graph", why.p);
}
