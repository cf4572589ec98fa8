// rows.c - norms, softmax and rope against double.

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kernels/argmax.h"
#include "tests/kernels/variant.h"

static const ptrdiff_t widths[] = {1,  2,   7,   15,  16,  17,  31,  48,  63,   64,
                                   65, 100, 128, 192, 256, 320, 384, 768, 1000, 8192};
enum { WIDTHS = sizeof widths / sizeof *widths, ROWS = 5 };

// What the checks of one row see.
typedef struct Row {
    const float *x, *y, *w, *b;
    ptrdiff_t d;
} Row;

static double rms_error(const Row *r, double eps)
{
    double s = 0.0, worst = 0.0;
    for (ptrdiff_t i = 0; i < r->d; i++)
        s += (double)r->x[i] * (double)r->x[i];
    for (ptrdiff_t i = 0; i < r->d; i++) {
        double e = (double)r->x[i] / sqrt(s / (double)r->d + eps);
        worst = fmax(worst, ulps(r->y[i], r->w ? e * (double)r->w[i] : e));
    }
    return worst;
}

// In ulp of the largest |y| of the row.
static double layer_error(const Row *r, double eps)
{
    double mean = 0.0, s = 0.0, worst = 0.0, top = 0.0;
    for (ptrdiff_t i = 0; i < r->d; i++)
        mean += (double)r->x[i] / (double)r->d;
    for (ptrdiff_t i = 0; i < r->d; i++)
        s += ((double)r->x[i] - mean) * ((double)r->x[i] - mean);
    for (ptrdiff_t i = 0; i < r->d; i++) {
        double e = ((double)r->x[i] - mean) / sqrt(s / (double)r->d + eps);
        e = r->w ? e * (double)r->w[i] : e;
        e = r->b ? e + (double)r->b[i] : e;
        worst = fmax(worst, fabs((double)r->y[i] - e));
        top = fmax(top, fabs(e));
    }
    return top > 0.0 ? worst / top * 0x1p24 : worst;
}

static double softmax_error(const Row *r)
{
    double top = -INFINITY, s = 0.0, worst = 0.0;
    for (ptrdiff_t i = 0; i < r->d; i++)
        top = fmax(top, (double)r->x[i]);
    for (ptrdiff_t i = 0; i < r->d; i++)
        s += exp((double)r->x[i] - top);
    for (ptrdiff_t i = 0; i < r->d; i++)
        worst = fmax(worst, ulps(r->y[i], exp((double)r->x[i] - top) / s));
    return worst;
}

Test(rows, norms_and_softmax_are_within_their_stated_error)
{
    for (const Kernels *const *v = variants(); *v; v++) {
        double rms = 0.0, layer = 0.0, soft = 0.0;
        for (int i = 0; i < WIDTHS; i++)
            for (uint64_t seed = 1; seed < 12; seed++) {
                ptrdiff_t d = widths[i], ldx = d + 3, ldy = d + 1;
                float *x = random_floats(seed, ROWS * ldx, seed % 2 ? 3.0 : 0.01);
                float *w = random_floats(seed + 20, d, 2.0);
                float *b = random_floats(seed + 30, d, 1.0);
                float *y = random_floats(4, ROWS * ldy, 1.0);
                const float *w0 = seed % 3 ? w : NULL, *b0 = seed % 4 ? b : NULL;
                Row r = {x + 2 * ldx, y + 2 * ldy, w0, b0, d};
                (*v)->rms_norm(NULL, y, ldy, x, ldx, w0, 1e-5f, ROWS, d);
                rms = fmax(rms, rms_error(&r, (double)1e-5f));
                (*v)->layer_norm(NULL, y, ldy, x, ldx, w0, b0, 1e-5f, ROWS, d);
                layer = fmax(layer, layer_error(&r, (double)1e-5f));
                (*v)->softmax(NULL, y, ldy, x, ldx, ROWS, d);
                soft = fmax(soft, softmax_error(&r));
                free(x);
                free(w);
                free(b);
                free(y);
            }
        fprintf(stderr, "%s rms_norm %.2f ulp, layer_norm %.2f, softmax %.2f\n",
                (*v)->name, rms, layer, soft);
        cr_expect(rms <= 8.0);
        cr_expect(layer <= 8.0);
        cr_expect(soft <= 12.0);
    }
}

Test(rows, work_in_place_and_with_any_number_of_threads)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int threads = 1; threads <= 7; threads++) {
            enum { M = 300 };
            const ptrdiff_t D = threads % 2 ? 77 : 192;
            tfx_par par = {backwards, &threads, threads};
            float *x = random_floats(1, M * D, 5.0), *w = random_floats(2, D, 1.0);
            float *y = random_floats(3, M * D, 1.0), *z = random_floats(1, M * D, 5.0);
            size_t bytes = sizeof(float) * M * (size_t)D;
            (*v)->rms_norm(NULL, y, D, x, D, w, 1e-6f, M, D);
            (*v)->rms_norm(&par, z, D, z, D, w, 1e-6f, M, D);
            cr_assert(memcmp(y, z, bytes) == 0);
            memcpy(z, x, bytes);
            (*v)->layer_norm(NULL, y, D, x, D, w, w, 1e-6f, M, D);
            (*v)->layer_norm(&par, z, D, z, D, w, w, 1e-6f, M, D);
            cr_assert(memcmp(y, z, bytes) == 0);
            memcpy(z, x, bytes);
            (*v)->softmax(NULL, y, D, x, D, M, D);
            (*v)->softmax(&par, z, D, z, D, M, D);
            cr_assert(memcmp(y, z, bytes) == 0);
            free(x);
            free(w);
            free(y);
            free(z);
        }
}

Test(rows, softmax_of_masked_rows_is_safe)
{
    for (const Kernels *const *v = variants(); *v; v++) {
        float x[40], y[40];
        for (int i = 0; i < 40; i++)
            x[i] = i < 20 ? -INFINITY : i % 3 ? -1e5f : 2.0f;
        (*v)->softmax(NULL, y, 20, x, 20, 2, 20);
        for (int i = 0; i < 20; i++) {
            cr_expect(y[i] == 0.0f);
            cr_expect(i % 3 != 1 ? y[20 + i] == 0.0f
                                 : fabsf(y[20 + i] - 1.0f / 7) < 1e-7f);
        }
    }
}

Test(rows, same_bits_on_every_instruction_set_that_fuses_alike)
{
    enum { MOST = 8192 };
    float *x = random_floats(1, MOST, 4.0), *w = random_floats(2, MOST, 2.0);
    float *b = random_floats(3, MOST, 1.0), *y = random_floats(4, 3 * MOST, 1.0);
    float *first[2] = {random_floats(5, 3 * MOST, 1.0),
                       random_floats(6, 3 * MOST, 1.0)};
    for (int i = 0; i < WIDTHS; i++) {
        const ptrdiff_t d = widths[i];
        const size_t bytes = 3 * (size_t)d * sizeof *y;
        int seen[2] = {0};
        for (const Kernels *const *v = variants(); *v; v++) {
            int f = (*v)->has_fma;
            (*v)->softmax(NULL, y, d, x, d, 1, d);
            (*v)->layer_norm(NULL, y + d, d, x, d, w, b, 1e-5f, 1, d);
            (*v)->rms_norm(NULL, y + 2 * d, d, x, d, w, 1e-5f, 1, d);
            if (!seen[f])
                memcpy(first[f], y, bytes);
            cr_expect(memcmp(first[f], y, bytes) == 0, "%s, %td", (*v)->name, d);
            seen[f] = 1;
        }
    }
    free(x);
    free(w);
    free(b);
    free(y);
    free(first[0]);
    free(first[1]);
}

static void check_rope(const Kernels *v, ptrdiff_t d, ptrdiff_t from, int layout,
                       double *worst)
{
    enum { H = 3, T = 4 };
    ptrdiff_t xr = d + 1, xh = T * xr, yh = d + 2, yr = H * yh;
    float *x = random_floats(1, H * xh, 1.0), *y = random_floats(2, T * yr, 1.0);
    v->rope(NULL, y, yh, yr, x, xh, xr, H, T, d, from, 10000.0, layout);
    for (ptrdiff_t h = 0; h < H; h++)
        for (ptrdiff_t t = 0; t < T; t++)
            for (ptrdiff_t i = 0; i < d / 2; i++) {
                ptrdiff_t i0 = layout == TFX_ROPE_HALF ? i : 2 * i;
                ptrdiff_t i1 = layout == TFX_ROPE_HALF ? i + d / 2 : 2 * i + 1;
                double angle =
                    (double)(from + t) * pow(10000.0, -2.0 * (double)i / (double)d);
                double a = (double)x[h * xh + t * xr + i0];
                double b = (double)x[h * xh + t * xr + i1];
                const float *o = y + h * yh + t * yr;
                *worst = fmax(*worst,
                              fabs((double)o[i0] - (a * cos(angle) - b * sin(angle))));
                *worst = fmax(*worst,
                              fabs((double)o[i1] - (b * cos(angle) + a * sin(angle))));
            }
    int threads = 3;
    tfx_par par = {backwards, &threads, threads};
    float *z = random_floats(1, H * xh, 1.0);
    v->rope(&par, z, xh, xr, z, xh, xr, H, T, d, from, 10000.0, layout);
    for (ptrdiff_t h = 0; h < H; h++)
        for (ptrdiff_t t = 0; t < T; t++)
            cr_assert(memcmp(z + h * xh + t * xr, y + h * yh + t * yr,
                             sizeof(float) * (size_t)d) == 0);
    free(x);
    free(y);
    free(z);
}

Test(rope, rotates_within_its_stated_error)
{
    const ptrdiff_t from[] = {0, 1, 511, 32767, 1000000};
    for (const Kernels *const *v = variants(); *v; v++) {
        double worst = 0.0;
        for (int i = 0; i < 5; i++)
            for (int layout = 0; layout < 2; layout++)
                for (ptrdiff_t d = 2; d <= 128; d += 14)
                    check_rope(*v, d, from[i], layout, &worst);
        fprintf(stderr, "%s rope: %.3g for |x| <= 1\n", (*v)->name, worst);
        cr_expect(worst <= 4e-7);
    }
}

// ---- argmax ----------------------------------------------------------------------------

Test(argmax, is_the_first_of_the_largest_along_a_stride)
{
    const float x[] = {1, 5, 7, 5, 7, -1, 7, 2};
    const int64_t n[] = {-3, INT64_MIN, INT64_MAX, 4, INT64_MAX};
    int32_t at = -1;
    tfx_argmax_f32(&at, x, 1, 8);
    cr_expect(at == 2, "at %d", at);
    tfx_argmax_f32(&at, x, 2, 4);  // 1 7 7 7
    cr_expect(at == 1, "at %d", at);
    tfx_argmax_f32(&at, x, 1, 1);
    cr_expect(at == 0, "at %d", at);
    tfx_argmax_i64(&at, n, 1, 5);
    cr_expect(at == 2, "at %d", at);
}
