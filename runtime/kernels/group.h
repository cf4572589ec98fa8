// SPDX-License-Identifier: 0BSD
// group.h - i8g32 and i4g32 weights: made floats again, exactly, where they are used.
//
// A scale has 11 bits and a q at most 8, so q * scale is exact and the sums have the bits
// of f32 weights. Rows of x: TFX_EXPAND of k of a panel are expanded to the stack and used
// by up to TFX_LINEAR_ROWS rows. One row: from the registers, see below.

#ifndef TFX_GROUP_H
#define TFX_GROUP_H

#include "sums.h"

enum { TFX_EXPAND = 64, TFX_BYTES_i8g32 = 34, TFX_BYTES_i4g32 = 18 };

#define TFX_WORK_PARAM_i8g32
#define TFX_WORK_PARAM_i4g32
#define TFX_WORK_VALUE_i8g32 NULL
#define TFX_WORK_VALUE_i4g32 NULL
#define tfx_prepare_i8g32    tfx_prepare_none
#define tfx_prepare_i4g32    tfx_prepare_none

enum { tfx_batch_i8g32 = TFX_LINEAR_ROWS, tfx_batch_i4g32 = TFX_LINEAR_ROWS };

// ---- one group to floats [32][width] -------------------------------------------------

#if TFX_LANES > 1

typedef uint32_t tfx_u_any
    __attribute__((vector_size(4 * TFX_LANES), aligned(1), may_alias));

TFX_INLINE tfx_u tfx_load_u(const void *p)
{
    return (tfx_u)(*(const tfx_u_any *)p);
}

// q * s of byte i of every word, and (q - 8) * s of its nibble from bit i on. A nibble is
// put below the exponent of 1, which makes it 1 + q/16.
#    define TFX_BYTE(word, i, s)                                                       \
        (__builtin_convertvector((tfx_m)((word) << (24 - 8 * (i))) >> 24, tfx_v) * (s))
#    define TFX_NIBBLE_AT(word, i)                                                     \
        ((((i) < 19 ? (word) << ((19 - (i)) & 31) : (word) >> (((i) - 19) & 31)) &     \
          0x780000u) |                                                                 \
         0x3f800000u)
#    define TFX_NIBBLE(word, i, s16, s24)                                              \
        tfx_fma_v(tfx_of_bits_v(TFX_NIBBLE_AT(word, i)), s16, s24)

static TFX_UNUSED void tfx_expand_i8g32(float *to, const uint8_t *p, ptrdiff_t width)
{
    for (ptrdiff_t c = 0; c < width; c += TFX_LANES) {
        tfx_v s = tfx_load_f16((const uint16_t *)(const void *)p + c);
        const uint8_t *q = p + 2 * width + 4 * c;
        for (float *y = to + c; y < to + 32 * width; y += 4 * width) {
            tfx_u word = tfx_load_u(q);
            tfx_store(y, TFX_BYTE(word, 0, s));
            tfx_store(y + width, TFX_BYTE(word, 1, s));
            tfx_store(y + 2 * width, TFX_BYTE(word, 2, s));
            tfx_store(y + 3 * width, TFX_BYTE(word, 3, s));
            q += 4 * width;
        }
    }
}

static TFX_UNUSED void tfx_expand_i4g32(float *to, const uint8_t *p, ptrdiff_t width)
{
    for (ptrdiff_t c = 0; c < width; c += TFX_LANES) {
        tfx_v s = tfx_load_f16((const uint16_t *)(const void *)p + c);
        tfx_v s16 = s * 16.0f, s24 = s * -24.0f;
        const uint8_t *q = p + 2 * width + 4 * c;
        for (float *y = to + c; y < to + 32 * width; y += 8 * width) {
            tfx_u word = tfx_load_u(q);
            tfx_store(y, TFX_NIBBLE(word, 0, s16, s24));
            tfx_store(y + width, TFX_NIBBLE(word, 8, s16, s24));
            tfx_store(y + 2 * width, TFX_NIBBLE(word, 16, s16, s24));
            tfx_store(y + 3 * width, TFX_NIBBLE(word, 24, s16, s24));
            tfx_store(y + 4 * width, TFX_NIBBLE(word, 4, s16, s24));
            tfx_store(y + 5 * width, TFX_NIBBLE(word, 12, s16, s24));
            tfx_store(y + 6 * width, TFX_NIBBLE(word, 20, s16, s24));
            tfx_store(y + 7 * width, TFX_NIBBLE(word, 28, s16, s24));
            q += 4 * width;
        }
    }
}

#else

static TFX_UNUSED void tfx_expand_i8g32(float *to, const uint8_t *p, ptrdiff_t width)
{
    const uint16_t *s = (const uint16_t *)(const void *)p;
    const int8_t *q = (const int8_t *)p + 2 * width;
    for (ptrdiff_t c = 0; c < width; c++) {
        float scale = tfx_from_f16(s[c]);
        for (ptrdiff_t i = 0; i < 32; i++)
            to[i * width + c] = (float)q[(i / 4 * width + c) * 4 + i % 4] * scale;
    }
}

static TFX_UNUSED void tfx_expand_i4g32(float *to, const uint8_t *p, ptrdiff_t width)
{
    const uint16_t *s = (const uint16_t *)(const void *)p;
    const uint8_t *q = p + 2 * width;
    for (ptrdiff_t c = 0; c < width; c++) {
        float scale = tfx_from_f16(s[c]);
        for (ptrdiff_t i = 0; i < 32; i++) {
            int two = q[(i / 8 * width + c) * 4 + i % 4];
            to[i * width + c] = (float)((i % 8 < 4 ? two & 15 : two >> 4) - 8) * scale;
        }
    }
}

#endif

#define TFX_DEFINE_GROUP_SUMS(FMT)                                                     \
    static TFX_UNUSED void tfx_sums_##FMT(float *t, const tfx_linear_call *p,          \
                                          ptrdiff_t col, ptrdiff_t width, ptrdiff_t r, \
                                          ptrdiff_t rows)                              \
    {                                                                                  \
        float w[TFX_EXPAND * TFX_PANEL];                                               \
        const ptrdiff_t bytes = TFX_BYTES_##FMT;                                       \
        const uint8_t *q =                                                             \
            (const uint8_t *)p->w + col * (TFX_PADDED(p->k, 32) / 32) * bytes;         \
        for (ptrdiff_t i = 0; i < rows * TFX_PANEL; i++)                               \
            t[i] = 0.0f;                                                               \
        for (ptrdiff_t k = 0, n; k < p->k; k += n) {                                   \
            const float *x = p->x + r * p->ldx + k;                                    \
            n = tfx_min_size(p->k - k, TFX_EXPAND);                                    \
            for (ptrdiff_t i = 0; i < n; i += 32, q += bytes * width)                  \
                tfx_expand_##FMT(w + i * width, q, width);                             \
            for (ptrdiff_t i = 0; i < rows; i += TFX_TILE_ROWS)                        \
                tfx_block_more(t + i * TFX_PANEL, x + i * p->ldx, p->ldx, w, width,    \
                               tfx_min_size(rows - i, TFX_TILE_ROWS), n);              \
        }                                                                              \
    }

TFX_DEFINE_GROUP_SUMS(i8g32)
TFX_DEFINE_GROUP_SUMS(i4g32)

#if TFX_LANES == 16
static TFX_UNUSED void tfx_vector_sums_i8g32(float *t, const tfx_linear_call *p,
                                             ptrdiff_t col)
{
    for (ptrdiff_t i = 0; i < TFX_VECTOR_PANELS; i++)
        tfx_sums_i8g32(t + i * TFX_PANEL, p, col + i * TFX_PANEL, TFX_PANEL, 0, 1);
}
static TFX_UNUSED void tfx_vector_sums_i4g32(float *t, const tfx_linear_call *p,
                                             ptrdiff_t col)
{
    for (ptrdiff_t i = 0; i < TFX_VECTOR_PANELS; i++)
        tfx_sums_i4g32(t + i * TFX_PANEL, p, col + i * TFX_PANEL, TFX_PANEL, 0, 1);
}
#endif

#endif
