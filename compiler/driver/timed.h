// timed.h - a program built for speed, and calls of it by the clock.

#ifndef TFXC_TIMED_H
#define TFXC_TIMED_H

#include "program.h"

// As in the runtime's tfx.h, which emitted programs have and the compiler has not.
struct tfx_par {
    void (*run)(void *ctx, void (*task)(void *arg, int index, int thread), void *arg,
                int ntasks);
    void *ctx;
    int threads;
};

// What a built program has beside its entries.
typedef struct Timed {
    Program p;
    tfx_glue_roof *roof;
    int (*pool_create)(void **pool, struct tfx_par *par, int threads);
    void (*pool_destroy)(void *pool);
    void *pool;
    struct tfx_par par;
} Timed;

// Builds job->module with job->set->timed. False after reporting.
bool timed_load(Timed *t, Job *job);
// Its pool; par.threads says how many. 0: one a processor. False after reporting.
bool timed_start(Timed *t, int threads);
void timed_unload(Timed *t);  // the pool, if any, and the program

// A call with its buffers.
typedef struct Caller {
    Timed *t;
    const Graph *graph;
    const int64_t *dims;
    int entry;
    int32_t *sizes;
    const void **in;
    void **out;
    unsigned char *scratch;
} Caller;

// Every dim at its bound, the cursor at 0.
void dims_at_bounds(const Module *m, const Graph *g, int64_t *dims);
// dims must live as long as c; room for `threads`.
void caller_init(Caller *c, Timed *t, const Graph *g, const int64_t *dims,
                 const Tensor *in, int threads);
// Nanoseconds of a call from a reset state; negative after reporting.
double caller_run(Caller *c, const struct tfx_par *par);
// Result i of the last call.
Tensor caller_result(const Caller *c, Arena *a, int i);

double now_ns(void);
double median_of(double *x, int n);  // sorts x

#endif
