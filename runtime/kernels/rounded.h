// SPDX-License-Identifier: 0BSD
// rounded.h - norms that round their rows for the next product; contract in tfx.h.
//
// Some rows are made, then rounded while they are in the first-level cache: a single one would
// wait for its largest before it can go on. The bytes are those that tfx_round_rows of bytes.h
// makes of the same floats, in the same places.

#ifndef TFX_ROUNDED_H
#define TFX_ROUNDED_H

#include "bytes.h"
#include "rows.h"

typedef struct tfx_rounded_call {
    tfx_rows_call rows;  // y may be NULL
    tfx_byte_rows to;
} tfx_rounded_call;

typedef void tfx_norm_row(const tfx_rows_call *p, float *y, const float *x);

// Tasks are rows. soon: what is read next.
TFX_INLINE void tfx_norm_rounded(const tfx_rounded_call *c, int index,
                                 tfx_norm_row *norm)
{
    enum { MADE = TFX_ROUNDED_MAX / 2 };  // floats before they are rounded
    const tfx_rows_call *p = &c->rows;
    TFX_ALIGNED float own[TFX_ROUNDED_MAX];
    const ptrdiff_t rows = p->d < MADE ? MADE / tfx_max_size(p->d, 1) : 1;
    const ptrdiff_t end = p->m * (index + 1) / p->ntasks;
    for (ptrdiff_t r = p->m * index / p->ntasks; r < end; r += rows) {
        const ptrdiff_t n = tfx_min_size(rows, end - r);
        const ptrdiff_t ld = p->y ? p->ldy : p->d;
        float *y = p->y ? p->y + r * ld : own;
        for (ptrdiff_t i = 0; i < n; i++)
            norm(p, y + i * ld, p->x + (r + i) * p->ldx);
        for (ptrdiff_t i = 0; i < n; i++) {
            const float *soon = p->x + tfx_min_size(r + n + i, end - 1) * p->ldx;
            tfx_round_row(&c->to, r + i, y + i * ld, p->d, soon);
        }
    }
}

static TFX_UNUSED void tfx_rms_norm_rounded_task(void *arg, int index, int thread)
{
    (void)thread;
    tfx_norm_rounded((const tfx_rounded_call *)arg, index, tfx_rms_norm_row);
}

static TFX_UNUSED void tfx_layer_norm_rounded_task(void *arg, int index, int thread)
{
    (void)thread;
    tfx_norm_rounded((const tfx_rounded_call *)arg, index, tfx_layer_norm_row);
}

static TFX_UNUSED void tfx_rms_norm_rounded(const tfx_par *par, float *y, ptrdiff_t ldy,
                                            const float *x, ptrdiff_t ldx,
                                            const float *w, float eps, ptrdiff_t m,
                                            ptrdiff_t d, float *rounded)
{
    tfx_rounded_call call = {{y, x, w, NULL, ldy, ldx, m, d, eps, 1},
                             tfx_byte_rows_at(rounded, m, d)};
    call.rows.ntasks = tfx_rows_tasks(par, m, d);
    tfx_run(par, tfx_rms_norm_rounded_task, &call, call.rows.ntasks);
}

static TFX_UNUSED void tfx_layer_norm_rounded(const tfx_par *par, float *y,
                                              ptrdiff_t ldy, const float *x,
                                              ptrdiff_t ldx, const float *w,
                                              const float *b, float eps, ptrdiff_t m,
                                              ptrdiff_t d, float *rounded)
{
    tfx_rounded_call call = {{y, x, w, b, ldy, ldx, m, d, eps, 1},
                             tfx_byte_rows_at(rounded, m, d)};
    call.rows.ntasks = tfx_rows_tasks(par, m, d);
    tfx_run(par, tfx_layer_norm_rounded_task, &call, call.rows.ntasks);
}

#endif
