// SPDX-License-Identifier: 0BSD
// linear.h - template: y = epilogue(x w') with packed weights; contract in tfx.h.
//
// The work is cut into panels of 48 columns by blocks of TFX_LINEAR_ROWS rows, in an order
// that keeps a panel with one task. In a block the sums of a batch of rows are made by the
// format of the weights (sums.h, dot.h, group.h, groupamx.h, pairs.h,
// sparse.h; split.h and sparse_amx.h) on the stack, and go from there through the epilogue
// to y.

#ifndef TFX_LINEAR_H
#define TFX_LINEAR_H

#include "dot.h"
#include "group.h"
#include "groupamx.h"
#include "math.h"
#include "pairs.h"
#include "sparse.h"
#include "sparse_amx.h"
#include "split.h"
#include "sums.h"

#define TFX_PASTE_(a, b) a##b
#define TFX_PASTE(a, b)  TFX_PASTE_(a, b)

#endif

#ifdef TFX_LINEAR

#ifndef TFX_WEIGHT
#    define TFX_WEIGHT f32
#endif
#ifndef TFX_EXTRAS
#    define TFX_EXTRAS 0
#endif
#ifndef TFX_EPILOGUE
#    define TFX_EPILOGUE(a) (a)
#endif
#ifndef TFX_ROUNDED
#    define TFX_ROUNDED 0
#endif
#if TFX_ROUNDED
#    define TFX_ROUNDED_PARAM , float *rounded
#else
#    define TFX_ROUNDED_PARAM
#endif

#define TFX_EXP(a)    tfx_exp_v(a)
#define TFX_LOG(a)    tfx_log_v(a)
#define TFX_TANH(a)   tfx_tanh_v(a)
#define TFX_ERF(a)    tfx_erf_v(a)
#define TFX_NDTR(a)   tfx_ndtr_v(a)
#define TFX_SIN(a)    tfx_sin_v(a)
#define TFX_COS(a)    tfx_cos_v(a)
#define TFX_SQRT(a)   tfx_sqrt_v(a)
#define TFX_FLOOR(a)  tfx_floor_v(a)
#define TFX_ABS(a)    tfx_abs_v(a)
#define TFX_POW(a, b) tfx_pow_v(TFX_VECTOR(a), TFX_VECTOR(b))
#define TFX_MIN(a, b) tfx_min_v(TFX_VECTOR(a), TFX_VECTOR(b))
#define TFX_MAX(a, b) tfx_max_v(TFX_VECTOR(a), TFX_VECTOR(b))

// y for TFX_LANES columns of one row; e are the extras' addresses there.
static inline tfx_v TFX_PASTE(TFX_LINEAR, _epilogue)(tfx_v a, const float *const *e)
{
    (void)e;
#if TFX_EXTRAS == 0
    return TFX_EPILOGUE(a);
#else
    tfx_v e0 = tfx_load(e[0]);
#    if TFX_EXTRAS == 1
    return TFX_EPILOGUE(a, e0);
#    else
    tfx_v e1 = tfx_load(e[1]);
#        if TFX_EXTRAS == 2
    return TFX_EPILOGUE(a, e0, e1);
#        else
    tfx_v e2 = tfx_load(e[2]);
#            if TFX_EXTRAS == 3
    return TFX_EPILOGUE(a, e0, e1, e2);
#            else
    tfx_v e3 = tfx_load(e[3]);
    return TFX_EPILOGUE(a, e0, e1, e2, e3);
#            endif
#        endif
#    endif
#endif
}

// One row of a tile: columns [col, col + width) of row r, those below n.
static TFX_UNUSED void TFX_PASTE(TFX_LINEAR, _row)(const tfx_linear_call *p,
                                                   const float *t, ptrdiff_t r,
                                                   ptrdiff_t col)
{
    const float *e[4] = {0};
    float part[4][TFX_LANES];
    float *y = p->y + r * p->ldy + col;
    ptrdiff_t width = tfx_min_size(p->n - col, TFX_PANEL), c = 0;
    for (int i = 0; i < TFX_EXTRAS; i++)
        e[i] = p->e[i] + r * p->ld[i] + col;
    if (TFX_LANES == 16 && width == TFX_PANEL) {  // three vectors, without a loop
        for (; c < TFX_PANEL; c += TFX_LANES) {
            tfx_store(y + c, TFX_PASTE(TFX_LINEAR, _epilogue)(tfx_load(t + c), e));
            for (int i = 0; i < TFX_EXTRAS; i++)
                e[i] += TFX_LANES;
        }
        return;
    }
    for (; c + TFX_LANES <= width; c += TFX_LANES) {
        tfx_store(y + c, TFX_PASTE(TFX_LINEAR, _epilogue)(tfx_load(t + c), e));
        for (int i = 0; i < TFX_EXTRAS; i++)
            e[i] += TFX_LANES;
    }
    if (c == width)
        return;
    for (int i = 0; i < TFX_EXTRAS; i++) {
        for (ptrdiff_t j = 0; j < TFX_LANES; j++)
            part[i][j] = e[i][j < width - c ? j : 0];
        e[i] = part[i];
    }
    float last[TFX_LANES];
    tfx_store(last, TFX_PASTE(TFX_LINEAR, _epilogue)(tfx_load(t + c), e));
    for (ptrdiff_t j = 0; c < width; c++, j++)
        y[c] = last[j];
}

// All rows of several panels, m of them in one batch: y is written in longer pieces.
static TFX_UNUSED void TFX_PASTE(TFX_LINEAR, _panels)(const tfx_linear_call *p,
                                                      float *t, ptrdiff_t col,
                                                      ptrdiff_t panels)
{
    const ptrdiff_t step = TFX_PADDED(p->m, 16) * TFX_PANEL;
    TFX_PASTE(tfx_panels_, TFX_WEIGHT)(t, step, p, col, panels);
    for (ptrdiff_t r = 0; r < p->m; r++)
        for (ptrdiff_t i = 0; i < panels; i++)
            TFX_PASTE(TFX_LINEAR, _row)(p, t + i * step + r * TFX_PANEL, r,
                                        col + i * TFX_PANEL);
}

static TFX_UNUSED void TFX_PASTE(TFX_LINEAR, _task)(void *arg, int index, int thread)
{
    enum {
        BATCH = TFX_PASTE(tfx_batch_, TFX_WEIGHT),
        ROWS = BATCH > TFX_SUM_ROWS ? BATCH : TFX_SUM_ROWS
    };
    const tfx_linear_call *p = (const tfx_linear_call *)arg;
    TFX_ALIGNED float t[ROWS * TFX_PANEL];
    ptrdiff_t u = p->units * index / p->ntasks;
    ptrdiff_t end = p->units * (index + 1) / p->ntasks;
    const ptrdiff_t all = p->units / p->row_blocks;
    (void)thread;
    TFX_PASTE(tfx_begin_, TFX_WEIGHT)(p);
    while (u < end) {
        ptrdiff_t col = (p->group ? u % all : u / p->row_blocks) * TFX_PANEL;
        ptrdiff_t r = (p->group ? u / all : u % p->row_blocks) * TFX_LINEAR_ROWS;
        ptrdiff_t last = tfx_min_size(r + TFX_LINEAR_ROWS, p->m);
#if TFX_LANES == 16
        if (p->m == 1 && end - u >= TFX_VECTOR_PANELS &&
            p->n - col > (TFX_VECTOR_PANELS - 1) * TFX_PANEL + 32) {
            TFX_PASTE(tfx_vector_sums_, TFX_WEIGHT)(t, p, col);
            for (int i = 0; i < TFX_VECTOR_PANELS; i++)
                TFX_PASTE(TFX_LINEAR, _row)(p, t + i * TFX_PANEL, 0,
                                            col + i * TFX_PANEL);
            u += TFX_VECTOR_PANELS;
            continue;
        }
#endif
        if (TFX_AMX && p->m <= BATCH && p->row_blocks == 1) {
            ptrdiff_t panels = tfx_min_size(end - u, ROWS / TFX_PADDED(p->m, 16));
            TFX_PASTE(TFX_LINEAR, _panels)(p, t, col, panels);
            u += panels;
            continue;
        }
        ptrdiff_t panels = p->group ? tfx_min_size(end - u, p->group) : 1;
        ptrdiff_t stop = tfx_min_size(col + panels * TFX_PANEL, p->n);
        for (ptrdiff_t rows; r < last; r += rows) {
            rows = tfx_min_size(last - r, BATCH);
            for (ptrdiff_t c = col; c < stop; c += TFX_PANEL) {
                TFX_PASTE(tfx_sums_, TFX_WEIGHT)
                (t, p, c, tfx_panel_width(p->n, c), r, rows);
                for (ptrdiff_t i = 0; i < rows; i++)
                    TFX_PASTE(TFX_LINEAR, _row)(p, t + i * TFX_PANEL, r + i, c);
            }
        }
        u += (stop - col + TFX_PANEL - 1) / TFX_PANEL;
    }
    TFX_PASTE(tfx_end_, TFX_WEIGHT)(p);
}

#if TFX_AMX
#    if TFX_PASTE(TFX_HAS_SPLIT_, TFX_WEIGHT)
#        define TFX_BY_TILES 1
static TFX_UNUSED void TFX_PASTE(TFX_LINEAR, _tiles)(void *arg, int index, int thread)
{
    const tfx_linear_call *p = (const tfx_linear_call *)arg;
    TFX_ALIGNED float t[TFX_SPLIT_SUMS];
    ptrdiff_t end = p->units * (index + 1) / p->ntasks;
    (void)thread;
    tfx_amx_begin();
    for (ptrdiff_t u = p->units * index / p->ntasks; u < end; u++) {
        ptrdiff_t col = u / p->row_blocks * p->span * TFX_PANEL;
        ptrdiff_t r = u % p->row_blocks * TFX_SPLIT_ROWS;
        ptrdiff_t panels =
            tfx_min_size((p->n - col + TFX_PANEL - 1) / TFX_PANEL, p->span);
        ptrdiff_t rows = tfx_min_size(p->m - r, TFX_SPLIT_ROWS);
        TFX_PASTE(tfx_split_sums_, TFX_WEIGHT)(t, p, col, panels, r, rows);
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t j = 0; j < panels; j++)
                TFX_PASTE(TFX_LINEAR,
                          _row)(p, t + (j * TFX_PADDED(rows, 16) + i) * TFX_PANEL,
                                r + i, col + j * TFX_PANEL);
    }
    tfx_amx_end();
}
#    endif
#endif

// clang-format off
#if TFX_EXTRAS == 0
#define TFX_EXTRA_PARAMS
#define TFX_EXTRA_VALUES {0}
#define TFX_EXTRA_STRIDES {0}
#elif TFX_EXTRAS == 1
#define TFX_EXTRA_PARAMS , const float *e0, ptrdiff_t ld0
#define TFX_EXTRA_VALUES {e0}
#define TFX_EXTRA_STRIDES {ld0}
#elif TFX_EXTRAS == 2
#define TFX_EXTRA_PARAMS , const float *e0, ptrdiff_t ld0, const float *e1, ptrdiff_t ld1
#define TFX_EXTRA_VALUES {e0, e1}
#define TFX_EXTRA_STRIDES {ld0, ld1}
#elif TFX_EXTRAS == 3
#define TFX_EXTRA_PARAMS                                                                 \
    , const float *e0, ptrdiff_t ld0, const float *e1, ptrdiff_t ld1, const float *e2,   \
        ptrdiff_t ld2
#define TFX_EXTRA_VALUES {e0, e1, e2}
#define TFX_EXTRA_STRIDES {ld0, ld1, ld2}
#else
#define TFX_EXTRA_PARAMS                                                                 \
    , const float *e0, ptrdiff_t ld0, const float *e1, ptrdiff_t ld1, const float *e2,   \
        ptrdiff_t ld2, const float *e3, ptrdiff_t ld3
#define TFX_EXTRA_VALUES {e0, e1, e2, e3}
#define TFX_EXTRA_STRIDES {ld0, ld1, ld2, ld3}
#endif
// clang-format on

static TFX_UNUSED void TFX_LINEAR(const tfx_par *par, float *y, ptrdiff_t ldy,
                                  const float *x, ptrdiff_t ldx, const void *w,
                                  ptrdiff_t m, ptrdiff_t n,
                                  ptrdiff_t k TFX_PASTE(TFX_WORK_PARAM_, TFX_WEIGHT)
                                      TFX_EXTRA_PARAMS TFX_ROUNDED_PARAM)
{
    tfx_linear_call call = {.y = y,
                            .x = x,
                            .w = w,
                            .ldy = ldy,
                            .ldx = ldx,
                            .m = m,
                            .n = n,
                            .k = k,
                            .e = TFX_EXTRA_VALUES,
                            .ld = TFX_EXTRA_STRIDES};
#ifdef TFX_BY_TILES
    if (TFX_PASTE(tfx_split_takes_,
                  TFX_WEIGHT)(&call, par, TFX_PASTE(TFX_WORK_VALUE_, TFX_WEIGHT))) {
        tfx_split_plan(&call, par);
        tfx_run(par, TFX_PASTE(TFX_LINEAR, _tiles), &call, call.ntasks);
#    if TFX_ROUNDED
        tfx_round_rows(par, rounded, y, ldy, m, n);
#    endif
        return;
    }
#endif
    TFX_PASTE(tfx_prepare_, TFX_WEIGHT)
    (&call, par, TFX_PASTE(TFX_WORK_VALUE_, TFX_WEIGHT));
    tfx_linear_plan(&call, par);
    tfx_run(par, TFX_PASTE(TFX_LINEAR, _task), &call, call.ntasks);
#if TFX_ROUNDED
    tfx_round_rows(par, rounded, y, ldy, m, n);
#endif
}

#undef TFX_LINEAR
#undef TFX_WEIGHT
#undef TFX_EXTRAS
#undef TFX_EPILOGUE
#undef TFX_ROUNDED
#undef TFX_ROUNDED_PARAM
#undef TFX_BY_TILES
#undef TFX_EXTRA_PARAMS
#undef TFX_EXTRA_VALUES
#undef TFX_EXTRA_STRIDES
#undef TFX_EXP
#undef TFX_LOG
#undef TFX_TANH
#undef TFX_ERF
#undef TFX_NDTR
#undef TFX_SIN
#undef TFX_COS
#undef TFX_SQRT
#undef TFX_FLOOR
#undef TFX_ABS
#undef TFX_POW
#undef TFX_MIN
#undef TFX_MAX

#endif
