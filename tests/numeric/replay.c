// replay.c - runs recorded calls on emitted programs that are linked in, and judges them.
//
//     replay [--threads] models...      (all of them without names)
//
// The level of programs made with --dispatch is $TFX_LEVEL, or the best; those that have no
// such level are left out. Status 77 if none has.
//
// Every region, input and result is a heap block of its exact size, so that a sanitizer
// sees a step beside it; without one there are fences. Scratch and results begin as NaNs.
// With --threads each sequence of calls runs again on 1, 2, 3 and 7 threads, the tasks of
// a kernel in shuffled order: results and states must be the same bits.
//
// It is built by the compiler under test, together with a file that defines replay_models.

#define _POSIX_C_SOURCE 200809L

#include "replay_models.h"

#include "replay.h"
#include "tfx_rt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __wasi__
#    include <pthread.h>
#else  // one thread
typedef int pthread_t;
typedef int pthread_mutex_t;
#    define pthread_mutex_init(m, how)         ((void)(m))
#    define pthread_mutex_lock(m)              ((void)(m))
#    define pthread_mutex_unlock(m)            ((void)(m))
#    define pthread_mutex_destroy(m)           ((void)(m))
#    define pthread_create(t, how, start, arg) ((void)(t), (void)(start), 1)
#    define pthread_join(t, result)            ((void)(t))
#endif

enum { FENCE = 64, MAX_ARGS = 64, MAX_DIMS = 64 };

static void die(const char *what, const char *about)
{
    fprintf(stderr, "replay: %s: %s\n", what, about);
    exit(2);
}

// ---- blocks ----------------------------------------------------------------------------

typedef struct Block {
    unsigned char *p;
    size_t bytes;
} Block;

#if defined(__SANITIZE_ADDRESS__)
enum { FENCED = 0 };
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
enum { FENCED = 0 };
#    else
enum { FENCED = 1 };
#    endif
#else
enum { FENCED = 1 };
#endif

static Block block(size_t bytes)
{
    void *p = NULL;
    size_t all = bytes + (FENCED ? FENCE : 0);
    if (posix_memalign(&p, 64, all ? all : 1) != 0)
        die("no memory", "block");
    memset(p, 0xff, bytes);
    if (FENCED)
        memset((unsigned char *)p + bytes, 0xa5, FENCE);
    return (Block){p, bytes};
}

static int is_whole(const Block *b)
{
    for (size_t i = 0; FENCED && i < FENCE; i++)
        if (b->p[b->bytes + i] != 0xa5)
            return 0;
    return 1;
}

// ---- threads ---------------------------------------------------------------------------

// Every run starts its threads anew and hands out the tasks in an order of its own.
typedef struct Pool {
    int threads, ntasks, next;
    unsigned seed;
    int *order;
    void (*task)(void *arg, int index, int thread);
    void *arg;
    pthread_mutex_t lock;
} Pool;

typedef struct Worker {
    Pool *pool;
    int number;
} Worker;

static void *work(void *arg)
{
    Worker *w = arg;
    Pool *p = w->pool;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        int at = p->next++;
        pthread_mutex_unlock(&p->lock);
        if (at >= p->ntasks)
            return NULL;
        p->task(p->arg, p->order[at], w->number);
    }
}

static void pool_run(void *ctx, void (*task)(void *arg, int index, int thread),
                     void *arg, int ntasks)
{
    Pool *p = ctx;
    pthread_t thread[8];
    Worker worker[8];
    p->order = malloc(sizeof(int) * (size_t)(ntasks + 1));
    if (!p->order)
        die("no memory", "tasks");
    for (int i = 0; i < ntasks; i++) {
        p->seed = p->seed * 1664525u + 1013904223u;
        int k = (int)((p->seed >> 8) % (unsigned)(i + 1));
        p->order[i] = p->order[k];
        p->order[k] = i;
    }
    p->ntasks = ntasks;
    p->next = 0;
    p->task = task;
    p->arg = arg;
    int n = p->threads < ntasks ? p->threads : ntasks;
    for (int i = 0; i < n; i++) {
        worker[i] = (Worker){p, p->threads - 1 - i};
        if (i > 0 && pthread_create(&thread[i], NULL, work, &worker[i]) != 0)
            die("no thread", "pthread_create");
    }
    work(&worker[0]);
    for (int i = 1; i < n; i++)
        pthread_join(thread[i], NULL);
    free(p->order);
}

// ---- recorded calls --------------------------------------------------------------------

typedef struct Result {
    int dtype;
    int64_t n;
    double limit;
    double *expected;
} Result;

typedef struct RecordedCall {
    int entry, reset, status, ndims, nin, nout;
    int32_t dims[MAX_DIMS];
    Block in[MAX_ARGS];
    Result out[MAX_ARGS];
} RecordedCall;

typedef struct Recording {
    int n;
    RecordedCall *calls;
} Recording;

static void get(FILE *f, void *to, size_t bytes)
{
    if (bytes && fread(to, 1, bytes, f) != bytes)
        die("a recording is cut off", "fread");
}

static int32_t get_i32(FILE *f)
{
    int32_t x;
    get(f, &x, sizeof(x));
    return x;
}

static int64_t get_i64(FILE *f)
{
    int64_t x;
    get(f, &x, sizeof(x));
    return x;
}

static void read_call(FILE *f, RecordedCall *c)
{
    c->entry = get_i32(f);
    c->reset = get_i32(f);
    c->status = get_i32(f);
    c->ndims = get_i32(f);
    if (c->ndims > MAX_DIMS)
        die("too many dims", "recording");
    get(f, c->dims, sizeof(int32_t) * (size_t)c->ndims);
    c->nin = get_i32(f);
    for (int i = 0; i < c->nin && i < MAX_ARGS; i++) {
        c->in[i] = block((size_t)get_i64(f));
        get(f, c->in[i].p, c->in[i].bytes);
    }
    c->nout = get_i32(f);
    for (int i = 0; i < c->nout && i < MAX_ARGS; i++) {
        Result *r = &c->out[i];
        r->dtype = get_i32(f);
        r->n = get_i64(f);
        get(f, &r->limit, sizeof(r->limit));
        r->expected = malloc(sizeof(double) * (size_t)(r->n + 1));
        if (!r->expected)
            die("no memory", "recording");
        get(f, r->expected, sizeof(double) * (size_t)r->n);
    }
}

static Recording read_recording(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || get_i32(f) != REPLAY_MAGIC)
        die("not a recording", path);
    Recording r = {.n = get_i32(f)};
    r.calls = calloc((size_t)r.n + 1, sizeof(*r.calls));
    for (int i = 0; r.calls && i < r.n; i++)
        read_call(f, &r.calls[i]);
    fclose(f);
    return r;
}

static void drop_recording(Recording *r)
{
    for (int i = 0; i < r->n; i++) {
        for (int k = 0; k < r->calls[i].nin; k++)
            free(r->calls[i].in[k].p);
        for (int k = 0; k < r->calls[i].nout; k++)
            free(r->calls[i].out[k].expected);
    }
    free(r->calls);
}

// ---- judging ---------------------------------------------------------------------------

static const size_t element_bytes[] = {4, 1, 1, 4, 8, 2, 2};

static double half(uint16_t h)
{
    int e = h >> 10 & 31, m = h & 1023;
    double x = e == 0    ? ldexp(m, -24)
               : e == 31 ? (m ? NAN : INFINITY)
                         : ldexp(m + 1024, e - 25);
    return h & 0x8000 ? -x : x;
}

static double element(const unsigned char *p, int dtype, int64_t i)
{
    float f;
    int32_t w;
    int64_t l;
    uint16_t h;
    uint32_t bits;
    p += (size_t)i * element_bytes[dtype];
    switch (dtype) {
    case REPLAY_I8:
        return *p < 128 ? *p : *p - 256;
    case REPLAY_U8:
        return *p;
    case REPLAY_I32:
        memcpy(&w, p, sizeof(w));
        return w;
    case REPLAY_I64:
        memcpy(&l, p, sizeof(l));
        return (double)l;
    case REPLAY_F16:
        memcpy(&h, p, sizeof(h));
        return half(h);
    case REPLAY_BF16:
        memcpy(&h, p, sizeof(h));
        bits = (uint32_t)h << 16;
        memcpy(&f, &bits, sizeof(f));
        return (double)f;
    default:
        memcpy(&f, p, sizeof(f));
        return (double)f;
    }
}

static int agrees(double got, double want, double limit)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want);
    return got == want || fabs(got - want) <= limit;
}

typedef struct Run {
    const ReplayModel *model;
    const void *weights;
    size_t weights_bytes;
    Block state, scratch;
    Block out[MAX_ARGS];
    int threads;
    unsigned long bits;  // hash of all results so far
    int number;          // of the call
    int failed;
} Run;

static void complain(Run *r, const RecordedCall *c, const char *what)
{
    if (r->failed++ > 2)
        return;
    printf("%s: call %d, entry %s (", r->model->name, r->number,
           r->model->glue->entries[c->entry]);
    for (int i = 0; i < c->ndims; i++)
        printf("%s%d", i ? " " : "", c->dims[i]);
    printf("), %d threads: %s\n", r->threads, what);
}

static void judge(Run *r, const RecordedCall *c, int k)
{
    char what[200];
    const Result *want = &c->out[k];
    for (int64_t i = 0; i < want->n; i++) {
        double got = element(r->out[k].p, want->dtype, i);
        if (agrees(got, want->expected[i], want->limit))
            continue;
        snprintf(what, sizeof(what),
                 "result %d[%lld] of %lld is %.9g, expected %.9g within %.2g", k,
                 (long long)i, (long long)want->n, got, want->expected[i], want->limit);
        complain(r, c, what);
        return;
    }
}

static unsigned long hash(unsigned long h, const Block *b)
{
    for (size_t i = 0; i < b->bytes; i++)
        h = (h ^ b->p[i]) * 1099511628211ul;
    return h;
}

// ---- running ---------------------------------------------------------------------------

static void check_fences(Run *r, const RecordedCall *c)
{
    if (!is_whole(&r->scratch))
        complain(r, c, "it wrote behind its scratch");
    if (!is_whole(&r->state))
        complain(r, c, "it wrote behind its state");
    for (int i = 0; i < c->nout; i++)
        if (!is_whole(&r->out[i]))
            complain(r, c, "it wrote behind a result");
}

static void run_call(Run *r, const RecordedCall *c, const tfx_par *par)
{
    Block in[MAX_ARGS];
    const void *ins[MAX_ARGS];
    void *outs[MAX_ARGS];
    const tfx_glue *glue = r->model->glue;
    if (c->reset && glue->reset)
        glue->reset(r->state.p);
    for (int i = 0; i < c->nin; i++) {
        in[i] = block(c->in[i].bytes);
        if (in[i].bytes)
            memcpy(in[i].p, c->in[i].p, in[i].bytes);
        ins[i] = in[i].p;
    }
    for (int i = 0; i < c->nout; i++) {
        r->out[i] = block((size_t)c->out[i].n * element_bytes[c->out[i].dtype]);
        outs[i] = r->out[i].p;
    }
    memset(r->scratch.p, 0xff, r->scratch.bytes);
    int status = glue->run(c->entry, r->weights, r->weights_bytes, r->state.p,
                           r->scratch.p, par, c->dims, ins, outs);
    if (status != c->status) {
        char what[100];
        snprintf(what, sizeof(what), "status %d, expected %d", status, c->status);
        complain(r, c, what);
    }
    check_fences(r, c);
    for (int i = 0; i < c->nin; i++) {
        if (memcmp(in[i].p, c->in[i].p, in[i].bytes) != 0)
            complain(r, c, "it wrote to an input");
        free(in[i].p);
    }
    for (int i = 0; i < c->nout; i++) {
        if (status == 0 && c->status == 0)
            judge(r, c, i);
        r->bits = hash(r->bits, &r->out[i]);
        free(r->out[i].p);
    }
    if (glue->state_bytes)
        r->bits = hash(r->bits, &r->state);
}

// All calls on so many threads, 0: without a hook. Returns a hash of all results.
static unsigned long run_all(Run *r, const Recording *rec, int threads)
{
    Pool pool = {.threads = threads, .seed = (unsigned)threads};
    tfx_par par = {pool_run, &pool, threads};
    size_t more = threads > 1 ? (size_t)(threads - 1) * r->model->thread_bytes : 0;
    pthread_mutex_init(&pool.lock, NULL);
    r->threads = threads;
    r->bits = 14695981039346656037ul;
    r->state = block(r->model->glue->state_bytes);
    r->scratch = block(r->model->glue->scratch_bytes + more);
    memset(r->state.p, 0, r->state.bytes);  // what rows of a cache are before they are
    for (r->number = 0; r->number < rec->n; r->number++)
        run_call(r, &rec->calls[r->number], threads ? &par : NULL);
    free(r->state.p);
    free(r->scratch.p);
    pthread_mutex_destroy(&pool.lock);
    return r->bits;
}

static Block read_weights(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        die("cannot read", path);
    Block b = block((size_t)ftell(f));
    rewind(f);
    get(f, b.p, b.bytes);
    fclose(f);
    return b;
}

static int run_model(const ReplayModel *m, int with_threads)
{
    static const int counts[] = {1, 2, 3, 7};
    Recording rec = read_recording(m->calls);
    Block weights = read_weights(m->weights);
    Run r = {.model = m, .weights = weights.p, .weights_bytes = weights.bytes};
    unsigned long bits = run_all(&r, &rec, 0);
    for (int i = 0; i < 4 && with_threads && !r.failed; i++)
        if (run_all(&r, &rec, counts[i]) != bits) {
            printf("%s: other bits on %d threads\n", m->name, counts[i]);
            r.failed++;
        }
    free(weights.p);
    drop_recording(&rec);
    return r.failed;
}

int main(int argc, char **argv)
{
    int with_threads = argc > 1 && strcmp(argv[1], "--threads") == 0;
    int names = 1 + with_threads, run = 0, failed = 0, without = 0;
    const char *level = "";
    for (const ReplayModel *m = replay_models; m->name; m++) {
        int wanted = names == argc;
        for (int i = names; i < argc; i++)
            wanted = wanted || strcmp(argv[i], m->name) == 0;
        if (!wanted)
            continue;
        if (m->glue->level && !*m->glue->level()) {
            without++;
            continue;
        }
        if (m->glue->level && !*level)
            level = m->glue->level();  // of the first, which has them all
        run++;
        failed += run_model(m, with_threads) != 0;
        fflush(stdout);
    }
    printf("%d of %d programs failed%s%s\n", failed, run, *level ? ", level " : "",
           level);
    return failed > 0 ? 1 : run == 0 && without > 0 ? 77 : 0;
}
