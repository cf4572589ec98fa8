// emit_api.c - model.c: its entries, init, check and states; and the file as a whole.

#include "compiler/emit.h"

#include <string.h>

// ---- definitions -----------------------------------------------------------------------------------

static void emit_header_bytes(Emit *e)
{
    const Layout *y = e->layout;
    Text t;
    text_init(&t, e->p->arena);
    size_t n = y ? y->check_bytes : 8;
    for (size_t i = 0; i < 8; i++)
        text_printf(&t, "\\%03o", y ? (unsigned)(unsigned char)y->header[i] : 0U);
    text_printf(&t, "\"\n%*s\"", (int)strlen("static const char weights_head[] = "),
                "");
    for (size_t i = 8; i < n; i++) {
        char c = y->header[i];
        text_printf(&t, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    text_printf(e->out, "// How the packed file of this program begins.\n");
    text_printf(e->out, "static const char weights_head[] = \"%s\";\n\n", t.p);
}

static void emit_init(Emit *e)
{
    const Prog *p = e->p;
    Text *out = e->out;
    emit_header_bytes(e);
    emit_decl(e,
              arena_printf(p->arena,
                           "int %s_init(%s *m, const void *weights, size_t bytes)",
                           p->prefix, p->prefix),
              "");
    text_printf(
        out,
        "{\n"
        "    if (!m || !weights || (uintptr_t)weights %% %s_ALIGN)\n"
        "        return %s_E_ALIGN;\n"
        "    if (bytes != %s_WEIGHTS_BYTES)\n"
        "        return %s_E_WEIGHTS;\n"
        "    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)\n"
        "        return %s_E_WEIGHTS;\n"
        "    m->weights = (const unsigned char *)weights;\n"
        "    m->par = NULL;\n%s"
        "    return %s;\n}\n\n",
        p->upper, p->upper, p->upper, p->upper, p->upper,
        p->taps ? "    m->tap = NULL;\n    m->tap_ctx = NULL;\n" : "",
        e->options->dispatch
            ? arena_printf(p->arena, "%s_set_level(m, NULL)", p->prefix)
            : status_name(p, "OK"));
}

static void emit_check(Emit *e)
{
    const Prog *p = e->p;
    const Layout *y = e->layout;
    text_printf(e->out,
                "int %s_check(const %s *m)\n{\n"
                "    uint64_t sum = 0;\n"
                "    if (!m)\n"
                "        return %s_E_ALIGN;\n"
                "    for (size_t i = %lld; i < %s_WEIGHTS_BYTES; i += 8) {\n"
                "        uint64_t word = 0;\n"
                "        for (size_t k = 0; k < 8 && i + k < %s_WEIGHTS_BYTES; k++)\n"
                "            word |= (uint64_t)m->weights[i + k] << 8 * k;\n"
                "        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);\n"
                "        sum ^= sum >> 32;\n"
                "    }\n"
                "    if (sum != UINT64_C(0x%016llx))\n"
                "        return %s_E_WEIGHTS;\n"
                "    return %s_OK;\n}\n\n",
                p->prefix, p->prefix, p->upper, (long long)(y ? y->header_bytes : 0),
                p->upper, p->upper, (unsigned long long)(y ? y->sum : 0), p->upper,
                p->upper);
}

static void emit_state_functions(Emit *e)
{
    const Prog *p = e->p;
    Text *out = e->out;
    if (p->state_bytes) {
        bool zero = !emit_can_rewind(p);
        text_printf(out,
                    "int %s_reset(void *state)\n{\n"
                    "    if (!state || (uintptr_t)state %% %s_ALIGN)\n"
                    "        return %s_E_ALIGN;\n"
                    "    memset(state, 0, %s);\n",
                    p->prefix, p->upper, p->upper,
                    zero ? arena_printf(p->arena, "%s_STATE_BYTES", p->upper)
                         : "sizeof(int32_t)");
        for (int i = 0; i < p->states.n; i++) {
            const StatePlace *s = &p->states.p[i];
            if (s->state->init == 0)
                continue;
            Text v;
            text_init(&v, p->arena);
            emit_number(s->state->init, DT_f32, &v);
            text_printf(out,
                        "    for (size_t i = 0; i < %lld; i++)\n"
                        "        ((float *)((char *)state + %lld))[i] = %s;\n",
                        (long long)(s->bytes / 4), (long long)s->offset, v.p);
        }
        text_printf(out, "    return %s_OK;\n}\n\n", p->upper);
    }
    if (emit_can_rewind(p))
        text_printf(out,
                    "int %s_rewind(void *state, int32_t n)\n{\n"
                    "    int32_t at;\n"
                    "    if (!state || (uintptr_t)state %% %s_ALIGN)\n"
                    "        return %s_E_ALIGN;\n"
                    "    memcpy(&at, state, sizeof(at));\n"
                    "    if (n < 0 || n > at)\n"
                    "        return %s_E_RANGE;\n"
                    "    memcpy(state, &n, sizeof(n));\n"
                    "    return %s_OK;\n}\n\n",
                    p->prefix, p->upper, p->upper, p->upper, p->upper);
}

static void emit_dim_checks(Emit *e, const Func *f)
{
    const Prog *p = e->p;
    for (int i = 0; i < p->module->dims.n; i++) {
        const DimVar *d = p->module->dims.p[i];
        if (!entry_has_dim(f, d))
            continue;
        const char *max =
            arena_printf(p->arena, "%s_MAX_%s", p->upper, emit_upper(p, d->name));
        const char *by = d->by > 1 ? arena_printf(p->arena, " || %s %% %lld != 0",
                                                  d->name, (long long)d->by)
                                   : "";
        emit_line(e, "if (%s < %lld || %s > %s%s)", d->name, (long long)d->lo, d->name,
                  max, by);
        emit_line(e, "    return %s_E_RANGE;", p->upper);
    }
    const DimVar *c = entry_cursor(f);
    if (!c)
        return;
    Text t;
    text_init(&t, p->arena);
    emit_size(e, f->entry->advance, PREC_SUM + 1, &t);
    emit_line(e, "int32_t %s;", c->name);
    emit_line(e, "memcpy(&%s, state, sizeof(%s));", c->name, c->name);
    emit_line(e, "if (%s < 0 || %s > %s_MAX_%s - %s)", c->name, c->name, p->upper,
              emit_upper(p, c->name), t.p);
    emit_line(e, "    return %s_E_RANGE;", p->upper);
}

static const char *call_body(Emit *e, const Func *f)
{
    const Prog *p = e->p;
    Text t;
    text_init(&t, p->arena);
    if (e->options->dispatch)
        text_printf(&t, "m->level->%s(", f->entry->name);
    else
        text_printf(&t, "%s(", f->name);
    const char *sep = "";
#define ARG(...) (text_printf(&t, "%s", sep), text_printf(&t, __VA_ARGS__), sep = ", ")
    if (f->uses_par || f->uses_weights)
        ARG("m");
    if (f->uses_record)
        ARG("&table");
    if (f->uses_state)
        ARG("(char *)state");
    if (f->uses_scratch)
        ARG("(char *)scratch");
    if (f->uses_work && p->work_at)
        ARG("(char *)scratch + %lld", (long long)p->work_at);
    else if (f->uses_work)
        ARG("(char *)scratch");
    for (int i = 0; i < p->module->dims.n; i++)
        if (f->dims >> i & 1)
            ARG("%s", p->module->dims.p[i]->name);
    for (int i = 0; i < f->params.n; i++)
        ARG("%s", f->params.p[i]->name);
#undef ARG
    text_puts(&t, ")");
    return t.p;
}

// The pointers of the caller, as many in a line as fit.
static void emit_pointer_checks(Emit *e, const Func *f)
{
    for (int i = 0; i < f->params.n;) {
        Text t;
        text_init(&t, e->p->arena);
        text_printf(&t, "if (!%s", f->params.p[i]->name);
        for (i++; i < f->params.n; i++) {
            const char *more = f->params.p[i]->name;
            if (t.n + strlen(more) + 6 > 84)
                break;
            text_printf(&t, " || !%s", more);
        }
        emit_line(e, "%s)", t.p);
        emit_line(e, "    return %s_E_ALIGN;", e->p->upper);
    }
}

static void emit_entry(Emit *e, const Func *f)
{
    const Prog *p = e->p;
    Text *out = e->out;
    emit_decl(e, emit_entry_decl(p, f, p->arena), "");
    text_puts(out, "{\n");
    e->indent = 1;
    bool needs_scratch = p->scratch_bytes > 0;
    if (entry_uses_state(f))
        emit_line(e, "if (!m || !state || (uintptr_t)state %% %s_ALIGN)", p->upper);
    else
        emit_line(e, "if (!m)");
    emit_line(e, "    return %s_E_ALIGN;", p->upper);
    if (needs_scratch) {
        emit_line(e, "if (!scratch || (uintptr_t)scratch %% %s_ALIGN)", p->upper);
        emit_line(e, "    return %s_E_ALIGN;", p->upper);
    } else {
        emit_line(e, "(void)scratch;");
    }
    emit_pointer_checks(e, f);
    emit_dim_checks(e, f);
    if (f->fails) {
        emit_line(e, "int status = %s;", call_body(e, f));
        emit_line(e, "if (status)");
        emit_line(e, "    return status;");
    } else {
        emit_line(e, "%s;", call_body(e, f));
    }
    const DimVar *c = entry_cursor(f);
    if (c) {
        Text t;
        text_init(&t, p->arena);
        emit_size(e, f->entry->advance, 0, &t);
        emit_line(e, "%s += %s;", c->name, t.p);
        emit_line(e, "memcpy(state, &%s, sizeof(%s));", c->name, c->name);
    }
    emit_line(e, "return %s_OK;", p->upper);
    e->indent = 0;
    text_puts(out, "}\n\n");
}

void emit_api(Emit *e)
{
    const Prog *p = e->p;
    if (e->options->dispatch)
        emit_levels(e);
    emit_init(e);
    emit_check(e);
    emit_state_functions(e);
    for (int i = 0; i < p->entries.n; i++)
        emit_entry(e, p->entries.p[i]);
    text_printf(
        e->out,
        "const char *%s_strerror(int status)\n{\n    switch (status) {\n"
        "    case %s_OK:\n        return \"ok\";\n"
        "    case %s_E_RANGE:\n        return \"a size or the cursor is out of its "
        "bounds\";\n"
        "    case %s_E_WEIGHTS:\n        return \"not the weights of this program\";\n"
        "    case %s_E_INDEX:\n        return \"an index is out of range\";\n"
        "    case %s_E_ALIGN:\n        return \"a pointer is missing or not "
        "aligned\";\n%s"
        "    default:\n        return \"unknown status\";\n    }\n}\n",
        p->prefix, p->upper, p->upper, p->upper, p->upper, p->upper,
        e->options->dispatch
            ? arena_printf(
                  p->arena,
                  "    case %s_E_LEVEL:\n        return \"machine or program have "
                  "no such level\";\n",
                  p->upper)
            : "");
    if (e->options->dispatch)
        text_puts(e->out, "\n#endif\n");
}

// ---- the source file -------------------------------------------------------------------------------------

bool emit_has_compressed(const Prog *p)
{
    for (int i = 0; i < p->templates.n; i++)
        if (format_info[p->templates.p[i]->weight].storage == DT_u8)
            return true;
    return false;
}

void emit_source(Prog *p, const Layout *y, const EmitOptions *o, Text *out)
{
    Emit e = {.p = p, .layout = y, .options = o, .out = out};
    e.funcs = map_new(p->arena);
    emit_provenance(&e, arena_printf(p->arena, "%s.c", emit_stem(p, o)));
    text_printf(out,
                "\n#include \"%s.h\"\n\n#include <math.h>\n#include <string.h>\n\n",
                emit_stem(p, o));
    if (o->tiles)
        text_puts(out,
                  "#ifndef TFX_AMX\n#    define TFX_AMX 1  // where the compiler's "
                  "flags have it, too\n#endif\n");
    if (o->defines && *o->defines)
        text_printf(out, "// As %s chose.\n%s\n", o->tune, o->defines);
    text_puts(out, o->dispatch ? "#include \"tfx_cpu.h\"\n#include \"tfx_rt.h\"\n\n"
                               : "#include \"tfx_rt.h\"\n\n");
    if (emit_has_compressed(p))
        text_puts(out, "#include \"tfx_rt_q.h\"\n\n");
    emit_names_collect(&e);
    Text body;
    text_init(&body, p->arena);
    e.out = &body;
    emit_records(&e);
    emit_maps(&e);
    emit_templates(&e);
    if (p->packed.n)
        text_printf(e.out,
                    "static const void *weight(const %s *m, size_t offset)\n"
                    "{\n    return m->weights + offset;\n}\n\n",
                    p->prefix);
    for (int i = 0; i < p->funcs.n; i++)
        emit_func(&e, p->funcs.p[i]);
    emit_api(&e);
    emit_names_enum(&e, out);
    text_put(out, body.p, body.n);
}
