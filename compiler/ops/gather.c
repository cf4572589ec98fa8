// gather: y[a..., i..., b...] = x[a..., ids[i...], b...].
//
// x D[A..., n, B...], ids int[I...] -> y D[A..., I..., B...]; the axis of n is {axis}. An
// index outside 0 .. n - 1 ends the run with an error: nothing is counted from the end.
// {format} says how a constant table is packed; then x is what the packed bytes stand for.
// Source: NumPy, numpy.take; ONNX Gather.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <string.h>

// Rows of a constant matrix are a kernel, which reads packed panels too.
static bool may_be_packed(const Value *v)
{
    const Value *w = v->in[0];
    return value_is_const(w) && w->type.rank == 2 && attr_int(v, "axis", 0) == 0 &&
           dtype_info[w->type.dtype].kind == DK_FLOAT && v->in[1]->type.dtype == DT_i32;
}

bool infer_gather(Infer *c, Value *v)
{
    const Type *x = &v->in[0]->type, *ids = &v->in[1]->type;
    int axis;
    if (!infer_min_rank(c, v, 0, 1) || !infer_axis(c, v, "axis", x->rank, &axis))
        return false;
    if (dtype_info[ids->dtype].kind != DK_INT) {
        misfit(c, E0318, "gather: indices are not integers: %s", spell(c, v->in[1]));
        if (dtype_info[x->dtype].kind == DK_INT)
            misfit_hint(c, "the table comes first: gather(table, ids)");
        else
            misfit_hint(c, "cast them first: cast(..., i32)");
        return false;
    }
    if (x->rank - 1 + ids->rank > MAX_RANK)
        return misfit(c, E0309, "gather: %s by %s has %d axes, at most %d",
                      spell(c, v->in[0]), spell(c, v->in[1]), x->rank - 1 + ids->rank,
                      MAX_RANK);
    const char *format = attr_str(v, "format", NULL);
    Format f;
    if (format &&
        (!format_find(format, &f) || f == FORMAT_block48 || !may_be_packed(v)))
        return misfit(c, E0308, "gather: no format `%s` of %s", format,
                      spell(c, v->in[0]));
    Type y = type_scalar(x->dtype);
    for (int k = 0; k < axis; k++)
        y.dim[y.rank++] = x->dim[k];
    for (int k = 0; k < ids->rank; k++)
        y.dim[y.rank++] = ids->dim[k];
    for (int k = axis + 1; k < x->rank; k++)
        y.dim[y.rank++] = x->dim[k];
    v->type = y;
    return true;
}

void eval_gather(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0), *ids = eval_in(e, v, 1);
    Split s = tensor_split(x, (int)attr_int(v, "axis", 0));
    const double *table = x->data;
    double *to = y->data;
    Format f;
    if (format_find(attr_str(v, "format", ""), &f))
        table = packed_mean(e, x, &format_info[f]);
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < ids->n; i++) {
            double id = ids->data[i];
            if (!(id >= 0 && id < (double)s.n))
                eval_fail(e, "index %g is outside 0..%lld", id, (long long)s.n - 1);
            const double *from = table + (o * s.n + (int64_t)id) * s.inner;
            if (s.inner > 0)
                memcpy(to, from, (size_t)s.inner * sizeof(double));
            to += s.inner;
        }
}

// ---- lowering ------------------------------------------------------------------------------

// The indices in one piece: an operand, or one known index in a local.
static View gather_ids(Lower *l, const Value *v)
{
    LExpr *id = lower_scalar(l, v->in[1], DT_i32);
    if (!id)
        return lower_dense(l, lower_in(l, v, 1), "ids");
    Buf *b = lower_temp(l, "id", DT_i32, 0, NULL);
    LStmt *s = ls_new(l->p, l->out, LS_STORE, v->loc);
    s->buf = b;
    s->index = lx_int(l->p, 0);
    s->value = id;
    return view_dense(l, b, &b->shape);
}

// All indices are looked at before the first is used.
static void check_ids(Lower *l, const Value *v, const View *ids, const Size *n)
{
    const char *type = ids->buf->dtype == DT_i64 ? "i64" : "i32";
    LStmt *k =
        kernel(l, v, "gather", arena_printf(l->p->arena, "tfx_check_ids_%s", type));
    k->fails = true;
    karg_read(l, k, NULL, ids->buf, lx_size(l->p, ids->offset));
    karg_size(l, k, NULL, type_count(l->sizes, &v->in[1]->type));
    karg_size(l, k, NULL, n);
}

// x and the indices with the axes of the result, x from index 0 on.
static void gather_views(Lower *l, const Value *v, View *x, View *ids)
{
    int axis = (int)attr_int(v, "axis", 0), n = v->in[1]->type.rank,
        rank = v->type.rank;
    View a = *x, b = *ids;
    const Size *zero = size_int(l->sizes, 0);
    for (int k = 0; k < rank; k++) {
        bool of_ids = k >= axis && k < axis + n;
        x->dim[k] = ids->dim[k] = v->type.dim[k].size;
        x->stride[k] = of_ids ? zero : a.stride[k < axis ? k : k - n + 1];
        ids->stride[k] = of_ids ? b.stride[k - axis] : zero;
    }
    x->rank = ids->rank = rank;
}

// y[a, i, b] = x[a, ids[i], b], one element a turn.
static void gather_loops(Lower *l, const Value *v)
{
    Prog *p = l->p;
    View x = lower_in(l, v, 0), ids = gather_ids(l, v);
    int axis = (int)attr_int(v, "axis", 0);
    const Size *stride = x.stride[axis];
    check_ids(l, v, &ids, x.dim[axis]);
    gather_views(l, v, &x, &ids);
    lower_note(l, v);
    Nest n = {.nviews = 3, .view = {lower_dest(l, v, 0), x, ids}};
    nest_open(l, &n, v->type.rank, v->loc);
    LExpr *id = lx_cast(p, DT_i64, lx_load(p, ids.buf, n.index[2]));
    LStmt *s = ls_new(p, l->out, LS_STORE, v->loc);
    s->buf = n.view[0].buf;
    s->index = n.index[0];
    s->value = lx_load(
        p, x.buf, lx_bin(p, '+', n.index[1], lx_bin(p, '*', id, lx_size(p, stride))));
    nest_close(l, &n);
}

// Rows of a constant table are a kernel, which reads the panels of a tied output head too.
void lower_gather(Lower *l, const Value *v)
{
    const Value *w = v->in[0];
    const Type *t = &w->type;
    DType index = v->in[1]->type.dtype;
    if (index != DT_i32 && index != DT_i64) {
        lower_refuse(l, v, "indices are i32 or i64", "cast them: cast(ids, i32)");
        return;
    }
    if (!is_packable(w) || !may_be_packed(v)) {
        gather_loops(l, v);
        return;
    }
    View ids = gather_ids(l, v);
    Format format;
    if (!format_find(attr_str(v, "format", ""), &format))
        format = lower_matrix_format(l, w);
    bool panel = format != FORMAT_plain;
    Buf *table = lower_packed(l, w, format);
    lower_note(l, v);
    View to = lower_dest(l, v, 0), y = to;
    if (!lower_is_dense(l, &to) && (to.rank != 2 || !size_is(to.stride[1], 1))) {
        Buf *b = lower_temp(l, "rows", v->type.dtype, to.rank, to.dim);
        y = view_dense(l, b, &v->type);
    }
    const Size *row = to.rank == 2 ? y.stride[0] : t->dim[1].size;
    const char *name = arena_printf(
        l->p->arena, "tfx_gather_%s_%s", panel ? "panel" : "rows",
        panel ? format_info[format].kernel : dtype_info[table->dtype].name);
    LStmt *k = kernel(l, v, "gather", name);
    k->fails = true;
    karg_write(l, k, NULL, y.buf, lx_size(l->p, y.offset));
    karg_ld(l, k, NULL, y.buf, row);
    karg_read(l, k, NULL, table, lx_int(l->p, 0));
    karg_read(l, k, NULL, ids.buf, lx_size(l->p, ids.offset));
    karg_size(l, k, NULL, type_count(l->sizes, &v->in[1]->type));
    karg_dim(l, k, NULL, &t->dim[0]);
    karg_dim(l, k, NULL, &t->dim[1]);
    lower_copy(l, to, y);
}
