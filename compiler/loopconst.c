// loopconst.c - the packed constants of a program, of all its entries, as one graph.

#include "loopread.h"

typedef struct Copier {
    Module *m;
    Graph *g;
    Map *made;  // by weight path or address
} Copier;

static Value *copy_value(Copier *c, Region *into, const Value *v);

static Region *copy_body(Copier *c, const Value *v, Value *owner)
{
    Region *r = region_new(c->m, owner);
    for (int i = 0; i < v->body->params.n; i++) {
        const Value *param = v->body->params.p[i];
        Value *own = build_param(c->g, r, param->name, param->type);
        map_set(c->made, arena_printf(c->m->arena, "%p", (const void *)param), own);
    }
    for (int i = 0; i < v->body->ops.n; i++)
        copy_value(c, r, v->body->ops.p[i]);
    for (int i = 0; i < v->body->yields.n; i++)
        vec_push(c->m->arena, &r->yields, copy_value(c, r, v->body->yields.p[i]));
    return r;
}

static Value *copy_value(Copier *c, Region *into, const Value *v)
{
    Arena *a = c->m->arena;
    const char *key = v->op == OP_weight
                          ? arena_printf(a, "weight %s", attr_str(v, "path", ""))
                          : arena_printf(a, "%p", (const void *)v);
    Value *own = map_get(c->made, key);
    if (own)
        return own;
    Value **in = NEWN(a, Value *, v->nin + 1);
    for (int i = 0; i < v->nin; i++)
        in[i] = copy_value(c, into, v->in[i]);
    own = value_new(c->g, v->op, v->nin, in, v->nattr, v->attr);
    own->type = v->type;
    own->name = v->name;
    own->scope = v->scope;
    if (v->body)
        own->body = copy_body(c, v, own);
    region_insert(c->m, into, -1, own);
    map_set(c->made, key, own);
    return own;
}

Graph *loop_constants(const Prog *p, Arena *a)
{
    Module *m = NEW(a, Module);
    *m = *p->module;
    m->arena = a;
    m->graphs.n = m->graphs.cap = 0;
    m->graphs.p = NULL;
    Copier c = {m, graph_new(m, "constants"), map_new(a)};
    for (int i = 0; i < p->packed.n; i++)
        vec_push(a, &c.g->body->yields,
                 copy_value(&c, c.g->body, p->packed.p[i]->value));
    return c.g;
}
