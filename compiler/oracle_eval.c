// oracle_eval.c - how the oracle evaluates values, regions and bodies.
//
// Values are evaluated in the order of their regions into slots, one a value; a repeat does
// its body once a turn with the turns in `turn`, in an Arena of its own that goes with the
// turn. What the tensors of a run do not change is shared, so a tensor is never written
// after its value is evaluated. A run that fails leaves states and cursor as they were.

#include "compiler/oracle_eval.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_BYTES  ((size_t)256 << 20)  // of weights kept between runs
#define MAX_ELEMENTS ((int64_t)1 << 48)

// ---- for ops ---------------------------------------------------------------------------

const Tensor *eval_in(Eval *e, const Value *v, int i)
{
    return &e->slot[v->in[i]->id].t;
}

int64_t eval_size(Eval *e, const Size *s)
{
    return size_eval_at(s, e->dims, e->nturns, e->turn);
}

void eval_fail(Eval *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    e->why = arena_vprintf(e->oracle ? e->oracle->run : e->arena, fmt, ap);
    va_end(ap);
    longjmp(e->fail, 1);
}

// The top bit of splitmix64.
double eval_nudge(Eval *e)
{
    if (!e->oracle || e->oracle->nudge == 0)
        return 0;
    uint64_t z = e->oracle->noise += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z >> 63 ? e->oracle->nudge : -e->oracle->nudge;
}

Module *eval_module(Eval *e, Arena **scratch)
{
    *scratch = e->arena;
    return e->module;
}

double *eval_scratch(Eval *e, int64_t n)
{
    return NEWN(e->arena, double, n > 0 ? n : 1);
}

// ---- tensors ---------------------------------------------------------------------------

Tensor eval_shape(Eval *e, const Type *type)
{
    Tensor t = {.dtype = type->dtype, .rank = type->rank, .n = 1};
    for (int k = 0; k < type->rank; k++) {
        t.dim[k] = eval_size(e, type->dim[k].size);
        if (t.dim[k] < 0)
            eval_fail(e, "axis %d of %s has size %lld", k, type_str(type, e->arena),
                      (long long)t.dim[k]);
        if (t.dim[k] > 0 && t.n > MAX_ELEMENTS / t.dim[k])
            eval_fail(e, "%s has too many elements", type_str(type, e->arena));
        t.n *= t.dim[k];
    }
    return t;
}

static Tensor tensor_new(Eval *e, const Type *type)
{
    Tensor t = eval_shape(e, type);
    t.data = eval_scratch(e, t.n);
    return t;
}

static void copy_data(Tensor *to, const Tensor *from)
{
    if (from->n > 0)
        memcpy(to->data, from->data, (size_t)from->n * sizeof(double));
}

Tensor tensor_copy(Arena *a, const Tensor *t)
{
    Tensor c = *t;
    c.data = NEWN(a, double, t->n > 0 ? t->n : 1);
    copy_data(&c, t);
    return c;
}

// ---- weights, constants, states ----------------------------------------------------------

static const char *path_now(Eval *e, const char *path)
{
    for (int i = e->nturns - 1; i >= 0; i--)
        path = path_at(e->arena, path, e->turn[i].index, e->turn[i].turn);
    return path;
}

// From the order of the file to that of the type: axis k of the file is stored[k].
static void unstore(const Weight *w, const double *file, Tensor *t)
{
    int64_t stride[MAX_RANK], at[MAX_RANK] = {0};
    tensor_strides(t, stride);
    for (int64_t i = 0; i < t->n; i++) {
        int64_t to = 0;
        for (int k = 0; k < t->rank; k++)
            to += at[k] * stride[w->stored[k]];
        t->data[to] = file[i];
        for (int k = t->rank - 1; k >= 0; k--) {
            if (++at[k] < t->dim[w->stored[k]])
                break;
            at[k] = 0;
        }
    }
}

static void read_weight(Eval *e, const Weight *w, const char *name, Tensor *t)
{
    bool in_order = true;
    for (int k = 0; k < t->rank; k++)
        in_order = in_order && w->stored[k] == k;
    double *file = in_order ? t->data : eval_scratch(e, t->n);
    if (!e->source.read || !e->source.read(e->source.ctx, name, t->n, file))
        eval_fail(e, "weight `%s` cannot be read", name);
    if (!in_order)
        unstore(w, file, t);
}

static Tensor eval_weight(Eval *e, const Value *v)
{
    const Weight *w = value_weight(e->module, v);
    if (!w)
        bug("weight `%s` is not declared", attr_str(v, "path", ""));
    const char *name = path_now(e, w->path);
    Oracle *o = e->oracle;
    const char *key = arena_printf(e->arena, "%s as %s", name, w->path);
    const Tensor *known = o ? map_get(o->cache, key) : NULL;
    if (known)
        return *known;
    Tensor t = eval_shape(e, &w->type);
    size_t bytes = (size_t)t.n * sizeof(double);
    bool keep = o && arena_bytes(o->cache_arena) + bytes <= CACHE_BYTES;
    t.data = NEWN(keep ? o->cache_arena : e->arena, double, t.n > 0 ? t.n : 1);
    read_weight(e, w, name, &t);
    if (keep) {
        Tensor *entry = NEW(o->cache_arena, Tensor);
        *entry = t;
        map_set(o->cache, key, entry);
    }
    return t;
}

static Tensor eval_const(Eval *e, const Value *v)
{
    Tensor t = tensor_new(e, &v->type);
    const char *p = attr_str(v, "values", NULL);
    if (!p) {
        for (int64_t i = 0; i < t.n; i++)
            t.data[i] = attr_num(v, "value", 0);
        return t;
    }
    for (int64_t i = 0; i < t.n; i++) {
        char *end;
        t.data[i] = strtod(p, &end);
        if (end == p)
            eval_fail(e, "a constant has %lld values, not %lld", (long long)i,
                      (long long)t.n);
        p = end + strspn(end, ", \t\n");
    }
    return t;
}

void state_reset(StateSlot *s)
{
    for (int64_t i = 0; i < s->kept.n; i++)
        s->kept.data[i] = s->state->init;
}

static StateSlot *state_slot(Eval *e, const Value *v)
{
    const State *state = value_state(e->module, v);
    Oracle *o = e->oracle;
    if (!state || !o)
        bug("state `%s` is not declared", attr_str(v, "path", ""));
    const char *path = path_now(e, state->path);
    StateSlot *s = map_get(o->states, path);
    if (s)
        return s;
    s = NEW(o->arena, StateSlot);
    s->state = state;
    s->kept = s->next = eval_shape(e, &state->type);
    s->kept.data = NEWN(o->arena, double, s->kept.n > 0 ? s->kept.n : 1);
    s->next.data = NEWN(o->arena, double, s->next.n > 0 ? s->next.n : 1);
    state_reset(s);
    map_set(o->states, path, s);
    return s;
}

// ---- values ----------------------------------------------------------------------------

static void check_turns(Eval *e, int64_t lo, int64_t hi)
{
    if (e->nturns == MAX_TURNS)
        eval_fail(e, "repeats are nested deeper than %d", MAX_TURNS);
    if (hi < lo)
        eval_fail(e, "repeat from %lld to %lld", (long long)lo, (long long)hi);
}

// Carried values go from turn to turn in `outer`; all else of a turn goes with it.
static void eval_repeat(Eval *e, const Value *v, Slot *result)
{
    const Attr *range = attr_find(v, "range");
    const int64_t lo = eval_size(e, range->sizes[0]),
                  hi = eval_size(e, range->sizes[1]);
    const Region *body = v->body;
    Arena *outer = e->arena;
    if (!e->oracle)
        bug("a repeat is no constant");
    check_turns(e, lo, hi);
    result->tuple = NEWN(outer, Slot, v->nin + 1);
    for (int k = 0; k < v->nin; k++)
        result->tuple[k] = e->slot[v->in[k]->id];
    int depth = e->nturns++;
    for (int64_t turn = lo; turn < hi; turn++) {
        e->turn[depth] = (Turn){attr_str(v, "index", ""), turn};
        e->arena = e->oracle->inner[depth] = arena_new();
        for (int k = 0; k < v->nin; k++)
            e->slot[body->params.p[k]->id] = result->tuple[k];
        eval_region(e, body);
        for (int k = 0; k < v->nin; k++) {
            Slot *from = &e->slot[body->yields.p[k]->id];
            result->tuple[k] = *from;
            result->tuple[k].t = tensor_copy(outer, &from->t);
        }
        e->arena = outer;
        arena_free(e->oracle->inner[depth]);
        e->oracle->inner[depth] = NULL;
    }
    e->nturns--;
}

typedef void EvalOp(Eval *e, const Value *v, Tensor *y);

static EvalOp *const eval_op[OP_COUNT] = {
#define CORE(name, arity, doc) NULL,
#define MAP1(name, expr, doc)  eval_map,
#define MAP2(name, expr, doc)  eval_map,
#define OP(name, arity, doc)   eval_##name,
#include "compiler/ops.def"
#undef CORE
#undef MAP1
#undef MAP2
#undef OP
};

static Tensor eval_scalar(Eval *e, const Value *v, int64_t x)
{
    Tensor t = tensor_new(e, &v->type);
    t.data[0] = (double)x;
    return t;
}

static int64_t turn_now(Eval *e, const char *index)
{
    for (int i = e->nturns - 1; i >= 0; i--)
        if (strcmp(e->turn[i].index, index) == 0)
            return e->turn[i].turn;
    bug("no repeat over %s here", index);
}

static void eval_core(Eval *e, const Value *v, Slot *s)
{
    switch (v->op) {
    case OP_weight:
        s->t = eval_weight(e, v);
        return;
    case OP_const:
        s->t = eval_const(e, v);
        return;
    case OP_state:
        s->state = state_slot(e, v);
        s->t = tensor_copy(e->arena,
                           s->state->is_written ? &s->state->next : &s->state->kept);
        return;
    case OP_size:
        s->t = eval_scalar(e, v, eval_size(e, attr_find(v, "size")->sizes[0]));
        return;
    case OP_turn:
        s->t = eval_scalar(e, v, turn_now(e, attr_str(v, "index", "")));
        return;
    case OP_repeat:
        eval_repeat(e, v, s);
        return;
    case OP_item:
        *s = e->slot[v->in[0]->id].tuple[attr_int(v, "i", 0)];
        return;
    case OP_map:
        s->t = tensor_new(e, &v->type);
        eval_body(e, v, NULL, &s->t);
        return;
    default:
        bug("%s stands where it cannot be evaluated", op_info[v->op].name);
    }
}

// Writing to a version of a state makes the next one.
static void write_state(Slot *s, StateSlot *state)
{
    if (s->t.n != state->next.n)
        bug("state `%s` has changed its size", state->state->path);
    s->state = state;
    copy_data(&state->next, &s->t);
    state->is_written = true;
}

void eval_value(Eval *e, const Value *v)
{
    Slot *s = &e->slot[v->id];
    *s = (Slot){.is_done = true};
    if (op_info[v->op].class == OPC_CORE) {
        eval_core(e, v, s);
        return;
    }
    s->t = tensor_new(e, &v->type);
    eval_op[v->op](e, v, &s->t);
    if (v->op == OP_set_slice && e->slot[v->in[0]->id].state)
        write_state(s, e->slot[v->in[0]->id].state);
}

static void show(Eval *e, const Value *v)
{
    Oracle *o = e->oracle;
    if (!o || !o->tap || !v->name || v->type.rank < 0)
        return;
    int64_t turns[MAX_TURNS];
    for (int i = 0; i < e->nturns; i++)
        turns[i] = e->turn[i].turn;
    o->tap(o->tap_ctx, v, e->nturns, turns, &e->slot[v->id].t);
}

void eval_region(Eval *e, const Region *r)
{
    for (int i = 0; i < r->ops.n; i++) {
        eval_value(e, r->ops.p[i]);
        show(e, r->ops.p[i]);
    }
}

// ---- bodies ----------------------------------------------------------------------------

// A value of the body over all elements at once: a tensor of y's shape, or a scalar where
// all it is made from are scalars.
static void eval_body_value(Eval *e, const Value *b, const Tensor *y)
{
    if (op_info[b->op].class == OPC_CORE || b->nin == 0) {
        eval_value(e, b);
        return;
    }
    if (op_info[b->op].class != OPC_MAP && b->op != OP_cast)
        bug("%s in an elementwise body", op_info[b->op].name);
    Tensor t = {.dtype = b->type.dtype, .n = 1};
    for (int i = 0; i < b->nin; i++)
        if (eval_in(e, b, i)->rank > 0) {
            t = *y;
            t.dtype = b->type.dtype;
        }
    t.data = eval_scratch(e, t.n);
    eval_op[b->op](e, b, &t);
    e->slot[b->id] = (Slot){.t = t, .is_done = true};
}

void eval_body(Eval *e, const Value *v, const Tensor *sum, Tensor *y)
{
    const Region *r = v->body;
    if (!r || r->yields.n != 1) {  // none yet: the first operand as it is
        eval_broadcast(sum ? sum : eval_in(e, v, 0), y);
        return;
    }
    for (int i = 0; i < r->params.n; i++) {
        const Tensor *x = sum && i == 0 ? sum : eval_in(e, v, sum ? i + 1 : i);
        Tensor t = *y;
        t.dtype = x->dtype;
        t.data = eval_scratch(e, t.n);
        eval_broadcast(x, &t);
        e->slot[r->params.p[i]->id] = (Slot){.t = t, .is_done = true};
    }
    for (int i = 0; i < r->ops.n; i++)
        eval_body_value(e, r->ops.p[i], y);
    eval_broadcast(&e->slot[r->yields.p[0]->id].t, y);
}
