// peaks.c - what this machine can do at most, sampled while others are measured.
//
//     cc -std=c11 -O3 -march=native -ffp-contract=fast -I. -o peaks bench/peaks.c -lpthread
//     ./peaks THREADS        then on standard input: fma, vnni, bf16, amx8, amx16, dram, quit
//
// Answers GF/s, GOP/s or GB/s of all threads together; 0 where the processor has no such
// instruction or the system refuses it. Each sample takes about a tenth of a second.

#define _GNU_SOURCE  // MADV_HUGEPAGE, syscall

#include "bench/serve.h"

#include <pthread.h>
#include <sys/mman.h>
#if defined(__AVX512F__)
#    include <immintrin.h>
#endif
#if defined(__linux__) && defined(__AMX_INT8__) && defined(__AMX_BF16__)
#    include <sys/syscall.h>
#    include <unistd.h>
#    define AMX 1
#endif

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef float Lanes __attribute__((vector_size(4 * LANES)));
typedef int64_t Words __attribute__((vector_size(4 * LANES), may_alias));

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

#if defined(AMX)
// Eight tiles of 16 rows of 64 bytes. Constant: gcc 12 forgets stores to one on the stack.
typedef struct TileConfig {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} TileConfig;

static const TileConfig tiles = {
    1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

// Six chains in tiles 0 to 5 hide the latency; 6 and 7 are what is multiplied, zeros.
#    define TILES(STEP)                                                                \
        enum { TURNS = 60000 };                                                        \
        _tile_loadconfig(&tiles);                                                      \
        _tile_zero(0);                                                                 \
        _tile_zero(1);                                                                 \
        _tile_zero(2);                                                                 \
        _tile_zero(3);                                                                 \
        _tile_zero(4);                                                                 \
        _tile_zero(5);                                                                 \
        _tile_zero(6);                                                                 \
        _tile_zero(7);                                                                 \
        for (int turn = 0; turn < TURNS; turn++) {                                     \
            STEP(0, 6, 7);                                                             \
            STEP(1, 6, 7);                                                             \
            STEP(2, 6, 7);                                                             \
            STEP(3, 6, 7);                                                             \
            STEP(4, 6, 7);                                                             \
            STEP(5, 6, 7);                                                             \
        }                                                                              \
        _tile_release()

static double amx8_round(Worker *w)
{
    (void)w;
    TILES(_tile_dpbssd);
    return 6.0 * 2 * 16 * 16 * 64 * (double)TURNS;
}

static double amx16_round(Worker *w)
{
    (void)w;
    TILES(_tile_dpbf16ps);
    return 6.0 * 2 * 16 * 16 * 32 * (double)TURNS;
}

// Linux gives the state of tiles to who asks: ARCH_REQ_XCOMP_PERM, XTILEDATA.
static int may_use_tiles(void)
{
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}
#else
#    define amx8_round  NULL
#    define amx16_round NULL
static int may_use_tiles(void)
{
    return 0;
}
#endif

// Every thread reads its part of the memory, in 2 MB pages, as so many streams with a hint
// so many bytes ahead (0: none). Which is best differs between machines.
static inline double read_round(Worker *w, const int streams, const size_t ahead)
{
    size_t part = DRAM_BYTES / (size_t)w->threads / 16384 * 16384;
    size_t stream = part / (size_t)streams;
    const char *p = w->memory + part * (size_t)w->number;
    Words sum[4] = {{0}, {0}, {0}, {0}};
    for (size_t i = 0; i < stream; i += 64) {
        for (int s = 0; s < streams; s++) {
            const char *q = p + (size_t)s * stream + i;
            if (ahead)
                __builtin_prefetch(q + ahead, 0, 1);
            for (size_t k = 0; k < 64; k += sizeof(Words))
                sum[s] ^= *(const Words *)(const void *)(q + k);
        }
    }
    sum[0] ^= sum[1] ^ sum[2] ^ sum[3];
    w->sink += sum[0][0];
    return (double)(stream * (size_t)streams);
}

#define READER(NAME, STREAMS, AHEAD)                                                   \
    static double NAME(Worker *w)                                                      \
    {                                                                                  \
        return read_round(w, STREAMS, AHEAD);                                          \
    }
READER(read_1, 1, 0)
READER(read_1_near, 1, 1024)
READER(read_1_far, 1, 2048)
READER(read_4, 4, 0)
READER(read_4_near, 4, 1024)
READER(read_4_far, 4, 2048)
static double (*const readers[])(Worker *w) = {read_1, read_1_near, read_1_far,
                                               read_4, read_4_near, read_4_far};

static void *work(void *arg)
{
    Worker *w = arg;
    if (!w->memory)
        w->work(w);  // warm
    pthread_barrier_wait(w->start);
    w->began = now_ns();
    w->amount = 0;
    for (int i = 0; i < (w->memory ? 1 : REPEATS); i++)
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

// The best way to read is looked for once, and taken from then on.
static double dram_sample(int threads)
{
    enum { READERS = sizeof readers / sizeof *readers };
    static const char *memory;
    static int best = -1;
    if (best < 0) {
        double most = 0;
        memory = memory_of();
        for (int i = 0; i < 2 * READERS; i++) {
            double got = sample(readers[i % READERS], threads, memory);
            best = got > most ? i % READERS : best;
            most = got > most ? got : most;
        }
    }
    double first = sample(readers[best], threads, memory);
    double again = sample(readers[best], threads, memory);
    return first > again ? first : again;
}

static double answer(const char *word, int threads, int tiled)
{
    if (strcmp(word, "fma") == 0)
        return sample(fma_round, threads, NULL);
    if (strcmp(word, "vnni") == 0)
        return sample(vnni_round, threads, NULL);
    if (strcmp(word, "bf16") == 0)
        return sample(bf16_round, threads, NULL);
    if (strcmp(word, "amx8") == 0)
        return tiled ? sample(amx8_round, threads, NULL) : 0;
    if (strcmp(word, "amx16") == 0)
        return tiled ? sample(amx16_round, threads, NULL) : 0;
    return strcmp(word, "dram") == 0 ? dram_sample(threads) : 0;
}

int main(int argc, char **argv)
{
    char line[64];
    int threads = argc > 1 ? atoi(argv[1]) : 1, tiled = may_use_tiles();
    if (threads < 1 || threads > MOST_THREADS)
        fail("usage: peaks THREADS");
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4) != 0) {
        line[strcspn(line, "\n")] = 0;
        printf("%.3f\n", answer(line, threads, tiled));
        fflush(stdout);
    }
    return 0;
}
