// iota: y[i] = i.
//
// -> y i32[size].
// Source: Iverson, "A Programming Language", 1962 (the index vector, from 0 here).

#include "compiler/lower.h"
#include "compiler/ops/common.h"

bool infer_iota(Infer *c, Value *v)
{
    const Size *const *size = infer_sizes(c, v, "size", 1);
    if (!size)
        return false;
    if (size_max_value(size[0]) < 0)
        return misfit(c, E0308, "iota: the size is negative: %s",
                      size_str(size[0], c->module->arena));
    v->type = type_scalar(DT_i32);
    v->type.rank = 1;
    v->type.dim[0] = (Dim){size[0], NULL};
    return true;
}

void eval_iota(Eval *e, const Value *v, Tensor *y)
{
    (void)e;
    (void)v;
    for (int64_t i = 0; i < y->n; i++)
        y->data[i] = (double)i;
}

// ---- lowering ------------------------------------------------------------------------------

void lower_iota(Lower *l, const Value *v)
{
    lower_note(l, v);
    Nest n = {.nviews = 1, .view = {lower_dest(l, v, 0)}};
    View to = n.view[0];
    const Size *one = size_int(l->sizes, 1), *zero = size_int(l->sizes, 0);
    n.view[1] = (View){.buf = to.buf,
                       .offset = zero,
                       .rank = 1,
                       .dim = {to.dim[0]},
                       .stride = {one}};  // its index is the element's number
    n.nviews = 2;
    nest_open(l, &n, 1, v->loc);
    LStmt *s = ls_new(l->p, l->out, LS_STORE, v->loc);
    s->buf = to.buf;
    s->index = n.index[0];
    s->value = lx_cast(l->p, v->type.dtype, n.index[1]);
    nest_close(l, &n);
}
