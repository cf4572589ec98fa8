// onednn.c - y = x w' by oneDNN as a server (bench/serve.h): weights in whatever layout
// the library likes best, packed once. Threads are OpenMP's: OMP_NUM_THREADS.
//
//     cc -std=c11 -O2 -I. -o onednn bench/peers/onednn.c -ldnnl
//     ./onednn WEIGHTS.safetensors M N K
//
// WEIGHTS has one tensor, f32[N, K].

#include "bench/serve.h"

#include <dnnl.h>

typedef struct Gemm {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[3];
    dnnl_stream_t stream;
} Gemm;

static void must(dnnl_status_t status)
{
    if (status != dnnl_success)
        fail("onednn failed");
}

static void once(void *ctx)
{
    Gemm *g = ctx;
    must(dnnl_primitive_execute(g->primitive, g->stream, 3, g->args));
    must(dnnl_stream_wait(g->stream));
}

static float *read_weights(const char *path, size_t n)
{
    uint64_t head = 0;
    float *w = room(n * sizeof *w);
    FILE *f = fopen(path, "rb");
    if (!f || fread(&head, sizeof head, 1, f) != 1 ||
        fseek(f, (long)(head + sizeof head), SEEK_SET) != 0 ||
        fread(w, sizeof *w, n, f) != n)
        fail("cannot read the weights");
    fclose(f);
    return w;
}

static dnnl_memory_desc_t matrix(int64_t rows, int64_t cols, int64_t row, int64_t col)
{
    dnnl_memory_desc_t d;
    const dnnl_dims_t dims = {rows, cols}, strides = {row, col};
    must(dnnl_memory_desc_init_by_strides(&d, 2, dims, dnnl_f32, strides));
    return d;
}

int main(int argc, char **argv)
{
    Gemm g;
    dnnl_engine_t engine;
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t pd, reorder_pd;
    dnnl_primitive_t reorder;
    dnnl_memory_t x_mem, w_mem, packed, y_mem;
    if (argc != 5)
        fail("usage: onednn WEIGHTS M N K");
    int64_t m = atoll(argv[2]), n = atoll(argv[3]), k = atoll(argv[4]);
    float *x = room((size_t)(m * k) * sizeof *x),
          *y = room((size_t)(m * n) * sizeof *y);
    float *w = read_weights(argv[1], (size_t)(n * k));
    fill(x, (size_t)(m * k), 0);

    must(dnnl_engine_create(&engine, dnnl_cpu, 0));
    must(dnnl_stream_create(&g.stream, engine, dnnl_stream_default_flags));
    dnnl_memory_desc_t x_desc = matrix(m, k, k, 1), w_desc = matrix(k, n, 1, k);
    dnnl_memory_desc_t y_desc = matrix(m, n, n, 1), any;
    const dnnl_dims_t w_dims = {k, n};
    must(dnnl_memory_desc_init_by_tag(&any, 2, w_dims, dnnl_f32, dnnl_format_tag_any));
    must(dnnl_matmul_desc_init(&desc, &x_desc, &any, NULL, &y_desc));
    must(dnnl_primitive_desc_create(&pd, &desc, NULL, engine, NULL));
    must(dnnl_primitive_create(&g.primitive, pd));
    const dnnl_memory_desc_t *best =
        dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);

    must(dnnl_memory_create(&x_mem, &x_desc, engine, x));
    must(dnnl_memory_create(&y_mem, &y_desc, engine, y));
    must(dnnl_memory_create(&w_mem, &w_desc, engine, w));
    must(dnnl_memory_create(&packed, best, engine, DNNL_MEMORY_ALLOCATE));
    must(dnnl_reorder_primitive_desc_create(&reorder_pd, &w_desc, engine, best, engine,
                                            NULL));
    must(dnnl_primitive_create(&reorder, reorder_pd));
    const dnnl_exec_arg_t move[] = {{DNNL_ARG_FROM, w_mem}, {DNNL_ARG_TO, packed}};
    must(dnnl_primitive_execute(reorder, g.stream, 2, move));
    must(dnnl_stream_wait(g.stream));

    g.args[0] = (dnnl_exec_arg_t){DNNL_ARG_SRC, x_mem};
    g.args[1] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, packed};
    g.args[2] = (dnnl_exec_arg_t){DNNL_ARG_DST, y_mem};
    return serve(once, &g, y, (size_t)(m * n));
}
