// funcs_math.c - elementwise functions, reductions, and arithmetic known at compile
// time.

#include <math.h>
#include <string.h>

#include "compiler/oracle.h"
#include "internal.h"

// ---- elementwise --------------------------------------------------------------------

static bool is_fixed(Val v)
{
    return v.kind == VAL_FLOAT || (v.kind == VAL_SIZE && size_is_int(v.size, NULL));
}

static Val fixed_map(Call *c, int n)
{
    double x = 0, y = 0;
    if (!arg_float(c, 0, &x) || (n == 2 && !arg_float(c, 1, &y)))
        return val_poison();
    double r = map_eval(c->func->op, x, y);
    if (isnan(r) && !isnan(x) && !isnan(y)) {
        sema_error(c->s, c->e->loc, E0337,
                   n == 2 ? "%s(%g, %g) has no value" : "%s(%g) has no value",
                   c->func->name, x, y);
        return val_poison();
    }
    bool whole = c->arg[0].kind == VAL_SIZE && (n == 1 || c->arg[1].kind == VAL_SIZE);
    bool rounds = c->func->op == OP_floor || c->func->op == OP_ceil;
    bool keeps = c->func->op == OP_neg || c->func->op == OP_abs ||
                 c->func->op == OP_relu || c->func->op == OP_square;
    if ((rounds || (whole && keeps)) && fabs(r) < 9e15)
        return val_int(c->s, (int64_t)r);
    return val_float(r);
}

// The element type that numbers take beside the tensors of a call; f32 for none.
static DType common_dtype(Call *c, int n)
{
    for (int i = 0; i < n; i++)
        if (c->arg[i].kind == VAL_TENSOR)
            return c->arg[i].value->type.dtype;
    return DT_f32;
}

static Value *arg_as(Call *c, int i, DType d)
{
    Val v = c->arg[i];
    Value *x = is_numeric(v) || v.kind == VAL_TURN ? number_as(c->s, v, d, c->loc[i])
                                                   : arg_tensor(c, i);
    c->s->b.loc = c->e->loc;
    return x;
}

Val make_map(Call *c)
{
    int n = op_info[c->func->op].arity;
    if (is_fixed(c->arg[0]) && (n == 1 || is_fixed(c->arg[1])))
        return fixed_map(c, n);
    DType d = common_dtype(c, n);
    Value *in[2] = {arg_as(c, 0, d), NULL};
    if (n == 2)
        in[1] = arg_as(c, 1, d);
    if (!in[0] || (n == 2 && !in[1]))
        return val_poison();
    return val_tensor(build(&c->s->b, c->func->op, n, in, 0, NULL));
}

// gelu(x), gelu(x, approximate = "tanh")
static Val make_gelu(Call *c)
{
    const char *how;
    if (!arg_string(c, 1, &how))
        return val_poison();
    bool tanh_form = strcmp(how, "tanh") == 0;
    if (!tanh_form && strcmp(how, "none") != 0) {
        sema_error(c->s, c->loc[1], E0308, "gelu: approximate = \"%s\"", how);
        sema_hint(c->s, c->loc[1], "\"none\" or \"tanh\"");
        return val_poison();
    }
    Func row = {tanh_form ? "gelu_tanh" : "gelu", "x", make_map,
                tanh_form ? OP_gelu_tanh : OP_gelu};
    c->func = &row;
    return make_map(c);
}

// ---- reductions ---------------------------------------------------------------------

static Val make_reduce(Call *c)
{
    int n, axes[MAX_RANK];
    bool keep;
    Value *x = arg_tensor(c, 0);
    if (!x || !arg_axes(c, 1, x->type.rank, &n, axes) || !arg_bool(c, 2, &keep))
        return val_poison();
    return val_tensor(do_reduce(c->s, c->func->op, x, n, axes, keep));
}

// max(a, b) is elementwise, max(x, axis = ...) a reduction.
static Val make_extreme(Call *c)
{
    bool is_max = c->func->op == OP_max;
    Sizes *z = c->s->module->sizes;
    if (!c->has[1]) {
        Func row = {c->func->name, "", NULL, is_max ? OP_reduce_max : OP_reduce_min};
        Call r = *c;
        r.func = &row;
        r.name[1] = c->name[2], r.arg[1] = c->arg[2], r.loc[1] = c->loc[2];
        r.has[1] = c->has[2];
        r.name[2] = c->name[3], r.arg[2] = c->arg[3], r.loc[2] = c->loc[3];
        if (is_numeric(c->arg[0]))
            return c->arg[0];
        return make_reduce(&r);
    }
    if (c->has[2]) {
        sema_error(c->s, c->loc[2], E0402, "%s of two operands has no axis",
                   c->func->name);
        return val_poison();
    }
    Val a = c->arg[0], b = c->arg[1];
    if (a.kind == VAL_SIZE && b.kind == VAL_SIZE)
        return val_size(is_max ? size_max(z, a.size, b.size)
                               : size_min(z, a.size, b.size));
    return make_map(c);
}

static Val make_argmax(Call *c)
{
    int axis;
    bool keep;
    Value *x = arg_tensor(c, 0);
    if (!x || !arg_axis(c, 1, x->type.rank, &axis) || !arg_bool(c, 2, &keep))
        return val_poison();
    Attr a[] = {attr_make_int("axis", axis), attr_make_int("keep", keep)};
    return val_tensor(build(&c->s->b, OP_argmax, 1, &x, 2, a));
}

static Val make_softmax(Call *c)
{
    int axis;
    Value *x = arg_tensor(c, 0);
    if (!x || !arg_axis(c, 1, x->type.rank, &axis))
        return val_poison();
    Attr a = attr_make_int("axis", axis);
    return val_tensor(build(&c->s->b, OP_softmax, 1, &x, 1, &a));
}

// x - max, less the logarithm of the sum of its exponentials
static Val make_log_softmax(Call *c)
{
    int axis;
    Sema *s = c->s;
    Value *x = arg_tensor(c, 0);
    if (!x || !arg_axis(c, 1, x->type.rank, &axis))
        return val_poison();
    Value *y =
        elementwise(s, OP_sub, x, do_reduce(s, OP_reduce_max, x, 1, &axis, true));
    Value *e = y ? build1(&s->b, OP_exp, y) : NULL;
    Value *sum = do_reduce(s, OP_sum, e, 1, &axis, true);
    Value *log_sum = sum ? build1(&s->b, OP_log, sum) : NULL;
    return val_tensor(elementwise(s, OP_sub, y, log_sum));
}

// x / max(sqrt(sum x^2), eps), as torch.nn.functional.normalize
static Val make_l2_normalize(Call *c)
{
    int axis;
    double eps;
    Sema *s = c->s;
    Value *x = arg_tensor(c, 0);
    if (!x || !arg_axis(c, 1, x->type.rank, &axis) || !arg_float(c, 2, &eps))
        return val_poison();
    Value *sum = do_reduce(s, OP_sum, build1(&s->b, OP_square, x), 1, &axis, true);
    Value *norm = sum ? build1(&s->b, OP_sqrt, sum) : NULL;
    Value *least = norm ? build_const(&s->b, x->type.dtype, eps) : NULL;
    return val_tensor(elementwise(s, OP_div, x, elementwise(s, OP_max, norm, least)));
}

// ---- known at compile time ----------------------------------------------------------

static Val make_div(Call *c)
{
    const Size *a, *b;
    Sizes *z = c->s->module->sizes;
    if (!arg_size(c, 0, &a) || !arg_size(c, 1, &b))
        return val_poison();
    if (size_min_value(b) <= 0) {
        sema_error(c->s, c->loc[1], E0337, "%s by %s", c->func->name,
                   val_str(c->s, c->arg[1]));
        return val_poison();
    }
    bool ceil = strcmp(c->func->name, "ceil_div") == 0;
    const Size *q = ceil ? size_ceil_div(z, a, b) : size_floor_div(z, a, b);
    if (!q)
        sema_error(c->s, c->e->loc, E0302, "%s does not fit into 63 bits",
                   c->func->name);
    return val_size(q);
}

static Val make_len(Call *c)
{
    Val v = c->arg[0];
    int64_t n;
    if (v.kind == VAL_LIST || v.kind == VAL_TUPLE)
        return val_int(c->s, v.nitems);
    if (v.kind == VAL_ARRAY)
        return array_count(c->s, v.inst, v.member, &n) ? val_int(c->s, n)
                                                       : val_poison();
    sema_error(c->s, c->loc[0], E0330, "len of %s", val_str(c->s, v));
    return val_poison();
}

static Val make_where(Call *c)
{
    sema_error(c->s, c->e->loc, E0708, "`where` is not in this version");
    sema_hint(c->s, c->e->loc, "multiply by 0 and 1: m * a + (1 - m) * b");
    return val_poison();
}

const Func funcs_math[] = {
    {"gelu", "x, approximate = \"none\"", make_gelu, OP_gelu},
    {"sum", "x, axis = none, keep|keepdims = false", make_reduce, OP_sum},
    {"mean", "x, axis = none, keep|keepdims = false", make_reduce, OP_mean},
    {"max", "a, b = none, axis = none, keep|keepdims = false", make_extreme, OP_max},
    {"min", "a, b = none, axis = none, keep|keepdims = false", make_extreme, OP_min},
    {"argmax", "x, axis = -1, keep|keepdims = false", make_argmax, OP_argmax},
    {"softmax", "x, axis = -1", make_softmax, OP_softmax},
    {"log_softmax", "x, axis = -1", make_log_softmax, OP_softmax},
    {"l2_normalize", "x, axis = -1, eps = 1e-12", make_l2_normalize, OP_square},
    {"floor_div", "a, b", make_div, OP_div},
    {"ceil_div", "a, b", make_div, OP_div},
    {"len", "list", make_len, OP_add},
    {"where", "*x", make_where, OP_add},
    {NULL, NULL, NULL, OP_add},
};
