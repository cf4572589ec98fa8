// test_oracle_runs.c - what a run of the oracle reads and keeps: weights, turns, states and
// their cursor, taps.

#include "tests/oracle.h"

TestSuite(oracle_runs, .init = set_up, .fini = tear_down);

// "w": 0, 1, 2...; "w.<i>": the same from 10 * i on; others cannot be had.
static bool read_numbers(void *ctx, const char *name, int64_t n, double *out)
{
    if (name[0] != 'w')
        return false;
    ++*(int *)ctx;
    double start = name[1] == '.' ? 10 * atof(name + 2) : 0;
    for (int64_t i = 0; i < n; i++)
        out[i] = start + (double)i;
    return true;
}

static bool run_once(Oracle *o, const Module *m, int64_t *dims, const Tensor *in,
                     Tensor *out, const char **why)
{
    return oracle_run(o, m->graphs.p[0], dims, in, out, why);
}

Test(oracle_runs, reads_weights_as_stored_and_once)
{
    Module *m = read_module("module \"t\"\n"
                            "weight \"w\" : f32[2, 3] stored [1, 0]\n"
                            "entry e() -> (r) {\n"
                            "x = weight {path = \"w\"} : f32[2, 3]\nyield x\n}\n");
    int reads = 0;
    Oracle *o = oracle_new(arena, m, (WeightSource){read_numbers, &reads});
    Tensor out;
    const char *why;
    for (int i = 0; i < 3; i++) {
        cr_assert(run_once(o, m, NULL, NULL, &out, &why));
        expect_data(&out, "0,2,4,1,3,5", "[3, 2] in the file");
    }
    cr_expect_eq(reads, 1);
    Tensor c;
    const Value *x = m->graphs.p[0]->body->ops.p[0];
    cr_assert(oracle_const(arena, m, (WeightSource){read_numbers, &reads}, x, 0, NULL,
                           &c, NULL));
    expect_data(&c, "0,2,4,1,3,5", "oracle_const");
    oracle_free(o);
}

static const char repeat_text[] = "module \"t\"\n"
                                  "weight \"w.{i}\" : f32[2]\n"
                                  "entry e(x: f32[2]) -> (r, s) {\n"
                                  "%0 = repeat i in 1..4 (a = x, b = x) {\n"
                                  "    w = weight {path = \"w.{i}\"} : f32[2]\n"
                                  "    c = add(a, w) : f32[2]\n"
                                  "    %1 = repeat j in 0..i0 (d = c) {\n"
                                  "        t = turn {index = \"i\"} : i32\n"
                                  "        u = turn {index = \"j\"} : i32\n"
                                  "        p = mul(t, u) : i32\n"
                                  "        f = cast(p) {dtype = f32} : f32\n"
                                  "        g = add(d, f) : f32[2]\n"
                                  "        yield g\n"
                                  "    }\n"
                                  "    h = item(%1) {i = 0} : f32[2]\n"
                                  "    yield h, a\n"
                                  "}\n"
                                  "y = item(%0) {i = 0} : f32[2]\n"
                                  "z = item(%0) {i = 1} : f32[2]\n"
                                  "yield y, z\n"
                                  "}\n";

static void count_taps(void *ctx, const Value *v, int nturns, const int64_t *turns,
                       const Tensor *t)
{
    if (strcmp(v->name, "g") != 0)
        return;
    int *seen = ctx;
    ++*seen;
    cr_expect_eq(nturns, 2);
    cr_expect(turns[0] >= 1 && turns[0] < 4 && turns[1] >= 0 && turns[1] < 3);
    cr_expect_eq(t->n, 2);
}

// turn i adds w.i = [10 i, 10 i + 1], then i (0 + 1 + 2); b is the a of the turn before
Test(oracle_runs, repeats_with_their_turns)
{
    char text[sizeof repeat_text];
    strcpy(text, repeat_text);
    char *i0 = strstr(text, "i0");
    i0[0] = '3', i0[1] = ' ';
    Module *m = read_module(text);
    int reads = 0, taps = 0;
    Oracle *o = oracle_new(arena, m, (WeightSource){read_numbers, &reads});
    oracle_tap(o, count_taps, &taps);
    double x[] = {1, 2};
    Tensor in = {DT_f32, 1, {2}, 2, x}, out[2];
    const char *why;
    cr_assert(run_once(o, m, NULL, &in, out, &why), "%s", why);
    expect_data(&out[0], "79,83", "carried");
    expect_data(&out[1], "40,43", "of the turn before");
    cr_expect_eq(reads, 3);
    cr_expect_eq(taps, 9);
    oracle_free(o);
}

static const char cache_text[] =
    "module \"t\"\n"
    "dim T in 1..4\ndim P in 0..4\n"
    "state \"l.{i}.k\" : f32[4] init -1 turns 2 by_cursor\n"
    "entry e(x: f32[T], j: i32) at P advance T -> (r) {\n"
    "%0 = repeat i in 0..2 (a = x) {\n"
    "    k = state {path = \"l.{i}.k\"} : f32[4]\n"
    "    t = turn {index = \"i\"} : i32\n"
    "    f = cast(t) {dtype = f32} : f32\n"
    "    b = add(a, f) : f32[T]\n"
    "    k1 = set_slice(k, b) {start = [P]} : f32[4]\n"
    "    s = slice(k1) {start = [0], stop = [P + T], step = [1]} : f32[P + T]\n"
    "    n = sum(s) {axes = [0]} : f32\n"
    "    c = add(a, n) : f32[T]\n"
    "    yield c\n"
    "}\n"
    "y = item(%0) {i = 0} : f32[T]\n"
    "z = gather(y, j) {axis = 0} : f32\n"
    "yield z\n"
    "}\n";

Test(oracle_runs, keeps_states_and_cursor_of_good_runs_only)
{
    Module *m = read_module(cache_text);
    Oracle *o = oracle_new(arena, m, (WeightSource){NULL, NULL});
    double x[] = {1, 2, 3}, j[] = {1};
    Tensor in[] = {{DT_f32, 1, {2}, 2, x}, {DT_i32, 0, {0}, 1, j}}, out;
    int64_t dims[2] = {2, 99};
    const char *why = NULL;
    cr_assert(run_once(o, m, dims, in, &out, &why), "%s", why);
    cr_expect_eq(dims[1], 0);
    // l.0.k = 1 2, a = 4 5; l.1.k = 5 6, a = 15 16
    expect_data(&out, "16", "first run");
    expect_data(oracle_state(o, "l.0.k"), "1,2,-1,-1", "l.0.k");
    expect_data(oracle_state(o, "l.1.k"), "5,6,-1,-1", "l.1.k");

    j[0] = 2;  // out of range after the states were written
    cr_expect_not(run_once(o, m, dims, in, &out, &why));
    cr_expect_str_eq(why, "index 2 is outside 0..1");
    expect_data(oracle_state(o, "l.1.k"), "5,6,-1,-1", "l.1.k after an error");

    j[0] = 0, dims[0] = 1, in[0].dim[0] = in[0].n = 1;
    cr_assert(run_once(o, m, dims, in, &out, &why), "%s", why);
    cr_expect_eq(dims[1], 2);
    // l.0.k = 1 2 1, a = 5; l.1.k = 5 6 6, a = 22
    expect_data(&out, "22", "second run");

    dims[0] = 2, in[0].dim[0] = in[0].n = 2;
    cr_expect_not(run_once(o, m, dims, in, &out, &why));
    cr_expect_str_eq(why, "P + T is 5, above 4");
    dims[0] = 5;
    cr_expect_not(run_once(o, m, dims, in, &out, &why));
    cr_expect_str_eq(why, "T is 5, outside 1..4");
    dims[0] = 1;
    cr_expect_not(run_once(o, m, dims, in, &out, &why));
    cr_expect_str_eq(why, "x is not of the shape f32[T]");

    oracle_reset(o);
    expect_data(oracle_state(o, "l.1.k"), "-1,-1,-1,-1", "after reset");
    dims[0] = 2, j[0] = 1;
    cr_assert(run_once(o, m, dims, in, &out, &why), "%s", why);
    expect_data(&out, "16", "after reset");
    oracle_free(o);
}

Test(oracle_runs, an_old_version_of_a_state_keeps_its_value)
{
    Module *m = read_module("module \"t\"\n"
                            "state \"s\" : f32[2]\n"
                            "entry e(x: f32[1]) -> (r, q) {\n"
                            "a = state {path = \"s\"} : f32[2]\n"
                            "t = sum(a) {axes = [0]} : f32\n"
                            "b = set_slice(a, x) {start = [0]} : f32[2]\n"
                            "c = set_slice(b, x) {start = [1]} : f32[2]\n"
                            "yield c, t\n}\n");
    Oracle *o = oracle_new(arena, m, (WeightSource){NULL, NULL});
    double x[] = {7};
    Tensor in = {DT_f32, 1, {1}, 1, x}, out[2];
    const char *why;
    cr_assert(run_once(o, m, NULL, &in, out, &why));
    expect_data(&out[0], "7,7", "new");
    expect_data(&out[1], "0", "old");
    cr_assert(run_once(o, m, NULL, &in, out, &why));
    expect_data(&out[1], "14", "old, second run");
    oracle_free(o);
}

Test(oracle_runs, says_which_weight_is_missing)
{
    Module *m = read_module("module \"t\"\n"
                            "weight \"gone.{i}\" : f32[2]\n"
                            "entry e() -> (r) {\n"
                            "z = const {value = 0} : f32\n"
                            "%0 = repeat i in 0..2 (a = z) {\n"
                            "w = weight {path = \"gone.{i}\"} : f32[2]\n"
                            "s = sum(w) {axes = [0]} : f32\nyield s\n}\n"
                            "y = item(%0) {i = 0} : f32\nyield y\n}\n");
    int reads = 0;
    Oracle *o = oracle_new(arena, m, (WeightSource){read_numbers, &reads});
    Tensor out;
    const char *why = NULL;
    cr_expect_not(run_once(o, m, NULL, NULL, &out, &why));
    cr_expect_str_eq(why, "weight `gone.0` cannot be read");
    oracle_free(o);
}

Test(oracle_runs, evaluates_constants_of_a_turn)
{
    Module *m = read_module("module \"t\"\n"
                            "weight \"w.{i}\" : f32[1, 2]\n"
                            "entry e() -> (r) {\n"
                            "z = const {value = 2} : f32\n"
                            "y = const {shape = [1, 2], values = \"0,0\"} : f32[1, 2]\n"
                            "%0 = repeat i in 0..3 (a = y) {\n"
                            "w = weight {path = \"w.{i}\"} : f32[1, 2]\n"
                            "v = mul(w, z) : f32[1, 2]\nyield v\n}\n"
                            "o = item(%0) {i = 0} : f32[1, 2]\nyield o\n}\n");
    const Value *repeat = m->graphs.p[0]->body->ops.p[2];
    const Value *v = repeat->body->ops.p[1];
    cr_assert(value_is_const(v));
    int reads = 0;
    Turn turn = {"i", 2};
    Tensor t;
    cr_assert(oracle_const(arena, m, (WeightSource){read_numbers, &reads}, v, 1, &turn,
                           &t, NULL));
    expect_data(&t, "40,42", "2 w.2");
    const char *why = NULL;
    cr_expect_not(
        oracle_const(arena, m, (WeightSource){NULL, NULL}, v, 1, &turn, &t, &why));
    cr_expect(strstr(why, "cannot be read"), "%s", why);
}

Test(oracle_runs, running_out_of_memory_leaves_nothing_behind)
{
    Module *m = read_module(cache_text);
    for (long n = 1; n < 400; n += 3) {
        double x[] = {1, 2}, j[] = {1};
        Tensor in[] = {{DT_f32, 1, {2}, 2, x}, {DT_i32, 0, {0}, 1, j}}, out;
        int64_t dims[2] = {2, 0};
        const char *why;
        Arena *a = arena_new();
        Oracle *o = oracle_new(a, m, (WeightSource){NULL, NULL});
        Guard g;
        arena_fail_after(n);
        if (GUARD_SET(&g)) {
            cr_expect(g.out_of_memory);
        } else {
            cr_expect(oracle_run(o, m->graphs.p[0], dims, in, &out, &why));
            guard_drop(&g);
        }
        arena_fail_after(0);
        oracle_free(o);
        arena_free(a);
    }
}
