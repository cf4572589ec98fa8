// older.c - what is read of a state: before a write, past the cursor, and never written.
//
// In the language a state is a value: `let old = k` stays what it was when k is written. In
// the graph a version that has a successor may not be read any more. What is used later is
// read into a value of its own (a slice of everything) just before the write.

#include <string.h>

#include "internal.h"

// Is x, or something in its regions, a reader of v?
static bool reads(const Value *x, const Value *v)
{
    for (int i = 0; i < x->nin; i++)
        if (x->in[i] == v)
            return true;
    for (int i = 0; x->body && i < x->body->ops.n; i++)
        if (reads(x->body->ops.p[i], v))
            return true;
    for (int i = 0; x->body && i < x->body->yields.n; i++)
        if (x->body->yields.p[i] == v)
            return true;
    return false;
}

static void redirect(Value *x, Value *from, Value *to)
{
    for (int i = 0; i < x->nin; i++)
        if (x->in[i] == from)
            x->in[i] = to;
    for (int i = 0; x->body && i < x->body->ops.n; i++)
        redirect(x->body->ops.p[i], from, to);
    for (int i = 0; x->body && i < x->body->yields.n; i++)
        if (x->body->yields.p[i] == from)
            x->body->yields.p[i] = to;
}

static Value *copy_before(Sema *s, Graph *g, Region *r, int at, Value *version)
{
    const Size *start[MAX_RANK], *stop[MAX_RANK];
    int64_t step[MAX_RANK];
    int n = version->type.rank;
    for (int k = 0; k < n; k++) {
        start[k] = size_int(s->module->sizes, 0);
        stop[k] = version->type.dim[k].size;
        step[k] = 1;
    }
    Attr a[] = {attr_make_sizes("start", n, start), attr_make_sizes("stop", n, stop),
                attr_make_ints("step", n, step)};
    const Value *write = r->ops.p[at];
    Builder b = {
        .graph = g, .region = r, .at = at, .scope = write->scope, .loc = write->loc};
    return build(&b, OP_slice, 1, &version, 3, a);
}

// Is the version, which stands before op i of r, read when op i has begun to write?
static bool is_read_later(const Region *r, int i, const Value *version)
{
    const Value *v = r->ops.p[i];
    bool later = v->op == OP_set_slice ? v->in[1] == version : reads(v, version);
    for (int k = i + 1; k < r->ops.n; k++)
        later = later || reads(r->ops.p[k], version);
    for (int k = 0; k < r->yields.n; k++)
        later = later || r->yields.p[k] == version;
    return later;
}

// Op i writes what the version, of op k before it, is of. Returns where op i stands then.
static int keep(Sema *s, Graph *g, Region *r, int k, int i)
{
    Value *v = r->ops.p[i], *version = r->ops.p[k];
    const char *path = value_state_path(version);
    if (!path || !value_writes_state(v, path) || !is_read_later(r, i, version))
        return i;
    Value *old = copy_before(s, g, r, i++, version);
    if (v->op == OP_set_slice && v->in[1] == version)
        v->in[1] = old;
    if (v->op == OP_repeat)
        redirect(v, version, old);
    for (int n = i + 1; n < r->ops.n; n++)
        redirect(r->ops.p[n], version, old);
    for (int n = 0; n < r->yields.n; n++)
        if (r->yields.p[n] == version)
            r->yields.p[n] = old;
    return i;
}

static void keep_in(Sema *s, Graph *g, Region *r)
{
    for (int i = 0; i < r->ops.n; i++) {
        if (r->ops.p[i]->op == OP_repeat)
            keep_in(s, g, r->ops.p[i]->body);
        for (int k = 0; k < i; k++)
            i = keep(s, g, r, k, i);
    }
}

void keep_older_versions(Sema *s)
{
    for (int i = 0; i < s->module->graphs.n; i++)
        keep_in(s, s->module->graphs.p[i], s->module->graphs.p[i]->body);
}

// ---- reads past the cursor -----------------------------------------------------------------

// After it is written, k[:, 0 : P + T] sees only what was written since the reset, as
// k[:, 0 : P] does before; k[:] sees more. A state of which more is read must be cleared by
// reset, and cannot be rewound.
static bool reads_within(const Value *v, const Value *state, const DimVar *cursor,
                         Sizes *sizes)
{
    const Attr *stop = v->op == OP_slice ? attr_find(v, "stop") : NULL;
    for (int k = 0; stop && cursor && k < stop->n; k++)
        if (state->op == OP_set_slice ? size_uses(stop->sizes[k], cursor)
                                      : stop->sizes[k] == size_dim(sizes, cursor))
            return true;
    return false;
}

static void check_reads(Sema *s, const Graph *g, const Region *r)
{
    for (int i = 0; i < r->ops.n; i++) {
        const Value *v = r->ops.p[i];
        if (v->body)
            check_reads(s, g, v->body);
        for (int k = 0; k < v->nin; k++) {
            const Value *x = v->in[k];
            if (!value_state_path(x) || (v->op == OP_set_slice && k == 0))
                continue;
            bool within = reads_within(v, x, g->cursor, s->module->sizes);
            while (x->op == OP_set_slice)
                x = x->in[0];
            State *state = value_state(s->module, x);
            if (state && !within)
                state->by_cursor = false;
        }
    }
    for (int i = 0; i < r->yields.n; i++) {
        const Value *x = r->yields.p[i];
        while (x->op == OP_set_slice)
            x = x->in[0];
        State *state = x->op == OP_state ? value_state(s->module, x) : NULL;
        if (state)
            state->by_cursor = false;
    }
}

// Is the index of this repeat in the state's path, as {i}?
static bool is_turn_of(const Value *repeat, const char *path)
{
    const char *index = attr_str(repeat, "index", "");
    const size_t n = strlen(index);
    for (const char *at = path; (at = strchr(at, '{')) != NULL; at++)
        if (strncmp(at + 1, index, n) == 0 && at[1 + n] == '}')
            return true;
    return false;
}

// Does one write of r cover all turns of the state? turns: of the repeats around.
static bool writes_all(const Region *r, const State *state, int64_t turns)
{
    for (int i = 0; i < r->ops.n; i++) {
        const Value *v = r->ops.p[i];
        int64_t lo = 0, hi = 1;
        if (v->op == OP_repeat) {
            const Attr *range = attr_find(v, "range");
            if (is_turn_of(v, state->path) && !(size_is_int(range->sizes[0], &lo) &&
                                                size_is_int(range->sizes[1], &hi)))
                continue;
            if (writes_all(v->body, state, turns * (hi - lo)))
                return true;
        }
        if (v->op == OP_set_slice && v->in[0]->op == OP_state &&
            turns >= state->turns &&
            strcmp(attr_str(v->in[0], "path", ""), state->path) == 0)
            return true;
    }
    return false;
}

// The entries share one cursor. One that does not write the state moves it past rows that
// the others would have written: they are what they were before the reset.
static void check_writes(Sema *s, State *state)
{
    for (int i = 0; i < s->module->graphs.n; i++) {
        const Graph *g = s->module->graphs.p[i];
        if (g->cursor && !writes_all(g->body, state, 1))
            state->by_cursor = false;
    }
}

void check_reads_of_states(Sema *s)
{
    for (int i = 0; i < s->module->graphs.n; i++)
        check_reads(s, s->module->graphs.p[i], s->module->graphs.p[i]->body);
    for (int i = 0; i < s->module->states.n; i++)
        check_writes(s, s->module->states.p[i]);
}
