// quant.c - quantised and block-sparse weights: same bits as the floats they stand for.

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/variant.h"

typedef struct Case {
    ptrdiff_t m, n, k;
} Case;

static const Case cases[] = {
    {1, 1, 1},      {1, 16, 3},    {1, 48, 7},    {1, 257, 64},   {2, 33, 5},
    {3, 47, 16},    {4, 49, 1},    {5, 96, 31},   {6, 100, 33},   {7, 17, 9},
    {8, 144, 64},   {9, 145, 100}, {13, 50, 77},  {31, 31, 32},   {130, 61, 40},
    {257, 5, 3},    {12, 64, 0},   {1, 200, 95},  {1, 449, 96},   {1, 192, 130},
    {140, 49, 129}, {33, 97, 190}, {16, 80, 256}, {47, 48, 64},   {161, 65, 68},
    {17, 49, 449},  {47, 17, 772}, {33, 48, 385}, {67, 16, 1100}, {129, 16, 449}};
enum { CASES = sizeof cases / sizeof *cases };

enum { I8, I8G32A8, I4G32A8, I8G32, I4G32, BLOCK48, STORAGES };

// Weights in one storage, and as floats: value [n,k], and packed.
typedef struct Weights {
    uint8_t *packed;
    float *value, *floats;
    int8_t *q;     // i8: [n,k]
    float *scale;  // i8: [n]
} Weights;

static void put(void *at, const void *from, size_t bytes)
{
    memcpy(at, from, bytes);
}

static int whole(uint64_t *state, int low, int high)
{
    int a = low + (int)((uniform(state) * 0.5 + 0.5) * (high - low + 1));
    return a > high ? high : a;
}

static void pack_i8(Weights *w, ptrdiff_t n, ptrdiff_t k, uint64_t *state)
{
    w->packed = calloc((size_t)TFX_PACKED_I8(n, k) + 1, 1);
    for (ptrdiff_t c = 0; c < n; c++) {
        ptrdiff_t at = tfx_i8_shift_at(n, k, c);
        int32_t sum = 0;
        w->scale[c] = (float)(uniform(state) * 0.01);
        for (ptrdiff_t i = 0; i < k; i++) {
            w->q[c * k + i] = (int8_t)whole(state, -128, 127);
            w->packed[tfx_i8_at(n, k, c, i)] = (uint8_t)w->q[c * k + i];
            w->value[c * k + i] = (float)w->q[c * k + i] * w->scale[c];
            sum -= 128 * w->q[c * k + i];
        }
        put(w->packed + at, &sum, 4);
        put(w->packed + at + 4 * tfx_panel_width(n, c), &w->scale[c], 4);
    }
}

static void pack_group(Weights *w, const Kernels *v, int storage, ptrdiff_t n,
                       ptrdiff_t k, uint64_t *state)
{
    int size = storage == I8G32 || storage == I8G32A8 ? 34 : 18;
    ptrdiff_t bytes = size == 34 ? TFX_PACKED_I8G32(n, k) : TFX_PACKED_I4G32(n, k);
    w->packed = calloc((size_t)bytes + 1, 1);
    uint16_t scale = 0;
    for (ptrdiff_t c = 0; c < n; c++)
        for (ptrdiff_t i = 0; i < k; i++) {
            if (i % 32 == 0) {
                scale = v->to_f16((float)(uniform(state) * (c % 3 ? 0.01 : 1e-7)));
                put(w->packed + tfx_group_at(n, k, c, i, size), &scale, 2);
            }
            int q = size == 34 ? whole(state, -128, 127) : whole(state, -8, 7);
            if (size == 34)
                w->packed[tfx_i8g32_at(n, k, c, i)] = (uint8_t)q;
            else
                w->packed[tfx_i4g32_at(n, k, c, i)] |=
                    (uint8_t)(i % 8 < 4 ? q + 8 : (q + 8) * 16);
            w->q[c * k + i] = (int8_t)q;
            w->value[c * k + i] = (float)q * v->from_f16(scale);
        }
}

static void pack_block48(Weights *w, ptrdiff_t n, ptrdiff_t k, uint64_t *state)
{
    ptrdiff_t panels = (n + 47) / 48, total = 0;
    int percent = whole(state, 0, 2) * 50;
    char *keep = calloc((size_t)(panels * k) + 1, 1);
    for (ptrdiff_t i = 0; i < panels * k; i++)
        total += keep[i] = (char)(whole(state, 1, 100) <= percent);
    ptrdiff_t head = (panels + 1 + total + 15) / 16 * 16, at = 0;
    w->packed = calloc((size_t)(head + 48 * total) + 1, 4);
    int32_t *first = (int32_t *)(void *)w->packed;
    float *value = (float *)(void *)w->packed + head;
    for (ptrdiff_t p = 0; p < panels; p++) {
        ptrdiff_t width = tfx_panel_width(n, p * 48);
        for (ptrdiff_t i = 0; i < k; i++) {
            if (!keep[p * k + i])
                continue;
            first[panels + 1 + at++] = (int32_t)i;
            for (ptrdiff_t c = 0; c < width; c++, value++)
                if (p * 48 + c < n)
                    *value = w->value[(p * 48 + c) * k + i] = (float)uniform(state);
        }
        first[p + 1] = (int32_t)at;
    }
    free(keep);
}

static Weights weights(const Kernels *v, int storage, ptrdiff_t n, ptrdiff_t k)
{
    uint64_t state = (uint64_t)(n * 1000 + k);
    Weights w = {.value = calloc((size_t)(n * k) + 1, 4),
                 .floats = calloc((size_t)TFX_PACKED(n, k) + 1, 4),
                 .q = calloc((size_t)(n * k) + 1, 1),
                 .scale = calloc((size_t)n, 4)};
    if (storage == I8)
        pack_i8(&w, n, k, &state);
    else if (storage == BLOCK48)
        pack_block48(&w, n, k, &state);
    else
        pack_group(&w, v, storage, n, k, &state);
    for (ptrdiff_t c = 0; c < n; c++)
        for (ptrdiff_t i = 0; i < k; i++)
            w.floats[tfx_packed_at(n, k, c, i)] = w.value[c * k + i];
    return w;
}

static void weights_free(Weights *w)
{
    free(w->packed);
    free(w->value);
    free(w->floats);
    free(w->q);
    free(w->scale);
}

static void run(const Kernels *v, int storage, const tfx_par *par, float *y,
                ptrdiff_t ldy, const float *x, ptrdiff_t ldx, const Weights *w, Case c)
{
    ptrdiff_t floats = storage == I8 ? TFX_LINEAR_I8_SCRATCH(c.m, c.k)
                                     : TFX_LINEAR_G32_SCRATCH(c.m, c.k);
    float *work = malloc(sizeof(float) * (size_t)floats + 1);
    if (storage == BLOCK48)
        v->linear_block48(par, y, ldy, x, ldx, w->packed, c.m, c.n, c.k, NULL);
    else if (storage < I8G32)
        (storage == I8 ? v->linear_i8
         : storage == I8G32A8
             ? v->linear_i8g32a8
             : v->linear_i4g32a8)(par, y, ldy, x, ldx, w->packed, c.m, c.n, c.k, work);
    else
        (storage == I8G32 ? v->linear_i8g32 : v->linear_i4g32)(
            par, y, ldy, x, ldx, w->packed, c.m, c.n, c.k);
    free(work);
}

static void same_rows(const Kernels *v, int storage, Case c, const float *y,
                      const float *z, ptrdiff_t ld)
{
    for (ptrdiff_t r = 0; r < c.m; r++)
        for (ptrdiff_t j = 0; j < c.n; j++)
            cr_assert(memcmp(y + r * ld + j, z + r * ld + j, 4) == 0,
                      "%s storage %d %td x %td x %td at %td,%td: %.9g not %.9g",
                      v->name, storage, c.m, c.n, c.k, r, j, (double)y[r * ld + j],
                      (double)z[r * ld + j]);
}

Test(quant, groups_and_blocks_have_the_bits_of_their_floats)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int storage = I8G32; storage < STORAGES; storage++)
            for (int i = 0; i < CASES; i++) {
                Case c = cases[i];
                if ((*v)->tile_rows > 0 && c.m >= (*v)->tile_rows)
                    continue;  // floats go in pieces there
                ptrdiff_t ldx = c.k + 3, ld = c.n + 5;
                float *x = random_floats(1, c.m * ldx, 2.0);
                float *y = random_floats(2, c.m * ld, 1.0),
                      *z = random_floats(2, c.m * ld, 1.0);
                Weights w = weights(*v, storage, c.n, c.k);
                run(*v, storage, NULL, y, ld, x, ldx, &w, c);
                (*v)->linear[F32](NULL, z, ld, x, ldx, w.floats, c.m, c.n, c.k);
                same_rows(*v, storage, c, y, z, ld);
                cr_assert(memcmp(y + c.n, z + c.n, 5 * sizeof(float)) == 0);
                if (storage != I8G32) {
                    if (storage == I4G32)
                        (*v)->linear_i4g32_add(NULL, y, ld, x, ldx, w.packed, c.m, c.n,
                                               c.k, z, ld);
                    else
                        (*v)->linear_block48_add(NULL, y, ld, x, ldx, w.packed, c.m,
                                                 c.n, c.k, NULL, z, ld);
                    (*v)->linear_add(NULL, z, ld, x, ldx, w.floats, c.m, c.n, c.k, z,
                                     ld);
                    same_rows(*v, storage, c, y, z, ld);
                }
                weights_free(&w);
                free(x);
                free(y);
                free(z);
            }
}

// What the contract says, in scalars.
static float i8_expected(const Kernels *v, const float *x, const int8_t *q, float scale,
                         ptrdiff_t k)
{
    float most = 0.0f;
    int64_t sum = 0;
    for (ptrdiff_t i = 0; i < k; i++)
        most = fmaxf(most, fabsf(x[i]));
    volatile float inverse = most > 0.0f ? 127.0f / most : 0.0f;
    for (ptrdiff_t i = 0; i < k; i++) {
        volatile float a = x[i] * inverse;
        if (v->has_fma)
            a = fmaf(x[i], inverse, 12582912.0f);
        else
            a = a + 12582912.0f;
        sum += (int64_t)(a - 12582912.0f) * q[i];
    }
    volatile float a = (float)sum;
    volatile float s = most / 127.0f;
    a = a * s;
    return a * scale;
}

Test(quant, i8_rounds_rows_and_sums_exactly)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++) {
            Case c = cases[i];
            ptrdiff_t ldx = c.k + 3, ld = c.n + 5;
            float *x = random_floats(1, c.m * ldx, 2.0);
            float *y = random_floats(2, c.m * ld, 1.0);
            Weights w = weights(*v, I8, c.n, c.k);
            for (ptrdiff_t j = 0; c.m > 2 && j < c.k; j++)
                x[2 * ldx + j] = 0.0f;
            run(*v, I8, NULL, y, ld, x, ldx, &w, c);
            for (ptrdiff_t r = 0; r < c.m; r++)
                for (ptrdiff_t j = 0; j < c.n; j++) {
                    float e =
                        i8_expected(*v, x + r * ldx, w.q + j * c.k, w.scale[j], c.k);
                    cr_assert(y[r * ld + j] == e,
                              "%s %td x %td x %td at %td,%td: %.9g not %.9g",
                              (*v)->name, c.m, c.n, c.k, r, j, (double)y[r * ld + j],
                              (double)e);
                    double exact = 0.0, size = 0.0, most = 0.0;
                    for (ptrdiff_t l = 0; l < c.k; l++) {
                        double a = (double)w.q[j * c.k + l] * (double)w.scale[j];
                        exact += a * (double)x[r * ldx + l];
                        size += fabs(a);
                        most = fmax(most, fabs((double)x[r * ldx + l]));
                    }
                    cr_assert(fabs((double)e - exact) <= 0.5001 * most / 127 * size);
                }
            weights_free(&w);
            free(x);
            free(y);
        }
}

// The same of groups: w are the values q * scale.
static float group_expected(const Kernels *v, const float *x, const int8_t *q,
                            const uint8_t *packed, Case c, ptrdiff_t col, int size)
{
    volatile float y = 0.0f;
    for (ptrdiff_t g = 0; g < c.k; g += 32) {
        ptrdiff_t n = c.k - g < 32 ? c.k - g : 32;
        float most = 0.0f;
        int32_t sum = 0;
        uint16_t half;
        memcpy(&half, packed + tfx_group_at(c.n, c.k, col, g, size), 2);
        for (ptrdiff_t i = 0; i < n; i++)
            most = fmaxf(most, fabsf(x[g + i]));
        volatile float inverse = most > 0.0f ? 127.0f / most : 0.0f;
        for (ptrdiff_t i = 0; i < n; i++) {
            volatile float a = x[g + i] * inverse;
            a = v->has_fma ? fmaf(x[g + i], inverse, 12582912.0f) : a + 12582912.0f;
            sum += (int32_t)(a - 12582912.0f) * q[g + i];
        }
        volatile float s = most / 127.0f;
        s = v->from_f16(half) * s;
        volatile float a = (float)sum * s;
        y = v->has_fma ? fmaf((float)sum, s, y) : y + a;
    }
    return y;
}

Test(quant, groups_round_x_and_sum_exactly)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < 2 * CASES; i++) {
            Case c = cases[i / 2];
            int storage = i % 2 ? I8G32A8 : I4G32A8;
            ptrdiff_t ldx = c.k + 3, ld = c.n + 5;
            float *x = random_floats(1, c.m * ldx, 2.0);
            float *y = random_floats(2, c.m * ld, 1.0);
            Weights w = weights(*v, storage, c.n, c.k);
            for (ptrdiff_t j = 0; c.m > 2 && j < c.k && j < 40; j++)
                x[2 * ldx + j] = 0.0f;
            run(*v, storage, NULL, y, ld, x, ldx, &w, c);
            for (ptrdiff_t r = 0; r < c.m; r++)
                for (ptrdiff_t j = 0; j < c.n; j++) {
                    float e = group_expected(*v, x + r * ldx, w.q + j * c.k, w.packed,
                                             c, j, storage == I8G32A8 ? 34 : 18);
                    cr_assert(y[r * ld + j] == e,
                              "%s storage %d %td x %td x %td at %td,%td: %.9g not %.9g",
                              (*v)->name, storage, c.m, c.n, c.k, r, j,
                              (double)y[r * ld + j], (double)e);
                    double exact = 0.0, bound = 0.0, size = 0.0;
                    for (ptrdiff_t l = 0; l < c.k; l++) {
                        double a = (double)w.value[j * c.k + l], most = 0.0;
                        for (ptrdiff_t o = l / 32 * 32; o < c.k && o < l / 32 * 32 + 32;
                             o++)
                            most = fmax(most, fabs((double)x[r * ldx + o]));
                        exact += a * (double)x[r * ldx + l];
                        size += fabs(a * (double)x[r * ldx + l]);
                        bound += 0.5001 * most / 127 * fabs(a);
                    }
                    bound += ((double)c.k / 32 + 2) * 0x1p-24 * size;
                    cr_assert(fabs((double)e - exact) <= bound);
                }
            weights_free(&w);
            free(x);
            free(y);
        }
}

Test(quant, a_group_that_is_not_finite_is_nan)
{
    enum { M = 17, N = 61, K = 70 };
    for (const Kernels *const *v = variants(); *v; v++)
        for (int storage = I8G32A8; storage <= I4G32A8; storage++) {
            float *x = random_floats(1, M * K, 2.0), *e = random_floats(4, M * N, 1.0);
            float *y = random_floats(2, M * N, 1.0), *z = random_floats(3, M * N, 1.0);
            float work[TFX_LINEAR_G32_SCRATCH(M, K)];
            Weights w = weights(*v, storage, N, K);
            x[2 * K + 5] = INFINITY;
            x[3 * K + 69] = NAN;
            x[16 * K + 69] = -INFINITY;
            run(*v, storage, NULL, y, N, x, K, &w, (Case){M, N, K});
            if (storage == I4G32A8)
                (*v)->linear_i4g32a8_add(NULL, z, N, x, K, w.packed, M, N, K, work, e,
                                         N);
            for (int i = 0; i < M * N; i++)
                if (i / N == 2 || i / N == 3 || i / N == 16)
                    cr_assert(isnan(y[i]));
                else
                    cr_assert(isfinite(y[i]) &&
                              (storage == I8G32A8 ||
                               fabsf(z[i] - (y[i] + e[i])) <= 1e-6f * fabsf(y[i])));
            weights_free(&w);
            free(x);
            free(e);
            free(y);
            free(z);
        }
}

Test(quant, i8_epilogue_sees_its_extra_and_bad_rows_stay_bad)
{
    enum { M = 5, N = 61, K = 37 };
    for (const Kernels *const *v = variants(); *v; v++) {
        float *x = random_floats(1, M * K, 2.0), *e = random_floats(4, M * N, 1.0);
        float *y = random_floats(2, M * N, 1.0), *z = random_floats(3, M * N, 1.0);
        float work[TFX_LINEAR_I8_SCRATCH(M, K)];
        Weights w = weights(*v, I8, N, K);
        x[2 * K + 5] = INFINITY;
        x[3 * K + 36] = NAN;
        (*v)->linear_i8(NULL, y, N, x, K, w.packed, M, N, K, work);
        (*v)->linear_i8_add(NULL, z, N, x, K, w.packed, M, N, K, work, e, N);
        for (int i = 0; i < M * N; i++)
            if (i / N == 2 || i / N == 3)
                cr_assert(isnan(y[i]) && isnan(z[i]));
            else
                cr_assert(fabsf(z[i] - (y[i] + e[i])) <= 1e-6f * fabsf(y[i]));
        weights_free(&w);
        free(x);
        free(e);
        free(y);
        free(z);
    }
}

Test(quant, has_the_same_bits_for_any_number_of_threads)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int storage = 0; storage < STORAGES; storage++)
            for (int i = 0; i < CASES; i++) {
                Case c = cases[i];
                float *x = random_floats(4, c.m * c.k, 1.0);
                Weights w = weights(*v, storage, c.n, c.k);
                float *y = random_floats(5, c.m * c.n, 1.0),
                      *z = random_floats(6, c.m * c.n, 1);
                run(*v, storage, NULL, y, c.n, x, c.k, &w, c);
                for (int threads = 2; threads <= 7; threads++) {
                    tfx_par par = {backwards, &threads, threads};
                    memset(z, 0, sizeof(float) * (size_t)(c.m * c.n));
                    run(*v, storage, &par, z, c.n, x, c.k, &w, c);
                    same_rows(*v, storage, c, z, y, c.n);
                }
                for (ptrdiff_t r = 0; r < c.m && r < 9; r++) {  // a row alone
                    Case one = {1, c.n, c.k};
                    run(*v, storage, NULL, z, c.n, x + r * c.k, c.k, &w, one);
                    same_rows(*v, storage, one, z, y + r * c.n, c.n);
                }
                weights_free(&w);
                free(x);
                free(y);
                free(z);
            }
}

Test(quant, gathered_rows_are_the_values)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int storage = 0; storage < BLOCK48; storage++)
            for (int i = 0; i < CASES; i++) {
                ptrdiff_t n = cases[i].n, k = cases[i].k, ld = k + 2;
                Weights w = weights(*v, storage, n, k);
                Gather *gather = storage == I8        ? (*v)->gather_i8
                                 : storage == I8G32   ? (*v)->gather_i8g32
                                 : storage == I8G32A8 ? (*v)->gather_i8g32a8
                                 : storage == I4G32A8 ? (*v)->gather_i4g32a8
                                                      : (*v)->gather_i4g32;
                int32_t ids[] = {0, (int32_t)n - 1, (int32_t)n / 2, 0};
                float *y = random_floats(1, 4 * ld, 1.0);
                cr_assert(gather(y, ld, w.packed, ids, 4, n, k) == 0);
                for (int r = 0; r < 4; r++)
                    cr_assert(memcmp(y + r * ld, w.value + ids[r] * k,
                                     sizeof(float) * (size_t)k) == 0);
                ids[3] = (int32_t)n;
                cr_assert(gather(y, ld, w.packed, ids, 4, n, k) == TFX_ERR_INDEX);
                ids[3] = -1;
                cr_assert(gather(y, ld, w.packed, ids, 4, n, k) == TFX_ERR_INDEX);
                weights_free(&w);
                free(y);
            }
}
