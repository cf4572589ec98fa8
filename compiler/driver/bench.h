// bench.h - timing an emitted program: the whole call, and each op of it.

#ifndef TFXC_BENCH_H
#define TFXC_BENCH_H

#include "compiler/job.h"
#include "rates.h"

typedef struct BenchRow {
    const char *name;  // "up", or the op's own
    const char *what;  // "f32[T, 384] @ f32[1536, 384]' -> f32[T, 1536]"
    const char *file;  // where in the source, or NULL
    int line;
    double calls;        // in one call of the entry
    double ns;           // of all of them, each as long as their median
    double flop, bytes;  // of all of them; 0 flop: not counted for this op
    double weight_bytes;
    double predicted_ns;  // of linears: what their formats cost; else 0
} BenchRow;

typedef struct Bench {
    Job *job;
    Graph *graph;  // the entry
    int64_t *dims;
    int threads;
    int runs;
    double ns, least_ns;  // median and least of a call
    double marked_ns;     // a call of the program with marks
    double flop, bytes, weight_bytes;
    double gflops, gbytes;  // the machine's limits
    double predicted_ns;    // of all linears
    double linear_ns;       // what they took
    Rates rates;
    VEC(BenchRow) rows;  // as they run
} Bench;

// Builds job->module with $CC -O3 and $CFLAGS, twice: as it is, for the time of a call, and
// with a mark before each op. All dims are at their bounds, the cursor is 0. False after
// reporting.
bool bench_run(Bench *b, Job *job, Graph *g, int threads);

// Nanoseconds below which the machine cannot be: of so many operations and bytes of weights.
double bench_least(const Bench *b, double flop, double weight_bytes);

#endif
