// SPDX-License-Identifier: 0BSD
// rows.h - norms and softmax over rows; contract in tfx.h.
//
// A row is read in chunks of 16 elements, one for each virtual lane (vec.h); what is left
// at the end is filled up so that the chunk changes nothing.
//
// Error, in ulp of the exact result, checked by tests/kernels/rows.c for d <= 8192:
// rms_norm 8 (worst seen 3.2), softmax 12 (8.4, of results near e^-6), layer_norm 8 of the
// row's largest |y| (3.9).

#ifndef TFX_ROWS_H
#define TFX_ROWS_H

#include "math.h"

typedef struct tfx_rows_call {
    float *y;
    const float *x, *w, *b;
    ptrdiff_t ldy, ldx, m, d;
    float eps;
    int ntasks;
} tfx_rows_call;

static inline float tfx_row_sum(const float *x, ptrdiff_t d)
{
    tfx_v s[TFX_WIDE];
    float lane[16];
    ptrdiff_t c = 0;
    for (int i = 0; i < TFX_WIDE; i++)
        s[i] = tfx_splat_v(0.0f);
    for (; c + 16 <= d; c += 16)
        for (int i = 0; i < TFX_WIDE; i++)
            s[i] = s[i] + tfx_load(x + c + i * TFX_LANES);
    tfx_part(lane, x + c, d - c, 0.0f);
    for (int i = 0; i < TFX_WIDE; i++)
        s[i] = s[i] + tfx_load(lane + i * TFX_LANES);
    return tfx_tree_sum(s);
}

// sum (x - mean)^2
static inline float tfx_row_squares(const float *x, ptrdiff_t d, float mean)
{
    tfx_v s[TFX_WIDE];
    const tfx_v mean_v = tfx_splat_v(mean);
    float lane[16];
    ptrdiff_t c = 0;
    for (int i = 0; i < TFX_WIDE; i++)
        s[i] = tfx_splat_v(0.0f);
    for (; c + 16 <= d; c += 16)
        for (int i = 0; i < TFX_WIDE; i++) {
            tfx_v a = tfx_load(x + c + i * TFX_LANES) - mean_v;
            s[i] = tfx_fma_v(a, a, s[i]);
        }
    tfx_part(lane, x + c, d - c, mean);
    for (int i = 0; i < TFX_WIDE; i++) {
        tfx_v a = tfx_load(lane + i * TFX_LANES) - mean_v;
        s[i] = tfx_fma_v(a, a, s[i]);
    }
    return tfx_tree_sum(s);
}

static inline float tfx_row_max(const float *x, ptrdiff_t d, float low)
{
    tfx_v s[TFX_WIDE];
    float lane[16];
    ptrdiff_t c = 0;
    for (int i = 0; i < TFX_WIDE; i++)
        s[i] = tfx_splat_v(low);
    for (; c + 16 <= d; c += 16)
        for (int i = 0; i < TFX_WIDE; i++)
            s[i] = tfx_max_v(s[i], tfx_load(x + c + i * TFX_LANES));
    tfx_part(lane, x + c, d - c, low);
    for (int i = 0; i < TFX_WIDE; i++)
        tfx_store(lane + i * TFX_LANES,
                  tfx_max_v(s[i], tfx_load(lane + i * TFX_LANES)));
    for (int i = 0; i < 16; i++)
        low = tfx_maxf(low, lane[i]);
    return low;
}

// y = e^(x - top), and the sum of it
static inline float tfx_row_exp(float *y, const float *x, ptrdiff_t d, float top)
{
    tfx_v s[TFX_WIDE];
    const tfx_v top_v = tfx_splat_v(top);
    float lane[16];
    ptrdiff_t c = 0;
    for (int i = 0; i < TFX_WIDE; i++)
        s[i] = tfx_splat_v(0.0f);
    for (; c + 16 <= d; c += 16)
        for (int i = 0; i < TFX_WIDE; i++) {
            tfx_v e = tfx_exp_v(tfx_load(x + c + i * TFX_LANES) - top_v);
            tfx_store(y + c + i * TFX_LANES, e);
            s[i] = s[i] + e;
        }
    tfx_part(lane, x + c, d - c, -tfx_of_bits_f(0x7f800000u));
    for (int i = 0; i < TFX_WIDE; i++) {
        tfx_v e = tfx_exp_v(tfx_load(lane + i * TFX_LANES) - top_v);
        tfx_store(lane + i * TFX_LANES, e);
        s[i] = s[i] + e;
    }
    for (ptrdiff_t i = 0; c < d; i++, c++)
        y[c] = lane[i];
    return tfx_tree_sum(s);
}

// y = (x - mean) * scale * w + b; w or b may be NULL
static inline void tfx_row_scale(float *y, const float *x, const float *w,
                                 const float *b, ptrdiff_t d, float mean, float scale)
{
    ptrdiff_t c = 0;
    const tfx_v mean_v = tfx_splat_v(mean), scale_v = tfx_splat_v(scale);
    for (; c + TFX_LANES <= d; c += TFX_LANES) {
        tfx_v a = (tfx_load(x + c) - mean_v) * scale_v;
        if (w)
            a = b ? tfx_fma_v(a, tfx_load(w + c), tfx_load(b + c))
                  : a * tfx_load(w + c);
        else if (b)
            a = a + tfx_load(b + c);
        tfx_store(y + c, a);
    }
    for (; c < d; c++) {
        float a = (x[c] - mean) * scale;
        if (w)
            a = b ? tfx_fma_f(a, w[c], b[c]) : a * w[c];
        else if (b)
            a = a + b[c];
        y[c] = a;
    }
}

static inline void tfx_rms_norm_row(const tfx_rows_call *p, float *y, const float *x)
{
    float mean = tfx_row_squares(x, p->d, 0.0f) / (float)p->d;
    tfx_row_scale(y, x, p->w, NULL, p->d, 0.0f, 1.0f / tfx_sqrtf(mean + p->eps));
}

static inline void tfx_layer_norm_row(const tfx_rows_call *p, float *y, const float *x)
{
    float mean = tfx_row_sum(x, p->d) / (float)p->d;
    float variance = tfx_row_squares(x, p->d, mean) / (float)p->d;
    tfx_row_scale(y, x, p->w, p->b, p->d, mean, 1.0f / tfx_sqrtf(variance + p->eps));
}

static TFX_UNUSED void tfx_rms_norm_task(void *arg, int index, int thread)
{
    const tfx_rows_call *p = (const tfx_rows_call *)arg;
    ptrdiff_t end = p->m * (index + 1) / p->ntasks;
    (void)thread;
    for (ptrdiff_t r = p->m * index / p->ntasks; r < end; r++)
        tfx_rms_norm_row(p, p->y + r * p->ldy, p->x + r * p->ldx);
}

static TFX_UNUSED void tfx_layer_norm_task(void *arg, int index, int thread)
{
    const tfx_rows_call *p = (const tfx_rows_call *)arg;
    ptrdiff_t end = p->m * (index + 1) / p->ntasks;
    (void)thread;
    for (ptrdiff_t r = p->m * index / p->ntasks; r < end; r++)
        tfx_layer_norm_row(p, p->y + r * p->ldy, p->x + r * p->ldx);
}

static TFX_UNUSED void tfx_softmax_task(void *arg, int index, int thread)
{
    const tfx_rows_call *p = (const tfx_rows_call *)arg;
    ptrdiff_t end = p->m * (index + 1) / p->ntasks;
    const float low = -tfx_of_bits_f(0x7f800000u);
    (void)thread;
    for (ptrdiff_t r = p->m * index / p->ntasks; r < end; r++) {
        float *y = p->y + r * p->ldy;
        float top = tfx_row_max(p->x + r * p->ldx, p->d, low);
        float sum = tfx_row_exp(y, p->x + r * p->ldx, p->d, top > low ? top : 0.0f);
        tfx_row_scale(y, y, NULL, NULL, p->d, 0.0f, sum > 0.0f ? 1.0f / sum : sum);
    }
}

// A task is worth about 4096 elements.
static inline int tfx_rows_tasks(const tfx_par *par, ptrdiff_t m, ptrdiff_t d)
{
    ptrdiff_t most = par && par->threads > 1 ? 4 * (ptrdiff_t)par->threads : 1;
    return (int)tfx_min_size(tfx_min_size(1 + m * d / 4096, most), m);
}

static TFX_UNUSED void tfx_rows_run(const tfx_par *par, tfx_rows_call *p,
                                    void (*task)(void *arg, int index, int thread))
{
    p->ntasks = tfx_rows_tasks(par, p->m, p->d);
    tfx_run(par, task, p, p->ntasks);
}

static TFX_UNUSED void tfx_rms_norm(const tfx_par *par, float *y, ptrdiff_t ldy,
                                    const float *x, ptrdiff_t ldx, const float *w,
                                    float eps, ptrdiff_t m, ptrdiff_t d)
{
    tfx_rows_call call = {y, x, w, NULL, ldy, ldx, m, d, eps, 1};
    tfx_rows_run(par, &call, tfx_rms_norm_task);
}

static TFX_UNUSED void tfx_layer_norm(const tfx_par *par, float *y, ptrdiff_t ldy,
                                      const float *x, ptrdiff_t ldx, const float *w,
                                      const float *b, float eps, ptrdiff_t m,
                                      ptrdiff_t d)
{
    tfx_rows_call call = {y, x, w, b, ldy, ldx, m, d, eps, 1};
    tfx_rows_run(par, &call, tfx_layer_norm_task);
}

static TFX_UNUSED void tfx_softmax(const tfx_par *par, float *y, ptrdiff_t ldy,
                                   const float *x, ptrdiff_t ldx, ptrdiff_t m,
                                   ptrdiff_t d)
{
    tfx_rows_call call = {y, x, NULL, NULL, ldy, ldx, m, d, 0.0f, 1};
    tfx_rows_run(par, &call, tfx_softmax_task);
}

#endif
