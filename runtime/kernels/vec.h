// SPDX-License-Identifier: 0BSD
// vec.h - the vector layer: TFX_LANES floats at once, or one in plain C.
//
// tfx_v is as wide as the target's registers; -DTFX_SCALAR and compilers without vector
// extensions get TFX_LANES = 1, where tfx_v is float and every kernel is plain C11.

#ifndef TFX_VEC_H
#define TFX_VEC_H

#include "../tfx.h"

#if defined(__GNUC__) && !defined(__TINYC__)
#    define TFX_UNUSED  __attribute__((unused))
#    define TFX_FLAT    __attribute__((noinline, unused))
#    define TFX_ALIGNED __attribute__((aligned(64)))  // to cache lines
#    define TFX_INLINE                                                                 \
        static inline __attribute__((always_inline))  // or loops stay scalar
#else
#    define TFX_UNUSED
#    define TFX_FLAT
#    define TFX_ALIGNED
#    define TFX_INLINE static inline
#endif

#if !defined(TFX_NO_FMA) && defined(__GNUC__) && !defined(__TINYC__) &&                \
    (defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__))
#    define TFX_FMA 1
#else
#    define TFX_FMA 0
#endif

// a b + c, rounded once where the target has FMA, twice where not.
TFX_INLINE float tfx_fma_f(float a, float b, float c)
{
#if TFX_FMA
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

TFX_INLINE uint32_t tfx_bits_f(float a)
{
    union {
        float f;
        uint32_t u;
    } x = {a};
    return x.u;
}

TFX_INLINE float tfx_of_bits_f(uint32_t a)
{
    union {
        uint32_t u;
        float f;
    } x = {a};
    return x.f;
}

// Comparisons give a mask of all bits, tfx_sel chooses by it: a where it is set, else b.
// Scalar code does the same: gcc 12 would make branches of ?: and not vectorise the loop.
#define tfx_mask_f(c)  ((uint32_t)0 - (uint32_t)(c))
#define tfx_lt_f(a, b) tfx_mask_f((a) < (b))
#define tfx_eq_f(a, b) tfx_mask_f((a) == (b))
#define tfx_splat_f(a) (a)

TFX_INLINE float tfx_sel_f(uint32_t m, float a, float b)
{
    return tfx_of_bits_f((tfx_bits_f(a) & m) | (tfx_bits_f(b) & ~m));
}

#if defined(__GNUC__) && !defined(__TINYC__) && !defined(TFX_SCALAR)

#    if defined(__AVX512F__)
#        define TFX_LANES 16
#    elif defined(__AVX__)
#        define TFX_LANES 8
#    else
#        define TFX_LANES 4
#    endif

typedef float tfx_v __attribute__((vector_size(4 * TFX_LANES)));
typedef uint32_t tfx_u __attribute__((vector_size(4 * TFX_LANES)));
typedef int32_t tfx_m __attribute__((vector_size(4 * TFX_LANES)));
typedef uint16_t tfx_h __attribute__((vector_size(2 * TFX_LANES)));
typedef float tfx_v_any
    __attribute__((vector_size(4 * TFX_LANES), aligned(4), may_alias));
typedef uint16_t tfx_h_any
    __attribute__((vector_size(2 * TFX_LANES), aligned(2), may_alias));

static inline tfx_v tfx_load(const float *p)
{
    return (tfx_v)(*(const tfx_v_any *)p);
}

static inline void tfx_store(float *p, tfx_v a)
{
    *(tfx_v_any *)p = (tfx_v_any)a;
}

static inline tfx_v tfx_splat_v(float a)
{
#    if TFX_LANES == 16
    return (tfx_v){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a};
#    elif TFX_LANES == 8
    return (tfx_v){a, a, a, a, a, a, a, a};
#    else
    return (tfx_v){a, a, a, a};
#    endif
}

#    if defined(__aarch64__) && !defined(__clang__)
#        include <arm_neon.h>
#    endif

static inline tfx_v tfx_fma_v(tfx_v a, tfx_v b, tfx_v c)
{
#    if !TFX_FMA
    return a * b + c;
#    elif defined(__clang__)
    return __builtin_elementwise_fma(a, b, c);
#    elif defined(__AVX512F__)
    return __builtin_ia32_vfmaddps512_mask(a, b, c, (short)-1, 4);
#    elif defined(__FMA__) && TFX_LANES == 8
    return __builtin_ia32_vfmaddps256(a, b, c);
#    elif defined(__aarch64__)
    return (tfx_v)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#    else
#        error "an FMA target without its vector form"
#    endif
}

static inline tfx_v tfx_sqrt_v(tfx_v a)
{
#    if defined(__clang__)
    return __builtin_elementwise_sqrt(a);
#    elif defined(__AVX512F__)
    return __builtin_ia32_sqrtps512_mask(a, a, (short)-1, 4);
#    elif defined(__AVX__)
    return __builtin_ia32_sqrtps256(a);
#    elif defined(__SSE__)
    return __builtin_ia32_sqrtps(a);
#    else
    for (int i = 0; i < TFX_LANES; i++)
        a[i] = __builtin_sqrtf(a[i]);
    return a;
#    endif
}

#    define tfx_bits_v(a)       ((tfx_u)(a))
#    define tfx_of_bits_v(a)    ((tfx_v)(a))
#    define tfx_lt_v(a, b)      ((tfx_m)((a) < (b)))
#    define tfx_eq_v(a, b)      ((tfx_m)((a) == (b)))
#    define tfx_sel_v(m, a, b)  ((tfx_v)(((tfx_m)(a) & (m)) | ((tfx_m)(b) & ~(m))))
#    define TFX_PREFETCH(p)     __builtin_prefetch(p)
#    define TFX_PREFETCH_FAR(p) __builtin_prefetch(p, 0, 2)  // not into the first level

#else  // one lane

#    define TFX_LANES 1
typedef float tfx_v;
typedef uint32_t tfx_u;

#    define tfx_load(p)         (*(p))
#    define tfx_store(p, a)     (*(p) = (a))
#    define tfx_splat_v         tfx_splat_f
#    define tfx_fma_v           tfx_fma_f
#    define tfx_sqrt_v          tfx_sqrtf
#    define tfx_bits_v          tfx_bits_f
#    define tfx_of_bits_v       tfx_of_bits_f
#    define tfx_lt_v            tfx_lt_f
#    define tfx_eq_v            tfx_eq_f
#    define tfx_sel_v           tfx_sel_f
#    define TFX_PREFETCH(p)     ((void)(p))
#    define TFX_PREFETCH_FAR(p) ((void)(p))

#endif

// Tiles of Intel AMX: programs for targets that may have them (tfxc --target=native, amx; or
// --dispatch) define TFX_AMX as 1, and so it stays where the compiler's flags have them too.
#if !defined(TFX_AMX)
#    define TFX_AMX 0
#elif TFX_AMX &&                                                                       \
    !(defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__AMX_INT8__) &&       \
      defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__linux__) &&        \
      defined(__x86_64__) && TFX_LANES == 16 && !defined(TFX_NO_FMA))
#    undef TFX_AMX
#    define TFX_AMX 0
#endif

// The first where either is NaN or both are the same: what x86's instructions do with
// their operands the other way round.
static inline tfx_v tfx_max_v(tfx_v a, tfx_v b)
{
#if TFX_LANES == 16 && defined(__clang__)
    return __builtin_ia32_maxps512(b, a, 4);
#elif TFX_LANES == 16
    return __builtin_ia32_maxps512_mask(b, a, a, (short)-1, 4);
#elif TFX_LANES == 8
    return __builtin_ia32_maxps256(b, a);
#else
    return tfx_sel_v(tfx_lt_v(a, b), b, a);
#endif
}

static inline tfx_v tfx_min_v(tfx_v a, tfx_v b)
{
#if TFX_LANES == 16 && defined(__clang__)
    return __builtin_ia32_minps512(b, a, 4);
#elif TFX_LANES == 16
    return __builtin_ia32_minps512_mask(b, a, a, (short)-1, 4);
#elif TFX_LANES == 8
    return __builtin_ia32_minps256(b, a);
#else
    return tfx_sel_v(tfx_lt_v(b, a), b, a);
#endif
}

// ---- 16 virtual lanes ----------------------------------------------------------------
//
// A reduction keeps 16 running values (or four times as many: row.h) on every target, TFX_WIDE registers of
// TFX_LANES, and ends in one fixed tree: same order, same bits.

enum { TFX_WIDE = 16 / TFX_LANES };

// The tree over the 16 lanes: lane i takes lane i + 8, then + 4, + 2, + 1.
#if TFX_LANES > 1
#    define TFX_FOLD(v, ...) ((v) + __builtin_shufflevector(v, v, __VA_ARGS__))
static inline float tfx_tree_sum(const tfx_v *s)
{
#    if TFX_LANES == 16
    tfx_v v = s[0];
    v = TFX_FOLD(v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    v = TFX_FOLD(v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    v = TFX_FOLD(v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    v = TFX_FOLD(v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#    elif TFX_LANES == 8
    tfx_v v = s[0] + s[1];
    v = TFX_FOLD(v, 4, 5, 6, 7, 0, 1, 2, 3);
    v = TFX_FOLD(v, 2, 3, 0, 1, 6, 7, 4, 5);
    v = TFX_FOLD(v, 1, 0, 3, 2, 5, 4, 7, 6);
#    else
    tfx_v v = (s[0] + s[2]) + (s[1] + s[3]);
    v = TFX_FOLD(v, 2, 3, 0, 1);
    v = TFX_FOLD(v, 1, 0, 3, 2);
#    endif
    return v[0];
}
#else
static inline float tfx_tree_sum(const tfx_v *s)
{
    float a[8], b[4];
    for (int i = 0; i < 8; i++)
        a[i] = s[i] + s[i + 8];
    for (int i = 0; i < 4; i++)
        b[i] = a[i] + a[i + 4];
    return (b[0] + b[2]) + (b[1] + b[3]);
}
#endif

// The first n < 16 of p, the others fill.
static inline void tfx_part(float *lane, const float *p, ptrdiff_t n, float fill)
{
    for (int i = 0; i < 16; i++)
        lane[i] = fill;
    for (ptrdiff_t i = 0; i < n; i++)
        lane[i] = p[i];
}

#endif
