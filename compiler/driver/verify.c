// verify.c - running cases through the emitted program and comparing.

#include "verify.h"

#include "compiler/weights.h"

#include <math.h>
#include <string.h>

// ---- against golden cases --------------------------------------------------------------------

static Tensor *make_results(Job *job, const Graph *g, const int64_t *dims)
{
    Tensor *out = NEWN(job->arena, Tensor, g->body->yields.n + 1);
    for (int i = 0; i < g->body->yields.n; i++)
        if (!tensor_of_type(job->arena, &g->body->yields.p[i]->type, dims, &out[i]))
            bug("result %s has no size to allocate", g->result_names.p[i]);
    return out;
}

static void compare_states(Job *job, Program *p, const Case *c, const char *entry,
                           Tally *t, bool *ok)
{
    for (int i = 0; i < c->states.n; i++) {
        Tensor got;
        const Named *want = &c->states.p[i];
        const char *name = arena_printf(job->arena, "state.%s", want->name);
        if (!program_state(p, want->name, &got) || got.n != want->t.n) {
            tally_error(t, c->name, entry,
                        arena_printf(job->arena, "has no %s of shape %s", name,
                                     shape_str(job->arena, &want->t)));
            *ok = false;
            continue;
        }
        Compared r = compare_tensors(&got, &want->t, NULL, tolerance_of(job));
        tally_line(t, c->name, entry, name, shape_str(job->arena, &want->t), &r);
        *ok = *ok && r.ok;
    }
}

// The first difference of a run is worth a second program.
static void look_into(Job *job, Tally *t, const Graph *g, const int64_t *dims,
                      const Tensor *in, bool ok)
{
    if (ok || t->located)
        return;
    t->located = true;
    locate(job, module_graph(job->module, g->name), dims, in, t->out);
}

static bool run_case(Job *job, Program *p, const Case *c, const Call *call, Tally *t)
{
    bool ok = true;
    const Graph *g = call->graph;
    Tensor *out = make_results(job, g, call->dims);

    program_reset(p);
    if (!program_call(p, g, call->dims, call->in, out)) {
        tally_error(t, c->name, g->name, p->why);
        return false;
    }
    for (int i = 0; i < g->body->yields.n; i++) {
        const Tensor *want = call->expected[i];
        if (!want)
            continue;
        Compared r = compare_tensors(&out[i], want, call->rows[i], tolerance_of(job));
        tally_line(t, c->name, g->name, g->result_names.p[i],
                   shape_str(job->arena, want), &r);
        ok = ok && r.ok;
    }
    compare_states(job, p, c, g->name, t, &ok);
    look_into(job, t, g, call->dims, call->in, ok);
    return ok;
}

// --entry must name an entry.
static bool check_entry(Job *job)
{
    const Module *m = job->module;
    const char *only = job->set->entry;
    if (!only || module_graph(m, only))
        return true;
    const char **names = NEWN(job->arena, const char *, m->graphs.n + 1);
    for (int i = 0; i < m->graphs.n; i++)
        names[i] = m->graphs.p[i]->name;
    const char *near = nearest(only, names, m->graphs.n);
    diag_error(job->diag, (Loc){0, 0}, E0814, "there is no entry '%s'", only);
    if (near)
        diag_hint(job->diag, (Loc){0, 0}, "did you mean '%s'?", near);
    return false;
}

bool verify_golden(Job *job, Program *p, const char *path, Tally *t)
{
    CaseList cases = {0};
    bool reported = false;
    if (!golden_read(job, path, &cases) || !check_entry(job))
        return false;
    for (int i = 0; i < cases.n; i++) {
        Call call;
        if (!golden_call(job, &cases.p[i], job->set->entry, &call)) {
            reported = true;
            continue;
        }
        t->cases++;
        t->failed += !run_case(job, p, &cases.p[i], &call, t);
    }
    return !reported;
}

// ---- against the evaluator ---------------------------------------------------------------------

// A value of the dim near `at` that its step allows.
static int64_t near_value(const DimVar *d, int64_t at)
{
    int64_t first = d->lo + (d->by - d->lo % d->by) % d->by;
    if (at > d->hi)
        at = d->hi;
    at -= at % d->by;
    return at < first ? first : at;
}

// Sizes of the k-th try: the least, odd ones (not all alike), the bound.
static const char *choose_dims(const Module *m, const Graph *g, int k, int64_t *dims)
{
    static const char *const names[] = {"least", "odd", "bound"};
    for (int i = 0; i < m->dims.n; i++) {
        const DimVar *d = m->dims.p[i];
        int64_t at = k == 0 ? d->lo : k == 1 ? 7 + 4 * i : d->hi;
        dims[d->id] = near_value(d, at);
    }
    if (g->cursor)
        dims[g->cursor->id] = 0;
    return names[k];
}

enum { NUDGED = 4, FLIPS = 3 };
static const double NUDGE = 0x1p-22;

typedef struct Trial {
    Job *job;
    Program *p;
    Oracle *oracle;
    Oracle *nudged[NUDGED];  // NULL: nothing is rounded, or --rtol says the limit
    Graph *graph;
    int64_t *dims;
    Tally *tally;
    const char *name;
} Trial;

// Of each result: the contract, and how far nudges alone move it.
static Tolerance *limits(Trial *t, const Tensor *in, const Tensor *want)
{
    const Graph *g = t->graph;
    const char *why = "";
    Tolerance *limit = NEWN(t->job->arena, Tolerance, g->body->yields.n + 1);
    for (int i = 0; i < g->body->yields.n; i++) {
        limit[i] = tolerance_of(t->job);
        if (t->nudged[0])
            limit[i].rtol = limit[i].mean = CONTRACT;
    }
    Tensor *out = NEWN(t->job->arena, Tensor, g->body->yields.n + 1);
    for (int k = 0; k < NUDGED && t->nudged[k]; k++) {
        if (!oracle_run(t->nudged[k], t->graph, t->dims, in, out, &why))
            diag_error(t->job->diag, g->loc, E0818, "%s of %s: %s", g->name, t->name,
                       why);
        for (int i = 0; i < g->body->yields.n; i++) {
            Compared c = compare_tensors(&out[i], &want[i], NULL, limit[i]);
            if (isfinite(c.max_abs))
                limit[i].most = fmax(limit[i].most, FLIPS * c.max_abs);
            limit[i].usual = fmax(limit[i].usual, FLIPS * c.mean_abs);
        }
    }
    return limit;
}

static bool run_trial(Trial *t, uint64_t seed)
{
    Arena *a = t->job->arena;
    Graph *g = t->graph;
    const char *why = "";
    Tensor *in = NEWN(a, Tensor, g->body->params.n + 1);
    Tensor *want = NEWN(a, Tensor, g->body->yields.n + 1);
    Tensor *got = make_results(t->job, g, t->dims);
    bool ok = true;

    random_inputs(a, g, t->dims, seed, in);
    if (!oracle_run(t->oracle, g, t->dims, in, want, &why)) {
        diag_error(t->job->diag, g->loc, E0818, "%s of %s: %s", g->name, t->name, why);
        return true;
    }
    Tolerance *limit = limits(t, in, want);
    if (!program_call(t->p, g, t->dims, in, got)) {
        tally_error(t->tally, t->name, g->name, t->p->why);
        return false;
    }
    for (int i = 0; i < g->body->yields.n; i++) {
        Compared r = compare_tensors(&got[i], &want[i], NULL, limit[i]);
        tally_line(t->tally, t->name, g->name, g->result_names.p[i],
                   shape_str(a, &want[i]), &r);
        ok = ok && r.ok;
    }
    look_into(t->job, t->tally, g, t->dims, in, ok);
    return ok;
}

// Room for a second call of these sizes behind the first?
static bool fits_again(const Graph *g, const int64_t *dims)
{
    return g->cursor && g->advance && 2 * size_eval(g->advance, dims) <= g->cursor->hi;
}

static void try_entry(Trial *t)
{
    Arena *a = t->job->arena;
    uint64_t seed = t->job->set->seed;
    for (int k = 0; k < 3; k++) {
        const char *name = choose_dims(t->job->module, t->graph, k, t->dims);
        oracle_reset(t->oracle);
        for (int i = 0; i < NUDGED && t->nudged[i]; i++)
            oracle_reset(t->nudged[i]);
        program_reset(t->p);
        t->name = name;
        t->tally->cases++;
        t->tally->failed += !run_trial(t, seed + (uint64_t)k);
        if (!fits_again(t->graph, t->dims))
            continue;
        t->dims[t->graph->cursor->id] = size_eval(t->graph->advance, t->dims);
        t->name = arena_printf(a, "%s, 2nd", name);
        t->tally->cases++;
        t->tally->failed += !run_trial(t, seed + (uint64_t)k + 10);
    }
}

bool verify_oracle(Job *job, Program *p, Checkpoint *ck, Tally *tally)
{
    Module *m = job->module;
    const char *only = job->set->entry;
    if (!check_entry(job))
        return false;
    Trial t = {.job = job, .p = p, .tally = tally};
    t.oracle = oracle_new(job->arena, m, weights_source(ck));
    t.dims = NEWN(job->arena, int64_t, m->dims.n + 1);
    for (int i = 0; i < NUDGED && job->set->rtol < 0 && rounds_activations(job); i++) {
        t.nudged[i] = oracle_new(job->arena, m, weights_source(ck));
        oracle_nudge(t.nudged[i], i % 2 ? -NUDGE : NUDGE,
                     job->set->seed + (uint64_t)i / 2);
    }
    for (int i = 0; i < m->graphs.n; i++) {
        t.graph = m->graphs.p[i];
        if (!only || strcmp(only, t.graph->name) == 0)
            try_entry(&t);
    }
    oracle_free(t.oracle);
    for (int i = 0; i < NUDGED; i++)
        oracle_free(t.nudged[i]);
    return diag_errors(job->diag) == 0;
}
