// heads.c - columns of a product that are written by heads: the bits of the plain product,
// each where it belongs, and nothing else touched.

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/variant.h"

typedef struct Case {
    ptrdiff_t m, n, k;
    ptrdiff_t n0, d0, n1, d1;  // heads of the last columns, those of range 1 last
} Case;

static const Case cases[] = {
    {1, 1, 1, 1, 1, 0, 0},          {1, 48, 7, 0, 0, 3, 16},
    {1, 449, 64, 3, 64, 2, 32},     {1, 449, 96, 100, 1, 7, 7},
    {2, 33, 5, 3, 11, 0, 0},        {4, 192, 16, 1, 64, 1, 64},
    {5, 96, 31, 2, 16, 2, 16},      {13, 50, 77, 3, 5, 4, 7},
    {16, 144, 64, 0, 0, 144, 1},    {20, 145, 129, 5, 13, 1, 80},
    {31, 192, 31, 2, 32, 4, 16},    {70, 500, 33, 2, 100, 3, 33},
    {130, 145, 449, 1, 48, 1, 97},  {257, 5, 3, 1, 2, 1, 3},
    {12, 64, 0, 2, 16, 1, 7},       {131, 240, 260, 2, 24, 3, 32},
    {300, 145, 3105, 2, 48, 1, 49},
};
enum { CASES = sizeof cases / sizeof *cases, GAP = 3 };

// A range of heads in the test: rows GAP apart, heads GAP apart.
typedef struct Range {
    float *y, *before;
    ptrdiff_t head, row, count;
} Range;

static Range range_new(uint64_t seed, ptrdiff_t m, ptrdiff_t n, ptrdiff_t d)
{
    Range r = {.row = d + GAP, .head = m * (d + GAP) + GAP};
    r.count = n * r.head + 1;
    r.y = random_floats(seed, r.count, 1.0);
    r.before = random_floats(seed, r.count, 1.0);
    return r;
}

// Puts the plain product's columns from `from` on where they belong in `before`.
static void range_expect(const Range *r, const float *plain, Case c, ptrdiff_t from,
                         ptrdiff_t n, ptrdiff_t d)
{
    for (ptrdiff_t i = 0; i < c.m; i++)
        for (ptrdiff_t h = 0; h < n; h++)
            for (ptrdiff_t j = 0; j < d; j++)
                r->before[h * r->head + i * r->row + j] =
                    plain[i * c.n + from + h * d + j];
}

static bool range_end(Range *r)
{
    bool same = !memcmp(r->y, r->before, sizeof(float) * (size_t)r->count);
    free(r->y);
    free(r->before);
    return same;
}

// y as it was, with the first `left` columns of the plain product.
static bool has_columns(const float *y, const float *plain, Case c, ptrdiff_t left,
                        ptrdiff_t ld)
{
    float *before = random_floats(2, c.m * ld, 1.0);
    for (ptrdiff_t i = 0; i < c.m; i++)
        memcpy(before + i * ld, plain + i * c.n, sizeof(float) * (size_t)left);
    bool same = !memcmp(y, before, sizeof(float) * (size_t)(c.m * ld));
    free(before);
    return same;
}

// ---- floats, one range, with an extra --------------------------------------------------

static void *pack_floats(ptrdiff_t n, ptrdiff_t k)
{
    float *w = calloc((size_t)TFX_PACKED(n, k) + 1, sizeof *w);
    float *value = random_floats(3, n * k, 1.0);
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = 0; j < k; j++)
            w[tfx_packed_at(n, k, i, j)] = value[i * k + j];
    free(value);
    return w;
}

static void check_floats(const Kernels *v, Case c, const tfx_par *par)
{
    const ptrdiff_t left = c.n - c.n0 * c.d0, ld = left + GAP;
    float *x = random_floats(1, c.m * c.k, 2.0), *y = random_floats(2, c.m * ld, 1.0);
    float *e = random_floats(4, c.m * c.n, 1.0),
          *plain = random_floats(5, c.m * c.n, 1);
    void *w = pack_floats(c.n, c.k);
    Range r = range_new(6, c.m, c.n0, c.d0);
    v->linear_add(NULL, plain, c.n, x, c.k, w, c.m, c.n, c.k, e, c.n);
    v->linear_add_heads(par, left ? y : NULL, ld, x, c.k, w, c.m, c.n, c.k, e, c.n, r.y,
                        r.head, r.row, c.n0, c.d0);
    range_expect(&r, plain, c, left, c.n0, c.d0);
    cr_assert(has_columns(y, plain, c, left, ld), "%s: y of %td x %td x %td", v->name,
              c.m, c.n, c.k);
    cr_assert(range_end(&r), "%s: heads of %td x %td x %td", v->name, c.m, c.n, c.k);
    free(x);
    free(y);
    free(e);
    free(plain);
    free(w);
}

Test(heads, get_the_last_columns_of_a_product)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++)
            for (int threads = 1; threads < 4; threads += 2) {
                tfx_par par = {backwards, &threads, threads};
                check_floats(*v, cases[i], &par);
            }
}

// ---- bytes, two ranges -----------------------------------------------------------------

static void *pack_bytes(ptrdiff_t n, ptrdiff_t k)
{
    uint8_t *w = calloc((size_t)TFX_PACKED_I8(n, k) + 1, 1);
    uint64_t state = 7;
    for (ptrdiff_t i = 0; i < n; i++) {
        float scale = (float)uniform(&state);
        int32_t shift = 0;
        for (ptrdiff_t j = 0; j < k; j++) {
            int8_t q = (int8_t)(uniform(&state) * 127);
            w[tfx_i8_at(n, k, i, j)] = (uint8_t)q;
            shift -= 128 * q;
        }
        uint8_t *at = w + tfx_i8_shift_at(n, k, i);
        memcpy(at, &shift, sizeof shift);
        memcpy(at + 4 * tfx_panel_width(n, i), &scale, sizeof scale);
    }
    return w;
}

static void check_bytes(const Kernels *v, Case c, const tfx_par *par)
{
    const ptrdiff_t from1 = c.n - c.n1 * c.d1, left = from1 - c.n0 * c.d0;
    const ptrdiff_t ld = left + GAP;
    float *x = random_floats(1, c.m * c.k, 2.0), *y = random_floats(2, c.m * ld, 1.0);
    float *plain = random_floats(5, c.m * c.n, 1.0);
    float *work = calloc((size_t)TFX_LINEAR_I8_SCRATCH(c.m, c.k) + 1, sizeof *work);
    void *w = pack_bytes(c.n, c.k);
    Range r0 = range_new(6, c.m, c.n0, c.d0), r1 = range_new(7, c.m, c.n1, c.d1);
    v->linear_i8(NULL, plain, c.n, x, c.k, w, c.m, c.n, c.k, work);
    v->linear_i8_heads(par, left ? y : NULL, ld, x, c.k, w, c.m, c.n, c.k, work, r0.y,
                       r0.head, r0.row, c.n0, c.d0, r1.y, r1.head, r1.row, c.n1, c.d1);
    range_expect(&r0, plain, c, left, c.n0, c.d0);
    range_expect(&r1, plain, c, from1, c.n1, c.d1);
    cr_assert(has_columns(y, plain, c, left, ld), "%s: y of %td x %td x %td", v->name,
              c.m, c.n, c.k);
    bool first = range_end(&r0), second = range_end(&r1);
    cr_assert(first && second, "%s: heads of %td x %td x %td", v->name, c.m, c.n, c.k);
    free(x);
    free(y);
    free(plain);
    free(work);
    free(w);
}

Test(heads, of_two_ranges_get_the_last_columns_of_a_product)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++)
            for (int threads = 1; threads < 4; threads += 2) {
                tfx_par par = {backwards, &threads, threads};
                check_bytes(*v, cases[i], &par);
            }
}
