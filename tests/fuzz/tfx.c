// tfx.c - fuzzes the whole compiler: a model to C, with everything on the way checked.

#include "compiler/embed/embed.h"
#include "compiler/emit.h"
#include "compiler/sema/sema.h"
#include "fuzz.h"
#include "grammar/parse.h"
#include "passes/pass.h"

#include <string.h>

static bool load(void *ctx, const char *name, const char **text, size_t *n)
{
    const Embedded *e = embedded_find(name);
    (void)ctx;
    if (!e || strncmp(name, "std/", 4) != 0)
        return false;
    *text = e->text;
    *n = e->size;
    return true;
}

static void emit_all(Arena *a, Prog *p, Diag *d)
{
    Layout *y = layout_make(a, p, d, "model.packed.safetensors");
    EmitOptions o = {.source = "model.tfx", .version = "fuzz"};
    Text c;
    text_init(&c, a);
    if (!y)
        return;
    emit_source(p, y, &o, &c);
    emit_header(p, y, &o, &c);
}

void fuzz_one(Arena *a, const char *text, size_t n)
{
    Diag *d = diag_new(a);
    SemaOptions o = {.name = "model", .load = load};
    Text why;
    text_init(&why, a);
    File *file =
        tfx_parse(a, d, "model.tfx", text, n, diag_source(d, "model.tfx", text, n));
    Module *m = diag_errors(d) ? NULL : tfx_build(a, d, &o, file);
    Text said;
    text_init(&said, a);
    diag_print(d, DIAG_TEXT, &said);
    if (!m || diag_errors(d))
        return;
    fuzz_expect(ir_verify(m, &why), "the front end built an illegal graph", why.p);
    PassOptions passes = {.list = n % 2 ? "none" : NULL};
    if (!passes_run(m, &passes, d))
        return;
    fuzz_expect(ir_verify(m, &why), "the passes built an illegal graph", why.p);
    LowerOptions lower = {.taps = n % 3 == 0};
    Prog *p = lower_module(a, m, "model", &lower, d);
    if (!p || diag_errors(d))
        return;
    fuzz_expect(loop_check(p, &why), "the lowering built an illegal program", why.p);
    plan_memory(p);
    fuzz_expect(plan_check(p, &why), "the memory plan overlaps", why.p);
    emit_all(a, p, d);
}
