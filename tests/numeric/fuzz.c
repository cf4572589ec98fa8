// fuzz.c - random models: chains of ops over values of known shapes.
//
// Every value is f32[T, n] with n one of a few odd widths, so that any two of one width
// fit; what the ops do inside takes views, batches and heads out of that and back.

#include "fuzz.h"

#include "compiler/driver/random.h"

enum { MAX_VALUES = 40 };

static const int widths[] = {6, 12, 30, 48, 54};

typedef struct Maker {
    Random random;
    Text *out;
    Text members;
    int width[MAX_VALUES];
    int n, nweights;
} Maker;

static int below(Maker *m, int n)
{
    return (int)random_below(&m->random, n);
}

static int any_value(Maker *m)
{
    return below(m, 2) ? m->n - 1 - below(m, m->n < 4 ? m->n : 4) : below(m, m->n);
}

// A value of that width, or -1.
static int value_of(Maker *m, int width)
{
    for (int tries = 0; tries < 20; tries++) {
        int v = below(m, m->n);
        if (m->width[v] == width)
            return v;
    }
    return -1;
}

static int weight(Maker *m, const char *type, int a, int b)
{
    int k = m->nweights++;
    if (b)
        text_printf(&m->members, "    w%d: %s[%d, %d]\n", k, type, a, b);
    else
        text_printf(&m->members, "    w%d: %s[%d]\n", k, type, a);
    return k;
}

static void let(Maker *m, int width)
{
    text_printf(m->out, "        let v%d = ", m->n);
    m->width[m->n] = width;
}

// ---- kinds of op -----------------------------------------------------------------------

static void make_unary(Maker *m)
{
    static const char *const f[] = {
        "tanh", "sigmoid",  "silu", "relu",      "gelu",       "sin", "cos",
        "erf",  "softplus", "abs",  "gelu_tanh", "quick_gelu", "neg"};
    int v = any_value(m);
    let(m, m->width[v]);
    text_printf(m->out, "%s(v%d)\n", f[below(m, 13)], v);
}

static void make_binary(Maker *m)
{
    static const char *const how[] = {"v%d + v%d * 0.5\n", "v%d - v%d\n",
                                      "tanh(v%d) * v%d\n", "max(v%d, v%d)\n",
                                      "min(v%d, v%d)\n",   "v%d / (square(v%d) + 1)\n"};
    int a = any_value(m), b = value_of(m, m->width[a]);
    int k = below(m, 6);
    let(m, m->width[a]);
    text_printf(m->out, how[k], a, b < 0 ? a : b);
}

static void make_row(Maker *m)
{
    int v = any_value(m), w = weight(m, "f32", m->width[v], 0);
    let(m, m->width[v]);
    text_printf(m->out, "v%d %s w%d\n", v, below(m, 2) ? "+" : "*", w);
}

static void make_linear(Maker *m)
{
    int v = any_value(m), n = widths[below(m, 5)], turned = below(m, 3) > 0;
    int w =
        turned ? weight(m, "f32", n, m->width[v]) : weight(m, "f32", m->width[v], n);
    int b = below(m, 2) ? weight(m, "f32", n, 0) : -1;
    int r = below(m, 2) ? value_of(m, n) : -1;
    let(m, n);
    text_printf(m->out, "v%d @ w%d%s", v, w, turned ? "'" : "");
    if (b >= 0)
        text_printf(m->out, " + w%d", b);
    if (r >= 0)
        text_printf(m->out, below(m, 2) ? " + v%d" : " * tanh(v%d)", r);
    text_puts(m->out, "\n");
}

static void make_norm(Maker *m)
{
    int v = any_value(m), n = m->width[v], kind = below(m, 4);
    int w = weight(m, "f32", n, 0), b = kind == 1 ? weight(m, "f32", n, 0) : 0;
    let(m, n);
    if (kind == 0)
        text_printf(m->out, "rms_norm(v%d, w%d)\n", v, w);
    else if (kind == 1)
        text_printf(m->out, "layer_norm(v%d, w%d, w%d)\n", v, w, b);
    else if (kind == 2)
        text_printf(
            m->out,
            "v%d / sqrt(mean(v%d * v%d, axis = -1, keep = true) + 1e-5) * w%d\n", v, v,
            v, w);
    else
        text_printf(m->out, "softmax(v%d, axis = %d) * w%d\n", v, -1 - below(m, 2), w);
}

static void make_shape(Maker *m)
{
    static const char *const how[] = {
        "concat(v%d[:, %d:], v%d[:, 0:%d], axis = 1)\n",
        "rearrange(v%d, \"t (a b) -> t (b a)\", a = 3)\n",
        "v%d'' + sum(v%d, axis = 0)\n",
        "reshape(reshape(v%d, [-1, 3])' , [T, %d])\n",
        "repeat(v%d[:, ::2], \"t d -> t (d r)\", r = 2)\n",
        "v%d - mean(v%d, axis = 1, keep = true)\n",
    };
    int v = any_value(m), n = m->width[v], k = below(m, 6), cut = 1 + below(m, n - 1);
    let(m, n);
    if (k == 0)
        text_printf(m->out, how[0], v, cut, v, cut);
    else if (k == 3)
        text_printf(m->out, how[3], v, n);
    else
        text_printf(m->out, how[k], v, v);
}

static void make_attention(Maker *m)
{
    int q = any_value(m), k = value_of(m, m->width[q]), v = value_of(m, m->width[q]);
    static const char *const masks[] = {"", ", mask = causal", ", mask = window(3)",
                                        ", mask = window(2, 1) & window(5, 9)",
                                        ", mask = causal & window(4, 4)"};
    int heads = below(m, 2) ? 3 : 2, how = below(m, 6), at = m->n;
    k = k < 0 ? q : k;
    v = v < 0 ? q : v;
    const int of[] = {q, k, v};
    for (int i = 0; i < 3; i++)
        text_printf(
            m->out,
            "        let h%d_%d = rearrange(v%d, \"t (h d) -> h t d\", h = %d)\n", at,
            i, of[i], heads);
    let(m, m->width[q]);
    if (how == 0)
        text_printf(m->out, "rearrange(softmax(h%d_0 @ h%d_1' * 0.3) @ h%d_2, ", at, at,
                    at);
    else
        text_printf(m->out, "rearrange(attention(h%d_0, h%d_1, h%d_2%s), ", at, at, at,
                    masks[how - 1]);
    text_puts(m->out, "\"h t d -> t (h d)\")\n");
}

static void make_loop(Maker *m)
{
    int v = any_value(m), n = m->width[v], w = weight(m, "f32", n, n);
    text_printf(m->out, "        let c%d = v%d * 1.0\n        let d%d = v%d * 0.5\n",
                m->n, v, m->n, v);
    text_printf(m->out,
                "        for i in 0..%d {\n            let t = c%d\n"
                "            c%d = tanh(c%d @ w%d') + d%d\n            d%d = t * 0.5\n"
                "        }\n",
                2 + below(m, 3), m->n, m->n, m->n, w, m->n, m->n);
    int at = m->n;
    let(m, n);
    text_printf(m->out, "c%d - d%d\n", at, at);
}

static void make_write(Maker *m)
{
    int v = any_value(m), n = m->width[v], from = below(m, n - 1);
    int to = from + 1 + below(m, n - from), at = m->n;
    text_printf(m->out, "        let s%d = v%d * 0.9\n", at, v);
    text_printf(m->out, "        s%d[:, %d:%d] = v%d[:, %d:%d]%s\n", at, from, to, v, 0,
                to - from, below(m, 2) ? " * 2" : "");
    let(m, n);
    text_printf(m->out, "s%d\n", at);
}

// Scalars and vectors made of all of a value, or of a row of it.
static void make_whole(Maker *m)
{
    static const char *const how[] = {
        "v%d * tanh(sum(v%d))\n",
        "v%d - max(v%d)\n",
        "v%d / (sqrt(mean(square(v%d))) + 1)\n",
        "v%d + softmax(v%d[0])\n",
        "v%d * mean(v%d[0], axis = 0, keep = true)\n",
        "v%d + min(v%d[-1]) * 0.5\n",
    };
    int v = any_value(m), n = m->width[v], k = below(m, 7);
    int w = k == 6 ? weight(m, "f32", n, 0) : 0;
    let(m, n);
    if (k == 6)
        text_printf(m->out, "v%d + rms_norm(v%d[0], w%d)\n", v, v, w);
    else
        text_printf(m->out, how[k], v, v);
}

// ---- models ----------------------------------------------------------------------------

void fuzz_model(Arena *a, uint64_t seed, Text *out)
{
    static void (*const make[])(Maker *) = {
        make_unary,  make_binary,    make_row,  make_linear, make_norm,  make_shape,
        make_linear, make_attention, make_loop, make_write,  make_whole,
    };
    Text body;
    text_init(&body, a);
    Maker m = {.random = {seed}, .out = &body, .n = 2};
    text_init(&m.members, a);
    m.width[0] = widths[below(&m, 5)];
    m.width[1] = widths[below(&m, 5)];
    int ops = 5 + below(&m, 18);
    for (int i = 0; i < ops && m.n < MAX_VALUES; i++) {
        make[below(&m, COUNT(make))](&m);
        m.n++;
    }
    text_printf(out, "tfx 1;\n\n// seed %llu\n\ndim T in 1..33\n\nblock M {\n%s\n",
                (unsigned long long)seed, m.members.p);
    int last = m.n - 1, other = any_value(&m);
    text_printf(
        out,
        "    entry f(v0: f32[T, %d], v1: f32[T, %d]) -> (a: f32[T, %d], b: f32[T, %d]) "
        "{\n%s        return (v%d, v%d)\n    }\n}\n",
        m.width[0], m.width[1], m.width[last], m.width[other], body.p, last, other);
}
