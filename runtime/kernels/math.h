// SPDX-License-Identifier: 0BSD
// math.h - elementary functions of floats: branch-free, no libm, no tables.
//
//     tfx_expf(x)   the function of a float; plain loops calling it vectorise
//     tfx_exp_v(x)  the same of a tfx_v: lane for lane the same bits
//
// Each function is written once, in a macro over the suffix S of the operations (f or v),
// and defined twice. Products that are summed go through tfx_fma, so a compiler's freedom
// to contract changes nothing but the last bits of the doubles inside pow, sin and cos.
// Polynomials were fitted for this file (weighted minimax, coefficients rounded one by
// one).
//
// Bounds in ulp of the float result that tests/kernels/math.c checks over all floats at a
// stride, and the worst it saw:
//
//     exp    1.1 (0.98)    log  1.1 (0.74)    sin, cos  1.6 (1.53) for |x| <= 2^20; beyond,
//     tanh   2.0 (1.30)    erf  1.5 (1.22)              |err| grows as |x| 2^-53
//     pow    0.6 (0.50)    sqrt 0.5           floor     exact
//     ndtr   1e-7 (8.8e-8) absolute: the normal distribution, (1 + erf(x / sqrt 2)) / 2
//
// NaN gives NaN. exp overflows to inf and underflows through the denormals to 0; log(0) =
// -inf, log(-1) = NaN; pow follows C11 annex F. min and max return the first argument
// when one is NaN.

#ifndef TFX_MATH_H
#define TFX_MATH_H

#include "vec.h"

TFX_INLINE float tfx_absf(float a)
{
    return tfx_of_bits_f(tfx_bits_f(a) & 0x7fffffffu);
}

TFX_INLINE float tfx_minf(float a, float b)
{
    return b < a ? b : a;
}

TFX_INLINE float tfx_maxf(float a, float b)
{
    return a < b ? b : a;
}

#if defined(__GNUC__) && !defined(__TINYC__)
TFX_INLINE float tfx_sqrtf(float a)
{
    return __builtin_sqrtf(a);
}
#else
#    include <math.h>
TFX_INLINE float tfx_sqrtf(float a)
{
    return sqrtf(a);
}
#endif

// e^x: x = n ln 2 + r with |r| <= ln 2 / 2, e^r = 1 + r + r^2 p(r), then 2^n in two
// factors so that denormal results are rounded once. n is read from the low bits of
// x / ln 2 + 1.5 * 2^23, biased by 254 to stay positive.
#define TFX_DEFINE_EXP(NAME, V, U, S)                                                  \
    TFX_INLINE V NAME(V x)                                                             \
    {                                                                                  \
        const V top = tfx_splat_##S(89.0f), low = tfx_splat_##S(-104.0f);              \
        const V magic = tfx_splat_##S(12582912.0f);                                    \
        x = tfx_sel_##S(tfx_lt_##S(top, x), top, x);                                   \
        x = tfx_sel_##S(tfx_lt_##S(x, low), low, x);                                   \
        V z = tfx_fma_##S(x, tfx_splat_##S(1.44269504f), magic);                       \
        V n = z - magic;                                                               \
        V r = tfx_fma_##S(n, tfx_splat_##S(-0.693359375f), x);                         \
        r = tfx_fma_##S(n, tfx_splat_##S(2.12194440e-4f), r);                          \
        V p = tfx_splat_##S(0.00138217292f);                                           \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.00836885534f));                          \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.0416682586f));                           \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.166665196f));                            \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.49999994f));                             \
        p = tfx_fma_##S(p, r * r, r) + 1.0f;                                           \
        U b = tfx_bits_##S(z) - 0x4b400000u + 254u;                                    \
        U h = b >> 1;                                                                  \
        return p * tfx_of_bits_##S(h << 23) * tfx_of_bits_##S((b - h) << 23);          \
    }

// log x: x = 2^e m with m in [sqrt 1/2, sqrt 2), r = m - 1,
// log m = r - r^2 / 2 + r^3 p(r). Denormals are scaled by 2^23 first.
#define TFX_DEFINE_LOG(NAME, V, U, S)                                                  \
    TFX_INLINE V NAME(V x)                                                             \
    {                                                                                  \
        const V zero = tfx_splat_##S(0.0f), one = tfx_splat_##S(1.0f);                 \
        const V tiny = tfx_splat_##S(1.17549435e-38f);                                 \
        const V inf = tfx_of_bits_##S(tfx_bits_##S(zero) + 0x7f800000u);               \
        const V nan = tfx_of_bits_##S(tfx_bits_##S(zero) + 0x7fc00000u);               \
        V scale = tfx_sel_##S(tfx_lt_##S(x, tiny), tfx_splat_##S(8388608.0f), one);    \
        V bias = tfx_sel_##S(tfx_lt_##S(x, tiny), tfx_splat_##S(8388631.0f + 127.0f),  \
                             tfx_splat_##S(8388608.0f + 127.0f));                      \
        U b = tfx_bits_##S(x * scale) + (0x3f800000u - 0x3f3504f3u);                   \
        V e = tfx_of_bits_##S(((b >> 23) & 0x1ffu) | 0x4b000000u) - bias;              \
        V r = tfx_of_bits_##S((b & 0x007fffffu) + 0x3f3504f3u) - 1.0f;                 \
        V p = tfx_splat_##S(0.0674955621f);                                            \
        p = tfx_fma_##S(p, r, tfx_splat_##S(-0.116701923f));                           \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.118834704f));                            \
        p = tfx_fma_##S(p, r, tfx_splat_##S(-0.124062076f));                           \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.142203629f));                            \
        p = tfx_fma_##S(p, r, tfx_splat_##S(-0.166679904f));                           \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.200020716f));                            \
        p = tfx_fma_##S(p, r, tfx_splat_##S(-0.250000089f));                           \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.333333135f));                            \
        V s = r * r;                                                                   \
        p = tfx_fma_##S(p, s * r, tfx_splat_##S(-2.12194440e-4f) * e);                 \
        p = tfx_fma_##S(s, tfx_splat_##S(-0.5f), p) + r;                               \
        V y = tfx_fma_##S(e, tfx_splat_##S(0.693359375f), p);                          \
        y = tfx_sel_##S(tfx_lt_##S(x, inf), y, x);                                     \
        y = tfx_sel_##S(tfx_lt_##S(x, zero), nan, y);                                  \
        return tfx_sel_##S(tfx_eq_##S(x, zero), -inf, y);                              \
    }

// tanh x: x + x^3 p(x^2) below 0.6, else 1 - 2 / (e^2|x| + 1).
#define TFX_DEFINE_TANH(NAME, EXP, V, U, S)                                            \
    TFX_INLINE V NAME(V x)                                                             \
    {                                                                                  \
        U sign = tfx_bits_##S(x) & 0x80000000u;                                        \
        V a = tfx_of_bits_##S(tfx_bits_##S(x) ^ sign);                                 \
        V big = 1.0f - 2.0f / (EXP(a + a) + 1.0f);                                     \
        V s = a * a;                                                                   \
        V p = tfx_splat_##S(-0.00590014597f);                                          \
        p = tfx_fma_##S(p, s, tfx_splat_##S(0.0208002944f));                           \
        p = tfx_fma_##S(p, s, tfx_splat_##S(-0.0537851192f));                          \
        p = tfx_fma_##S(p, s, tfx_splat_##S(0.133319393f));                            \
        p = tfx_fma_##S(p, s, tfx_splat_##S(-0.333332986f));                           \
        p = tfx_fma_##S(p, s * a, a);                                                  \
        V y = tfx_sel_##S(tfx_lt_##S(a, tfx_splat_##S(0.6f)), p, big);                 \
        return tfx_of_bits_##S(tfx_bits_##S(y) | sign);                                \
    }

// erf x: x + x p(x^2) below 0.95, else 1 - e^q(|x|) with q fitted to log erfc on [0.9, 4].
#define TFX_DEFINE_ERF(NAME, EXP, V, U, S)                                             \
    TFX_INLINE V NAME(V x)                                                             \
    {                                                                                  \
        const V four = tfx_splat_##S(4.0f);                                            \
        U sign = tfx_bits_##S(x) & 0x80000000u;                                        \
        V a = tfx_of_bits_##S(tfx_bits_##S(x) ^ sign);                                 \
        V c = tfx_sel_##S(tfx_lt_##S(four, a), four, a);                               \
        V q = tfx_splat_##S(0.000197178655f);                                          \
        q = tfx_fma_##S(q, c, tfx_splat_##S(-0.00305558369f));                         \
        q = tfx_fma_##S(q, c, tfx_splat_##S(0.0222770162f));                           \
        q = tfx_fma_##S(q, c, tfx_splat_##S(-0.104037262f));                           \
        q = tfx_fma_##S(q, c, tfx_splat_##S(-0.637059808f));                           \
        q = tfx_fma_##S(q, c, tfx_splat_##S(-1.12774956f));                            \
        q = tfx_fma_##S(q, c, tfx_splat_##S(-0.000177487236f));                        \
        V big = 1.0f - EXP(q);                                                         \
        V s = c * c;                                                                   \
        V p = tfx_splat_##S(8.00277485e-05f);                                          \
        p = tfx_fma_##S(p, s, tfx_splat_##S(-0.000805080403f));                        \
        p = tfx_fma_##S(p, s, tfx_splat_##S(0.00519246049f));                          \
        p = tfx_fma_##S(p, s, tfx_splat_##S(-0.0268557407f));                          \
        p = tfx_fma_##S(p, s, tfx_splat_##S(0.112836257f));                            \
        p = tfx_fma_##S(p, s, tfx_splat_##S(-0.376126289f));                           \
        p = tfx_fma_##S(p, s, tfx_splat_##S(0.128379166f));                            \
        p = tfx_fma_##S(p, c, c);                                                      \
        V y = tfx_sel_##S(tfx_lt_##S(a, tfx_splat_##S(0.95f)), p, big);                \
        return tfx_of_bits_##S(tfx_bits_##S(y) | sign);                                \
    }

// ndtr x: 2^q / 2 below 0, 1 less that of -x above, with q = x p(x) fitted to log2 2 ndtr(-x)
// on [0, 5.8]; beyond it falls on, to 0 from 12 on. 2^n is read from the low bits of
// q + 1.5 * 2^23 + 127.
#define TFX_DEFINE_NDTR(NAME, V, U, S)                                                 \
    TFX_INLINE V NAME(V x)                                                             \
    {                                                                                  \
        const V zero = tfx_splat_##S(0.0f), magic = tfx_splat_##S(12583039.0f);        \
        V a = tfx_of_bits_##S(tfx_bits_##S(x) & 0x7fffffffu);                          \
        V q = tfx_splat_##S(-1.11960219e-06f);                                         \
        q = tfx_fma_##S(q, a, tfx_splat_##S(1.92233601e-05f));                         \
        q = tfx_fma_##S(q, a, tfx_splat_##S(-9.47738008e-05f));                        \
        q = tfx_fma_##S(q, a, tfx_splat_##S(-0.000341717794f));                        \
        q = tfx_fma_##S(q, a, tfx_splat_##S(0.00730355317f));                          \
        q = tfx_fma_##S(q, a, tfx_splat_##S(-0.0526393913f));                          \
        q = tfx_fma_##S(q, a, tfx_splat_##S(-0.459169775f));                           \
        q = tfx_fma_##S(q, a, tfx_splat_##S(-1.1511085f)) * a;                         \
        V z = q + magic;                                                               \
        V r = q - (z - magic);                                                         \
        V p = tfx_splat_##S(7.6632321e-05f);                                           \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.000669540314f));                         \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.00480925292f));                          \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.0277517997f));                           \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.120113239f));                            \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.346573591f));                            \
        p = tfx_fma_##S(p, r, tfx_splat_##S(0.5f));                                    \
        V y = p * tfx_of_bits_##S(tfx_bits_##S(z) << 23);                              \
        y = tfx_sel_##S(tfx_lt_##S(q, tfx_splat_##S(-125.0f)), zero, y);               \
        return tfx_sel_##S(tfx_lt_##S(x, zero), y, 1.0f - y);                          \
    }

// floor x: |x| is rounded by adding 2^23, then corrected; larger |x| is whole already.
#define TFX_DEFINE_FLOOR(NAME, V, U, S)                                                \
    TFX_INLINE V NAME(V x)                                                             \
    {                                                                                  \
        const V whole = tfx_splat_##S(8388608.0f);                                     \
        U sign = tfx_bits_##S(x) & 0x80000000u;                                        \
        V a = tfx_of_bits_##S(tfx_bits_##S(x) ^ sign);                                 \
        V t = (a + whole) - whole;                                                     \
        t = tfx_of_bits_##S(tfx_bits_##S(t) | sign);                                   \
        t = tfx_sel_##S(tfx_lt_##S(x, t), t - 1.0f, t);                                \
        return tfx_sel_##S(tfx_lt_##S(a, whole), t, x);                                \
    }

TFX_DEFINE_EXP(tfx_expf, float, uint32_t, f)
TFX_DEFINE_LOG(tfx_logf, float, uint32_t, f)
TFX_DEFINE_TANH(tfx_tanhf, tfx_expf, float, uint32_t, f)
TFX_DEFINE_ERF(tfx_erff, tfx_expf, float, uint32_t, f)
TFX_DEFINE_NDTR(tfx_ndtrf, float, uint32_t, f)
TFX_DEFINE_FLOOR(tfx_floorf, float, uint32_t, f)

// sin (shift 0) or cos (shift 1): x = n pi/2 + r in double, pi/2 in three parts of which
// the first two have 25 bits, so that n times each is exact for n < 2^28.
TFX_INLINE float tfx_trig(float x, uint32_t shift)
{
    union {
        double d;
        uint64_t u;
    } z;
    double xd = (double)x;
    z.d = xd * 0.63661977236758138 + 6755399441055744.0;
    double n = z.d - 6755399441055744.0;
    double t = n * 1.5707963109016418;
    t = xd - t;
    double t2 = n * 1.5893254712295857e-8;
    t = t - t2;
    double t3 = n * 6.0771005065061922e-17;
    float r = (float)(t - t3);
    float s = r * r;
    float a = tfx_fma_f(s, 2.83261875e-06f, -0.000198530688f);
    a = tfx_fma_f(a, s, 0.0083333794f);
    a = tfx_fma_f(a, s, -0.166666672f);
    a = tfx_fma_f(a, s * r, r);
    float b = tfx_fma_f(s, -2.88774288e-07f, 2.48220022e-05f);
    b = tfx_fma_f(b, s, -0.001388898f);
    b = tfx_fma_f(b, s, 0.0416666679f);
    b = tfx_fma_f(b, s * s, tfx_fma_f(s, -0.5f, 1.0f));
    uint32_t q = (uint32_t)z.u + shift;
    float y = tfx_sel_f(0u - (q & 1u), b, a);
    y = tfx_of_bits_f(tfx_bits_f(y) ^ ((q & 2u) << 30));
    return tfx_sel_f(tfx_mask_f(shift == 0 && x == 0.0f), x, y);  // sin keeps -0
}

TFX_INLINE float tfx_sinf(float x)
{
    return tfx_trig(x, 0);
}

TFX_INLINE float tfx_cosf(float x)
{
    return tfx_trig(x, 1);
}

// log2 x in double for x >= 0: 2 / ln 2 * atanh((m - 1) / (m + 1)), an odd series.
TFX_INLINE double tfx_log2_double(double x)
{
    union {
        double d;
        uint64_t u;
    } z = {x};
    uint64_t b = z.u + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    z.u = (b & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu;
    double s = (z.d - 1.0) / (z.d + 1.0);
    z.u = (b >> 52) | 0x4330000000000000u;
    double e = z.d - (4503599627370496.0 + 1023.0);
    double q = s * s;
    double p = 2.0 / 17;
    p = p * q + 2.0 / 15;
    p = p * q + 2.0 / 13;
    p = p * q + 2.0 / 11;
    p = p * q + 2.0 / 9;
    p = p * q + 2.0 / 7;
    p = p * q + 2.0 / 5;
    p = p * q + 2.0 / 3;
    p = p * q + 2.0;
    return e + p * s * 1.4426950408889634;
}

// 2^x in double, |x| <= 200.
TFX_INLINE double tfx_exp2_double(double x)
{
    union {
        double d;
        uint64_t u;
    } z;
    z.d = x + 6755399441055744.0;
    double r = (x - (z.d - 6755399441055744.0)) * 0.69314718055994531;
    double p = 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    z.u = (z.u + 1023u) << 52;
    return p * z.d;
}

// x^y = 2^(y log2 |x|) in double; the special cases of annex F are chosen at the end.
TFX_INLINE float tfx_powf(float x, float y)
{
    const float inf = tfx_of_bits_f(0x7f800000u), nan = tfx_of_bits_f(0x7fc00000u);
    float a = tfx_absf(x), b = tfx_absf(y), whole = tfx_floorf(b), half = whole * 0.5f;
    uint32_t is_whole = tfx_eq_f(whole, b);
    uint32_t is_odd =
        is_whole & tfx_lt_f(b, 16777216.0f) & ~tfx_eq_f(tfx_floorf(half), half);
    uint32_t is_up = tfx_lt_f(0.0f, y), is_inf = tfx_eq_f(a, inf);
    double t = (double)y * tfx_log2_double((double)a);
    t = t < -200.0 ? -200.0 : t;
    t = t > 200.0 ? 200.0 : t;
    float r = (float)tfx_exp2_double(t);
    // |x| is 0 or inf: the sign of y decides; |y| is inf: whether |x| is above 1
    r = tfx_sel_f(is_inf | tfx_eq_f(a, 0.0f), tfx_sel_f(is_inf ^ is_up, 0.0f, inf), r);
    float far = tfx_sel_f(tfx_lt_f(1.0f, a) ^ is_up, 0.0f, inf);
    r = tfx_sel_f(tfx_eq_f(b, inf), tfx_sel_f(tfx_eq_f(a, 1.0f), 1.0f, far), r);
    r = tfx_sel_f(tfx_lt_f(x, 0.0f) & tfx_lt_f(-inf, x) & ~is_whole, nan, r);
    r = tfx_of_bits_f(tfx_bits_f(r) ^ (tfx_bits_f(x) & 0x80000000u & is_odd));
    r = tfx_sel_f(tfx_eq_f(x, x) & tfx_eq_f(y, y), r, x + y);
    return tfx_sel_f(tfx_eq_f(y, 0.0f) | tfx_eq_f(x, 1.0f), 1.0f, r);
}

// ---- the same of vectors -------------------------------------------------------------

// A number or a vector as a vector: x - 0 is x, -0 included.
#define TFX_VECTOR(a) ((a) - tfx_splat_v(0.0f))

#if TFX_LANES > 1
TFX_DEFINE_EXP(tfx_exp_v, tfx_v, tfx_u, v)
TFX_DEFINE_LOG(tfx_log_v, tfx_v, tfx_u, v)
TFX_DEFINE_TANH(tfx_tanh_v, tfx_exp_v, tfx_v, tfx_u, v)
TFX_DEFINE_ERF(tfx_erf_v, tfx_exp_v, tfx_v, tfx_u, v)
TFX_DEFINE_NDTR(tfx_ndtr_v, tfx_v, tfx_u, v)
TFX_DEFINE_FLOOR(tfx_floor_v, tfx_v, tfx_u, v)

static inline tfx_v tfx_abs_v(tfx_v a)
{
    return tfx_of_bits_v(tfx_bits_v(a) & 0x7fffffffu);
}

static inline tfx_v tfx_sin_v(tfx_v a)
{
    for (int i = 0; i < TFX_LANES; i++)
        a[i] = tfx_sinf(a[i]);
    return a;
}

static inline tfx_v tfx_cos_v(tfx_v a)
{
    for (int i = 0; i < TFX_LANES; i++)
        a[i] = tfx_cosf(a[i]);
    return a;
}

static inline tfx_v tfx_pow_v(tfx_v a, tfx_v b)
{
    for (int i = 0; i < TFX_LANES; i++)
        a[i] = tfx_powf(a[i], b[i]);
    return a;
}
#else
#    define tfx_exp_v   tfx_expf
#    define tfx_log_v   tfx_logf
#    define tfx_tanh_v  tfx_tanhf
#    define tfx_erf_v   tfx_erff
#    define tfx_ndtr_v  tfx_ndtrf
#    define tfx_floor_v tfx_floorf
#    define tfx_abs_v   tfx_absf
#    define tfx_sin_v   tfx_sinf
#    define tfx_cos_v   tfx_cosf
#    define tfx_pow_v   tfx_powf
#endif

#endif
