// simplify - algebraic identities, and views that change nothing.
//
//     y = mul(x, one)                             yield x
//     yield y                            =>
//
// Each law is a row and holds for every float, NaN, infinities and -0 included, unless its
// words say "to rounding": then both sides are the same real function, and neither
// overflows where the other does not. Laws may read one value further down than v did;
// that a state is not written in between is checked for all of them in one place.

#include "pass.h"

#include <math.h>
#include <string.h>

typedef struct Law {
    Op op;
    // What v is equal to, with b to build it before v; NULL: the law does not apply.
    Value *(*apply)(Builder *b, Value *v);
    const char *words;
} Law;

static bool number_is(const Value *v, double wanted)
{
    double x;
    return is_number(v, &x) && same_bits(x, wanted);
}

// The operand of v that is not k, if it has all of v's shape.
static Value *other(Value *v, int k)
{
    Value *x = v->in[1 - k];
    return same_shape(x, v) ? x : NULL;
}

static bool is_float(const Value *v)
{
    return dtype_info[v->type.dtype].kind == DK_FLOAT;
}

// ---- arithmetic ------------------------------------------------------------------------

static Value *mul_one(Builder *b, Value *v)
{
    (void)b;
    for (int k = 0; k < 2; k++)
        if (number_is(v->in[k], 1))
            return other(v, k);
    return NULL;
}

static Value *mul_minus_one(Builder *b, Value *v)
{
    for (int k = 0; k < 2; k++)
        if (number_is(v->in[k], -1) && other(v, k))
            return build1(b, OP_neg, other(v, k));
    return NULL;
}

static Value *mul_self(Builder *b, Value *v)
{
    return v->in[0] == v->in[1] ? build1(b, OP_square, v->in[0]) : NULL;
}

static Value *mul_sigmoid(Builder *b, Value *v)
{
    for (int k = 0; k < 2; k++)
        if (v->in[k]->op == OP_sigmoid && v->in[k]->in[0] == v->in[1 - k])
            return build1(b, OP_silu, v->in[1 - k]);
    return NULL;
}

static Value *div_one(Builder *b, Value *v)
{
    (void)b;
    return number_is(v->in[1], 1) ? other(v, 1) : NULL;
}

static Value *one_div(Builder *b, Value *v)
{
    bool may = is_float(v) && number_is(v->in[0], 1) && same_shape(v->in[1], v);
    return may ? build1(b, OP_recip, v->in[1]) : NULL;
}

// x / 8 = x * 0.125, since the quotient by a power of two is as exact as the product.
static Value *div_power_of_two(Builder *b, Value *v)
{
    double x;
    int exponent;
    if (!is_float(v) || !is_number(v->in[1], &x) || !other(v, 1))
        return NULL;
    if (!(fabs(frexp(x, &exponent)) == 0.5) || exponent < -100 || exponent > 100)
        return NULL;
    if (v->type.dtype != DT_f32)
        return NULL;  // 1/x may not fit into the range of a short float
    return build2(b, OP_mul, v->in[0], build_const(b, v->type.dtype, 1 / x));
}

static Value *add_zero(Builder *b, Value *v)
{
    (void)b;
    for (int k = 0; k < 2; k++) {
        bool zero = is_float(v) ? number_is(v->in[k], -0.0) : number_is(v->in[k], 0);
        if (zero)
            return other(v, k);
    }
    return NULL;
}

static Value *sub_zero(Builder *b, Value *v)
{
    (void)b;
    return is_zero(v->in[1]) ? other(v, 1) : NULL;
}

static Value *add_neg(Builder *b, Value *v)
{
    for (int k = 1; k >= 0; k--)
        if (v->in[k]->op == OP_neg)
            return build2(b, OP_sub, v->in[1 - k], v->in[k]->in[0]);
    return NULL;
}

static Value *sub_neg(Builder *b, Value *v)
{
    bool may = v->in[1]->op == OP_neg;
    return may ? build2(b, OP_add, v->in[0], v->in[1]->in[0]) : NULL;
}

static Value *pow_small(Builder *b, Value *v)
{
    if (number_is(v->in[1], 1))
        return other(v, 1);
    if (!other(v, 1))
        return NULL;
    if (number_is(v->in[1], 2))
        return build1(b, OP_square, v->in[0]);
    return number_is(v->in[1], -1) ? build1(b, OP_recip, v->in[0]) : NULL;
}

static Value *neg_neg(Builder *b, Value *v)
{
    (void)b;
    return v->in[0]->op == OP_neg ? v->in[0]->in[0] : NULL;
}

// abs, square of what has another sign only.
static Value *drop_sign(Builder *b, Value *v)
{
    Value *x = v->in[0];
    bool may = x->op == OP_neg || x->op == OP_abs;
    return may ? build1(b, v->op, x->in[0]) : NULL;
}

static Value *twice(Builder *b, Value *v)
{
    (void)b;
    return v->in[0]->op == v->op ? v->in[0] : NULL;
}

static Value *recip_sqrt(Builder *b, Value *v)
{
    return v->in[0]->op == OP_sqrt ? build1(b, OP_rsqrt, v->in[0]->in[0]) : NULL;
}

static Value *max_zero(Builder *b, Value *v)
{
    bool may = is_float(v) && is_zero(v->in[1]) && other(v, 1);
    return may ? build1(b, OP_relu, v->in[0]) : NULL;
}

// An elementwise op broadcasts by itself.
static Value *drop_expand(Builder *b, Value *v)
{
    for (int k = 0; k < 2; k++) {
        Type both;
        Value *x = v->in[k];
        Sizes *s = b->graph->module->sizes;
        if (x->op != OP_expand || value_is_const(v))
            continue;
        if (!type_broadcast(s, &x->in[0]->type, &v->in[1 - k]->type, &both) ||
            !type_same_shape(&both, &v->type))
            continue;
        Value *in[2];
        in[k] = x->in[0];
        in[1 - k] = v->in[1 - k];
        return build(b, v->op, 2, in, 0, NULL);
    }
    return NULL;
}

// ---- views -----------------------------------------------------------------------------

static Value *same_type(Builder *b, Value *v)
{
    (void)b;
    return type_equal(&v->type, &v->in[0]->type) ? v->in[0] : NULL;
}

static Value *transpose_none(Builder *b, Value *v)
{
    (void)b;
    const Attr *perm = attr_find(v, "perm");
    for (int k = 0; k < perm->n; k++)
        if (perm->ints[k] != k)
            return NULL;
    return v->in[0];
}

static Value *transpose_twice(Builder *b, Value *v)
{
    Value *x = v->in[0];
    if (x->op != OP_transpose)
        return NULL;
    const Attr *outer = attr_find(v, "perm"), *inner = attr_find(x, "perm");
    int64_t perm[MAX_RANK];
    for (int k = 0; k < outer->n; k++)
        perm[k] = inner->ints[outer->ints[k]];
    Attr a = attr_make_ints("perm", outer->n, perm);
    return build(b, OP_transpose, 1, &x->in[0], 1, &a);
}

// reshape of a reshape, expand of an expand: the last shape counts.
static Value *view_twice(Builder *b, Value *v)
{
    Value *x = v->in[0];
    if (x->op != v->op)
        return NULL;
    return build(b, v->op, 1, &x->in[0], 1, attr_find(v, "shape"));
}

static Value *slice_all(Builder *b, Value *v)
{
    (void)b;
    const Attr *start = attr_find(v, "start"), *step = attr_find(v, "step");
    for (int k = 0; k < start->n; k++)
        if (!size_is(start->sizes[k], 0) || step->ints[k] != 1)
            return NULL;
    return type_equal(&v->type, &v->in[0]->type) ? v->in[0] : NULL;
}

static Value *slice_twice(Builder *b, Value *v)
{
    Value *x = v->in[0];
    if (x->op != OP_slice)
        return NULL;
    const Attr *step = attr_find(v, "step"), *inner = attr_find(x, "step");
    const Size *start[MAX_RANK], *stop[MAX_RANK];
    Sizes *s = b->graph->module->sizes;
    for (int k = 0; k < step->n; k++) {
        const Size *from = attr_find(x, "start")->sizes[k];
        if (step->ints[k] != 1 || inner->ints[k] != 1)
            return NULL;
        start[k] = size_add(s, from, attr_find(v, "start")->sizes[k]);
        stop[k] = size_add(s, from, attr_find(v, "stop")->sizes[k]);
        if (!start[k] || !stop[k])
            return NULL;
    }
    Attr a[] = {attr_make_sizes("start", step->n, start),
                attr_make_sizes("stop", step->n, stop), *step};
    return build(b, OP_slice, 1, &x->in[0], 3, a);
}

static Value *concat_one(Builder *b, Value *v)
{
    (void)b;
    return v->nin == 1 ? v->in[0] : NULL;
}

// Rows iota(n), or size + iota(n), of a table that has them for certain.
static Value *gather_in_order(Builder *b, Value *v)
{
    Value *ids = v->in[1], *table = v->in[0];
    Sizes *s = b->graph->module->sizes;
    const Size *from = size_int(s, 0);
    if (ids->op == OP_add) {
        int k = ids->in[0]->op == OP_iota ? 1 : 0;
        if (ids->in[k]->op != OP_size)
            return NULL;
        from = attr_find(ids->in[k], "size")->sizes[0];
        ids = ids->in[1 - k];
    }
    if (ids->op != OP_iota || attr_int(v, "axis", 0) != 0 || !value_is_const(table))
        return NULL;
    const Size *to = size_add(s, from, attr_find(ids, "size")->sizes[0]);
    if (!to || size_min_value(from) < 0 ||
        size_max_value(to) > size_min_value(table->type.dim[0].size))
        return NULL;
    const Size *start[MAX_RANK], *stop[MAX_RANK];
    int64_t step[MAX_RANK];
    int rank = table->type.rank;
    for (int k = 0; k < rank; k++) {
        start[k] = k == 0 ? from : size_int(s, 0);
        stop[k] = k == 0 ? to : table->type.dim[k].size;
        step[k] = 1;
    }
    Attr a[] = {attr_make_sizes("start", rank, start),
                attr_make_sizes("stop", rank, stop),
                attr_make_ints("step", rank, step)};
    return build(b, OP_slice, 1, &table, 3, a);
}

static const Law laws[] = {
    {OP_mul, mul_one, "x * 1 = x"},
    {OP_mul, mul_minus_one, "x * -1 = -x"},
    {OP_mul, mul_self, "x * x = square(x)"},
    {OP_mul, mul_sigmoid, "x * sigmoid(x) = silu(x), to rounding"},
    {OP_div, div_one, "x / 1 = x"},
    {OP_div, one_div, "1 / x = recip(x)"},
    {OP_div, div_power_of_two, "x / 2^n = x * 2^-n"},
    {OP_add, add_zero, "x + -0 = x; of integers x + 0 = x"},
    {OP_sub, sub_zero, "x - 0 = x"},
    {OP_add, add_neg, "x + -y = x - y"},
    {OP_sub, sub_neg, "x - -y = x + y"},
    {OP_pow, pow_small, "x^1 = x, x^2 = square(x), x^-1 = recip(x), to rounding"},
    {OP_neg, neg_neg, "-(-x) = x"},
    {OP_abs, drop_sign, "|-x| = |x|, ||x|| = |x|"},
    {OP_square, drop_sign, "(-x)^2 = |x|^2 = x^2"},
    {OP_relu, twice, "relu(relu(x)) = relu(x)"},
    {OP_floor, twice, "floor(floor(x)) = floor(x)"},
    {OP_ceil, twice, "ceil(ceil(x)) = ceil(x)"},
    {OP_recip, recip_sqrt, "1 / sqrt(x) = rsqrt(x)"},
    {OP_max, max_zero, "max(x, 0) = relu(x)"},
    {OP_add, drop_expand, "x + expand(y) = x + y where y broadcasts"},
    {OP_sub, drop_expand, "x - expand(y) = x - y where y broadcasts"},
    {OP_mul, drop_expand, "x * expand(y) = x * y where y broadcasts"},
    {OP_div, drop_expand, "x / expand(y) = x / y where y broadcasts"},
    {OP_cast, same_type, "a cast to the type it has is nothing"},
    {OP_reshape, same_type, "a reshape to the shape it has is nothing"},
    {OP_expand, same_type, "an expand to the shape it has is nothing"},
    {OP_transpose, transpose_none, "a transpose that keeps the order is nothing"},
    {OP_transpose, transpose_twice, "two transposes are one"},
    {OP_reshape, view_twice, "reshape(reshape(x, a), b) = reshape(x, b)"},
    {OP_expand, view_twice, "expand(expand(x, a), b) = expand(x, b)"},
    {OP_slice, slice_all, "a slice of everything is nothing"},
    {OP_slice, slice_twice, "a slice of a slice is one, with steps of 1"},
    {OP_concat, concat_one, "concat(x) = x"},
    {OP_gather, gather_in_order,
     "w[n + iota(m)] = w[n : n + m] where w has so many rows"},
};

// A law reads values that v itself did not read. Of states that is an earlier version, or
// what was written after: then the law is left alone.
static bool reads_state(const Value *v, const Value *x)
{
    if (is_version(x))
        return true;
    for (int i = 0; x->region == v->region && i < x->nin; i++) {
        bool had = false;
        for (int k = 0; k < v->nin; k++)
            had = had || v->in[k] == x->in[i];
        if (!had && is_version(x->in[i]))
            return true;
    }
    return false;
}

static bool apply(PassContext *c, Graph *g, Value *v, const Law *law)
{
    Region *r = v->region;
    int before = region_index(r, v);
    Builder b = build_before(c, g, v);
    Value *x = law->apply(&b, v);
    bool built = b.at > before;
    bool fits = x && type_equal(&x->type, &v->type) &&
                !(built ? reads_state(v, x) : is_version(x));
    if (fits) {
        replace_value(g, v, x);
        return true;
    }
    while (b.at-- > before)  // what was built in vain, last first
        region_remove(r, r->ops.p[b.at]);
    return false;
}

static bool simplify(PassContext *c, Graph *g, Value *v)
{
    for (int i = 0; i < COUNT(laws); i++)
        if (laws[i].op == v->op && apply(c, g, v, &laws[i]))
            return true;
    return false;
}

static bool simplify_region(PassContext *c, Graph *g, Region *r)
{
    bool changed = false;
    for (int i = 0; i < r->ops.n;) {
        // After a law the value at i is a new one, or the next; it is looked at again.
        // Every law makes less, so this ends.
        if (simplify(c, g, r->ops.p[i]))
            changed = true;
        else
            i++;
    }
    return changed;
}

bool pass_simplify(PassContext *c)
{
    return pass_regions(c, simplify_region);
}
