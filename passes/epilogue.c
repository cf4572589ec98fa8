// epilogue - elementwise work sinks into the linear before it.
//
//     s = linear(x, w)                            y = linear(x, w, b) do (s, c) {
//     a = add(s, b)                                   a = add(s, c)
//     y = gelu(a)                        =>           y = gelu(a)
//                                                     yield y
//                                                 }
//
// So the sum is finished while it is still in registers. The linear moves down to where
// its only user stood, and takes it in: bias, activation, residual, gate; other operands
// become operands of the linear. It keeps its scope: a caller's residual goes into the
// callee. Of two linears in one sum the later one takes it.

#include "pass.h"

// The only value that uses v, in v's region; NULL: there are others, or a yield.
static Value *only_user(Graph *g, const Value *v)
{
    Value *user = NULL;
    int n = 0;
    const Region *r = v->region;
    for (int i = 0; i < r->ops.n && !user; i++)
        for (int k = 0; k < r->ops.p[i]->nin; k++)
            if (r->ops.p[i]->in[k] == v) {
                user = r->ops.p[i];
                n++;
            }
    return user && value_uses(g, v) == n ? user : NULL;
}

// True if another linear among the operands of user should take it.
static bool is_for_another(Graph *g, const Value *linear, const Value *user)
{
    const Region *r = linear->region;
    for (int i = 0; i < user->nin; i++) {
        const Value *x = user->in[i];
        if (x != linear && x->op == OP_linear && x->region == r &&
            same_shape(x, user) && region_index(r, x) > region_index(r, linear) &&
            only_user(g, x) == user)
            return true;
    }
    return false;
}

static int new_operands(const Value *linear, const Value *user)
{
    int n = 0;
    for (int i = 0; i < user->nin; i++) {
        bool had = user->in[i] == linear || is_number(user->in[i], NULL);
        for (int k = 2; k < linear->nin && !had; k++)
            had = linear->in[k] == user->in[i];
        for (int k = 0; k < i && !had; k++)
            had = user->in[k] == user->in[i];
        n += !had;
    }
    return n;
}

static bool may_sink(Graph *g, const Value *linear, const Value *user)
{
    return user && is_body_value(user) && same_shape(linear, user) &&
           linear->type.dtype == user->type.dtype && can_move_down(linear, user) &&
           linear->nin + new_operands(linear, user) <= MAX_MAP_OPERANDS &&
           !is_for_another(g, linear, user);
}

// The linear with its user taken in, standing where the user did.
static void sink(PassContext *c, Graph *g, Value *linear, Value *user)
{
    Body body = {.g = g, .scratch = c->scratch, .region = linear->body};
    Region *r = linear->body;
    for (int i = 0; i < linear->nin; i++) {
        vec_push(c->scratch, &body.in, linear->in[i]);
        if (i >= 2)
            body_bind(&body, linear->in[i], r->params.p[i - 1]);
    }
    body_bind(&body, linear, r->yields.p[0]);
    r->yields.p[0] = body_add(&body, user);
    Builder b = build_before(c, g, user);
    b.scope = linear->scope;
    b.diag = NULL;
    Value *y = build_body(&b, OP_linear, body.in.n, body.in.p, r);
    for (int i = 0; i < linear->nattr; i++)
        attr_set(c->module, y, linear->attr[i]);
    replace_value(g, user, y);
    region_remove(linear->region, linear);
}

static bool epilogue_region(PassContext *c, Graph *g, Region *r)
{
    bool changed = false;
    for (int i = 0; i < r->ops.n;) {
        Value *v = r->ops.p[i];
        Value *user = v->op == OP_linear ? only_user(g, v) : NULL;
        if (!may_sink(g, v, user)) {
            i++;
            continue;
        }
        sink(c, g, v, user);  // the next value has moved to i
        changed = true;
    }
    return changed;
}

bool pass_epilogue(PassContext *c)
{
    return pass_regions(c, epilogue_region);
}
