// fuse - chains and trees of elementwise values become one map.
//
//     a = mul(x, y)                               b = map(x, y) do (s, t) {
//     b = silu(a)                        =>           a = mul(s, t)
//                                                     b = silu(a)
//                                                     yield b
//                                                 }
//
// A map reads its operands once and writes once. From its last value upwards it takes in
// what only it uses and what has its shape: a smaller value is not computed anew for
// every element. A callee's value does not leave its function for its caller's, except
// from the library's.

#include "pass.h"

typedef struct Set {
    Value *root;
    VEC(Value *) member;  // the root first, then upwards
    Arena *scratch;
} Set;

static bool contains(const Set *s, const Value *v)
{
    for (int i = 0; i < s->member.n; i++)
        if (s->member.p[i] == v)
            return true;
    return false;
}

static int uses_inside(const Set *s, const Value *v)
{
    int n = 0;
    for (int i = 0; i < s->member.n; i++)
        for (int k = 0; k < s->member.p[i]->nin; k++)
            n += s->member.p[i]->in[k] == v;
    return n;
}

// Operands that the map of this set would have.
static int count_operands(const Set *s)
{
    VEC(const Value *) seen = {0};
    for (int i = 0; i < s->member.n; i++)
        for (int k = 0; k < s->member.p[i]->nin; k++) {
            const Value *x = s->member.p[i]->in[k];
            bool had = contains(s, x) || is_number(x, NULL);
            for (int j = 0; j < seen.n && !had; j++)
                had = seen.p[j] == x;
            if (!had)
                vec_push(s->scratch, &seen, x);
        }
    return seen.n;
}

static bool scope_allows(const Value *v, const Value *root)
{
    return v->scope->library || scope_within(root->scope, v->scope);
}

static bool may_join(Graph *g, const Set *s, Value *v)
{
    int inside = uses_inside(s, v);
    return inside > 0 && is_body_value(v) && same_shape(v, s->root) &&
           scope_allows(v, s->root) && can_move_down(v, s->root) &&
           value_uses(g, v) == inside;
}

static void gather(Graph *g, Set *s)
{
    Region *r = s->root->region;
    for (int i = region_index(r, s->root) - 1; i >= 0; i--) {
        Value *v = r->ops.p[i];
        if (!may_join(g, s, v))
            continue;
        vec_push(s->scratch, &s->member, v);
        if (count_operands(s) > MAX_MAP_OPERANDS)
            s->member.n--;
    }
}

static void make_map(PassContext *c, Graph *g, Set *s)
{
    Value *root = s->root;
    Body body = {.g = g, .scratch = c->scratch, .region = region_new(g->module, NULL)};
    Value *last = NULL;
    for (int i = s->member.n - 1; i >= 0; i--)
        last = body_add(&body, s->member.p[i]);
    vec_push(g->module->arena, &body.region->yields, last);
    Builder b = build_before(c, g, root);
    b.diag = NULL;
    Value *map = build_body(&b, OP_map, body.in.n, body.in.p, body.region);
    replace_value(g, root, map);
    for (int i = 1; i < s->member.n; i++)
        region_remove(map->region, s->member.p[i]);
}

static bool fuse_region(PassContext *c, Graph *g, Region *r)
{
    bool changed = false;
    for (int i = r->ops.n - 1; i >= 0; i--) {
        Value *root = r->ops.p[i];
        Set s = {.root = root, .scratch = c->scratch};
        if (!is_body_value(root) || root->type.rank == 0)
            continue;
        vec_push(c->scratch, &s.member, root);
        gather(g, &s);
        if (s.member.n < 2)
            continue;
        int taken = s.member.n - 1;
        make_map(c, g, &s);
        i -= taken;  // what it took in stood above it
        changed = true;
    }
    return changed;
}

bool pass_fuse(PassContext *c)
{
    return pass_regions(c, fuse_region);
}
