// looptext_body.c - prints the expressions and statements of loop IR.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "loopread.h"

// ---- expressions: fully in brackets, so that the text has one reading ------------------

static void put_number(const LExpr *e, Text *out)
{
    if (isnan(e->num) || isinf(e->num)) {
        text_puts(out, isnan(e->num) ? "#nan" : e->num < 0 ? "-#inf" : "#inf");
    } else {
        Text t;
        text_init(&t, out->arena);
        ir_put_number(&t, e->num);
        text_puts(out, t.p);
        if (!strpbrk(t.p, ".e"))
            text_puts(out, ".0");
    }
    text_puts(out, e->dtype == DT_COUNT ? ":f64" : "");
}

static void put_int(const LExpr *e, Text *out)
{
    char plain[24];
    snprintf(plain, sizeof plain, "%" PRId64, e->i);
    if (e->name && strcmp(e->name, plain) != 0) {
        text_puts(out, "{");
        ir_put_name(out, e->name);
        text_printf(out, "=%s}", plain);
    } else {
        text_puts(out, plain);
    }
    if (e->dtype != DT_i64)
        text_printf(out, ":%s", dtype_info[e->dtype].name);
}

static void put_operands(const LExpr *e, Text *out)
{
    text_puts(out, "(");
    for (int i = 0; i < e->n; i++) {
        text_puts(out, i ? ", " : "");
        loop_put_expr(e->arg[i], out);
    }
    text_puts(out, ")");
}

static void put_negation(const LExpr *e, Text *out)
{
    bool number = e->arg[0]->kind == LX_NUM || e->arg[0]->kind == LX_INT;
    text_puts(out, "-");
    if (number)
        put_operands(e, out);
    else
        loop_put_expr(e->arg[0], out);
}

void loop_put_expr(const LExpr *e, Text *out)
{
    switch (e->kind) {
    case LX_INT:
        put_int(e, out);
        return;
    case LX_NUM:
        put_number(e, out);
        return;
    case LX_SIZE:
        text_puts(out, "{");
        size_print(e->size, out);
        text_puts(out, "}");
        return;
    case LX_VAR:
        text_puts(out, e->name);
        return;
    case LX_LOAD:
        text_printf(out, "%s[", e->buf->name);
        loop_put_expr(e->arg[0], out);
        text_puts(out, "]");
        return;
    case LX_NEG:
        put_negation(e, out);
        return;
    case LX_BIN:
        text_puts(out, "(");
        loop_put_expr(e->arg[0], out);
        text_printf(out, " %c ", e->op);
        loop_put_expr(e->arg[1], out);
        text_puts(out, ")");
        return;
    case LX_CALL:
    case LX_CAST:
        text_puts(out, e->kind == LX_CAST ? dtype_info[e->dtype].name : e->name);
        put_operands(e, out);
        return;
    }
}

// ---- statements ------------------------------------------------------------------------

void loop_indent(Text *out, int depth)
{
    for (int i = 0; i < depth; i++)
        text_puts(out, "    ");
}

static void put_arg(const LArg *a, Text *out)
{
    if (a->name)
        text_printf(out, "%s = ", a->name);
    switch (a->kind) {
    case ARG_ADDR:
        text_printf(out, "%s %s[",
                    !a->writes ? "in"
                    : a->last  ? "last"
                    : a->reads ? "inout"
                               : "out",
                    a->buf->name);
        loop_put_expr(a->index, out);
        text_puts(out, "]");
        return;
    case ARG_EXPR:
        loop_put_expr(a->expr, out);
        return;
    case ARG_PAR:
        text_puts(out, "@par");
        return;
    case ARG_WORK:
        text_puts(out, "@work");
        return;
    case ARG_NULL:
        text_puts(out, "@null");
        return;
    }
}

static void put_kernel(const LStmt *s, Text *out)
{
    text_printf(out, "kernel %s(", s->name);
    for (int i = 0; i < s->args.n; i++) {
        text_puts(out, i ? ", " : "");
        put_arg(&s->args.p[i], out);
    }
    text_puts(out, ")");
    if (s->arg_struct)
        text_printf(out, " struct %s", s->arg_struct);
    text_puts(out, s->fails ? " fails\n" : "\n");
}

static void put_call(const LStmt *s, Text *out)
{
    text_printf(out, "call %s(", s->callee->name);
    for (int i = 0; i < s->actuals.n; i++)
        text_printf(out, "%s%s", i ? ", " : "", s->actuals.p[i]->name);
    text_puts(out, ")");
    if (s->record) {
        text_printf(out, " record %s", s->record->name);
        if (s->record->index) {
            text_puts(out, "[");
            loop_put_expr(s->turn, out);
            text_puts(out, "]");
        }
    }
    text_printf(out, " at %" PRId64 "\n", s->frame_at);
}

static void put_for(const LStmt *s, int depth, Text *out)
{
    text_printf(out, "%s %s in ", s->turns ? "turns" : "for", s->name);
    loop_put_expr(s->lo, out);
    text_puts(out, " .. ");
    loop_put_expr(s->hi, out);
    text_puts(out, " {\n");
    loop_put_body(&s->body, depth + 1, out);
    loop_indent(out, depth);
    text_puts(out, "}\n");
}

static void put_assignment(const LStmt *s, Text *out)
{
    if (s->kind == LS_STORE) {
        text_printf(out, "%s[", s->buf->name);
        loop_put_expr(s->index, out);
        text_puts(out, "] = ");
    } else if (s->kind == LS_SET) {
        text_printf(out, "%s = ", s->name);
    } else {
        text_printf(out, "%s %s: %s = ", s->kind == LS_LET ? "let" : "var", s->name,
                    dtype_info[s->dtype].name);
    }
    loop_put_expr(s->value, out);
    text_puts(out, "\n");
}

static void put_stmt(const LStmt *s, int depth, Text *out)
{
    loop_indent(out, depth);
    switch (s->kind) {
    case LS_FOR:
        put_for(s, depth, out);
        return;
    case LS_LET:
    case LS_VAR:
    case LS_SET:
    case LS_STORE:
        put_assignment(s, out);
        return;
    case LS_KERNEL:
        put_kernel(s, out);
        return;
    case LS_CALL:
        put_call(s, out);
        return;
    case LS_TAP:
        text_printf(out, "tap %s[", s->buf->name);
        loop_put_expr(s->index, out);
        text_printf(out, "] value %d\n", s->tap->id);
        return;
    case LS_NOTE:
        text_puts(out, "note ");
        ir_put_name(out, s->name);
        text_puts(out, " ");
        ir_put_string(out, s->why);
        text_puts(out, "\n");
        return;
    }
}

void loop_put_body(const LStmts *body, int depth, Text *out)
{
    for (int i = 0; i < body->n; i++)
        put_stmt(body->p[i], depth, out);
}
