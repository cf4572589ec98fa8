// serve.h - a measured program as a server: one command a line on standard input.
//
//     check FILE    runs once and writes its result, floats, to FILE; answers "ok"
//     run K         runs K times; answers the median, in nanoseconds
//     quit
//
// bench/run keeps ours and the peers alive beside each other, and lets them take turns.
// A program that needs _GNU_SOURCE defines it before this header.

#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#if !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#    define _POSIX_C_SOURCE 200809L
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static void *room(size_t bytes)  // 64-byte aligned, zero
{
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!p)
        fail("no memory");
    memset(p, 0, (bytes + 127) / 64 * 64);
    return p;
}

// The i-th number of an input: in [-1, 1), the same in bench/peers/common.py.
static inline float input_value(uint32_t i)
{
    uint32_t s = (i + 1) * 2654435761u;
    s ^= s >> 15;
    s *= 2246822519u;
    s ^= s >> 13;
    return (float)(s >> 8) * 0x1p-23f - 1.0f;
}

static inline void fill(float *x, size_t n, uint32_t from)
{
    for (size_t i = 0; i < n; i++)
        x[i] = input_value((uint32_t)i + from);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *t, int n)
{
    qsort(t, (size_t)n, sizeof *t, by_size);
    return n % 2 ? t[n / 2] : 0.5 * (t[n / 2 - 1] + t[n / 2]);
}

static void write_result(const char *path, const float *y, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(y, sizeof *y, n, f) != n || fclose(f) != 0)
        fail("cannot write the result");
}

// Says "ready", then answers commands; once(ctx) is what is measured, y[n] its result.
static inline int serve(void (*once)(void *ctx), void *ctx, const float *y, size_t n)
{
    char line[4096];
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        int runs = 0;
        if (strncmp(line, "check ", 6) == 0) {
            once(ctx);
            write_result(line + 6, y, n);
            puts("ok");
        } else if (sscanf(line, "run %d", &runs) == 1 && runs > 0) {
            double *took = room((size_t)runs * sizeof *took);
            for (int i = 0; i < runs; i++) {
                double start = now_ns();
                once(ctx);
                took[i] = now_ns() - start;
            }
            printf("%.0f\n", median_of(took, runs));
            free(took);
        } else {
            return 0;
        }
        fflush(stdout);
    }
    return 0;
}

#endif
