// older.c - what is read of a state: before a write, past the cursor, and never written.
//
// In the language a state is a value: `let old = k` stays what it was when k is written. In
// the graph a version that has a successor may not be read any more. What is used later is
// read into a value of its own (a slice of everything) just before the write.

#include <string.h>

#include "internal.h"

static bool is_state_version(const Value *v)
{
    while (v->op == OP_set_slice)
        v = v->in[0];
    return v->op == OP_state;
}

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

static void keep_in(Sema *s, Graph *g, Region *r)
{
    for (int i = 0; i < r->ops.n; i++) {
        Value *v = r->ops.p[i];
        if (v->op == OP_repeat)
            keep_in(s, g, v->body);
        if (v->op != OP_set_slice || !is_state_version(v))
            continue;
        Value *version = v->in[0], *old = NULL;
        bool later = v->in[1] == version;
        for (int k = i + 1; k < r->ops.n; k++)
            later = later || reads(r->ops.p[k], version);
        for (int k = 0; k < r->yields.n; k++)
            later = later || r->yields.p[k] == version;
        if (!later)
            continue;
        old = copy_before(s, g, r, i++, version);  // v is at i again
        if (v->in[1] == version)
            v->in[1] = old;
        for (int k = i + 1; k < r->ops.n; k++)
            redirect(r->ops.p[k], version, old);
        for (int k = 0; k < r->yields.n; k++)
            if (r->yields.p[k] == version)
                r->yields.p[k] = old;
    }
}

void keep_older_versions(Sema *s)
{
    for (int i = 0; i < s->module->graphs.n; i++)
        keep_in(s, s->module->graphs.p[i], s->module->graphs.p[i]->body);
}

// ---- reads past the cursor -----------------------------------------------------------------

// k[:, 0 : P + T] sees only what was written since the reset; k[:] sees more. A state that
// is read whole must be cleared by reset, and cannot be rewound.
static bool reads_within(const Value *v, const DimVar *cursor)
{
    const Attr *stop = v->op == OP_slice ? attr_find(v, "stop") : NULL;
    for (int k = 0; stop && cursor && k < stop->n; k++)
        if (size_uses(stop->sizes[k], cursor))
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
            if (!is_state_version(x) || (v->op == OP_set_slice && k == 0))
                continue;
            while (x->op == OP_set_slice)
                x = x->in[0];
            State *state = value_state(s->module, x);
            if (state && !reads_within(v, g->cursor))
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

// In how many of its turns does r, so many times run, write the state?
static int64_t turns_written(const Region *r, const char *path, int64_t times)
{
    int64_t n = 0, lo = 0, hi = 0;
    for (int i = 0; i < r->ops.n; i++) {
        const Value *v = r->ops.p[i];
        if (v->op == OP_repeat) {
            const Attr *range = attr_find(v, "range");
            size_is_int(range->sizes[0], &lo);
            size_is_int(range->sizes[1], &hi);
            n += turns_written(v->body, path, times * (hi - lo));
        }
        if (v->op == OP_set_slice && v->in[0]->op == OP_state &&
            strcmp(attr_str(v->in[0], "path", ""), path) == 0)
            n += times;
    }
    return n;
}

// A call of another entry moves the cursor past rows that this one would have written: they
// are what they were before the reset.
static bool is_left_out(Sema *s, const State *state, const Graph *writer)
{
    for (int i = 0; i < s->module->graphs.n; i++) {
        const Graph *g = s->module->graphs.p[i];
        if (g->cursor == writer->cursor &&
            turns_written(g->body, state->path, 1) < state->turns)
            return true;
    }
    return false;
}

static void check_writes(Sema *s, State *state)
{
    for (int i = 0; i < s->module->graphs.n; i++) {
        const Graph *g = s->module->graphs.p[i];
        if (g->cursor && turns_written(g->body, state->path, 1) > 0 &&
            is_left_out(s, state, g))
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
