// SPDX-License-Identifier: 0BSD
// argmax.h - where the largest of a row stands; contract in tfx.h.

#ifndef TFX_ARGMAX_H
#define TFX_ARGMAX_H

#include "vec.h"

#define TFX_DEFINE_ARGMAX(NAME, TYPE)                                                  \
    static TFX_UNUSED void NAME(int32_t *y, const TYPE *x, ptrdiff_t stride,           \
                                ptrdiff_t n)                                           \
    {                                                                                  \
        ptrdiff_t best = 0;                                                            \
        for (ptrdiff_t i = 1; i < n; i++)                                              \
            if (x[i * stride] > x[best * stride])                                      \
                best = i;                                                              \
        *y = (int32_t)best;                                                            \
    }

TFX_DEFINE_ARGMAX(tfx_argmax_f32, float)
TFX_DEFINE_ARGMAX(tfx_argmax_i8, int8_t)
TFX_DEFINE_ARGMAX(tfx_argmax_u8, uint8_t)
TFX_DEFINE_ARGMAX(tfx_argmax_i32, int32_t)
TFX_DEFINE_ARGMAX(tfx_argmax_i64, int64_t)

#endif
