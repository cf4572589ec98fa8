// SPDX-License-Identifier: 0BSD
// gather.h - rows of a table, packed in panels or plain; contract in tfx.h.

#ifndef TFX_GATHER_H
#define TFX_GATHER_H

#include "half.h"

static TFX_UNUSED int tfx_check_ids_i32(const int32_t *ids, ptrdiff_t m, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < m; i++)
        if (ids[i] < 0 || ids[i] >= n)
            return TFX_ERR_INDEX;
    return TFX_OK;
}

static TFX_UNUSED int tfx_check_ids_i64(const int64_t *ids, ptrdiff_t m, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < m; i++)
        if (ids[i] < 0 || ids[i] >= n)
            return TFX_ERR_INDEX;
    return TFX_OK;
}

// In a panel the elements of a row are as far apart as the panel is wide.
#define TFX_DEFINE_GATHER(FMT)                                                         \
    static TFX_UNUSED int tfx_gather_panel_##FMT(                                      \
        float *y, ptrdiff_t ldy, const void *w, const int32_t *ids, ptrdiff_t m,       \
        ptrdiff_t n, ptrdiff_t k)                                                      \
    {                                                                                  \
        if (tfx_check_ids_i32(ids, m, n))                                              \
            return TFX_ERR_INDEX;                                                      \
        for (ptrdiff_t i = 0; i < m; i++) {                                            \
            const tfx_stored_##FMT *p =                                                \
                (const tfx_stored_##FMT *)w + tfx_packed_at(n, k, ids[i], 0);          \
            ptrdiff_t left = (n - ids[i] / TFX_PANEL * TFX_PANEL + 15) / 16 * 16;      \
            ptrdiff_t width = left < TFX_PANEL ? left : TFX_PANEL;                     \
            for (ptrdiff_t j = 0; j < k; j++)                                          \
                y[i * ldy + j] = tfx_from_##FMT(p[j * width]);                         \
        }                                                                              \
        return TFX_OK;                                                                 \
    }                                                                                  \
    static TFX_UNUSED int tfx_gather_rows_##FMT(float *y, ptrdiff_t ldy,               \
                                                const void *w, const int32_t *ids,     \
                                                ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) \
    {                                                                                  \
        if (tfx_check_ids_i32(ids, m, n))                                              \
            return TFX_ERR_INDEX;                                                      \
        for (ptrdiff_t i = 0; i < m; i++) {                                            \
            const tfx_stored_##FMT *p = (const tfx_stored_##FMT *)w + ids[i] * k;      \
            for (ptrdiff_t j = 0; j < k; j++)                                          \
                y[i * ldy + j] = tfx_from_##FMT(p[j]);                                 \
        }                                                                              \
        return TFX_OK;                                                                 \
    }

TFX_DEFINE_GATHER(f32)
TFX_DEFINE_GATHER(bf16)
TFX_DEFINE_GATHER(f16)

#endif
