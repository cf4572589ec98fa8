// astprint.c - the tree of a source as text, for --emit=ast.

#include "astprint.h"

#include <inttypes.h>

static void put_expr(Text *out, const Expr *e);
static void put_body(Text *out, const StmtList *body, int indent);

static void put_exprs(Text *out, const ExprList *list)
{
    for (int i = 0; i < list->n; i++) {
        text_puts(out, " ");
        put_expr(out, list->p[i]);
    }
}

static void put_args(Text *out, const ArgList *args)
{
    for (int i = 0; i < args->n; i++) {
        text_puts(out, " ");
        if (args->p[i].name)
            text_printf(out, "%s=", args->p[i].name);
        put_expr(out, args->p[i].value);
    }
}

static void put_part(Text *out, const Expr *e)
{
    if (e)
        put_expr(out, e);
    else
        text_puts(out, "_");
}

static void put_index(Text *out, const IndexList *index)
{
    for (int i = 0; i < index->n; i++) {
        const Index *x = &index->p[i];
        text_puts(out, " ");
        if (x->kind == IX_ELLIPSIS) {
            text_puts(out, "...");
        } else if (x->kind == IX_AT) {
            put_expr(out, x->at);
        } else {
            put_part(out, x->start);
            text_puts(out, ":");
            put_part(out, x->stop);
            text_puts(out, ":");
            put_part(out, x->step);
        }
    }
}

static void put_string(Text *out, const char *s)
{
    text_puts(out, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_puts(out, "\\");
        if (*s == '\n')
            text_puts(out, "\\n");
        else
            text_put(out, s, 1);
    }
    text_puts(out, "\"");
}

static void put_node(Text *out, const char *head, const Expr *a, const Expr *b)
{
    text_printf(out, "(%s ", head);
    put_expr(out, a);
    if (b) {
        text_puts(out, " ");
        put_expr(out, b);
    }
    text_puts(out, ")");
}

static void put_scan(Text *out, const Expr *e)
{
    text_printf(out, "(scan %s ", e->text ? e->text : "_");
    put_part(out, e->a);
    put_args(out, &e->args);
    text_printf(out, " (%d statements))", e->body.n);
}

static void put_expr(Text *out, const Expr *e)
{
    static const char *const ops[] = {"+", "-",  "*",  "/",  "@",  "**", "<",
                                      ">", "<=", ">=", "==", "!=", "&",  "|"};
    switch (e->kind) {
    case EX_NAME:
    case EX_FLOAT:
        text_puts(out, e->text);
        break;
    case EX_INT:
        text_printf(out, "%" PRId64, e->integer);
        break;
    case EX_STRING:
        put_string(out, e->text);
        break;
    case EX_DTYPE:
        text_puts(out, dtype_info[e->dtype].name);
        break;
    case EX_TUPLE:
    case EX_LIST:
        text_puts(out, e->kind == EX_TUPLE ? "(tuple" : "(list");
        put_exprs(out, &e->items);
        text_puts(out, ")");
        break;
    case EX_NEG:
        put_node(out, "-", e->a, NULL);
        break;
    case EX_BINARY:
        put_node(out, ops[e->op], e->a, e->b);
        break;
    case EX_SWAP:
        put_node(out, "'", e->a, NULL);
        break;
    case EX_CALL:
        text_puts(out, "(call ");
        put_expr(out, e->a);
        put_args(out, &e->args);
        text_puts(out, ")");
        break;
    case EX_INDEX:
        text_puts(out, "(index ");
        put_expr(out, e->a);
        put_index(out, &e->index);
        text_puts(out, ")");
        break;
    case EX_MEMBER:
        text_puts(out, "(. ");
        put_expr(out, e->a);
        text_printf(out, " %s)", e->text);
        break;
    case EX_SCAN:
        put_scan(out, e);
        break;
    }
}

static void put_dims(Text *out, const DimList *dims)
{
    text_puts(out, "[");
    for (int i = 0; i < dims->n; i++) {
        text_puts(out, i ? ", " : "");
        if (dims->p[i].size)
            put_expr(out, dims->p[i].size);
        else
            text_puts(out, "...");
    }
    text_puts(out, "]");
}

static void put_type(Text *out, const TypeExpr *t)
{
    text_puts(out, dtype_info[t->dtype].name);
    if (t->dims.n)
        put_dims(out, &t->dims);
}

static void put_names(Text *out, const NameList *names)
{
    for (int i = 0; i < names->n; i++)
        text_printf(out, "%s%s", i ? ", " : " ", names->p[i].s);
}

// ---- statements --------------------------------------------------------------------------

static void put_value(Text *out, const char *before, const Expr *e)
{
    if (!e)
        return;
    text_puts(out, before);
    put_expr(out, e);
}

static void put_stmt(Text *out, const Stmt *s, int indent)
{
    static const char *const kinds[] = {"let",   "let dim", "assign", "return",
                                        "yield", "for",     "if",     "exit when"};
    text_printf(out, "%*s%s", indent, "", kinds[s->kind]);
    put_names(out, &s->targets);
    if (s->type) {
        text_puts(out, ": ");
        put_type(out, s->type);
    }
    put_value(out, " ", s->target);
    put_value(out, " in ", s->lo);
    put_value(out, "..", s->hi);
    put_value(out, s->targets.n || s->target ? " = " : " ", s->value);
    put_value(out, " -> ", s->result);
    text_puts(out, "\n");
    put_body(out, &s->body, indent + 2);
    if (s->has_else) {
        text_printf(out, "%*selse\n", indent, "");
        put_body(out, &s->otherwise, indent + 2);
    }
}

static void put_body(Text *out, const StmtList *body, int indent)
{
    for (int i = 0; i < body->n; i++)
        put_stmt(out, body->p[i], indent);
}

// ---- members and items -----------------------------------------------------------------------

static void put_params(Text *out, const ParamList *params)
{
    text_puts(out, "(");
    for (int i = 0; i < params->n; i++) {
        text_printf(out, "%s%s: ", i ? ", " : "", params->p[i].name.s);
        put_type(out, params->p[i].type);
    }
    text_puts(out, ")");
}

static void put_results(Text *out, const ResultList *results)
{
    for (int i = 0; i < results->n; i++) {
        const Result *r = &results->p[i];
        text_puts(out, i ? ", " : " -> ");
        if (r->name.s)
            text_printf(out, "%s: ", r->name.s);
        put_type(out, r->type);
    }
}

static void put_member(Text *out, const Member *m)
{
    static const char *const kinds[] = {"weight", "block", "state",
                                        "const",  "fn",    "entry"};
    text_printf(out, "  %s", kinds[m->kind]);
    put_names(out, &m->names);
    if (m->kind == MB_FN || m->kind == MB_ENTRY) {
        text_puts(out, " ");
        put_params(out, &m->params);
        if (m->cursor.s)
            text_printf(out, " at %s", m->cursor.s);
        put_results(out, &m->results);
        text_puts(out, "\n");
        put_body(out, &m->body, 4);
        return;
    }
    if (m->index) {
        text_printf(out, "[%s < ", m->index);
        put_expr(out, m->count);
        text_puts(out, "]");
    }
    text_puts(out, ": ");
    if (m->type)
        put_type(out, m->type);
    if (m->block.s)
        text_puts(out, m->block.s);
    put_args(out, &m->args);
    if (m->has_stored) {
        text_puts(out, " stored ");
        put_dims(out, &m->stored);
    }
    put_value(out, " = ", m->init);
    if (m->path) {
        text_puts(out, " = ");
        put_string(out, m->path);
    }
    put_value(out, " if ", m->cond);
    text_puts(out, "\n");
}

static void put_item(Text *out, const Item *t)
{
    static const char *const kinds[] = {"config", "dim",       "weights", "import",
                                        "block",  "tokenizer", "extern",  "recipe"};
    text_puts(out, kinds[t->kind]);
    if (t->name.s)
        text_printf(out, " %s", t->name.s);
    if (t->string) {
        text_puts(out, " ");
        put_string(out, t->string);
    }
    put_value(out, " = ", t->value);
    put_value(out, " in ", t->lo);
    put_value(out, "..", t->hi);
    put_value(out, " by ", t->by);
    if (t->ragged_by.s)
        text_printf(out, " ragged by %s", t->ragged_by.s);
    put_value(out, " total ", t->total);
    for (int i = 0; i < t->params.n; i++) {
        text_printf(out, " %s", t->params.p[i].name.s);
        put_value(out, "=", t->params.p[i].value);
    }
    if (t->kind == IT_EXTERN) {
        put_params(out, &t->fn_params);
        put_results(out, &t->results);
    }
    text_puts(out, "\n");
    for (int i = 0; i < t->members.n; i++)
        put_member(out, t->members.p[i]);
    for (int i = 0; i < t->steps.n; i++) {
        put_value(out, "  ", t->steps.p[i]);
        text_puts(out, "\n");
    }
}

void ast_print(const File *f, Text *out)
{
    text_printf(out, "tfx %d\n", f->version);
    for (int i = 0; i < f->items.n; i++)
        put_item(out, f->items.p[i]);
}
