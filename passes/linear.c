// linear - a product with a constant matrix becomes a linear.
//
//     t = transpose(w) {perm = [1, 0]}            y = linear(x, w)
//     y = matmul(x, t)                   =>
//
// A linear's weight is [out, in], as PyTorch stores it. A matrix used the other way round
// gets a transpose of its own, which the packer evaluates. A product of constants only is
// constant arithmetic and stays as it is.

#include "pass.h"

static bool swaps(const Value *v)
{
    const Attr *perm = v->op == OP_transpose ? attr_find(v, "perm") : NULL;
    return perm && perm->n == 2 && perm->ints[0] == 1;
}

static bool make_linear(PassContext *c, Graph *g, Value *v)
{
    if (v->op != OP_matmul)
        return false;
    Value *x = v->in[0], *w = v->in[1];
    if (w->type.rank != 2 || !value_is_const(w) || value_is_const(x))
        return false;
    Builder b = build_before(c, g, v);
    if (swaps(w)) {
        w = w->in[0];
    } else {
        int64_t perm[] = {1, 0};
        Attr a = attr_make_ints("perm", 2, perm);
        w = build(&b, OP_transpose, 1, &w, 1, &a);
    }
    Value *in[] = {x, w};
    Value *y = w ? build(&b, OP_linear, 2, in, 0, NULL) : NULL;
    if (!y || !type_equal(&y->type, &v->type))
        return false;
    replace_value(g, v, y);
    return true;
}

static bool linear_region(PassContext *c, Graph *g, Region *r)
{
    bool changed = false;
    for (int i = 0; i < r->ops.n; i++)
        changed |= make_linear(c, g, r->ops.p[i]);
    return changed;
}

bool pass_linear(PassContext *c)
{
    return pass_regions(c, linear_region);
}
