// bodies.c - gathers elementwise values into the body of a map or linear.
//
// A body sees only itself: operands from the graph become its params, one each, and
// numbers become constants inside it. A map that goes in brings its own body along.

#include "pass.h"

void body_bind(Body *b, Value *v, Value *x)
{
    vec_push(b->scratch, &b->outer, v);
    vec_push(b->scratch, &b->inner, x);
}

static Value *bound(const Body *b, const Value *v)
{
    for (int i = b->outer.n - 1; i >= 0; i--)
        if (b->outer.p[i] == v)
            return b->inner.p[i];
    return NULL;
}

// A copy of a value over scalars, operands given.
static Value *put(Body *b, const Value *v, Value *const *in)
{
    Value *x = value_new(b->g, v->op, v->nin, in, v->nattr, v->attr);
    x->type = type_scalar(v->type.dtype);
    x->scope = v->scope;
    x->loc = v->loc;
    if (!value_infer(b->g, x, NULL))
        bug("%s does not fit into a body", op_info[v->op].name);
    region_insert(b->g->module, b->region, -1, x);
    return x;
}

static Value *operand(Body *b, Value *v)
{
    Value *x = bound(b, v);
    double number;
    if (x)
        return x;
    if (is_number(v, &number)) {
        Attr a = attr_make_num("value", number);
        Value *k = value_new(b->g, OP_const, 0, NULL, 1, &a);
        k->type = type_scalar(v->type.dtype);
        k->scope = v->scope;
        k->loc = v->loc;
        region_insert(b->g->module, b->region, -1, k);
        x = k;
    } else {
        x = build_param(b->g, b->region, NULL, type_scalar(v->type.dtype));
        vec_push(b->scratch, &b->in, v);
    }
    body_bind(b, v, x);
    return x;
}

static Value *add_one(Body *b, Value *v)
{
    Value **in = NEWN(b->scratch, Value *, v->nin);
    for (int i = 0; i < v->nin; i++)
        in[i] = operand(b, v->in[i]);
    return put(b, v, in);
}

Value *body_add(Body *b, Value *v)
{
    Value *x;
    if (v->op == OP_map) {
        for (int i = 0; i < v->nin; i++)
            body_bind(b, v->body->params.p[i], operand(b, v->in[i]));
        for (int i = 0; i < v->body->ops.n; i++)
            body_bind(b, v->body->ops.p[i], add_one(b, v->body->ops.p[i]));
        x = bound(b, v->body->yields.p[0]);
    } else {
        x = add_one(b, v);
    }
    body_bind(b, v, x);
    return x;
}

bool is_body_value(const Value *v)
{
    return (is_elementwise(v) || v->op == OP_map) && !value_is_const(v);
}
