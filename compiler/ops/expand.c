// expand: y[..., i, j] = x[i or 0, j or 0].
//
// x D[...] -> y D[shape]; from the last axis on, a size of x is that of {shape} or 1.
// Source: NumPy, numpy.broadcast_to.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

bool infer_expand(Infer *c, Value *v)
{
    const Attr *shape = infer_attr(c, v, "shape", AT_SIZES);
    if (!shape || !infer_sizes(c, v, "shape", -1))
        return false;
    if (shape->n > MAX_RANK)
        return misfit(c, E0309, "expand: %d axes, at most %d", shape->n, MAX_RANK);
    const Type *x = &v->in[0]->type;
    Type y = type_scalar(x->dtype);
    y.rank = shape->n;
    bool fits = x->rank <= y.rank;
    for (int k = 0; k < y.rank; k++) {
        int from = k - (y.rank - x->rank);
        y.dim[k] = (Dim){shape->sizes[k], NULL};
        if (!fits || from < 0)
            continue;
        if (x->dim[from].size == shape->sizes[k])
            y.dim[k].name = x->dim[from].name;
        else
            fits = size_is(x->dim[from].size, 1);
    }
    if (!fits)
        return misfit(c, E0313, "expand: %s does not broadcast to %s",
                      spell(c, v->in[0]), type_str(&y, c->module->arena));
    v->type = y;
    return true;
}

void eval_expand(Eval *e, const Value *v, Tensor *y)
{
    eval_broadcast(eval_in(e, v, 0), y);
}

// ---- lowering ------------------------------------------------------------------------------

void lower_expand(Lower *l, const Value *v)
{
    lower_set(l, v, view_broadcast(l, lower_base(l, v, 0), &v->type));
}
