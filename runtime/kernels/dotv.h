// SPDX-License-Identifier: 0BSD
// dotv.h - products of bytes, four to a 32-bit lane, by the target's instructions.
//
// tfx_dot_v(a, x, w) adds to each 32-bit lane of a the four products of its bytes of x and
// w; TFX_DOT_SHIFT says what must be added to x's signed bytes before (128: they are taken
// as unsigned, and the column's shift corrects the sum). This and AMX are the only parts of
// the runtime that name instructions by intrinsics.

#ifndef TFX_DOTV_H
#define TFX_DOTV_H

#include "vec.h"

#if TFX_LANES == 16
#    include <immintrin.h>
#elif TFX_LANES == 8 && (defined(__AVXVNNI__) || defined(__AVX2__))
#    include <immintrin.h>
#elif TFX_LANES == 4 && defined(__SSE2__)
#    include <emmintrin.h>
#elif TFX_LANES == 4 && defined(__ARM_FEATURE_DOTPROD)
#    include <arm_neon.h>
#endif

#if TFX_LANES == 16 && defined(__AVX512VNNI__)
enum { TFX_DOT_SHIFT = 128 };
TFX_INLINE tfx_m tfx_dot_v(tfx_m a, tfx_m x, tfx_m w)
{
    return (tfx_m)_mm512_dpbusd_epi32((__m512i)a, (__m512i)x, (__m512i)w);
}
#elif TFX_LANES == 8 && defined(__AVXVNNI__)
enum { TFX_DOT_SHIFT = 128 };
TFX_INLINE tfx_m tfx_dot_v(tfx_m a, tfx_m x, tfx_m w)
{
    return (tfx_m)_mm256_dpbusd_avx_epi32((__m256i)a, (__m256i)x, (__m256i)w);
}
#elif TFX_LANES == 16 && defined(__AVX512BW__)
// Even and odd bytes as 16 bits each: every product and sum is exact.
enum { TFX_DOT_SHIFT = 128 };
TFX_INLINE tfx_m tfx_dot_v(tfx_m a, tfx_m x, tfx_m w)
{
    __m512i even = _mm512_and_si512((__m512i)x, _mm512_set1_epi16(255));
    __m512i odd = _mm512_srli_epi16((__m512i)x, 8);
    __m512i w0 = _mm512_srai_epi16(_mm512_slli_epi16((__m512i)w, 8), 8);
    __m512i w1 = _mm512_srai_epi16((__m512i)w, 8);
    return a + (tfx_m)_mm512_madd_epi16(even, w0) + (tfx_m)_mm512_madd_epi16(odd, w1);
}
#elif TFX_LANES == 8 && defined(__AVX2__)
// |w| <= 128 and |x| <= 127: a pair of products is at most 32512, so nothing saturates.
enum { TFX_DOT_SHIFT = 0 };
TFX_INLINE tfx_m tfx_dot_v(tfx_m a, tfx_m x, tfx_m w)
{
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)w),
                                         _mm256_sign_epi8((__m256i)x, (__m256i)w));
    return a + (tfx_m)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}
#elif TFX_LANES == 4 && defined(__SSE2__)
enum { TFX_DOT_SHIFT = 128 };
TFX_INLINE tfx_m tfx_dot_v(tfx_m a, tfx_m x, tfx_m w)
{
    __m128i even = _mm_and_si128((__m128i)x, _mm_set1_epi16(255));
    __m128i odd = _mm_srli_epi16((__m128i)x, 8);
    __m128i w0 = _mm_srai_epi16(_mm_slli_epi16((__m128i)w, 8), 8);
    __m128i w1 = _mm_srai_epi16((__m128i)w, 8);
    return a + (tfx_m)_mm_madd_epi16(even, w0) + (tfx_m)_mm_madd_epi16(odd, w1);
}
#elif TFX_LANES == 4 && defined(__ARM_FEATURE_DOTPROD)
enum { TFX_DOT_SHIFT = 0 };
TFX_INLINE tfx_m tfx_dot_v(tfx_m a, tfx_m x, tfx_m w)
{
    return (tfx_m)vdotq_s32((int32x4_t)a, (int8x16_t)x, (int8x16_t)w);
}
#else
enum { TFX_DOT_SHIFT = 0 };
#    if TFX_LANES > 1
TFX_INLINE tfx_m tfx_dot_v(tfx_m a, tfx_m x, tfx_m w)
{
    return a + ((tfx_m)((tfx_u)x << 24) >> 24) * ((tfx_m)((tfx_u)w << 24) >> 24) +
           ((tfx_m)((tfx_u)x << 16) >> 24) * ((tfx_m)((tfx_u)w << 16) >> 24) +
           ((tfx_m)((tfx_u)x << 8) >> 24) * ((tfx_m)((tfx_u)w << 8) >> 24) +
           (x >> 24) * (w >> 24);
}
#    endif
#endif

#endif
