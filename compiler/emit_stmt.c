// emit_stmt.c - statements as C.

#include "compiler/emit.h"

#include <string.h>

static const char *expr(Emit *e, const LExpr *x)
{
    Text t;
    text_init(&t, e->p->arena);
    emit_expr(e, x, 0, &t);
    return t.p;
}

// ---- statements -----------------------------------------------------------------------------------

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
    size_t room = (size_t)(EMIT_COLUMNS - e->indent * 4 - 4);
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
    const size_t margin = (size_t)indent * 4;
    for (const char *line = body; *line; line += strcspn(line, "\n") + 1)
        n += strspn(line, " ") == margin && line[margin] != '}';
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
    emit_line(e, "for (ptrdiff_t %s = %s; %s < %s; %s++)%s", s->name, expr(e, s->lo),
              s->name, expr(e, s->hi), s->name, braces ? " {" : "");
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
    emit_pad(e->out, e->indent * 4);  // a comment is never wrapped
    text_printf(e->out, "// %s: %s", s->name, emit_shape(e, e->func->record, s->why));
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
    if (indent + strlen(left) + strlen(right) + 4 <= EMIT_COLUMNS) {
        emit_line(e, "%s = %s;", left, right);
        return;
    }
    int part = longest_operand(e, value);
    if (indent + 4 + strlen(right) + 1 <= EMIT_COLUMNS || part < 0) {
        emit_pad(e->out, (int)indent);
        text_printf(e->out, "%s =\n", left);
        emit_pad(e->out, (int)indent + 4);
        text_printf(e->out, "%s;\n", right);
        return;
    }
    const LExpr *x = value->arg[part];
    const char *name = func_name(e->func, "part");
    emit_assign(
        e, arena_printf(e->p->arena, "const %s %s", emit_var_type(x->dtype), name), x);
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
        emit_assign(e, arena_printf(a, "const %s %s", emit_var_type(s->dtype), s->name),
                    s->value);
        return;
    case LS_VAR:
        emit_assign(e, arena_printf(a, "%s %s", emit_var_type(s->dtype), s->name),
                    s->value);
        return;
    case LS_SET:
        emit_assign(e, s->name, s->value);
        return;
    case LS_STORE:
        emit_assign(e, arena_printf(a, "%s[%s]", s->buf->name, expr(e, s->index)),
                    s->value);
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
        if (s->tap)
            emit_line(e, "tfx_mark(%d);", s->tap->id);
        return;
    }
}

void emit_body(Emit *e, const LStmts *body)
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
