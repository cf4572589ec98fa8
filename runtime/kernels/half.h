// SPDX-License-Identifier: 0BSD
// half.h - bf16 and f16 storage: to and from float, and vector loads.
//
// tfx_load_FMT(p) loads TFX_LANES elements of storage FMT as floats, exactly. To a half
// format rounds to nearest even; NaN stays NaN (quiet), overflow gives inf.

#ifndef TFX_HALF_H
#define TFX_HALF_H

#include "vec.h"

typedef float tfx_stored_f32;
typedef uint16_t tfx_stored_bf16;
typedef uint16_t tfx_stored_f16;

TFX_INLINE float tfx_from_f32(float a)
{
    return a;
}

TFX_INLINE float tfx_from_bf16(uint16_t a)
{
    return tfx_of_bits_f((uint32_t)a << 16);
}

// The exponent is moved by scaling with 2^112, which also makes denormals normal; what
// was inf or NaN then is at least 2^16 and gets the largest exponent.
TFX_INLINE float tfx_from_f16(uint16_t a)
{
    uint32_t b = a;
    float x = tfx_of_bits_f((b & 0x7fffu) << 13) * 5.192296858534828e33f;
    uint32_t top = x >= 65536.0f ? 0x7f800000u : 0u;
    return tfx_of_bits_f(tfx_bits_f(x) | top | (b & 0x8000u) << 16);
}

TFX_INLINE uint16_t tfx_to_bf16(float a)
{
    uint32_t b = tfx_bits_f(a);
    uint32_t r = (b + 0x7fffu + ((b >> 16) & 1u)) >> 16;
    return (uint16_t)(a != a ? (b >> 16) | 0x40u : r);
}

// Adding a power of two (0.5 for denormals) puts the rounding at the last bit of the
// result; normal numbers round in integers.
TFX_INLINE uint16_t tfx_to_f16(float a)
{
    uint32_t sign = tfx_bits_f(a) & 0x80000000u;
    uint32_t b = tfx_bits_f(a) ^ sign;
    uint32_t small = tfx_bits_f(tfx_of_bits_f(b) + 0.5f) - 0x3f000000u;
    uint32_t normal = (b - 0x38000000u + 0xfffu + ((b >> 13) & 1u)) >> 13;
    uint32_t r = b < 0x38800000u ? small : normal;
    r = b >= 0x47800000u ? 0x7c00u : r;
    r = b > 0x7f800000u ? 0x7e00u : r;
    return (uint16_t)(r | sign >> 16);
}

TFX_INLINE tfx_v tfx_load_f32(const float *p)
{
    return tfx_load(p);
}

#if TFX_LANES > 1
// gcc 12 takes __builtin_convertvector apart, so it gets the instruction by name.
TFX_INLINE tfx_u tfx_widen(tfx_h h)
{
#    if !defined(__clang__) && TFX_LANES == 16
    typedef short half __attribute__((vector_size(32)));
    typedef int whole __attribute__((vector_size(64)));
    return (tfx_u)__builtin_ia32_pmovzxwd512_mask((half)h, (whole){0},
                                                  (unsigned short)-1);
#    elif !defined(__clang__) && TFX_LANES == 8 && defined(__AVX2__)
    typedef short half __attribute__((vector_size(16)));
    return (tfx_u)__builtin_ia32_pmovzxwd256((half)h);
#    else
    return __builtin_convertvector(h, tfx_u);
#    endif
}

TFX_INLINE tfx_v tfx_load_bf16(const uint16_t *p)
{
    return tfx_of_bits_v(tfx_widen((tfx_h)(*(const tfx_h_any *)p)) << 16);
}

TFX_INLINE tfx_v tfx_load_f16(const uint16_t *p)
{
#    if defined(__clang__) && (defined(__F16C__) || defined(__aarch64__))
    typedef __fp16 half __attribute__((vector_size(2 * TFX_LANES)));
    return __builtin_convertvector((half)(*(const tfx_h_any *)p), tfx_v);
#    elif defined(__AVX512F__)
    typedef short half __attribute__((vector_size(32)));
    tfx_v zero = {0};
    return __builtin_ia32_vcvtph2ps512_mask((half)(*(const tfx_h_any *)p), zero,
                                            (short)-1, 4);
#    elif defined(__F16C__) && TFX_LANES == 8
    typedef short half __attribute__((vector_size(16)));
    return __builtin_ia32_vcvtph2ps256((half)(*(const tfx_h_any *)p));
#    else
    tfx_u b = tfx_widen((tfx_h)(*(const tfx_h_any *)p));
    tfx_v x = tfx_of_bits_v((b & 0x7fffu) << 13) * 5.192296858534828e33f;
    tfx_u top = (tfx_u)(x >= 65536.0f) & 0x7f800000u;
    return tfx_of_bits_v(tfx_bits_v(x) | top | (b & 0x8000u) << 16);
#    endif
}
#else
static inline float tfx_load_bf16(const uint16_t *p)
{
    return tfx_from_bf16(*p);
}

static inline float tfx_load_f16(const uint16_t *p)
{
    return tfx_from_f16(*p);
}
#endif

#endif
