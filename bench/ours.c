// ours.c - an emitted program as a server (serve.h). It is emitted with --prefix model,
// and what is called is chosen when this is built:
//
//     cc -O3 -march=native -DCALL_encode=1 -DLENGTH=128 -DVOCAB=30522 -DIN=1 -DOUT=384
//        -I. bench/ours.c model.c tfx_rt.c -lm -lpthread
//     ./a.out model.packed.safetensors THREADS
//
//     CALL_encode     LENGTH tokens to OUT floats
//     CALL_classify   IN pixels to OUT logits
//     CALL_decode     a prompt of LENGTH tokens; with STEPS so many tokens, one by one
//     CALL_apply      LENGTH rows, IN floats in all, to rows of floats
//     CALL_attend     q, k and v, IN floats in all
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
#if CALL_encode
    must(model_encode(&r->m, r->scratch, LENGTH, r->tokens, r->y));
#elif CALL_classify
    must(model_classify(&r->m, r->scratch, r->x, r->y));
#elif CALL_decode && STEPS
    must(model_reset(r->state));
    for (int i = 0; i < STEPS; i++)
        must(model_decode(&r->m, r->state, r->scratch, 1, r->tokens + i, r->y));
#elif CALL_decode
    must(model_reset(r->state));
    must(model_decode(&r->m, r->state, r->scratch, LENGTH, r->tokens, r->y));
#elif CALL_apply
    must(model_apply(&r->m, r->scratch, LENGTH, r->x, r->y));
#elif CALL_attend
    must(model_attend(&r->m, r->scratch, LENGTH, r->x, r->x + IN / 3,
                      r->x + IN / 3 * 2, r->y));
#else
#    error "say what to call: -DCALL_encode=1"
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
    r.tokens = room(sizeof(int32_t) * LENGTH);
    for (int i = 0; i < LENGTH; i++)
        r.tokens[i] = (int32_t)((i * 7919LL + 13) % VOCAB);
    r.x = room(sizeof(float) * IN);
    fill(r.x, IN, 0);
    r.y = room(sizeof(float) * OUT);
    serve(once, &r, r.y, OUT);
    tfx_pool_destroy(pool);
    tfx_unmap_file(weights, bytes);
    return 0;
}
