// timed.c - a program built for speed, and calls of it by the clock.

#define _POSIX_C_SOURCE 200809L

#include "timed.h"

#include "compiler/stages.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(double *x, int n)
{
    qsort(x, (size_t)n, sizeof(*x), by_size);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

// ---- the program -------------------------------------------------------------------------

static void *symbol(Timed *t, const char *name)
{
    const Program *program = &t->p;
    void *p = dlsym(program->library, name);
    if (!p)
        diag_error(program->job->diag, (Loc){0, 0}, E0813, "%s", dlerror());
    return p;
}

bool timed_load(Timed *t, Job *job)
{
    *t = (Timed){.roof = NULL};
    if (!program_load(&t->p, job))
        return false;
    *(void **)&t->roof = symbol(t, "tfx_roof");
    *(void **)&t->pool_create = symbol(t, "tfx_pool_create");
    *(void **)&t->pool_destroy = symbol(t, "tfx_pool_destroy");
    if (t->roof && t->pool_create && t->pool_destroy)
        return true;
    program_unload(&t->p);
    return false;
}

bool timed_start(Timed *t, int threads)
{
    if (t->pool_create(&t->pool, &t->par, threads) == 0)
        return true;
    t->pool = NULL;
    diag_error(t->p.job->diag, (Loc){0, 0}, E0818, "%d threads cannot be made",
               threads);
    return false;
}

void timed_unload(Timed *t)
{
    if (t->pool)
        t->pool_destroy(t->pool);
    t->pool = NULL;
    program_unload(&t->p);
}

// ---- one call ----------------------------------------------------------------------------

void dims_at_bounds(const Module *m, const Graph *g, int64_t *dims)
{
    for (int i = 0; i < m->dims.n; i++)
        dims[i] = m->dims.p[i]->hi;
    if (g->cursor)
        dims[g->cursor->id] = 0;
}

static int entry_number(const Program *p, const char *name)
{
    for (int i = 0; i < p->glue->nentries; i++)
        if (strcmp(p->glue->entries[i], name) == 0)
            return i;
    bug("the program has no entry %s", name);
}

void caller_init(Caller *c, Timed *t, const Graph *g, const int64_t *dims,
                 const Tensor *in, int threads)
{
    const Job *job = t->p.job;
    Arena *a = job->arena;
    const Module *m = t->p.module;
    const Region *body = g->body;
    *c = (Caller){.t = t, .graph = g, .dims = dims};
    c->sizes = NEWN(a, int32_t, m->dims.n + 1);
    c->in = NEWN(a, const void *, body->params.n + 1);
    c->out = NEWN(a, void *, body->yields.n + 1);
    for (int i = 0; i < m->dims.n; i++)
        c->sizes[i] = (int32_t)dims[i];
    for (int i = 0; i < body->params.n; i++) {
        unsigned char *raw = fenced(a, tensor_bytes(&in[i]));
        tensor_to_c(&in[i], raw);
        c->in[i] = raw;
    }
    for (int i = 0; i < body->yields.n; i++) {
        Tensor x;
        if (!tensor_of_type(a, &body->yields.p[i]->type, dims, &x))
            bug("result %s has no size to allocate", g->result_names.p[i]);
        c->out[i] = fenced(a, tensor_bytes(&x));
    }
    size_t work = (size_t)job->prog->work_bytes * (size_t)threads;
    c->scratch = fenced(a, t->p.glue->scratch_bytes + work);
    c->entry = entry_number(&t->p, g->name);
}

double caller_run(Caller *c, const struct tfx_par *par)
{
    Program *p = &c->t->p;
    program_reset(p);
    double start = now_ns();
    int status = p->glue->run(c->entry, p->weights, p->weights_bytes, p->state,
                              c->scratch, par, c->sizes, c->in, c->out);
    double took = now_ns() - start;
    if (status == 0)
        return took;
    diag_error(p->job->diag, (Loc){0, 0}, E0818, "%s returned %d: %s", c->graph->name,
               status, p->glue->strerror(status));
    return -1;
}

Tensor caller_result(const Caller *c, Arena *a, int i)
{
    Tensor x;
    if (!tensor_of_type(a, &c->graph->body->yields.p[i]->type, c->dims, &x))
        bug("result %d has no size", i);
    tensor_from_c(&x, c->out[i]);
    return x;
}
