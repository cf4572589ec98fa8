// oracle.c - running entries and constants through the plain evaluator.
//
// A run checks what a caller can get wrong (shapes, bounds of dims, the cursor), evaluates
// the entry, and only then keeps what was written to states and moves the cursor: a run
// that fails leaves both as they were.

#include "compiler/oracle_eval.h"

#include <string.h>

Oracle *oracle_new(Arena *a, Module *m, WeightSource source)
{
    Oracle *o = NEW(a, Oracle);
    o->arena = a;
    o->module = m;
    o->source = source;
    o->states = map_new(a);
    o->cache_arena = arena_new();
    o->cache = map_new(o->cache_arena);
    return o;
}

static void free_run(Oracle *o)
{
    for (int i = 0; i < MAX_TURNS; i++) {
        arena_free(o->inner[i]);
        o->inner[i] = NULL;
    }
    arena_free(o->run);
    o->run = NULL;
}

void oracle_free(Oracle *o)
{
    if (!o)
        return;
    free_run(o);
    arena_free(o->cache_arena);
    o->cache_arena = NULL;
}

void oracle_reset(Oracle *o)
{
    for (int i = 0; i < map_count(o->states); i++)
        state_reset(map_value(o->states, i));
    o->cursor = 0;
}

void oracle_tap(Oracle *o, Tap *tap, void *ctx)
{
    o->tap = tap;
    o->tap_ctx = ctx;
}

void oracle_nudge(Oracle *o, double size, uint64_t seed)
{
    o->nudge = size;
    o->noise = seed;
}

const Tensor *oracle_state(const Oracle *o, const char *path)
{
    const StateSlot *s = map_get(o->states, path);
    return s ? &s->kept : NULL;
}

// ---- a run -----------------------------------------------------------------------------

static void check_dim(Eval *e, const DimVar *d)
{
    int64_t n = e->dims[d->id];
    if (n < d->lo || n > d->hi)
        eval_fail(e, "%s is %lld, outside %lld..%lld", d->name, (long long)n,
                  (long long)d->lo, (long long)d->hi);
    if (d->by > 1 && n % d->by != 0)
        eval_fail(e, "%s is %lld, no multiple of %lld", d->name, (long long)n,
                  (long long)d->by);
}

// The dims that the shapes of the parameters are made of.
static void check_dims(Eval *e, const Graph *g)
{
    for (int i = 0; i < e->module->dims.n; i++) {
        const DimVar *d = e->module->dims.p[i];
        bool is_used = false;
        for (int p = 0; p < g->body->params.n; p++) {
            const Type *t = &g->body->params.p[p]->type;
            for (int k = 0; k < t->rank; k++)
                is_used = is_used || size_uses(t->dim[k].size, d);
        }
        if (is_used && d != g->cursor)
            check_dim(e, d);
    }
}

static void check_cursor(Eval *e, const Graph *g)
{
    const DimVar *p = g->cursor;
    if (!p)
        return;
    int64_t end = e->dims[p->id] + (g->advance ? eval_size(e, g->advance) : 0);
    if (end > p->hi)
        eval_fail(e, "%s%s%s is %lld, above %lld", p->name, g->advance ? " + " : "",
                  g->advance ? size_str(g->advance, e->arena) : "", (long long)end,
                  (long long)p->hi);
}

static void take_params(Eval *e, const Graph *g, const Tensor *in)
{
    for (int i = 0; i < g->body->params.n; i++) {
        const Value *p = g->body->params.p[i];
        Tensor t = eval_shape(e, &p->type);
        if (in[i].rank != t.rank ||
            memcmp(in[i].dim, t.dim, (size_t)t.rank * sizeof(*t.dim)) != 0)
            eval_fail(e, "%s is not of the shape %s", p->name ? p->name : "a parameter",
                      type_str(&p->type, e->arena));
        t.data = in[i].data;
        e->slot[p->id].t = t;
    }
}

static void commit(Oracle *o, const Eval *e, const Graph *g, Tensor *out)
{
    for (int i = 0; i < g->body->yields.n; i++)
        out[i] = e->slot[g->body->yields.p[i]->id].t;
    for (int i = 0; i < map_count(o->states); i++) {
        StateSlot *s = map_value(o->states, i);
        if (s->is_written && s->kept.n > 0)
            memcpy(s->kept.data, s->next.data, (size_t)s->kept.n * sizeof(double));
    }
    if (g->cursor && g->advance)
        o->cursor += size_eval(g->advance, e->dims);
}

bool oracle_run(Oracle *o, Graph *g, int64_t *dims, const Tensor *in, Tensor *out,
                const char **why)
{
    free_run(o);
    o->run = arena_new();
    for (int i = 0; i < map_count(o->states); i++)
        ((StateSlot *)map_value(o->states, i))->is_written = false;
    if (g->cursor)
        dims[g->cursor->id] = o->cursor;
    Eval *e = NEW(o->run, Eval);
    e->oracle = o;
    e->arena = o->run;
    e->module = o->module;
    e->source = o->source;
    e->slot = NEWN(o->run, Slot, g->nvalues + 1);
    e->dims = dims;
    if (setjmp(e->fail)) {
        *why = e->why;
        return false;
    }
    check_dims(e, g);
    check_cursor(e, g);
    take_params(e, g, in);
    eval_region(e, g->body);
    commit(o, e, g, out);
    return true;
}

// ---- one constant ----------------------------------------------------------------------

static int largest_in_body(const Region *r)
{
    int id = 0;
    for (int i = 0; i < r->params.n; i++)
        id = r->params.p[i]->id > id ? r->params.p[i]->id : id;
    for (int i = 0; i < r->ops.n; i++)
        id = r->ops.p[i]->id > id ? r->ops.p[i]->id : id;
    return id;
}

// Over all that v is computed from; the walk is as bounded as value_is_const's.
static int largest_id(const Value *v)
{
    int id = v->id;
    for (int i = 0; i < v->nin; i++) {
        int below = largest_id(v->in[i]);
        id = below > id ? below : id;
    }
    int inside = v->body ? largest_in_body(v->body) : 0;
    return inside > id ? inside : id;
}

static void demand(Eval *e, const Value *v)
{
    if (e->slot[v->id].is_done)
        return;
    for (int i = 0; i < v->nin; i++)
        demand(e, v->in[i]);
    eval_value(e, v);
}

static bool computed(Eval *e, const Value *v, Arena *a, Tensor *out, const char **why)
{
    if (setjmp(e->fail)) {
        if (why)
            *why = arena_strdup(a, e->why);
        return false;
    }
    demand(e, v);
    *out = tensor_copy(a, &e->slot[v->id].t);
    return true;
}

bool oracle_const(Arena *a, Module *m, WeightSource source, const Value *v, int nturns,
                  const Turn *turns, Tensor *out, const char **why)
{
    if (nturns > MAX_TURNS)
        bug("%d repeats around a constant", nturns);
    Arena *scratch = arena_new();
    Guard g;
    if (GUARD_SET(&g)) {
        arena_free(scratch);
        guard_again(&g);
    }
    Eval *e = NEW(scratch, Eval);
    e->arena = scratch;
    e->module = m;
    e->source = source;
    e->slot = NEWN(scratch, Slot, largest_id(v) + 1);
    e->dims = NEWN(scratch, int64_t, m->dims.n + 1);
    e->nturns = nturns;
    if (nturns > 0)
        memcpy(e->turn, turns, (size_t)nturns * sizeof(*turns));
    bool is_good = computed(e, v, a, out, why);
    guard_drop(&g);
    arena_free(scratch);
    return is_good;
}
