// SPDX-License-Identifier: 0BSD
// rope.h - rotary positions; contract in tfx.h.
// Source: Su et al., "RoFormer", 2021; the half layout is GPT-NeoX's and Hugging Face's.

#ifndef TFX_ROPE_H
#define TFX_ROPE_H

#include "math.h"

typedef struct tfx_rope_call {
    float *y;
    const float *x;
    ptrdiff_t y_head, y_row, x_head, x_row, heads, t, d, from;
    int layout, ntasks;
    double turn[TFX_ROPE_MAX / 2];  // theta^(-2i/d) / (pi/2): quarter turns a position
} tfx_rope_call;

// cos and sin of q quarter turns: the whole ones are exact in double, the rest is within
// +-1/2, where short polynomials in float will do.
static inline void tfx_quarter_turns(double q, float *c, float *s)
{
    union {
        double d;
        uint64_t u;
    } z;
    z.d = q + 6755399441055744.0;
    float r = (float)((q - (z.d - 6755399441055744.0)) * 1.5707963267948966);
    float rr = r * r;
    float a = tfx_fma_f(rr, 2.83261875e-06f, -0.000198530688f);
    a = tfx_fma_f(a, rr, 0.0083333794f);
    a = tfx_fma_f(a, rr, -0.166666672f);
    a = tfx_fma_f(a, rr * r, r);
    float b = tfx_fma_f(rr, -2.88774288e-07f, 2.48220022e-05f);
    b = tfx_fma_f(b, rr, -0.001388898f);
    b = tfx_fma_f(b, rr, 0.0416666679f);
    b = tfx_fma_f(b, rr * rr, tfx_fma_f(rr, -0.5f, 1.0f));
    uint32_t n = (uint32_t)z.u;
    float sin_r = tfx_sel_f(0u - (n & 1u), b, a),
          cos_r = tfx_sel_f(0u - (n & 1u), a, b);
    *s = tfx_of_bits_f(tfx_bits_f(sin_r) ^ ((n & 2u) << 30));
    *c = tfx_of_bits_f(tfx_bits_f(cos_r) ^ (((n + 1u) & 2u) << 30));
}

static inline void tfx_rope_row(float *y, const float *x, const float *c,
                                const float *s, ptrdiff_t half, int layout)
{
    if (layout == TFX_ROPE_HALF) {
        for (ptrdiff_t i = 0; i < half; i++) {
            float a = x[i], b = x[i + half];
            float bs = b * s[i], as = a * s[i];
            y[i] = tfx_fma_f(a, c[i], -bs);
            y[i + half] = tfx_fma_f(b, c[i], as);
        }
        return;
    }
    for (ptrdiff_t i = 0; i < half; i++) {
        float a = x[2 * i], b = x[2 * i + 1];
        float bs = b * s[i], as = a * s[i];
        y[2 * i] = tfx_fma_f(a, c[i], -bs);
        y[2 * i + 1] = tfx_fma_f(b, c[i], as);
    }
}

static TFX_UNUSED void tfx_rope_task(void *arg, int index, int thread)
{
    const tfx_rope_call *p = (const tfx_rope_call *)arg;
    ptrdiff_t half = p->d / 2, end = p->t * (index + 1) / p->ntasks;
    float c[TFX_ROPE_MAX / 2], s[TFX_ROPE_MAX / 2];
    (void)thread;
    for (ptrdiff_t r = p->t * index / p->ntasks; r < end; r++) {
        double position = (double)(p->from + r);
        for (ptrdiff_t i = 0; i < half; i++)
            tfx_quarter_turns(position * p->turn[i], c + i, s + i);
        for (ptrdiff_t h = 0; h < p->heads; h++)
            tfx_rope_row(p->y + h * p->y_head + r * p->y_row,
                         p->x + h * p->x_head + r * p->x_row, c, s, half, p->layout);
    }
}

static TFX_UNUSED void tfx_rope(const tfx_par *par, float *y, ptrdiff_t y_head,
                                ptrdiff_t y_row, const float *x, ptrdiff_t x_head,
                                ptrdiff_t x_row, ptrdiff_t heads, ptrdiff_t t,
                                ptrdiff_t d, ptrdiff_t from, double theta, int layout)
{
    tfx_rope_call call = {.y = y,
                          .x = x,
                          .y_head = y_head,
                          .y_row = y_row,
                          .x_head = x_head,
                          .x_row = x_row,
                          .heads = heads,
                          .t = t,
                          .d = d,
                          .from = from,
                          .layout = layout};
    double step = tfx_log2_double(theta) * -2.0 / (double)(d > 0 ? d : 1);
    for (ptrdiff_t i = 0; i < d / 2; i++)
        call.turn[i] = tfx_exp2_double((double)i * step) * 0.63661977236758138;
    ptrdiff_t most = par && par->threads > 1 ? 4 * (ptrdiff_t)par->threads : 1;
    ptrdiff_t n = 1 + t * heads * d / 4096;
    n = n < most ? n : most;
    call.ntasks = (int)(n < t ? n : t);
    tfx_run(par, tfx_rope_task, &call, call.ntasks);
}

#endif
