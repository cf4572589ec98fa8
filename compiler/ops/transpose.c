// transpose: y[i_perm[0], i_perm[1], ...] = x[i_0, i_1, ...].
//
// x D[s_0, s_1, ...] -> y D[s_perm[0], s_perm[1], ...]; x' swaps the last two axes.
// Source: NumPy, numpy.transpose.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

bool infer_transpose(Infer *c, Value *v)
{
    const Type *x = &v->in[0]->type;
    const Attr *perm = infer_attr(c, v, "perm", AT_INTS);
    if (!perm)
        return false;
    bool seen[MAX_RANK] = {false};
    bool good = perm->n == x->rank;
    for (int k = 0; good && k < perm->n; k++) {
        int64_t p = perm->ints[k];
        good = p >= 0 && p < x->rank && !seen[p];
        if (good)
            seen[p] = true;
    }
    if (!good)
        return misfit(c, E0312, "transpose: not an order of the %d axes of %s", x->rank,
                      spell(c, v->in[0]));
    Type y = *x;
    for (int k = 0; k < perm->n; k++)
        y.dim[k] = x->dim[perm->ints[k]];
    v->type = y;
    return true;
}

void eval_transpose(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0);
    const Attr *perm = attr_find(v, "perm");
    int64_t stride[MAX_RANK];
    tensor_strides(x, stride);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t at[MAX_RANK], from = 0;
        tensor_coords(y, i, at);
        for (int k = 0; k < y->rank; k++)
            from += at[k] * stride[perm->ints[k]];
        y->data[i] = x->data[from];
    }
}

// ---- lowering ------------------------------------------------------------------------------

void lower_transpose(Lower *l, const Value *v)
{
    View x = lower_base(l, v, 0);
    lower_set(l, v, view_transpose(x, attr_find(v, "perm")->ints));
}
