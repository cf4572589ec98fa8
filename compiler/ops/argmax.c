// argmax: y[a..., b...] = the first i with x[a..., i, b...] = max_j x[a..., j, b...].
//
// x D[A..., n, B...] -> y i32[A..., B...], or [A..., 1, B...] if {keep}. A NaN is never
// larger than what stands before it.
// Source: NumPy, numpy.argmax.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

bool infer_argmax(Infer *c, Value *v)
{
    const Type *x = &v->in[0]->type;
    int axis;
    if (!infer_min_rank(c, v, 0, 1) || !infer_numbers(c, v) ||
        !infer_axis(c, v, "axis", x->rank, &axis))
        return false;
    Type y = type_scalar(DT_i32);
    for (int k = 0; k < x->rank; k++) {
        if (k != axis)
            y.dim[y.rank++] = x->dim[k];
        else if (attr_int(v, "keep", 0) != 0)
            y.dim[y.rank++] = (Dim){size_int(c->sizes, 1), NULL};
    }
    v->type = y;
    return true;
}

void eval_argmax(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0);
    Split s = tensor_split(x, (int)attr_int(v, "axis", 0));
    if (s.n == 0 && y->n > 0)
        eval_fail(e, "argmax of an axis of size 0");
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
            const double *row = x->data + o * s.n * s.inner + i;
            int64_t best = 0;
            for (int64_t k = 1; k < s.n; k++)
                if (row[k * s.inner] > row[best * s.inner])
                    best = k;
            y->data[o * s.inner + i] = (double)best;
        }
}

// ---- lowering ------------------------------------------------------------------------------

// x without the axis, and y without the axis of size 1 that {keep} left of it.
static View without_axis(View x, int axis)
{
    x.rank--;
    for (int k = axis; k < x.rank; k++) {
        x.dim[k] = x.dim[k + 1];
        x.stride[k] = x.stride[k + 1];
    }
    return x;
}

void lower_argmax(Lower *l, const Value *v)
{
    int axis = (int)attr_int(v, "axis", 0);
    View x = lower_in(l, v, 0);
    lower_note(l, v);
    View y = lower_dest(l, v, 0);
    if (attr_int(v, "keep", 0) != 0)
        y = without_axis(y, axis);
    Nest n = {.nviews = 2, .view = {y, without_axis(x, axis)}};
    nest_open(l, &n, y.rank, v->loc);
    const char *type = dtype_info[x.buf->dtype].name;
    LStmt *k = kernel(l, v, "argmax", arena_printf(l->p->arena, "tfx_argmax_%s", type));
    karg_write(l, k, NULL, y.buf, n.index[0]);
    karg_read(l, k, NULL, x.buf, n.index[1]);
    karg_size(l, k, NULL, x.stride[axis]);
    karg_size(l, k, NULL, x.dim[axis]);
    nest_close(l, &n);
}
