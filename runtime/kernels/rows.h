// SPDX-License-Identifier: 0BSD
// rows.h - norms and softmax over rows; contract in tfx.h.
//
// Rows that fit into registers are held there (held.h), others read two or three times from
// the first-level cache.
//
// Error, in ulp of the exact result, checked by tests/kernels/rows.c for d <= 8192:
// rms_norm 8 (worst seen 3.2), softmax 12 (6.5, of results near e^-6), layer_norm 8 of the
// row's largest |y| (3.9).

#ifndef TFX_ROWS_H
#define TFX_ROWS_H

#include "held.h"
#include "row.h"

typedef struct tfx_rows_call {
    float *y;
    const float *x, *w, *b;
    ptrdiff_t ldy, ldx, m, d;
    float eps;
    int ntasks;
} tfx_rows_call;

static inline void tfx_rms_norm_row(const tfx_rows_call *p, float *y, const float *x)
{
    if (tfx_held_rms_norm(y, x, p->w, p->eps, p->d))
        return;
    float mean = tfx_row_squares(x, p->d, 0.0f) / (float)p->d;
    tfx_row_scale(y, x, p->w, NULL, p->d, 0.0f, 1.0f / tfx_sqrtf(mean + p->eps));
}

static inline void tfx_layer_norm_row(const tfx_rows_call *p, float *y, const float *x)
{
    if (tfx_held_layer_norm(y, x, p->w, p->b, p->eps, p->d))
        return;
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

static inline void tfx_softmax_row(float *y, const float *x, ptrdiff_t d)
{
    const float low = -tfx_of_bits_f(0x7f800000u);
    if (tfx_held_softmax(y, x, d))
        return;
    float top = tfx_row_max(x, d, low);
    float sum = tfx_row_exp(y, x, d, top > low ? top : 0.0f);
    tfx_row_scale(y, y, NULL, NULL, d, 0.0f, sum > 0.0f ? 1.0f / sum : sum);
}

static TFX_UNUSED void tfx_softmax_task(void *arg, int index, int thread)
{
    const tfx_rows_call *p = (const tfx_rows_call *)arg;
    ptrdiff_t end = p->m * (index + 1) / p->ntasks;
    (void)thread;
    for (ptrdiff_t r = p->m * index / p->ntasks; r < end; r++)
        tfx_softmax_row(p->y + r * p->ldy, p->x + r * p->ldx, p->d);
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
