// bench.c - builds, calls and times an emitted program, whole and op by op.

#include "bench.h"

#include "compiler/stages.h"
#include "predict.h"
#include "timed.h"
#include "verify.h"

#include <string.h>

enum { MIN_RUNS = 5, MAX_RUNS = 2000, MAX_MARKS = 4096 };
static const double ENOUGH_NS = 1.5e9;  // of calls, for a median

// Median and least of enough calls, the first two not counted; the number of calls.
static int time_calls(Caller *c, double *median, double *least)
{
    double *took = NEWN(c->t->p.job->arena, double, MAX_RUNS);
    double total = 0;
    int n = 0;
    for (int warm = 0; warm < 2; warm++)
        if (caller_run(c, &c->t->par) < 0)
            return 0;
    while (n < MIN_RUNS || (n < MAX_RUNS && total < ENOUGH_NS)) {
        took[n] = caller_run(c, &c->t->par);
        if (took[n] < 0)
            return 0;
        total += took[n++];
    }
    *median = median_of(took, n);
    *least = took[0];
    return n;
}

// ---- marks: the time between one op's and the next ------------------------------------------

typedef struct Marks {
    double *took;   // MAX_MARKS of each value, the first ones
    double *calls;  // by value
    int n, now;
    double since;
} Marks;

static void close_mark(Marks *m)
{
    double t = now_ns();
    if (m->now < 0 || m->now >= m->n)
        return;
    if (m->calls[m->now] < MAX_MARKS)
        m->took[(ptrdiff_t)m->now * MAX_MARKS + (int)m->calls[m->now]] = t - m->since;
    m->calls[m->now]++;
}

static void mark(void *ctx, int value)
{
    Marks *m = ctx;
    close_mark(m);
    m->now = value;
    m->since = now_ns();
}

// ---- what an op costs -------------------------------------------------------------------------

static double count_of(const Bench *b, const Value *v)
{
    double n = 1;
    for (int i = 0; i < v->type.rank; i++)
        n *= size_mean(v->type.dim[i].size, b->dims);
    return n;
}

// Of a weight in the packed file, its scales and indices among them.
static double bytes_each(const Packed *k)
{
    double all = k->format == FORMAT_plain ? 1 : (double)k->n * (double)k->k;
    double stored = k->format == FORMAT_plain ? 1 : (double)k->count;
    return stored / all * dtype_info[k->storage].bits / 8.0;
}

static double bytes_of(const Bench *b, const Value *v, bool in_panels, double *weights)
{
    double n = count_of(b, v);
    const Packed *k = packed_value(b->job->prog, v, in_panels);
    if (k) {
        n *= bytes_each(k);
        *weights += n;
        return n;
    }
    n *= dtype_info[v->type.dtype].bits / 8.0;
    if (v->op == OP_weight)
        *weights += n;
    return v->op == OP_const || v->op == OP_size ? 0 : n;
}

static double last_axis(const Bench *b, const Value *v, int from_end)
{
    return size_mean(v->type.dim[v->type.rank - from_end].size, b->dims);
}

static double flop_of(const Bench *b, const Value *v)
{
    switch (v->op) {
    case OP_matmul:
    case OP_linear:
        return 2 * count_of(b, v) * last_axis(b, v->in[0], 1);
    case OP_attention: {  // q k' and p v; of a causal one about half
        double keys = last_axis(b, v->in[1], 2), rows = last_axis(b, v->in[0], 2);
        const char *mask = attr_str(v, "mask", "none");
        double seen = strcmp(mask, "causal") == 0 ? keys - (rows - 1) / 2 : keys;
        double band = (double)(attr_int(v, "before", 0) + attr_int(v, "after", 0) + 1);
        if (strcmp(mask, "window") == 0)
            seen = band < keys ? band : keys;
        return 2 * seen * (count_of(b, v->in[0]) + count_of(b, v));
    }
    default:
        return 0;
    }
}

// Operands read and the result written; of a table the rows taken, of a view what is in it.
static void cost(const Bench *b, const Value *v, BenchRow *r)
{
    double own = bytes_of(b, v, false, &(double){0});
    r->flop = flop_of(b, v);
    r->bytes = own;
    if (v->op == OP_gather || v->op == OP_slice || v->op == OP_repeat)
        r->bytes += own;
    else if (v->op == OP_set_slice)
        r->bytes = 2 * bytes_of(b, v->in[1], false, &r->weight_bytes);
    else
        for (int i = 0; i < v->nin; i++)
            r->bytes +=
                bytes_of(b, v->in[i], v->op == OP_linear && i == 1, &r->weight_bytes);
}

typedef struct Collect {
    Bench *b;
    const Marks *marks;
    const LStmt **notes;  // by value: what the emitted C says of it
    double turns;         // calls of the entry
} Collect;

// Of the functions that this entry calls: those of others may have the same numbers.
static void collect_note(LStmt *s, void *ctx)
{
    const Collect *c = ctx;
    if (s->kind == LS_NOTE && s->tap && s->tap->id < c->marks->n)
        c->notes[s->tap->id] = s;
    if (s->kind == LS_CALL)
        lstmts_walk(&s->callee->body, collect_note, ctx);
}

// On a busy machine most single ones are undisturbed, and no sum of many is.
static double median_time(const Marks *m, int value)
{
    double calls = m->calls[value];
    return median_of(m->took + (ptrdiff_t)value * MAX_MARKS,
                     calls < MAX_MARKS ? (int)calls : MAX_MARKS);
}

static void collect_value(Value *v, void *ctx)
{
    const Collect *c = ctx;
    Bench *b = c->b;
    if (v->id >= c->marks->n || c->marks->calls[v->id] == 0 || !c->notes[v->id])
        return;
    const LStmt *note = c->notes[v->id];
    Place at = diag_place(b->job->diag, note->loc);
    const char *slash = at.file ? strrchr(at.file, '/') : NULL;
    BenchRow r = {.name = note->name,
                  .what = note->why,
                  .file = slash ? slash + 1 : at.file,
                  .line = at.line,
                  .calls = c->marks->calls[v->id] / c->turns,
                  .ns = median_time(c->marks, v->id)};
    r.ns *= r.calls;
    cost(b, v, &r);
    r.flop *= r.calls;
    r.bytes *= r.calls;
    r.weight_bytes *= r.calls;
    const Packed *w = packed_of(b->job->prog, v);
    if (w) {
        r.predicted_ns = r.calls * predict_linear(v, w, w->format, b->dims, &b->rates);
        b->predicted_ns += r.predicted_ns;
        b->linear_ns += r.ns;
    }
    b->flop += r.flop;
    b->bytes += r.bytes;
    b->weight_bytes += r.weight_bytes;
    vec_push(b->job->arena, &b->rows, r);
}

// ---- both programs ----------------------------------------------------------------------------

static bool time_ops(Bench *b, Caller *c)
{
    Arena *a = b->job->arena;
    Marks m = {.took = NEWN(a, double, (size_t)b->graph->nvalues *MAX_MARKS + 1),
               .calls = NEWN(a, double, b->graph->nvalues + 1),
               .n = b->graph->nvalues,
               .now = -1};
    double total = 0;
    int n = 0;
    if (caller_run(c, &c->t->par) < 0)
        return false;
    c->t->p.glue->set_mark(mark, &m);
    for (; n < MIN_RUNS || (n < MAX_RUNS && total < ENOUGH_NS); n++) {
        double took = caller_run(c, &c->t->par);
        close_mark(&m);  // the last op's time ends with the call
        m.now = -1;
        if (took < 0)
            return false;
        total += took;
    }
    b->marked_ns = total / n;
    Collect all = {b, &m, NEWN(a, const LStmt *, m.n + 1), n};
    for (int i = 0; i < b->job->prog->entries.n; i++)
        if (b->job->prog->entries.p[i]->entry == b->graph)
            lstmts_walk(&b->job->prog->entries.p[i]->body, collect_note, &all);
    graph_walk(b->graph, collect_value, &all);
    return true;
}

// What the formats of this program cost here.
static bool measure_rates(Bench *b, const struct tfx_par *par)
{
    bool formats[FORMAT_COUNT] = {false};
    int64_t weights = predict_reads(b->job->prog, b->graph, b->dims, formats);
    return weights == 0 || rates_measure(&b->rates, b->job, formats, weights, par);
}

static bool measure(Bench *b, Job *job, const Tensor *in, bool marked)
{
    Timed t;
    Caller c;
    if (!timed_load(&t, job))
        return false;
    if (!timed_start(&t, b->threads)) {
        timed_unload(&t);
        return false;
    }
    b->threads = t.par.threads;
    b->job = job;  // whose loops tell how weights are stored
    caller_init(&c, &t, b->graph, b->dims, in, b->threads);
    if (marked) {
        time_ops(b, &c);
    } else {
        b->runs = time_calls(&c, &b->ns, &b->least_ns);
        t.roof(&t.par, &b->gflops, &b->gbytes);
        measure_rates(b, &t.par);
    }
    timed_unload(&t);
    return diag_errors(job->diag) == 0;
}

bool bench_run(Bench *b, Job *job, Graph *g, int threads)
{
    Arena *a = job->arena;
    const Module *m = job->module;
    Tensor *in = NEWN(a, Tensor, g->body->params.n + 1);
    Settings *own = job->set, set = *own;
    Job marked;
    *b = (Bench){.job = job, .graph = g, .threads = threads};
    b->dims = NEWN(a, int64_t, m->dims.n + 1);
    dims_at_bounds(m, g, b->dims);
    random_inputs(a, g, b->dims, job->set->seed, in);
    set.timed = true;
    if (!set.dispatch && !*set.target->flags)
        set.target = target_find("native");
    job->set = &set;
    bool ok = measure(b, job, in, false);
    marked = *job;
    set.marks = true;
    ok = ok && measure(b, &marked, in, true);
    job->set = own;
    b->job = job;
    return ok;
}

double bench_least(const Bench *b, double flop, double weight_bytes)
{
    double compute = b->gflops > 0 ? flop / b->gflops : 0;
    double memory = b->gbytes > 0 ? weight_bytes / b->gbytes : 0;
    return compute > memory ? compute : memory;
}
