// storage.c - speed of linear with quantised and block-sparse weights.
//
//     cc -std=c11 -O3 -march=native -I. -o storage bench/storage.c runtime/tfx_rt.c -lm
//     ./storage [threads]                       CPU=1: by processor time, if others run
//
// Products against the peak of the target's own multiply-adds, single rows against the
// speed at which this machine reads as many bytes; both are sampled before each line. Every
// figure is the best of many runs.

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TFX_LINEAR linear_f32
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i8
#define TFX_WEIGHT i8
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i8g32
#define TFX_WEIGHT i8g32
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i4g32
#define TFX_WEIGHT i4g32
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_block48
#define TFX_WEIGHT block48
#include "runtime/kernels/linear.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(getenv("CPU") ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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

// ---- what the machine can do ---------------------------------------------------------

#if TFX_LANES > 1
// Twelve chains of STEP(a) on vectors of TYPE; ops counts one lane's.
#    define CHAINS(name, TYPE, STEP, SPLAT, ops)                                       \
        static void name##_run(int n)                                                  \
        {                                                                              \
            static volatile int seed = 1;                                              \
            TYPE b = SPLAT(seed), a0 = b, a1 = b + b, a2 = a1 + b, a3 = a2 + b;        \
            TYPE a4 = a3 + b, a5 = a4 + b, a6 = a5 + b, a7 = a6 + b, a8 = a7 + b;      \
            TYPE a9 = a8 + b, aa = a9 + b, ab = aa + b;                                \
            for (int i = 0; i < n; i++) {                                              \
                a0 = STEP(a0), a1 = STEP(a1), a2 = STEP(a2), a3 = STEP(a3);            \
                a4 = STEP(a4), a5 = STEP(a5), a6 = STEP(a6), a7 = STEP(a7);            \
                a8 = STEP(a8), a9 = STEP(a9), aa = STEP(aa), ab = STEP(ab);            \
            }                                                                          \
            a0 = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + aa + ab;            \
            seed = a0[0] == 0 ? 2 : 1;                                                 \
        }                                                                              \
        static double name(void)                                                       \
        {                                                                              \
            double best = 1e9;                                                         \
            for (int i = 0; i < 20; i++) {                                             \
                double start = now();                                                  \
                name##_run(40000);                                                     \
                start = now() - start;                                                 \
                best = start < best ? start : best;                                    \
            }                                                                          \
            return 40000.0 * 12 * TFX_LANES * (ops) / best * 1e-9;                     \
        }
#    define FMA(a)    tfx_fma_v(a, b, b)
#    define DOT(a)    tfx_dot_v(a, b, b)
#    define FLOATS(s) tfx_splat_v((float)(s) * 0.5f)
CHAINS(peak_f32, tfx_v, FMA, FLOATS, 2)
CHAINS(peak_i8, tfx_m, DOT, tfx_splat_m, 8)
#else
static double peak_f32(void)
{
    return 1.0;
}
static double peak_i8(void)
{
    return 1.0;
}
#endif

typedef struct Read {
    const float *p;
    ptrdiff_t n;
    int ntasks;
    volatile float *out;
} Read;

static void read_task(void *arg, int index, int thread)
{
    const Read *r = arg;
    ptrdiff_t end = r->n / r->ntasks * (index + 1);
    tfx_v a = tfx_splat_v(0.0f), b = a, c = a, d = a;
    (void)thread;
    for (ptrdiff_t i = r->n / r->ntasks * index; i + 4 * TFX_LANES <= end;
         i += 4 * TFX_LANES) {
        a = tfx_max_v(a, tfx_load(r->p + i));
        b = tfx_max_v(b, tfx_load(r->p + i + TFX_LANES));
        c = tfx_max_v(c, tfx_load(r->p + i + 2 * TFX_LANES));
        d = tfx_max_v(d, tfx_load(r->p + i + 3 * TFX_LANES));
        TFX_PREFETCH(r->p + i + 512);
    }
    float out[TFX_LANES];
    tfx_store(out, tfx_max_v(tfx_max_v(a, b), tfx_max_v(c, d)));
    r->out[index] = out[0];
}

static double read_speed(const tfx_par *par, const void *p, ptrdiff_t bytes)
{
    volatile float out[64];
    Read r = {p, bytes / 4, par->threads, out};
    double best;
    BEST(best, tfx_run(par, read_task, &r, r.ntasks));
    return (double)bytes / best * 1e-9;
}

// ---- cases ---------------------------------------------------------------------------

static void *filled(ptrdiff_t bytes)
{
    uint8_t *p = aligned_alloc(64, ((size_t)bytes + 4095) / 64 * 64);
    uint32_t s = 1;
    if (!p)
        exit(1);
    for (ptrdiff_t i = 0; i < bytes; i++) {
        s = s * 1664525u + 1013904223u;
        p[i] = (uint8_t)(0x30 | s >> 28);  // halves and floats without denormals
    }
    return p;
}

static float *floats(ptrdiff_t n)
{
    float *x = filled(4 * n);
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = (float)(i * 7919 % 1999) * 0x1p-10f - 1.0f;
    return x;
}

static int32_t *sparse(ptrdiff_t n, ptrdiff_t k, int percent)
{
    ptrdiff_t panels = (n + 47) / 48, at = panels + 1;
    int32_t *p = filled(4 * (TFX_PACKED(n, k) + panels * k + panels + 80));
    uint32_t s = 1;
    p[0] = 0;
    for (ptrdiff_t i = 0; i < panels; i++) {
        for (ptrdiff_t j = 0; j < k; j++) {
            s = s * 1664525u + 1013904223u;
            if ((int)((s >> 8) % 100) < percent)
                p[at++] = (int32_t)j;
        }
        p[i + 1] = (int32_t)(at - panels - 1);
    }
    return p;
}

static const int shapes[][2] = {{384, 1536}, {768, 3072}, {2048, 5632}};

static void bench_rows(const tfx_par *par)
{
    static const int rows[] = {2, 8, 16, 128, 512};
    printf("%5s %5s %4s  GF/s, %% of peak: %14s %14s %14s %14s\n", "k", "n", "m", "f32",
           "i8", "i8g32", "i4g32");
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < 5; i++) {
            ptrdiff_t k = shapes[s][0], n = shapes[s][1], m = rows[i];
            float *x = floats(m * k), *y = floats(m * n);
            void *w = filled(4 * TFX_PACKED(n, k) + 8 * n);
            float *work = floats(TFX_LINEAR_I8_SCRATCH(m, k));
            double flop = 2e-9 * (double)m * (double)n * (double)k, t[4];
            double top = peak_f32() * par->threads, dot = peak_i8() * par->threads;
            BEST(t[0], linear_f32(par, y, n, x, k, w, m, n, k));
            BEST(t[1], linear_i8(par, y, n, x, k, w, m, n, k, work));
            BEST(t[2], linear_i8g32(par, y, n, x, k, w, m, n, k));
            BEST(t[3], linear_i4g32(par, y, n, x, k, w, m, n, k));
            printf("%5td %5td %4td  %16s", k, n, m, "");
            for (int j = 0; j < 4; j++)
                printf(" %8.1f %3.0f %%", flop / t[j],
                       flop / t[j] / (j == 1 ? dot : top) * 100.0);
            printf("\n");
            free(x);
            free(y);
            free(w);
            free(work);
        }
}

static void bench_one(const tfx_par *par)
{
    static const int one[][2] = {{768, 3072}, {2048, 5632}, {4096, 32768}};
    printf("%5s %5s     1  GB/s, %% of reading: %14s %14s %14s %14s\n", "k", "n", "f32",
           "i8", "i8g32", "i4g32");
    for (int s = 0; s < 3; s++) {
        ptrdiff_t k = one[s][0], n = one[s][1];
        ptrdiff_t bytes[] = {4 * TFX_PACKED(n, k), TFX_PACKED_I8(n, k),
                             TFX_PACKED_I8G32(n, k), TFX_PACKED_I4G32(n, k)};
        float *x = floats(k), *y = floats(n), *work = floats(k + 4);
        printf("%5td %5td %23s", k, n, "");
        for (int j = 0; j < 4; j++) {
            void *w = filled(bytes[j]);
            double best, top = read_speed(par, w, bytes[j]);
            if (j == 0)
                BEST(best, linear_f32(par, y, n, x, k, w, 1, n, k));
            else if (j == 1)
                BEST(best, linear_i8(par, y, n, x, k, w, 1, n, k, work));
            else if (j == 2)
                BEST(best, linear_i8g32(par, y, n, x, k, w, 1, n, k));
            else
                BEST(best, linear_i4g32(par, y, n, x, k, w, 1, n, k));
            double speed = (double)bytes[j] / best * 1e-9;
            printf(" %8.1f %3.0f %%", speed, speed / top * 100.0);
            free(w);
        }
        printf("\n");
        free(x);
        free(y);
        free(work);
    }
}

static void bench_sparse(const tfx_par *par)
{
    static const int rows[] = {1, 8, 128}, percents[] = {90, 75, 50, 30, 20, 10, 5};
    const ptrdiff_t k = 768, n = 3072;
    printf("%5s %5s %4s  block48, times f32's speed at 90 75 50 30 20 10 5 %% kept\n",
           "k", "n", "m");
    for (int i = 0; i < 3; i++) {
        ptrdiff_t m = rows[i];
        float *x = floats(m * k), *y = floats(m * n);
        void *dense = filled(4 * TFX_PACKED(n, k));
        printf("%5td %5td %4td ", k, n, m);
        for (int j = 0; j < 7; j++) {
            int32_t *w = sparse(n, k, percents[j]);
            double t, full;
            BEST(full, linear_f32(par, y, n, x, k, dense, m, n, k));
            BEST(t, linear_block48(par, y, n, x, k, w, m, n, k));
            printf(" %6.2f", full / t);
            free(w);
        }
        printf("\n");
        free(x);
        free(y);
        free(dense);
    }
}

int main(int argc, char **argv)
{
    tfx_pool *pool = NULL;
    tfx_par par;
    if (tfx_pool_create(&pool, &par, argc > 1 ? atoi(argv[1]) : 1))
        return 1;
    printf("%d lanes, %d threads, peak %.0f GF/s and %.0f GOP/s a thread\n", TFX_LANES,
           par.threads, peak_f32(), peak_i8());
    bench_one(&par);
    bench_rows(&par);
    bench_sparse(&par);
    tfx_pool_destroy(pool);
    return 0;
}
