// ours.c - an emitted program as a server (serve.h). It is emitted with --prefix model,
// and what is called is chosen when this is built:
//
//     cc -O3 -march=native -I. -DBENCH_ENCODE=1 -DBENCH_LENGTH=128 -DBENCH_VOCAB=30522
//        -DBENCH_IN=1 -DBENCH_OUT=384 bench/ours.c model.c tfx_rt.c -lm -lpthread
//     ./a.out model.packed.safetensors THREADS
//
//     BENCH_ENCODE    LENGTH tokens to OUT floats
//     BENCH_CLASSIFY  IN pixels to OUT logits
//     BENCH_DECODE    a prompt of LENGTH tokens; with STEPS so many, one by one
//     BENCH_APPLY     LENGTH rows, IN floats in all, to rows of floats
//     BENCH_ATTEND    q, k and v, IN floats in all
//
// This is what a user writes, in front of `serve`: map the weights, take memory, call.

#include "bench/serve.h"

#include "model.h"
#include "tfx_rt.h"

typedef struct Run {
    model m;
    void *scratch, *state;
    int32_t *tokens;
    float *x, *y;
} Run;

static void must(int status)
{
    if (status)
        fail(model_strerror(status));
}

static void once(void *ctx)
{
    Run *r = ctx;
#if defined(BENCH_ENCODE)
    must(model_encode(&r->m, r->scratch, BENCH_LENGTH, r->tokens, r->y));
#elif defined(BENCH_CLASSIFY)
    must(model_classify(&r->m, r->scratch, r->x, r->y));
#elif defined(BENCH_DECODE) && BENCH_STEPS
    must(model_reset(r->state));
    for (int i = 0; i < BENCH_STEPS; i++)
        must(model_decode(&r->m, r->state, r->scratch, 1, r->tokens + i, r->y));
#elif defined(BENCH_DECODE)
    must(model_reset(r->state));
    must(model_decode(&r->m, r->state, r->scratch, BENCH_LENGTH, r->tokens, r->y));
#elif defined(BENCH_APPLY)
    must(model_apply(&r->m, r->scratch, BENCH_LENGTH, r->x, r->y));
#elif defined(BENCH_ATTEND)
    must(model_attend(&r->m, r->scratch, BENCH_LENGTH, r->x, r->x + BENCH_IN / 3,
                      r->x + BENCH_IN / 3 * 2, r->y));
#else
#    error "say what to call: -DBENCH_ENCODE=1"
#endif
}

int main(int argc, char **argv)
{
    Run r = {.tokens = NULL};
    tfx_pool *pool = NULL;
    tfx_par par;
    size_t bytes = 0;
    if (argc != 3)
        fail("usage: ours WEIGHTS THREADS");
    const void *weights = tfx_map_file(argv[1], &bytes);
    if (!weights)
        fail("cannot map the weights");
    must(model_init(&r.m, weights, bytes));
    if (tfx_pool_create(&pool, &par, atoi(argv[2])))
        fail("no threads");
    r.m.par = &par;
#ifdef MODEL_THREAD_BYTES
    size_t more = (size_t)MODEL_THREAD_BYTES * (size_t)(par.threads - 1);
#else
    size_t more = 0;
#endif
    r.scratch = room(MODEL_SCRATCH_BYTES + more);
#ifdef MODEL_STATE_BYTES
    r.state = room(MODEL_STATE_BYTES);
#endif
    r.tokens = room(sizeof(int32_t) * BENCH_LENGTH);
    for (int i = 0; i < BENCH_LENGTH; i++)
        r.tokens[i] = (int32_t)((i * 7919LL + 13) % BENCH_VOCAB);
    r.x = room(sizeof(float) * BENCH_IN);
    fill(r.x, BENCH_IN, 0);
    r.y = room(sizeof(float) * BENCH_OUT);
    serve(once, &r, r.y, BENCH_OUT);
    tfx_pool_destroy(pool);
    tfx_unmap_file(weights, bytes);
    return 0;
}
