// emit_func.c - functions as C: parameters, locals, bodies.

#include "compiler/emit.h"

#include <string.h>

// ---- names in C -------------------------------------------------------------------------------

const char *emit_c_type(const Buf *b)
{
    const char *c = dtype_info[b->dtype].c_name;
    return c ? c : "void";
}

const char *emit_var_type(DType d)
{
    return d == DT_i64 ? "ptrdiff_t" : dtype_info[d].c_name;
}

static bool is_const_buf(const Buf *b)
{
    return b->kind == BUF_IN || b->kind == BUF_WEIGHT ||
           (b->kind == BUF_PARAM && !b->written);
}

const char *emit_func_params(Emit *e, const Func *f)
{
    Text t;
    Prog *p = e->p;
    text_init(&t, p->arena);
    const char *sep = "";
#define PARAM(...)                                                                     \
    (text_printf(&t, "%s", sep), text_printf(&t, __VA_ARGS__), sep = ", ")
    if (f->uses_par || f->uses_weights)
        PARAM("const %s *m", p->prefix);
    if (f->uses_record)
        PARAM("const %s *w", f->record->type);
    if (f->uses_state)
        PARAM("char *state");
    if (f->uses_scratch)
        PARAM("char *scratch");
    if (f->uses_work)
        PARAM("char *work");
    for (int i = 0; i < f->turns.n; i++)
        PARAM("ptrdiff_t %s", f->turns.p[i]);
    for (int i = 0; i < p->module->dims.n; i++)
        if (f->dims >> i & 1)
            PARAM("ptrdiff_t %s", p->module->dims.p[i]->name);
    for (int i = 0; i < f->params.n; i++) {
        const Buf *b = f->params.p[i];
        PARAM("%s%s *%s", is_const_buf(b) ? "const " : "", emit_c_type(b), b->name);
    }
    if (!*sep)
        text_puts(&t, "void");
#undef PARAM
    return t.p;
}

// ---- locals -------------------------------------------------------------------------------------

typedef struct Used {
    const Buf *buf;
    bool found;
} Used;

static void used_in_expr(LExpr *x, void *ctx)
{
    Used *u = ctx;
    u->found |= x->buf == u->buf;
}

static void used_in(LStmt *s, void *ctx)
{
    Used *u = ctx;
    u->found |= s->buf == u->buf;
    lexpr_walk(s->index, used_in_expr, u);
    lexpr_walk(s->value, used_in_expr, u);
    for (int i = 0; i < s->args.n; i++) {
        u->found |= s->args.p[i].buf == u->buf;
        lexpr_walk(s->args.p[i].expr, used_in_expr, u);
    }
    for (int i = 0; i < s->actuals.n; i++)
        u->found |= s->actuals.p[i] == u->buf;
}

static bool is_used(const Func *f, const Buf *b)
{
    Used u = {b, false};
    lstmts_walk(&f->body, used_in, &u);
    return u.found;
}

static const char *buf_where(Emit *e, const Buf *b)
{
    Arena *a = e->p->arena;
    if (b->kind == BUF_STATE)
        return arena_printf(a, "(%s *)(state + w->%s)", emit_c_type(b), b->field->name);
    if (b->kind == BUF_LOCAL) {
        if (b->offset == 0)
            return arena_printf(a, "(%s *)scratch", emit_c_type(b));
        return arena_printf(a, "(%s *)(scratch + %lld)", emit_c_type(b),
                            (long long)b->offset);
    }
    return arena_printf(a, "weight(m, w->%s)", b->field->name);
}

typedef struct Local {
    const char *line;
    const Buf *buf;
    bool panel;
} Local;
typedef VEC(Local) Locals;

// What stands behind a local: its shape as the user spelled it, or shorter to fit.
static const char *local_note(Emit *e, const Local *v, bool spelled)
{
    Text t;
    text_init(&t, e->p->arena);
    if (v->panel) {  // "int8[128, 64], panels"
        text_puts(&t, format_info[v->buf->field->packed->format].name);
        size_t start = t.n;
        (spelled ? type_spell : type_print)(&v->buf->shape, &t);
        const char *axes = arena_strdup(e->p->arena, strchr(t.p + start, '['));
        t.n = start;
        text_printf(&t, "%s, panels", axes);
    } else {
        (spelled ? type_spell : type_print)(&v->buf->shape, &t);
    }
    return emit_shape(e, e->func->record, t.p);
}

static bool notes_fit(Emit *e, const Locals *v, size_t widest, bool spelled)
{
    for (int i = 0; i < v->n; i++)
        if (4 + widest + 5 + strlen(local_note(e, &v->p[i], spelled)) > EMIT_COLUMNS)
            return false;
    return true;
}

// Comments of neighbouring lines stand in one column; where that is too far right they stand
// above their lines.
static void put_locals(Emit *e, const Locals *v)
{
    size_t widest = 0;
    for (int i = 0; i < v->n; i++)
        widest = strlen(v->p[i].line) > widest ? strlen(v->p[i].line) : widest;
    bool spelled = notes_fit(e, v, widest, true);
    bool beside = spelled || notes_fit(e, v, widest, false);
    for (int i = 0; i < v->n; i++) {
        const char *note = local_note(e, &v->p[i], spelled || !beside);
        if (!beside)
            text_printf(e->out, "    // %s\n", note);
        text_printf(e->out, "    %s", v->p[i].line);
        emit_pad(e->out, beside ? (int)(widest - strlen(v->p[i].line)) : 0);
        if (beside)
            text_printf(e->out, "  // %s", note);
        text_puts(e->out, "\n");
    }
    if (v->n)
        text_puts(e->out, "\n");
}

static void emit_locals(Emit *e, const Func *f)
{
    Arena *a = e->p->arena;
    Locals all = {NULL, 0, 0};
    for (int i = 0; i < f->bufs.n; i++) {
        const Buf *b = f->bufs.p[i];
        if (b->kind == BUF_IN || b->kind == BUF_OUT || b->kind == BUF_PARAM ||
            !is_used(f, b))
            continue;
        bool panel = b->kind == BUF_WEIGHT && b->field->packed->format != FORMAT_plain;
        bool constant = b->kind == BUF_WEIGHT || !b->written;
        const char *type = panel ? "void" : emit_c_type(b);
        Local v = {arena_printf(a, "%s%s *%s = %s;", constant ? "const " : "", type,
                                b->name, buf_where(e, b)),
                   b, panel};
        vec_push(a, &all, v);
    }
    put_locals(e, &all);
}

// ---- functions ---------------------------------------------------------------------------------------

static void emit_definition(Emit *e, Func *f, const char *name)
{
    const char *head =
        arena_printf(e->p->arena, "static %s %s(%s)", f->fails ? "int" : "void", name,
                     emit_func_params(e, f));
    e->indent = 0;
    emit_wrapped(e, head);
    text_puts(e->out, "{\n");
    emit_locals(e, f);
    e->indent = 1;
    if (f->fails)
        emit_line(e, "int status;");
    emit_body(e, &f->body);
    if (f->fails)
        emit_line(e, "return %s;", status_name(e->p, "OK"));
    e->indent = 0;
    text_puts(e->out, "}\n\n");
}

static void emit_head_comment(Emit *e, const Func *f)
{
    const Scope *s = f->scope;
    Place at = diag_place(e->p->diag, f->entry ? f->entry->loc : s->loc);
    const char *what = f->entry ? "entry" : s->block ? s->block : "";
    const char *file = at.file ? at.file : "";
    const char *slash = strrchr(file, '/');
    if (slash && strncmp(file, "std/", 4) != 0)
        file = slash + 1;
    text_printf(e->out, "// %s %s", what, f->entry ? f->entry->name : s->path);
    if (at.file)
        text_printf(e->out, "  %s:%d", file, at.line);
    text_puts(e->out, "\n");
}

// A function whose text was printed before, under another name, is that function.
void emit_func(Emit *e, Func *f)
{
    Text *out = e->out, own;
    text_init(&own, e->p->arena);
    e->out = &own;
    e->func = f;
    emit_definition(e, f, "@");
    e->out = out;
    Func *same = map_get(e->funcs, own.p);
    if (same && !f->entry) {
        f->name = same->name;
        return;
    }
    map_set(e->funcs, own.p, f);
    emit_head_comment(e, f);
    emit_definition(e, f, f->name);
    e->func = NULL;
}
