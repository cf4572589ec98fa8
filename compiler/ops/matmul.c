// matmul: y[..., m, n] = sum_k a[..., m, k] b[..., k, n].
//
// a float[A..., M, K], b float[B..., K, N] -> y float[A and B broadcast..., M, N]. An
// operand of one axis is a row on the left, a column on the right, and that axis of the
// result is left out: a [K] -> y [B..., N], b [K] -> y [A..., M].
// Source: NumPy, numpy.matmul.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

// ---- type rule -------------------------------------------------------------------------

// What would fit: one operand written with or without its '.
static void hint(Infer *c, const Value *v)
{
    const Type *a = &v->in[0]->type, *b = &v->in[1]->type;
    for (int i = 1; i >= 0; i--) {
        const Type *t = &v->in[i]->type;
        if (t->rank < 2)
            continue;
        // the inner size if this operand were transposed
        const Size *inner = t->dim[i == 1 ? t->rank - 1 : t->rank - 2].size;
        const Size *other = i == 1 ? a->dim[a->rank - 1].size
                                   : b->dim[b->rank > 1 ? b->rank - 2 : 0].size;
        if (inner != other)
            continue;
        const Value *w = v->in[i];
        const char *plain = w->op == OP_transpose ? infer_called(c, w->in[0]) : NULL;
        const char *name = infer_called(c, w);
        if (plain)
            misfit_hint(c, "%s has the right shape without the '", plain);
        else if (name)
            misfit_hint(c, "%s' has the right shape", name);
        else
            misfit_hint(
                c, "the %s operand has the right shape if transposed: write (...)'",
                i == 1 ? "right" : "left");
        return;
    }
}

static Type leading_axes(const Type *t)
{
    Type lead = *t;
    lead.rank = t->rank > 2 ? t->rank - 2 : 0;
    return lead;
}

bool infer_matmul(Infer *c, Value *v)
{
    if (!infer_min_rank(c, v, 0, 1) || !infer_min_rank(c, v, 1, 1) ||
        !infer_floats(c, v) || !infer_same_dtype(c, v))
        return false;
    const Type *a = &v->in[0]->type, *b = &v->in[1]->type;
    if (a->dim[a->rank - 1].size != b->dim[b->rank > 1 ? b->rank - 2 : 0].size) {
        misfit(c, E0310, "matmul: inner sizes differ: %s @ %s", spell(c, v->in[0]),
               spell(c, v->in[1]));
        hint(c, v);
        return false;
    }
    Type lead_a = leading_axes(a), lead_b = leading_axes(b), y;
    if (!type_broadcast(c->sizes, &lead_a, &lead_b, &y))
        return misfit(c, E0301, "matmul: leading axes do not broadcast: %s @ %s",
                      spell(c, v->in[0]), spell(c, v->in[1]));
    if (a->rank > 1)
        y.dim[y.rank++] = a->dim[a->rank - 2];
    if (b->rank > 1)
        y.dim[y.rank++] = b->dim[b->rank - 1];
    v->type = y;
    return true;
}

// ---- oracle ----------------------------------------------------------------------------

// The operand as a stack of matrices: its leading axes alone.
static Tensor stack_of(const Tensor *t)
{
    Tensor s = *t;
    s.rank = t->rank > 2 ? t->rank - 2 : 0;
    return s;
}

void eval_matmul(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *a = eval_in(e, v, 0), *b = eval_in(e, v, 1);
    const int64_t M = a->rank > 1 ? a->dim[a->rank - 2] : 1;
    const int64_t K = a->dim[a->rank - 1];
    const int64_t N = b->rank > 1 ? b->dim[b->rank - 1] : 1;
    Tensor stack = *y, stack_a = stack_of(a), stack_b = stack_of(b);
    stack.rank = stack_a.rank > stack_b.rank ? stack_a.rank : stack_b.rank;
    int64_t stride_a[MAX_RANK], stride_b[MAX_RANK], count = 1;
    broadcast_strides(&stack_a, stack.rank, stride_a);
    broadcast_strides(&stack_b, stack.rank, stride_b);
    for (int k = 0; k < stack.rank; k++)
        count *= stack.dim[k];
    for (int64_t s = 0; s < count; s++) {
        int64_t at[MAX_RANK], at_a = 0, at_b = 0;
        tensor_coords(&stack, s, at);
        for (int k = 0; k < stack.rank; k++) {
            at_a += at[k] * stride_a[k];
            at_b += at[k] * stride_b[k];
        }
        matmul_add(y->data + s * M * N, a->data + at_a * M * K, b->data + at_b * K * N,
                   M, K, N);
    }
}

// ---- lowering ------------------------------------------------------------------------------

// An operand as [..., rows, cols] with the batch axes of the result: a vector on the left is
// a row, on the right a column, as in NumPy.
static View matrix_view(Lower *l, const Value *v, int i, const View *to, bool right)
{
    View x = lower_in(l, v, i),
         y = {.buf = x.buf, .offset = x.offset, .rank = to->rank};
    const Size *zero = size_int(l->sizes, 0), *one = size_int(l->sizes, 1);
    int r = to->rank;
    bool vector = x.rank == 1;
    int cols = vector && right ? -1 : x.rank - 1;
    int rows = vector ? (right ? 0 : -1) : x.rank - 2;
    y.dim[r - 1] = cols < 0 ? one : x.dim[cols];
    y.stride[r - 1] = cols < 0 ? zero : x.stride[cols];
    y.dim[r - 2] = rows < 0 ? one : x.dim[rows];
    y.stride[r - 2] = rows < 0 ? zero : x.stride[rows];
    for (int k = 0; k < r - 2; k++) {
        int j = k - (r - x.rank);
        bool stretched =
            vector || j < 0 || (size_is(x.dim[j], 1) && !size_is(to->dim[k], 1));
        y.dim[k] = to->dim[k];
        y.stride[k] = stretched ? zero : x.stride[j];
    }
    return y;
}

// The result with the axes of size 1 that vector operands leave out.
static View result_view(Lower *l, const Value *v, View to)
{
    bool left = v->in[0]->type.rank == 1, right = v->in[1]->type.rank == 1;
    View y = {.buf = to.buf, .offset = to.offset, .rank = to.rank + left + right};
    int r = y.rank, last = to.rank - 1;
    const Size *zero = size_int(l->sizes, 0), *one = size_int(l->sizes, 1);
    y.dim[r - 1] = right ? one : to.dim[last];
    y.stride[r - 1] = right ? one : to.stride[last];
    last -= !right;
    y.dim[r - 2] = left ? one : to.dim[last];
    y.stride[r - 2] = left ? zero : to.stride[last];
    for (int k = 0; k < r - 2; k++) {
        y.dim[k] = to.dim[k];
        y.stride[k] = to.stride[k];
    }
    return y;
}

// The last two axes are the kernel's; of the others, all but one are loops.
void lower_matmul(Lower *l, const Value *v)
{
    lower_note(l, v);
    View to = lower_dest(l, v, 0), whole = to;
    if (to.rank && !size_is(to.stride[to.rank - 1], 1) && v->in[1]->type.rank > 1) {
        Buf *t = lower_temp(l, "product", v->type.dtype, to.rank, to.dim);
        whole = view_dense(l, t, &v->type);
    }
    View y = result_view(l, v, whole);
    View x = matrix_view(l, v, 0, &y, false), w = matrix_view(l, v, 1, &y, true);
    int r = y.rank;
    const Size *m = y.dim[r - 2], *n = y.dim[r - 1], *k = x.dim[r - 1];
    Rows rows = {.nest = {.nviews = 3, .view = {y, x, w}}};
    rows_open(l, &rows, r - 2, v->loc);
    LStmt *s = kernel(l, v, "matmul", "tfx_matmul");
    s->arg_struct = "tfx_mm";
    karg_par(l, s);
    karg_write(l, s, "y", y.buf, rows.nest.index[0]);
    karg_read(l, s, "x", x.buf, rows.nest.index[1]);
    karg_read(l, s, "w", w.buf, rows.nest.index[2]);
    karg_size(l, s, "y_batch", rows.ld[0]);
    karg_size(l, s, "y_row", y.stride[r - 2]);
    karg_size(l, s, "x_batch", rows.ld[1]);
    karg_size(l, s, "x_row", x.stride[r - 2]);
    karg_size(l, s, "x_col", x.stride[r - 1]);
    karg_size(l, s, "w_batch", rows.ld[2]);
    karg_size(l, s, "w_row", w.stride[r - 2]);
    karg_size(l, s, "w_col", w.stride[r - 1]);
    karg_size(l, s, "batch", rows.rows);
    karg_size(l, s, "m", m);
    karg_size(l, s, "n", n);
    karg_size(l, s, "k", k);
    rows_close(l, &rows);
    lower_copy(l, to, whole);
}
