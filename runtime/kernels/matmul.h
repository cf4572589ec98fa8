// SPDX-License-Identifier: 0BSD
// matmul.h - batched product of two activations with any strides; contract in tfx.h.
//
// Panels of 48 columns by TFX_MATMUL_K steps of w are packed on the stack and given to the
// tiles of tile.h; longer sums are added up panel by panel.
//
// Error: |err| <= (k + k / TFX_MATMUL_K) * 2^-24 * sum |x w|.

#ifndef TFX_MATMUL_H
#define TFX_MATMUL_H

#include "tile.h"

enum { TFX_MATMUL_K = 128, TFX_MATMUL_ROWS = 64 };

typedef struct tfx_mm_call {
    const tfx_mm *p;
    ptrdiff_t units, panels, row_blocks;
    int ntasks;
} tfx_mm_call;

static TFX_UNUSED void tfx_mm_pack(float *panel, const float *w, ptrdiff_t ldk,
                                   ptrdiff_t ldn, ptrdiff_t k, ptrdiff_t n,
                                   ptrdiff_t width)
{
    for (ptrdiff_t kk = 0; kk < k; kk++) {
        for (ptrdiff_t j = 0; j < n; j++)
            panel[kk * width + j] = w[kk * ldk + j * ldn];
        for (ptrdiff_t j = n; j < width; j++)
            panel[kk * width + j] = 0.0f;
    }
}

// y = or += rows of x by the packed panel
static TFX_UNUSED void tfx_mm_rows(const tfx_mm *p, float *y, const float *x,
                                   const float *panel, ptrdiff_t rows, ptrdiff_t n,
                                   ptrdiff_t k, int more)
{
    float t[8 * TFX_PANEL], packed[8 * TFX_MATMUL_K];
    ptrdiff_t width = (n + 15) / 16 * 16;
    for (ptrdiff_t r = 0; r < rows; r += TFX_TILE_ROWS) {
        ptrdiff_t count = rows - r < TFX_TILE_ROWS ? rows - r : TFX_TILE_ROWS;
        const float *from = x + r * p->x_row;
        ptrdiff_t ldx = p->x_row;
        if (p->x_col != 1) {
            tfx_mm_pack(packed, from, p->x_row, p->x_col, count, k, k);
            from = packed;
            ldx = k;
        }
        tfx_block_f32(t, from, ldx, panel, width, count, k, panel);
        for (ptrdiff_t i = 0; i < count; i++)
            for (ptrdiff_t j = 0; j < n; j++) {
                float a = t[i * TFX_PANEL + j];
                float *out = y + (r + i) * p->y_row + j;
                *out = more ? *out + a : a;
            }
    }
}

static TFX_UNUSED void tfx_mm_task(void *arg, int index, int thread)
{
    const tfx_mm_call *call = (const tfx_mm_call *)arg;
    const tfx_mm *p = call->p;
    float panel[TFX_MATMUL_K * TFX_PANEL];
    ptrdiff_t end = call->units * (index + 1) / call->ntasks;
    (void)thread;
    for (ptrdiff_t u = call->units * index / call->ntasks; u < end; u++) {
        ptrdiff_t r = u % call->row_blocks * TFX_MATMUL_ROWS;
        ptrdiff_t c = u / call->row_blocks % call->panels * TFX_PANEL;
        ptrdiff_t b = u / call->row_blocks / call->panels;
        ptrdiff_t rows = p->m - r < TFX_MATMUL_ROWS ? p->m - r : TFX_MATMUL_ROWS;
        ptrdiff_t n = p->n - c < TFX_PANEL ? p->n - c : TFX_PANEL;
        ptrdiff_t kk = 0;
        do {  // also once for k = 0, which gives 0
            ptrdiff_t k = p->k - kk < TFX_MATMUL_K ? p->k - kk : TFX_MATMUL_K;
            tfx_mm_pack(panel, p->w + b * p->w_batch + kk * p->w_row + c * p->w_col,
                        p->w_row, p->w_col, k, n, (n + 15) / 16 * 16);
            tfx_mm_rows(p, p->y + b * p->y_batch + r * p->y_row + c,
                        p->x + b * p->x_batch + r * p->x_row + kk * p->x_col, panel,
                        rows, n, k, kk > 0);
            kk += k;
        } while (kk < p->k);
    }
}

static TFX_UNUSED void tfx_matmul(const tfx_par *par, const tfx_mm *p)
{
    tfx_mm_call call = {.p = p};
    call.panels = (p->n + TFX_PANEL - 1) / TFX_PANEL;
    call.row_blocks = (p->m + TFX_MATMUL_ROWS - 1) / TFX_MATMUL_ROWS;
    call.units = p->batch * call.panels * call.row_blocks;
    ptrdiff_t most = par && par->threads > 1 ? 4 * (ptrdiff_t)par->threads : 1;
    call.ntasks = (int)(call.units < most ? call.units : most);
    tfx_run(par, tfx_mm_task, &call, call.ntasks);
}

#endif
