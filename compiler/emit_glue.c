// emit_glue.c - every entry of an emitted program behind one signature, for the driver.

#include "compiler/emit.h"

#include <string.h>

static void emit_case(Emit *e, const Func *f, int number)
{
    const Prog *p = e->p;
    Text *out = e->out;
    text_printf(out, "    case %d:\n        return %s_%s(&m, ", number, p->prefix,
                f->entry->name);
    if (entry_uses_state(f))
        text_puts(out, "state, ");
    text_puts(out, "scratch");
    for (int i = 0; i < p->module->dims.n; i++)
        if (entry_has_dim(f, p->module->dims.p[i]))
            text_printf(out, ", dims[%d]", i);
    int in = 0, result = 0;
    for (int i = 0; i < f->params.n; i++) {
        if (f->params.p[i]->kind == BUF_IN)
            text_printf(out, ", in[%d]", in++);
        else
            text_printf(out, ", out[%d]", result++);
    }
    text_puts(out, ");\n");
}

static void emit_states(Emit *e)
{
    const Prog *p = e->p;
    if (!p->states.n)
        return;
    text_puts(e->out, "static const tfx_glue_state states[] = {\n");
    for (int i = 0; i < p->states.n; i++)
        text_printf(e->out, "    {\"%s\", %lld, %lld},\n", p->states.p[i].path,
                    (long long)p->states.p[i].offset, (long long)p->states.p[i].bytes);
    text_puts(e->out, "};\n\n");
}

static void emit_table(Emit *e, bool dispatch)
{
    const Prog *p = e->p;
    Text *out = e->out;
    text_puts(out, "static const char *const entries[] = {");
    for (int i = 0; i < p->entries.n; i++)
        text_printf(out, "%s\"%s\"", i ? ", " : "", p->entries.p[i]->entry->name);
    text_puts(out, "};\n\n");
    if (p->state_bytes)
        text_printf(
            out, "static void reset(void *state)\n{\n    (void)%s_reset(state);\n}\n\n",
            p->prefix);
    text_printf(
        out,
        "const tfx_glue tfx_glue_table = {\n"
        "    TFX_GLUE_ABI, %lld, %lld, %d, entries, %d, %s, %s, run, %s_strerror, %s, %s, %s,\n};\n",
        (long long)p->state_bytes, (long long)p->scratch_bytes, p->entries.n,
        p->states.n, p->states.n ? "states" : "NULL", p->state_bytes ? "reset" : "NULL",
        p->prefix, p->taps ? "set_tap" : "NULL", p->marks ? "set_mark" : "NULL",
        dispatch ? "level" : "NULL");
}

// $TFX_LEVEL names the level of a dispatched program.
static void emit_glue_level(const Prog *p, Text *out)
{
    text_printf(out,
                "#include <stdlib.h>\n\n"
                "static int choose(%s *m)\n{\n"
                "    const char *name = getenv(\"TFX_LEVEL\");\n"
                "    return %s_set_level(m, name && *name ? name : NULL);\n}\n\n"
                "static const char *level(void)\n{\n    %s m;\n"
                "    return choose(&m) ? \"\" : %s_level_name(&m);\n}\n\n",
                p->prefix, p->prefix, p->prefix, p->prefix);
}

void emit_glue(Prog *p, bool dispatch, Text *out)
{
    Emit e = {.p = p, .out = out};
    text_printf(out,
                "// glue for %s: see tfx_glue.h\n\n#include \"%s.h\"\n\n"
                "#include \"tfx_glue.h\"\n\n",
                p->prefix, p->prefix);
    if (dispatch)
        emit_glue_level(p, out);
    emit_states(&e);
    if (p->taps)
        text_puts(out,
                  "static tfx_glue_tap *tap;\nstatic void *tap_ctx;\n\n"
                  "static void set_tap(tfx_glue_tap *f, void *ctx)\n{\n    tap = f;\n"
                  "    tap_ctx = ctx;\n}\n\n");
    if (p->marks)
        text_puts(
            out, "static tfx_glue_mark *mark;\nstatic void *mark_ctx;\n\n"
                 "void tfx_mark(int value)\n{\n    if (mark)\n"
                 "        mark(mark_ctx, value);\n}\n\n"
                 "static void set_mark(tfx_glue_mark *f, void *ctx)\n{\n    mark = f;\n"
                 "    mark_ctx = ctx;\n}\n\n");
    text_printf(
        out,
        "static int run(int entry, const void *weights, size_t bytes, void *state, "
        "void *scratch,\n               const struct tfx_par *par, const int32_t *dims, "
        "const void *const *in,\n               void *const *out)\n{\n"
        "    %s m;\n    int status = %s_init(&m, weights, bytes);\n"
        "%s    if (status)\n        return status;\n    m.par = par;\n%s"
        "    (void)state;\n    (void)dims;\n    (void)in;\n    (void)out;\n"
        "    switch (entry) {\n",
        p->prefix, p->prefix,
        dispatch ? "    if (!status)\n        status = choose(&m);\n" : "",
        p->taps ? "    m.tap = tap;\n    m.tap_ctx = tap_ctx;\n" : "");
    for (int i = 0; i < p->entries.n; i++)
        emit_case(&e, p->entries.p[i], i);
    text_puts(out, "    default:\n        return -1;\n    }\n}\n\n");
    emit_table(&e, dispatch);
}
