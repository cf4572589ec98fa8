// pairs.c - bf16 weights by activations rounded to bf16: exact products, sums in f32.

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/variant.h"

typedef struct Case {
    ptrdiff_t m, n, k;
} Case;

// Rows around 8 and 16, of more than one block; panels of 16, 32 and 48; k that ends
// within a pair, a step and a piece of a panel.
static const Case cases[] = {
    {1, 1, 1},     {1, 48, 7},     {1, 257, 64},  {1, 449, 97},   {1, 192, 130},
    {2, 33, 5},    {4, 49, 1},     {5, 96, 31},   {7, 100, 33},   {8, 17, 9},
    {9, 145, 100}, {12, 64, 0},    {13, 50, 77},  {15, 31, 520},  {16, 48, 32},
    {17, 80, 255}, {31, 31, 32},   {33, 48, 257}, {47, 112, 300}, {128, 64, 64},
    {130, 61, 40}, {140, 49, 129}, {257, 5, 3}};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct Weights {
    uint16_t *packed;
    float *value;  // [n, k]
} Weights;

static Weights weights(const Kernels *v, ptrdiff_t n, ptrdiff_t k)
{
    Weights w = {calloc((size_t)TFX_PACKED_BF16A16(n, k) + 1, 1),
                 random_floats((uint64_t)(n * 1000 + k), n * k, 1.0)};
    for (ptrdiff_t c = 0; c < n; c++)
        for (ptrdiff_t i = 0; i < k; i++) {
            uint16_t half = v->to_bf16(w.value[c * k + i]);
            w.packed[tfx_pairs_at(n, k, c, i)] = half;
            w.value[c * k + i] = v->from_bf16(half);
        }
    return w;
}

static void weights_free(Weights *w)
{
    free(w->packed);
    free(w->value);
}

static float *work_of(Case c)
{
    return malloc(sizeof(float) * (size_t)TFX_LINEAR_BF16_SCRATCH(c.m, c.k) + 1);
}

// The sum over x rounded, and how far an f32 sum of it may be.
static void check_element(const Kernels *v, Case c, const float *x, const float *w,
                          float y)
{
    double exact = 0.0, size = 0.0, plain = 0.0;
    for (ptrdiff_t i = 0; i < c.k; i++) {
        double a = (double)v->from_bf16(v->to_bf16(x[i])) * (double)w[i];
        exact += a;
        size += fabs((double)x[i] * (double)w[i]);
        plain += (double)x[i] * (double)w[i];
    }
    double sums = ((double)c.k + 2) * 0x1.01p-24 * size;
    cr_assert(fabs((double)y - exact) <= sums, "%s %td x %td x %td: %.9g not %.9g",
              v->name, c.m, c.n, c.k, (double)y, exact);
    cr_assert(fabs((double)y - plain) <= 0x1p-8 * size + sums);
}

Test(pairs, x_is_rounded_to_nearest_even_and_nothing_else)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++) {
            Case c = cases[i];
            ptrdiff_t ldx = c.k + 3, ld = c.n + 5;
            float *x = random_floats(1, c.m * ldx, 2.0), *work = work_of(c);
            float *y = random_floats(2, c.m * ld, 1.0);
            float *before = random_floats(2, c.m * ld, 1.0);
            Weights w = weights(*v, c.n, c.k);
            for (ptrdiff_t j = 0; j < c.m * ldx; j += 3) {  // ties
                uint32_t bits = (uint32_t)(*v)->to_bf16(x[j]) << 16 | 0x8000u;
                memcpy(x + j, &bits, sizeof bits);
            }
            (*v)->linear_bf16a16(NULL, y, ld, x, ldx, w.packed, c.m, c.n, c.k, work);
            for (ptrdiff_t r = 0; r < c.m; r++) {
                for (ptrdiff_t j = 0; j < c.n; j++)
                    check_element(*v, c, x + r * ldx, w.value + j * c.k, y[r * ld + j]);
                cr_assert(memcmp(y + r * ld + c.n, before + r * ld + c.n,
                                 5 * sizeof(float)) == 0);
            }
            weights_free(&w);
            free(x);
            free(y);
            free(before);
            free(work);
        }
}

Test(pairs, epilogue_sees_its_extra_and_bad_rows_stay_bad)
{
    enum { N = 61, K = 70 };
    for (const Kernels *const *v = variants(); *v; v++)
        for (ptrdiff_t m = 5; m <= 35;
             m += 6) {  // 5, 11, 17, ..: with and without tiles
            float *x = random_floats(1, m * K, 2.0), *e = random_floats(4, m * N, 1.0);
            float *y = random_floats(2, m * N, 1.0), *z = random_floats(3, m * N, 1.0);
            float *work = work_of((Case){m, N, K});
            Weights w = weights(*v, N, K);
            x[2 * K + 5] = INFINITY;
            x[3 * K + 69] = NAN;
            (*v)->linear_bf16a16(NULL, y, N, x, K, w.packed, m, N, K, work);
            (*v)->linear_bf16a16_add(NULL, z, N, x, K, w.packed, m, N, K, work, e, N);
            for (ptrdiff_t i = 0; i < m * N; i++)
                if (i / N == 2 || i / N == 3)
                    cr_assert(!isfinite(y[i]) && !isfinite(z[i]));
                else
                    cr_assert(isfinite(y[i]) &&
                              fabsf(z[i] - (y[i] + e[i])) <= 1e-6f * fabsf(y[i]));
            weights_free(&w);
            free(x);
            free(e);
            free(y);
            free(z);
            free(work);
        }
}

Test(pairs, has_the_same_bits_for_any_number_of_threads)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++) {
            Case c = cases[i];
            float *x = random_floats(4, c.m * c.k, 1.0), *work = work_of(c);
            float *y = random_floats(5, c.m * c.n, 1.0),
                  *z = random_floats(6, c.m * c.n, 1.0);
            Weights w = weights(*v, c.n, c.k);
            (*v)->linear_bf16a16(NULL, y, c.n, x, c.k, w.packed, c.m, c.n, c.k, work);
            for (int threads = 2; threads <= 7; threads++) {
                tfx_par par = {backwards, &threads, threads};
                memset(z, 0, sizeof(float) * (size_t)(c.m * c.n));
                (*v)->linear_bf16a16(&par, z, c.n, x, c.k, w.packed, c.m, c.n, c.k,
                                     work);
                cr_assert(memcmp(y, z, sizeof(float) * (size_t)(c.m * c.n)) == 0,
                          "%s %td x %td x %td, %d threads", (*v)->name, c.m, c.n, c.k,
                          threads);
            }
            weights_free(&w);
            free(x);
            free(y);
            free(z);
            free(work);
        }
}

Test(pairs, gathered_rows_are_the_values)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++) {
            ptrdiff_t n = cases[i].n, k = cases[i].k, ld = k + 2;
            Weights w = weights(*v, n, k);
            int32_t ids[] = {0, (int32_t)n - 1, (int32_t)n / 2, 0};
            float *y = random_floats(1, 4 * ld, 1.0);
            cr_assert((*v)->gather_bf16a16(y, ld, w.packed, ids, 4, n, k) == 0);
            for (int r = 0; r < 4; r++)
                cr_assert(memcmp(y + r * ld, w.value + ids[r] * k,
                                 sizeof(float) * (size_t)k) == 0);
            ids[3] = (int32_t)n;
            cr_assert((*v)->gather_bf16a16(y, ld, w.packed, ids, 4, n, k) ==
                      TFX_ERR_INDEX);
            weights_free(&w);
            free(y);
        }
}
