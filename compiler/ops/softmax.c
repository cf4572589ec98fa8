// softmax: y[a..., i, b...] = e^x[a..., i, b...] / sum_j e^x[a..., j, b...].
//
// x float[A..., n, B...] -> y of the same type; n is the axis {axis}. The maximum is taken
// off first, so that nothing overflows; where all of a row is -infinity, y is 0.
// Source: Bridle, "Probabilistic interpretation of feedforward classification network
// outputs", 1990, eq. 9.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <math.h>

bool infer_softmax(Infer *c, Value *v)
{
    int axis;
    if (!infer_min_rank(c, v, 0, 1) || !infer_floats(c, v) ||
        !infer_axis(c, v, "axis", v->in[0]->type.rank, &axis))
        return false;
    v->type = v->in[0]->type;
    return true;
}

static void softmax_row(double *y, const double *x, int64_t n, int64_t stride)
{
    double max = -(double)INFINITY, sum = 0;
    for (int64_t k = 0; k < n; k++)
        max = x[k * stride] > max || isnan(x[k * stride]) ? x[k * stride] : max;
    if (max == -(double)INFINITY)
        return;  // y is zeroed
    for (int64_t k = 0; k < n; k++)
        sum += y[k * stride] = exp(x[k * stride] - max);
    for (int64_t k = 0; k < n; k++)
        y[k * stride] /= sum;
}

void eval_softmax(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0);
    Split s = tensor_split(x, (int)attr_int(v, "axis", 0));
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
            int64_t at = o * s.n * s.inner + i;
            softmax_row(y->data + at, x->data + at, s.n, s.inner);
        }
}

// ---- lowering ------------------------------------------------------------------------------

void lower_softmax(Lower *l, const Value *v)
{
    Prog *p = l->p;
    int last = v->type.rank - 1, axis = (int)attr_int(v, "axis", last);
    View x = lower_in(l, v, 0);
    lower_note(l, v);
    View to = lower_dest(l, v, 1), y = to;
    if (axis != last) {  // along another axis: rows of a transposed copy
        int64_t perm[MAX_RANK];
        for (int k = 0; k <= last; k++)
            perm[k] = k == axis ? last : k == last ? axis : k;
        x = view_transpose(x, perm);
        y = view_transpose(y, perm);
    }
    x = lower_dense(l, x, "rows");
    Buf *t = NULL;
    if (!size_is(y.stride[last], 1)) {
        t = lower_temp(l, "rows", v->type.dtype, y.rank, y.dim);
        y = view_dense(l, t, &t->shape);
    }
    View copied = y;
    Rows r = {.nest = {.nviews = 2, .view = {y, x}}};
    rows_open(l, &r, last, v->loc);
    LStmt *s = kernel(l, v, "rows", "tfx_softmax");
    karg_par(l, s);
    karg_write(l, s, NULL, y.buf, r.nest.index[0]);
    karg_size(l, s, NULL, r.ld[0]);
    karg_read(l, s, NULL, x.buf, r.nest.index[1]);
    karg_size(l, s, NULL, r.ld[1]);
    karg_size(l, s, NULL, r.rows);
    karg_size(l, s, NULL, x.dim[last]);
    rows_close(l, &r);
    if (t) {
        int64_t perm[MAX_RANK];
        for (int k = 0; k <= last; k++)
            perm[k] = axis == last ? k : k == axis ? last : k == last ? axis : k;
        lower_copy(l, to, view_transpose(copied, perm));
    }
    (void)p;
}
