// test_cost.c - what formats are said to cost, by rates given here: nothing is timed. And the
// order in which tfxc tune tries them.

#include <criterion/criterion.h>
#include <math.h>

#include "compiler/base.h"
#include "compiler/driver/choices.h"
#include "passes/format.h"

// Of no machine, each rate as large as others at ordinary sizes.
static const FormatRates rates = {
    .weight = {0.01, 0.1, 0.7}, .wait = {0.03, 0.02, 0.02}, .x = 0.1, .y = 0.2};
static const FormatRates reading = {.wait = {1, 1, 1}};

static double cost(Format f, int64_t n, int64_t k, int64_t m, const FormatRates *r)
{
    const FormatSize w = {n, k, format_blocks(n, k)};
    return format_info[f].cost(&w, m, r);
}

static bool near(double a, double b, double by)
{
    return fabs(a - b) <= by * fabs(b);
}

// ---- one product -----------------------------------------------------------------------

Test(cost, grows_with_rows_and_with_both_sides)
{
    static const int64_t sizes[] = {1, 2, 15, 16, 17, 31, 48, 49, 128, 129, 1000};
    for (int f = FORMAT_plain + 1; f < FORMAT_COUNT; f++)
        for (int i = 0; i + 1 < COUNT(sizes); i++)
            for (int j = 0; j < COUNT(sizes); j++) {
                int64_t a = sizes[i], b = sizes[i + 1], c = sizes[j];
                const char *name = format_info[f].name;
                cr_expect(cost(f, a, c, c, &rates) > 0, "%s", name);
                cr_expect(cost(f, b, c, 7, &rates) > cost(f, a, c, 7, &rates),
                          "%s: n %d", name, (int)b);
                cr_expect(cost(f, c, b, 7, &rates) > cost(f, c, a, 7, &rates),
                          "%s: k %d", name, (int)b);
                cr_expect(cost(f, c, 40, b, &rates) > cost(f, c, 40, a, &rates),
                          "%s: m %d", name, (int)b);
            }
}

Test(cost, of_one_row_from_memory_is_that_of_its_bytes)
{
    double f32 = cost(FORMAT_f32, 768, 768, 1, &reading);
    cr_expect(near(f32, 768 * 768 * 4, 1e-12), "%g", f32);
    cr_expect(near(cost(FORMAT_bf16, 768, 768, 1, &reading), f32 / 2, 1e-12));
    cr_expect(near(cost(FORMAT_int8, 768, 768, 1, &reading), f32 / 4, 0.02));
    cr_expect(near(cost(FORMAT_int4g32, 768, 768, 1, &reading), f32 * 4.5 / 32, 1e-12));
}

Test(cost, of_blocks_is_that_of_those_kept)
{
    const int64_t n = 768, k = 512, all = format_blocks(n, k);
    double last = 0;
    for (int64_t kept = 1; kept <= all; kept += all / 8) {
        const FormatSize w = {n, k, kept};
        double now = format_info[FORMAT_block48].cost(&w, 64, &rates);
        cr_expect(now > last, "%d kept: %g", (int)kept, now);
        last = now;
    }
    const FormatSize half = {n, k, all / 2};
    const FormatRates product = {.weight = {1, 1, 1}};
    cr_expect(near(format_info[FORMAT_block48].cost(&half, 9, &product),
                   (double)(n * k) / 2, 1e-12));
}

Test(cost, goes_through_what_was_measured_and_on)
{
    const FormatRates r = {.weight = {2, 32, 256}, .wait = {0.5, 0.25, 0.125}};
    const FormatRates t = {.weight = {2, 32, 256}};
    double one = 16 * 10;  // weights
    cr_expect(near(cost(FORMAT_f32, 16, 10, 1, &t), 2 * one, 1e-12));
    cr_expect(near(cost(FORMAT_f32, 16, 10, 16, &t), 32 * one, 1e-12));
    cr_expect(near(cost(FORMAT_f32, 16, 10, 72, &t), 144 * one, 1e-12));
    cr_expect(near(cost(FORMAT_f32, 16, 10, 128, &t), 256 * one, 1e-12));
    cr_expect(near(cost(FORMAT_f32, 16, 10, 256, &t), 512 * one, 1e-12));
    // a byte is waited for once, however many the rows
    cr_expect(near(cost(FORMAT_f32, 16, 10, 4096, &r),
                   cost(FORMAT_f32, 16, 10, 4096, &t) + 0.125 * 4 * one, 1e-12));
}

Test(cost, of_the_smallest_and_of_huge_products_is_a_number)
{
    const int64_t huge = (int64_t)1 << 30;
    for (int f = FORMAT_plain + 1; f < FORMAT_COUNT; f++) {
        const char *name = format_info[f].name;
        double one = cost(f, 1, 1, 1, &rates);
        double most = cost(f, huge, huge, huge, &rates);
        cr_expect(one > 0 && one < 100, "%s: %g", name, one);
        cr_expect(isfinite(most) && most > 1e18 * 1e6, "%s: %g", name, most);
    }
}

// ---- what tune tries ---------------------------------------------------------------------

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(choices, .init = set_up, .fini = tear_down);

static void group(Groups *groups, const char *pattern, int64_t count, double f32,
                  double bf16, double int8)
{
    Group g = {.now = FORMAT_f32, .count = count};
    vec_push(arena, &g.patterns, pattern);
    g.cost[FORMAT_f32] = f32;
    g.cost[FORMAT_bf16] = bf16;
    g.cost[FORMAT_int8] = int8;
    vec_push(arena, groups, g);
}

static const char *order(const Groups *groups, const Format *formats, int n)
{
    Choices c = {NULL, 0, 0};
    Text t;
    text_init(&t, arena);
    choices_make(arena, groups, formats, n, &c);
    for (int i = 0; i < c.n; i++)
        text_printf(&t, "%s%s %s", i ? ", " : "", groups->p[c.p[i].group].patterns.p[0],
                    format_info[c.p[i].format].name);
    return t.p;
}

Test(choices, come_by_gain_not_by_size)
{
    static const Format formats[] = {FORMAT_f32, FORMAT_bf16, FORMAT_int8};
    Groups groups = {NULL, 0, 0};
    group(&groups, "large", 4000, 10, 9, 8);
    group(&groups, "often", 1000, 20, 11, 25);
    cr_expect_str_eq(order(&groups, formats, 3),
                     "often bf16, large int8, large bf16, often int8");
}

Test(choices, without_gain_come_by_size_and_name)
{
    static const Format formats[] = {FORMAT_int8, FORMAT_bf16};
    Groups groups = {NULL, 0, 0};
    group(&groups, "b", 10, 0, 0, 0);  // a table, of no product
    group(&groups, "a", 10, 0, 0, 0);
    group(&groups, "c", 20, 0, 0, 0);
    cr_expect_str_eq(order(&groups, formats, 2),
                     "c int8, c bf16, a int8, a bf16, b int8, b bf16");
    cr_expect_not(choice_is_slow(choice_ratio(&groups, &(Choice){0, FORMAT_int8})));
}

Test(choices, that_are_clearly_slower_than_what_is_there_are_not_tried)
{
    Groups groups = {NULL, 0, 0};
    group(&groups, "w", 10, 10, 6, 12);
    const Choice bf16 = {0, FORMAT_bf16}, int8 = {0, FORMAT_int8};
    cr_expect(near(choice_ratio(&groups, &int8), 1.2, 1e-12));
    cr_expect_not(choice_is_slow(choice_ratio(&groups, &int8)), "it may be wrong");
    cr_expect_not(choice_is_slow(choice_ratio(&groups, &bf16)));
    groups.p[0].now = FORMAT_bf16;  // kept
    cr_expect(near(choice_ratio(&groups, &int8), 2, 1e-12));
    cr_expect(choice_is_slow(choice_ratio(&groups, &int8)));
}
