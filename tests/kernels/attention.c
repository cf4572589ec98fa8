// attention.c - attention against double: strides, groups, bias, masks, threads.

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/variant.h"

typedef struct Case {
    ptrdiff_t batch, heads, groups, tq, tk, d, dv;
    int mask;  // 0 none, 1 causal, 2 window
    ptrdiff_t from;
    int bias;  // 0 none, 1 one row of keys, 2 full, 3 full with -inf, 4 -1e5 on every key, 5 -inf on the first 150
    ptrdiff_t before, after;
} Case;

static const Case cases[] = {
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0},
    {1, 2, 1, 1, 33, 16, 16, 1, 32, 0, 0, 0},
    {2, 4, 2, 3, 20, 8, 24, 1, 17, 1, 0, 0},
    {1, 3, 3, 4, 4, 5, 3, 1, 0, 2, 0, 0},
    {1, 2, 2, 16, 16, 32, 32, 0, 0, 1, 0, 0},
    {2, 2, 1, 17, 40, 64, 64, 1, 23, 0, 0, 0},
    {1, 4, 4, 48, 48, 24, 40, 1, 0, 3, 0, 0},
    {1, 2, 2, 49, 49, 64, 80, 0, 0, 2, 0, 0},
    {1, 1, 1, 100, 131, 128, 128, 1, 31, 1, 0, 0},
    {1, 2, 1, 70, 64, 96, 112, 1, -10, 0, 0, 0},
    {1, 1, 1, 5, 9, 7, 300, 0, 0, 3, 0, 0},
    {1, 2, 2, 50, 20, 32, 32, 0, 0, 4, 0, 0},
    {1, 2, 1, 2, 0, 4, 4, 0, 0, 0, 0, 0},
    {1, 1, 1, 9, 0, 4, 4, 1, 0, 0, 0, 0},
    {1, 1, 1, 2, 7, 4, 4, 1, -1, 0, 0, 0},
    {1, 12, 12, 128, 128, 64, 64, 0, 0, 1, 0, 0},
    {1, 2, 1, 20, 300, 16, 20, 0, 0, 5, 0, 0},
    {1, 2, 2, 35, 300, 16, 20, 0, 0, 5, 0, 0},
    {1, 2, 1, 20, 75, 40, 300, 1, 40, 3, 0, 0},
    {1, 2, 2, 33, 1100, 32, 32, 1, 0, 1, 0, 0},
    {1, 1, 1, 1, 257, 16, 20, 0, 0, 0, 0, 0},
    {1, 2, 1, 3, 1000, 24, 35, 1, 510, 1, 0, 0},
    {2, 1, 1, 1, 700, 8, 64, 0, 0, 5, 0, 0},
    {1, 3, 3, 2, 513, 64, 64, 1, 200, 3, 0, 0},
    {1, 1, 1, 2, 600, 16, 16, 1, -2, 0, 0, 0},
    {1, 4, 4, 1, 2049, 32, 900, 1, 2048, 2, 0, 0},
    // windows: of few rows and many, before, in and behind the keys, one-sided or not, of one
    // key, of rows that see nothing, over several parts of a cache
    {1, 2, 1, 1, 40, 16, 16, 2, 39, 0, 7, 0},
    {1, 2, 1, 3, 40, 16, 16, 2, 37, 1, 4, 0},
    {1, 1, 1, 16, 16, 8, 8, 2, 0, 0, 0, 0},
    {2, 4, 2, 50, 50, 24, 20, 2, 0, 2, 5, 0},
    {1, 2, 2, 100, 131, 64, 64, 2, 31, 0, 31, 0},
    {1, 2, 1, 130, 130, 32, 40, 2, 0, 3, 40, 17},
    {1, 3, 1, 70, 300, 16, 33, 2, 100, 1, 64, 64},
    {1, 1, 1, 97, 200, 40, 7, 2, -20, 0, 3, 9},
    {1, 1, 1, 60, 64, 16, 16, 2, 40, 0, 10, 2},
    {1, 2, 1, 20, 75, 40, 300, 2, 60, 3, 30, 0},
    {1, 1, 1, 2, 1300, 16, 20, 2, 1200, 1, 700, 0},
    {1, 1, 1, 1, 2049, 32, 64, 2, 2048, 0, 600, 0},
    {1, 1, 1, 3, 900, 8, 64, 2, 200, 5, 2000, 600},
    {1, 2, 2, 300, 1000, 32, 32, 2, 500, 0, 128, 1},
    {1, 1, 1, 20, 1100, 32, 32, 2, 1000, 0, 50, 0},
    {1, 1, 1, 40, 30, 16, 16, 2, 50, 0, 5, 5},
    {1, 1, 1, 2, 30, 16, 16, 2, 50, 0, 5, 5},
    {1, 2, 2, 33, 33, 64, 64, 2, 0, 0, 1000, 1000},
};
enum { CASES = sizeof cases / sizeof *cases };

// Heads innermost but one ([t, head, d]) for q, k, v; y is [head, t, dv] with gaps.
static tfx_attn setup(const Case *c, float *bias)
{
    tfx_attn a = {.batch = c->batch,
                  .heads = c->heads,
                  .groups = c->groups,
                  .tq = c->tq,
                  .tk = c->tk,
                  .d = c->d,
                  .dv = c->dv,
                  .causal = c->mask == 1,
                  .window = c->mask == 2,
                  .from = c->from,
                  .before = c->before,
                  .after = c->after,
                  .scale = (float)(1.0 / sqrt((double)c->d))};
    a.q_head = c->d, a.q_row = c->heads * c->d + 1, a.q_batch = a.q_row * c->tq;
    a.k_head = c->d + 1, a.k_row = c->groups * a.k_head, a.k_batch = a.k_row * c->tk;
    a.v_head = c->dv, a.v_row = c->groups * c->dv + 2, a.v_batch = a.v_row * c->tk;
    a.y_row = c->dv + 3, a.y_head = a.y_row * c->tq, a.y_batch = a.y_head * c->heads;
    a.q = random_floats(1, c->batch * a.q_batch + 1, 3.0);
    a.k = random_floats(2, c->batch * a.k_batch + 1, 3.0);
    a.v = random_floats(3, c->batch * a.v_batch + 1, 1.0);
    a.y = random_floats(4, c->batch * a.y_batch + 1, 1.0);
    a.bias = c->bias ? bias : NULL;
    a.bias_col = 1;
    a.bias_batch = c->tk;
    if (c->bias > 1) {
        a.bias_row = c->tk;
        a.bias_head = c->tk * c->tq;
        a.bias_batch = a.bias_head * c->heads;
    }
    return a;
}

// One row of attention in double; returns the largest |v| seen.
static void exact_row(const tfx_attn *a, ptrdiff_t n, ptrdiff_t h, ptrdiff_t i,
                      double *y)
{
    double *s = malloc(sizeof(double) * (size_t)(a->tk + 1)), top = -INFINITY,
           sum = 0.0;
    ptrdiff_t g = h / (a->heads / a->groups);
    const float *q = a->q + n * a->q_batch + h * a->q_head + i * a->q_row;
    for (ptrdiff_t j = 0; j < a->tk; j++) {
        const float *k = a->k + n * a->k_batch + g * a->k_head + j * a->k_row;
        s[j] = 0.0;
        for (ptrdiff_t c = 0; c < a->d; c++)
            s[j] += (double)q[c] * (double)k[c];
        s[j] *= (double)a->scale;
        if (a->bias)
            s[j] += (double)a->bias[n * a->bias_batch + h * a->bias_head +
                                    i * a->bias_row + j * a->bias_col];
        if (a->causal && j > a->from + i)
            s[j] = -INFINITY;
        if (a->window && (j < a->from + i - a->before || j > a->from + i + a->after))
            s[j] = -INFINITY;
        top = fmax(top, s[j]);
    }
    for (ptrdiff_t c = 0; c < a->dv; c++)
        y[c] = 0.0;
    for (ptrdiff_t j = 0; j < a->tk && top > -INFINITY; j++) {
        double p = exp(s[j] - top);
        sum += p;
        for (ptrdiff_t c = 0; c < a->dv; c++)
            y[c] += p * (double)a->v[n * a->v_batch + g * a->v_head + j * a->v_row + c];
    }
    for (ptrdiff_t c = 0; c < a->dv; c++)
        y[c] = sum > 0.0 ? y[c] / sum : 0.0;
    free(s);
}

static double worst_of(const tfx_attn *a)
{
    double *e = malloc(sizeof(double) * (size_t)a->dv), worst = 0.0;
    for (ptrdiff_t n = 0; n < a->batch; n++)
        for (ptrdiff_t h = 0; h < a->heads; h++)
            for (ptrdiff_t i = 0; i < a->tq; i++) {
                const float *y = a->y + n * a->y_batch + h * a->y_head + i * a->y_row;
                exact_row(a, n, h, i, e);
                for (ptrdiff_t c = 0; c < a->dv; c++) {
                    double error = fabs((double)y[c] - e[c]);
                    worst = error > worst || isnan(error) ? error : worst;
                }
            }
    free(e);
    return worst;
}

static float *bias_of(const Case *c)
{
    ptrdiff_t n = c->batch * c->heads * c->tq * c->tk + 1;
    float *bias = random_floats(9, n, 2.0);
    for (ptrdiff_t i = 0; i < n; i++) {
        if (c->bias == 3 && (i / 5 % 3 == 0 || i < c->tk))
            bias[i] = -INFINITY;
        if (c->bias == 1 && i % 4 == 3)
            bias[i] = -1e5f;
        if (c->bias == 4)
            bias[i] = -1e5f;
        if (c->bias == 5 && i % c->tk < 150)
            bias[i] = -INFINITY;
    }
    return bias;
}

static size_t scratch_of(const Kernels *v, const Case *c)
{
    return v->tile_rows > 0 ? (size_t)TFX_ATTENTION_SCRATCH_AMX(c->tk, c->d, c->dv)
                            : (size_t)TFX_ATTENTION_SCRATCH(c->tk, c->d, c->dv);
}

static void check(const Kernels *v, const Case *c, double *worst)
{
    float *bias = bias_of(c);
    tfx_attn a = setup(c, bias);
    size_t bytes = sizeof(float) * (size_t)(c->batch * a.y_batch);
    size_t share = scratch_of(v, c);
    a.scratch = malloc(sizeof(float) * 7 * share);
    v->attention(NULL, &a);
    double error = worst_of(&a);
    // a score near -1e5 has an ulp of 2^-7
    cr_expect(error <= (c->bias == 4 ? 2e-2 : 4e-6), "%s case %td: %g", v->name,
              c - cases, error);
    if (c->bias != 4)
        *worst = fmax(*worst, error);
    float *y = a.y;
    for (int threads = 2; threads <= 7; threads++) {
        tfx_par par = {backwards, &threads, threads};
        a.y = random_floats(4, c->batch * a.y_batch + 1, 1.0);
        memset(a.scratch, 0xff, sizeof(float) * 7 * share);
        v->attention(&par, &a);
        cr_assert(memcmp(y, a.y, bytes) == 0, "%s case %td", v->name, c - cases);
        free(a.y);
    }
    free(y);
    free((void *)(uintptr_t)a.q);
    free((void *)(uintptr_t)a.k);
    free((void *)(uintptr_t)a.v);
    free(a.scratch);
    free(bias);
}

Test(attention, is_right_for_all_shapes_masks_and_threads)
{
    for (const Kernels *const *v = variants(); *v; v++) {
        double worst = 0.0;
        for (int i = 0; i < CASES; i++)
            check(*v, cases + i, &worst);
        fprintf(stderr, "%s attention: %.3g for |v| <= 1\n", (*v)->name, worst);
    }
}

// Rows of few and of many, causal from 0: key 7 is a NaN, and row 30 of q.
Test(attention, keeps_a_nan_where_it_is_seen)
{
    const Case c = {1, 1, 1, 40, 40, 32, 32, 1, 0, 0, 0, 0};
    for (const Kernels *const *v = variants(); *v; v++) {
        tfx_attn a = setup(&c, NULL);
        a.scratch = malloc(sizeof(float) * scratch_of(*v, &c));
        ((float *)(uintptr_t)a.q)[30 * a.q_row + 5] = NAN;
        (*v)->attention(NULL, &a);
        for (int i = 0; i < 40; i++)
            for (int d = 0; d < 32; d++)
                cr_expect(isnan(a.y[i * a.y_row + d]) == (i == 30), "%s row %d",
                          (*v)->name, i);
        ((float *)(uintptr_t)a.k)[7 * a.k_row + 3] = NAN;
        (*v)->attention(NULL, &a);
        for (int i = 0; i < 40; i++)
            cr_expect(isnan(a.y[i * a.y_row]) == (i >= 7), "%s row %d", (*v)->name, i);
        free(a.y);
        free((void *)(uintptr_t)a.q);
        free((void *)(uintptr_t)a.k);
        free((void *)(uintptr_t)a.v);
        free(a.scratch);
    }
}
