// SPDX-License-Identifier: 0BSD
// sparse.h - block48 weights: of each panel only the kept kk, see tfx.h.
//
// The dense tile over a list of kk: time in proportion to what is kept.

#ifndef TFX_SPARSE_H
#define TFX_SPARSE_H

#include "sums.h"

// NULL, or for tiles of AMX TFX_LINEAR_BLOCK48_SCRATCH(m, k).
#define TFX_WORK_PARAM_block48 , float *work
#define TFX_WORK_VALUE_block48 work
#define tfx_begin_block48      tfx_begin_none
#define tfx_end_block48        tfx_begin_none

enum { tfx_batch_block48 = TFX_TILE_ROWS };

// clang-format off
#define TFX_DEFINE_KEPT(FMT, R, C)                                                       \
    static TFX_FLAT void tfx_kept_##R##x##C(float *t, const float *x, ptrdiff_t ldx,     \
                                            const float *w, ptrdiff_t ldw,               \
                                            const int32_t *kept, ptrdiff_t count)        \
    {                                                                                    \
        const tfx_v zero = tfx_splat_v(0.0f);                                            \
        TFX_ROWS_##R(TFX_INPUT)                                                          \
        TFX_ROWS_##R(TFX_ACC_##C)                                                        \
        for (ptrdiff_t j = 0; j < count; j++) {                                          \
            const ptrdiff_t kk = kept[j];                                                \
            TFX_W_##C(f32)                                                               \
            TFX_TILE_PREFETCH_##C(w + TFX_TILE_AHEAD * ldw)                              \
            TFX_ROWS_##R(TFX_STEP_##C)                                                   \
            w += ldw;                                                                    \
        }                                                                                \
        TFX_ROWS_##R(TFX_OUT_##C)                                                        \
    }

#define TFX_CASE_KEPT(FMT, R, C)                                                         \
    case R:                                                                              \
        tfx_kept_##R##x##C(t + c, x, ldx, w + c, width, kept, count);                    \
        break;

TFX_ALL_TILES(TFX_DEFINE_KEPT, block48)
// clang-format on

static TFX_UNUSED void tfx_block_kept(float *t, const float *x, ptrdiff_t ldx,
                                      const float *w, ptrdiff_t width, ptrdiff_t rows,
                                      const int32_t *kept, ptrdiff_t count)
{
    ptrdiff_t c = 0;
    TFX_STRIPS(TFX_CASE_KEPT, block48)
}

// What is kept of the panel of a column: w[count][width].
typedef struct tfx_kept {
    const int32_t *kept;
    const float *w;
    ptrdiff_t count;
} tfx_kept;

static inline tfx_kept tfx_kept_of(const tfx_linear_call *p, ptrdiff_t col)
{
    const int32_t *first = (const int32_t *)p->w;
    ptrdiff_t panels = TFX_PADDED(p->n, TFX_PANEL) / TFX_PANEL;
    ptrdiff_t from = first[col / TFX_PANEL], to = first[col / TFX_PANEL + 1];
    ptrdiff_t head = TFX_PADDED(panels + 1 + first[panels], 16);
    tfx_kept k = {first + panels + 1 + from,
                  (const float *)p->w + head + from * TFX_PANEL, to - from};
    return k;
}

static TFX_UNUSED void tfx_sums_block48(float *t, const tfx_linear_call *p,
                                        ptrdiff_t col, ptrdiff_t width, ptrdiff_t r,
                                        ptrdiff_t rows)
{
    const tfx_kept k = tfx_kept_of(p, col);
    tfx_block_kept(t, p->x + r * p->ldx, p->ldx, k.w, width, rows, k.kept, k.count);
}

TFX_DEFINE_PANELS(block48)

// A batch of rows touches most lines of x for each panel, however few are kept: it stays in
// the first cache while the panels of a group, half a megabyte at most, go by.
static inline void tfx_prepare_block48(tfx_linear_call *p, const tfx_par *par,
                                       float *work)
{
    enum { GROUP_BYTES = 1 << 19, MOST = 16 };
    ptrdiff_t panels = TFX_PADDED(p->n, TFX_PANEL) / TFX_PANEL;
    ptrdiff_t bytes = ((const int32_t *)p->w)[panels] / panels * TFX_PANEL * 4 + 1;
    (void)par, (void)work;
    p->group = tfx_max_size(tfx_min_size(GROUP_BYTES / bytes, MOST), 1);
}

#if TFX_LANES == 16
static TFX_UNUSED void tfx_vector_sums_block48(float *t, const tfx_linear_call *p,
                                               ptrdiff_t col)
{
    for (ptrdiff_t i = 0; i < TFX_VECTOR_PANELS; i++)
        tfx_sums_block48(t + i * TFX_PANEL, p, col + i * TFX_PANEL, TFX_PANEL, 0, 1);
}
#endif

#endif
