// SPDX-License-Identifier: 0BSD
// held.h - norms and softmax of rows that fit into registers: read once, written once.
//
//     tfx_held_rms_norm(y, x, w, eps, d)           whether it was such a row, w and b given
//     tfx_held_layer_norm(y, x, w, b, eps, d)
//     tfx_held_softmax(y, x, d)
//
// Of the 32 registers of AVX-512, 24 can hold a row, and so the rows are of 64, 128, 192, 256 or
// 384 floats, for softmax up to 192; those of other targets hold too little. Bits are those of
// row.h.

#ifndef TFX_HELD_H
#define TFX_HELD_H

#include "row.h"
#include "tile.h"

#if TFX_LANES == 16

// clang-format off
#define TFX_HELD_64(M)  TFX_ROWS_4(M)
#define TFX_HELD_128(M) TFX_ROWS_8(M)
#define TFX_HELD_192(M) TFX_ROWS_12(M)
#define TFX_HELD_256(M) TFX_ROWS_16(M)
#define TFX_HELD_384(M) TFX_ROWS_16(M) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23)

#define TFX_HELD_LOAD(i)   tfx_v a##i = tfx_load(x + 16 * i);
#define TFX_HELD_SUM(i)    s[i % 4] = s[i % 4] + a##i;
#define TFX_HELD_SQUARE(i) s[i % 4] = tfx_fma_v(a##i, a##i, s[i % 4]);
#define TFX_HELD_CENTRE(i) a##i = a##i - mean;
#define TFX_HELD_MAX(i)    s[i % 4] = tfx_max_v(s[i % 4], a##i);
#define TFX_HELD_EXP(i)    a##i = tfx_exp_v(a##i - top); TFX_HELD_SUM(i)
#define TFX_HELD_OUT(i)    tfx_store(y + 16 * i, a##i * scale);
#define TFX_HELD_OUT_W(i)  tfx_store(y + 16 * i, a##i * scale * tfx_load(w + 16 * i));
#define TFX_HELD_OUT_WB(i)                                                               \
    tfx_store(y + 16 * i,                                                                \
              tfx_fma_v(a##i * scale, tfx_load(w + 16 * i), tfx_load(b + 16 * i)));

#define TFX_DEFINE_HELD(D)                                                               \
    static TFX_FLAT void tfx_held_rms_norm_##D(float *y, const float *x, const float *w, \
                                               float eps)                                \
    {                                                                                    \
        tfx_v s[4] = {{0}, {0}, {0}, {0}};                                               \
        TFX_HELD_##D(TFX_HELD_LOAD)                                                      \
        TFX_HELD_##D(TFX_HELD_SQUARE)                                                    \
        const float scale = 1.0f / tfx_sqrtf(tfx_row_total(s) / D + eps);                \
        TFX_HELD_##D(TFX_HELD_OUT_W)                                                     \
    }                                                                                    \
    static TFX_FLAT void tfx_held_layer_norm_##D(float *y, const float *x,               \
                                                 const float *w, const float *b,         \
                                                 float eps)                              \
    {                                                                                    \
        tfx_v s[4] = {{0}, {0}, {0}, {0}};                                               \
        TFX_HELD_##D(TFX_HELD_LOAD)                                                      \
        TFX_HELD_##D(TFX_HELD_SUM)                                                       \
        const float mean = tfx_row_total(s) / D;                                         \
        s[0] = s[1] = s[2] = s[3] = tfx_splat_v(0.0f);                                   \
        TFX_HELD_##D(TFX_HELD_CENTRE)                                                    \
        TFX_HELD_##D(TFX_HELD_SQUARE)                                                    \
        const float scale = 1.0f / tfx_sqrtf(tfx_row_total(s) / D + eps);                \
        TFX_HELD_##D(TFX_HELD_OUT_WB)                                                    \
    }
#define TFX_DEFINE_HELD_SOFTMAX(D)                                                       \
    static TFX_FLAT void tfx_held_softmax_##D(float *y, const float *x)                  \
    {                                                                                    \
        const float low = -tfx_of_bits_f(0x7f800000u);                                   \
        tfx_v s[4];                                                                      \
        TFX_HELD_##D(TFX_HELD_LOAD)                                                      \
        s[0] = s[1] = s[2] = s[3] = tfx_splat_v(low);                                    \
        TFX_HELD_##D(TFX_HELD_MAX)                                                       \
        float top = tfx_row_top(s);                                                      \
        top = top > low ? top : 0.0f;                                                    \
        s[0] = s[1] = s[2] = s[3] = tfx_splat_v(0.0f);                                   \
        TFX_HELD_##D(TFX_HELD_EXP)                                                       \
        const float sum = tfx_row_total(s), scale = sum > 0.0f ? 1.0f / sum : sum;       \
        TFX_HELD_##D(TFX_HELD_OUT)                                                       \
    }
#define TFX_HELD_SHORT(M) M(64) M(128) M(192)  // e^x wants registers too
#define TFX_HELD_EACH(M) TFX_HELD_SHORT(M) M(256) M(384)
TFX_HELD_EACH(TFX_DEFINE_HELD)
TFX_HELD_SHORT(TFX_DEFINE_HELD_SOFTMAX)

#define TFX_HELD_RMS_NORM(D)   case D: tfx_held_rms_norm_##D(y, x, w, eps); return 1;
#define TFX_HELD_LAYER_NORM(D) case D: tfx_held_layer_norm_##D(y, x, w, b, eps); return 1;
#define TFX_HELD_SOFTMAX(D)    case D: tfx_held_softmax_##D(y, x); return 1;
// clang-format on

static TFX_UNUSED int tfx_held_rms_norm(float *y, const float *x, const float *w,
                                        float eps, ptrdiff_t d)
{
    switch (w ? d : 0) {
        TFX_HELD_EACH(TFX_HELD_RMS_NORM)
    }
    return 0;
}

static TFX_UNUSED int tfx_held_layer_norm(float *y, const float *x, const float *w,
                                          const float *b, float eps, ptrdiff_t d)
{
    switch (w && b ? d : 0) {
        TFX_HELD_EACH(TFX_HELD_LAYER_NORM)
    }
    return 0;
}

static TFX_UNUSED int tfx_held_softmax(float *y, const float *x, ptrdiff_t d)
{
    switch (d) {
        TFX_HELD_SHORT(TFX_HELD_SOFTMAX)
    }
    return 0;
}

#else
#    define tfx_held_rms_norm(y, x, w, eps, d)      0
#    define tfx_held_layer_norm(y, x, w, b, eps, d) 0
#    define tfx_held_softmax(y, x, d)               0
#endif

#endif
