// emit_header.c - model.h, and what it shares with model.c: names, sizes, declarations.

#include "compiler/emit.h"

#include <ctype.h>
#include <string.h>

// ---- names and facts -------------------------------------------------------------------------

const char *status_name(const Prog *p, const char *what)
{
    return arena_printf(p->arena, "%s_%s", p->upper, what);
}

const DimVar *entry_cursor(const Func *f)
{
    return f->entry->cursor;
}

bool has_cursor(const Prog *p)
{
    for (int i = 0; i < p->entries.n; i++)
        if (entry_cursor(p->entries.p[i]))
            return true;
    return false;
}

bool entry_uses_state(const Func *f)
{
    return f->uses_state || entry_cursor(f);
}

static bool size_has(const Type *t, const DimVar *d)
{
    for (int k = 0; k < t->rank; k++)
        if (size_uses(t->dim[k].size, d))
            return true;
    return false;
}

bool entry_has_dim(const Func *f, const DimVar *d)
{
    const Region *r = f->entry->body;
    bool has = f->dims >> d->id & 1;
    for (int i = 0; i < r->params.n; i++)
        has = has || size_has(&r->params.p[i]->type, d);
    for (int i = 0; i < r->yields.n; i++)
        has = has || size_has(&r->yields.p[i]->type, d);
    if (f->entry->advance && size_uses(f->entry->advance, d))
        has = true;
    return has && d != f->entry->cursor;
}

const char *emit_upper(const Prog *p, const char *s)
{
    char *u = arena_strdup(p->arena, s);
    for (char *c = u; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return u;
}

// ---- declarations -------------------------------------------------------------------------------

const char *emit_entry_decl(const Prog *p, const Func *f, Arena *a)
{
    Text t;
    text_init(&t, a);
    text_printf(&t, "int %s_%s(const %s *m, ", p->prefix, f->entry->name, p->prefix);
    if (entry_uses_state(f))
        text_puts(&t, "void *state, ");
    text_puts(&t, "void *scratch");
    for (int i = 0; i < p->module->dims.n; i++)
        if (entry_has_dim(f, p->module->dims.p[i]))
            text_printf(&t, ", int32_t %s", p->module->dims.p[i]->name);
    for (int i = 0; i < f->params.n; i++) {
        const Buf *b = f->params.p[i];
        text_printf(&t, ", %s%s *%s", b->kind == BUF_IN ? "const " : "",
                    dtype_info[b->dtype].c_name, b->name);
    }
    text_puts(&t, ")");
    return t.p;
}

// Macros in a column, as clang-format has them.
static void emit_macros(Text *out, int n, const char *(*row)[3])
{
    size_t name = 0, value = 0;
    for (int i = 0; i < n; i++) {
        name = strlen(row[i][0]) > name ? strlen(row[i][0]) : name;
        value = strlen(row[i][1]) > value ? strlen(row[i][1]) : value;
    }
    for (int i = 0; i < n; i++)
        text_printf(out, "#define %-*s %-*s  // %s\n", (int)name, row[i][0], (int)value,
                    row[i][1], row[i][2]);
}

static const char *number(const Prog *p, int64_t v)
{
    return arena_printf(p->arena, "%lld", (long long)v);
}

static void emit_size_macros(Emit *e)
{
    const Prog *p = e->p;
    const char *row[80][3];
    int n = 0;
#define ROW(name, value, why)                                                          \
    (row[n][0] = arena_printf(p->arena, "%s_%s", p->upper, name), row[n][1] = value,   \
     row[n++][2] = why)
    for (int i = 0; i < p->module->dims.n && i < 64; i++) {
        const DimVar *d = p->module->dims.p[i];
        ROW(arena_printf(p->arena, "MAX_%s", emit_upper(p, d->name)), number(p, d->hi),
            arena_printf(p->arena, "%s is %lld to this", d->name, (long long)d->lo));
    }
    ROW("WEIGHTS_BYTES", number(p, e->layout ? e->layout->file_bytes : 0),
        "the packed weights, all of the file");
    if (p->state_bytes)
        ROW("STATE_BYTES", number(p, p->state_bytes), "what is kept from call to call");
    ROW("SCRATCH_BYTES", number(p, p->scratch_bytes), "with one thread, at the bounds");
    ROW("THREAD_BYTES", number(p, p->work_bytes),
        "more scratch for each further thread");
    ROW("ALIGN", "64", "of all three regions");
#undef ROW
    emit_macros(e->out, n, row);
}

static void put_type(Text *t, const Type *x)
{
    type_print(x, t);
}

static void emit_entry_comment(Emit *e, const Func *f)
{
    Text *out = e->out;
    const Region *r = f->entry->body;
    for (int i = 0; i < f->params.n; i++) {
        bool in = f->params.p[i]->kind == BUF_IN;
        const Type *t =
            in ? &r->params.p[i]->type : &r->yields.p[i - r->params.n]->type;
        text_printf(out, "//   %-12s ", f->params.p[i]->name);
        put_type(out, t);
        text_puts(out, in ? "\n" : "  out\n");
    }
    if (entry_cursor(f)) {
        text_puts(out, "// On success the cursor moves on by ");
        size_print(f->entry->advance, out);
        text_puts(out, ".\n");
    }
}

void emit_decl(Emit *e, const char *decl, const char *end)
{
    Emit own = *e;
    own.indent = 0;
    emit_line(&own, "%s%s", decl, end);
}

void emit_provenance(Emit *e, const char *what)
{
    const Prog *p = e->p;
    const EmitOptions *o = e->options;
    text_printf(e->out, "// %s - %s\n//\n", what, "made by tfxc; do not edit.");
    text_printf(e->out,
                "// From %s (%016llx) by tfxc %s. SPDX-License-Identifier: 0BSD\n",
                o->source, (unsigned long long)o->source_hash, o->version);
    if (o->tune)
        text_printf(e->out, "// Tuned by %s.\n", o->tune);
    text_printf(
        e->out,
        "// weights %lld bytes, state %lld, scratch %lld and %lld for each further "
        "thread.\n",
        (long long)(e->layout ? e->layout->file_bytes : 0), (long long)p->state_bytes,
        (long long)p->scratch_bytes, (long long)p->work_bytes);
    if (o->target && *o->target->flags)
        text_printf(e->out, "// For %s: compile with -O3 %s.\n", o->target->doc,
                    o->target->flags);
}

bool emit_can_rewind(const Prog *p)
{
    for (int i = 0; i < p->states.n; i++)
        if (!p->states.p[i].state->by_cursor)
            return false;
    return has_cursor(p);
}

static void header_types(Emit *e)
{
    const Prog *p = e->p;
    Text *out = e->out;
    text_printf(out, "\nenum {\n    %s_OK = 0,\n", p->upper);
    static const char *const row[][2] = {
        {"E_RANGE = 1", "a size or the cursor out of its bounds"},
        {"E_WEIGHTS = 2", "not the weights this program was compiled for"},
        {"E_INDEX = 3", "a token or index out of range"},
        {"E_ALIGN = 4", "a region that is NULL or not aligned"},
        {"E_LEVEL = 5", "a level that machine or program lack"},
    };
    size_t widest = strlen("E_WEIGHTS = 2,");
    int n = e->options->dispatch ? COUNT(row) : COUNT(row) - 1;
    for (int i = 0; i < n; i++)
        text_printf(out, "    %s_%s,%*s  // %s\n", p->upper, row[i][0],
                    (int)(widest - strlen(row[i][0]) - 1), "", row[i][1]);
    text_puts(out, "};\n\nstruct tfx_par;  // threads, see tfx_rt.h\n");
    if (e->options->dispatch)
        text_printf(out, "struct %s_level;\n", p->prefix);
    text_puts(out, "\n");
    text_printf(out, "typedef struct %s {\n", p->prefix);
    text_puts(out, "    const unsigned char *weights;\n");
    text_puts(out, "    const struct tfx_par *par;  // NULL: everything in the calling "
                   "thread\n");
    if (p->taps) {
        text_puts(out, "    void (*tap)(void *ctx, int value, const void *data);\n"
                       "    void *tap_ctx;\n");
    }
    if (e->options->dispatch)
        text_printf(out,
                    "    // The instruction set, see set_level.\n"
                    "    const struct %s_level *level;\n",
                    p->prefix);
    text_printf(out, "} %s;\n\n", p->prefix);
    if (p->marks)
        text_puts(out, "void tfx_mark(int value);  // for tfxc bench\n\n");
}

const char *emit_stem(const Prog *p, const EmitOptions *o)
{
    return o->stem ? o->stem : p->prefix;
}

static void emit_level_decls(Emit *e)
{
    const char *p = e->p->prefix;
    text_puts(e->out,
              "// The level that calls use. init takes the best of this machine; "
              "of the others\n// one by its name, such as \"avx2\" or \"base\", "
              "or the best for NULL: E_LEVEL if it is\n// not there.\n");
    text_printf(e->out, "int %s_set_level(%s *m, const char *name);\n", p, p);
    text_printf(e->out, "const char *%s_level_name(const %s *m);\n", p, p);
}

void emit_header(Prog *p, const Layout *y, const EmitOptions *o, Text *out)
{
    Emit e = {.p = p, .layout = y, .options = o, .out = out};
    emit_provenance(&e, arena_printf(p->arena, "%s.h", emit_stem(p, o)));
    text_printf(out, "\n#ifndef %s_H\n#define %s_H\n\n", p->upper, p->upper);
    text_puts(out, "#include <stddef.h>\n#include <stdint.h>\n\n");
    text_puts(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    emit_size_macros(&e);
    header_types(&e);
    if (o->embed)
        text_printf(out,
                    "// The packed weights, in %s_weights.c.\n"
                    "extern const unsigned char %s_weights[%s_WEIGHTS_BYTES];\n\n",
                    emit_stem(p, o), p->prefix, p->upper);
    text_puts(out,
              "// Looks at the length and the header of the weights, which must stay "
              "where they are.\n");
    emit_decl(&e,
              arena_printf(p->arena,
                           "int %s_init(%s *m, const void *weights, size_t bytes)",
                           p->prefix, p->prefix),
              ";");
    text_puts(out,
              "// Reads all of the weights: E_WEIGHTS if one bit is not as it was.\n");
    emit_decl(&e,
              arena_printf(p->arena, "int %s_check(const %s *m)", p->prefix, p->prefix),
              ";");
    if (p->state_bytes) {
        text_puts(out, "// Before the first call, and to begin anew.\n");
        text_printf(out, "int %s_reset(void *state);\n", p->prefix);
    }
    if (emit_can_rewind(p)) {
        text_puts(out, "// Back to position n, at most the cursor: what came later is "
                       "forgotten.\n");
        text_printf(out, "int %s_rewind(void *state, int32_t n);\n", p->prefix);
    }
    if (o->dispatch)
        emit_level_decls(&e);
    for (int i = 0; i < p->entries.n; i++) {
        text_puts(out, "\n");
        emit_entry_comment(&e, p->entries.p[i]);
        emit_decl(&e, emit_entry_decl(p, p->entries.p[i], p->arena), ";");
    }
    text_printf(out, "\nconst char *%s_strerror(int status);\n", p->prefix);
    text_puts(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
