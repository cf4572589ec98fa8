// SPDX-License-Identifier: 0BSD
// sums.h - what a format of weights gives the linear template, and the dense formats.
//
//     tfx_batch_FMT                              rows summed at once
//     tfx_prepare_FMT(p, par, work)              before all
//     tfx_begin_FMT(p), tfx_end_FMT(p)           in a thread, before and after its sums
//     tfx_sums_FMT(t, p, col, width, r, rows)    t[i][c] = sum of row r + i, column col + c
//     tfx_panels_FMT(t, step, p, col, panels)    of all rows, m <= tfx_batch_FMT: panel i's
//                                                sums at t + i * step
//     tfx_vector_sums_FMT(t, p, col)             of m = 1: panel i's sums in row i of t, for
//                                                TFX_VECTOR_PANELS whole panels
//     TFX_WORK_PARAM_FMT, TFX_WORK_VALUE_FMT     a parameter for a work area, if any
//
// t has TFX_PANEL columns.

#ifndef TFX_SUMS_H
#define TFX_SUMS_H

#include "tile.h"

// Rows that go through a panel together, tasks for each thread: tfxc tune sets them.
#ifndef TFX_LINEAR_ROWS
#    define TFX_LINEAR_ROWS 128
#endif
#if TFX_LINEAR_ROWS < 16 || TFX_LINEAR_ROWS % 16 != 0  // tiles of AMX have 16
#    error "TFX_LINEAR_ROWS is a multiple of 16"
#endif
#ifndef TFX_LINEAR_TASKS
#    define TFX_LINEAR_TASKS 4
#endif

// Rows of TFX_PANEL sums that a task holds at least. Where stack is plentiful, more: rows of
// y are written in long pieces, since short ones, come from far, hold up the weights.
enum { TFX_SUM_ROWS = TFX_AMX ? 256 : 4 };

// The columns of a product from `from` on, as heads of d columns: element j of head h of a
// row r goes to y[h * head + r * row + j].
typedef struct tfx_heads {
    float *y;
    ptrdiff_t head, row, d, from;
} tfx_heads;

typedef struct tfx_linear_call {
    float *y;
    const float *x;
    const void *w;
    float *work;
    ptrdiff_t ldy, ldx, m, n, k;
    const float *e[4];
    ptrdiff_t ld[4];
    tfx_heads heads[2];  // of the last columns
    ptrdiff_t units, row_blocks;
    ptrdiff_t span;        // split.h: panels of a unit
    const float *rounded;  // i8: the rounded rows of x
    ptrdiff_t hop;         // i8: from 64 bytes of a rounded row to its next
    ptrdiff_t group;  // block48: panels that a batch of rows goes through, one by one
    int ntasks;
} tfx_linear_call;

// Units are panel by panel, row blocks inside, or with a group the other way round; of one
// row, groups of panels.
static TFX_UNUSED void tfx_linear_plan(tfx_linear_call *p, const tfx_par *par)
{
    ptrdiff_t panels = (p->n + TFX_PANEL - 1) / TFX_PANEL;
    p->row_blocks = (p->m + TFX_LINEAR_ROWS - 1) / TFX_LINEAR_ROWS;
    p->units = panels * p->row_blocks;
    ptrdiff_t most =
        par && par->threads > 1 ? TFX_LINEAR_TASKS * (ptrdiff_t)par->threads : 1;
    p->ntasks = (int)(p->units < most ? p->units : most);
}

static inline void tfx_prepare_none(tfx_linear_call *p, const tfx_par *par, float *work)
{
    (void)p, (void)par, (void)work;
}

static inline void tfx_begin_none(const tfx_linear_call *p)
{
    (void)p;
}

#define tfx_begin_f32  tfx_begin_none
#define tfx_begin_bf16 tfx_begin_none
#define tfx_begin_f16  tfx_begin_none
#define tfx_end_f32    tfx_begin_none
#define tfx_end_bf16   tfx_begin_none
#define tfx_end_f16    tfx_begin_none
#define TFX_WORK_PARAM_f32
#define TFX_WORK_PARAM_bf16
#define TFX_WORK_PARAM_f16
#define TFX_WORK_VALUE_f32  NULL
#define TFX_WORK_VALUE_bf16 NULL
#define TFX_WORK_VALUE_f16  NULL
#define tfx_prepare_f32     tfx_prepare_none
#define tfx_prepare_bf16    tfx_prepare_none
#define tfx_prepare_f16     tfx_prepare_none

enum {
    tfx_batch_f32 = TFX_TILE_ROWS,
    tfx_batch_bf16 = TFX_TILE_ROWS,
    tfx_batch_f16 = TFX_TILE_ROWS
};

// Panel after panel.
#define TFX_DEFINE_PANELS(FMT)                                                         \
    static TFX_UNUSED void tfx_panels_##FMT(float *t, ptrdiff_t step,                  \
                                            const tfx_linear_call *p, ptrdiff_t col,   \
                                            ptrdiff_t panels)                          \
    {                                                                                  \
        for (; panels > 0; panels--, t += step, col += TFX_PANEL)                      \
            tfx_sums_##FMT(t, p, col, tfx_panel_width(p->n, col), 0, p->m);            \
    }

// What the tile at row r prefetches: while there are rows enough, each a part of the panel
// after w's, bytes long; of few rows the tile must fetch its own panel (NULL).
static inline const void *tfx_next_part(const tfx_linear_call *p, const void *w,
                                        ptrdiff_t bytes, ptrdiff_t r)
{
    ptrdiff_t at = r / TFX_TILE_ROWS * 64 * p->k;
    if (p->m < 4 * TFX_TILE_ROWS)
        return r == 0 ? NULL : w;
    return (const char *)w + (at < bytes ? bytes + at : 0);
}

#define TFX_DEFINE_SUMS(FMT)                                                           \
    static TFX_UNUSED void tfx_sums_##FMT(float *t, const tfx_linear_call *p,          \
                                          ptrdiff_t col, ptrdiff_t width, ptrdiff_t r, \
                                          ptrdiff_t rows)                              \
    {                                                                                  \
        const tfx_stored_##FMT *w = (const tfx_stored_##FMT *)p->w + col * p->k;       \
        ptrdiff_t bytes = TFX_PANEL * p->k * (ptrdiff_t)sizeof *w;                     \
        tfx_block_##FMT(t, p->x + r * p->ldx, p->ldx, w, width, rows, p->k,            \
                        tfx_next_part(p, w, bytes, r));                                \
    }

TFX_DEFINE_SUMS(f32)
TFX_DEFINE_SUMS(bf16)
TFX_DEFINE_SUMS(f16)
TFX_DEFINE_PANELS(f32)
TFX_DEFINE_PANELS(bf16)
TFX_DEFINE_PANELS(f16)

#if TFX_LANES == 16
#    define TFX_DEFINE_VECTOR_SUMS(FMT)                                                \
        static TFX_UNUSED void tfx_vector_sums_##FMT(                                  \
            float *t, const tfx_linear_call *p, ptrdiff_t col)                         \
        {                                                                              \
            tfx_vector_##FMT(t, p->x, (const tfx_stored_##FMT *)p->w + col * p->k,     \
                             p->k);                                                    \
        }

TFX_DEFINE_VECTOR_SUMS(f32)
TFX_DEFINE_VECTOR_SUMS(bf16)
TFX_DEFINE_VECTOR_SUMS(f16)
#endif

#endif
