// ir_build.c - making values where a Builder stands.

#include <string.h>

#include "ops.h"

Value *value_new(Graph *g, Op op, int nin, Value *const *in, int nattr,
                 const Attr *attr)
{
    Arena *a = g->module->arena;
    Value *v = NEW(a, Value);
    v->op = op;
    v->id = g->nvalues++;
    v->nin = nin;
    v->in = NEWN(a, Value *, nin);
    if (nin)
        memcpy(v->in, in, (size_t)nin * sizeof(*in));
    v->nattr = nattr;
    v->attr = NEWN(a, Attr, nattr);
    for (int i = 0; i < nattr; i++)
        v->attr[i] = attr_copy(a, attr[i]);
    v->scope = g->module->scopes.p[0];
    return v;
}

void region_insert(Module *m, Region *r, int at, Value *v)
{
    vec_push(m->arena, &r->ops, v);
    if (at >= 0 && at < r->ops.n - 1) {
        memmove(r->ops.p + at + 1, r->ops.p + at,
                (size_t)(r->ops.n - 1 - at) * sizeof(*r->ops.p));
        r->ops.p[at] = v;
    }
    v->region = r;
}

static Value *place(Builder *b, Value *v)
{
    if (b->scope)
        v->scope = b->scope;
    v->loc = b->loc;
    region_insert(b->graph->module, b->region, b->at, v);
    if (b->at >= 0)
        b->at++;
    return v;
}

bool value_infer(Graph *g, Value *v, Diag *d)
{
    Infer c = {
        .module = g->module, .sizes = g->module->sizes, .diag = d, .loc = v->loc};
    return infer_type(&c, v);
}

// The epilogue of a linear that has none: its sum as it is.
static Region *plain_epilogue(Graph *g, Value *linear)
{
    Region *r = region_new(g->module, linear);
    Value *sum = build_param(g, r, NULL, type_scalar(linear->in[0]->type.dtype));
    for (int i = 2; i < linear->nin; i++)
        build_param(g, r, NULL, type_scalar(linear->in[i]->type.dtype));
    vec_push(g->module->arena, &r->yields, sum);
    return r;
}

Value *build_body(Builder *b, Op op, int nin, Value *const *in, Region *body)
{
    Value *v = value_new(b->graph, op, nin, in, 0, NULL);
    v->loc = b->loc;
    if (b->scope)
        v->scope = b->scope;
    v->body = body;
    if (body)
        body->owner = v;
    else if (op == OP_linear && nin >= 2)
        v->body = plain_epilogue(b->graph, v);
    if (!value_infer(b->graph, v, b->diag))
        return NULL;
    return place(b, v);
}

Value *build(Builder *b, Op op, int nin, Value *const *in, int nattr, const Attr *attr)
{
    if (op_info[op].arity >= 0 && op_info[op].arity != nin)
        bug("%s built with %d operands", op_info[op].name, nin);
    if (op == OP_linear) {
        Value *linear = build_body(b, op, nin, in, NULL);
        for (int i = 0; linear && i < nattr; i++)
            attr_set(b->graph->module, linear, attr[i]);
        return linear;
    }
    Value *v = value_new(b->graph, op, nin, in, nattr, attr);
    v->loc = b->loc;
    if (!value_infer(b->graph, v, b->diag))
        return NULL;
    return place(b, v);
}

Value *build1(Builder *b, Op op, Value *x)
{
    return build(b, op, 1, &x, 0, NULL);
}

Value *build2(Builder *b, Op op, Value *x, Value *y)
{
    Value *in[] = {x, y};
    return build(b, op, 2, in, 0, NULL);
}

Value *build_const(Builder *b, DType d, double x)
{
    Attr a = attr_make_num("value", x);
    Value *v = value_new(b->graph, OP_const, 0, NULL, 1, &a);
    v->type = type_scalar(d);
    return place(b, v);
}

Value *build_weight(Builder *b, Weight *w)
{
    Attr a = attr_make_str("path", w->path);
    Value *v = value_new(b->graph, OP_weight, 0, NULL, 1, &a);
    v->type = w->type;
    return place(b, v);
}

Value *build_param(Graph *g, Region *r, const char *name, Type t)
{
    Value *v = value_new(g, OP_param, 0, NULL, 0, NULL);
    v->type = t;
    v->name = name ? arena_strdup(g->module->arena, name) : NULL;
    v->region = r;
    if (r->owner)
        v->scope = r->owner->scope;
    vec_push(g->module->arena, &r->params, v);
    return v;
}

Value *build_repeat(Builder *b, const char *index, const Size *lo, const Size *hi,
                    int n, Value *const *init)
{
    const Size *range[] = {lo, hi};
    Attr attr[] = {attr_make_str("index", index), attr_make_sizes("range", 2, range)};
    Value *v = value_new(b->graph, OP_repeat, n, init, 2, attr);
    v->type.rank = -1;
    place(b, v);
    v->body = region_new(b->graph->module, v);
    for (int i = 0; i < n; i++)
        build_param(b->graph, v->body, init[i]->name, init[i]->type);
    return v;
}

Value *build_item(Builder *b, Value *tuple, int i)
{
    Attr a = attr_make_int("i", i);
    return build(b, OP_item, 1, &tuple, 1, &a);
}
