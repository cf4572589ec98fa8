// test_passes.c - passes keep what a program computes: the evaluator in double, before and
// after, on random inputs and weights. Programs are the case files of tests/passes and
// random ones of programs.h.

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "compiler/oracle.h"
#include "passes/pass.h"
#include "programs.h"

static bool read_weight(void *ctx, const char *name, int64_t n, double *out)
{
    (void)ctx;
    Random r = {hash_bytes(name, strlen(name))};
    for (int64_t i = 0; i < n; i++)
        out[i] = uniform(&r);
    return true;
}

// ---- running ---------------------------------------------------------------------------

enum { RUNS = 2, MAX_VALUES = 16 };

typedef struct Result {
    int n;
    Tensor out[RUNS * MAX_VALUES];  // copies
} Result;

static Tensor random_tensor(Arena *a, const Type *t, const int64_t *dims, Random *r)
{
    Tensor x = {.dtype = t->dtype, .rank = t->rank, .n = 1};
    for (int k = 0; k < t->rank; k++)
        x.n *= x.dim[k] = size_eval(t->dim[k].size, dims);
    x.data = NEWN(a, double, x.n + 1);
    bool is_float = dtype_info[t->dtype].kind == DK_FLOAT;
    for (int64_t i = 0; i < x.n; i++)
        x.data[i] = is_float ? (double)(float)(2 * uniform(r)) : (double)below(r, 2);
    return x;
}

static void keep(Arena *a, Result *result, const Tensor *t)
{
    cr_assert(result->n < RUNS * MAX_VALUES);
    Tensor *copy = &result->out[result->n++];
    *copy = *t;
    copy->data = NEWN(a, double, t->n + 1);
    memcpy(copy->data, t->data, (size_t)t->n * sizeof(double));
}

// Runs an entry a few times with inputs of the seed; results and states after each run.
static void run_entry(Arena *a, Module *m, Graph *g, uint64_t seed, Result *result)
{
    Random r = {seed};
    Oracle *o = oracle_new(a, m, (WeightSource){read_weight, NULL});
    result->n = 0;
    for (int run = 0; run < RUNS; run++) {
        int64_t *dims = NEWN(a, int64_t, m->dims.n + 1);
        Tensor in[MAX_VALUES], out[MAX_VALUES];
        const char *why = "";
        for (int i = 0; i < m->dims.n; i++) {
            const DimVar *d = m->dims.p[i];
            dims[i] =
                d->lo + below(&r, (int)(d->hi - d->lo < 5 ? d->hi - d->lo + 1 : 5));
            dims[i] -= dims[i] % d->by;
        }
        for (int i = 0; i < g->body->params.n; i++)
            in[i] = random_tensor(a, &g->body->params.p[i]->type, dims, &r);
        cr_assert(oracle_run(o, g, dims, in, out, &why), "%s: %s", g->name, why);
        for (int i = 0; i < g->body->yields.n; i++)
            keep(a, result, &out[i]);
        for (int i = 0; i < m->states.n; i++) {
            const State *s = m->states.p[i];
            for (int64_t turn = 0; turn < s->turns; turn++) {
                const Tensor *t = oracle_state(o, path_at(a, s->path, "i", turn));
                if (t)  // this entry knows it
                    keep(a, result, t);
            }
        }
    }
    oracle_free(o);
}

// The largest difference, over the largest number, or 1.
static double difference(const Tensor *a, const Tensor *b)
{
    double largest = 1, worst = 0;
    if (a->n != b->n)
        return (double)INFINITY;
    for (int64_t i = 0; i < a->n; i++)
        largest = fmax(largest, isfinite(a->data[i]) ? fabs(a->data[i]) : 1);
    for (int64_t i = 0; i < a->n; i++) {
        double x = a->data[i], y = b->data[i];
        if (x == y || (isnan(x) && isnan(y)))
            continue;
        double d = fabs(x - y);
        worst = isnan(d) ? (double)INFINITY : fmax(worst, d);
    }
    return worst / largest;
}

static Module *parse(Arena *a, const char *text)
{
    Diag *d = diag_new(a);
    size_t n = strlen(text);
    return ir_parse(a, d, text, n, diag_source(d, "case", text, n));
}

// Runs the passes on the text; what it computes must stay.
static void check_kept(Arena *a, const char *text, const char *list, uint64_t seed,
                       const char *what)
{
    Module *before = parse(a, text), *after = parse(a, text);
    Diag *d = diag_new(a);
    PassOptions o = {.list = list};
    if (!before || before->steps.n > 0)
        return;  // a case about what is no graph, or about compression
    cr_assert(passes_run(after, &o, d));
    for (int i = 0; i < before->graphs.n; i++) {
        Result *x = NEW(a, Result), *y = NEW(a, Result);
        run_entry(a, before, before->graphs.p[i], seed, x);
        run_entry(a, after, after->graphs.p[i], seed, y);
        cr_assert(x->n == y->n);
        for (int k = 0; k < x->n; k++) {
            double worst = difference(&x->out[k], &y->out[k]);
            if (worst <= 1e-12)
                continue;
            Text t;
            text_init(&t, a);
            ir_print(after, &t);
            cr_assert(false, "%s: result %d differs by %g after %s\n%s\n%s", what, k,
                      worst, list ? list : "all passes", text, t.p);
        }
    }
}

static void keep_case(Arena *a, const Case *c, Text *got)
{
    char *what = arena_printf(a, "%s:%d", c->path, c->line);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        check_kept(a, c->input, c->words, seed, what);
        check_kept(a, c->input, NULL, seed, what);
        for (int i = 0; pass_row(i); i++)
            check_kept(a, c->input, pass_row(i)->name, seed, what);
    }
    text_puts(got, c->expected);
}

Test(passes, keep_what_the_cases_compute)
{
    Arena *a = arena_new();
    Text report;
    text_init(&report, a);
    int count = 0;
    cr_expect(cases_run("tests/passes", ".txt", keep_case, &report, &count) == 0);
    cr_expect(count >= 40, "only %d cases", count);
    arena_free(a);
}

Test(passes, keep_what_random_programs_compute)
{
    const char *runs = getenv("TFXC_RUNS");
    uint64_t n = runs ? strtoull(runs, NULL, 10) : 150;
    for (uint64_t seed = 1; seed <= n; seed++) {
        Arena *a = arena_new();
        const char *text = random_program(a, seed);
        const char *what = arena_printf(a, "seed %llu", (unsigned long long)seed);
        check_kept(a, text, NULL, seed, what);
        const char *name = pass_row((int)(seed % 9))->name;
        check_kept(a, text, name, seed, what);
        arena_free(a);
    }
}

// ---- the manager -----------------------------------------------------------------------

static const char *message_of(const char *list)
{
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    Module *m = parse(a, "module \"m\"\nentry e(x: f32[2]) -> (y) { yield x }\n");
    PassOptions o = {.list = list};
    const char *text = passes_run(m, &o, d) ? "" : diag_message(d, 0)->text;
    static char kept[200];
    snprintf(kept, sizeof kept, "%s", text);
    arena_free(a);
    return kept;
}

Test(passes, a_list_is_checked)
{
    cr_expect_str_eq(message_of("none"), "");
    cr_expect_str_eq(message_of("dce,cse,dce"), "");
    cr_expect_str_eq(message_of("dse"), "--passes: there is no pass 'dse'");
    cr_expect_str_eq(
        message_of("epilogue,qkv"),
        "qkv cannot run after epilogue: it needs that elementwise ops stand "
        "alone, not in the bodies of maps and linears");
}

Test(passes, rows_are_in_a_possible_order)
{
    Arena *a = arena_new();
    const PassInfo *rows[64];
    int n = 0;
    for (; pass_row(n); n++)
        rows[n] = pass_row(n);
    Text why;
    text_init(&why, a);
    cr_expect(passes_check(rows, n, &why), "%s", why.p);
    arena_free(a);
}

static void count_text(void *ctx, const char *text)
{
    *(size_t *)ctx += strlen(text);
}

Test(passes, are_printed_and_timed_on_demand)
{
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    Module *m = parse(a, "module \"m\"\nentry e(x: f32[2]) -> (y) { yield x }\n");
    size_t n = 0;
    const char *after[] = {"cse"};
    PassOptions o = {
        .print_after = after, .nprint_after = 1, .write = count_text, .ctx = &n};
    cr_expect(passes_run(m, &o, d));
    cr_expect(n > 40 && n < 200, "%zu", n);
    o.time_passes = true;
    cr_expect(passes_run(m, &o, d));
    cr_expect(n > 500, "%zu", n);
    const char *off[] = {"no-cse"};
    n = 0;
    o.off = off;
    o.noff = 1;
    o.time_passes = false;
    cr_expect(passes_run(m, &o, d));
    cr_expect(n == 0);
    arena_free(a);
}

// All of it, from text to text; false: it ran out of memory.
static bool run_with_memory(const char *text, long allocations)
{
    Arena *a = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_fail_after(0);
        cr_expect(guard.out_of_memory, "%s", guard.message);
        arena_free(a);
        return false;
    }
    arena_fail_after(allocations);
    Diag *d = diag_new(a);
    Module *m = parse(a, text);
    PassOptions o = {.list = NULL};
    cr_expect(m && passes_run(m, &o, d));
    Text out;
    text_init(&out, a);
    ir_print(m, &out);
    arena_fail_after(0);
    guard_drop(&guard);
    arena_free(a);
    return true;
}

Test(passes, run_out_of_memory_without_a_trace)
{
    Arena *a = arena_new();
    const char *text = random_program(a, 7);
    long n = 1;
    while (n < 1000000 && !run_with_memory(text, n))
        n += 1 + n / 50;
    cr_expect(n > 50 && n < 1000000, "%ld", n);
    arena_free(a);
}
