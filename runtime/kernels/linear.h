// SPDX-License-Identifier: 0BSD
// linear.h - template: y = epilogue(x w') with packed weights; contract in tfx.h.
//
// The work is cut into panels of 48 columns by blocks of TFX_LINEAR_ROWS rows, in an order
// that keeps a panel with one task. In a block the sums of a batch of rows are made by the
// format of the weights (sums.h, dot.h, group.h, groupamx.h, pairs.h,
// sparse.h; split.h and sparse_amx.h) on the stack, and go from there through the epilogue
// to y, or the last columns to where they are wanted by heads (heads.h).

#ifndef TFX_LINEAR_H
#define TFX_LINEAR_H

#include "dot.h"
#include "group.h"
#include "groupamx.h"
#include "heads.h"
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
#ifndef TFX_HEADS
#    define TFX_HEADS 0
#endif
#ifndef TFX_ROUNDED
#    define TFX_ROUNDED 0
#endif
#if TFX_HEADS && TFX_ROUNDED
#    error "rows of y of which columns go elsewhere cannot be rounded"
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

// To y: columns [col, col + width) of row r, of one panel; t are their sums.
static TFX_UNUSED void TFX_PASTE(TFX_LINEAR, _row)(const tfx_linear_call *p, float *y,
                                                   const float *t, ptrdiff_t r,
                                                   ptrdiff_t col, ptrdiff_t width)
{
    const float *e[4] = {0};
    float part[4][TFX_LANES], last[TFX_LANES];
    ptrdiff_t c = 0;
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
    for (ptrdiff_t j = 0; j < TFX_LANES; j++)
        last[j] = t[c + (j < width - c ? j : 0)];
    for (int i = 0; i < TFX_EXTRAS; i++) {
        for (ptrdiff_t j = 0; j < TFX_LANES; j++)
            part[i][j] = e[i][j < width - c ? j : 0];
        e[i] = part[i];
    }
    tfx_store(last, TFX_PASTE(TFX_LINEAR, _epilogue)(tfx_load(last), e));
    for (ptrdiff_t j = 0; c < width; c++, j++)
        y[c] = last[j];
}

// The sums of some rows from r on and of some panels from col on, panel i's at t + i * step,
// through the epilogue to where they belong.
static TFX_UNUSED void TFX_PASTE(TFX_LINEAR, _store)(const tfx_linear_call *p,
                                                     const float *t, ptrdiff_t step,
                                                     ptrdiff_t r, ptrdiff_t rows,
                                                     ptrdiff_t col, ptrdiff_t panels)
{
    ptrdiff_t end = tfx_min_size(col + panels * TFX_PANEL, p->n), whole = end;
#if TFX_HEADS
    whole = tfx_min_size(end, p->heads->from);
#endif
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t c = col, j = 0; c < whole; c += TFX_PANEL, j++)
            TFX_PASTE(TFX_LINEAR, _row)(p, p->y + (r + i) * p->ldy + c,
                                        t + j * step + i * TFX_PANEL, r + i, c,
                                        tfx_min_size(whole - c, TFX_PANEL));
#if TFX_HEADS
    for (ptrdiff_t n, c = tfx_max_size(whole, col); c < end; c += n) {
        ptrdiff_t j = (c - col) / TFX_PANEL, at = (c - col) % TFX_PANEL;
        tfx_piece to = tfx_piece_at(p, TFX_HEADS, c);
        n = tfx_min_size(tfx_min_size(to.n, TFX_PANEL - at), end - c);
        for (ptrdiff_t i = 0; i < rows; i++)
            TFX_PASTE(TFX_LINEAR, _row)(p, to.y + (r + i) * to.ld,
                                        t + j * step + i * TFX_PANEL + at, r + i, c, n);
    }
#endif
}

// All rows of several panels, m of them in one batch: y is written in longer pieces.
static TFX_UNUSED void TFX_PASTE(TFX_LINEAR, _panels)(const tfx_linear_call *p,
                                                      float *t, ptrdiff_t col,
                                                      ptrdiff_t panels)
{
    const ptrdiff_t step = TFX_PADDED(p->m, 16) * TFX_PANEL;
    TFX_PASTE(tfx_panels_, TFX_WEIGHT)(t, step, p, col, panels);
    TFX_PASTE(TFX_LINEAR, _store)(p, t, step, 0, p->m, col, panels);
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
            TFX_PASTE(TFX_LINEAR, _store)(p, t, TFX_PANEL, 0, 1, col,
                                          TFX_VECTOR_PANELS);
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
                TFX_PASTE(TFX_LINEAR, _store)(p, t, 0, r, rows, c, 1);
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
        TFX_PASTE(TFX_LINEAR, _store)(p, t, TFX_PADDED(rows, 16) * TFX_PANEL, r, rows,
                                      col, panels);
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
#if TFX_HEADS == 0
#define TFX_HEADS_PARAMS
#define TFX_HEADS_VALUES {{0}}
#elif TFX_HEADS == 1
#define TFX_HEADS_PARAMS                                                                 \
    , float *y0, ptrdiff_t head0, ptrdiff_t row0, ptrdiff_t n0, ptrdiff_t d0
#define TFX_HEADS_VALUES {{y0, head0, row0, d0, n - n0 * d0}}
#else
#define TFX_HEADS_PARAMS                                                                 \
    , float *y0, ptrdiff_t head0, ptrdiff_t row0, ptrdiff_t n0, ptrdiff_t d0,            \
        float *y1, ptrdiff_t head1, ptrdiff_t row1, ptrdiff_t n1, ptrdiff_t d1
#define TFX_HEADS_VALUES                                                                 \
    {{y0, head0, row0, d0, n - n1 * d1 - n0 * d0}, {y1, head1, row1, d1, n - n1 * d1}}
#endif
// clang-format on

static TFX_UNUSED void
TFX_LINEAR(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x, ptrdiff_t ldx,
           const void *w, ptrdiff_t m, ptrdiff_t n,
           ptrdiff_t k TFX_PASTE(TFX_WORK_PARAM_, TFX_WEIGHT)
               TFX_EXTRA_PARAMS TFX_HEADS_PARAMS TFX_ROUNDED_PARAM)
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
                            .ld = TFX_EXTRA_STRIDES,
                            .heads = TFX_HEADS_VALUES};
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
#undef TFX_HEADS
#undef TFX_HEADS_PARAMS
#undef TFX_HEADS_VALUES
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
