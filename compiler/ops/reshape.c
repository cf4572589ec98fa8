// reshape: the elements of x in row-major order, seen as {shape}.
//
// x D[...] -> y D[shape], the products of the sizes equal as polynomials.
// Source: NumPy, numpy.reshape (order C).

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <string.h>

bool infer_reshape(Infer *c, Value *v)
{
    const Attr *shape = infer_attr(c, v, "shape", AT_SIZES);
    if (!shape || !infer_sizes(c, v, "shape", -1))
        return false;
    if (shape->n > MAX_RANK)
        return misfit(c, E0309, "reshape: %d axes, at most %d", shape->n, MAX_RANK);
    const Type *x = &v->in[0]->type;
    Type y = type_scalar(x->dtype);
    y.rank = shape->n;
    for (int k = 0; k < y.rank; k++) {
        y.dim[k] = (Dim){shape->sizes[k], NULL};
        if (k < x->rank && x->dim[k].size == shape->sizes[k])
            y.dim[k].name = x->dim[k].name;
    }
    const Size *before = infer_size(c, v, type_count(c->sizes, x));
    const Size *after = infer_size(c, v, type_count(c->sizes, &y));
    if (!before || !after)
        return false;
    if (before != after) {
        Arena *a = c->module->arena;
        return misfit(c, E0311, "reshape: %s has %s elements, %s has %s",
                      spell(c, v->in[0]), size_str(before, a), type_str(&y, a),
                      size_str(after, a));
    }
    v->type = y;
    return true;
}

void eval_reshape(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0);
    if (y->n > 0)
        memcpy(y->data, x->data, (size_t)y->n * sizeof(double));
}

// ---- lowering ------------------------------------------------------------------------------

void lower_reshape(Lower *l, const Value *v)
{
    View x = lower_base(l, v, 0), y;
    const Size *dim[MAX_RANK];
    for (int k = 0; k < v->type.rank; k++)
        dim[k] = v->type.dim[k].size;
    if (view_reshape(l, x, v->type.rank, dim, &y)) {
        lower_set(l, v, y);
        return;
    }
    // The elements do not lie in one piece: copy them into one.
    Type stored = v->in[0]->type;
    const char *name = v->name ? v->name : v->in[0]->name ? v->in[0]->name : "copy";
    lower_note(l, v);
    Buf *b = buf_new(l, low_of(l, v)->home, BUF_LOCAL, name, &v->type);
    lower_copy(l, view_dense(l, reach(l, l->f, b), &stored), lower_in(l, v, 0));
    lower_set(l, v, view_dense(l, b, &v->type));
}
