// test_weights.c - names of weights over turns, a checkpoint held against them, init.

#define _XOPEN_SOURCE 700

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/weights.h"

static Arena *arena;
static Diag *diag;
static Module *module;
static Builder at;
static char path[64];

static const Size *num(int64_t v)
{
    return size_int(module->sizes, v);
}

static Type matrix(DType d, int64_t m, int64_t n)
{
    Type t = {.dtype = d, .rank = 2};
    t.dim[0] = (Dim){num(m), "out"};
    t.dim[1] = (Dim){num(n), NULL};
    return t;
}

static Type vector(DType d, int64_t n)
{
    return (Type){.dtype = d, .rank = 1, .dim = {{num(n), NULL}}};
}

// Embedding, three layers of a norm and a matrix, one of them in a loop of two.
static void set_up(void)
{
    arena = arena_new();
    diag = diag_new(arena);
    module = module_new(arena, "test");
    strcpy(path, "/tmp/test_weights.XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    Graph *g = graph_new(module, "run");
    at = (Builder){.graph = g, .region = g->body, .at = -1};
    Value *x = build_const(&at, DT_f32, 1);
    build_weight(&at, module_weight(module, "embed.weight", matrix(DT_f32, 100, 64)));
    Value *outer = build_repeat(&at, "i", num(0), num(3), 1, &x);
    Builder in = at;
    in.region = outer->body;
    build_weight(&in,
                 module_weight(module, "layer.{i}.norm.weight", vector(DT_f32, 64)));
    build_weight(&in, module_weight(module, "layer.{i}.norm.bias", vector(DT_f32, 64)));
    Value *inner = build_repeat(&in, "k", num(1), num(3), 1, &outer->body->params.p[0]);
    in.region = inner->body;
    Weight *w = module_weight(module, "layer.{i}.ff.{k}.w", matrix(DT_bf16, 64, 128));
    w->stored[0] = 1, w->stored[1] = 0;
    build_weight(&in, w);
    build_weight(&in, w);
    vec_push(arena, &inner->body->yields, inner->body->params.p[0]);
    vec_push(arena, &outer->body->yields, outer->body->params.p[0]);
    module_weight(module, "never.used", vector(DT_f32, 1));
    build_weight(&at, module_weight(module, "ids", vector(DT_i8, 3)));
}

static void tear_down(void)
{
    unlink(path);
    arena_free(arena);
}

TestSuite(weights, .init = set_up, .fini = tear_down);

static const char *said(void)
{
    Text t;
    text_init(&t, arena);
    diag_print(diag, DIAG_TEXT, &t);
    return t.p;
}

static Checkpoint *open_it(void)
{
    Checkpoint *ck = ckpt_open(arena, diag, path, (Loc){0, 0});
    cr_assert_not_null(ck, "%s", said());
    return ck;
}

Test(weights, names_have_their_turns)
{
    static const char *const want[] = {"embed.weight",        "layer.0.norm.weight",
                                       "layer.1.norm.weight", "layer.2.norm.weight",
                                       "layer.0.norm.bias",   "layer.1.norm.bias",
                                       "layer.2.norm.bias",   "layer.0.ff.1.w",
                                       "layer.1.ff.1.w",      "layer.2.ff.1.w",
                                       "layer.0.ff.2.w",      "layer.1.ff.2.w",
                                       "layer.2.ff.2.w",      "ids"};
    WeightNames names;
    cr_assert(weights_names(module, arena, diag, &names));
    cr_assert_eq(names.list.n, COUNT(want));
    for (int i = 0; i < COUNT(want); i++)
        cr_expect_str_eq(names.list.p[i].name, want[i]);
}

Test(weights, too_many_names_are_refused)
{
    Value *x = at.graph->body->ops.p[0];
    Value *r = build_repeat(&at, "z", num(0), num(1LL << 40), 1, &x);
    at.region = r->body;
    build_weight(&at, module_weight(module, "z.{z}", vector(DT_f32, 1)));
    WeightNames names;
    cr_expect_not(weights_names(module, arena, diag, &names));
    cr_expect_eq(diag_message(diag, 0)->code, E0607);
}

Test(weights, init_fits_and_is_deterministic)
{
    cr_assert(weights_init(module, path, 1, DT_COUNT, diag), "%s", said());
    Checkpoint *ck = open_it();
    cr_expect_eq(ckpt_count(ck), 14);
    weights_check(module, ck, diag);
    weights_unused(module, ck, diag);
    cr_expect_eq(diag_count(diag), 0, "%s", said());
    static double x[8192], y[8192];
    WeightSource source = weights_source(ck);
    cr_assert(source.read(source.ctx, "layer.1.ff.2.w", 8192, x));
    cr_expect_not(source.read(source.ctx, "layer.1.ff.2.w", 8191, x));
    cr_expect_not(source.read(source.ctx, "none", 1, x));
    double sum = 0, squares = 0;
    for (int i = 0; i < 8192; i++)
        sum += x[i], squares += x[i] * x[i];
    cr_expect_float_eq(sum / 8192, 0, 0.005);
    cr_expect_float_eq(sqrt(squares / 8192), 1 / sqrt(128), 0.003);
    cr_expect_eq(ckpt_find(ck, "layer.1.ff.2.w")->dim[0], 128);
    cr_assert(source.read(source.ctx, "layer.2.norm.weight", 64, y));
    for (int i = 0; i < 64; i++)
        cr_expect(fabs(y[i] - 1) < 0.1);
    cr_assert(source.read(source.ctx, "layer.2.norm.bias", 64, y));
    for (int i = 0; i < 64; i++)
        cr_expect(fabs(y[i]) < 0.1);
    ckpt_close(ck);
    cr_assert(weights_init(module, path, 1, DT_COUNT, diag));
    ck = open_it();
    cr_assert(weights_source(ck).read(ck, "layer.1.ff.2.w", 8192, y));
    cr_expect_arr_eq(x, y, sizeof x);
    ckpt_close(ck);
    cr_assert(weights_init(module, path, 2, DT_COUNT, diag));
    ck = open_it();
    cr_assert(weights_source(ck).read(ck, "layer.1.ff.2.w", 8192, y));
    cr_expect_arr_neq(x, y, sizeof x);
    ckpt_close(ck);
    cr_expect_not(weights_init(module, "/none/x", 2, DT_COUNT, diag));
    cr_expect_not(weights_init(module, "/dev/full", 2, DT_COUNT, diag));
    cr_expect_eq(diag_errors(diag), 2);
}

Test(weights, init_stores_floats_as_it_is_told)
{
    cr_assert(weights_init(module, path, 1, DT_f16, diag), "%s", said());
    Checkpoint *ck = open_it();
    weights_check(module, ck, diag);
    cr_expect_eq(diag_count(diag), 0, "%s", said());
    cr_expect_eq(ckpt_find(ck, "embed.weight")->type, ST_F16);
    cr_expect_eq(ckpt_find(ck, "layer.1.ff.2.w")->type, ST_F16);
    cr_expect_eq(ckpt_find(ck, "ids")->type, ST_I8);
    ckpt_close(ck);
}

Test(weights, storage_is_that_of_all_turns)
{
    StWriter *w = stw_new(arena, diag, path);
    static const int64_t one = 1;
    static const struct {
        const char *name;
        StType type;
    } put[] = {{"a.0.w", ST_BF16}, {"a.1.w", ST_BF16},  {"a.10.w", ST_BF16},
               {"a.x.w", ST_F32},  {"a..w", ST_F32},    {"a.0.ww", ST_F32},
               {"b.0.1", ST_F32},  {"b.1.0", ST_F16},   {"c", ST_F16},
               {"d.0", ST_F64},    {"e.0.f.3", ST_F16}, {"e.1.f.12", ST_F16}};
    for (int i = 0; i < COUNT(put); i++)
        stw_tensor(w, put[i].name, put[i].type, 1, &one, 1);
    cr_assert(stw_begin(w, NULL));
    for (int i = 0; i < COUNT(put); i++)
        stw_put(w, "\0\0\0\0\0\0\0", st_info[put[i].type].bytes);
    cr_assert(stw_end(w));
    Checkpoint *ck = open_it();
    cr_expect_eq(weights_storage(ck, "a.{i}.w"), DT_bf16);
    cr_expect_eq(weights_storage(ck, "a.1.w"), DT_bf16);
    cr_expect_eq(weights_storage(ck, "a.2.w"), DT_COUNT);
    cr_expect_eq(weights_storage(ck, "b.{i}.{k}"), DT_COUNT);
    cr_expect_eq(weights_storage(ck, "b.{i}.0"), DT_f16);
    cr_expect_eq(weights_storage(ck, "c"), DT_f16);
    cr_expect_eq(weights_storage(ck, "c{i}"), DT_COUNT);
    cr_expect_eq(weights_storage(ck, "d.{i}"), DT_COUNT);
    cr_expect_eq(weights_storage(ck, "e.{i}.f.{k}"), DT_f16);
    ckpt_close(ck);
}

Test(weights, all_misfits_are_reported_with_hints)
{
    StWriter *w = stw_new(arena, diag, path);
    static float f[64 * 128];
    f[3] = NAN;
    stw_tensor(w, "model.embed.weight", ST_F32, 2, (int64_t[]){100, 64}, 1);
    stw_tensor(w, "layer.0.norm.weight", ST_F32, 1, (int64_t[]){64}, 1);
    stw_tensor(w, "layer.1.norm.weight", ST_F32, 1, (int64_t[]){64}, 1);
    stw_tensor(w, "layer.0.norm.bais", ST_F32, 1, (int64_t[]){64}, 1);
    stw_tensor(w, "layer.0.ff.1.w", ST_F32, 2, (int64_t[]){64, 128}, 1);
    stw_tensor(w, "layer.1.ff.1.w", ST_F32, 2, (int64_t[]){64, 128}, 1);
    stw_tensor(w, "layer.2.ff.1.w", ST_I32, 1, (int64_t[]){3}, 1);
    stw_tensor(w, "ids", ST_I64, 1, (int64_t[]){3}, 1);
    cr_assert(stw_begin(w, NULL));
    stw_put(w, f + 100, 6400 * 4 - 400);
    stw_put(w, f + 100, 400);
    stw_put(w, f, 256);
    stw_put(w, f, 256);
    stw_put(w, f + 100, 256);
    for (int i = 0; i < 2; i++)
        stw_put(w, f, sizeof f);
    stw_put(w, f + 100, 12);
    stw_put(w, (int64_t[]){1, 127, 128}, 24);
    cr_assert(stw_end(w));
    Checkpoint *ck = open_it();
    weights_check(module, ck, diag);
    weights_unused(module, ck, diag);
    const char *file = arena_printf(arena, "`%s`", path);
    const char *want = arena_printf(
        arena,
        "tfxc: error[E0601]: weight `embed.weight` is not in %s\n"
        "tfxc: hint: the file has `model.embed.weight`, with `model.` before it\n"
        "tfxc: error[E0601]: weight `layer.2.norm.weight` is not in %s\n"
        "tfxc: hint: did you mean `layer.0.norm.weight`?\n"
        "tfxc: error[E0604]: weight `layer.0.norm.weight` is NaN at element 3\n"
        "tfxc: hint: likewise 1 more of `layer.{i}.norm.weight`\n"
        "tfxc: error[E0601]: weight `layer.0.norm.bias` is not in %s\n"
        "tfxc: hint: did you mean `layer.0.norm.bais`?\n"
        "tfxc: hint: likewise 2 more of `layer.{i}.norm.bias`\n"
        "tfxc: error[E0601]: weight `layer.0.ff.2.w` is not in %s\n"
        "tfxc: hint: did you mean `layer.0.ff.1.w`?\n"
        "tfxc: hint: likewise 2 more of `layer.{i}.ff.{k}.w`\n"
        "tfxc: error[E0602]: weight `layer.0.ff.1.w` is [64, 128] in the file, "
        "bf16[out=64, 128], stored [128, 64] here\n"
        "tfxc: hint: the file has the axes the other way round: `stored [...]` says so\n"
        "tfxc: hint: likewise 2 more of `layer.{i}.ff.{k}.w`\n"
        "tfxc: error[E0603]: weight `layer.2.ff.1.w` is I32 in the file, bf16 here\n"
        "tfxc: error[E0605]: weight `ids` holds values from 1 to 128, which i8 cannot\n"
        "tfxc: warning[E0606]: 2 of 8 tensors of %s are not used: "
        "`model.embed.weight`, `layer.0.norm.bais`\n",
        file, file, file, file, file);
    cr_expect_str_eq(said(), want);
    ckpt_close(ck);
}
