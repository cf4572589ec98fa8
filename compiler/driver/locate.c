// locate.c - where an emitted program begins to differ: the first named value that departs.
//
// The program is emitted once more with --taps, so that it shows every value that has a
// name in the source, and runs beside the evaluator on the same input. Taps come in the
// order of execution on both sides; the k-th showing of a value is compared with the k-th.

#include "verify.h"

#include "compiler/weights.h"

#include <string.h>

typedef struct Shown {
    int id;
    Tensor t;
    bool taken;
} Shown;

typedef struct Locate {
    Job *job;
    const Graph *graph;
    const int64_t *dims;
    const Value **values;  // of the graph, by id
    VEC(Shown) shown;      // by the program
    const Value *first;    // that departs
    const Value *repeat;
    int nturns;
    int64_t turns[8];
    Compared how;
    int compared;
} Locate;

static void note_value(Value *v, void *ctx)
{
    ((Locate *)ctx)->values[v->id] = v;
}

static void program_tap(void *ctx, int id, const void *data)
{
    Locate *l = ctx;
    Shown s = {.id = id};
    if (id < 0 || id >= l->graph->nvalues || !l->values[id] ||
        !tensor_of_type(l->job->arena, &l->values[id]->type, l->dims, &s.t))
        return;
    tensor_from_c(&s.t, data);
    vec_push(l->job->arena, &l->shown, s);
}

static void oracle_tap_value(void *ctx, const Value *v, int nturns,
                             const int64_t *turns, const Tensor *t)
{
    Locate *l = ctx;
    for (int i = 0; i < l->shown.n && !l->first; i++) {
        Shown *s = &l->shown.p[i];
        if (s->id != v->id || s->taken)
            continue;
        s->taken = true;
        if (s->t.n != t->n)
            return;
        l->compared++;
        Compared c = compare_tensors(&s->t, t, NULL, tolerance_of(l->job));
        if (c.ok)
            return;
        l->first = v;
        l->how = c;
        l->nturns = nturns < COUNT(l->turns) ? nturns : COUNT(l->turns);
        memcpy(l->turns, turns, sizeof(*turns) * (size_t)l->nturns);
        return;
    }
}

static void say(Locate *l, Text *out)
{
    if (!l->first) {
        text_printf(
            out,
            "all %d named values agree with the evaluator, each within its own limit: "
            "look at where the expected values come from, or at the limit of the mean\n",
            l->compared);
        return;
    }
    const Value *v = l->first;
    Place at = diag_place(l->job->diag, v->loc);
    text_printf(out, "first value that departs: `%s`", v->name);
    for (int i = 0; i < l->nturns; i++)
        text_printf(out, "%s %lld", i ? "," : " in turn", (long long)l->turns[i]);
    if (v->scope && v->scope->path && *v->scope->path)
        text_printf(out, " of %s", v->scope->path);
    if (at.file)
        text_printf(out, ", %s:%d", at.file, at.line);
    text_printf(
        out, ": max abs %.3g, limit %.3g; at element %lld %.9g, expected %.9g\n",
        l->how.max_abs, l->how.limit, (long long)l->how.worst, l->how.got, l->how.want);
}

void locate(Job *job, Graph *g, const int64_t *dims, const Tensor *in, Text *out)
{
    Settings set = *job->set;
    Job tapped = *job;
    Program p;
    const char *why = NULL;
    int64_t *sizes = NEWN(job->arena, int64_t, job->module->dims.n + 1);
    Tensor *results = NEWN(job->arena, Tensor, g->body->yields.n + 1);
    Locate l = {.job = job, .graph = g, .dims = sizes};

    set.taps = true;
    tapped.set = &set;
    memcpy(sizes, dims, sizeof(*dims) * (size_t)job->module->dims.n);
    if (g->cursor)
        sizes[g->cursor->id] = 0;
    l.values = NEWN(job->arena, const Value *, g->nvalues + 1);
    graph_walk(g, note_value, &l);
    for (int i = 0; i < g->body->yields.n; i++)
        if (!tensor_of_type(job->arena, &g->body->yields.p[i]->type, sizes,
                            &results[i]))
            return;
    if (!program_load(&p, &tapped))
        return;
    p.glue->set_tap(program_tap, &l);
    if (!program_call(&p, g, sizes, in, results))
        text_printf(out, "the tapped program: %s\n", p.why);
    program_unload(&p);
    Oracle *o = oracle_new(job->arena, job->module, weights_source(job->weights));
    oracle_tap(o, oracle_tap_value, &l);
    if (oracle_run(o, g, sizes, in, results, &why))
        say(&l, out);
    oracle_free(o);
}
