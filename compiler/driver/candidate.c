// candidate.c - builds, checks and times one program of a search.

#include "candidate.h"

#include "compiler/stages.h"
#include "verify.h"

#include <math.h>
#include <string.h>

enum { MIN_PAIRS = 5, MAX_PAIRS = 400, FEW_PAIRS = 3 };
static const double ENOUGH_NS = 0.8e9;  // of pairs of calls
static const double HOPELESS = 1.15;    // after few pairs

// ---- one program --------------------------------------------------------------------------

bool is_measured(const Bed *b, const Graph *g)
{
    return !b->only || !strcmp(b->only, g->name);
}

void candidate_close(Candidate *c)
{
    if (!c)
        return;
    if (c->loaded)
        timed_unload(&c->timed);
    job_close(&c->job);
    arena_free(c->arena);
}

static void make_callers(const Bed *b, Candidate *c)
{
    const Module *m = c->job.module;
    c->call = NEWN(c->arena, Caller, m->graphs.n + 1);
    c->dims = NEWN(c->arena, int64_t *, m->graphs.n + 1);
    for (int i = 0; i < m->graphs.n; i++) {
        const Graph *g = m->graphs.p[i];
        Tensor *in = NEWN(c->arena, Tensor, g->body->params.n + 1);
        c->dims[i] = NEWN(c->arena, int64_t, m->dims.n + 1);
        dims_at_bounds(m, g, c->dims[i]);
        if (!is_measured(b, g))
            continue;
        random_inputs(c->arena, g, c->dims[i], b->job->set->seed, in);
        caller_init(&c->call[i], &c->timed, g, c->dims[i], in,
                    (b->par ? b->par : &c->timed.par)->threads);
    }
}

Candidate *candidate_open(const Bed *b, const Tune *tune, int threads, const char **why)
{
    Text text;
    Arena *a = arena_new();
    Candidate *c = NEW(a, Candidate);
    c->arena = a;
    c->set = *b->job->set;
    c->set.timed = true;
    c->set.tune = "candidate.tune";
    c->tune = *tune;
    job_init(&c->job, &c->set, a);
    text_init(&text, a);
    tune_write(tune, b->job->module, &text);
    job_give(&c->job, c->set.tune, text.p, text.n);
    job_give(&c->job, b->path, b->source.text, b->source.n);
    bool ok = job_build(&c->job, b->path) && job_open_weights(&c->job, true) &&
              job_check_weights(&c->job) && timed_load(&c->timed, &c->job);
    c->loaded = ok;
    ok = ok && (b->par || timed_start(&c->timed, threads));
    if (ok) {
        make_callers(b, c);
        return c;
    }
    const char *said = "it cannot be built";
    for (int i = 0; i < diag_count(c->job.diag); i++)
        if (diag_message(c->job.diag, i)->severity == SEV_ERROR)
            said = diag_message(c->job.diag, i)->text;
    *why = arena_strdup(b->arena, said);
    candidate_close(c);
    return NULL;
}

// ---- outputs --------------------------------------------------------------------------------

static bool run_least(Candidate *c, const Graph *g, uint64_t seed, Tensor *out)
{
    Arena *a = c->arena;
    const Module *m = c->job.module;
    int64_t *dims = NEWN(a, int64_t, m->dims.n + 1);
    Tensor *in = NEWN(a, Tensor, g->body->params.n + 1);
    for (int i = 0; i < m->dims.n; i++) {
        const DimVar *d = m->dims.p[i];
        dims[d->id] = d->lo + (d->by - d->lo % d->by) % d->by;
    }
    if (g->cursor)
        dims[g->cursor->id] = 0;
    random_inputs(a, g, dims, seed, in);
    for (int i = 0; i < g->body->yields.n; i++)
        if (!tensor_of_type(a, &g->body->yields.p[i]->type, dims, &out[i]))
            return false;
    program_reset(&c->timed.p);
    return program_call(&c->timed.p, g, dims, in, out);
}

static Tensor copy_tensor(Arena *a, const Tensor *x)
{
    Tensor y = tensor_make(a, x->dtype, x->rank, x->dim);
    memcpy(y.data, x->data, (size_t)x->n * sizeof(*x->data));
    return y;
}

bool note_outputs(Bed *b, Candidate *c)
{
    const Module *m = c->job.module;
    b->want = NEWN(b->arena, Reference, m->graphs.n + 1);
    for (int i = 0; i < m->graphs.n; i++) {
        const Graph *g = m->graphs.p[i];
        int n = g->body->yields.n;
        Tensor *least = NEWN(c->arena, Tensor, n + 1);
        if (!is_measured(b, g))
            continue;
        b->want[i].bound = NEWN(b->arena, Tensor, n + 1);
        b->want[i].least = NEWN(b->arena, Tensor, n + 1);
        if (caller_run(&c->call[i], &c->timed.par) < 0 ||
            !run_least(c, g, b->job->set->seed, least))
            return false;
        for (int k = 0; k < n; k++) {
            b->want[i].bound[k] = caller_result(&c->call[i], b->arena, k);
            b->want[i].least[k] = copy_tensor(b->arena, &least[k]);
        }
    }
    return true;
}

static Tolerance tolerance_for(const Bed *b, const Candidate *c)
{
    if (c->tune.steps.n == 0)
        return tolerance_of(&c->job);
    return (Tolerance){.rtol = b->job->set->tolerance};
}

bool outputs_agree(const Bed *b, Candidate *c, double *error)
{
    const Module *m = c->job.module;
    Tolerance tol = tolerance_for(b, c);
    bool ok = true;
    *error = 0;
    for (int i = 0; i < m->graphs.n; i++) {
        const Graph *g = m->graphs.p[i];
        Tensor *least = NEWN(c->arena, Tensor, g->body->yields.n + 1);
        if (!is_measured(b, g))
            continue;
        if (caller_run(&c->call[i], b->par) < 0 ||
            !run_least(c, g, b->job->set->seed, least))
            return false;
        for (int k = 0; k < g->body->yields.n; k++) {
            Tensor bound = caller_result(&c->call[i], c->arena, k);
            Compared x = compare_tensors(&bound, &b->want[i].bound[k], NULL, tol);
            Compared y = compare_tensors(&least[k], &b->want[i].least[k], NULL, tol);
            ok = ok && x.ok && y.ok;
            *error = fmax(*error, fmax(x.max_rel, y.max_rel));
        }
    }
    return ok;
}

// ---- two programs in turns --------------------------------------------------------------------

static bool duel(Caller *a, Caller *b, const struct tfx_par *par, Duel *d)
{
    double ratio[MAX_PAIRS], sorted[MAX_PAIRS], ta[MAX_PAIRS], tb[MAX_PAIRS];
    double total = 0;
    int n = 0, won = 0;
    if (caller_run(a, par) < 0 || caller_run(b, par) < 0)
        return false;
    while (n < MIN_PAIRS || (n < MAX_PAIRS && total < ENOUGH_NS)) {
        ta[n] = caller_run(a, par);
        tb[n] = caller_run(b, par);
        if (ta[n] <= 0 || tb[n] <= 0)
            return false;
        ratio[n] = tb[n] / ta[n];
        won += ratio[n] < 1;
        total += ta[n] + tb[n];
        n++;
        memcpy(sorted, ratio, (size_t)n * sizeof(*ratio));
        if (n == FEW_PAIRS && median_of(sorted, n) > HOPELESS)
            break;
    }
    d->won = (double)won / n;
    d->ratio = median_of(ratio, n);
    d->a_ns = median_of(ta, n);
    d->b_ns = median_of(tb, n);
    return true;
}

bool duel_all(const Bed *b, Candidate *first, Candidate *second, Duel *all, Duel *each)
{
    const Module *m = first->job.module;
    double log_sum = 0;
    int n = 0;
    *all = (Duel){.won = 1};
    for (int i = 0; i < m->graphs.n; i++) {
        Duel d = {0};
        if (!is_measured(b, m->graphs.p[i]))
            continue;
        if (!duel(&first->call[i], &second->call[i], b->par, &d))
            return false;
        log_sum += log(d.ratio);
        all->won = fmin(all->won, d.won);
        if (each)
            each[i] = d;
        n++;
    }
    all->ratio = exp(log_sum / (n ? n : 1));
    return true;
}
