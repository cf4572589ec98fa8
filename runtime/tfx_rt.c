// SPDX-License-Identifier: 0BSD
// tfx_rt.c - the part of the runtime that needs an operating system: a thread pool and
// the mapping of weight files. Programs that use neither do not need it.

#if !defined(_DEFAULT_SOURCE)
#    define _DEFAULT_SOURCE  // madvise, sysconf(_SC_NPROCESSORS_ONLN)
#endif

#include "tfx.h"

#include <stdio.h>
#include <stdlib.h>

#if !defined(_WIN32)
#    define TFX_POSIX 1
#    include <fcntl.h>
#    include <pthread.h>
#    include <sched.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <unistd.h>
#else
#    define TFX_POSIX 0
#endif

// ---- files ---------------------------------------------------------------------------

#if TFX_POSIX
const void *tfx_map_file(const char *path, size_t *bytes)
{
    struct stat st;
    void *data = MAP_FAILED;
    int fd = open(path, O_RDONLY);
    *bytes = 0;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (uintmax_t)st.st_size <= SIZE_MAX)
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return NULL;
    *bytes = (size_t)st.st_size;
#    if defined(MADV_HUGEPAGE)
    madvise(data, *bytes, MADV_HUGEPAGE);  // a wish: refused is fine
#    endif
    return data;
}

void tfx_unmap_file(const void *data, size_t bytes)
{
    if (data)
        munmap((void *)(uintptr_t)data, bytes);
}
#else
// The file read into memory; what malloc returned is kept before the aligned data.
const void *tfx_map_file(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    long n = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    unsigned char *raw = n > 0 ? malloc((size_t)n + 128) : NULL;
    unsigned char *data = NULL;
    *bytes = 0;
    if (raw) {
        data = raw + 128 - ((uintptr_t)raw & 63u);
        ((void **)(void *)data)[-1] = raw;
        rewind(f);
        if (fread(data, 1, (size_t)n, f) == (size_t)n) {
            *bytes = (size_t)n;
        } else {
            free(raw);
            data = NULL;
        }
    }
    if (f)
        fclose(f);
    return data;
}

void tfx_unmap_file(const void *data, size_t bytes)
{
    (void)bytes;
    if (data)
        free(((void **)(uintptr_t)data)[-1]);
}
#endif

// ---- threads -------------------------------------------------------------------------
//
// A job is a number that goes up. Every thread has a range of the tasks, takes them from
// its front, then helps the others with theirs; run returns when all threads are through.
// Waiting workers spin for a while and then sleep. Which thread runs a task never shows
// in the results: tasks write to places of their own.

#if TFX_POSIX

static inline void tfx_pause(void)
{
#    if defined(__GNUC__) && !defined(__TINYC__) &&                                    \
        (defined(__x86_64__) || defined(__i386__))
    __builtin_ia32_pause();
#    endif
}

typedef struct tfx_range {
    int next, end;
    char own_line[128 - 2 * sizeof(int)];  // no two ranges in a cache line
} tfx_range;

typedef struct tfx_worker {
    tfx_pool *pool;
    pthread_t thread;
    int number;
} tfx_worker;

struct tfx_pool {
    pthread_mutex_t lock, count_lock;
    pthread_cond_t wake;
    int threads, started;
    void (*task)(void *arg, int index, int thread);
    void *arg;
    int job, sleeping, busy, is_over;
    tfx_range *ranges;    // [threads]
    tfx_worker *workers;  // [threads], the first unused: that is the caller
};

// Counters shared by threads; without atomics (tcc) under the pool's second lock.
#    if defined(__GNUC__) && !defined(__TINYC__)
enum { TFX_SPINS = 4000 };

static inline int tfx_add(tfx_pool *p, int *at, int a)
{
    (void)p;
    return __atomic_fetch_add(at, a, __ATOMIC_SEQ_CST);
}

static inline int tfx_get(tfx_pool *p, const int *at)
{
    (void)p;
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}
#    else
enum { TFX_SPINS = 10 };

static int tfx_add(tfx_pool *p, int *at, int a)
{
    pthread_mutex_lock(&p->count_lock);
    int before = *at;
    *at = before + a;
    pthread_mutex_unlock(&p->count_lock);
    return before;
}

static int tfx_get(tfx_pool *p, int *at)
{
    return tfx_add(p, at, 0);
}
#    endif

static void tfx_work(tfx_pool *p, int thread)
{
    for (int i = 0; i < p->threads; i++) {
        tfx_range *r = p->ranges + (thread + i) % p->threads;
        int index = tfx_get(p, &r->next) < r->end ? tfx_add(p, &r->next, 1) : r->end;
        for (; index < r->end; index = tfx_add(p, &r->next, 1))
            p->task(p->arg, index, thread);
    }
}

static void *tfx_worker_main(void *arg)
{
    tfx_worker *w = (tfx_worker *)arg;
    tfx_pool *p = w->pool;
    int seen = 0;
    for (;;) {
        for (int spin = 0; spin < TFX_SPINS && tfx_get(p, &p->job) == seen; spin++)
            tfx_pause();
        if (tfx_get(p, &p->job) == seen) {
            pthread_mutex_lock(&p->lock);
            tfx_add(p, &p->sleeping, 1);
            while (tfx_get(p, &p->job) == seen)
                pthread_cond_wait(&p->wake, &p->lock);
            tfx_add(p, &p->sleeping, -1);
            pthread_mutex_unlock(&p->lock);
        }
        seen = tfx_get(p, &p->job);
        if (tfx_get(p, &p->is_over))
            return NULL;
        tfx_work(p, w->number);
        tfx_add(p, &p->busy, -1);
    }
}

static void tfx_start_job(tfx_pool *p)
{
    tfx_add(p, &p->job, tfx_get(p, &p->job) == 0x7fffffff ? -0x7ffffffe : 1);
    if (tfx_get(p, &p->sleeping) > 0) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
    }
}

static void tfx_pool_run(void *ctx, void (*task)(void *arg, int index, int thread),
                         void *arg, int ntasks)
{
    tfx_pool *p = (tfx_pool *)ctx;
    p->task = task;
    p->arg = arg;
    for (int i = 0; i < p->threads; i++) {
        p->ranges[i].next = (int)((int64_t)ntasks * i / p->threads);
        p->ranges[i].end = (int)((int64_t)ntasks * (i + 1) / p->threads);
    }
    tfx_add(p, &p->busy, p->threads - 1);
    tfx_start_job(p);
    tfx_work(p, 0);
    for (int spin = 0; tfx_get(p, &p->busy) > 0; spin++) {
        if (spin < TFX_SPINS)
            tfx_pause();
        else
            sched_yield();
    }
}

void tfx_pool_destroy(tfx_pool *p)
{
    if (!p)
        return;
    tfx_add(p, &p->is_over, 1);
    tfx_start_job(p);
    for (int i = 1; i <= p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->count_lock);
    free(p->ranges);
    free(p->workers);
    free(p);
}

// Kernels by tiles have some 350 kB on the stack; threads of musl have 128.
static int tfx_start(tfx_worker *w)
{
    enum { STACK = 1 << 20 };
    pthread_attr_t a;
    size_t size = 0;
    if (pthread_attr_init(&a))
        return -1;
    if (pthread_attr_getstacksize(&a, &size) == 0 && size < STACK)
        pthread_attr_setstacksize(&a, STACK);
    int failed = pthread_create(&w->thread, &a, tfx_worker_main, w);
    pthread_attr_destroy(&a);
    return failed;
}

int tfx_pool_create(tfx_pool **pool, tfx_par *par, int threads)
{
    tfx_par serial = {NULL, NULL, 1};
    *pool = NULL;
    *par = serial;
    if (threads <= 0)
        threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (threads <= 1)
        return TFX_OK;
    tfx_pool *p = calloc(1, sizeof *p);
    if (!p)
        return TFX_ERR_THREADS;
    p->threads = threads;
    p->ranges = calloc((size_t)threads, sizeof *p->ranges);
    p->workers = calloc((size_t)threads, sizeof *p->workers);
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->count_lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    for (int i = 1; p->ranges && p->workers && i < threads; i++) {
        p->workers[i].pool = p;
        p->workers[i].number = i;
        if (tfx_start(p->workers + i))
            break;
        p->started = i;
    }
    if (p->started != threads - 1) {
        tfx_pool_destroy(p);
        return TFX_ERR_THREADS;
    }
    par->run = tfx_pool_run;
    par->ctx = p;
    par->threads = threads;
    *pool = p;
    return TFX_OK;
}

#else  // no threads here yet: a pool of one

int tfx_pool_create(tfx_pool **pool, tfx_par *par, int threads)
{
    tfx_par serial = {NULL, NULL, 1};
    (void)threads;
    *pool = NULL;
    *par = serial;
    return TFX_OK;
}

void tfx_pool_destroy(tfx_pool *p)
{
    (void)p;
}

#endif
