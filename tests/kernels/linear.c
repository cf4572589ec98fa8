// linear.c - the linear template, gather and matmul against sums in double.

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/variant.h"

typedef struct Case {
    ptrdiff_t m, n, k;
} Case;

static const Case cases[] = {
    {1, 1, 1},     {1, 16, 3},    {1, 48, 7},    {1, 257, 64},  {2, 33, 5},
    {3, 47, 16},   {4, 49, 1},    {5, 96, 31},   {6, 100, 12},  {7, 17, 9},
    {8, 144, 64},  {9, 145, 100}, {13, 50, 77},  {31, 31, 31},  {130, 61, 40},
    {257, 5, 3},   {12, 64, 0},   {70, 500, 33}, {20, 65, 129}, {12, 33, 3105},
    {98, 17, 300},
};
enum { CASES = sizeof cases / sizeof *cases };

// A weight matrix in one storage format: packed, plain, and its values.
typedef struct Weights {
    void *packed, *plain;
    float *value;  // [n,k]
} Weights;

static void put(const Kernels *k, int format, void *to, ptrdiff_t i, float a)
{
    if (format == F32)
        ((float *)to)[i] = a;
    else
        ((uint16_t *)to)[i] = format == BF16 ? k->to_bf16(a) : k->to_f16(a);
}

static Weights weights(const Kernels *k, int format, ptrdiff_t n, ptrdiff_t kk)
{
    size_t size = format == F32 ? 4 : 2;
    Weights w = {calloc((size_t)TFX_PACKED(n, kk) + 1, size),
                 calloc((size_t)(n * kk) + 1, size), random_floats(3, n * kk, 1.0)};
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = 0; j < kk; j++) {
            float *a = w.value + i * kk + j;
            if (format == BF16)
                *a = k->from_bf16(k->to_bf16(*a));
            if (format == F16)
                *a = k->from_f16(k->to_f16(*a));
            put(k, format, w.plain, i * kk + j, *a);
            put(k, format, w.packed, tfx_packed_at(n, kk, i, j), *a);
        }
    return w;
}

static void weights_free(Weights *w)
{
    free(w->packed);
    free(w->plain);
    free(w->value);
}

// sum_kk x w in double, and the sum of magnitudes that bounds the error.
static double dot(const float *x, const float *w, ptrdiff_t k, double *size)
{
    double s = 0.0;
    *size = 0.0;
    for (ptrdiff_t i = 0; i < k; i++) {
        s += (double)x[i] * (double)w[i];
        *size += fabs((double)x[i] * (double)w[i]);
    }
    return s;
}

// Whether a product of so many rows goes by tiles, its floats in pieces.
static int in_pieces(const Kernels *v, ptrdiff_t rows)
{
    return v->tile_rows > 0 && rows >= v->tile_rows;
}

// Of the sum of magnitudes: what tfx.h states.
static double bound(const Kernels *v, Case c)
{
    double pieces = v->pieces == 2 ? 0x1p-14 : 0x1p-22;
    return (double)c.k * 0x1p-24 + (in_pieces(v, c.m) ? pieces : 0.0);
}

static void check_linear(const Kernels *v, int format, Case c)
{
    ptrdiff_t ldx = c.k + 3, ldy = c.n + 5;
    float *x = random_floats(1, c.m * ldx, 2.0), *y = random_floats(2, c.m * ldy, 1.0);
    Weights w = weights(v, format, c.n, c.k);
    v->linear[format](NULL, y, ldy, x, ldx, w.packed, c.m, c.n, c.k);
    float *before = random_floats(2, c.m * ldy, 1.0);
    for (ptrdiff_t i = 0; i < c.m; i++)
        for (ptrdiff_t j = 0; j < ldy; j++) {
            double size = 0.0;
            double e = j < c.n ? dot(x + i * ldx, w.value + j * c.k, c.k, &size)
                               : (double)before[i * ldy + j];
            double error = fabs((double)y[i * ldy + j] - e);
            cr_assert(error <= bound(v, c) * size,
                      "%s format %d %td x %td x %td at %td,%td: error %g", v->name,
                      format, c.m, c.n, c.k, i, j, error);
        }
    // a row alone has the bits it has among others; with tiles, among as few as they take,
    // of which up to 16 have an order of their own
    ptrdiff_t few = !in_pieces(v, c.m) ? 1 : c.m > 16 ? 17 : v->tile_rows;
    for (ptrdiff_t i = 0; i + few <= c.m && i < 9; i++) {
        v->linear[format](NULL, before, ldy, x + i * ldx, ldx, w.packed, few, c.n, c.k);
        cr_assert(memcmp(before, y + i * ldy, sizeof(float) * (size_t)c.n) == 0);
    }
    weights_free(&w);
    free(x);
    free(y);
    free(before);
}

Test(linear, is_a_sum_within_its_stated_error_in_every_format)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int format = 0; format < FORMATS; format++)
            for (int i = 0; i < CASES; i++)
                check_linear(*v, format, cases[i]);
}

// What amx.h says of real sums, far below the bound.
Test(linear, is_near_the_largest_sum)
{
    Case c = {40, 96, 768};
    for (const Kernels *const *v = variants(); *v; v++) {
        float *x = random_floats(1, c.m * c.k, 2.0),
              *y = random_floats(2, c.m * c.n, 1);
        Weights w = weights(*v, F32, c.n, c.k);
        double most = 0.0, top = 0.0, size;
        (*v)->linear[F32](NULL, y, c.n, x, c.k, w.packed, c.m, c.n, c.k);
        for (ptrdiff_t i = 0; i < c.m * c.n; i++) {
            double e = dot(x + i / c.n * c.k, w.value + i % c.n * c.k, c.k, &size);
            most = fmax(most, fabs((double)y[i] - e));
            top = fmax(top, fabs(e));
        }
        cr_assert(most <= ((*v)->pieces == 2 ? 1e-5 : 2e-6) * top, "%s: %g of %g",
                  (*v)->name, most, top);
        fprintf(stderr, "%s linear: %.2g of the largest sum, k = %td\n", (*v)->name,
                most / top, c.k);
        weights_free(&w);
        free(x);
        free(y);
    }
}

Test(linear, epilogues_see_the_right_extras)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++) {
            Case c = cases[i];
            ptrdiff_t ld = c.n + 1;
            float *x = random_floats(4, c.m * c.k, 1.0), *e[4];
            for (uint64_t j = 0; j < 4; j++)
                e[j] = random_floats(10 + j, c.m * ld, 2.0);
            Weights w = weights(*v, F32, c.n, c.k);
            float *y = random_floats(5, c.m * ld, 1.0),
                  *z = random_floats(6, c.m * ld, 1);
            (*v)->linear_four(NULL, y, ld, x, c.k, w.packed, c.m, c.n, c.k, e[0], ld,
                              e[1], 0, e[2], ld, e[3], 0);
            (*v)->linear_gelu(NULL, z, ld, x, c.k, w.packed, c.m, c.n, c.k, e[0], 0);
            for (ptrdiff_t r = 0; r < c.m; r++)
                for (ptrdiff_t j = 0; j < c.n; j++) {
                    double size = 0.0;
                    double a = dot(x + r * c.k, w.value + j * c.k, c.k, &size);
                    double f = fmax(a, (double)e[0][r * ld + j]) * (double)e[1][j] +
                               tanh((double)e[2][r * ld + j]) - (double)e[3][j];
                    double g = a + (double)e[0][j];
                    g = g * 0.5 * (1.0 + erf(g * 0.70710678118654752));
                    double tolerance = 2 * bound(*v, c) * size + 2e-6;
                    cr_assert(fabs((double)y[r * ld + j] - f) <= tolerance);
                    cr_assert(fabs((double)z[r * ld + j] - g) <= tolerance);
                }
            // y may be an extra: x += ...
            memcpy(z, e[0], sizeof(float) * (size_t)(c.m * ld));
            (*v)->linear_add(NULL, y, ld, x, c.k, w.packed, c.m, c.n, c.k, z, ld);
            (*v)->linear_add(NULL, z, ld, x, c.k, w.packed, c.m, c.n, c.k, z, ld);
            for (ptrdiff_t r = 0; r < c.m; r++)
                cr_assert(memcmp(y + r * ld, z + r * ld, sizeof(float) * (size_t)c.n) ==
                          0);
            for (int j = 0; j < 4; j++)
                free(e[j]);
            weights_free(&w);
            free(x);
            free(y);
            free(z);
        }
}

Test(linear, has_the_same_bits_for_any_number_of_threads)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++) {
            Case c = cases[i];
            float *x = random_floats(4, c.m * c.k, 1.0);
            Weights w = weights(*v, F32, c.n, c.k);
            float *y = random_floats(5, c.m * c.n, 1.0),
                  *z = random_floats(6, c.m * c.n, 1);
            (*v)->linear[F32](NULL, y, c.n, x, c.k, w.packed, c.m, c.n, c.k);
            for (int threads = 2; threads <= 7; threads++) {
                tfx_par par = {backwards, &threads, threads};
                memset(z, 0, sizeof(float) * (size_t)(c.m * c.n));
                (*v)->linear[F32](&par, z, c.n, x, c.k, w.packed, c.m, c.n, c.k);
                cr_assert(memcmp(y, z, sizeof(float) * (size_t)(c.m * c.n)) == 0);
            }
            weights_free(&w);
            free(x);
            free(y);
            free(z);
        }
}

Test(gather, rows_come_exactly_from_panels_and_tables)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int format = 0; format < FORMATS; format++)
            for (int i = 0; i < CASES; i++) {
                ptrdiff_t n = cases[i].n, k = cases[i].k, ld = k + 2;
                Weights w = weights(*v, format, n, k);
                int32_t ids[] = {0, (int32_t)n - 1, (int32_t)n / 2, 0};
                float *y = random_floats(1, 4 * ld, 1.0),
                      *z = random_floats(1, 4 * ld, 1.0);
                cr_assert((*v)->gather_panel[format](y, ld, w.packed, ids, 4, n, k) ==
                          0);
                cr_assert((*v)->gather_rows[format](z, ld, w.plain, ids, 4, n, k) == 0);
                for (int r = 0; r < 4; r++) {
                    size_t bytes = sizeof(float) * (size_t)k;
                    cr_assert(memcmp(y + r * ld, w.value + ids[r] * k, bytes) == 0);
                    cr_assert(memcmp(z + r * ld, w.value + ids[r] * k, bytes) == 0);
                }
                ids[3] = (int32_t)n;
                cr_assert((*v)->gather_panel[format](y, ld, w.packed, ids, 4, n, k) ==
                          TFX_ERR_INDEX);
                ids[3] = -1;
                cr_assert((*v)->gather_rows[format](y, ld, w.plain, ids, 4, n, k) ==
                          TFX_ERR_INDEX);
                weights_free(&w);
                free(y);
                free(z);
            }
}

// p with y, x and w given strides and operands by hand; x is [batch,m,k] or transposed.
static void check_matmul(const Kernels *v, ptrdiff_t batch, Case c, int transposed)
{
    float *x = random_floats(1, batch * c.m * c.k, 1.0);
    float *w = random_floats(2, batch * c.k * c.n, 1.0);
    float *y = random_floats(3, batch * c.m * c.n, 1.0),
          *z = random_floats(3, batch * c.m * c.n, 1);
    tfx_mm p = {.y = y, .x = x, .w = w, .batch = batch, .m = c.m, .n = c.n, .k = c.k};
    p.y_batch = c.m * c.n, p.y_row = c.n;
    p.x_batch = c.m * c.k, p.x_row = transposed ? 1 : c.k,
    p.x_col = transposed ? c.m : 1;
    p.w_batch = batch == 2 ? 0 : c.k * c.n;
    p.w_row = transposed ? 1 : c.n, p.w_col = transposed ? c.k : 1;
    v->matmul(NULL, &p);
    for (ptrdiff_t b = 0; b < batch; b++)
        for (ptrdiff_t i = 0; i < c.m; i++)
            for (ptrdiff_t j = 0; j < c.n; j++) {
                double e = 0.0, size = 0.0;
                for (ptrdiff_t l = 0; l < c.k; l++) {
                    double a = (double)x[b * p.x_batch + i * p.x_row + l * p.x_col] *
                               (double)w[b * p.w_batch + l * p.w_row + j * p.w_col];
                    e += a;
                    size += fabs(a);
                }
                double error = fabs((double)y[b * p.y_batch + i * p.y_row + j] - e);
                cr_assert(error <= ((double)c.k * 1.01 + 1.0) * 0x1p-24 * size);
            }
    int threads = 3;
    tfx_par par = {backwards, &threads, threads};
    p.y = z;
    v->matmul(&par, &p);
    cr_assert(memcmp(y, z, sizeof(float) * (size_t)(batch * c.m * c.n)) == 0);
    free(x);
    free(w);
    free(y);
    free(z);
}

Test(matmul, is_within_its_stated_error_for_any_strides)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++)
            for (ptrdiff_t batch = 1; batch < 4; batch++)
                for (int transposed = 0; transposed < 2; transposed++) {
                    check_matmul(*v, batch, cases[i], transposed);
                    Case deep = {cases[i].m % 10 + 1, cases[i].n, 300 + cases[i].k};
                    check_matmul(*v, batch, deep, transposed);
                }
}
