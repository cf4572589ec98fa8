// test_size.c - sizes: normal form, quotients, bounds, text both ways.

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compiler/size.h"

static Arena *arena;
static Sizes *sizes;
static DimVar T, P, N, M;
static DimVar *dims[4];

static void set_up(void)
{
    arena = arena_new();
    sizes = sizes_new(arena);
    P = (DimVar){"P", 0, 512, 1, 0, 0, 0};
    T = (DimVar){"T", 1, 512, 1, 1, 0, 0};
    N = (DimVar){"N", 64, 1024, 64, 2, 0, 0};
    M = (DimVar){"M", 0, 100, 2, 3, 0, 0};
    dims[0] = &P, dims[1] = &T, dims[2] = &N, dims[3] = &M;
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(size, .init = set_up, .fini = tear_down);

static const Size *get(const char *text)
{
    return size_parse(sizes, text, dims, 4, NULL, 0);
}

typedef struct Case {
    const char *text, *printed;
} Case;

Test(size, prints_in_normal_form)
{
    static const Case cases[] = {
        {"0", "0"},
        {"7", "7"},
        {"-3", "-3"},
        {"T", "T"},
        {"T + P", "P + T"},
        {"P + T - P", "T"},
        {"T - T", "0"},
        {"1 - T", "-T + 1"},
        {"2*T*T - 1", "2*T*T - 1"},
        {"(T + 1) * (T - 1)", "T*T - 1"},
        {"(T + P) * (T + P)", "P*P + 2*P*T + T*T"},
        {"T*P*2 - P*T", "P*T"},
        {"  T*( 3+4 ) ", "7*T"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775807", "9223372036854775807"},
        {"1 - 9223372036854775807", "-9223372036854775806"},
        {"-(T - P)", "P - T"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Size *a = get(cases[i].text);
        cr_assert_not_null(a, "%s", cases[i].text);
        cr_expect_str_eq(size_str(a, arena), cases[i].printed);
        cr_expect_eq(get(cases[i].printed), a, "%s reads back", cases[i].printed);
    }
}

Test(size, quotients_keep_only_what_does_not_divide)
{
    static const Case cases[] = {
        {"floor_div(7, 2)", "3"},
        {"floor_div(-7, 2)", "-4"},
        {"ceil_div(7, 2)", "4"},
        {"ceil_div(-7, 2)", "-3"},
        {"floor_div(7, -2)", "-4"},
        {"floor_div(4*T, 2)", "2*T"},
        {"floor_div(T, 1)", "T"},
        {"floor_div(T, 2)", "floor_div(T, 2)"},
        {"T / 2", "floor_div(T, 2)"},
        {"floor_div(T + 4, 2)", "floor_div(T, 2) + 2"},
        {"floor_div(3*T, 2)", "floor_div(T, 2) + T"},
        {"floor_div(2*T, 4)", "floor_div(T, 2)"},
        {"floor_div(2*T + 1, 4)", "floor_div(T, 2)"},
        {"floor_div(2*T + 3, 4)", "ceil_div(T, 2)"},
        {"floor_div(T + 1, 2)", "ceil_div(T, 2)"},
        {"ceil_div(T - 1, 2)", "floor_div(T, 2)"},
        {"ceil_div(T + 63, 64)", "floor_div(T - 2, 64) + 2"},
        {"floor_div(floor_div(T, 4), 16)", "floor_div(T, 64)"},
        {"N / 2", "floor_div(N, 2)"},
        {"2 * (N / 2)", "N"},
        {"N / 2 + N / 2", "N"},
        {"N - 2 * (N / 2)", "0"},
        {"N / 64 * 32", "floor_div(N, 2)"},
        {"floor_div(N / 2, 32)", "floor_div(N, 64)"},
        {"ceil_div(N, 32)", "floor_div(N, 32)"},
        {"(N + T) / 32", "floor_div(N, 32) + floor_div(T, 32)"},
        {"N / 128", "floor_div(floor_div(N, 64), 2)"},
        {"N * M / 128", "floor_div(N, 64)*floor_div(M, 2)"},
        {"(T*T - 1) / (T + 1)", "T - 1"},
        {"N * T / N", "T"},
        {"T * 4 / (T * 2)", "2"},
        {"floor_div(P, T)", "floor_div(P, T)"},
        {"floor_div(T, 1024)", "0"},
        {"floor_div(T, 512 * 2) + T", "T"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Size *a = get(cases[i].text);
        cr_assert_not_null(a, "%s", cases[i].text);
        const char *s = size_str(a, arena);
        cr_expect_eq(get(s), a, "%s reads back", s);
        cr_expect_eq(get(cases[i].printed), a, "%s is %s, not %s", cases[i].text, s,
                     cases[i].printed);
    }
}

// The value of an expression must not depend on its normal form.
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

Test(size, values_survive_normalisation)
{
    uint64_t seed = 1;
    for (int turn = 0; turn < 3000; turn++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t c[6];
        for (int k = 0; k < 6; k++)
            c[k] = (int64_t)(seed >> (8 + 8 * k) & 15) - 6;
        int64_t k = 1 + (int64_t)(seed >> 60) * (1 + (turn % 3));
        char text[200];
        snprintf(text, sizeof text,
                 "floor_div(%" PRId64 "*T + %" PRId64 "*N + %" PRId64 ", %" PRId64
                 ") + ceil_div(%" PRId64 "*P + %" PRId64 "*M*T + %" PRId64 ", %" PRId64
                 ")",
                 c[0], c[1], c[2], k, c[3], c[4], c[5], k);
        for (char *p; (p = strstr(text, "+ -")) != NULL;)
            memmove(p, p + 2, strlen(p + 2) + 1);
        const Size *a = get(text);
        // Asserts cost a message to the runner each: only where there is something to say.
        if (!a || get(size_str(a, arena)) != a)
            cr_assert_fail("%s does not read back", text);
        int64_t t = 1 + turn % 512, p = turn % 513, n = 64 * (1 + turn % 16),
                m = 2 * (turn % 51);
        int64_t x = c[0] * t + c[1] * n + c[2], y = c[3] * p + c[4] * m * t + c[5];
        int64_t want = floor_div(x, k) - floor_div(-y, k);
        int64_t got = size_eval(a, (int64_t[]){p, t, n, m});
        if (got != want)
            cr_assert_fail("%s = %s: %" PRId64 ", not %" PRId64, text,
                           size_str(a, arena), got, want);
        if (got < size_min_value(a) || got > size_max_value(a))
            cr_assert_fail("%s is out of its bounds", text);
    }
}

Test(size, min_and_max_fold_when_bounds_decide)
{
    cr_expect_eq(get("min(T, 512)"), get("T"));
    cr_expect_eq(get("max(T, 1)"), get("T"));
    cr_expect_eq(get("max(P + T, T)"), get("P + T"));
    cr_expect_eq(get("min(P + T, T)"), get("T"));
    cr_expect_eq(get("min(T, T)"), get("T"));
    cr_expect_eq(get("min(3, 4)"), get("3"));
    cr_expect_eq(get("min(T, P)"), get("min(P, T)"));
    cr_expect_eq(get("min(min(T, P), P)"), get("min(P, T)"));
    cr_expect_str_eq(size_str(get("max(T, 64)"), arena), "max(T, 64)");
    cr_expect_eq(size_min_value(get("max(T, 64)")), 64);
    cr_expect_eq(size_max_value(get("min(T, 64)")), 64);
}

Test(size, bounds_are_tight_for_what_grows)
{
    cr_expect_eq(size_min_value(get("P + T")), 1);
    cr_expect_eq(size_max_value(get("P + T")), 1024);
    cr_expect_eq(size_min_value(get("T*T - T")), 0);
    cr_expect_eq(size_max_value(get("T*T - T")), 512 * 511);
    cr_expect_eq(size_min_value(get("512 - T")), 0);
    cr_expect_eq(size_max_value(get("T*P - T")), 512 * 511);
    cr_expect_eq(size_min_value(get("N / 2")), 32);
    cr_expect_eq(size_max_value(get("floor_div(P, T)")), 512);
}

Test(size, overflow_is_null)
{
    cr_expect_null(get("9223372036854775807 + 1"));
    cr_expect_null(get("9223372036854775808"));
    cr_expect_null(get("-9223372036854775809"));
    cr_expect_null(get("9223372036854775807 * T"));
    cr_expect_null(get("T*T*T*T*T*T*T*T*T*T"));
    cr_expect_null(get("-9223372036854775808 / -1"));
    cr_expect_null(size_add(sizes, NULL, get("T")));
    cr_expect_null(size_mul(sizes, get("T"), NULL));
    cr_expect_null(get("4 / 0"));
    cr_expect_null(get("T / P"));
    const Size *a = get("M + P + 1");
    for (int i = 0; i < 100 && a != NULL; i++)
        a = size_mul(sizes, a, a);
    cr_expect_null(a);
}

Test(size, quot_is_exact_or_null)
{
    cr_expect_eq(size_quot(sizes, get("6*T"), get("3")), get("2*T"));
    cr_expect_eq(size_quot(sizes, get("N"), get("64")), get("N / 64"));
    cr_expect_null(size_quot(sizes, get("N"), get("128")));
    cr_expect_null(size_quot(sizes, get("T"), get("2")));
    cr_expect_null(size_quot(sizes, get("T + 1"), get("T")));
    cr_expect_null(size_quot(sizes, get("T"), get("0")));
    cr_expect_eq(size_quot(sizes, get("0"), get("T")), get("0"));
}

Test(size, what_is_not_a_size_does_not_parse)
{
    static const char *const bad[] = {
        "",       "+",   "T +",    "T T",   "(T",
        "T)",     "X",   "min(T)", "min T", "foo(T, 1)",
        "T ** 2", "1.5", "T,",     "--",    "floor_div(T, )"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_null(get(bad[i]), "\"%s\"", bad[i]);
    char deep[5000];
    memset(deep, '(', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    cr_expect_null(get(deep));
}

Test(size, tells_what_it_uses)
{
    cr_expect(size_uses(get("T + P"), &T));
    cr_expect(size_uses(get("floor_div(T, 3)"), &T));
    cr_expect(size_uses(get("N / 2"), &N));
    cr_expect_not(size_uses(get("T + P"), &N));
    int64_t v = 0;
    cr_expect(size_is_int(get("12"), &v) && v == 12);
    cr_expect(size_is_int(get("0"), NULL));
    cr_expect_not(size_is_int(get("T"), NULL));
    cr_expect_not(size_is_int(NULL, NULL));
    cr_expect(size_is(get("3*4"), 12));
}

// ---- tables by turn ----------------------------------------------------------------

static const int64_t six[] = {3, 1, 4, 1, 5, 9};
static TurnVar R = {"R", 2, {{"i", 1, 2}, {"j", 0, 3}}, six, 1, 9, 0};
static const int64_t two[] = {16, 48};
static TurnVar K = {"K", 1, {{"i", 1, 2}}, two, 16, 48, 1};
static TurnVar *tables[] = {&R, &K};

static const Size *by_turn(const char *text)
{
    return size_parse(sizes, text, dims, 4, tables, 2);
}

Test(size, tables_are_atoms)
{
    cr_expect_eq(by_turn("2*R + K - R"), by_turn("K + R"));
    cr_expect_str_eq(size_str(by_turn("T * K + 3 * R"), arena), "T*K + 3*R");
    cr_expect_str_eq(size_str(by_turn("ceil_div(R, 2)"), arena), "ceil_div(R, 2)");
    cr_expect_eq(by_turn("min(R, 9)"), by_turn("R"));
    cr_expect_null(by_turn("S"));
    cr_expect_eq(size_min_value(by_turn("T * R")), 1);
    cr_expect_eq(size_max_value(by_turn("T * R + K")), 512 * 9 + 48);
    cr_expect(size_is_fixed(by_turn("R * K + 2")));
    cr_expect_not(size_is_fixed(by_turn("R * T")));
    cr_expect_not(size_is_fixed(by_turn("max(K, T)")));
    cr_expect_not(size_is_int(by_turn("R"), NULL));
    cr_expect(size_uses(by_turn("R * T"), &T) && !size_uses(by_turn("R"), &T));
    static const int64_t same[] = {7, 7};
    TurnVar one = {"one", 1, {{"i", 1, 2}}, same, 7, 7, 2};
    cr_expect(size_is(size_turn(sizes, &one), 7), "equal entries are an integer");
}

Test(size, tables_are_read_by_turn)
{
    static const int64_t at[] = {0, 10, 64, 0};
    const Size *a = by_turn("T * R + ceil_div(K, 32)");
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) {
            Turn turns[] = {{"j", j}, {"i", i + 1}};
            cr_expect_eq(size_eval_at(a, at, 2, turns), 10 * six[3 * i + j] + i + 1);
        }
    Turn outside[] = {{"i", 3}, {"j", 0}};
    cr_expect_eq(size_eval_at(by_turn("R"), at, 2, outside), 9);
    cr_expect_eq(size_eval_at(by_turn("R"), at, 1, outside), 9);
    cr_expect_eq(size_eval(a, at), 92);
    cr_expect_float_eq(size_mean(by_turn("T * R + K"), at), 230.0 / 6 + 32, 1e-12);
}

static void count_table(const TurnVar *v, void *ctx)
{
    ((int *)ctx)[v->id]++;
}

Test(size, tables_in_a_size_are_found)
{
    int n[2] = {0, 0};
    size_turns(by_turn("R * R + T * max(K, P) + 1"), count_table, n);
    cr_expect(n[0] == 2 && n[1] == 1, "%d %d", n[0], n[1]);
}

Test(size, terms_are_shown_over_dims)
{
    const Size *a = get("3 * (N / 2)");
    cr_assert_eq(size_nterms(a), 1);
    const Term *t = size_term(a, 0);
    cr_expect_eq(t->coef, 3);
    cr_assert_eq(t->nfactors, 1);
    cr_expect_eq(t->factor[0]->kind, ATOM_FLOOR_DIV);
    cr_expect_eq(t->factor[0]->a, get("N"));
    cr_expect(size_is(t->factor[0]->b, 2));
    t = size_term(get("5 * N"), 0);
    cr_expect_eq(t->coef, 5);
    cr_expect_eq(t->factor[0]->kind, ATOM_DIM);
}
