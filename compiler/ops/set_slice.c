// set_slice: z = x, but z[start_0 + i, start_1 + j, ...] = y[i, j, ...].
//
// x D[s_0, ...], y D[n_0, ...] of the same rank -> z D[s_0, ...]; 0 <= start and
// start + n <= s on every axis. What the sizes do not decide is checked when run.
// Source: NumPy, assignment to a slice, as a value (JAX: lax.dynamic_update_slice).

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <string.h>

bool infer_set_slice(Infer *c, Value *v)
{
    const Type *x = &v->in[0]->type, *y = &v->in[1]->type;
    const Size *const *start = infer_sizes(c, v, "start", x->rank);
    if (!start || !infer_same_dtype(c, v))
        return false;
    if (x->rank != y->rank)
        return misfit(c, E0307, "%s cannot be written into %s: other axes",
                      spell(c, v->in[1]), spell(c, v->in[0]));
    for (int k = 0; k < x->rank; k++) {
        const Size *end =
            infer_size(c, v, size_add(c->sizes, start[k], y->dim[k].size));
        const Size *beyond =
            end ? infer_size(c, v, size_sub(c->sizes, end, x->dim[k].size)) : NULL;
        if (!beyond)
            return false;
        if (size_max_value(start[k]) < 0 || size_min_value(beyond) > 0)
            return misfit(c, E0316, "%s does not fit into %s at %s of axis %d",
                          spell(c, v->in[1]), spell(c, v->in[0]),
                          size_str(start[k], c->module->arena), k);
    }
    v->type = *x;
    return true;
}

void eval_set_slice(Eval *e, const Value *v, Tensor *z)
{
    const Tensor *x = eval_in(e, v, 0), *y = eval_in(e, v, 1);
    int64_t stride[MAX_RANK], to = 0;
    tensor_strides(x, stride);
    for (int k = 0; k < x->rank; k++) {
        int64_t start = eval_size(e, attr_find(v, "start")->sizes[k]);
        if (start < 0 || start + y->dim[k] > x->dim[k])
            eval_fail(e, "%lld : %lld of axis %d is written, which has size %lld",
                      (long long)start, (long long)(start + y->dim[k]), k,
                      (long long)x->dim[k]);
        to += start * stride[k];
    }
    if (z->n > 0)
        memcpy(z->data, x->data, (size_t)z->n * sizeof(double));
    for (int64_t i = 0; i < y->n; i++) {
        int64_t at[MAX_RANK], here = to;
        tensor_coords(y, i, at);
        for (int k = 0; k < y->rank; k++)
            here += at[k] * stride[k];
        z->data[here] = y->data[i];
    }
}

// ---- lowering ------------------------------------------------------------------------------

// In place: a state always (it has one successor), another tensor when it dies here.
void lower_set_slice(Lower *l, const Value *v)
{
    const Value *base = v->in[0];
    while (base->op == OP_set_slice)
        base = base->in[0];
    View to;
    if (base->op == OP_state) {
        to = lower_in(l, v, 0);
        lower_save_older(l, v, to.buf->field->state);
        lower_set(l, v, low_of(l, v->in[0])->view);
    } else {
        View from = lower_in(l, v, 0);
        to = lower_dest(l, v, 1);
        lower_copy(l, to, view_broadcast(l, from, &v->type));
    }
    const Attr *start = attr_find(v, "start");
    const Size *stop[MAX_RANK];
    int64_t step[MAX_RANK];
    for (int k = 0; k < v->type.rank; k++) {
        stop[k] = size_add(l->sizes, start->sizes[k], v->in[1]->type.dim[k].size);
        step[k] = 1;
    }
    View slot = view_slice(l, to, start->sizes, stop, step);
    LExpr *scalar = lower_scalar(l, v->in[1], v->type.dtype);
    if (scalar)
        bug("a scalar as the slice of a tensor");
    View from = lower_in(l, v, 1);
    if (!view_same(&slot, &from)) {
        lower_note(l, v);
        l->note->name = slot.buf->name;
        lower_copy(l, slot, from);
    }
}
