// SPDX-License-Identifier: 0BSD
// mix.h - the two tiles of attention that are not a linear: turning q, summing v.

#ifndef TFX_MIX_H
#define TFX_MIX_H

#include "tile.h"

// to[c * ldt + i] = from[i * ldf + c] of TFX_LANES rows and columns: with every
// round the rows' elements interleave with those of the row half the rows further on.
#if TFX_LANES > 1
#    if TFX_LANES == 16
#        define TFX_ZIP_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#        define TFX_ZIP_HIGH                                                           \
            8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#    elif TFX_LANES == 8
#        define TFX_ZIP_LOW  0, 8, 1, 9, 2, 10, 3, 11
#        define TFX_ZIP_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#    else
#        define TFX_ZIP_LOW  0, 4, 1, 5
#        define TFX_ZIP_HIGH 2, 6, 3, 7
#    endif
static TFX_FLAT void tfx_attn_turn(float *to, ptrdiff_t ldt, const float *from,
                                   ptrdiff_t ldf)
{
    enum { HALF = TFX_LANES / 2 };
    tfx_v a[TFX_LANES], b[TFX_LANES];
    for (int i = 0; i < TFX_LANES; i++)
        a[i] = tfx_load(from + i * ldf);
    for (int round = 1; round < TFX_LANES; round *= 2) {
        for (int i = 0; i < HALF; i++) {
            b[2 * i] = __builtin_shufflevector(a[i], a[i + HALF], TFX_ZIP_LOW);
            b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + HALF], TFX_ZIP_HIGH);
        }
        for (int i = 0; i < TFX_LANES; i++)
            a[i] = b[i];
    }
    for (int i = 0; i < TFX_LANES; i++)
        tfx_store(to + i * ldt, a[i]);
}
#else
static inline void tfx_attn_turn(float *to, ptrdiff_t ldt, const float *from,
                                 ptrdiff_t ldf)
{
    (void)ldt, (void)ldf;
    to[0] = from[0];
}
#endif

// y's part of a tile: t[r][c] = sum_j p[j * 48 + r] v[j * ldv + c], in increasing j, going
// on with t's sums unless first.
// clang-format off
#define TFX_MIX_STEP_1(i) { tfx_v b = tfx_splat_v(p[i]); TFX_FMA_1(i) }
#define TFX_MIX_STEP_2(i) { tfx_v b = tfx_splat_v(p[i]); TFX_FMA_2(i) }

#define TFX_MIX_TAKE(i, c) a##i##c = tfx_load(t + i * ldt + c * TFX_LANES);
#define TFX_MIX_TAKE_1(i)  TFX_MIX_TAKE(i, 0)
#define TFX_MIX_TAKE_2(i)  TFX_MIX_TAKE_1(i) TFX_MIX_TAKE(i, 1)
#define TFX_MIX_OUT(i, c)  tfx_store(t + i * ldt + c * TFX_LANES, a##i##c);
#define TFX_MIX_OUT_1(i)   TFX_MIX_OUT(i, 0)
#define TFX_MIX_OUT_2(i)   TFX_MIX_OUT_1(i) TFX_MIX_OUT(i, 1)

#define TFX_DEFINE_MIX(NAME, R, C)                                                       \
    static TFX_FLAT void tfx_##NAME##_##C(float *t, ptrdiff_t ldt, const float *p,            \
                                     const float *w, ptrdiff_t ldv, ptrdiff_t keys,      \
                                     int first)                                          \
    {                                                                                    \
        const tfx_v zero = tfx_splat_v(0.0f);                                            \
        TFX_ROWS_##R(TFX_ACC_##C)                                                        \
        if (!first) {                                                                    \
            TFX_ROWS_##R(TFX_MIX_TAKE_##C)                                               \
        }                                                                                \
        for (ptrdiff_t j = 0; j < keys; j++) {                                           \
            TFX_W_##C(f32)                                                               \
            TFX_ROWS_##R(TFX_MIX_STEP_##C)                                               \
            p += TFX_PANEL;                                                              \
            w += ldv;                                                                    \
        }                                                                                \
        TFX_ROWS_##R(TFX_MIX_OUT_##C)                                                    \
    }

// clang-format on

#if TFX_LANES == 16
enum { TFX_MIX_ROWS = 12, TFX_MIX_FEW = 8 };
TFX_DEFINE_MIX(mix, 12, 1)
TFX_DEFINE_MIX(mix, 12, 2)
TFX_DEFINE_MIX(mix_few, 8, 1)
TFX_DEFINE_MIX(mix_few, 8, 2)
#elif TFX_LANES == 8 || defined(__aarch64__)
enum { TFX_MIX_ROWS = 6, TFX_MIX_FEW = 4 };
TFX_DEFINE_MIX(mix, 6, 1)
TFX_DEFINE_MIX(mix, 6, 2)
TFX_DEFINE_MIX(mix_few, 4, 1)
TFX_DEFINE_MIX(mix_few, 4, 2)
#else
enum { TFX_MIX_ROWS = 4, TFX_MIX_FEW = 4 };
TFX_DEFINE_MIX(mix, 4, 1)
TFX_DEFINE_MIX(mix, 4, 2)
#    define tfx_mix_few_1 tfx_mix_1
#    define tfx_mix_few_2 tfx_mix_2
#endif

#endif
