// metric.h - what the metric programs share: memory, files, argmax, the line they print.
//
// Every program is called with the packed weights and the data root, prints one line per
// claim and exits with 0 only if all hold. Memory is left to the end of the process.

#ifndef METRIC_H
#define METRIC_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline _Noreturn void fail(const char *which, const char *what)
{
    fprintf(stderr, "%s: %s\n", which, what);
    exit(1);
}

// 64-byte aligned, zeroed memory: what emitted programs want their regions to be
static inline void *region(size_t bytes)
{
    size_t size = (bytes + 127) / 64 * 64;
    void *p = aligned_alloc(64, size);
    if (!p)
        fail("metrics", "out of memory");
    return memset(p, 0, size);
}

// folder/name
static inline const char *path_of(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = region(size);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static inline void *read_whole(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail(path, "cannot be opened");
    long size = fseek(f, 0, SEEK_END) ? -1 : ftell(f);
    if (size < 0 || fseek(f, 0, SEEK_SET))
        fail(path, "cannot be measured");
    *bytes = (size_t)size;
    void *data = region(*bytes);
    if (fread(data, 1, *bytes, f) != *bytes)
        fail(path, "cannot be read");
    fclose(f);
    return data;
}

static inline int argmax(const float *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = x[i] > x[best] ? i : best;
    return best;
}

// For calls of emitted functions: any status but 0 ends the program.
#define CALL(strerror, call)                                                           \
    do {                                                                               \
        int status_ = (call);                                                          \
        if (status_)                                                                   \
            fail(#call, strerror(status_));                                            \
    } while (0)

// "model metric value (wanted +- tolerance) ok"; returns whether it is. NaN is not.
static inline int near(const char *metric, double value, double wanted,
                       double tolerance)
{
    int ok = fabs(value - wanted) <= tolerance;
    printf("%s %.6g (%.6g +- %.1g) %s\n", metric, value, wanted, tolerance,
           ok ? "ok" : "FAILED");
    return ok;
}

// "model metric right of all ok"
static inline int all_of(const char *metric, int right, int all)
{
    printf("%s %d of %d %s\n", metric, right, all, right == all ? "ok" : "FAILED");
    return right == all;
}

#endif
