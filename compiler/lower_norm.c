// lower_norm.c - rms_norm and layer_norm: rows of a kernel.

#include "compiler/lower.h"

static View unit_rows(Lower *l, View x, const char *name)
{
    return x.rank == 0 || size_is(x.stride[x.rank - 1], 1) ? x
                                                           : lower_dense(l, x, name);
}

void lower_norm(Lower *l, const Value *v, const char *name)
{
    int last = v->type.rank - 1;
    View x = unit_rows(l, lower_in(l, v, 0), "rows");
    Buf *par[2] = {NULL, NULL};
    for (int i = 1; i < v->nin; i++)
        par[i - 1] = lower_dense(l, lower_in(l, v, i), "weight").buf;
    lower_note(l, v);
    View to = lower_dest(l, v, 1), y = to;
    if (!size_is(to.stride[last], 1)) {
        Buf *t = lower_temp(l, "normed", v->type.dtype, to.rank, to.dim);
        y = view_dense(l, t, &v->type);
    }
    Rows r = {.nest = {.nviews = 2, .view = {y, x}}};
    rows_open(l, &r, last, v->loc);
    LStmt *s = kernel(l, v, "rows", name);
    karg_par(l, s);
    karg_write(l, s, NULL, y.buf, r.nest.index[0]);
    karg_ld(l, s, NULL, y.buf, r.ld[0]);
    karg_read(l, s, NULL, x.buf, r.nest.index[1]);
    karg_ld(l, s, NULL, x.buf, r.ld[1]);
    for (int i = 1; i < v->nin; i++)
        karg_read(l, s, NULL, par[i - 1], lx_int(l->p, 0));
    karg_expr(l, s, NULL, lx_num(l->p, attr_num(v, "eps", 1e-5)));
    karg_size(l, s, NULL, r.rows);
    karg_dim(l, s, NULL, &v->in[0]->type.dim[last]);
    rows_close(l, &r);
    lower_copy(l, to, y);
}
