// kernels.c - speed of the runtime's kernels against this machine's FMA peak.
//
//     cc -std=c11 -O3 -march=native -I. -o kernels bench/kernels.c runtime/tfx_rt.c -lm
//     ./kernels [threads]                       CPU=1: by processor time, if others run
//
// Every figure is the best of many runs; the peak is sampled before each line, as clocks
// drift. GF/s counts 2 flop per multiply-add of the mathematics, not of padding.

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/kernels/attention.h"
#include "runtime/kernels/rope.h"
#include "runtime/kernels/rows.h"

#define TFX_LINEAR linear_f32
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_bf16
#define TFX_WEIGHT bf16
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_f16
#define TFX_WEIGHT f16
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_gelu
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (((a) + (e0)) * TFX_NDTR((a) + (e0)))
#include "runtime/kernels/linear.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(getenv("CPU") ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Twelve chains of FMA that the compiler can neither merge nor foresee.
static double peak(void)
{
    static volatile float seed = 0.5f;
    double best = 1e9;
    for (int run = 0; run < 20; run++) {
        tfx_v b = tfx_splat_v(seed), zero = tfx_splat_v(seed - 0.5f);
        tfx_v a00 = zero + 1.0f, a10 = zero + 2.0f, a20 = zero + 3.0f,
              a30 = zero + 4.0f;
        tfx_v a40 = zero + 5.0f, a50 = zero + 6.0f, a60 = zero + 7.0f,
              a70 = zero + 8.0f;
        tfx_v a01 = zero + 9.0f, a11 = zero + 10.f, a21 = zero + 11.f,
              a31 = zero + 12.f;
        double start = now();
        for (int i = 0; i < 40000; i++) {
            a00 = tfx_fma_v(a00, b, b), a10 = tfx_fma_v(a10, b, b);
            a20 = tfx_fma_v(a20, b, b), a30 = tfx_fma_v(a30, b, b);
            a40 = tfx_fma_v(a40, b, b), a50 = tfx_fma_v(a50, b, b);
            a60 = tfx_fma_v(a60, b, b), a70 = tfx_fma_v(a70, b, b);
            a01 = tfx_fma_v(a01, b, b), a11 = tfx_fma_v(a11, b, b);
            a21 = tfx_fma_v(a21, b, b), a31 = tfx_fma_v(a31, b, b);
        }
        start = now() - start;
        best = start < best ? start : best;
        float out[TFX_LANES];
        a00 = a00 + a10 + a20 + a30 + a40 + a50 + a60 + a70;
        tfx_store(out, a00 + a01 + a11 + a21 + a31);
        seed = out[0] > 1e30f ? 0.25f : 0.5f;
    }
    return 40000.0 * 12 * 2 * TFX_LANES / best * 1e-9;
}

static float *floats(ptrdiff_t n)
{
    float *x = aligned_alloc(64, ((size_t)n * sizeof(float) + 127) / 64 * 64);
    uint32_t s = 1;
    if (!x)
        exit(1);
    for (ptrdiff_t i = 0; i < n; i++) {
        s = s * 1664525u + 1013904223u;
        x[i] = (float)(s >> 8) * 0x1p-23f - 1.0f;
    }
    return x;
}

// Best seconds of `statement` within about a quarter of a second.
#define BEST(best, statement)                                                          \
    do {                                                                               \
        double total_ = 0.0;                                                           \
        best = 1e9;                                                                    \
        for (int run_ = 0; run_ < 5 || (run_ < 2000 && total_ < 0.25); run_++) {       \
            double start_ = now();                                                     \
            statement;                                                                 \
            start_ = now() - start_;                                                   \
            total_ += start_;                                                          \
            best = start_ < best ? start_ : best;                                      \
        }                                                                              \
    } while (0)

static void bench_linear(const tfx_par *par)
{
    static const int shapes[][2] = {{384, 1536}, {768, 768}, {768, 3072}, {2048, 5632}};
    static const int rows[] = {1, 2, 5, 8, 12, 16, 32, 128, 512};
    printf("%5s %5s %4s  %7s %7s %7s %7s GF/s  f32 %% of peak, GB/s\n", "k", "n", "m",
           "f32", "bf16", "f16", "gelu");
    for (int s = 0; s < 4; s++)
        for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++) {
            ptrdiff_t k = shapes[s][0], n = shapes[s][1], m = rows[i];
            float *x = floats(m * k), *w = floats(TFX_PACKED(n, k)), *y = floats(m * n);
            double flop = 2e-9 * (double)m * (double)n * (double)k, t[4], top = peak();
            BEST(t[0], linear_f32(par, y, n, x, k, w, m, n, k));
            BEST(t[3], linear_gelu(par, y, n, x, k, w, m, n, k, x, 0));
            for (ptrdiff_t j = 0; j < TFX_PACKED(n, k); j++)
                ((uint16_t *)(void *)w)[j] = (uint16_t)(0x3c00 | (j * 31 & 0x3ff));
            BEST(t[1], linear_bf16(par, y, n, x, k, w, m, n, k));
            BEST(t[2], linear_f16(par, y, n, x, k, w, m, n, k));
            printf("%5td %5td %4td  %7.1f %7.1f %7.1f %7.1f       %3.0f %%  %6.1f\n", k,
                   n, m, flop / t[0], flop / t[1], flop / t[2], flop / t[3],
                   flop / t[0] / top / (par ? par->threads : 1) * 100.0,
                   4e-9 * (double)(n * k) / t[0]);
            free(x);
            free(w);
            free(y);
        }
}

static void bench_attention(const tfx_par *par, int threads)
{
    static const int shapes[][4] = {{12, 16, 16, 32},   {12, 128, 128, 32},
                                    {12, 128, 128, 64}, {12, 512, 512, 64},
                                    {12, 512, 512, 32}, {12, 1, 512, 64}};
    printf("%5s %5s %4s %4s  attention GF/s, %% of peak\n", "heads", "tq", "tk", "d");
    for (int s = 0; s < 6; s++) {
        ptrdiff_t h = shapes[s][0], tq = shapes[s][1], tk = shapes[s][2],
                  d = shapes[s][3];
        double best = 0.0, top = peak();
        tfx_attn a = {.y = floats(h * tq * d),
                      .q = floats(h * tq * d),
                      .k = floats(h * tk * d),
                      .v = floats(h * tk * d),
                      .batch = 1,
                      .heads = h,
                      .groups = h,
                      .tq = tq,
                      .tk = tk,
                      .d = d,
                      .dv = d,
                      .q_head = d,
                      .q_row = h * d,
                      .k_head = d,
                      .k_row = h * d,
                      .v_head = d,
                      .v_row = h * d,
                      .y_head = d,
                      .y_row = h * d,
                      .scale = 0.125f,
                      .scratch = floats(threads * TFX_ATTENTION_SCRATCH_AMX(tk, d, d))};
        BEST(best, tfx_attention(par, &a));
        double flop = 4e-9 * (double)(h * tq) * (double)(tk * d);
        printf("%5td %5td %4td %4td  %7.1f  %3.0f %%\n", h, tq, tk, d, flop / best,
               flop / best / top / threads * 100.0);
        free(a.y);
        free((void *)(uintptr_t)a.q);
        free((void *)(uintptr_t)a.k);
        free((void *)(uintptr_t)a.v);
        free(a.scratch);
    }
}

#define PER_ELEMENT(name, statement)                                                   \
    do {                                                                               \
        double best_;                                                                  \
        BEST(best_, statement);                                                        \
        printf("%-12s %6.3f ns an element\n", name, best_ * 1e9 / (M * D));            \
    } while (0)

// Loops as tfxc emits them: plain C, for the compiler to vectorise.
#define MAP(name, expression)                                                          \
    static void map_##name(float *y, const float *x, ptrdiff_t n)                      \
    {                                                                                  \
        for (ptrdiff_t i = 0; i < n; i++)                                              \
            y[i] = expression;                                                         \
    }
MAP(exp, tfx_expf(x[i]))
MAP(tanh, tfx_tanhf(x[i]))
MAP(erf, tfx_erff(x[i]))
MAP(ndtr, tfx_ndtrf(x[i]))
MAP(log, tfx_logf(x[i]))
MAP(sin, tfx_sinf(x[i]))
MAP(pow, tfx_powf(x[i], 1.5f))
MAP(floor, tfx_floorf(x[i]))

static void bench_rows(const tfx_par *par)
{
    enum { M = 128, D = 768 };
    float *x = floats(M * D), *y = floats(M * D), *w = floats(D);
    static const struct {
        const char *name;
        void (*map)(float *y, const float *x, ptrdiff_t n);
    } maps[] = {{"exp", map_exp},   {"tanh", map_tanh},  {"erf", map_erf},
                {"ndtr", map_ndtr}, {"log", map_log},    {"sin", map_sin},
                {"pow", map_pow},   {"floor", map_floor}};
    for (int i = 0; i < (int)(sizeof maps / sizeof *maps); i++)
        PER_ELEMENT(maps[i].name, maps[i].map(y, x, M * D));
    for (ptrdiff_t d = D; d >= D / 4;
         d /= 2) {  // norms are held from 384 on, softmax of 192
        const ptrdiff_t m = M * D / d;
        printf("rows of %td:\n", d);
        PER_ELEMENT("rms_norm", tfx_rms_norm(par, y, d, x, d, w, 1e-5f, m, d));
        PER_ELEMENT("layer_norm", tfx_layer_norm(par, y, d, x, d, w, w, 1e-5f, m, d));
        PER_ELEMENT("softmax", tfx_softmax(par, y, d, x, d, m, d));
    }
    PER_ELEMENT("rope", tfx_rope(par, y, 64, D, x, 64, D, 12, M, 64, 7, 1e4, 1));
    free(x);
    free(y);
    free(w);
}

int main(int argc, char **argv)
{
    tfx_pool *pool = NULL;
    tfx_par par;
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (tfx_pool_create(&pool, &par, threads))
        return 1;
    printf("%d lanes, fma %d, %d threads, peak %.0f GF/s a thread\n", TFX_LANES,
           TFX_FMA, par.threads, peak());
    bench_attention(&par, par.threads);
    bench_rows(&par);
    bench_linear(&par);
    tfx_pool_destroy(pool);
    return 0;
}
