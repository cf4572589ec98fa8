// peaks.c - what this machine can do at most, sampled while others are measured.
//
//     cc -std=c11 -O3 -march=native -ffp-contract=fast -I. -o peaks bench/peaks.c -lpthread
//     ./peaks THREADS        then on standard input: fma, vnni, bf16, dram or quit
//
// Answers GF/s, GOP/s, GF/s or GB/s of all threads together; 0 where the processor has no
// such instruction. Each sample takes about a tenth of a second.

#define _GNU_SOURCE  // MADV_HUGEPAGE

#include "bench/serve.h"

#include <pthread.h>
#include <sys/mman.h>
#if defined(__AVX512F__)
#    include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef float Lanes __attribute__((vector_size(4 * LANES)));
typedef int64_t Words __attribute__((vector_size(4 * LANES), aligned(64), may_alias));

enum { MOST_THREADS = 64, CHAINS = 12, REPEATS = 8 };
static const size_t DRAM_BYTES = (size_t)640 << 20;

typedef struct Worker {
    pthread_barrier_t *start;
    double (*work)(struct Worker *w);  // returns the operations or bytes of one round
    const char *memory;
    int number, threads;
    double amount, began, ended;
    int64_t sink;
} Worker;

// Twelve chains that the compiler can neither merge nor foresee: enough for two units of
// latency four, and few enough for sixteen registers.
#define EACH_CHAIN(DO)                                                                 \
    DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

static double fma_round(Worker *w)
{
    enum { TURNS = 400000 };
    static volatile float seed = 0.5f;
    Lanes b = (Lanes){0} + seed;
#define BEGIN(i) Lanes a##i = b + (float)(i);
    EACH_CHAIN(BEGIN)
    for (int turn = 0; turn < TURNS; turn++) {
#define STEP(i) a##i = a##i * b + b;
        EACH_CHAIN(STEP)
        __asm__ volatile("" : "+x"(b));
    }
#define ADD(i) b += a##i;
    EACH_CHAIN(ADD)
    w->sink += b[0] > 1e30f;
    return 2.0 * (double)(CHAINS * LANES) * (double)TURNS;
}

#if defined(__AVX512VNNI__)
static double vnni_round(Worker *w)
{
    enum { TURNS = 400000 };
    __m512i b = _mm512_set1_epi32((int)(w->number + 0x01020304));
#    define BEGIN8(i) __m512i c##i = _mm512_set1_epi32(i);
    EACH_CHAIN(BEGIN8)
    for (int turn = 0; turn < TURNS; turn++) {
#    define STEP8(i) c##i = _mm512_dpbusd_epi32(c##i, b, b);
        EACH_CHAIN(STEP8)
        __asm__ volatile("" : "+v"(b));
    }
#    define ADD8(i) b = _mm512_add_epi32(b, c##i);
    EACH_CHAIN(ADD8)
    w->sink += _mm512_reduce_add_epi32(b);
    return 128.0 * (double)CHAINS * (double)TURNS;
}
#else
#    define vnni_round NULL
#endif

#if defined(__AVX512BF16__)
static double bf16_round(Worker *w)
{
    enum { TURNS = 400000 };
    __m512i raw = _mm512_set1_epi32((int)(w->number + 0x3f003f00));
#    define BEGIN16(i) __m512 d##i = _mm512_set1_ps((float)(i));
    EACH_CHAIN(BEGIN16)
    for (int turn = 0; turn < TURNS; turn++) {
#    define STEP16(i) d##i = _mm512_dpbf16_ps(d##i, (__m512bh)raw, (__m512bh)raw);
        EACH_CHAIN(STEP16)
        __asm__ volatile("" : "+v"(raw));
    }
    __m512 sum = _mm512_setzero_ps();
#    define ADD16(i) sum = _mm512_add_ps(sum, d##i);
    EACH_CHAIN(ADD16)
    w->sink += _mm512_reduce_add_ps(sum) > 1e30f;
    return 64.0 * (double)CHAINS * (double)TURNS;
}
#else
#    define bf16_round NULL
#endif

// Every thread reads its part, four streams a thread, with a hint far enough ahead.
static double dram_round(Worker *w)
{
    size_t part = DRAM_BYTES / (size_t)w->threads / 16384 * 16384, stream = part / 4;
    const char *p = w->memory + part * (size_t)w->number;
    Words a = {0}, b = a, c = a, d = a;
    for (size_t i = 0; i < stream; i += 64) {
        const char *q = p + i;
        __builtin_prefetch(q + 2048, 0, 1);
        __builtin_prefetch(q + stream + 2048, 0, 1);
        __builtin_prefetch(q + 2 * stream + 2048, 0, 1);
        __builtin_prefetch(q + 3 * stream + 2048, 0, 1);
        for (size_t k = 0; k < 64; k += sizeof(Words)) {
            a ^= *(const Words *)(const void *)(q + k);
            b ^= *(const Words *)(const void *)(q + stream + k);
            c ^= *(const Words *)(const void *)(q + 2 * stream + k);
            d ^= *(const Words *)(const void *)(q + 3 * stream + k);
        }
    }
    a ^= b ^ c ^ d;
    w->sink += a[0];
    return (double)(stream * 4);
}

static void *work(void *arg)
{
    Worker *w = arg;
    w->work(w);  // warm
    pthread_barrier_wait(w->start);
    w->began = now_ns();
    w->amount = 0;
    for (int i = 0; i < (w->memory ? 2 : REPEATS); i++)
        w->amount += w->work(w);
    w->ended = now_ns();
    return NULL;
}

// Amount of all threads by the time from the first one's start to the last one's end.
static double sample(double (*round)(Worker *w), int threads, const char *memory)
{
    pthread_barrier_t start;
    pthread_t id[MOST_THREADS];
    Worker w[MOST_THREADS];
    double amount = 0, began = 0, ended = 0;
    if (!round)
        return 0;
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        w[i] = (Worker){&start, round, memory, i, threads, 0, 0, 0, 0};
        if (pthread_create(id + i, NULL, work, w + i))
            fail("no threads");
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
        amount += w[i].amount;
        began = i == 0 || w[i].began < began ? w[i].began : began;
        ended = w[i].ended > ended ? w[i].ended : ended;
    }
    pthread_barrier_destroy(&start);
    return amount / (ended - began);  // per nanosecond: giga per second
}

static const char *memory_of(void)
{
    void *p = mmap(NULL, DRAM_BYTES, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        fail("no memory");
#ifdef MADV_HUGEPAGE
    madvise(p, DRAM_BYTES, MADV_HUGEPAGE);
#endif
    memset(p, 1, DRAM_BYTES);
    return p;
}

int main(int argc, char **argv)
{
    char line[64];
    const char *memory = NULL;
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1 || threads > MOST_THREADS)
        fail("usage: peaks THREADS");
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4) != 0) {
        double got = 0;
        if (strcmp(line, "fma\n") == 0)
            got = sample(fma_round, threads, NULL);
        else if (strcmp(line, "vnni\n") == 0)
            got = sample(vnni_round, threads, NULL);
        else if (strcmp(line, "bf16\n") == 0)
            got = sample(bf16_round, threads, NULL);
        else if (strcmp(line, "dram\n") == 0)
            got = sample(dram_round, threads, memory = memory ? memory : memory_of());
        printf("%.3f\n", got);
        fflush(stdout);
    }
    return 0;
}
