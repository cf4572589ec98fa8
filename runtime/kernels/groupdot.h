// SPDX-License-Identifier: 0BSD
// groupdot.h - i8g32a8 and i4g32a8: weights as in group.h, x rounded to i8 in groups too.
//
// Of each 32 of k the products of bytes are summed exactly, by the target's dot products
// (dot.h) or AMX (groupamx.h), and the sums go into one chain of floats over the groups:
//
//     y += float(sum q_w q_x) * (scale_w * s_x)         s_x = max |x| / 127 of the 32
//
// so the bits depend neither on the way the sums are made nor on m. Where dot products take
// bytes without sign, they are given q_w + 128, of i4 always q_w + 8, and a sum starts at
// `less` of its row and group: -128 or -8 times the sum of q_x.

#ifndef TFX_GROUPDOT_H
#define TFX_GROUPDOT_H

#include "dot.h"
#include "group.h"

#define TFX_WORK_PARAM_i8g32a8 , float *work
#define TFX_WORK_PARAM_i4g32a8 , float *work
#define TFX_WORK_VALUE_i8g32a8 work
#define TFX_WORK_VALUE_i4g32a8 work
#define tfx_begin_i8g32a8      tfx_begin_none
#define tfx_begin_i4g32a8      tfx_begin_none
#define tfx_end_i8g32a8        tfx_begin_none
#define tfx_end_i4g32a8        tfx_begin_none

enum {
    TFX_BYTES_i8g32a8 = TFX_BYTES_i8g32,
    TFX_BYTES_i4g32a8 = TFX_BYTES_i4g32,
    TFX_LESS_i8g32a8 = TFX_DOT_SHIFT,
    TFX_LESS_i4g32a8 = 8
};

// ---- rows of x to bytes --------------------------------------------------------------

// The work area for g = ceil(k / 32) groups; rows in blocks of 16, in a block [g][rows]:
//     i8   q[m * g][32]
//     f32  s[m * g]
//     i32  less[m * g]
enum { TFX_ROUND_ROWS = 16 };

typedef struct tfx_rounded {
    int8_t *q;
    float *s;
    int32_t *less;
    ptrdiff_t step;  // rows of the block: how far it is from group to group
} tfx_rounded;

static inline tfx_rounded tfx_rounded_at(const tfx_linear_call *p, ptrdiff_t r)
{
    ptrdiff_t g = TFX_PADDED(p->k, TFX_GROUP) / TFX_GROUP, all = p->m * g;
    ptrdiff_t block = r / TFX_ROUND_ROWS * TFX_ROUND_ROWS, at = block * g + r - block;
    float *s = p->work + all * (TFX_GROUP / 4);
    return (tfx_rounded){(int8_t *)p->work + at * TFX_GROUP, s + at,
                         (int32_t *)(void *)(s + all) + at,
                         tfx_min_size(p->m - block, TFX_ROUND_ROWS)};
}

// 32 floats to q, and the sum of q. Of what is not finite q is anything.
#if TFX_LANES == 16
TFX_INLINE int32_t tfx_round_32(int8_t *q, const float *x, float inverse)
{
    const tfx_v scale = tfx_splat_v(inverse), at = tfx_splat_v(12582912.0f);
    __m512i a = (__m512i)tfx_fma_v(tfx_load(x), scale, at);
    __m512i b = (__m512i)tfx_fma_v(tfx_load(x + 16), scale, at);
    _mm_storeu_si128((__m128i *)(void *)q, _mm512_cvtepi32_epi8(a));
    _mm_storeu_si128((__m128i *)(void *)(q + 16), _mm512_cvtepi32_epi8(b));
    // the low halves of a + b are the sums of two q, whatever stands above
    __m512i sum = _mm512_slli_epi32(_mm512_add_epi32(a, b), 16);
    return _mm512_reduce_add_epi32(_mm512_srai_epi32(sum, 16));
}

TFX_INLINE uint32_t tfx_size_32(const float *x)
{
    __m512i bits = _mm512_set1_epi32(0x7fffffff);
    __m512i a = _mm512_and_si512((__m512i)tfx_load(x), bits);
    __m512i b = _mm512_and_si512((__m512i)tfx_load(x + 16), bits);
    return (uint32_t)_mm512_reduce_max_epi32(_mm512_max_epi32(a, b));
}
#else
TFX_INLINE int32_t tfx_round_32(int8_t *q, const float *x, float inverse)
{
    int32_t sum = 0;
    for (int i = 0; i < TFX_GROUP; i++) {
        int32_t b = (int32_t)(tfx_bits_f(tfx_fma_f(x[i], inverse, 12582912.0f)) & 255u);
        b -= b < 128 ? 0 : 256;
        q[i] = (int8_t)b;
        sum += b;
    }
    return sum;
}

TFX_INLINE uint32_t tfx_size_32(const float *x)
{
    uint32_t top = 0;
    for (int i = 0; i < TFX_GROUP; i++) {
        uint32_t b = tfx_bits_f(x[i]) & 0x7fffffffu;
        top = b > top ? b : top;
    }
    return top;
}
#endif

// Row r; beyond k it is 0. A group with an inf or NaN gets the scale NaN.
TFX_INLINE void tfx_round_groups(const tfx_linear_call *p, ptrdiff_t r, uint32_t less)
{
    tfx_rounded to = tfx_rounded_at(p, r);
    float part[TFX_GROUP];
    for (ptrdiff_t k = 0; k < p->k; k += TFX_GROUP) {
        const float *x = p->x + r * p->ldx + k;
        if (p->k - k < TFX_GROUP) {
            for (ptrdiff_t i = 0; i < TFX_GROUP; i++)
                part[i] = i < p->k - k ? x[i] : 0.0f;
            x = part;
        }
        uint32_t top = tfx_size_32(x);
        float most = tfx_of_bits_f(top);
        float inverse = most >= 0x1p-100f ? 127.0f / most : 0.0f;
        *to.s = top >= 0x7f800000u ? most - most : most / 127.0f;
        *to.less = (int32_t)(0u - less * (uint32_t)tfx_round_32(to.q, x, inverse));
        to.q += to.step * TFX_GROUP, to.s += to.step, to.less += to.step;
    }
}

#define TFX_DEFINE_ROUND_GROUPS(FMT)                                                   \
    static TFX_UNUSED void tfx_round_task_##FMT(void *arg, int index, int thread)      \
    {                                                                                  \
        const tfx_linear_call *p = (const tfx_linear_call *)arg;                       \
        ptrdiff_t end = p->m * (index + 1) / p->ntasks;                                \
        (void)thread;                                                                  \
        for (ptrdiff_t r = p->m * index / p->ntasks; r < end; r++)                     \
            tfx_round_groups(p, r, TFX_LESS_##FMT);                                    \
    }                                                                                  \
    static TFX_UNUSED void tfx_prepare_##FMT(tfx_linear_call *p, const tfx_par *par,   \
                                             float *work)                              \
    {                                                                                  \
        enum {                                                                         \
            FEW = 8192                                                                 \
        }; /* elements rounded in the time it takes to wake a thread */                \
        ptrdiff_t most = par && p->m * p->k > FEW ? 2 * (ptrdiff_t)par->threads : 1;   \
        p->work = work;                                                                \
        p->ntasks = (int)(p->m < most ? p->m : most);                                  \
        tfx_run(par, tfx_round_task_##FMT, p, p->ntasks);                              \
    }

TFX_DEFINE_ROUND_GROUPS(i8g32a8)
TFX_DEFINE_ROUND_GROUPS(i4g32a8)

// ---- tiles ---------------------------------------------------------------------------
//
// A few rows of a block by one, two or three vectors of columns, all groups: the sums of
// bytes and those of floats are variables, so tiles are smaller than in tile.h.

#if TFX_LANES == 16
enum { TFX_GDOT_ROWS = 4 };
#elif TFX_LANES == 4 && defined(__aarch64__)
enum { TFX_GDOT_ROWS = 4 };
#else
enum { TFX_GDOT_ROWS = 2 };
#endif

// Bytes: how far ahead of its use a weight is fetched, and by one row into the second-level
// cache before that.
enum { TFX_GDOT_AHEAD = 2048, TFX_GDOT_FAR = 3648 };

#if TFX_LANES > 1

// w: -128 .. 127, or 0 .. 255 where TFX_DOT_SHIFT says so; or 0 .. 15.
TFX_INLINE tfx_m tfx_dot_i8g32a8(tfx_m a, tfx_m w, tfx_m x)
{
    return TFX_DOT_SHIFT ? tfx_dot_v(a, w, x) : tfx_dot_v(a, x, w);
}

TFX_INLINE tfx_m tfx_dot_i4g32a8(tfx_m a, tfx_m w, tfx_m x)
{
#    if TFX_LANES == 8 && defined(__AVX2__) && !defined(__AVXVNNI__)
    __m256i pairs = _mm256_maddubs_epi16((__m256i)w, (__m256i)x);
    return a + (tfx_m)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#    else
    return tfx_dot_i8g32a8(a, w, x);
#    endif
}

// clang-format off
#define TFX_GDOT_START(i, c) tfx_m d##i##c = tfx_splat_m(less[i]);
#define TFX_GDOT_START_1(i) TFX_GDOT_START(i, 0)
#define TFX_GDOT_START_2(i) TFX_GDOT_START_1(i) TFX_GDOT_START(i, 1)
#define TFX_GDOT_START_3(i) TFX_GDOT_START_2(i) TFX_GDOT_START(i, 2)

// A word of each column: four of k, or twice four.
#define TFX_GDOT_W_i8g32a8(c)                                                            \
    tfx_m w##c = (tfx_m)(tfx_load_u(q + 4 * TFX_LANES * c) ^                             \
                         (TFX_DOT_SHIFT ? 0x80808080u : 0u));                            \
    TFX_PREFETCH(q + 4 * TFX_LANES * c + TFX_GDOT_AHEAD);
#define TFX_GDOT_W_i4g32a8(c)                                                            \
    tfx_u u##c = tfx_load_u(q + 4 * TFX_LANES * c);                                      \
    tfx_m w##c = (tfx_m)(u##c & 0x0f0f0f0fu), h##c = (tfx_m)(u##c >> 4 & 0x0f0f0f0fu);   \
    TFX_PREFETCH(q + 4 * TFX_LANES * c + TFX_GDOT_AHEAD);
#define TFX_GDOT_W_1(FMT) TFX_GDOT_W_##FMT(0)
#define TFX_GDOT_W_2(FMT) TFX_GDOT_W_1(FMT) TFX_GDOT_W_##FMT(1)
#define TFX_GDOT_W_3(FMT) TFX_GDOT_W_2(FMT) TFX_GDOT_W_##FMT(2)

#define TFX_GDOT(FMT, i, c, w) d##i##c = tfx_dot_##FMT(d##i##c, w##c, b);
#define TFX_GDOT_1(FMT, i, w)  TFX_GDOT(FMT, i, 0, w)
#define TFX_GDOT_2(FMT, i, w)  TFX_GDOT_1(FMT, i, w) TFX_GDOT(FMT, i, 1, w)
#define TFX_GDOT_3(FMT, i, w)  TFX_GDOT_2(FMT, i, w) TFX_GDOT(FMT, i, 2, w)
#define TFX_GDOT_X(i, at)                                                                \
    tfx_m b = tfx_splat_m(*(const tfx_word *)(const void *)(x + TFX_GROUP * i + at));
#define TFX_GDOT_LOW_1(i) { TFX_GDOT_X(i, 0) TFX_GDOT_1(i4g32a8, i, w) }
#define TFX_GDOT_LOW_2(i) { TFX_GDOT_X(i, 0) TFX_GDOT_2(i4g32a8, i, w) }
#define TFX_GDOT_LOW_3(i) { TFX_GDOT_X(i, 0) TFX_GDOT_3(i4g32a8, i, w) }
#define TFX_GDOT_HIGH_1(i) { TFX_GDOT_X(i, 4) TFX_GDOT_1(i4g32a8, i, h) }
#define TFX_GDOT_HIGH_2(i) { TFX_GDOT_X(i, 4) TFX_GDOT_2(i4g32a8, i, h) }
#define TFX_GDOT_HIGH_3(i) { TFX_GDOT_X(i, 4) TFX_GDOT_3(i4g32a8, i, h) }
#define TFX_GDOT_WORD_1(i) { TFX_GDOT_X(i, 0) TFX_GDOT_1(i8g32a8, i, w) }
#define TFX_GDOT_WORD_2(i) { TFX_GDOT_X(i, 0) TFX_GDOT_2(i8g32a8, i, w) }
#define TFX_GDOT_WORD_3(i) { TFX_GDOT_X(i, 0) TFX_GDOT_3(i8g32a8, i, w) }
#define TFX_GDOT_STEP_i8g32a8(R, C) TFX_ROWS_##R(TFX_GDOT_WORD_##C) x += 4;
#define TFX_GDOT_STEP_i4g32a8(R, C)                                                      \
    TFX_ROWS_##R(TFX_GDOT_LOW_##C) TFX_ROWS_##R(TFX_GDOT_HIGH_##C) x += 8;

// The group's sums to the floats.
#define TFX_GDOT_SCALE(c)                                                                \
    tfx_v s##c = tfx_load_f16((const uint16_t *)(const void *)(w + 2 * TFX_LANES * c));
#define TFX_GDOT_SCALE_1 TFX_GDOT_SCALE(0)
#define TFX_GDOT_SCALE_2 TFX_GDOT_SCALE_1 TFX_GDOT_SCALE(1)
#define TFX_GDOT_SCALE_3 TFX_GDOT_SCALE_2 TFX_GDOT_SCALE(2)
#define TFX_GDOT_ADD(i, c)                                                               \
    a##i##c = tfx_fma_v(__builtin_convertvector(d##i##c, tfx_v), s##c * b, a##i##c);
#define TFX_GDOT_ADDS_1(i) TFX_GDOT_ADD(i, 0)
#define TFX_GDOT_ADDS_2(i) TFX_GDOT_ADDS_1(i) TFX_GDOT_ADD(i, 1)
#define TFX_GDOT_ADDS_3(i) TFX_GDOT_ADDS_2(i) TFX_GDOT_ADD(i, 2)
#define TFX_GDOT_ADD_1(i) { tfx_v b = tfx_splat_v(s[i]); TFX_GDOT_ADDS_1(i) }
#define TFX_GDOT_ADD_2(i) { tfx_v b = tfx_splat_v(s[i]); TFX_GDOT_ADDS_2(i) }
#define TFX_GDOT_ADD_3(i) { tfx_v b = tfx_splat_v(s[i]); TFX_GDOT_ADDS_3(i) }

// w: where the strip's scales of the first group are, `gap` bytes before its q.
#define TFX_DEFINE_GDOT(FMT, R, C)                                                       \
    static TFX_FLAT void tfx_gdot_##FMT##_##R##x##C(                                     \
        float *t, const tfx_rounded *in, const uint8_t *w, ptrdiff_t gap,                \
        ptrdiff_t width, ptrdiff_t groups)                                               \
    {                                                                                    \
        const tfx_v zero = tfx_splat_v(0.0f);                                            \
        const ptrdiff_t step = in->step;                                                 \
        const int8_t *x = in->q;                                                         \
        const float *s = in->s;                                                          \
        const int32_t *less = in->less;                                                  \
        TFX_ROWS_##R(TFX_ACC_##C)                                                        \
        for (ptrdiff_t g = 0; g < groups; g++) {                                         \
            const uint8_t *q = w + gap;                                                  \
            const int8_t *end = x + TFX_GROUP;                                           \
            TFX_ROWS_##R(TFX_GDOT_START_##C)                                             \
            TFX_ROLLED                                                                   \
            while (x < end) {                                                            \
                TFX_GDOT_W_##C(FMT)                                                      \
                TFX_GDOT_STEP_##FMT(R, C)                                                \
                q += 4 * width;                                                          \
            }                                                                            \
            TFX_GDOT_SCALE_##C                                                           \
            TFX_ROWS_##R(TFX_GDOT_ADD_##C)                                               \
            x += TFX_GROUP * (step - 1);                                                 \
            s += step, less += step;                                                     \
            w += TFX_BYTES_##FMT * width;                                                \
        }                                                                                \
        TFX_ROWS_##R(TFX_OUT_##C)                                                        \
    }

#define TFX_CASE_GDOT(FMT, R, C)                                                         \
    case R:                                                                              \
        tfx_gdot_##FMT##_##R##x##C(t + c, in, w + 2 * c, 2 * width + 2 * c, width, groups); \
        break;

#if TFX_LANES == 16 || (TFX_LANES == 4 && defined(__aarch64__))
#define TFX_GDOT_TILES(M, FMT, C) M(FMT, 1, C) M(FMT, 2, C) M(FMT, 3, C) M(FMT, 4, C)
#else
#define TFX_GDOT_TILES(M, FMT, C) M(FMT, 1, C) M(FMT, 2, C)
#endif
#if TFX_LANES == 16
#define TFX_GDOT_STRIPS(FMT)                                                             \
    if (width == TFX_PANEL) {                                                            \
        switch (rows) { TFX_GDOT_TILES(TFX_CASE_GDOT, FMT, 3) }                          \
        return;                                                                          \
    }                                                                                    \
    for (; c < width; c += TFX_LANES) {                                                  \
        switch (rows) { TFX_GDOT_TILES(TFX_CASE_GDOT, FMT, 1) }                          \
    }
#else
#define TFX_GDOT_STRIPS(FMT)                                                             \
    for (; c < width; c += 2 * TFX_LANES) {                                              \
        switch (rows) { TFX_GDOT_TILES(TFX_CASE_GDOT, FMT, 2) }                          \
    }
#endif

#define TFX_DEFINE_GDOT_BLOCK(FMT)                                                       \
    static TFX_UNUSED void tfx_gdot_block_##FMT(float *t, const tfx_rounded *in,         \
                                                const uint8_t *w, ptrdiff_t width,       \
                                                ptrdiff_t rows, ptrdiff_t groups)        \
    {                                                                                    \
        ptrdiff_t c = 0;                                                                 \
        TFX_GDOT_STRIPS(FMT)                                                             \
    }

#if TFX_LANES == 16
TFX_GDOT_TILES(TFX_DEFINE_GDOT, i8g32a8, 3)
TFX_GDOT_TILES(TFX_DEFINE_GDOT, i8g32a8, 1)
TFX_GDOT_TILES(TFX_DEFINE_GDOT, i4g32a8, 3)
TFX_GDOT_TILES(TFX_DEFINE_GDOT, i4g32a8, 1)
#else
TFX_GDOT_TILES(TFX_DEFINE_GDOT, i8g32a8, 2)
TFX_GDOT_TILES(TFX_DEFINE_GDOT, i4g32a8, 2)
#endif
// clang-format on

TFX_DEFINE_GDOT_BLOCK(i8g32a8)
TFX_DEFINE_GDOT_BLOCK(i4g32a8)

// ---- one row -------------------------------------------------------------------------
//
// Memory is read at several places at once; see tfx_vector_FMT in tile.h.

#    if TFX_LANES == 16
// clang-format off
#define TFX_GDOT_ONE_START(i)                                                            \
    tfx_m d##i##0 = tfx_splat_m(*less), d##i##1 = d##i##0, d##i##2 = d##i##0;
#define TFX_GDOT_SOON(q, line) TFX_PREFETCH_FAR((q) + TFX_GDOT_FAR + 64 * (line));
#define TFX_GDOT_SOON_3(q)     TFX_GDOT_SOON(q, 0) TFX_GDOT_SOON(q, 1) TFX_GDOT_SOON(q, 2)
#define TFX_GDOT_ONE_i8g32a8(i)                                                          \
    { const uint8_t *q = at + i * panel; TFX_GDOT_SOON_3(q) TFX_GDOT_W_3(i8g32a8)        \
      { TFX_GDOT_X(0, 0) TFX_GDOT_3(i8g32a8, i, w) } }
#define TFX_GDOT_ONE_i4g32a8(i)                                                          \
    { const uint8_t *q = at + i * panel; TFX_GDOT_SOON_3(q) TFX_GDOT_W_3(i4g32a8)        \
      { TFX_GDOT_X(0, 0) TFX_GDOT_3(i4g32a8, i, w) }                                     \
      { TFX_GDOT_X(0, 4) TFX_GDOT_3(i4g32a8, i, h) } }
#define TFX_GDOT_ONE_ADD(i)                                                              \
    { const uint8_t *w = from + i * panel;                                               \
      TFX_PREFETCH(w + TFX_GDOT_AHEAD);                                                  \
      TFX_PREFETCH(w + TFX_GDOT_AHEAD + 64);                                             \
      TFX_GDOT_SOON(w, 0) TFX_GDOT_SOON(w, 1)                                            \
      TFX_GDOT_SCALE_3                                                                   \
      tfx_v b = tfx_splat_v(*s);                                                         \
      TFX_GDOT_ADDS_3(i) }

// The sums of panel i in row i of t.
#define TFX_DEFINE_GDOT_ONE(FMT, P)                                                      \
    static TFX_FLAT void tfx_gdot_one_##FMT(float *t, const tfx_rounded *in,             \
                                            const uint8_t *from, ptrdiff_t groups)       \
    {                                                                                    \
        enum { EACH = TFX_GROUP * 4 / (TFX_BYTES_##FMT - 2) };  /* k in a word */        \
        const tfx_v zero = tfx_splat_v(0.0f);                                            \
        const ptrdiff_t panel = groups * TFX_BYTES_##FMT * TFX_PANEL;                    \
        const int8_t *x = in->q;                                                         \
        const float *s = in->s;                                                          \
        const int32_t *less = in->less;                                                  \
        TFX_ROWS_##P(TFX_ACC_3)                                                          \
        for (ptrdiff_t g = 0; g < groups; g++, s++, less++) {                            \
            const uint8_t *at = from + 2 * TFX_PANEL;                                    \
            TFX_ROWS_##P(TFX_GDOT_ONE_START)                                             \
            TFX_ROLLED                                                                   \
            for (const int8_t *end = x + TFX_GROUP; x < end; x += EACH) {                \
                TFX_ROWS_##P(TFX_GDOT_ONE_##FMT)                                         \
                at += 4 * TFX_PANEL;                                                     \
            }                                                                            \
            TFX_ROWS_##P(TFX_GDOT_ONE_ADD)                                               \
            from += TFX_BYTES_##FMT * TFX_PANEL;                                         \
        }                                                                                \
        TFX_ROWS_##P(TFX_OUT_3)                                                          \
    }                                                                                    \
    static TFX_UNUSED void tfx_vector_sums_##FMT(float *t, const tfx_linear_call *p,     \
                                                 ptrdiff_t col)                          \
    {                                                                                    \
        const tfx_rounded x = tfx_rounded_at(p, 0);                                      \
        const ptrdiff_t groups = TFX_PADDED(p->k, TFX_GROUP) / TFX_GROUP;                \
        const uint8_t *w = (const uint8_t *)p->w + col * groups * TFX_BYTES_##FMT;       \
        for (ptrdiff_t i = 0; i < TFX_VECTOR_PANELS; i += P)                             \
            tfx_gdot_one_##FMT(t + i * TFX_PANEL, &x,                                    \
                               w + i * TFX_PANEL * groups * TFX_BYTES_##FMT, groups);    \
    }
// clang-format on

TFX_DEFINE_GDOT_ONE(i8g32a8, 2)
TFX_DEFINE_GDOT_ONE(i4g32a8, 2)
#    endif

#else

// q of column c and place i of a group, i4's 8 too large.
#    define TFX_GDOT_Q_i8g32a8(q, width, c, i)                                         \
        (int8_t)(q)[((i) / 4 * (width) + (c)) * 4 + (i) % 4]
#    define TFX_GDOT_Q_i4g32a8(q, width, c, i)                                         \
        ((q)[((i) / 8 * (width) + (c)) * 4 + (i) % 4] >> ((i) % 8 < 4 ? 0 : 4) & 15)

#    define TFX_DEFINE_GDOT_BLOCK(FMT)                                                 \
        static TFX_UNUSED void tfx_gdot_block_##FMT(float *t, const tfx_rounded *in,   \
                                                    const uint8_t *w, ptrdiff_t width, \
                                                    ptrdiff_t rows, ptrdiff_t groups)  \
        {                                                                              \
            for (ptrdiff_t i = 0; i < rows * TFX_PANEL; i++)                           \
                t[i] = 0.0f;                                                           \
            for (ptrdiff_t g = 0; g < groups; g++, w += TFX_BYTES_##FMT * width)       \
                for (ptrdiff_t r = 0; r < rows; r++) {                                 \
                    const uint16_t *scale = (const uint16_t *)(const void *)w;         \
                    const int8_t *x = in->q + (g * in->step + r) * TFX_GROUP;          \
                    float s = in->s[g * in->step + r];                                 \
                    for (ptrdiff_t c = 0; c < width; c++) {                            \
                        int32_t sum = in->less[g * in->step + r];                      \
                        for (ptrdiff_t i = 0; i < TFX_GROUP; i++)                      \
                            sum +=                                                     \
                                x[i] * TFX_GDOT_Q_##FMT(w + 2 * width, width, c, i);   \
                        float *y = t + r * TFX_PANEL + c;                              \
                        *y = tfx_fma_f((float)sum, tfx_from_f16(scale[c]) * s, *y);    \
                    }                                                                  \
                }                                                                      \
        }

TFX_DEFINE_GDOT_BLOCK(i8g32a8)
TFX_DEFINE_GDOT_BLOCK(i4g32a8)

#endif

#endif
