// attention - softmax(q @ k' * s + m) @ v becomes one op.
//
//     t = transpose(k) {perm = [0, 2, 1]}
//     a = div(matmul(q, t), scale)
//     p = softmax(add(a, m)) {axis = 2}  =>   y = attention(q, k, v, m) {scale = 0.125}
//     y = matmul(p, v)
//
// The scale may stand on q, on k or on the scores, as a product or a quotient by a number.
// Keys and values that were repeated for grouped heads, by reshape, expand and reshape, are
// taken as they were before. One head alone ([T, d]) gets an axis for it.

#include "pass.h"

typedef struct Match {
    Value *q, *k, *v, *bias;
    int64_t perm[MAX_RANK];  // of k
    double scale;
    Value *out;  // the last product
} Match;

// Takes numbers off x and into the scale, keeping its shape.
static Value *unscaled(Value *x, double *scale)
{
    for (;;) {
        double s;
        Value *next = NULL;
        if (x->op == OP_mul || x->op == OP_div)
            for (int k = 0; k < 2 && !next; k++) {
                if (x->op == OP_div && k == 1)
                    break;
                if (is_number(x->in[1 - k], &s) && same_shape(x->in[k], x))
                    next = x->in[k];
            }
        if (!next || (x->op == OP_div && s == 0))
            return x;
        *scale *= x->op == OP_div ? 1 / s : s;
        x = next;
    }
}

// k of k', the right operand of the scores: perm is how k comes from the value given back.
// Transposes were merged before, so any may stand here, or none.
static Value *swapped(Value *v, int64_t perm[MAX_RANK])
{
    int n = v->type.rank;
    const Attr *p = v->op == OP_transpose ? attr_find(v, "perm") : NULL;
    for (int i = 0; i < n; i++)
        perm[i] = p ? p->ints[i] : i;
    int64_t last = perm[n - 1];
    perm[n - 1] = perm[n - 2];
    perm[n - 2] = last;
    return p ? v->in[0] : v;
}

static bool is_in_order(const int64_t *perm, int n)
{
    for (int i = 0; i < n; i++)
        if (perm[i] != i)
            return false;
    return true;
}

// [..., G, T, d] of [..., G r, T, d] made by reshape [..., G, 1, T, d], expand to
// [..., G, r, T, d] and reshape; v itself if it was not.
static Value *ungrouped(Value *v)
{
    if (v->op != OP_reshape || v->in[0]->op != OP_expand)
        return v;
    const Value *wide = v->in[0];
    Value *thin = wide->in[0];
    int r = wide->type.rank;
    if (thin->op != OP_reshape || r < 4 || v->type.rank != r - 1 ||
        thin->type.rank != r)
        return v;
    Value *x = thin->in[0];
    if (x->type.rank != r - 1 || !size_is(thin->type.dim[r - 3].size, 1))
        return v;
    for (int k = 0; k < r; k++) {
        const Size *t = thin->type.dim[k].size;
        if (k != r - 3 && t != wide->type.dim[k].size)
            return v;
        if (k != r - 3 && t != x->type.dim[k < r - 3 ? k : k - 1].size)
            return v;
        if (k < r - 4 && t != v->type.dim[k].size)
            return v;
    }
    bool tail = x->type.dim[r - 2].size == v->type.dim[r - 2].size &&
                x->type.dim[r - 3].size == v->type.dim[r - 3].size;
    return tail ? x : v;
}

static bool is_softmax_of_last(const Value *v)
{
    return v->op == OP_softmax && attr_int(v, "axis", -1) == v->type.rank - 1;
}

static bool match_scores(Graph *g, Value *scores, Match *m)
{
    m->scale = 1;
    Value *product = unscaled(scores, &m->scale);
    if (product->op != OP_matmul || !only_use(g, product))
        return false;
    if (product->in[1]->type.rank < 2 || value_is_const(product->in[1]))
        return false;  // constant keys are a layer's weights: two linears
    m->k = swapped(unscaled(product->in[1], &m->scale), m->perm);
    m->k = unscaled(m->k, &m->scale);
    m->q = unscaled(product->in[0], &m->scale);
    return true;
}

static bool match(Graph *g, Value *v, Match *m)
{
    if (v->op != OP_matmul || !is_softmax_of_last(v->in[0]) || !only_use(g, v->in[0]))
        return false;
    Value *scores = v->in[0]->in[0];
    m->v = v->in[1];
    m->out = v;
    m->bias = NULL;
    if (!only_use(g, scores))
        return false;
    if (match_scores(g, scores, m))
        return true;
    for (int k = 0; k < 2 && scores->op == OP_add; k++)
        if (same_shape(scores->in[k], scores) && only_use(g, scores->in[k]) &&
            match_scores(g, scores->in[k], m)) {
            m->bias = scores->in[1 - k];
            return true;
        }
    return false;
}

// x with a head axis before its last two.
static Value *with_head(Builder *b, Value *x, int rank)
{
    if (!x || x->type.rank != 2 || rank > 3)
        return x;
    const Size *shape[] = {size_int(b->graph->module->sizes, 1), x->type.dim[0].size,
                           x->type.dim[1].size};
    Attr a = attr_make_sizes("shape", 3, shape);
    return build(b, OP_reshape, 1, &x, 1, &a);
}

// The keys as [..., G, Tk, d].
static Value *keys(Builder *b, const Match *m)
{
    int n = m->k->type.rank;
    if (is_in_order(m->perm, n))
        return ungrouped(m->k);
    Value *k = m->k;
    Attr a = attr_make_ints("perm", n, m->perm);
    return build(b, OP_transpose, 1, &k, 1, &a);
}

static Value *rewrite(Builder *b, const Match *m)
{
    const Type *out = &m->out->type;
    int rank = m->q->type.rank;
    Value *in[4] = {with_head(b, m->q, rank), with_head(b, keys(b, m), rank),
                    with_head(b, ungrouped(m->v), rank), m->bias};
    const Size *zero = size_int(b->graph->module->sizes, 0);
    Attr attr[] = {attr_make_num("scale", m->scale), attr_make_str("mask", "none"),
                   attr_make_sizes("from", 1, &zero)};
    if (!in[0] || !in[1] || !in[2])
        return NULL;
    Value *y = build(b, OP_attention, m->bias ? 4 : 3, in, 3, attr);
    if (!y || type_equal(&y->type, out))
        return y;
    if (y->type.rank != out->rank + 1)
        return NULL;
    const Size *shape[] = {out->dim[0].size, out->dim[1].size};
    Attr a = attr_make_sizes("shape", 2, shape);
    return build(b, OP_reshape, 1, &y, 1, &a);
}

static bool is_stale(const Match *m)
{
    return written_between(m->q, m->out) || written_between(m->k, m->out) ||
           written_between(ungrouped(m->k), m->out) ||
           written_between(ungrouped(m->v), m->out) ||
           (m->bias && written_between(m->bias, m->out));
}

static bool make_attention(PassContext *c, Graph *g, Value *v)
{
    Match m;
    if (!match(g, v, &m) || is_stale(&m) || m.q->type.rank < 2)
        return false;
    Builder b = build_before(c, g, v);
    Region *r = v->region;
    int before = b.at;
    Value *y = rewrite(&b, &m);
    if (y && type_equal(&y->type, &v->type)) {
        replace_value(g, v, y);
        return true;
    }
    while (b.at-- > before)
        region_remove(r, r->ops.p[b.at]);
    return false;
}

static bool attention_region(PassContext *c, Graph *g, Region *r)
{
    bool changed = false;
    for (int i = 0; i < r->ops.n; i++)
        changed |= make_attention(c, g, r->ops.p[i]);
    return changed;
}

bool pass_attention(PassContext *c)
{
    return pass_regions(c, attention_region);
}
