// emit_func.c - functions and statements as C.

#include "compiler/emit.h"

#include <string.h>

enum { COLUMNS = 88 };

// ---- lines -----------------------------------------------------------------------------------

static void pad(Text *t, int n)
{
    for (int i = 0; i < n; i++)
        text_puts(t, " ");
}

// Where a line of this length may end: after the last comma or before the last operator at
// bracket depth 1 that still fits.
static size_t break_at(const char *s, size_t room)
{
    size_t best = 0;
    int depth = 0;
    for (size_t i = 0; s[i] && i < room; i++) {
        depth += s[i] == '(' || s[i] == '[' || s[i] == '{';
        depth -= s[i] == ')' || s[i] == ']' || s[i] == '}';
        if (s[i] == ',' && s[i + 1] == ' ' && depth <= 1)
            best = i + 2;
    }
    return best;
}

// A call that is too long goes on under its first argument.
static void put_wrapped(Emit *e, const char *line)
{
    int indent = e->indent * 4;
    pad(e->out, indent);
    const char *open = strchr(line, '(');
    int hang = open ? indent + (int)(open - line) + 1 : indent + 4;
    size_t room = (size_t)(COLUMNS - indent);
    bool first = true;
    while (strlen(line) > room) {
        // After the first line the outer bracket is already open.
        const char *rest = line;
        size_t at = 0;
        if (first) {
            at = break_at(rest, room);
        } else {
            int depth = 1;
            for (size_t i = 0; rest[i] && i < room; i++) {
                depth += rest[i] == '(' || rest[i] == '[' || rest[i] == '{';
                depth -= rest[i] == ')' || rest[i] == ']' || rest[i] == '}';
                if (rest[i] == ',' && rest[i + 1] == ' ' && depth <= 1)
                    at = i + 2;
            }
        }
        if (at == 0)
            break;
        text_put(e->out, line, at - 1);
        text_puts(e->out, "\n");
        pad(e->out, hang);
        room = (size_t)(COLUMNS - hang);
        line += at;
        first = false;
    }
    text_puts(e->out, line);
    text_puts(e->out, "\n");
}

void emit_line(Emit *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *line = arena_vprintf(e->p->arena, fmt, ap);
    va_end(ap);
    if (*line)
        put_wrapped(e, line);
    else
        text_puts(e->out, "\n");
}

static const char *expr(Emit *e, const LExpr *x)
{
    Text t;
    text_init(&t, e->p->arena);
    emit_expr(e, x, 0, &t);
    return t.p;
}

// ---- names in C -------------------------------------------------------------------------------

static const char *pointer_type(const Buf *b)
{
    const char *c = dtype_info[b->dtype].c_name;
    return c ? c : "void";
}

static const char *c_var_type(DType d)
{
    return d == DT_i64 ? "ptrdiff_t" : dtype_info[d].c_name;
}

static bool is_const_buf(const Buf *b)
{
    return b->kind == BUF_IN || b->kind == BUF_WEIGHT || (b->kind == BUF_PARAM && !b->written);
}

const char *emit_func_params(Emit *e, const Func *f)
{
    Text t;
    Prog *p = e->p;
    text_init(&t, p->arena);
    const char *sep = "";
#define PARAM(...) (text_printf(&t, "%s", sep), text_printf(&t, __VA_ARGS__), sep = ", ")
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
        PARAM("%s%s *%s", is_const_buf(b) ? "const " : "", pointer_type(b), b->name);
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
        return arena_printf(a, "(%s *)(state + w->%s)", pointer_type(b), b->field->name);
    if (b->kind == BUF_LOCAL) {
        if (b->offset == 0)
            return arena_printf(a, "(%s *)scratch", pointer_type(b));
        return arena_printf(a, "(%s *)(scratch + %lld)", pointer_type(b),
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
    (spelled ? type_spell : type_print)(&v->buf->shape, &t);
    text_puts(&t, v->panel ? ", panels" : "");
    return t.p;
}

static bool notes_fit(Emit *e, const Locals *v, size_t widest, bool spelled)
{
    for (int i = 0; i < v->n; i++)
        if (4 + widest + 5 + strlen(local_note(e, &v->p[i], spelled)) > COLUMNS)
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
        pad(e->out, beside ? (int)(widest - strlen(v->p[i].line)) : 0);
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
        if (b->kind == BUF_IN || b->kind == BUF_OUT || b->kind == BUF_PARAM || !is_used(f, b))
            continue;
        bool panel = b->kind == BUF_WEIGHT && b->field->packed->format != FORMAT_plain;
        bool constant = b->kind == BUF_WEIGHT || !b->written;
        const char *type = panel ? "void" : pointer_type(b);
        Local v = {arena_printf(a, "%s%s *%s = %s;", constant ? "const " : "", type, b->name,
                                buf_where(e, b)),
                   b, panel};
        vec_push(a, &all, v);
    }
    put_locals(e, &all);
}

// ---- statements -----------------------------------------------------------------------------------

static void emit_body(Emit *e, const LStmts *body);

static const char *address(Emit *e, const LArg *a)
{
    int64_t zero = 0;
    if (a->index->kind == LX_INT && a->index->i == zero)
        return a->buf->name;
    return arena_printf(e->p->arena, "%s + %s", a->buf->name, expr(e, a->index));
}

static const char *argument(Emit *e, const LArg *a)
{
    if (a->kind == ARG_EXPR && a->expr->kind == LX_INT) {
        const char *name = emit_dim_name(e, a->expr->name);
        if (name)
            return name;
    }
    switch (a->kind) {
    case ARG_ADDR:
        return address(e, a);
    case ARG_EXPR:
        return expr(e, a->expr);
    case ARG_PAR:
        return "m->par";
    case ARG_WORK:
        return "(float *)work";
    case ARG_NULL:
        break;
    }
    return "NULL";
}

static void emit_status(Emit *e, const char *call)
{
    size_t room = (size_t)(COLUMNS - e->indent * 4 - 4);
    if (strlen(call) + strlen("status = ;") > room + 4 && strlen(call) + 1 <= room) {
        emit_line(e, "status =");
        e->indent++;
        emit_line(e, "%s;", call);
        e->indent--;
    } else {
        emit_line(e, "status = %s;", call);
    }
    emit_line(e, "if (status)");
    e->indent++;
    emit_line(e, "return status;");
    e->indent--;
}

// A kernel with many operands takes them by name.
static void emit_struct_kernel(Emit *e, const LStmt *s)
{
    emit_line(e, "const %s args = {", s->arg_struct);
    e->indent++;
    for (int i = 1; i < s->args.n; i++) {
        const LArg *a = &s->args.p[i];
        bool zero = a->kind == ARG_EXPR && a->expr->kind == LX_INT && a->expr->i == 0;
        if (!zero)  // as C has it anyway
            emit_line(e, ".%s = %s,", a->name, argument(e, a));
    }
    e->indent--;
    emit_line(e, "};");
    emit_line(e, "%s(m->par, &args);", s->name);
}

static void emit_kernel(Emit *e, const LStmt *s)
{
    if (s->arg_struct) {
        emit_line(e, "{");
        e->indent++;
        emit_struct_kernel(e, s);
        e->indent--;
        emit_line(e, "}");
        return;
    }
    Text t;
    text_init(&t, e->p->arena);
    text_printf(&t, "%s(", s->name);
    for (int i = 0; i < s->args.n; i++)
        text_printf(&t, "%s%s", i ? ", " : "", argument(e, &s->args.p[i]));
    text_puts(&t, ")");
    if (s->fails)
        emit_status(e, t.p);
    else
        emit_line(e, "%s;", t.p);
}

static void emit_call(Emit *e, const LStmt *s)
{
    Text t;
    const Func *c = s->callee;
    text_init(&t, e->p->arena);
    text_printf(&t, "%s(", c->name);
    const char *sep = "";
#define ARG(...) (text_printf(&t, "%s", sep), text_printf(&t, __VA_ARGS__), sep = ", ")
    if (c->uses_par || c->uses_weights)
        ARG("m");
    if (c->uses_record && !s->record)
        ARG("w");
    else if (c->uses_record && s->record->index)
        ARG("&w->%s[%s]", s->record->name, expr(e, s->turn));
    else if (c->uses_record)
        ARG("&w->%s", s->record->name);
    if (c->uses_state)
        ARG("state");
    if (c->uses_scratch && s->frame_at)
        ARG("scratch + %lld", (long long)s->frame_at);
    else if (c->uses_scratch)
        ARG("scratch");
    if (c->uses_work)
        ARG("work");
    for (int i = 0; i < c->turns.n; i++)
        ARG("%s", c->turns.p[i]);
    for (int i = 0; i < e->p->module->dims.n; i++)
        if (c->dims >> i & 1)
            ARG("%s", e->p->module->dims.p[i]->name);
    for (int i = 0; i < s->actuals.n; i++)
        ARG("%s", s->actuals.p[i]->name);
#undef ARG
    text_puts(&t, ")");
    if (c->fails)
        emit_status(e, t.p);
    else
        emit_line(e, "%s;", t.p);
}

// Statements of a body that was printed at this depth; what wraps is deeper.
static int printed_statements(const char *body, int indent)
{
    int n = 0;
    for (const char *line = body; *line; line += strcspn(line, "\n") + 1)
        n += (int)strspn(line, " ") == indent * 4 && line[indent * 4] != '}';
    return n;
}

static void emit_for(Emit *e, const LStmt *s)
{
    Text body, *out = e->out;
    text_init(&body, e->p->arena);
    e->out = &body;
    e->indent++;
    emit_body(e, &s->body);
    e->indent--;
    e->out = out;
    bool braces = s->body.n != 1 || s->body.p[0]->kind == LS_KERNEL ||
                  (s->body.p[0]->kind == LS_CALL && s->body.p[0]->callee->fails) ||
                  printed_statements(body.p, e->indent + 1) > 1;
    emit_line(e, "for (ptrdiff_t %s = %s; %s < %s; %s++)%s", s->name, expr(e, s->lo), s->name,
              expr(e, s->hi), s->name, braces ? " {" : "");
    text_puts(out, body.p);
    if (braces)
        emit_line(e, "}");
}

static void emit_note(Emit *e, const LStmt *s)
{
    Place at = diag_place(e->p->diag, s->loc);
    const char *file = at.file ? at.file : "";
    const char *slash = strrchr(file, '/');
    if (slash && strncmp(file, "std/", 4) != 0)
        file = slash + 1;
    pad(e->out, e->indent * 4);  // a comment is never wrapped
    text_printf(e->out, "// %s: %s", s->name, s->why);
    if (at.file)
        text_printf(e->out, "  %s:%d", file, at.line);
    text_puts(e->out, "\n");
}

// The operand with the longest text that is more than a name or a load.
static int longest_operand(Emit *e, const LExpr *x)
{
    int best = -1;
    size_t most = 12;  // shorter ones are not worth a name
    for (int i = 0; i < x->n; i++) {
        size_t n = strlen(expr(e, x->arg[i]));
        bool whole = x->arg[i]->kind == LX_BIN || x->arg[i]->kind == LX_CALL ||
                     x->arg[i]->kind == LX_NEG;
        if (whole && n > most) {
            most = n;
            best = i;
        }
    }
    return best;
}

// left = value; on one line, or broken after the =, or with parts of the value named first.
static void emit_assign(Emit *e, const char *left, const LExpr *value)
{
    size_t indent = (size_t)e->indent * 4;
    const char *right = expr(e, value);
    if (indent + strlen(left) + strlen(right) + 4 <= COLUMNS) {
        emit_line(e, "%s = %s;", left, right);
        return;
    }
    int part = longest_operand(e, value);
    if (indent + 4 + strlen(right) + 1 <= COLUMNS || part < 0) {
        pad(e->out, (int)indent);
        text_printf(e->out, "%s =\n", left);
        pad(e->out, (int)indent + 4);
        text_printf(e->out, "%s;\n", right);
        return;
    }
    const LExpr *x = value->arg[part];
    const char *name = func_name(e->func, "part");
    emit_assign(e, arena_printf(e->p->arena, "const %s %s", c_var_type(x->dtype), name), x);
    LExpr rest = *value;
    rest.arg[part] = lx_var(e->p, name, x->dtype);
    emit_assign(e, left, &rest);
}

static void emit_tap(Emit *e, const LStmt *s)
{
    const LArg at = {.kind = ARG_ADDR, .buf = s->buf, .index = s->index};
    emit_line(e, "if (m->tap)");
    e->indent++;
    emit_line(e, "m->tap(m->tap_ctx, %d, %s);", s->tap->id, address(e, &at));
    e->indent--;
}

static void emit_stmt(Emit *e, const LStmt *s)
{
    Arena *a = e->p->arena;
    switch (s->kind) {
    case LS_FOR:
        emit_for(e, s);
        return;
    case LS_LET:
        emit_assign(e, arena_printf(a, "const %s %s", c_var_type(s->dtype), s->name), s->value);
        return;
    case LS_VAR:
        emit_assign(e, arena_printf(a, "%s %s", c_var_type(s->dtype), s->name), s->value);
        return;
    case LS_SET:
        emit_assign(e, s->name, s->value);
        return;
    case LS_STORE:
        emit_assign(e, arena_printf(a, "%s[%s]", s->buf->name, expr(e, s->index)), s->value);
        return;
    case LS_KERNEL:
        emit_kernel(e, s);
        return;
    case LS_CALL:
        emit_call(e, s);
        return;
    case LS_TAP:
        emit_tap(e, s);
        return;
    case LS_NOTE:
        emit_note(e, s);
        return;
    }
}

static void emit_body(Emit *e, const LStmts *body)
{
    for (int i = 0; i < body->n; i++) {
        const LStmt *s = body->p[i];
        if (s->kind == LS_NOTE && i + 1 < body->n && body->p[i + 1]->kind == LS_NOTE)
            continue;  // nothing came of it here
        if (s->kind == LS_NOTE && i + 1 == body->n)
            continue;
        emit_stmt(e, s);
    }
}

// ---- functions ---------------------------------------------------------------------------------------

static void emit_definition(Emit *e, Func *f, const char *name)
{
    const char *head = arena_printf(e->p->arena, "static %s %s(%s)", f->fails ? "int" : "void",
                                    name, emit_func_params(e, f));
    e->indent = 0;
    put_wrapped(e, head);
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
