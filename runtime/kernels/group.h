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
#define tfx_begin_i8g32      tfx_begin_none
#define tfx_begin_i4g32      tfx_begin_none
#define tfx_end_i8g32        tfx_begin_none
#define tfx_end_i4g32        tfx_begin_none

enum { tfx_batch_i8g32 = TFX_LINEAR_ROWS, tfx_batch_i4g32 = TFX_LINEAR_ROWS };

// ---- one group to floats [32][width] -------------------------------------------------

#if TFX_LANES > 1

#    if defined(__clang__)
#        define TFX_ROLLED _Pragma("clang loop unroll(disable)")
#    else
#        define TFX_ROLLED _Pragma("GCC unroll 1")
#    endif

typedef uint32_t tfx_u_any
    __attribute__((vector_size(4 * TFX_LANES), aligned(1), may_alias));

TFX_INLINE tfx_u tfx_load_u(const void *p)
{
    return (tfx_u)(*(const tfx_u_any *)p);
}

// The byte or nibble of every word that begins at bit i, exactly: its bits are put into the
// mantissa of a power of two, a byte's on from bit 8 of 2^15, a nibble's from bit 19 of 1.
#    define TFX_AT(word, i, to)                                                        \
        ((i) < (to) ? (word) << (((to) - (i)) & 31) : (word) >> (((i) - (to)) & 31))
#    define TFX_VALUE_i8g32(word, i)                                                   \
        ((tfx_of_bits_v((TFX_AT(word, i, 8) & 0xff00u) ^ 0x47008000u) - 32896.0f) * s)
#    define TFX_VALUE_i4g32(word, i)                                                   \
        ((tfx_of_bits_v((TFX_AT(word, i, 19) & 0x780000u) | 0x3f800000u) - 1.5f) * s)

// The factor that makes them q * scale and (q - 8) * scale.
#    define TFX_SCALE_i8g32(p) tfx_load_f16((const uint16_t *)(const void *)(p))
#    define TFX_SCALE_i4g32(p)                                                         \
        (tfx_load_f16((const uint16_t *)(const void *)(p)) * 16.0f)

static TFX_UNUSED void tfx_expand_i8g32(float *to, const uint8_t *p, ptrdiff_t width)
{
    for (ptrdiff_t c = 0; c < width; c += TFX_LANES) {
        tfx_v s = TFX_SCALE_i8g32(p + 2 * c);
        const uint8_t *q = p + 2 * width + 4 * c;
        for (float *y = to + c; y < to + 32 * width; y += 4 * width) {
            tfx_u word = tfx_load_u(q);
            tfx_store(y, TFX_VALUE_i8g32(word, 0));
            tfx_store(y + width, TFX_VALUE_i8g32(word, 8));
            tfx_store(y + 2 * width, TFX_VALUE_i8g32(word, 16));
            tfx_store(y + 3 * width, TFX_VALUE_i8g32(word, 24));
            q += 4 * width;
        }
    }
}

static TFX_UNUSED void tfx_expand_i4g32(float *to, const uint8_t *p, ptrdiff_t width)
{
    for (ptrdiff_t c = 0; c < width; c += TFX_LANES) {
        tfx_v s = TFX_SCALE_i4g32(p + 2 * c);
        const uint8_t *q = p + 2 * width + 4 * c;
        for (float *y = to + c; y < to + 32 * width; y += 8 * width) {
            tfx_u word = tfx_load_u(q);
            tfx_store(y, TFX_VALUE_i4g32(word, 0));
            tfx_store(y + width, TFX_VALUE_i4g32(word, 8));
            tfx_store(y + 2 * width, TFX_VALUE_i4g32(word, 16));
            tfx_store(y + 3 * width, TFX_VALUE_i4g32(word, 24));
            tfx_store(y + 4 * width, TFX_VALUE_i4g32(word, 4));
            tfx_store(y + 5 * width, TFX_VALUE_i4g32(word, 12));
            tfx_store(y + 6 * width, TFX_VALUE_i4g32(word, 20));
            tfx_store(y + 7 * width, TFX_VALUE_i4g32(word, 28));
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
TFX_DEFINE_PANELS(i8g32)
TFX_DEFINE_PANELS(i4g32)

// ---- one row -------------------------------------------------------------------------
//
// Never stored as floats: two panels at once, for six chains of sums in registers. Beyond
// k the row counts as 0.

#if TFX_LANES == 16

// clang-format off
// One field of a word: its bits at a place of a mantissa, less what is not the weight.
// Three places for nibbles, so that two shifts serve eight; with FMA one instruction less.
#if TFX_FMA
#define TFX_GROUP_LESS(s, less) tfx_v m##less = (s) * -less##.0f;
#define TFX_GROUP_VALUE(v, s, less) tfx_fma_v(tfx_of_bits_v(v), s, m##less)
#else
#define TFX_GROUP_LESS(s, less)
#define TFX_GROUP_VALUE(v, s, less) ((tfx_of_bits_v(v) - less##.0f) * (s))
#endif
#define TFX_GROUP_STEP(i, c, j, word, mask, one, less)                                   \
    a##i##c = tfx_fma_v(tfx_splat_v(b[j]),                                               \
                        TFX_GROUP_VALUE(((word) & mask) ^ one, s##i##c, less), a##i##c);

// All fields of the words of column vector c of panel i, as k grows.
#define TFX_GROUP_FIELDS_i8g32(i, c)                                                     \
    TFX_GROUP_LESS(s##i##c, 32896)                                                       \
    TFX_GROUP_STEP(i, c, 0, word << 8, 0xff00u, 0x47008000u, 32896)                      \
    TFX_GROUP_STEP(i, c, 1, word, 0xff00u, 0x47008000u, 32896)                           \
    TFX_GROUP_STEP(i, c, 2, word >> 8, 0xff00u, 0x47008000u, 32896)                      \
    TFX_GROUP_STEP(i, c, 3, word >> 16, 0xff00u, 0x47008000u, 32896)
#define TFX_GROUP_FIELDS_i4g32(i, c)                                                     \
    TFX_GROUP_LESS(s##i##c, 32776)                                                       \
    TFX_GROUP_LESS(s##i##c, 2056)                                                        \
    TFX_GROUP_LESS(s##i##c, 136)                                                         \
    tfx_u low = word << 8, high = word >> 12;                                            \
    TFX_GROUP_STEP(i, c, 0, low, 0xf00u, 0x47000000u, 32776)                             \
    TFX_GROUP_STEP(i, c, 1, word, 0xf00u, 0x47000000u, 32776)                            \
    TFX_GROUP_STEP(i, c, 2, word, 0xf0000u, 0x43000000u, 136)                            \
    TFX_GROUP_STEP(i, c, 3, high, 0xf000u, 0x45000000u, 2056)                            \
    TFX_GROUP_STEP(i, c, 4, low, 0xf000u, 0x45000000u, 2056)                             \
    TFX_GROUP_STEP(i, c, 5, word, 0xf000u, 0x45000000u, 2056)                            \
    TFX_GROUP_STEP(i, c, 6, high, 0xf00u, 0x47000000u, 32776)                            \
    TFX_GROUP_STEP(i, c, 7, high, 0xf0000u, 0x43000000u, 136)
#define TFX_GROUP_SCALE_i8g32(p) TFX_SCALE_i8g32(p)
#define TFX_GROUP_SCALE_i4g32(p) TFX_SCALE_i8g32(p)
#define TFX_GROUP_WORD(FMT, i, c)                                                        \
    {                                                                                    \
        const uint8_t *at = q + i * step + 64 * c;                                       \
        tfx_u word = tfx_load_u(at);                                                     \
        TFX_PREFETCH(at + 2048);                                                         \
        TFX_GROUP_FIELDS_##FMT(i, c)                                                     \
    }
#define TFX_GROUP_SCALE(FMT, i, c)                                                       \
    tfx_v s##i##c = TFX_GROUP_SCALE_##FMT(w + i * step + 32 * c);

#define TFX_DEFINE_GROUP_VECTOR(FMT)                                                     \
    static TFX_FLAT void tfx_vector_##FMT(float *t, const float *row, const uint8_t *w,  \
                                          ptrdiff_t k)                                   \
    {                                                                                    \
        enum { EACH = 32 * 4 / (TFX_BYTES_##FMT - 2) };  /* k in a word */               \
        const tfx_v zero = tfx_splat_v(0.0f);                                            \
        const ptrdiff_t bytes = TFX_BYTES_##FMT * TFX_PANEL;                             \
        const ptrdiff_t step = TFX_PADDED(k, 32) / 32 * bytes;                           \
        float last[32];                                                                  \
        TFX_ROWS_2(TFX_ACC_3)                                                            \
        for (ptrdiff_t kk = 0; kk < k; kk += 32, w += bytes) {                           \
            const float *b = row + kk;                                                   \
            const uint8_t *q = w + 2 * TFX_PANEL, *end = w + bytes;                      \
            TFX_GROUP_SCALE(FMT, 0, 0) TFX_GROUP_SCALE(FMT, 0, 1)                        \
            TFX_GROUP_SCALE(FMT, 0, 2) TFX_GROUP_SCALE(FMT, 1, 0)                        \
            TFX_GROUP_SCALE(FMT, 1, 1) TFX_GROUP_SCALE(FMT, 1, 2)                        \
            if (k - kk < 32) {                                                           \
                for (ptrdiff_t i = 0; i < 32; i++)                                       \
                    last[i] = i < k - kk ? b[i] : 0.0f;                                  \
                b = last;                                                                \
            }                                                                            \
            TFX_ROLLED                                                                   \
            for (; q < end; q += 4 * TFX_PANEL, b += EACH) {                             \
                TFX_GROUP_WORD(FMT, 0, 0) TFX_GROUP_WORD(FMT, 0, 1)                      \
                TFX_GROUP_WORD(FMT, 0, 2) TFX_GROUP_WORD(FMT, 1, 0)                      \
                TFX_GROUP_WORD(FMT, 1, 1) TFX_GROUP_WORD(FMT, 1, 2)                      \
            }                                                                            \
        }                                                                                \
        TFX_ROWS_2(TFX_OUT_3)                                                            \
    }                                                                                    \
    static TFX_UNUSED void tfx_vector_sums_##FMT(float *t, const tfx_linear_call *p,     \
                                                 ptrdiff_t col)                          \
    {                                                                                    \
        ptrdiff_t bytes = TFX_PADDED(p->k, 32) / 32 * TFX_BYTES_##FMT;                   \
        const uint8_t *w = (const uint8_t *)p->w + col * bytes;                          \
        tfx_vector_##FMT(t, p->x, w, p->k);                                              \
        tfx_vector_##FMT(t + 2 * TFX_PANEL, p->x, w + 2 * TFX_PANEL * bytes, p->k);      \
    }

TFX_DEFINE_GROUP_VECTOR(i8g32)
TFX_DEFINE_GROUP_VECTOR(i4g32)
// clang-format on
#endif

#endif
