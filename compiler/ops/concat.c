// concat: the operands one after the other along {axis}.
//
// x_0 D[..., n_0, ...], x_1 D[..., n_1, ...], ... -> y D[..., n_0 + n_1 + ..., ...].
// Source: NumPy, numpy.concatenate.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <string.h>

bool infer_concat(Infer *c, Value *v)
{
    int axis;
    if (v->nin == 0)
        return misfit(c, E0306, "concat takes at least one operand");
    if (!infer_min_rank(c, v, 0, 1) || !infer_same_dtype(c, v) ||
        !infer_axis(c, v, "axis", v->in[0]->type.rank, &axis))
        return false;
    Type y = v->in[0]->type;
    for (int i = 1; i < v->nin; i++) {
        const Type *x = &v->in[i]->type;
        bool same = x->rank == y.rank;
        for (int k = 0; same && k < y.rank; k++)
            same = k == axis || x->dim[k].size == y.dim[k].size;
        if (!same)
            return misfit(c, E0317, "concat: sizes beside axis %d differ: %s and %s",
                          axis, spell(c, v->in[0]), spell(c, v->in[i]));
        const Size *sum = size_add(c->sizes, y.dim[axis].size, x->dim[axis].size);
        if (!infer_size(c, v, sum))
            return false;
        y.dim[axis] = (Dim){sum, NULL};
    }
    v->type = y;
    return true;
}

void eval_concat(Eval *e, const Value *v, Tensor *y)
{
    int axis = (int)attr_int(v, "axis", 0);
    Split to = tensor_split(y, axis);
    int64_t at = 0;
    for (int i = 0; i < v->nin; i++) {
        const Tensor *x = eval_in(e, v, i);
        int64_t run = x->dim[axis] * to.inner;  // elements that stay together
        if (run == 0)
            continue;
        for (int64_t o = 0; o < to.outer; o++)
            memcpy(y->data + o * to.n * to.inner + at, x->data + o * run,
                   (size_t)run * sizeof(double));
        at += run;
    }
}

// ---- lowering ------------------------------------------------------------------------------

void lower_concat(Lower *l, const Value *v)
{
    int axis = (int)attr_int(v, "axis", 0);
    View in[64];
    if (v->nin > 64) {
        lower_refuse(l, v, "more than 64 operands", "concatenate in two steps");
        return;
    }
    for (int i = 0; i < v->nin; i++)
        in[i] = lower_in(l, v, i);
    lower_note(l, v);
    View to = lower_dest(l, v, 0);
    const Size *start[MAX_RANK], *stop[MAX_RANK];
    int64_t step[MAX_RANK];
    for (int k = 0; k < to.rank; k++) {
        start[k] = size_int(l->sizes, 0);
        stop[k] = to.dim[k];
        step[k] = 1;
    }
    for (int i = 0; i < v->nin; i++) {
        stop[axis] = size_add(l->sizes, start[axis], in[i].dim[axis]);
        lower_copy(l, view_slice(l, to, start, stop, step), in[i]);
        start[axis] = stop[axis];
    }
}
