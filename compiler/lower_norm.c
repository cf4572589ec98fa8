// lower_norm.c - rms_norm and layer_norm: rows of a kernel.

#include "compiler/lower.h"

static View unit_rows(Lower *l, View x, const char *name)
{
    return x.rank == 0 || size_is(x.stride[x.rank - 1], 1) ? x
                                                           : lower_dense(l, x, name);
}

static const char *rounded_name(Lower *l, const char *name)
{
    return arena_printf(l->p->arena, "%s_rounded", name);
}

// From x, the view of that number, to the size of a row.
static void norm_args(Lower *l, LStmt *s, const Value *v, const Rows *r, int x,
                      Buf *const *par)
{
    karg_read(l, s, NULL, r->nest.view[x].buf, r->nest.index[x]);
    karg_ld(l, s, NULL, r->nest.view[x].buf, r->ld[x]);
    for (int i = 1; i < v->nin; i++)
        karg_read(l, s, NULL, par[i - 1], lx_int(l->p, 0));
    karg_expr(l, s, NULL, lx_num(l->p, attr_num(v, "eps", 1e-5)));
    karg_size(l, s, NULL, r->rows);
    karg_dim(l, s, NULL, &v->in[0]->type.dim[v->type.rank - 1]);
}

// The rows as bytes only: nothing reads them as floats.
static void norm_rounded(Lower *l, const Value *v, const char *name, View x,
                         Buf *const *par)
{
    Rows r = {.nest = {.nviews = 1, .view = {x}}};
    rows_open(l, &r, v->type.rank - 1, v->loc);
    LStmt *s = kernel(l, v, "rows", rounded_name(l, name));
    Buf *rounded = lower_round_here(l, v);
    l->note->name = rounded->name;
    karg_par(l, s);
    karg_null(l, s, NULL);
    karg_size(l, s, NULL, size_int(l->sizes, 0));
    norm_args(l, s, v, &r, 0, par);
    karg_write(l, s, NULL, rounded, lx_int(l->p, 0));
    rows_close(l, &r);
}

void lower_norm(Lower *l, const Value *v, const char *name)
{
    int last = v->type.rank - 1;
    View x = unit_rows(l, lower_in(l, v, 0), "rows");
    Buf *par[2] = {NULL, NULL};
    for (int i = 1; i < v->nin; i++)
        par[i - 1] = lower_dense(l, lower_in(l, v, i), "weight").buf;
    lower_note(l, v);
    if (lower_is_only_rounded(l, v)) {
        norm_rounded(l, v, name, x, par);
        return;
    }
    View to = lower_dest(l, v, 1), y = to;
    if (!size_is(to.stride[last], 1)) {
        Buf *t = lower_temp(l, "normed", v->type.dtype, to.rank, to.dim);
        y = view_dense(l, t, &v->type);
    }
    Rows r = {.nest = {.nviews = 2, .view = {y, x}}};
    rows_open(l, &r, last, v->loc);
    bool rounds = lower_is_rounded(l, v) && rows_are_whole(l, &r);
    LStmt *s = kernel(l, v, "rows", rounds ? rounded_name(l, name) : name);
    karg_par(l, s);
    karg_write(l, s, NULL, y.buf, r.nest.index[0]);
    karg_ld(l, s, NULL, y.buf, r.ld[0]);
    norm_args(l, s, v, &r, 1, par);
    if (rounds)
        karg_write(l, s, NULL, lower_round_here(l, v), lx_int(l->p, 0));
    rows_close(l, &r);
    lower_copy(l, to, y);
}
