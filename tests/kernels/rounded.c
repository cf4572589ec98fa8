// rounded.c - norms and linears that round their rows: the bytes of rounding them after.

#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/variant.h"

typedef struct Case {
    ptrdiff_t m, k;
} Case;

static const Case cases[] = {{1, 1},     {1, 64},   {2, 3},    {3, 63},   {5, 65},
                             {7, 100},   {9, 60},   {9, 61},   {9, 64},   {12, 257},
                             {16, 128},  {17, 190}, {31, 68},  {40, 384}, {3, 768},
                             {33, 1025}, {2, 2500}, {10, 4096}};
enum { CASES = sizeof cases / sizeof *cases, UNTOUCHED = 0x5a };

// A work area that shows what was not written.
static float *area(Case c)
{
    size_t bytes = sizeof(float) * (size_t)TFX_LINEAR_I8_SCRATCH(c.m, c.k);
    float *work = malloc(bytes);
    memset(work, UNTOUCHED, bytes);
    return work;
}

static void same_area(const Kernels *v, Case c, const float *got, const float *want,
                      const char *what)
{
    size_t bytes = sizeof(float) * (size_t)TFX_LINEAR_I8_SCRATCH(c.m, c.k);
    cr_assert(memcmp(got, want, bytes) == 0, "%s %s %td x %td", v->name, what, c.m,
              c.k);
}

static void same_rows(const Kernels *v, Case c, const float *got, const float *want,
                      ptrdiff_t ld, const char *what)
{
    for (ptrdiff_t r = 0; r < c.m; r++)
        cr_assert(memcmp(got + r * ld, want + r * ld, sizeof(float) * (size_t)c.k) == 0,
                  "%s %s %td x %td row %td", v->name, what, c.m, c.k, r);
}

// Rows that are 0, small, and no numbers.
static float *input(Case c, ptrdiff_t ld)
{
    float *x = random_floats((uint64_t)(c.m + c.k), c.m * ld, 2.0);
    for (ptrdiff_t i = 0; c.m > 6 && i < c.k; i++) {
        x[2 * ld + i] = 0.0f;
        x[3 * ld + i] *= 1e-35f;
    }
    if (c.m > 6) {
        x[4 * ld + c.k - 1] = INFINITY;
        x[5 * ld] = NAN;
    }
    return x;
}

static void norm(const Kernels *v, bool layer, const tfx_par *par, float *y,
                 const float *x, ptrdiff_t ld, const float *w, Case c, float *rounded)
{
    const float *b = layer ? w + c.k : NULL;
    ptrdiff_t ldy = y ? ld : 0;
    if (layer && rounded)
        v->layer_norm_rounded(par, y, ldy, x, ld, w, b, 1e-5f, c.m, c.k, rounded);
    else if (layer)
        v->layer_norm(par, y, ldy, x, ld, w, b, 1e-5f, c.m, c.k);
    else if (rounded)
        v->rms_norm_rounded(par, y, ldy, x, ld, w, 1e-5f, c.m, c.k, rounded);
    else
        v->rms_norm(par, y, ldy, x, ld, w, 1e-5f, c.m, c.k);
}

Test(rounded, norms_round_as_if_after_them)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < 2 * CASES; i++) {
            Case c = cases[i / 2];
            bool layer = i % 2;
            ptrdiff_t ld = c.k + 3;
            float *x = input(c, ld), *w = random_floats(3, 2 * c.k, 1.0);
            float *want = random_floats(2, c.m * ld, 1.0), *bytes = area(c);
            norm(*v, layer, NULL, want, x, ld, w, c, NULL);
            (*v)->round_rows(NULL, bytes, want, ld, c.m, c.k);
            for (int threads = 1; threads <= 3; threads++) {
                tfx_par par = {backwards, &threads, threads};
                float *y = random_floats(2, c.m * ld, 1.0), *got = area(c);
                norm(*v, layer, &par, y, x, ld, w, c, got);
                same_rows(*v, c, y, want, ld, "norm");
                same_area(*v, c, got, bytes, "norm");
                free(got);
                got = area(c);
                norm(*v, layer, &par, NULL, x, ld, w, c, got);
                same_area(*v, c, got, bytes, "norm without y");
                free(got);
                got = area(c);
                (*v)->round_rows(&par, got, want, ld, c.m, c.k);
                same_area(*v, c, got, bytes, "rows");
                memcpy(y, x, sizeof(float) * (size_t)(c.m * ld));
                norm(*v, layer, &par, y, y, ld, w, c, got);
                same_area(*v, c, got, bytes, "norm in place");
                free(y);
                free(got);
            }
            free(x);
            free(w);
            free(want);
            free(bytes);
        }
}

static uint8_t *packed_i8(ptrdiff_t n, ptrdiff_t k)
{
    uint8_t *w = calloc((size_t)TFX_PACKED_I8(n, k) + 1, 1);
    uint64_t state = (uint64_t)(n + k);
    for (ptrdiff_t c = 0; c < n; c++) {
        ptrdiff_t at = tfx_i8_shift_at(n, k, c);
        int32_t shift = 0;
        float scale = (float)uniform(&state);
        for (ptrdiff_t i = 0; i < k; i++) {
            int q = (int)(uniform(&state) * 127);
            w[tfx_i8_at(n, k, c, i)] = (uint8_t)q;
            shift -= 128 * q;
        }
        memcpy(w + at, &shift, 4);
        memcpy(w + at + 4 * tfx_panel_width(n, c), &scale, 4);
    }
    return w;
}

// x [m, k] to y [m, n] to z [m, 50]: y's rows are rounded over x's and read from there.
Test(rounded, linears_round_for_the_next_one)
{
    enum { OUT = 50 };
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++) {
            Case c = cases[i], cy = {c.m, c.k % 7 ? c.k / 2 + 1 : 3 * c.k};
            ptrdiff_t n = cy.k, ldx = c.k + 3, ld = n + 5;
            float *x = input(c, ldx), *e = random_floats(4, n, 1.0);
            uint8_t *w = packed_i8(n, c.k), *w2 = packed_i8(OUT, n);
            float *y = random_floats(2, c.m * ld, 1.0),
                  *z = random_floats(2, c.m * OUT, 1.0);
            float *work = area(c), *bytes = area(cy);
            (*v)->linear_i8_add(NULL, y, ld, x, ldx, w, c.m, n, c.k, work, e, 0);
            (*v)->linear_i8(NULL, z, OUT, y, ld, w2, c.m, OUT, n, bytes);
            for (int threads = 1; threads <= 3; threads++) {
                tfx_par par = {backwards, &threads, threads};
                float *y2 = random_floats(2, c.m * ld, 1.0);
                float *z2 = random_floats(2, c.m * OUT, 1.0);
                float *got = area(cy), *both = area((Case){c.m, c.k + n + 64});
                (*v)->linear_i8_add_rounded(&par, y2, ld, work, 0, w, c.m, n, c.k, NULL,
                                            e, 0, got);
                same_rows(*v, cy, y2, y, ld, "linear");
                same_area(*v, cy, got, bytes, "linear");
                (*v)->linear_i8_add_rounded(&par, y2, ld, x, ldx, w, c.m, n, c.k, both,
                                            e, 0, both);
                same_rows(*v, cy, y2, y, ld, "linear with x");
                (*v)->linear_i8(&par, z2, OUT, both, 0, w2, c.m, OUT, n, NULL);
                cr_assert(memcmp(z2, z, sizeof(float) * (size_t)(c.m * OUT)) == 0);
                free(y2);
                free(z2);
                free(got);
                free(both);
            }
            free(x);
            free(e);
            free(w);
            free(w2);
            free(y);
            free(z);
            free(work);
            free(bytes);
        }
}

Test(rounded, linears_of_floats_round_too)
{
    enum { M = 21, N = 100, K = 33 };
    for (const Kernels *const *v = variants(); *v; v++) {
        Case c = {M, N};
        float *x = random_floats(1, M * K, 1.0);
        float *w = random_floats(2, TFX_PACKED(N, K), 1.0);
        float *y = random_floats(3, M * N, 1.0), *want = random_floats(3, M * N, 1.0);
        float *got = area(c), *bytes = area(c);
        (*v)->linear[F32](NULL, want, N, x, K, w, M, N, K);
        (*v)->round_rows(NULL, bytes, want, N, M, N);
        (*v)->linear_f32_rounded(NULL, y, N, x, K, w, M, N, K, got);
        same_rows(*v, c, y, want, N, "linear of floats");
        same_area(*v, c, got, bytes, "linear of floats");
        free(x);
        free(w);
        free(y);
        free(want);
        free(got);
        free(bytes);
    }
}
