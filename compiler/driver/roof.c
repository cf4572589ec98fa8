// roof.c - what the machine can do at most; built into the program that `tfxc bench` times.
//
// Two loops that every task of a thread hook runs at once: multiply-adds in registers, and
// reads of memory that no cache holds.

#if !defined(_DEFAULT_SOURCE)
#    define _DEFAULT_SOURCE  // clock_gettime, madvise
#endif

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "tfx_glue.h"
#include "tfx_rt.h"

#if defined(__GNUC__) && defined(__AVX512F__)
enum { ROOF_LANES = 16 };
#elif defined(__GNUC__) && defined(__AVX__)
enum { ROOF_LANES = 8 };
#else
enum { ROOF_LANES = 4 };
#endif

#if defined(__GNUC__)
typedef float roof_v __attribute__((vector_size(4 * ROOF_LANES)));
#    define ROOF_SPLAT(x) ((roof_v){0} + (x))
#    define ROOF_FIRST(v) ((v)[0])
#else
typedef float roof_v;
#    define ROOF_SPLAT(x) (x)
#    define ROOF_FIRST(v) (v)
#endif

enum { ROOF_TURNS = 200000, ROOF_REPEATS = 5 };
static const size_t roof_bytes = (size_t)512 << 20;

typedef struct Roof {
    const char *memory;
    size_t part;  // of each task
    float seed;
    float sink[64];
} Roof;

static double roof_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// Twelve chains: two units of latency four need eight, and sixteen registers hold twelve.
#define ROOF_EACH(DO)                                                                  \
    DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

static void roof_fma(void *arg, int index, int thread)
{
    Roof *r = (Roof *)arg;
    roof_v b = ROOF_SPLAT(r->seed), sum = b;
    (void)thread;
#define ROOF_BEGIN(i) roof_v a##i = b + (float)(i);
    ROOF_EACH(ROOF_BEGIN)
    for (int turn = 0; turn < ROOF_TURNS; turn++) {
#define ROOF_STEP(i) a##i = a##i * b + b;
        ROOF_EACH(ROOF_STEP)
    }
#define ROOF_ADD(i) sum += a##i;
    ROOF_EACH(ROOF_ADD)
    r->sink[index % 64] = ROOF_FIRST(sum);
}

static void roof_read(void *arg, int index, int thread)
{
    Roof *r = (Roof *)arg;
    const char *p = r->memory + r->part * (size_t)index;
    uint64_t sum[8] = {0}, word[8];
    (void)thread;
    for (size_t i = 0; i + 64 <= r->part; i += 64) {
#if defined(__GNUC__)
        __builtin_prefetch(p + i + 4096, 0, 1);
#endif
        memcpy(word, p + i, 64);
        for (int k = 0; k < 8; k++)
            sum[k] ^= word[k];
    }
    for (int k = 1; k < 8; k++)
        sum[0] ^= sum[k];
    r->sink[index % 64] = (float)sum[0];
}

// The best of some runs: the least nanoseconds.
static double roof_time(const tfx_par *par, void (*task)(void *, int, int), Roof *r)
{
    double best = 0;
    int threads = par ? par->threads : 1;
    for (int i = 0; i < ROOF_REPEATS; i++) {
        double start = roof_now();
        tfx_run(par, task, r, threads);
        double took = roof_now() - start;
        best = i == 0 || took < best ? took : best;
    }
    return best;
}

void tfx_roof(const struct tfx_par *par, double *gflops, double *gbytes)
{
    static volatile float seed = 0.5f;
    int threads = par ? par->threads : 1;
    Roof r = {.seed = seed, .part = roof_bytes / (size_t)threads / 64 * 64};
    double flop = 2.0 * 12 * (double)ROOF_TURNS * (sizeof(roof_v) / 4.0) * threads;
    *gflops = flop / roof_time(par, roof_fma, &r);
    *gbytes = 0;
    void *memory = mmap(NULL, roof_bytes + 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
#if defined(MADV_HUGEPAGE)
    madvise(memory, roof_bytes, MADV_HUGEPAGE);
#endif
    memset(memory, 1, roof_bytes + 4096);
    r.memory = memory;
    *gbytes = (double)r.part * threads / roof_time(par, roof_read, &r);
    munmap(memory, roof_bytes + 4096);
}
