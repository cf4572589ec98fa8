// norm - spelled-out RMSNorm and LayerNorm become one op.
//
//     s = square(x)
//     m = mean(s) {axes = [1], keep = 1}
//     r = sqrt(add(m, eps))              =>       y = rms_norm(x, w) {eps = 1e-05}
//     y = mul(div(x, r), w)
//
// The quotient may be x * rsqrt(...) or x * recip(sqrt(...)), the mean sum / d, the square
// x * x, the product in either order. With x = c - mean(c) it is a LayerNorm; if no vector is
// added behind it, its bias is a vector of zeros. The axis is the last one.

#include "pass.h"

static bool is_last_axis(const Value *v)
{
    const Attr *axes = attr_find(v, "axes");
    return axes && axes->n == 1 && axes->ints[0] == v->in[0]->type.rank - 1;
}

// [..., 1] instead of [...]: kept by the reduction, or reshaped afterwards.
static Value *unkept(Value *v)
{
    int rank = v->type.rank;
    if (v->op == OP_expand && v->in[0]->type.rank == rank)
        v = v->in[0];
    if (rank == 0 || !size_is(v->type.dim[rank - 1].size, 1))
        return NULL;
    if (v->op != OP_reshape || v->in[0]->type.rank != rank - 1)
        return v;
    for (int k = 0; k < rank - 1; k++)
        if (v->in[0]->type.dim[k].size != v->type.dim[k].size)
            return NULL;
    return v->in[0];
}

// x of mean(x) over the last axis, kept or not; NULL: v is no such mean.
static Value *mean_of(Value *v)
{
    if (v->op == OP_mean)
        return is_last_axis(v) ? v->in[0] : NULL;
    double d;
    int64_t n;
    for (int k = 0; k < 2; k++) {
        if ((v->op != OP_mul && v->op != OP_div) || (v->op == OP_div && k == 1))
            break;
        Value *sum = v->in[k];
        if (sum->op != OP_sum || !is_last_axis(sum) || !is_number(v->in[1 - k], &d))
            continue;
        const Type *t = &sum->in[0]->type;
        if (!size_is_int(t->dim[t->rank - 1].size, &n) || n < 1)
            continue;
        if (v->op == OP_div ? d == (double)n : d == 1 / (double)n)
            return sum->in[0];
    }
    return NULL;
}

static Value *square_of(Value *v)
{
    if (v->op == OP_square || (v->op == OP_mul && v->in[0] == v->in[1]))
        return v->in[0];
    return NULL;
}

// x of mean(x^2) + eps.
static Value *variance_of(Value *v, double *eps)
{
    for (int k = 0; k < 2 && v->op == OP_add; k++) {
        Value *mean = v->in[k];
        if (!is_number(v->in[1 - k], eps))
            continue;
        mean = mean_of(mean);
        return mean ? square_of(mean) : NULL;
    }
    return NULL;
}

// x of sqrt(mean(x^2) + eps), or of one over it.
static Value *root_of(Value *v, bool inverse, double *eps)
{
    v = unkept(v);
    if (!v)
        return NULL;
    if (inverse && v->op == OP_rsqrt)
        return variance_of(v->in[0], eps);
    if (inverse && v->op != OP_recip)
        return NULL;
    if (inverse)
        v = v->in[0];
    return v->op == OP_sqrt ? variance_of(v->in[0], eps) : NULL;
}

// c of c - mean(c).
static Value *centered(Value *v)
{
    if (v->op != OP_sub)
        return NULL;
    Value *mean = unkept(v->in[1]);
    return mean && mean_of(mean) == v->in[0] ? v->in[0] : NULL;
}

static bool same_centered(Value *a, Value *b)
{
    return a == b || (centered(a) && centered(a) == centered(b));
}

// x of x / sqrt(mean(x^2) + eps).
static Value *normalised(Value *v, double *eps)
{
    for (int k = 0; k < 2; k++) {
        if (v->op == OP_div ? k == 1 : v->op != OP_mul)
            break;
        Value *x = v->in[k], *of = root_of(v->in[1 - k], v->op == OP_mul, eps);
        if (of && same_centered(x, of) && same_shape(x, v))
            return x;
    }
    return NULL;
}

// A vector that scales or shifts along the last axis of v.
static bool is_vector_for(const Value *w, const Value *v)
{
    return w->type.rank == 1 && v->type.rank >= 1 && w->type.dtype == v->type.dtype &&
           w->type.dim[0].size == v->type.dim[v->type.rank - 1].size;
}

typedef struct Norm {
    Value *x, *w, *bias;  // bias NULL: none
    double eps;
    bool is_layer;
} Norm;

// normalised * w
static bool match_scaled(Value *v, Norm *n)
{
    for (int k = 0; k < 2 && v->op == OP_mul; k++) {
        Value *x = normalised(v->in[k], &n->eps);
        if (!x || !is_vector_for(v->in[1 - k], v) || !same_shape(x, v))
            continue;
        n->w = v->in[1 - k];
        n->x = centered(x);
        n->is_layer = n->x != NULL;
        if (!n->is_layer)
            n->x = x;
        return true;
    }
    return false;
}

static bool match(Graph *g, Value *v, Norm *n)
{
    if (match_scaled(v, n))
        return true;
    for (int k = 0; k < 2 && v->op == OP_add; k++)
        if (is_vector_for(v->in[1 - k], v) && only_use(g, v->in[k]) &&
            match_scaled(v->in[k], n)) {
            n->bias = v->in[1 - k];
            return n->is_layer;
        }
    return false;
}

static Value *zeros(Builder *b, const Type *t)
{
    Value *zero = build_const(b, t->dtype, 0);
    Attr shape = attr_make_sizes("shape", 1, &t->dim[0].size);
    return build(b, OP_expand, 1, &zero, 1, &shape);
}

static bool make_norm(PassContext *c, Graph *g, Value *v)
{
    Norm n = {.x = NULL};
    if (value_is_const(v) || value_uses(g, v) == 0 || !match(g, v, &n) ||
        written_between(n.x, v))
        return false;
    Builder b = build_before(c, g, v);
    if (n.is_layer && !n.bias)
        n.bias = zeros(&b, &n.w->type);
    Value *in[] = {n.x, n.w, n.bias};
    Attr eps = attr_make_num("eps", n.eps);
    Value *y = n.is_layer ? build(&b, OP_layer_norm, 3, in, 1, &eps)
                          : build(&b, OP_rms_norm, 2, in, 1, &eps);
    if (!y || !type_equal(&y->type, &v->type))
        return false;
    replace_value(g, v, y);
    return true;
}

static bool norm_region(PassContext *c, Graph *g, Region *r)
{
    bool changed = false;
    for (int i = r->ops.n - 1; i >= 0; i--)  // a sum before the product in it
        changed |= make_norm(c, g, r->ops.p[i]);
    return changed;
}

bool pass_norm(PassContext *c)
{
    return pass_regions(c, norm_region);
}
