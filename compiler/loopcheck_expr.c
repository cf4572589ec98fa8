// loopcheck_expr.c - the verifier of loop IR: expressions.

#include <string.h>

#include "loopcheck.h"

static const char *type_name(DType d)
{
    return d < DT_COUNT ? dtype_info[d].name : "f64";
}

// What C computes with: other types are only read by kernels.
static bool is_number(DType d)
{
    return d == DT_f32 ||
           (d < DT_COUNT && dtype_info[d].kind == DK_INT && dtype_info[d].c_name);
}

static void check_load(Check *c, const LExpr *e)
{
    const Buf *b = e->buf;
    check_index(c, e->arg[0], "an index");
    if (!is_buf_of(c, b)) {
        breach(c, "a load from a buffer of another function");
        return;
    }
    if (e->dtype != b->dtype || !is_number(b->dtype))
        breach(c, "%s cannot be loaded as %s", b->name, type_name(e->dtype));
    if (b->kind == BUF_WEIGHT && b->field && b->field->packed &&
        b->field->packed->format != FORMAT_plain)
        breach(c, "%s lies in panels, which only kernels read", b->name);
}

static void check_binary(Check *c, const LExpr *e)
{
    DType a = e->arg[0]->dtype, b = e->arg[1]->dtype;
    if (!e->op || !strchr("+-*/%", e->op))
        breach(c, "no operator of this kind");
    else if (a != b || e->dtype != a || !is_number(a))
        breach(c, "%s %c %s", type_name(a), e->op, type_name(b));
    else if (e->op == '%' && a == DT_f32)
        breach(c, "f32 %% f32");
}

// The functions of MAP rows, and how many operands they take.
static int arity_of(const Check *c, const char *name)
{
    static const char *const one[] = {"ABS", "SQRT", "EXP", "LOG",  "SIN",
                                      "COS", "TANH", "ERF", "NDTR", "FLOOR"};
    static const char *const two[] = {"POW", "MIN", "MAX"};
    Op op;
    for (int i = 0; i < COUNT(one); i++)
        if (!strcmp(name, one[i]))
            return 1;
    for (int i = 0; i < COUNT(two); i++)
        if (!strcmp(name, two[i]))
            return 2;
    bool row = op_find(name, &op) && op_info[op].class == OPC_MAP;
    return row && map_get(c->p->maps, name) ? op_info[op].arity : 0;
}

static void check_call(Check *c, const LExpr *e)
{
    int n = arity_of(c, e->name);
    if (n == 0)
        breach(c, "no function `%s`", e->name);
    else if (n != e->n)
        breach(c, "%s takes %d operands, not %d", e->name, n, e->n);
    for (int i = 0; i < e->n; i++)
        if (e->arg[i]->dtype != e->dtype)
            breach(c, "%s of %s and %s", e->name, type_name(e->dtype),
                   type_name(e->arg[i]->dtype));
    if (!is_number(e->dtype))
        breach(c, "%s of %s", e->name, type_name(e->dtype));
}

static void check_var(Check *c, const LExpr *e)
{
    const Var *v = var_find(c, e->name);
    if (!v && !strncmp(e->name, "TFX_", 4))
        return;
    if (!v)
        breach(c, "no variable `%s`", e->name);
    else if (v->dtype != e->dtype)
        breach(c, "%s is %s, not %s", e->name, type_name(v->dtype),
               type_name(e->dtype));
}

// A function reads a size by turn from its own row.
static void check_table(const TurnVar *v, void *ctx)
{
    Check *c = ctx;
    if (!c->f || !record_size(c->f->record, v))
        breach(c, "%s is in no field of the record", v->name);
}

static void check_size(Check *c, const LExpr *e)
{
    if (e->dtype != DT_i64)
        breach(c, "a size of type %s", type_name(e->dtype));
    size_turns(e->size, check_table, c);
}

void check_expr(Check *c, const LExpr *e)
{
    for (int i = 0; i < e->n; i++)
        check_expr(c, e->arg[i]);
    switch (e->kind) {
    case LX_INT:
        if (dtype_info[e->dtype].kind != DK_INT)
            breach(c, "an integer of type %s", type_name(e->dtype));
        return;
    case LX_NUM:
        if (e->dtype != DT_f32 && e->dtype != DT_COUNT)
            breach(c, "a number of type %s", type_name(e->dtype));
        return;
    case LX_SIZE:
        check_size(c, e);
        return;
    case LX_VAR:
        check_var(c, e);
        return;
    case LX_LOAD:
        check_load(c, e);
        return;
    case LX_NEG:
        if (e->dtype != e->arg[0]->dtype || !is_number(e->dtype))
            breach(c, "-%s", type_name(e->arg[0]->dtype));
        return;
    case LX_BIN:
        check_binary(c, e);
        return;
    case LX_CALL:
        check_call(c, e);
        return;
    case LX_CAST:
        if (!is_number(e->dtype) || !is_number(e->arg[0]->dtype))
            breach(c, "a cast of %s to %s", type_name(e->arg[0]->dtype),
                   type_name(e->dtype));
        return;
    }
}

void check_index(Check *c, const LExpr *e, const char *what)
{
    if (!e) {
        breach(c, "%s is missing", what);
        return;
    }
    check_expr(c, e);
    if (e->dtype != DT_i64)
        breach(c, "%s of type %s, not i64", what, type_name(e->dtype));
}
