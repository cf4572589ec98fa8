// funcs_model.c - the ops that transformers are made of: norms, rotary positions,
// attention.

#include <math.h>
#include <string.h>

#include "internal.h"

static Val make_rms_norm(Call *c)
{
    double eps;
    Value *in[] = {arg_tensor(c, 0), arg_tensor(c, 1)};
    if (!in[0] || !in[1] || !arg_float(c, 2, &eps))
        return val_poison();
    Attr a = attr_make_num("eps", eps);
    return val_tensor(build(&c->s->b, OP_rms_norm, 2, in, 1, &a));
}

static Val make_layer_norm(Call *c)
{
    double eps;
    Value *in[] = {arg_tensor(c, 0), arg_tensor(c, 1), arg_tensor(c, 2)};
    if (!in[0] || !in[1] || !in[2] || !arg_float(c, 3, &eps))
        return val_poison();
    Attr a = attr_make_num("eps", eps);
    return val_tensor(build(&c->s->b, OP_layer_norm, 3, in, 1, &a));
}

static Val make_rope(Call *c)
{
    const Size *from;
    double theta;
    const char *layout;
    Value *x = arg_tensor(c, 0);
    if (!x || !arg_size(c, 1, &from) || !arg_float(c, 2, &theta) ||
        !arg_string(c, 3, &layout))
        return val_poison();
    Attr a[] = {attr_make_sizes("from", 1, &from), attr_make_num("theta", theta),
                attr_make_str("layout", layout)};
    return val_tensor(build(&c->s->b, OP_rope, 1, &x, 3, a));
}

// ---- attention ----------------------------------------------------------------------

// Query i stands at from + i among the keys. With a cache, keys start before the
// queries: at the cursor, unless the queries are all the keys there are.
static const Size *default_from(Call *c, const Value *q, const Value *k)
{
    Sizes *z = c->s->module->sizes;
    const DimVar *cursor = c->s->b.graph ? c->s->b.graph->cursor : NULL;
    if (!cursor || q->type.rank < 2 || k->type.rank < 2 ||
        q->type.dim[q->type.rank - 2].size == k->type.dim[k->type.rank - 2].size)
        return size_int(z, 0);
    return size_dim(z, cursor);
}

static bool default_scale(Call *c, const Value *q, double *scale)
{
    int64_t d = 0;
    if (c->has[5])
        return arg_float(c, 5, scale);
    if (q->type.rank < 1 || !size_is_int(q->type.dim[q->type.rank - 1].size, &d) ||
        d < 1) {
        sema_error(c->s, c->loc[0], E0322,
                   "attention: q is %s, its last axis has no known size",
                   type_str(&q->type, c->s->arena));
        return false;
    }
    *scale = 1 / sqrt((double)d);
    return true;
}

static Val make_attention(Call *c)
{
    double scale;
    Value *in[4] = {arg_tensor(c, 0), arg_tensor(c, 1), arg_tensor(c, 2), NULL};
    Mask mask;
    const bool has_mask = mask_read(c->s, c->given[3], &mask);
    if (c->has[4])
        in[3] = arg_tensor(c, 4);
    if (!in[0] || !in[1] || !in[2] || !has_mask || (c->has[4] && !in[3]) ||
        !default_scale(c, in[0], &scale))
        return val_poison();
    const Size *from = default_from(c, in[0], in[1]);
    if (c->has[6] && !arg_size(c, 6, &from))
        return val_poison();
    Attr a[5] = {attr_make_num("scale", scale)};
    int n = 1 + mask_attrs(&mask, a + 1);
    a[n++] = attr_make_sizes("from", 1, &from);
    return val_tensor(build(&c->s->b, OP_attention, c->has[4] ? 4 : 3, in, n, a));
}

const Func funcs_model[] = {
    {"rms_norm", "x, weight, eps = 1e-5", make_rms_norm, OP_rms_norm},
    {"layer_norm", "x, weight, bias, eps = 1e-5", make_layer_norm, OP_layer_norm},
    {"rope", "x, from = 0, theta = 10000.0, layout = \"interleaved\"", make_rope,
     OP_rope},
    {"attention", "q, k, v, ~mask = none, bias = none, scale = none, from = none",
     make_attention, OP_attention},
    {NULL, NULL, NULL, OP_add},
};
