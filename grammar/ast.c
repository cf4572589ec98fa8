// ast.c - builders of expressions, types and statements.
//
// One call per action of the grammar. They copy what they are given into a node and
// join lists; only limits are checked here.

#include "parser.h"

#define ADD(List, Item, function)                                                      \
    List function(Parser *p, List list, Item x)                                        \
    {                                                                                  \
        vec_push(p->arena, &list, x);                                                  \
        return list;                                                                   \
    }

ADD(ExprList, Expr *, add_expr)
ADD(StmtList, Stmt *, add_stmt)
ADD(NameList, Name, add_name)
ADD(ArgList, Arg, add_arg)
ADD(DimList, DimExpr, add_dim)
ADD(ParamList, Param, add_param)
ADD(ResultList, Result, add_result)
ADD(MemberList, Member *, add_member)
ADD(BlockParamList, BlockParam, add_block_param)

IndexList add_index(Parser *p, IndexList list, Index *x)
{
    vec_push(p->arena, &list, *x);
    return list;
}

// ---- expressions --------------------------------------------------------------------

static Expr *expr_new(Parser *p, Loc loc, ExprKind kind)
{
    Expr *e = NEW(p->arena, Expr);
    e->kind = kind;
    e->loc = e->op_loc = loc;
    e->height = 1;
    return e;
}

// e stands on part, which may be NULL.
static void expr_over(Parser *p, Expr *e, const Expr *part)
{
    if (!part || part->height < e->height)
        return;
    e->height = part->height + 1;
    if (e->height > MAX_HEIGHT)
        parser_too_deep(p, e->op_loc);
}

static Expr *expr_on(Parser *p, Loc loc, ExprKind kind, Loc op_loc, Expr *a, Expr *b)
{
    Expr *e = expr_new(p, loc, kind);
    e->op_loc = op_loc;
    e->a = a;
    e->b = b;
    expr_over(p, e, a);
    expr_over(p, e, b);
    return e;
}

Expr *expr_name(Parser *p, Name n)
{
    Expr *e = expr_new(p, n.loc, EX_NAME);
    e->text = n.s;
    return e;
}

Expr *expr_int(Parser *p, Loc loc, int64_t i)
{
    Expr *e = expr_new(p, loc, EX_INT);
    e->integer = i;
    return e;
}

Expr *expr_float(Parser *p, Loc loc, double x)
{
    Expr *e = expr_new(p, loc, EX_FLOAT);
    e->number = x;
    e->text =
        arena_strndup(p->arena, p->text + (loc.start - p->base), loc.end - loc.start);
    return e;
}

Expr *expr_string(Parser *p, Loc loc, const char *s)
{
    Expr *e = expr_new(p, loc, EX_STRING);
    e->text = s;
    return e;
}

Expr *expr_dtype(Parser *p, Loc loc, DType d)
{
    Expr *e = expr_new(p, loc, EX_DTYPE);
    e->dtype = d;
    return e;
}

Expr *expr_items(Parser *p, Loc loc, ExprKind kind, ExprList items)
{
    Expr *e = expr_new(p, loc, kind);
    e->items = items;
    for (int i = 0; i < items.n; i++)
        expr_over(p, e, items.p[i]);
    return e;
}

// Parentheses leave no node behind, only their place.
Expr *expr_paren(Parser *p, Loc loc, ExprList items)
{
    if (items.n != 1)
        return expr_items(p, loc, EX_TUPLE, items);
    items.p[0]->loc = loc;
    return items.p[0];
}

Expr *expr_neg(Parser *p, Loc loc, Loc op, Expr *a)
{
    return expr_on(p, loc, EX_NEG, op, a, NULL);
}

Expr *expr_binary(Parser *p, Loc loc, Loc op_loc, BinOp op, Expr *a, Expr *b)
{
    Expr *e = expr_on(p, loc, EX_BINARY, op_loc, a, b);
    e->op = op;
    return e;
}

Expr *expr_swap(Parser *p, Loc loc, Loc op, Expr *a)
{
    return expr_on(p, loc, EX_SWAP, op, a, NULL);
}

// `f(x)` newline `(y)`: nobody means that.
static void check_continuation(Parser *p, const Expr *e, const char *does)
{
    if (!starts_line(p, e->op_loc))
        return;
    int line = diag_place(p->diag, (Loc){e->a->loc.end - 1, e->a->loc.end}).line;
    diag_warning(p->diag, e->op_loc, E0113, "this %s what line %d ends with", does,
                 line);
    diag_hint(p->diag, e->a->loc,
              "put the bracket on this line, or end the statement with ';'");
}

Expr *expr_call(Parser *p, Loc loc, Loc open, Expr *a, ArgList list)
{
    Expr *e = expr_on(p, loc, EX_CALL, open, a, NULL);
    e->args = list;
    for (int i = 0; i < list.n; i++)
        expr_over(p, e, list.p[i].value);
    check_continuation(p, e, "calls");
    return e;
}

Expr *expr_index(Parser *p, Loc loc, Loc open, Expr *a, IndexList list)
{
    Expr *e = expr_on(p, loc, EX_INDEX, open, a, NULL);
    e->index = list;
    for (int i = 0; i < list.n; i++) {
        expr_over(p, e, list.p[i].at);
        expr_over(p, e, list.p[i].start);
        expr_over(p, e, list.p[i].stop);
        expr_over(p, e, list.p[i].step);
    }
    check_continuation(p, e, "indexes");
    return e;
}

Expr *expr_member(Parser *p, Loc loc, Expr *a, Name n)
{
    Expr *e = expr_on(p, loc, EX_MEMBER, n.loc, a, NULL);
    e->text = n.s;
    return e;
}

Expr *expr_scan(Parser *p, Loc loc, Name n, Expr *a, ArgList from, StmtList body)
{
    Expr *e = expr_on(p, loc, EX_SCAN, n.loc, a, NULL);
    e->text = n.s;
    e->args = from;
    e->body = body;
    for (int i = 0; i < from.n; i++)
        expr_over(p, e, from.p[i].value);
    return e;
}

Index *index_at(Parser *p, Loc loc, Expr *e)
{
    Index *x = NEW(p->arena, Index);
    *x = (Index){.kind = IX_AT, .loc = loc, .at = e};
    return x;
}

Index *index_rest(Parser *p, Loc loc)
{
    Index *x = NEW(p->arena, Index);
    *x = (Index){.kind = IX_ELLIPSIS, .loc = loc};
    return x;
}

Index *index_slice(Parser *p, Loc loc, Expr *start, Expr *stop, Expr *step)
{
    Index *x = NEW(p->arena, Index);
    *x = (Index){
        .kind = IX_SLICE, .loc = loc, .start = start, .stop = stop, .step = step};
    return x;
}

TypeExpr *type_expr(Parser *p, Loc loc, DType d, DimList list)
{
    TypeExpr *t = NEW(p->arena, TypeExpr);
    *t = (TypeExpr){loc, d, list};
    return t;
}

// ---- statements ---------------------------------------------------------------------

static Stmt *stmt_new(Parser *p, Loc loc, StmtKind kind, Expr *value)
{
    Stmt *s = NEW(p->arena, Stmt);
    s->kind = kind;
    s->loc = loc;
    s->value = value;
    return s;
}

Stmt *stmt_let(Parser *p, Loc loc, NameList targets, TypeExpr *type, Expr *value)
{
    Stmt *s = stmt_new(p, loc, ST_LET, value);
    s->targets = targets;
    s->type = type;
    return s;
}

Stmt *stmt_let_dim(Parser *p, Loc loc, Name n, Expr *lo, Expr *hi)
{
    Stmt *s = stmt_new(p, loc, ST_LET_DIM, NULL);
    vec_push(p->arena, &s->targets, n);
    s->lo = lo;
    s->hi = hi;
    return s;
}

Stmt *stmt_assign(Parser *p, Loc loc, Expr *target, Expr *value)
{
    Stmt *s = stmt_new(p, loc, ST_ASSIGN, value);
    s->target = target;
    return s;
}

Stmt *stmt_value(Parser *p, Loc loc, StmtKind kind, Expr *value)
{
    return stmt_new(p, loc, kind, value);
}

// Over value, or over the range value..hi when hi is given.
Stmt *stmt_for(Parser *p, Loc loc, Name n, Expr *value, Expr *hi, StmtList body)
{
    Stmt *s = stmt_new(p, loc, ST_FOR, hi ? NULL : value);
    vec_push(p->arena, &s->targets, n);
    s->lo = hi ? value : NULL;
    s->hi = hi;
    s->body = body;
    return s;
}

Stmt *stmt_exit(Parser *p, Loc loc, Expr *when, Expr *result)
{
    Stmt *s = stmt_new(p, loc, ST_EXIT, when);
    s->result = result;
    return s;
}

Chain chain_if(Parser *p, Loc loc, Expr *cond, StmtList body)
{
    Stmt *s = stmt_new(p, loc, ST_IF, cond);
    s->body = body;
    return (Chain){s, s, 1};
}

Chain chain_else_if(Parser *p, Chain c, Loc loc, Expr *cond, StmtList body)
{
    Stmt *s = stmt_new(p, loc, ST_IF, cond);
    s->body = body;
    c.last->has_else = true;
    vec_push(p->arena, &c.last->otherwise, s);
    c.last = s;
    if (++c.n > MAX_NESTING)
        parser_too_deep(p, loc);
    return c;
}

// The ifs of a chain end where it ends.
static void chain_end(Chain c, uint32_t end)
{
    for (Stmt *s = c.first;; s = s->otherwise.p[0]) {
        s->loc.end = end;
        if (s == c.last)
            return;
    }
}

Stmt *stmt_if(Parser *p, Loc loc, Chain c)
{
    (void)p;
    chain_end(c, loc.end);
    return c.first;
}

Stmt *stmt_if_else(Parser *p, Loc loc, Chain c, StmtList otherwise)
{
    (void)p;
    c.last->has_else = true;
    c.last->otherwise = otherwise;
    chain_end(c, loc.end);
    return c.first;
}
