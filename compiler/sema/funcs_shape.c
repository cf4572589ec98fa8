// funcs_shape.c - functions that move, join and make tensors.

#include <string.h>

#include "internal.h"

static Val make_cast(Call *c)
{
    Val d = c->arg[1];
    if (d.kind != VAL_DTYPE) {
        sema_error(c->s, c->loc[1], E0330, "cast to %s", val_str(c->s, d));
        sema_hint(c->s, c->loc[1], "name an element type: cast(x, f32)");
        return val_poison();
    }
    if (refuse_dtype(c->s, d.dtype, c->loc[1]))
        return val_poison();
    if (is_numeric(c->arg[0]) && dtype_info[d.dtype].kind == DK_FLOAT)
        return val_tensor(number_as(c->s, c->arg[0], d.dtype, c->loc[0]));
    Value *x = arg_tensor(c, 0);
    return x ? val_tensor(cast_to(c->s, x, d.dtype)) : val_poison();
}

static Val make_iota(Call *c)
{
    const Size *n;
    if (!arg_size(c, 0, &n))
        return val_poison();
    Attr a = attr_make_sizes("size", 1, &n);
    Value *v = build(&c->s->b, OP_iota, 0, NULL, 1, &a);
    if (v)
        v->type.dim[0] = dim_of(c->arg[0], n);
    return val_tensor(v);
}

// ---- shapes as arguments ------------------------------------------------------------

static bool read_shape(Call *c, int i, int *rank, Dim *dim, int *hole)
{
    int n;
    Val *v = arg_list(c, i, &n);
    if (!v)
        return false;
    if (n > MAX_RANK) {
        sema_error(c->s, c->loc[i], E0309, "%d axes, at most %d", n, MAX_RANK);
        return false;
    }
    for (int k = 0; k < n; k++) {
        const Size *z;
        if (!want_size(c->s, v[k], c->loc[i], "a size", &z))
            return false;
        if (hole && *hole < 0 && size_is(z, -1)) {
            *hole = k;
        } else if (size_max_value(z) < 0) {
            sema_error(c->s, c->loc[i], E0330, "a size of %s", val_str(c->s, v[k]));
            return false;
        }
        dim[k] = dim_of(v[k], z);
    }
    *rank = n;
    return true;
}

// The size at -1 is what remains.
static bool fill_hole(Call *c, const Type *t, int rank, Dim *dim, int hole)
{
    Sizes *z = c->s->module->sizes;
    const Size *others = size_int(z, 1);
    for (int k = 0; k < rank; k++)
        if (k != hole)
            others = size_mul(z, others, dim[k].size);
    const Size *all = type_count(z, t);
    const Size *rest =
        others && all && !size_is(others, 0) ? size_quot(z, all, others) : NULL;
    if (!rest) {
        sema_error(c->s, c->e->loc, E0311, "no size for -1: %s has %s elements",
                   type_str(t, c->s->arena),
                   all ? size_str(all, c->s->arena) : "too many");
        return false;
    }
    dim[hole] = (Dim){rest, NULL};
    return true;
}

static Val make_reshape(Call *c)
{
    int rank, hole = -1;
    Dim dim[MAX_RANK];
    Value *x = arg_tensor(c, 0);
    if (!x || !read_shape(c, 1, &rank, dim, &hole) ||
        (hole >= 0 && !fill_hole(c, &x->type, rank, dim, hole)))
        return val_poison();
    return val_tensor(do_reshape(c->s, x, rank, dim));
}

static Val make_expand(Call *c)
{
    int rank;
    Dim dim[MAX_RANK];
    Value *x = arg_tensor(c, 0);
    if (!x || !read_shape(c, 1, &rank, dim, NULL))
        return val_poison();
    return val_tensor(do_expand(c->s, x, rank, dim));
}

// full([T, n], 0.5)
static Val make_full(Call *c)
{
    int rank;
    Dim dim[MAX_RANK];
    DType d = c->has[2] && c->arg[2].kind == VAL_DTYPE ? c->arg[2].dtype : DT_f32;
    if (refuse_dtype(c->s, d, c->loc[2]) || !read_shape(c, 0, &rank, dim, NULL))
        return val_poison();
    Value *x = is_numeric(c->arg[1]) ? number_as(c->s, c->arg[1], d, c->loc[1])
                                     : arg_tensor(c, 1);
    return val_tensor(do_expand(c->s, x, rank, dim));
}

// ---- order of axes ------------------------------------------------------------------

static Val make_transpose(Call *c)
{
    int a, b, perm[MAX_RANK];
    Value *x = arg_tensor(c, 0);
    if (!x || !arg_axis(c, 1, x->type.rank, &a) || !arg_axis(c, 2, x->type.rank, &b))
        return val_poison();
    for (int k = 0; k < x->type.rank; k++)
        perm[k] = k == a ? b : k == b ? a : k;
    return val_tensor(do_transpose(c->s, x, perm));
}

static Val make_permute(Call *c)
{
    int n, perm[MAX_RANK];
    Value *x = arg_tensor(c, 0);
    Val *v = x ? arg_list(c, 1, &n) : NULL;
    if (!v)
        return val_poison();
    bool used[MAX_RANK] = {false};
    bool ok = n == x->type.rank;
    for (int k = 0; k < n && ok; k++) {
        int64_t a;
        if (!want_int(c->s, v[k], c->loc[1], "an axis", &a))
            return val_poison();
        a += a < 0 ? n : 0;
        ok = a >= 0 && a < n && !used[a];
        if (ok) {
            used[a] = true;
            perm[k] = (int)a;
        }
    }
    if (!ok) {
        sema_error(c->s, c->loc[1], E0312, "not an order of the %d axes of %s",
                   x->type.rank, type_str(&x->type, c->s->arena));
        return val_poison();
    }
    return val_tensor(do_transpose(c->s, x, perm));
}

// ---- joining and parting ------------------------------------------------------------

static int read_tensors(Call *c, int i, Value **x)
{
    int n = 0;
    Val *v = arg_list(c, i, &n);
    if (!v)
        return 0;
    if (n < 1 || n > 1024) {
        sema_error(c->s, c->loc[i], E0306, "%s of %d tensors", c->func->name, n);
        return 0;
    }
    for (int k = 0; k < n; k++)
        if (!(x[k] = want_tensor(c->s, v[k], c->loc[i], "an operand")))
            return 0;
    c->s->b.loc = c->e->loc;
    return n;
}

static Val make_concat(Call *c)
{
    int axis;
    Value *x[1024];
    int n = read_tensors(c, 0, x);
    if (!n || !arg_axis(c, 1, x[0]->type.rank, &axis))
        return val_poison();
    return val_tensor(do_concat(c->s, n, x, axis));
}

// Each operand gets an axis of one element, then they are joined along it.
static Val make_stack(Call *c)
{
    int axis;
    Value *x[1024];
    int n = read_tensors(c, 0, x);
    if (!n || !arg_axis(c, 1, x[0]->type.rank + 1, &axis))
        return val_poison();
    for (int i = 0; i < n; i++) {
        Dim dim[MAX_RANK + 1];
        int rank = x[i]->type.rank, to = 0;
        if (rank + 1 > MAX_RANK || axis > rank) {
            sema_error(c->s, c->loc[0], E0309, "%s has no room for an axis %d",
                       type_str(&x[i]->type, c->s->arena), axis);
            return val_poison();
        }
        for (int k = 0; k <= rank; k++)
            dim[k] = k == axis ? (Dim){size_int(c->s->module->sizes, 1), NULL}
                               : x[i]->type.dim[to++];
        if (!(x[i] = do_reshape(c->s, x[i], rank + 1, dim)))
            return val_poison();
    }
    return val_tensor(do_concat(c->s, n, x, axis));
}

static Value *part_of(Sema *s, Value *x, int axis, const Size *from, const Size *to)
{
    const Size *start[MAX_RANK], *stop[MAX_RANK];
    int64_t step[MAX_RANK];
    for (int k = 0; k < x->type.rank; k++) {
        start[k] = k == axis ? from : size_int(s->module->sizes, 0);
        stop[k] = k == axis ? to : x->type.dim[k].size;
        step[k] = 1;
    }
    return do_slice(s, x, start, stop, step);
}

// split(x, 3, axis): equal parts; split(x, [a, b], axis): parts of these sizes.
static Val make_split(Call *c)
{
    int axis, n;
    Sizes *z = c->s->module->sizes;
    Value *x = arg_tensor(c, 0);
    if (!x || !arg_axis(c, 2, x->type.rank, &axis))
        return val_poison();
    const Size *all = x->type.dim[axis].size;
    Val *size = NULL;
    if (c->arg[1].kind == VAL_LIST) {
        size = arg_list(c, 1, &n);
    } else {
        int64_t count;
        if (!want_int(c->s, c->arg[1], c->loc[1], "the number of parts", &count))
            return val_poison();
        const Size *each =
            count > 0 && count <= 1024 ? size_quot(z, all, size_int(z, count)) : NULL;
        n = (int)count;
        if (each) {
            size = NEWN(c->s->arena, Val, n);
            for (int i = 0; i < n; i++)
                size[i] = val_size(each);
        }
    }
    const Size *at = size_int(z, 0);
    Val *part = NEWN(c->s->arena, Val, size ? n + 1 : 1);
    for (int i = 0; size && i < n; i++) {
        const Size *d;
        if (!want_size(c->s, size[i], c->loc[1], "the size of a part", &d))
            return val_poison();
        const Size *next = size_add(z, at, d);
        part[i] = val_tensor(part_of(c->s, x, axis, at, next));
        at = next;
    }
    if (!size || at != all) {
        sema_error(c->s, c->loc[1], E0308, "axis %d of %s does not split like this",
                   axis, type_str(&x->type, c->s->arena));
        return val_poison();
    }
    return val_list(c->s, VAL_TUPLE, part, n);
}

static Val make_gather(Call *c)
{
    int axis;
    Value *in[] = {arg_tensor(c, 0), arg_tensor(c, 1)};
    if (!in[0] || !in[1] || !arg_axis(c, 2, in[0]->type.rank, &axis))
        return val_poison();
    Attr a = attr_make_int("axis", axis);
    return val_tensor(build(&c->s->b, OP_gather, 2, in, 1, &a));
}

const Func funcs_shape[] = {
    {"cast", "x, dtype", make_cast, OP_cast},
    {"iota", "n", make_iota, OP_iota},
    {"full", "shape, value, dtype = none", make_full, OP_expand},
    {"reshape", "x, *shape", make_reshape, OP_reshape},
    {"expand", "x, *shape", make_expand, OP_expand},
    {"transpose", "x, a, b", make_transpose, OP_transpose},
    {"permute", "x, *order", make_permute, OP_transpose},
    {"concat", "*x, axis = 0", make_concat, OP_concat},
    {"stack", "*x, axis = 0", make_stack, OP_concat},
    {"split", "x, parts, axis = -1", make_split, OP_slice},
    {"gather", "x, ids, axis = 0", make_gather, OP_gather},
    {NULL, NULL, NULL, OP_add},
};
