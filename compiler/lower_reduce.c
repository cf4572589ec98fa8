// lower_reduce.c - sums, means and extremes over any axes, as loops.
//
// Sums run over eight partial sums when the reduced axes lie in one piece: the order is
// fixed by the sizes, shorter chains make smaller errors, and the loop vectorises.

#include "compiler/lower.h"

#include <math.h>

// x with the axes kept first and the reduced ones last; returns how many are kept.
static int reduced_last(Lower *l, const Value *v, View x, View *out)
{
    const Attr *axes = attr_find(v, "axes");
    int64_t perm[MAX_RANK];
    int n = 0, kept = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < x.rank; k++) {
            bool reduced = false;
            for (int i = 0; i < axes->n; i++)
                reduced = reduced || axes->ints[i] == k;
            if (reduced == (pass == 1))
                perm[n++] = k;
        }
        if (pass == 0)
            kept = n;
    }
    *out = view_transpose(x, perm);
    (void)l;
    return kept;
}

static LExpr *first_value(Lower *l, const Value *v)
{
    bool is_max = v->op == OP_reduce_max;
    if (!is_max && v->op != OP_reduce_min)
        return dtype_info[v->type.dtype].kind == DK_FLOAT ? lx_num(l->p, 0)
                                                          : lx_int(l->p, 0);
    switch (v->type.dtype) {
    case DT_i8:
        return lx_int(l->p, is_max ? INT8_MIN : INT8_MAX);
    case DT_u8:
        return lx_int(l->p, is_max ? 0 : UINT8_MAX);
    case DT_i32:
        return lx_int(l->p, is_max ? INT32_MIN : INT32_MAX);
    case DT_i64:
        return lx_int(l->p, is_max ? INT64_MIN : INT64_MAX);
    default:
        return lx_num(l->p, is_max ? -HUGE_VAL : HUGE_VAL);
    }
}

static LExpr *combine(Lower *l, const Value *v, LExpr *acc, LExpr *x)
{
    if (v->op == OP_reduce_max || v->op == OP_reduce_min)
        return lx_call(l->p, v->op == OP_reduce_max ? "MAX" : "MIN", v->type.dtype, 2,
                       (LExpr *[]){acc, x});
    return lx_bin(l->p, '+', acc, x);
}

// y[kept] = op over the reduced axes, innermost, in order.
static void reduce_inner(Lower *l, const Value *v, View to, View x, int kept)
{
    Prog *p = l->p;
    View outer = x;
    outer.rank = kept;
    View y = to;
    y.rank = kept;
    for (int k = 0, j = 0; k < to.rank;
         k++) {  // drop the axes of size 1 that `keep` left
        bool gone = j >= kept || to.dim[k] != x.dim[j];
        if (gone)
            continue;
        y.dim[j] = to.dim[k];
        y.stride[j++] = to.stride[k];
    }
    Nest n = {.nviews = 2, .view = {y, outer}};
    nest_open(l, &n, kept, v->loc);
    LStmt *acc = ls_new(p, l->out, LS_VAR, v->loc);
    acc->name = func_name(l->f, "acc");
    acc->dtype = v->type.dtype;
    acc->value = first_value(l, v);
    acc->value->dtype = acc->dtype;
    LExpr *var = lx_var(p, acc->name, v->type.dtype);
    View inner = x;
    inner.rank = x.rank - kept;
    inner.offset = size_int(l->sizes, 0);
    for (int k = 0; k < inner.rank; k++) {
        inner.dim[k] = x.dim[kept + k];
        inner.stride[k] = x.stride[kept + k];
    }
    Nest sum = {.nviews = 1, .view = {inner}};
    LStmts *body = l->out;
    nest_open(l, &sum, inner.rank, v->loc);
    LStmt *s = ls_new(p, l->out, LS_SET, v->loc);
    s->name = acc->name;
    s->dtype = v->type.dtype;
    LExpr *at = lx_bin(p, '+', n.index[1], sum.index[0]);
    s->value = combine(l, v, var, lx_load(p, x.buf, at));
    nest_close(l, &sum);
    l->out = body;
    LStmt *store = ls_new(p, l->out, LS_STORE, v->loc);
    store->buf = to.buf;
    store->index = n.index[0];
    store->value = var;
    if (v->op == OP_mean) {
        const Size *count = size_int(l->sizes, 1);
        for (int k = 0; k < inner.rank; k++)
            count = size_mul(l->sizes, count, inner.dim[k]);
        store->value =
            lx_bin(p, '/', var, lx_cast(p, v->type.dtype, lx_size(p, count)));
    }
    if (kept > 0)  // in a loop of its own, so another may be called so
        map_set(l->f->taken, acc->name, NULL);
    nest_close(l, &n);
}

void lower_reduction(Lower *l, const Value *v)
{
    View x = lower_in(l, v, 0), y;
    int kept = reduced_last(l, v, x, &y);
    lower_note(l, v);
    reduce_inner(l, v, lower_dest(l, v, 0), y, kept);
}
