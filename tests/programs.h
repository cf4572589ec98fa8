// programs.h - random programs of the graph IR, the same for a seed.

#ifndef TESTS_PROGRAMS_H
#define TESTS_PROGRAMS_H

#include <criterion/criterion.h>

#include "compiler/ir.h"

// ---- random numbers ----------------------------------------------------------------------

typedef struct Random {
    uint64_t state;
} Random;

static uint64_t next(Random *r)
{
    r->state += 0x9e3779b97f4a7c15u;  // splitmix64
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int below(Random *r, int n)
{
    return (int)(next(r) % (uint64_t)n);
}

static double uniform(Random *r)
{
    return (double)(int64_t)(next(r) >> 11) / 4503599627370496.0 - 1;  // [-1, 1)
}

// ---- random programs -------------------------------------------------------------------

typedef struct Maker {
    Arena *a;
    Module *m;
    Builder b;
    Random r;
    VEC(Value *) pool;  // f32[T, 8] and f32[4, 8]: what is there to use
    int weights;
    bool in_repeat;
} Maker;

static Value *pick(Maker *k)
{
    // the later the likelier, so that chains form
    int n = k->pool.n, i = below(&k->r, n), j = below(&k->r, n);
    return k->pool.p[i > j ? i : j];
}

static Value *number(Maker *k)
{
    static const double numbers[] = {0, 1, -1, 2, 0.5, 0.125, 3, -0.0, 1e-5};
    return build_const(&k->b, DT_f32, numbers[below(&k->r, COUNT(numbers))]);
}

static Value *weight(Maker *k, int rank, int64_t n)
{
    Sizes *s = k->m->sizes;
    Type t = {.dtype = DT_f32, .rank = rank};
    t.dim[0].size = size_int(s, rank == 2 ? n : 8);
    t.dim[1].size = size_int(s, 8);
    int which =
        below(&k->r, 5) == 0 && k->weights ? below(&k->r, k->weights) : k->weights++;
    const char *path =
        arena_printf(k->a, k->in_repeat ? "w%d.%d.{i}" : "w%d.%d", rank, which);
    return build_weight(&k->b, module_weight(k->m, path, t));
}

static Value *unary(Maker *k, Value *x)
{
    static const Op ops[] = {OP_neg,     OP_abs,  OP_square, OP_sin,     OP_tanh,
                             OP_sigmoid, OP_silu, OP_relu,   OP_gelu,    OP_erf,
                             OP_cos,     OP_neg,  OP_abs,    OP_softplus};
    return build1(&k->b, ops[below(&k->r, COUNT(ops))], x);
}

static Value *binary(Maker *k, Value *x, Value *y)
{
    static const Op ops[] = {OP_add, OP_sub, OP_mul, OP_max, OP_min};
    Op op = ops[below(&k->r, COUNT(ops))];
    return below(&k->r, 2) ? build2(&k->b, op, x, y) : build2(&k->b, op, y, x);
}

static Value *swap(Maker *k, Value *x)
{
    int64_t perm[] = {1, 0};
    Attr a = attr_make_ints("perm", 2, perm);
    return build(&k->b, OP_transpose, 1, &x, 1, &a);
}

static Value *product(Maker *k, Value *x)
{
    Value *w = weight(k, 2, 8);
    Value *y = build2(&k->b, OP_matmul, x, below(&k->r, 3) ? swap(k, w) : w);
    y = build2(&k->b, OP_mul, y, build_const(&k->b, DT_f32, 0.25));
    return below(&k->r, 2) ? build2(&k->b, OP_add, y, weight(k, 1, 8)) : y;
}

static Value *mean(Maker *k, Value *x)
{
    int64_t axis = 1;
    Attr a[] = {attr_make_ints("axes", 1, &axis), attr_make_int("keep", 1)};
    return build(&k->b, OP_mean, 1, &x, 2, a);
}

static Value *norm(Maker *k, Value *x)
{
    if (below(&k->r, 2))
        x = build2(&k->b, OP_sub, x, mean(k, x));
    Value *v = mean(k, build2(&k->b, OP_mul, x, x));
    Value *root = build1(&k->b, OP_sqrt,
                         build2(&k->b, OP_add, v, build_const(&k->b, DT_f32, 0.01)));
    Value *y = build2(&k->b, OP_div, x, root);
    y = build2(&k->b, OP_mul, y, weight(k, 1, 8));
    return below(&k->r, 2) ? build2(&k->b, OP_add, y, weight(k, 1, 8)) : y;
}

static Value *softmax(Maker *k, Value *x)
{
    Attr a = attr_make_int("axis", 1);
    return build(&k->b, OP_softmax, 1, &x, 1, &a);
}

static Value *attend(Maker *k, Value *q, Value *x, Value *v)
{
    Value *s = build2(&k->b, OP_matmul, q, swap(k, x));
    s = build2(&k->b, below(&k->r, 2) ? OP_mul : OP_div, s,
               build_const(&k->b, DT_f32, 1.7));
    return build2(&k->b, OP_matmul, softmax(k, s), v);
}

static Value *halves(Maker *k, Value *x)
{
    Sizes *s = k->m->sizes;
    Value *part[2];
    for (int i = 0; i < 2; i++) {
        const Size *start[] = {size_int(s, 0), size_int(s, 4 * i)};
        const Size *stop[] = {x->type.dim[0].size, size_int(s, 4 * i + 4)};
        int64_t step[] = {1, 1};
        Attr a[] = {attr_make_sizes("start", 2, start),
                    attr_make_sizes("stop", 2, stop), attr_make_ints("step", 2, step)};
        part[1 - i] = build(&k->b, OP_slice, 1, &x, 3, a);
    }
    Attr axis = attr_make_int("axis", 1);
    return build(&k->b, OP_concat, 2, part, 1, &axis);
}

// Writes a state, and perhaps reads what is in it then.
static Value *remember(Maker *k, Value *x)
{
    Sizes *s = k->m->sizes;
    Type t = {.dtype = DT_f32, .rank = 2};
    t.dim[0].size = size_int(s, 6);
    t.dim[1].size = size_int(s, 8);
    const char *path = k->in_repeat ? "s.{i}" : "s";
    State *state = module_state(k->m, path, t);
    state->turns = k->in_repeat ? 3 : 1;
    Attr a = attr_make_str("path", path);
    Value *in[] = {build(&k->b, OP_state, 0, NULL, 1, &a), x};
    const Size *start[] = {size_int(s, below(&k->r, 2)), size_int(s, 0)};
    const Size *stop[] = {x->type.dim[0].size, size_int(s, 8)};
    int64_t step[] = {1, 1};
    Attr old[] = {
        attr_make_sizes("start", 2, (const Size *[]){size_int(s, 0), size_int(s, 0)}),
        attr_make_sizes("stop", 2, stop), attr_make_ints("step", 2, step)};
    Value *before = build(&k->b, OP_slice, 1, in, 3, old);
    Attr at = attr_make_sizes("start", 2, start);
    Value *after = build(&k->b, OP_set_slice, 2, in, 1, &at);
    return below(&k->r, 2) ? before : build(&k->b, OP_slice, 1, &after, 3, old);
}

static void grow(Maker *k, int n);

static Value *loop(Maker *k, Value *x)
{
    Sizes *s = k->m->sizes;
    Value *init[] = {x, pick(k)};
    Value *r = build_repeat(&k->b, "i", size_int(s, 0), size_int(s, 3), 2, init);
    Maker inner = *k;
    inner.b.region = r->body;
    inner.in_repeat = true;
    for (int i = 0; i < 2; i++)
        vec_push(k->a, &inner.pool, r->body->params.p[i]);
    inner.pool.cap = inner.pool.n;  // its own copy from the next push on
    grow(&inner, 6);
    for (int i = 0; i < 2; i++)
        vec_push(k->a, &r->body->yields,
                 below(&k->r, 3) ? build1(&inner.b, OP_tanh, pick(&inner))
                                 : r->body->params.p[i]);
    k->r = inner.r;
    k->weights = inner.weights;
    return build_item(&k->b, r, below(&k->r, 2));
}

static Value *step(Maker *k, Value *x)
{
    switch (below(&k->r, 13)) {
    case 0:
    case 1:
        return unary(k, x);
    case 2:
        return binary(k, x, pick(k));
    case 3:
        return binary(k, x, number(k));
    case 4:
        return binary(k, x, weight(k, 1, 8));
    case 5:
    case 6:
    case 7:
        return product(k, x);
    case 8:
        return norm(k, x);
    case 9:
        return attend(k, x, pick(k), pick(k));
    case 10:
        return halves(k, x);
    case 11:
        return remember(k, x);
    default:
        return k->in_repeat ? softmax(k, x) : loop(k, x);
    }
}

static void grow(Maker *k, int n)
{
    for (int i = 0; i < n; i++) {
        Value *y = step(k, pick(k));
        if (below(&k->r, 3) == 0)  // or sizes grow without bound
            y = build1(&k->b, OP_tanh, y);
        y->name = arena_printf(k->a, "v%d", i);
        vec_push(k->a, &k->pool, y);
    }
}

static const char *random_program(Arena *a, uint64_t seed)
{
    Maker k = {.a = a, .m = module_new(a, "random"), .r = {seed}};
    Graph *g = graph_new(k.m, "e");
    Type t = {.dtype = DT_f32, .rank = 2};
    t.dim[0].size = below(&k.r, 2)
                        ? size_int(k.m->sizes, 4)
                        : size_dim(k.m->sizes, module_dim(k.m, "T", 1, 4, 1));
    t.dim[1].size = size_int(k.m->sizes, 8);
    k.b = (Builder){.graph = g, .region = g->body, .at = -1, .scope = k.m->scopes.p[0]};
    for (int i = 0; i < 2; i++)
        vec_push(a, &k.pool, build_param(g, g->body, i ? "z" : "x", t));
    grow(&k, 3 + below(&k.r, 20));
    for (int i = 0; i < 3; i++) {
        vec_push(a, &g->body->yields, pick(&k));
        vec_push(a, &g->result_names, arena_printf(a, "r%d", i));
    }
    Text text, why;
    text_init(&text, a);
    text_init(&why, a);
    ir_print(k.m, &text);
    cr_assert(ir_verify(k.m, &why), "%s\n%s", why.p, text.p);
    return text.p;
}

#endif
