// qkv - linears of one operand become one over stacked weights.
//
//     q = linear(x, wq)                           w = concat(wq, wk, wv) {axis = 0}
//     k = linear(x, wk)                  =>       y = linear(x, w)
//     v = linear(x, wv)                           q = slice(y) {start = [0, 0], ...}
//
// The operand is read once, and one wide product keeps the machine busier than three.
// Biases are stacked as well; where only some have one, the others get zeros. A linear with
// elementwise work behind it stays alone, since that work will sink into it. So does one
// whose weight is used in another way (a tied embedding): stacking would store it twice.
// What goes into a state comes last: the product can write its last columns there.

#include "pass.h"

#include <string.h>

enum { MAX_GROUP = 16 };

typedef struct Member {
    Value *linear;
    Value *sum;   // linear + bias, or the linear itself
    Value *bias;  // [out], or NULL
} Member;

typedef struct Group {
    Member member[MAX_GROUP];
    int n;
} Group;

// What is found out of all weights before anything changes, by path.
typedef struct Known {
    Map *alone;  // some entry does more than to multiply by them once
    Map *kept;   // some entry puts that product into a state
} Known;

// ---- who may join ----------------------------------------------------------------------

static bool is_plain(const Value *v)
{
    return v->op == OP_linear && v->nin == 2 && v->body->ops.n == 0 &&
           v->body->yields.p[0] == v->body->params.p[0];
}

static bool same_format(const Value *a, const Value *b)
{
    return !strcmp(attr_str(a, "format", ""), attr_str(b, "format", ""));
}

typedef struct Uses {
    const Value *of;
    Value *user;     // the last one seen
    int n, linears;  // uses; of them as the weight of a linear
} Uses;

static void count_use(Value *v, void *ctx)
{
    Uses *u = ctx;
    for (int i = 0; i < v->nin; i++) {
        if (v->in[i] != u->of)
            continue;
        u->n++;
        u->user = v;
        u->linears += v->op == OP_linear && i == 1;
    }
}

static Uses uses_of(Graph *g, const Value *v)
{
    Uses u = {.of = v};
    graph_walk(g, count_use, &u);
    u.n = value_uses(g, v);  // yields too
    return u;
}

// Does v, perhaps with a bias and seen by heads, go into a state and nowhere else?
static bool is_kept(Graph *g, const Value *v)
{
    for (;;) {
        Uses u = uses_of(g, v);
        if (u.n != 1 || !u.user)
            return false;
        if (u.user->op == OP_set_slice)
            return u.user->in[1] == v;
        if (u.user->op != OP_add && u.user->op != OP_reshape &&
            u.user->op != OP_transpose)
            return false;
        v = u.user;
    }
}

typedef struct Weights {
    Graph *g;
    Map *seen;  // in g
    Known *known;
} Weights;

static void note_weight(Value *v, void *ctx)
{
    Weights *t = ctx;
    if (v->op != OP_weight)
        return;
    const char *path = attr_str(v, "path", "");
    Uses u = uses_of(t->g, v);
    if (u.n != 1 || u.linears != 1 || map_get(t->seen, path))
        map_set(t->known->alone, path, v);
    else if (is_kept(t->g, u.user))
        map_set(t->known->kept, path, v);
    map_set(t->seen, path, v);
}

// Of all entries, so that they stack the same weights in the same order: the packer then
// stores one stack for all of them.
static void know_weights(PassContext *c, Known *known)
{
    *known = (Known){map_new(c->scratch), map_new(c->scratch)};
    for (int i = 0; i < c->module->graphs.n; i++) {
        Weights t = {c->module->graphs.p[i], map_new(c->scratch), known};
        graph_walk(t.g, note_weight, &t);
    }
}

static bool is_bias_for(const Value *bias, const Value *linear)
{
    const Type *t = &linear->type;
    return bias->type.rank == 1 && value_is_const(bias) &&
           bias->type.dim[0].size == t->dim[t->rank - 1].size &&
           bias->type.dtype == t->dtype;
}

// False when elementwise work follows that can sink into the linear.
static bool look_behind(Graph *g, Member *m)
{
    Uses u = uses_of(g, m->sum);
    for (int k = 0; !m->bias && k < 2 && u.n == 1 && u.user && u.user->op == OP_add;
         k++)
        if (u.user->in[k] == m->sum && u.user->region == m->sum->region &&
            is_bias_for(u.user->in[1 - k], m->sum)) {
            m->bias = u.user->in[1 - k];
            m->sum = u.user;
            return look_behind(g, m);
        }
    return !(u.n == 1 && u.user && (is_elementwise(u.user) || u.user->op == OP_map));
}

static bool may_join(const Map *alone, Graph *g, Value *v, Member *m)
{
    int64_t out;
    if (!is_plain(v) || v->in[1]->op != OP_weight ||
        !size_is_int(v->in[1]->type.dim[0].size, &out))
        return false;
    *m = (Member){.linear = v, .sum = v};
    return !map_get(alone, attr_str(v->in[1], "path", "")) && look_behind(g, m);
}

// ---- stacking --------------------------------------------------------------------------

static Value *zeros(Builder *b, const Value *linear)
{
    const Type *t = &linear->type;
    Value *zero = build_const(b, t->dtype, 0);
    Attr shape = attr_make_sizes("shape", 1, &t->dim[t->rank - 1].size);
    return build(b, OP_expand, 1, &zero, 1, &shape);
}

// The operands must stand before the first linear, where the stack comes.
static bool hoist_all(Graph *g, const Group *group, Value *at)
{
    for (int i = 0; i < group->n; i++) {
        const Member *m = &group->member[i];
        if (!hoist_constant(g, m->linear->in[1], at) ||
            (m->bias && !hoist_constant(g, m->bias, at)))
            return false;
    }
    return true;
}

static Value *slice_of(Builder *b, Value *y, int64_t from, int64_t to)
{
    Sizes *s = b->graph->module->sizes;
    const Size *start[MAX_RANK], *stop[MAX_RANK];
    int64_t step[MAX_RANK];
    int last = y->type.rank - 1;
    for (int k = 0; k <= last; k++) {
        start[k] = size_int(s, k == last ? from : 0);
        stop[k] = k == last ? size_int(s, to) : y->type.dim[k].size;
        step[k] = 1;
    }
    Attr a[] = {attr_make_sizes("start", last + 1, start),
                attr_make_sizes("stop", last + 1, stop),
                attr_make_ints("step", last + 1, step)};
    return build(b, OP_slice, 1, &y, 3, a);
}

static Value *stacked(Builder *b, const Group *group)
{
    Value *w[MAX_GROUP], *bias[MAX_GROUP];
    bool has_bias = false;
    for (int i = 0; i < group->n; i++)
        has_bias = has_bias || group->member[i].bias;
    for (int i = 0; i < group->n; i++) {
        const Member *m = &group->member[i];
        w[i] = m->linear->in[1];
        bias[i] = has_bias ? m->bias ? m->bias : zeros(b, m->linear) : NULL;
    }
    Attr axis = attr_make_int("axis", 0);
    Value *in[] = {group->member[0].linear->in[0],
                   build(b, OP_concat, group->n, w, 1, &axis)};
    const Value *first = group->member[0].linear;
    Value *y = build(b, OP_linear, 2, in, first->nattr, first->attr);
    if (!has_bias)
        return y;
    return build2(b, OP_add, y, build(b, OP_concat, group->n, bias, 1, &axis));
}

// Those that are kept in a state come last, else the order stays.
static void kept_last(const Known *known, Group *group)
{
    Group sorted = {.n = 0};
    for (int kept = 0; kept < 2; kept++)
        for (int i = 0; i < group->n; i++) {
            const Value *w = group->member[i].linear->in[1];
            if (!map_get(known->kept, attr_str(w, "path", "")) == !kept)
                sorted.member[sorted.n++] = group->member[i];
        }
    *group = sorted;
}

static bool stack(PassContext *c, Graph *g, Group *group)
{
    Value *first = group->member[0].linear;
    if (!hoist_all(g, group, first))
        return false;
    kept_last(c->data, group);
    Builder b = build_before(c, g, first);
    for (int i = 0; i < group->n; i++)
        b.scope = common_scope(b.scope, group->member[i].linear->scope);
    b.diag = NULL;  // everything fits by now
    Value *y = stacked(&b, group);
    int64_t from = 0;
    for (int i = 0; i < group->n; i++) {
        const Member *m = &group->member[i];
        int64_t out = 0;
        size_is_int(m->linear->in[1]->type.dim[0].size, &out);
        Value *part = slice_of(&b, y, from, from + out);
        from += out;
        replace_value(g, m->sum, part);
        if (m->sum != m->linear)
            region_remove(m->linear->region, m->linear);
    }
    return true;
}

static bool qkv_region(PassContext *c, Graph *g, Region *r)
{
    const Known *known = c->data;
    bool changed = false;
    for (int i = 0; i < r->ops.n; i++) {
        Group group = {.n = 0};
        if (!may_join(known->alone, g, r->ops.p[i], &group.member[0]))
            continue;
        group.n = 1;
        const Value *first = r->ops.p[i];
        for (int k = i + 1; k < r->ops.n && group.n < MAX_GROUP; k++) {
            Value *v = r->ops.p[k];
            if (is_plain(v) && v->in[0] == first->in[0] && same_format(v, first) &&
                may_join(known->alone, g, v, &group.member[group.n]))
                group.n++;
        }
        if (group.n > 1)
            changed |= stack(c, g, &group);
    }
    return changed;
}

bool pass_qkv(PassContext *c)
{
    Known known;
    know_weights(c, &known);
    c->data = &known;
    return pass_regions(c, qkv_region);
}
