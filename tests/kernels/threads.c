// threads.c - the pool runs every task once, and kernels on it keep their bits.

#if !defined(_GNU_SOURCE)
#    define _POSIX_C_SOURCE 200809L
#endif

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kernels/variant.h"

typedef struct Count {
    int runs[1000];
    int threads;
} Count;

static void count(void *arg, int index, int thread)
{
    Count *c = arg;
    cr_assert(thread >= 0 && thread < c->threads);
    c->runs[index]++;
}

// n tasks, each once, and none of those that come after.
static void check_runs(const tfx_par *par, int n)
{
    Count c = {.threads = par->threads};
    tfx_run(par, count, &c, n);
    for (int i = 0; i < 1000; i++)
        cr_assert(c.runs[i] == (i < n), "task %d ran %d times", i, c.runs[i]);
}

Test(pool, runs_every_task_once, .timeout = 60)
{
    for (int threads = 0; threads <= 7; threads++) {
        tfx_pool *pool = NULL;
        tfx_par par;
        cr_assert(tfx_pool_create(&pool, &par, threads) == TFX_OK);
        for (int rep = 0; rep < 300; rep++)
            check_runs(&par, rep * 37 % 1000);
        tfx_pool_destroy(pool);
    }
}

// After a while workers sleep, and wake up when the tasks are taken, or those of the next run.
Test(pool, runs_every_task_once_while_workers_wake_up, .timeout = 60)
{
    for (int threads = 2; threads <= 5; threads++) {
        tfx_pool *pool = NULL;
        tfx_par par;
        cr_assert(tfx_pool_create(&pool, &par, threads) == TFX_OK);
        for (int rep = 0; rep < 60; rep++) {
            usleep(1000);
            for (int run = 0; run < 1 + rep % 40; run++)
                check_runs(&par, (rep * 7 + run) % 20);
        }
        tfx_pool_destroy(pool);
    }
}

Test(pool, kernels_have_the_same_bits, .timeout = 60)
{
    enum { M = 70, N = 500, K = 33 };
    for (const Kernels *const *v = variants(); *v; v++) {
        float *x = random_floats(1, M * K, 1.0),
              *w = random_floats(2, TFX_PACKED(N, K), 1.0);
        float *y = random_floats(3, M * N, 1.0), *z = random_floats(4, M * N, 1.0);
        (*v)->linear[F32](NULL, y, N, x, K, w, M, N, K);
        for (int threads = 1; threads <= 7; threads += 2) {
            tfx_pool *pool = NULL;
            tfx_par par;
            cr_assert(tfx_pool_create(&pool, &par, threads) == TFX_OK);
            for (int rep = 0; rep < 10; rep++) {
                memset(z, 0, sizeof(float) * M * N);
                (*v)->linear[F32](&par, z, N, x, K, w, M, N, K);
                cr_assert(memcmp(y, z, sizeof(float) * M * N) == 0);
            }
            tfx_pool_destroy(pool);
        }
        free(x);
        free(w);
        free(y);
        free(z);
    }
}

Test(file, is_mapped_whole_and_missing_ones_are_refused)
{
    char path[] = "/tmp/tfx-map-XXXXXX";
    size_t bytes = 7;
    cr_assert(tfx_map_file("/does/not/exist", &bytes) == NULL && bytes == 0);
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, "hello", 5) == 5);
    close(fd);
    const void *data = tfx_map_file(path, &bytes);
    cr_assert(data && bytes == 5 && memcmp(data, "hello", 5) == 0);
    cr_assert((uintptr_t)data % 64 == 0);
    tfx_unmap_file(data, bytes);
    tfx_unmap_file(NULL, 0);
    remove(path);
}
