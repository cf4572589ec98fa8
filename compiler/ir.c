// ir.c - modules and what they hold; asking about values and changing uses.

#include <inttypes.h>
#include <string.h>

#include "ir.h"

// ---- modules ---------------------------------------------------------------------------

Module *module_new(Arena *a, const char *name)
{
    Module *m = NEW(a, Module);
    m->arena = a;
    m->sizes = sizes_new(a);
    m->name = arena_strdup(a, name);
    scope_new(m, NULL, NULL, NULL, NULL, (Loc){0, 0});  // 0, the root
    return m;
}

static const char *copy(Arena *a, const char *s)
{
    return s ? arena_strdup(a, s) : NULL;
}

Scope *scope_new(Module *m, Scope *parent, const char *name, const char *block,
                 const char *path, Loc loc)
{
    Scope *s = NEW(m->arena, Scope);
    s->parent = parent;
    s->name = copy(m->arena, name);
    s->block = copy(m->arena, block);
    s->path = copy(m->arena, path);
    s->library = parent && parent->library;
    s->loc = loc;
    s->id = m->scopes.n;
    vec_push(m->arena, &m->scopes, s);
    return s;
}

Region *region_new(Module *m, Value *owner)
{
    Region *r = NEW(m->arena, Region);
    r->owner = owner;
    return r;
}

Graph *graph_new(Module *m, const char *name)
{
    Graph *g = NEW(m->arena, Graph);
    g->module = m;
    g->name = arena_strdup(m->arena, name);
    g->body = region_new(m, NULL);
    vec_push(m->arena, &m->graphs, g);
    return g;
}

Graph *module_graph(const Module *m, const char *name)
{
    for (int i = 0; i < m->graphs.n; i++)
        if (strcmp(m->graphs.p[i]->name, name) == 0)
            return m->graphs.p[i];
    return NULL;
}

static Weight *find_weight(const Module *m, const char *path)
{
    for (int i = 0; i < m->weights_list.n; i++)
        if (strcmp(m->weights_list.p[i]->path, path) == 0)
            return m->weights_list.p[i];
    return NULL;
}

Weight *module_weight(Module *m, const char *path, Type type)
{
    Weight *w = find_weight(m, path);
    if (w)
        return w;
    w = NEW(m->arena, Weight);
    w->path = arena_strdup(m->arena, path);
    w->type = type;
    for (int k = 0; k < MAX_RANK; k++)
        w->stored[k] = k;
    w->scope = m->scopes.p[0];
    vec_push(m->arena, &m->weights_list, w);
    return w;
}

static State *find_state(const Module *m, const char *path)
{
    for (int i = 0; i < m->states.n; i++)
        if (strcmp(m->states.p[i]->path, path) == 0)
            return m->states.p[i];
    return NULL;
}

State *module_state(Module *m, const char *path, Type type)
{
    State *s = find_state(m, path);
    if (s)
        return s;
    s = NEW(m->arena, State);
    s->path = arena_strdup(m->arena, path);
    s->type = type;
    s->turns = 1;
    s->scope = m->scopes.p[0];
    vec_push(m->arena, &m->states, s);
    return s;
}

DimVar *module_dim(Module *m, const char *name, int64_t lo, int64_t hi, int64_t by)
{
    DimVar *d = NEW(m->arena, DimVar);
    d->name = arena_strdup(m->arena, name);
    d->lo = lo;
    d->hi = hi;
    d->by = by;
    d->id = m->dims.n;
    vec_push(m->arena, &m->dims, d);
    return d;
}

bool module_has_name(const Module *m, const char *name)
{
    for (int i = 0; i < m->dims.n; i++)
        if (strcmp(m->dims.p[i]->name, name) == 0)
            return true;
    for (int i = 0; i < m->tables.n; i++)
        if (strcmp(m->tables.p[i]->name, name) == 0)
            return true;
    return false;
}

static bool same_table(const TurnVar *v, int nranges, const TurnRange *range,
                       const int64_t *value)
{
    if (v->nranges != nranges)
        return false;
    for (int i = 0; i < nranges; i++)
        if (strcmp(v->range[i].index, range[i].index) != 0 ||
            v->range[i].lo != range[i].lo || v->range[i].n != range[i].n)
            return false;
    return memcmp(v->value, value, (size_t)turn_var_count(v) * sizeof *value) == 0;
}

// name, name2, name3...: is s one of those?
static bool is_name_of(const char *s, const char *name)
{
    size_t n = strlen(name);
    return strncmp(s, name, n) == 0 && strspn(s + n, "0123456789") == strlen(s + n);
}

TurnVar *module_table_new(Module *m, const char *name, int nranges,
                          const TurnRange *range, const int64_t *value)
{
    Arena *a = m->arena;
    TurnVar *v = NEW(a, TurnVar);
    v->name = arena_strdup(a, name);
    v->nranges = nranges;
    for (int i = 0; i < nranges; i++) {
        v->range[i] = range[i];
        v->range[i].index = arena_strdup(a, range[i].index);
    }
    const int64_t n = turn_var_count(v);
    int64_t *own = NEWN(a, int64_t, n);
    memcpy(own, value, (size_t)n * sizeof *own);
    v->value = own;
    v->lo = v->hi = own[0];
    for (int64_t i = 1; i < n; i++) {
        v->lo = own[i] < v->lo ? own[i] : v->lo;
        v->hi = own[i] > v->hi ? own[i] : v->hi;
    }
    v->id = m->tables.n;
    vec_push(a, &m->tables, v);
    return v;
}

TurnVar *module_table(Module *m, const char *name, int nranges, const TurnRange *range,
                      const int64_t *value)
{
    for (int i = 0; i < m->tables.n; i++)
        if (is_name_of(m->tables.p[i]->name, name) &&
            same_table(m->tables.p[i], nranges, range, value))
            return m->tables.p[i];
    const char *free_name = name;
    for (int i = 2; module_has_name(m, free_name); i++)
        free_name = arena_printf(m->arena, "%s%d", name, i);
    return module_table_new(m, free_name, nranges, range, value);
}

// ---- asking ----------------------------------------------------------------------------

static bool sizes_are_fixed(const Value *v)
{
    for (int k = 0; k < v->type.rank; k++)
        if (!size_is_fixed(v->type.dim[k].size))
            return false;
    for (int i = 0; i < v->nattr; i++)
        if (v->attr[i].kind == AT_SIZES || v->attr[i].kind == AT_SIZE)
            for (int k = 0; k < v->attr[i].n; k++)
                if (!size_is_fixed(v->attr[i].sizes[k]))
                    return false;
    return true;
}

// Values share operands, so a walk down can take exponentially long: the budget ends it,
// and what is not known to be constant is computed at run time, which is always right.
static bool is_const(const Value *v, int *budget)
{
    if (--*budget < 0 || v->type.rank < 0)
        return false;
    switch (v->op) {
    case OP_weight:
    case OP_const:
        return true;
    case OP_iota:
        return sizes_are_fixed(v);
    case OP_param:
    case OP_state:
    case OP_size:
    case OP_turn:
    case OP_repeat:
    case OP_item:
        return false;
    default:
        break;
    }
    if (v->nin == 0 || !sizes_are_fixed(v))
        return false;
    for (int i = 0; i < v->nin; i++)
        if (!is_const(v->in[i], budget))
            return false;
    return true;
}

bool value_is_const(const Value *v)
{
    int budget = 4096;
    return is_const(v, &budget);
}

bool value_is_scalar_const(const Value *v, double *x)
{
    if (v->op != OP_const || v->type.rank != 0)
        return false;
    const Attr *a = attr_find(v, "value");
    if (!a || a->kind != AT_NUM)
        return false;
    if (x)
        *x = a->num;
    return true;
}

Weight *value_weight(const Module *m, const Value *v)
{
    return v->op == OP_weight ? find_weight(m, attr_str(v, "path", "")) : NULL;
}

State *value_state(const Module *m, const Value *v)
{
    return v->op == OP_state ? find_state(m, attr_str(v, "path", "")) : NULL;
}

const char *value_state_path(const Value *v)
{
    while (v->op == OP_set_slice && v->nin > 0)
        v = v->in[0];
    return v->op == OP_state ? attr_str(v, "path", "") : NULL;
}

bool value_writes_state(const Value *v, const char *path)
{
    const char *own = v->op == OP_set_slice ? value_state_path(v) : NULL;
    if (own && !strcmp(own, path))
        return true;
    for (int i = 0; v->body && i < v->body->ops.n; i++)
        if (value_writes_state(v->body->ops.p[i], path))
            return true;
    return false;
}

static int uses_in(const Region *r, const Value *v)
{
    int n = 0;
    for (int i = 0; i < r->ops.n; i++) {
        const Value *u = r->ops.p[i];
        for (int k = 0; k < u->nin; k++)
            n += u->in[k] == v;
        if (u->body)
            n += uses_in(u->body, v);
    }
    for (int i = 0; i < r->yields.n; i++)
        n += r->yields.p[i] == v;
    return n;
}

int value_uses(const Graph *g, const Value *v)
{
    return uses_in(g->body, v);
}

int region_index(const Region *r, const Value *v)
{
    for (int i = 0; i < r->ops.n; i++)
        if (r->ops.p[i] == v)
            return i;
    return -1;
}

static void walk(Region *r, void (*f)(Value *v, void *ctx), void *ctx)
{
    for (int i = 0; i < r->params.n; i++)
        f(r->params.p[i], ctx);
    for (int i = 0; i < r->ops.n; i++) {
        Value *v = r->ops.p[i];
        if (v->body)
            walk(v->body, f, ctx);
        f(v, ctx);
    }
}

void graph_walk(Graph *g, void (*f)(Value *v, void *ctx), void *ctx)
{
    walk(g->body, f, ctx);
}

const char *path_at(Arena *a, const char *path, const char *index, int64_t turn)
{
    Text t;
    text_init(&t, a);
    size_t n = strlen(index);
    for (const char *p = path; *p;) {
        if (n && p[0] == '{' && strncmp(p + 1, index, n) == 0 && p[n + 1] == '}') {
            text_printf(&t, "%" PRId64, turn);
            p += n + 2;
        } else {
            text_put(&t, p++, 1);
        }
    }
    return t.p;
}

// ---- changing --------------------------------------------------------------------------

static void replace_in(Region *r, Value *old, Value *with)
{
    for (int i = 0; i < r->ops.n; i++) {
        Value *u = r->ops.p[i];
        for (int k = 0; k < u->nin; k++)
            if (u->in[k] == old)
                u->in[k] = with;
        if (u->body)
            replace_in(u->body, old, with);
    }
    for (int i = 0; i < r->yields.n; i++)
        if (r->yields.p[i] == old)
            r->yields.p[i] = with;
}

void replace_uses(Graph *g, Value *old, Value *with)
{
    if (old != with)
        replace_in(g->body, old, with);
}

void region_remove(Region *r, Value *v)
{
    int i = region_index(r, v);
    if (i < 0)
        bug("value is not in the region it is removed from");
    memmove(r->ops.p + i, r->ops.p + i + 1,
            (size_t)(r->ops.n - i - 1) * sizeof(*r->ops.p));
    r->ops.n--;
    v->region = NULL;
}
