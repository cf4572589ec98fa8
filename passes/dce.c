// dce - takes out what no result and no state needs.
//
//     y = exp(x)                                  yield x
//     yield x                            =>
//
// A value is needed by the results of its graph, by the state it writes, or by what is
// needed. A carried value of a repeat is needed if its result or its body needs it; else
// the repeat stops carrying it.

#include "pass.h"

typedef struct Marks {
    bool *needed;  // by Value.id; a carried param: that place is carried
    Arena *scratch;
    VEC(Value *) todo;
} Marks;

static void need(Marks *m, Value *v)
{
    if (m->needed[v->id])
        return;
    m->needed[v->id] = true;
    vec_push(m->scratch, &m->todo, v);
}

static int param_index(const Region *r, const Value *v)
{
    for (int i = 0; i < r->params.n; i++)
        if (r->params.p[i] == v)
            return i;
    return -1;
}

// State writes are needed, and with them the repeats they stand in.
static void need_writes(Marks *m, Region *r)
{
    for (int i = 0; i < r->ops.n; i++) {
        Value *v = r->ops.p[i];
        if (v->op == OP_set_slice && is_version(v)) {
            need(m, v);
            for (Value *owner = r->owner; owner; owner = owner->region->owner)
                need(m, owner);
        }
        if (v->op == OP_repeat)
            need_writes(m, v->body);
    }
}

// What a needed value makes needed.
static void follow(Marks *m, Value *v)
{
    Region *r = v->region;
    if (v->op == OP_param) {
        Value *owner = r->owner;
        int i = param_index(r, v);
        if (!owner || owner->op != OP_repeat || i < 0)
            return;
        need(m, owner);
        need(m, owner->in[i]);
        need(m, r->yields.p[i]);
        return;
    }
    if (v->op == OP_item) {
        need(m, v->in[0]);
        need(m, v->in[0]->body->params.p[attr_int(v, "i", 0)]);
        return;
    }
    if (v->op == OP_repeat)
        return;  // its operands only as they are carried
    for (int i = 0; i < v->nin; i++)
        need(m, v->in[i]);
    for (int i = 0; v->body && i < v->body->yields.n; i++)
        need(m, v->body->yields.p[i]);
}

typedef struct Gap {
    Module *module;
    const Value *repeat;
    int place;
} Gap;

static void move_item_up(Value *v, void *ctx)
{
    const Gap *gap = ctx;
    if (v->op != OP_item || v->in[0] != gap->repeat)
        return;
    int64_t i = attr_int(v, "i", 0);
    if (i > gap->place)
        attr_set(gap->module, v, attr_make_int("i", i - 1));
}

// Takes place i out of a repeat; the items after it move up.
static void stop_carrying(Graph *g, Value *repeat, int i)
{
    Region *b = repeat->body;
    for (int k = i; k + 1 < repeat->nin; k++) {
        repeat->in[k] = repeat->in[k + 1];
        b->params.p[k] = b->params.p[k + 1];
        b->yields.p[k] = b->yields.p[k + 1];
    }
    repeat->nin--;
    b->params.n--;
    b->yields.n--;
    Gap gap = {.module = g->module, .repeat = repeat, .place = i};
    graph_walk(g, move_item_up, &gap);
}

static bool sweep(const Marks *m, Graph *g, Region *r)
{
    int kept = 0, before = r->ops.n;
    bool changed = false;
    for (int i = 0; i < before; i++) {
        Value *v = r->ops.p[i];
        if (m->needed[v->id])
            r->ops.p[kept++] = v;
        else
            v->region = NULL;
    }
    r->ops.n = kept;
    for (int i = 0; i < r->ops.n; i++) {
        Value *v = r->ops.p[i];
        if (v->op == OP_repeat)
            for (int k = v->nin - 1; k >= 0; k--)
                if (!m->needed[v->body->params.p[k]->id]) {
                    stop_carrying(g, v, k);
                    changed = true;
                }
        if (v->body)
            changed |= sweep(m, g, v->body);
    }
    return changed || kept != before;
}

bool pass_dce(PassContext *c)
{
    bool changed = false;
    for (int i = 0; i < c->module->graphs.n; i++) {
        Graph *g = c->module->graphs.p[i];
        Marks m = {.scratch = c->scratch};
        m.needed = NEWN(c->scratch, bool, g->nvalues + 1);
        for (int k = 0; k < g->body->yields.n; k++)
            need(&m, g->body->yields.p[k]);
        need_writes(&m, g->body);
        while (m.todo.n)
            follow(&m, m.todo.p[--m.todo.n]);
        changed |= sweep(&m, g, g->body);
    }
    return changed;
}
