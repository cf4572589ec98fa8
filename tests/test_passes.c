// test_passes.c - passes keep what a program computes: the evaluator in double, before and
// after, on random inputs and weights. Programs are the case files of tests/passes and
// random ones made here.

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "compiler/oracle.h"
#include "passes/pass.h"

// ---- random numbers ----------------------------------------------------------------------

typedef struct Random {
    uint64_t state;
} Random;

static uint64_t next(Random *r)
{
    r->state += 0x9e3779b97f4a7c15u;  // splitmix64
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int below(Random *r, int n)
{
    return (int)(next(r) % (uint64_t)n);
}

static double uniform(Random *r)
{
    return (double)(int64_t)(next(r) >> 11) / 4503599627370496.0 - 1;  // [-1, 1)
}

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
            for (int64_t turn = 0; turn < s->turns; turn++)
                keep(a, result, oracle_state(o, path_at(a, s->path, "i", turn)));
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

// ---- random programs -------------------------------------------------------------------

typedef struct Maker {
    Arena *a;
    Module *m;
    Builder b;
    Random r;
    VEC(Value *) pool;  // f32[T, 8] and f32[4, 8]: what is there to use
    int weights;
    bool in_repeat;
} Maker;

static Value *pick(Maker *k)
{
    // the later the likelier, so that chains form
    int n = k->pool.n, i = below(&k->r, n), j = below(&k->r, n);
    return k->pool.p[i > j ? i : j];
}

static Value *number(Maker *k)
{
    static const double numbers[] = {0, 1, -1, 2, 0.5, 0.125, 3, -0.0, 1e-5};
    return build_const(&k->b, DT_f32, numbers[below(&k->r, COUNT(numbers))]);
}

static Value *weight(Maker *k, int rank, int64_t n)
{
    Sizes *s = k->m->sizes;
    Type t = {.dtype = DT_f32, .rank = rank};
    t.dim[0].size = size_int(s, rank == 2 ? n : 8);
    t.dim[1].size = size_int(s, 8);
    int which =
        below(&k->r, 5) == 0 && k->weights ? below(&k->r, k->weights) : k->weights++;
    const char *path =
        arena_printf(k->a, k->in_repeat ? "w%d.%d.{i}" : "w%d.%d", rank, which);
    return build_weight(&k->b, module_weight(k->m, path, t));
}

static Value *unary(Maker *k, Value *x)
{
    static const Op ops[] = {OP_neg,     OP_abs,  OP_square, OP_sin,     OP_tanh,
                             OP_sigmoid, OP_silu, OP_relu,   OP_gelu,    OP_erf,
                             OP_cos,     OP_neg,  OP_abs,    OP_softplus};
    return build1(&k->b, ops[below(&k->r, COUNT(ops))], x);
}

static Value *binary(Maker *k, Value *x, Value *y)
{
    static const Op ops[] = {OP_add, OP_sub, OP_mul, OP_max, OP_min};
    Op op = ops[below(&k->r, COUNT(ops))];
    return below(&k->r, 2) ? build2(&k->b, op, x, y) : build2(&k->b, op, y, x);
}

static Value *swap(Maker *k, Value *x)
{
    int64_t perm[] = {1, 0};
    Attr a = attr_make_ints("perm", 2, perm);
    return build(&k->b, OP_transpose, 1, &x, 1, &a);
}

static Value *product(Maker *k, Value *x)
{
    Value *w = weight(k, 2, 8);
    Value *y = build2(&k->b, OP_matmul, x, below(&k->r, 3) ? swap(k, w) : w);
    y = build2(&k->b, OP_mul, y, build_const(&k->b, DT_f32, 0.25));
    return below(&k->r, 2) ? build2(&k->b, OP_add, y, weight(k, 1, 8)) : y;
}

static Value *mean(Maker *k, Value *x)
{
    int64_t axis = 1;
    Attr a[] = {attr_make_ints("axes", 1, &axis), attr_make_int("keep", 1)};
    return build(&k->b, OP_mean, 1, &x, 2, a);
}

static Value *norm(Maker *k, Value *x)
{
    if (below(&k->r, 2))
        x = build2(&k->b, OP_sub, x, mean(k, x));
    Value *v = mean(k, build2(&k->b, OP_mul, x, x));
    Value *root = build1(&k->b, OP_sqrt,
                         build2(&k->b, OP_add, v, build_const(&k->b, DT_f32, 0.01)));
    Value *y = build2(&k->b, OP_div, x, root);
    y = build2(&k->b, OP_mul, y, weight(k, 1, 8));
    return below(&k->r, 2) ? build2(&k->b, OP_add, y, weight(k, 1, 8)) : y;
}

static Value *softmax(Maker *k, Value *x)
{
    Attr a = attr_make_int("axis", 1);
    return build(&k->b, OP_softmax, 1, &x, 1, &a);
}

static Value *attend(Maker *k, Value *q, Value *x, Value *v)
{
    Value *s = build2(&k->b, OP_matmul, q, swap(k, x));
    s = build2(&k->b, below(&k->r, 2) ? OP_mul : OP_div, s,
               build_const(&k->b, DT_f32, 1.7));
    return build2(&k->b, OP_matmul, softmax(k, s), v);
}

static Value *halves(Maker *k, Value *x)
{
    Sizes *s = k->m->sizes;
    Value *part[2];
    for (int i = 0; i < 2; i++) {
        const Size *start[] = {size_int(s, 0), size_int(s, 4 * i)};
        const Size *stop[] = {x->type.dim[0].size, size_int(s, 4 * i + 4)};
        int64_t step[] = {1, 1};
        Attr a[] = {attr_make_sizes("start", 2, start),
                    attr_make_sizes("stop", 2, stop), attr_make_ints("step", 2, step)};
        part[1 - i] = build(&k->b, OP_slice, 1, &x, 3, a);
    }
    Attr axis = attr_make_int("axis", 1);
    return build(&k->b, OP_concat, 2, part, 1, &axis);
}

// Writes a state, and perhaps reads what is in it then.
static Value *remember(Maker *k, Value *x)
{
    Sizes *s = k->m->sizes;
    Type t = {.dtype = DT_f32, .rank = 2};
    t.dim[0].size = size_int(s, 6);
    t.dim[1].size = size_int(s, 8);
    const char *path = k->in_repeat ? "s.{i}" : "s";
    State *state = module_state(k->m, path, t);
    state->turns = k->in_repeat ? 3 : 1;
    Attr a = attr_make_str("path", path);
    Value *in[] = {build(&k->b, OP_state, 0, NULL, 1, &a), x};
    const Size *start[] = {size_int(s, below(&k->r, 2)), size_int(s, 0)};
    const Size *stop[] = {x->type.dim[0].size, size_int(s, 8)};
    int64_t step[] = {1, 1};
    Attr old[] = {
        attr_make_sizes("start", 2, (const Size *[]){size_int(s, 0), size_int(s, 0)}),
        attr_make_sizes("stop", 2, stop), attr_make_ints("step", 2, step)};
    Value *before = build(&k->b, OP_slice, 1, in, 3, old);
    Attr at = attr_make_sizes("start", 2, start);
    Value *after = build(&k->b, OP_set_slice, 2, in, 1, &at);
    return below(&k->r, 2) ? before : build(&k->b, OP_slice, 1, &after, 3, old);
}

static void grow(Maker *k, int n);

static Value *loop(Maker *k, Value *x)
{
    Sizes *s = k->m->sizes;
    Value *init[] = {x, pick(k)};
    Value *r = build_repeat(&k->b, "i", size_int(s, 0), size_int(s, 3), 2, init);
    Maker inner = *k;
    inner.b.region = r->body;
    inner.in_repeat = true;
    for (int i = 0; i < 2; i++)
        vec_push(k->a, &inner.pool, r->body->params.p[i]);
    inner.pool.cap = inner.pool.n;  // its own copy from the next push on
    grow(&inner, 6);
    for (int i = 0; i < 2; i++)
        vec_push(k->a, &r->body->yields,
                 below(&k->r, 3) ? build1(&inner.b, OP_tanh, pick(&inner))
                                 : r->body->params.p[i]);
    k->r = inner.r;
    k->weights = inner.weights;
    return build_item(&k->b, r, below(&k->r, 2));
}

static Value *step(Maker *k, Value *x)
{
    switch (below(&k->r, 13)) {
    case 0:
    case 1:
        return unary(k, x);
    case 2:
        return binary(k, x, pick(k));
    case 3:
        return binary(k, x, number(k));
    case 4:
        return binary(k, x, weight(k, 1, 8));
    case 5:
    case 6:
    case 7:
        return product(k, x);
    case 8:
        return norm(k, x);
    case 9:
        return attend(k, x, pick(k), pick(k));
    case 10:
        return halves(k, x);
    case 11:
        return remember(k, x);
    default:
        return k->in_repeat ? softmax(k, x) : loop(k, x);
    }
}

static void grow(Maker *k, int n)
{
    for (int i = 0; i < n; i++) {
        Value *y = step(k, pick(k));
        if (below(&k->r, 3) == 0)  // or sizes grow without bound
            y = build1(&k->b, OP_tanh, y);
        y->name = arena_printf(k->a, "v%d", i);
        vec_push(k->a, &k->pool, y);
    }
}

static const char *random_program(Arena *a, uint64_t seed)
{
    Maker k = {.a = a, .m = module_new(a, "random"), .r = {seed}};
    Graph *g = graph_new(k.m, "e");
    Type t = {.dtype = DT_f32, .rank = 2};
    t.dim[0].size = below(&k.r, 2)
                        ? size_int(k.m->sizes, 4)
                        : size_dim(k.m->sizes, module_dim(k.m, "T", 1, 4, 1));
    t.dim[1].size = size_int(k.m->sizes, 8);
    k.b = (Builder){.graph = g, .region = g->body, .at = -1, .scope = k.m->scopes.p[0]};
    for (int i = 0; i < 2; i++)
        vec_push(a, &k.pool, build_param(g, g->body, i ? "z" : "x", t));
    grow(&k, 3 + below(&k.r, 20));
    for (int i = 0; i < 3; i++) {
        vec_push(a, &g->body->yields, pick(&k));
        vec_push(a, &g->result_names, arena_printf(a, "r%d", i));
    }
    Text text, why;
    text_init(&text, a);
    text_init(&why, a);
    ir_print(k.m, &text);
    cr_assert(ir_verify(k.m, &why), "%s\n%s", why.p, text.p);
    return text.p;
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
