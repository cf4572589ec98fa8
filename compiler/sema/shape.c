// shape.c - the moves everything is made of: one line each around the builder, leaving
// out those that would do nothing.

#include "internal.h"

static void dims_to_sizes(int rank, const Dim *dim, const Size **out)
{
    for (int k = 0; k < rank; k++)
        out[k] = dim[k].size;
}

// What the front end knows of the names of the sizes, the type rules may not.
static Value *with_names(Value *v, int rank, const Dim *dim)
{
    for (int k = 0; v && k < rank && k < v->type.rank; k++)
        if (!v->type.dim[k].name && v->type.dim[k].size == dim[k].size)
            v->type.dim[k].name = dim[k].name;
    return v;
}

static bool same_dims(const Type *t, int rank, const Dim *dim)
{
    bool same = t->rank == rank;
    for (int k = 0; same && k < rank; k++)
        same = t->dim[k].size == dim[k].size;
    return same;
}

Value *do_reshape(Sema *s, Value *x, int rank, const Dim *dim)
{
    const Size *z[MAX_RANK];
    if (!x || same_dims(&x->type, rank, dim))
        return x;
    dims_to_sizes(rank, dim, z);
    Attr a = attr_make_sizes("shape", rank, z);
    return with_names(build(&s->b, OP_reshape, 1, &x, 1, &a), rank, dim);
}

Value *do_expand(Sema *s, Value *x, int rank, const Dim *dim)
{
    const Size *z[MAX_RANK];
    if (!x || same_dims(&x->type, rank, dim))
        return x;
    dims_to_sizes(rank, dim, z);
    Attr a = attr_make_sizes("shape", rank, z);
    return with_names(build(&s->b, OP_expand, 1, &x, 1, &a), rank, dim);
}

Value *do_transpose(Sema *s, Value *x, const int *perm)
{
    int64_t p[MAX_RANK] = {0};
    bool same = true;
    if (!x)
        return NULL;
    for (int k = 0; k < x->type.rank; k++) {
        p[k] = perm[k];
        same &= perm[k] == k;
    }
    Attr a = attr_make_ints("perm", x->type.rank, p);
    return same ? x : build(&s->b, OP_transpose, 1, &x, 1, &a);
}

Value *swap_last(Sema *s, Value *x, Loc loc)
{
    int perm[MAX_RANK], n = x->type.rank;
    if (n < 2) {
        sema_error(s, loc, E0307, "' swaps the last two axes: %s has %s",
                   type_str(&x->type, s->arena), n ? "only one" : "none");
        return NULL;
    }
    for (int k = 0; k < n; k++)
        perm[k] = k;
    perm[n - 1] = n - 2;
    perm[n - 2] = n - 1;
    return do_transpose(s, x, perm);
}

Value *do_reduce(Sema *s, Op op, Value *x, int naxes, const int *axes, bool keep)
{
    int64_t ax[MAX_RANK];
    if (!x || naxes == 0)
        return x;
    for (int i = 0; i < naxes; i++)
        ax[i] = axes[i];
    Attr a[] = {attr_make_ints("axes", naxes, ax), attr_make_int("keep", keep)};
    return build(&s->b, op, 1, &x, 2, a);
}

Value *do_concat(Sema *s, int n, Value *const *x, int axis)
{
    Attr a = attr_make_int("axis", axis);
    return n == 1 ? x[0] : build(&s->b, OP_concat, n, x, 1, &a);
}

Value *do_slice(Sema *s, Value *x, const Size *const *start, const Size *const *stop,
                const int64_t *step)
{
    int n = x->type.rank;
    bool same = true;
    for (int k = 0; k < n; k++)
        same &= size_is(start[k], 0) && stop[k] == x->type.dim[k].size && step[k] == 1;
    if (same)
        return x;
    Attr a[] = {attr_make_sizes("start", n, start), attr_make_sizes("stop", n, stop),
                attr_make_ints("step", n, step)};
    return build(&s->b, OP_slice, 1, &x, 3, a);
}
