// rewrite.c - what passes share: walking regions, asking, moving and replacing values.

#include "pass.h"

#include <math.h>
#include <string.h>

// ---- walking ---------------------------------------------------------------------------

static bool walk_regions(PassContext *c, Graph *g, Region *r, RegionPass *f)
{
    bool changed = false;
    for (int i = 0; i < r->ops.n; i++)
        if (r->ops.p[i]->op == OP_repeat)
            changed |= walk_regions(c, g, r->ops.p[i]->body, f);
    return f(c, g, r) || changed;
}

bool pass_regions(PassContext *c, RegionPass *f)
{
    bool changed = false;
    for (int i = 0; i < c->module->graphs.n; i++) {
        Graph *g = c->module->graphs.p[i];
        changed |= walk_regions(c, g, g->body, f);
    }
    return changed;
}

// ---- building and replacing ------------------------------------------------------------

Builder build_before(PassContext *c, Graph *g, Value *at)
{
    return (Builder){
        .graph = g,
        .region = at->region,
        .at = region_index(at->region, at),
        .scope = at->scope,
        .loc = at->loc,
        .diag = diag_new(c->scratch),
    };
}

void replace_value(Graph *g, Value *old, Value *with)
{
    replace_uses(g, old, with);
    if (!with->name && with->op != OP_param)
        with->name = old->name;
    region_remove(old->region, old);
}

// ---- asking ----------------------------------------------------------------------------

bool is_elementwise(const Value *v)
{
    return op_info[v->op].class == OPC_MAP || v->op == OP_cast;
}

bool is_number(const Value *v, double *x)
{
    while ((v->op == OP_expand || v->op == OP_reshape) && v->nin == 1)
        v = v->in[0];
    return value_is_scalar_const(v, x);
}

bool is_zero(const Value *v)
{
    double x;
    return is_number(v, &x) && x == 0 && !signbit(x);
}

bool only_use(const Graph *g, const Value *v)
{
    return value_uses(g, v) == 1;
}

bool same_shape(const Value *a, const Value *b)
{
    return type_same_shape(&a->type, &b->type);
}

bool scope_within(const Scope *inner, const Scope *outer)
{
    for (; inner; inner = inner->parent)
        if (inner == outer)
            return true;
    return false;
}

Scope *common_scope(Scope *a, Scope *b)
{
    while (a && !scope_within(b, a))
        a = a->parent;
    return a ? a : b;
}

// ---- states ----------------------------------------------------------------------------

bool is_version(const Value *v)
{
    return value_state_path(v) != NULL;
}

bool written_between(const Value *x, const Value *at)
{
    const char *path = value_state_path(x);
    if (!path)
        return false;
    const Region *r = at->region;
    int first = x->region == r ? region_index(r, x) + 1 : 0;
    for (int i = first; i < r->ops.n; i++) {
        if (value_writes_state(r->ops.p[i], path))
            return true;
        if (r->ops.p[i] == at)
            break;
    }
    return false;
}

// ---- moving ----------------------------------------------------------------------------

bool can_move_down(const Value *x, const Value *at)
{
    if (x->region != at->region || x->op == OP_state || x->op == OP_set_slice)
        return false;
    for (int i = 0; i < x->nin; i++)
        if (written_between(x->in[i], at))
            return false;
    return true;
}

static bool defined_before(const Value *v, const Value *at)
{
    const Region *r = at->region;
    if (v->region != r)
        return true;  // around it: v is an operand of something in r
    if (v->op == OP_param)
        return true;
    return region_index(r, v) < region_index(r, at);
}

bool hoist_constant(Graph *g, Value *v, Value *at)
{
    if (defined_before(v, at))
        return true;
    if (!value_is_const(v))
        return false;
    for (int i = 0; i < v->nin; i++)
        if (!hoist_constant(g, v->in[i], at))
            return false;
    Region *r = at->region;
    region_remove(r, v);
    region_insert(g->module, r, region_index(r, at), v);
    return true;
}
