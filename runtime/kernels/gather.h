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

// Quantised in groups: q and scale of (id, j) by their places.
#define TFX_DEFINE_GATHER_Q(FMT, VALUE)                                                \
    static TFX_UNUSED int tfx_gather_panel_##FMT(                                      \
        float *y, ptrdiff_t ldy, const void *w, const int32_t *ids, ptrdiff_t m,       \
        ptrdiff_t n, ptrdiff_t k)                                                      \
    {                                                                                  \
        if (tfx_check_ids_i32(ids, m, n))                                              \
            return TFX_ERR_INDEX;                                                      \
        for (ptrdiff_t i = 0; i < m; i++)                                              \
            for (ptrdiff_t j = 0; j < k; j++)                                          \
                y[i * ldy + j] = VALUE((const uint8_t *)w, n, k, ids[i], j);           \
        return TFX_OK;                                                                 \
    }

static inline float tfx_value_i8(const uint8_t *w, ptrdiff_t n, ptrdiff_t k,
                                 ptrdiff_t col, ptrdiff_t kk)
{
    const void *at = w + tfx_i8_shift_at(n, k, col) + 4 * tfx_panel_width(n, col);
    int q = w[tfx_i8_at(n, k, col, kk)];
    return (float)(q < 128 ? q : q - 256) * *(const float *)at;
}

// Every word of an i8 row is in a line of its own: those of the row after are fetched
// meanwhile.
static TFX_UNUSED int tfx_gather_panel_i8(float *y, ptrdiff_t ldy, const void *w,
                                          const int32_t *ids, ptrdiff_t m, ptrdiff_t n,
                                          ptrdiff_t k)
{
    if (tfx_check_ids_i32(ids, m, n))
        return TFX_ERR_INDEX;
    for (ptrdiff_t i = 0; i < m; i++, y += ldy) {
        ptrdiff_t id = ids[i], after = ids[i + 1 < m ? i + 1 : i];
        ptrdiff_t step = 4 * tfx_panel_width(n, id),
                  hop = 4 * tfx_panel_width(n, after);
        const uint8_t *q = (const uint8_t *)w + tfx_i8_at(n, k, id, 0);
        const uint8_t *next = (const uint8_t *)w + tfx_i8_at(n, k, after, 0);
        const void *at = (const uint8_t *)w + tfx_i8_shift_at(n, k, id) + step;
        float scale = *(const float *)at;
        for (ptrdiff_t j = 0; j < k; j += 4, q += step, next += hop) {
            TFX_PREFETCH(next);
            for (ptrdiff_t c = 0; c < tfx_min_size(k - j, 4); c++)
                y[j + c] = (float)(q[c] < 128 ? q[c] : q[c] - 256) * scale;
        }
    }
    return TFX_OK;
}

static inline float tfx_value_i8g32(const uint8_t *w, ptrdiff_t n, ptrdiff_t k,
                                    ptrdiff_t col, ptrdiff_t kk)
{
    const void *at = w + tfx_group_at(n, k, col, kk, 34);
    int q = w[tfx_i8g32_at(n, k, col, kk)];
    return (float)(q < 128 ? q : q - 256) * tfx_from_f16(*(const uint16_t *)at);
}

static inline float tfx_value_i4g32(const uint8_t *w, ptrdiff_t n, ptrdiff_t k,
                                    ptrdiff_t col, ptrdiff_t kk)
{
    const void *at = w + tfx_group_at(n, k, col, kk, 18);
    int two = w[tfx_i4g32_at(n, k, col, kk)];
    int q = kk % 8 < 4 ? two & 15 : two >> 4;
    return (float)(q - 8) * tfx_from_f16(*(const uint16_t *)at);
}

static inline float tfx_value_bf16a16(const uint8_t *w, ptrdiff_t n, ptrdiff_t k,
                                      ptrdiff_t col, ptrdiff_t kk)
{
    const void *all = w;
    return tfx_from_bf16(((const uint16_t *)all)[tfx_pairs_at(n, k, col, kk)]);
}

TFX_DEFINE_GATHER_Q(bf16a16, tfx_value_bf16a16)
TFX_DEFINE_GATHER_Q(i8g32, tfx_value_i8g32)
TFX_DEFINE_GATHER_Q(i4g32, tfx_value_i4g32)
TFX_DEFINE_GATHER_Q(i8g32a8, tfx_value_i8g32)
TFX_DEFINE_GATHER_Q(i4g32a8, tfx_value_i4g32)

#endif
