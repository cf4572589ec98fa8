// slice: y[i, j, ...] = x[start_0 + i step_0, start_1 + j step_1, ...].
//
// x D[s_0, ...] -> y D[ceil((stop_0 - start_0) / step_0), ...]; on every axis
// 0 <= start <= stop <= s and step >= 1. What the sizes do not decide is checked when run.
// Source: Python, slice objects (steps of 1 and more).

#include "compiler/lower.h"
#include "compiler/ops/common.h"

// Whether axis k is certainly out of range, and says so.
static bool check_axis(Infer *c, const Value *v, int k, const Size *start,
                       const Size *stop, const Size *length)
{
    const Dim *d = &v->in[0]->type.dim[k];
    const Size *beyond = infer_size(c, v, size_sub(c->sizes, stop, d->size));
    if (!beyond)
        return false;
    if (size_max_value(start) >= 0 && size_max_value(length) >= 0 &&
        size_min_value(beyond) <= 0)
        return true;
    Arena *a = c->module->arena;
    return misfit(c, E0314, "slice %s : %s is outside axis %d of %s",
                  size_str(start, a), size_str(stop, a), k, spell(c, v->in[0]));
}

bool infer_slice(Infer *c, Value *v)
{
    const Type *x = &v->in[0]->type;
    const Size *const *start = infer_sizes(c, v, "start", x->rank);
    const Size *const *stop = start ? infer_sizes(c, v, "stop", x->rank) : NULL;
    const Attr *step = stop ? infer_attr(c, v, "step", AT_INTS) : NULL;
    if (!step)
        return false;
    if (step->n != x->rank)
        return misfit(c, E0308, "slice: `step` has %d numbers, not %d", step->n,
                      x->rank);
    Type y = *x;
    for (int k = 0; k < x->rank; k++) {
        if (step->ints[k] < 1)
            return misfit(c, E0308, "slice: a step of %lld, must be at least 1",
                          (long long)step->ints[k]);
        const Size *length = infer_size(c, v, size_sub(c->sizes, stop[k], start[k]));
        if (!length || !check_axis(c, v, k, start[k], stop[k], length))
            return false;
        const Size *by = size_int(c->sizes, step->ints[k]);
        const Size *size = infer_size(c, v, size_ceil_div(c->sizes, length, by));
        if (!size)
            return false;
        if (size != x->dim[k].size)
            y.dim[k] = (Dim){size, NULL};
    }
    v->type = y;
    return true;
}

void eval_slice(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0);
    const Attr *step = attr_find(v, "step");
    int64_t stride[MAX_RANK], from = 0;
    tensor_strides(x, stride);
    for (int k = 0; k < x->rank; k++) {
        int64_t start = eval_size(e, attr_find(v, "start")->sizes[k]);
        int64_t stop = eval_size(e, attr_find(v, "stop")->sizes[k]);
        if (start < 0 || stop < start || stop > x->dim[k])
            eval_fail(e, "slice %lld : %lld of axis %d, which has size %lld",
                      (long long)start, (long long)stop, k, (long long)x->dim[k]);
        from += start * stride[k];
        stride[k] *= step->ints[k];
    }
    for (int64_t i = 0; i < y->n; i++) {
        int64_t at[MAX_RANK], here = from;
        tensor_coords(y, i, at);
        for (int k = 0; k < y->rank; k++)
            here += at[k] * stride[k];
        y->data[i] = x->data[here];
    }
}

// ---- lowering ------------------------------------------------------------------------------

void lower_slice(Lower *l, const Value *v)
{
    View x = lower_base(l, v, 0);
    lower_set(l, v,
              view_slice(l, x, attr_find(v, "start")->sizes,
                         attr_find(v, "stop")->sizes, attr_find(v, "step")->ints));
}
