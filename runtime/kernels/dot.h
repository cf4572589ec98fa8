// SPDX-License-Identifier: 0BSD
// dot.h - i8 weights by activations rounded to i8: exact sums by the target's dot products.
//
// tfx_dot_v(a, x, w) adds to each 32-bit lane of a the four products of its bytes of x and
// w; TFX_DOT_SHIFT says what must be added to x's signed bytes before (128: they are taken
// as unsigned, and the column's shift corrects the sum). This and AMX are the only parts of
// the runtime that name instructions by intrinsics. Many rows go to the tiles of dot_amx.h.

#ifndef TFX_DOT_H
#define TFX_DOT_H

#include "dot_amx.h"
#include "sums.h"

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

// ---- rows of x to bytes --------------------------------------------------------------

// The sum with 1.5 2^23 has the rounded value in its low bits.
TFX_INLINE uint8_t tfx_round_byte(float x, float inverse)
{
    return (uint8_t)(tfx_bits_f(tfx_fma_f(x, inverse, 12582912.0f)) + TFX_DOT_SHIFT);
}

#if TFX_LANES == 16
TFX_INLINE void tfx_round_bytes(uint8_t *q, const float *x, float inverse)
{
    tfx_v a = tfx_fma_v(tfx_load(x), tfx_splat_v(inverse), tfx_splat_v(12582912.0f));
    __m512i word = (__m512i)(tfx_bits_v(a) + (uint32_t)TFX_DOT_SHIFT);
    _mm_storeu_si128((__m128i *)(void *)q, _mm512_cvtepi32_epi8(word));
}
#else
TFX_INLINE void tfx_round_bytes(uint8_t *q, const float *x, float inverse)
{
    for (int i = 0; i < 16; i++)
        q[i] = tfx_round_byte(x[i], inverse);
}
#endif

// The larger of a lane and the size of x there, as bits: none is negative.
#if TFX_LANES > 1
TFX_INLINE tfx_m tfx_larger_size(tfx_m most, const float *x)
{
    tfx_m b = (tfx_m)(tfx_bits_v(tfx_load(x)) & 0x7fffffffu);
#    if TFX_LANES == 16
    return (tfx_m)_mm512_max_epi32((__m512i)b, (__m512i)most);
#    elif TFX_LANES == 8 && defined(__AVX2__)
    return (tfx_m)_mm256_max_epi32((__m256i)b, (__m256i)most);
#    else
    tfx_m more = (tfx_m)(b > most);
    return (b & more) | (most & ~more);
#    endif
}
#endif

// The size of the largest, as bits: NaN is the largest of all.
static inline uint32_t tfx_row_size(const float *x, ptrdiff_t k)
{
    uint32_t top = 0;
    ptrdiff_t i = 0;
#if TFX_LANES > 1
    tfx_m most = {0};
    for (; i + TFX_LANES <= k; i += TFX_LANES)
        most = tfx_larger_size(most, x + i);
#    if TFX_LANES == 16
    top = (uint32_t)_mm512_reduce_max_epi32((__m512i)most);
#    else
    for (int j = 0; j < TFX_LANES; j++)
        top = (uint32_t)most[j] > top ? (uint32_t)most[j] : top;
#    endif
#endif
    for (; i < k; i++) {
        uint32_t b = tfx_bits_f(x[i]) & 0x7fffffffu;
        top = b > top ? b : top;
    }
    return top;
}

// Where the rounded rows of an m by k matrix lie in a work area: bytes, TFX_PADDED(k, 64) a row,
// then floats s[m]. A row's pieces of 64 are hop bytes apart: together, or for AMX among
// those of the other rows; there the last piece, if shorter, begins after blank bytes of 0.
typedef struct tfx_byte_rows {
    uint8_t *q;
    float *s;
    ptrdiff_t row, hop, blank;
} tfx_byte_rows;

static inline ptrdiff_t tfx_byte_hop(ptrdiff_t m, ptrdiff_t k)
{
#if TFX_AMX
    return tfx_amx_takes_i8(m, k) ? 64 * m : 64;
#else
    (void)m, (void)k;
    return 64;
#endif
}

static inline tfx_byte_rows tfx_byte_rows_at(float *work, ptrdiff_t m, ptrdiff_t k)
{
    const ptrdiff_t k4 = TFX_PADDED(k, 4), k64 = TFX_PADDED(k, 64);
    const ptrdiff_t hop = tfx_byte_hop(m, k);
    float *s = work + m * (k64 / 4);
    return hop == 64 ? (tfx_byte_rows){(uint8_t *)work, s, k4, hop, 0}
                     : (tfx_byte_rows){(uint8_t *)work, s, 64, hop, k64 - k4};
}

// 1 / s, and s, of a row whose largest has these bits.
static inline float tfx_round_inverse(float *s, uint32_t top)
{
    float most = tfx_of_bits_f(top);
    *s = top >= 0x7f800000u ? most - most : most / 127.0f;
    return most >= 0x1p-100f ? 127.0f / most : 0.0f;
}

// The last n < 64 of a row, padded to whole words.
static inline void tfx_round_rest(uint8_t *q, ptrdiff_t blank, const float *x,
                                  ptrdiff_t n, float inverse)
{
    ptrdiff_t i = 0;
    if (n == 0)
        return;
    for (; blank > 0; blank--)
        *q++ = 0;
    for (; i + 16 <= n; i += 16)
        tfx_round_bytes(q + i, x + i, inverse);
    for (; i < n; i++)
        q[i] = tfx_round_byte(x[i], inverse);
    for (; i % 4 != 0; i++)
        q[i] = TFX_DOT_SHIFT;
}

// Row r of k floats at x. Meanwhile the k at soon are fetched, which come next.
static TFX_UNUSED void tfx_round_row(const tfx_byte_rows *to, ptrdiff_t r,
                                     const float *x, ptrdiff_t k, const float *soon)
{
    uint8_t *q = to->q + r * to->row;
    float inverse = tfx_round_inverse(to->s + r, tfx_row_size(x, k));
    for (; k >= 64; k -= 64, x += 64, soon += 64, q += to->hop)
        for (int i = 0; i < 64; i += 16) {
            TFX_PREFETCH(soon + i);
            tfx_round_bytes(q + i, x + i, inverse);
        }
    tfx_round_rest(q, to->blank, x, k, inverse);
}

typedef struct tfx_round_call {
    const float *x;
    tfx_byte_rows to;
    ptrdiff_t ldx, m, k;
    int ntasks;
} tfx_round_call;

static TFX_UNUSED void tfx_round_task(void *arg, int index, int thread)
{
    const tfx_round_call *p = (const tfx_round_call *)arg;
    ptrdiff_t end = p->m * (index + 1) / p->ntasks;
    (void)thread;
    for (ptrdiff_t r = p->m * index / p->ntasks; r < end; r++) {
        const float *x = p->x + r * p->ldx;
        tfx_round_row(&p->to, r, x, p->k, r + 1 < end ? x + p->ldx : x);
    }
}

static TFX_UNUSED void tfx_round_rows(const tfx_par *par, float *work, const float *x,
                                      ptrdiff_t ldx, ptrdiff_t m, ptrdiff_t k)
{
    enum { FEW = 32768 };  // elements rounded in the time it takes to wake a thread
    ptrdiff_t most = par && m * k > FEW ? 2 * (ptrdiff_t)par->threads : 1;
    tfx_round_call call = {x, tfx_byte_rows_at(work, m, k), ldx, m, k, 1};
    call.ntasks = (int)(m < most ? m : most);
    tfx_run(par, tfx_round_task, &call, call.ntasks);
}

TFX_INLINE const float *tfx_row_scales(const tfx_linear_call *p)
{
    return p->rounded + p->m * (TFX_PADDED(p->k, 64) / 4);
}

// Without work x is the rounded rows: who made x has rounded them, or a product before.
static TFX_UNUSED void tfx_prepare_i8(tfx_linear_call *p, const tfx_par *par,
                                      float *work)
{
    p->rounded = work ? work : p->x;
    p->hop = tfx_byte_hop(p->m, p->k);
    if (work)
        tfx_round_rows(par, work, p->x, p->ldx, p->m, p->k);
}

#define TFX_WORK_PARAM_i8 , float *work
#define TFX_WORK_VALUE_i8 work

// ---- tiles ---------------------------------------------------------------------------

#if TFX_AMX
enum { tfx_batch_i8 = TFX_AMX_BATCH };
#else
enum { tfx_batch_i8 = TFX_TILE_ROWS };
#endif

#if TFX_LANES > 1

typedef int32_t tfx_m_any
    __attribute__((vector_size(4 * TFX_LANES), aligned(4), may_alias));
typedef int32_t tfx_word __attribute__((aligned(1), may_alias));

TFX_INLINE tfx_m tfx_load_m(const void *p)
{
    return (tfx_m)(*(const tfx_m_any *)p);
}

TFX_INLINE tfx_m tfx_splat_m(int32_t a)
{
    return (tfx_m){0} + a;
}

// clang-format off
#define TFX_DOT_ROW(i) const uint8_t *x##i = x + i * ldx;

#define TFX_DOT_START(i, c)                                                              \
    tfx_m a##i##c = TFX_DOT_SHIFT ? tfx_load_m(shift + c * TFX_LANES) : (tfx_m){0};
#define TFX_DOT_START_1(i) TFX_DOT_START(i, 0)
#define TFX_DOT_START_2(i) TFX_DOT_START_1(i) TFX_DOT_START(i, 1)
#define TFX_DOT_START_3(i) TFX_DOT_START_2(i) TFX_DOT_START(i, 2)
#define TFX_DOT_START_4(i) TFX_DOT_START_3(i) TFX_DOT_START(i, 3)

#define TFX_DOT_W(c) tfx_m w##c = tfx_load_m(w + c * 4 * TFX_LANES);
#define TFX_DOT_W_1  TFX_DOT_W(0)
#define TFX_DOT_W_2  TFX_DOT_W_1 TFX_DOT_W(1)
#define TFX_DOT_W_3  TFX_DOT_W_2 TFX_DOT_W(2)
#define TFX_DOT_W_4  TFX_DOT_W_3 TFX_DOT_W(3)

#define TFX_DOT_X(i)  tfx_m b = tfx_splat_m(*(const tfx_word *)(x##i + kk));
#define TFX_DOT(i, c) a##i##c = tfx_dot_v(a##i##c, b, w##c);
#define TFX_DOT_1(i)  TFX_DOT(i, 0)
#define TFX_DOT_2(i)  TFX_DOT_1(i) TFX_DOT(i, 1)
#define TFX_DOT_3(i)  TFX_DOT_2(i) TFX_DOT(i, 2)
#define TFX_DOT_4(i)  TFX_DOT_3(i) TFX_DOT(i, 3)
#define TFX_DOT_STEP_1(i) { TFX_DOT_X(i) TFX_DOT_1(i) }
#define TFX_DOT_STEP_2(i) { TFX_DOT_X(i) TFX_DOT_2(i) }
#define TFX_DOT_STEP_3(i) { TFX_DOT_X(i) TFX_DOT_3(i) }
#define TFX_DOT_STEP_4(i) { TFX_DOT_X(i) TFX_DOT_4(i) }

#define TFX_DOT_OUT(i, c)                                                                \
    tfx_store(t + i * TFX_PANEL + c * TFX_LANES,                                         \
              __builtin_convertvector(a##i##c, tfx_v) * s[i] *                           \
                  tfx_load(scale + c * TFX_LANES));
#define TFX_DOT_OUT_1(i) TFX_DOT_OUT(i, 0)
#define TFX_DOT_OUT_2(i) TFX_DOT_OUT_1(i) TFX_DOT_OUT(i, 1)
#define TFX_DOT_OUT_3(i) TFX_DOT_OUT_2(i) TFX_DOT_OUT(i, 2)
#define TFX_DOT_OUT_4(i) TFX_DOT_OUT_3(i) TFX_DOT_OUT(i, 3)

// As in tile.h, one variable for each accumulator and no constant k, for gcc 12.
#define TFX_DEFINE_DOT(FMT, R, C)                                                        \
    static TFX_FLAT void tfx_dot_##R##x##C(                                              \
        float *t, const uint8_t *x, ptrdiff_t ldx, const float *s, const int8_t *w,      \
        ptrdiff_t ldw, const int32_t *shift, const float *scale, ptrdiff_t k,            \
        const char *next, ptrdiff_t hop)                                                 \
    {                                                                                    \
        (void)shift;                                                                     \
        TFX_ROWS_##R(TFX_DOT_ROW)                                                        \
        TFX_ROWS_##R(TFX_DOT_START_##C)                                                  \
        for (ptrdiff_t kk = 0; kk < k; kk += 4) {                                        \
            TFX_DOT_W_##C                                                                \
            TFX_PREFETCH_FAR(next);                                                      \
            TFX_PREFETCH_FAR(next + hop);                                                \
            next += 2 * hop;                                                             \
            TFX_ROWS_##R(TFX_DOT_STEP_##C)                                               \
            w += ldw;                                                                    \
        }                                                                                \
        TFX_ROWS_##R(TFX_DOT_OUT_##C)                                                    \
    }

#define TFX_CASE_DOT(FMT, R, C)                                                          \
    case R:                                                                              \
        tfx_dot_##R##x##C(t + c, x, ldx, s, w + 4 * c, 4 * width, shift + c, scale + c, k, next, hop); \
        break;

TFX_ALL_TILES(TFX_DEFINE_DOT, i8)
// clang-format on

static TFX_UNUSED void tfx_block_i8(float *t, const uint8_t *x, ptrdiff_t ldx,
                                    const float *s, const int8_t *w, ptrdiff_t width,
                                    const int32_t *shift, const float *scale,
                                    ptrdiff_t rows, ptrdiff_t k, const char *next)
{
    ptrdiff_t c = 0, hop = next == (const char *)w ? 0 : 64;
    TFX_STRIPS(TFX_CASE_DOT, i8)
}

#else

static TFX_UNUSED void tfx_block_i8(float *t, const uint8_t *x, ptrdiff_t ldx,
                                    const float *s, const int8_t *w, ptrdiff_t width,
                                    const int32_t *shift, const float *scale,
                                    ptrdiff_t rows, ptrdiff_t k, const char *next)
{
    (void)shift, (void)next;
    for (ptrdiff_t i = 0; i < rows; i++) {
        int32_t a[TFX_PANEL] = {0};
        for (ptrdiff_t kk = 0; kk < k; kk++) {
            int32_t b = x[i * ldx + kk];
            const int8_t *v = w + kk / 4 * 4 * width + kk % 4;
            b -= b < 128 ? 0 : 256;
            for (ptrdiff_t c = 0; c < width; c++)
                a[c] += b * v[4 * c];
        }
        for (ptrdiff_t c = 0; c < width; c++)
            t[i * TFX_PANEL + c] = (float)a[c] * s[i] * scale[c];
    }
}

#endif

// ---- panels --------------------------------------------------------------------------

#if TFX_AMX

static TFX_UNUSED void tfx_begin_i8(const tfx_linear_call *p)
{
    if (p->hop != 64)
        tfx_amx_begin_few(7, (int)tfx_min_size(p->m, 16));
}

static TFX_UNUSED void tfx_end_i8(const tfx_linear_call *p)
{
    if (p->hop != 64)
        tfx_amx_end();
}

// Sums of whole numbers to floats: those of row r on come from `skip` rows further. At
// `shift` are the shifts of `width` columns, then their scales.
static inline void tfx_amx_scale(float *t, const tfx_linear_call *p,
                                 const int32_t *shift, ptrdiff_t width, ptrdiff_t r,
                                 ptrdiff_t rows, ptrdiff_t skip)
{
    const float *s = tfx_row_scales(p) + r;
    for (ptrdiff_t i = 0; i < rows; i++, t += TFX_PANEL)
        for (ptrdiff_t c = 0; c < width; c += TFX_LANES) {
            tfx_m sum = tfx_load_m(t + skip * TFX_PANEL + c) + tfx_load_m(shift + c);
            tfx_v scale = tfx_load((const float *)(const void *)(shift + width + c));
            tfx_store(t + c, __builtin_convertvector(sum, tfx_v) * s[i] * scale);
        }
}

// Fewer than 16 rows are summed with rows before them, which they may overwrite: the sums
// of both are the same.
static TFX_UNUSED void tfx_amx_sums_i8(float *t, const tfx_linear_call *p,
                                       const int8_t *w, ptrdiff_t width, ptrdiff_t r,
                                       ptrdiff_t rows)
{
    ptrdiff_t k4 = TFX_PADDED(p->k, 4),
              skip = tfx_max_size(tfx_min_size(r, 16 - rows), 0);
    ptrdiff_t batches = (p->m + TFX_AMX_BATCH - 1) / TFX_AMX_BATCH;
    ptrdiff_t steps = (k4 + 63) / 64 * batches;
    tfx_amx_i8 a = {.x = (const uint8_t *)p->rounded + (r - skip) * 64,
                    .w = w,
                    .m64 = p->hop,
                    .k4 = k4,
                    .width = width};
    a.more = a.x + tfx_max_size(rows - 16, 0) * 64;
    a.lines = (TFX_PANEL * (k4 + 8) / 64 + steps - 1) / steps;
    a.soon = (const char *)w + (k4 + 8) * TFX_PANEL +
             r / TFX_AMX_BATCH * (k4 + 63) / 64 * a.lines * 64;
    tfx_amx_panel((int32_t *)(void *)t, &a);
    tfx_amx_scale(t, p, (const int32_t *)(const void *)(w + width * k4), width, r, rows,
                  skip);
}

// Two whole panels of up to 16 rows; the other one is `apart` panels further.
static TFX_UNUSED void tfx_amx_two_i8(float *t, ptrdiff_t step,
                                      const tfx_linear_call *p, ptrdiff_t col,
                                      ptrdiff_t apart)
{
    const ptrdiff_t k4 = TFX_PADDED(p->k, 4), other = apart * TFX_PANEL * (k4 + 8);
    const int8_t *w = (const int8_t *)p->w + col * (k4 + 8);
    const int32_t *shift = (const int32_t *)(const void *)(w + TFX_PANEL * k4);
    const tfx_amx_i8 a = {
        .x = (const uint8_t *)p->rounded, .w = w, .m64 = p->hop, .k4 = k4};
    tfx_amx_two((int32_t *)(void *)t, apart * step, &a, other);
    tfx_amx_scale(t, p, shift, TFX_PANEL, 0, p->m, 0);
    tfx_amx_scale(t + apart * step, p, shift + other / 4, TFX_PANEL, 0, p->m, 0);
}

#else
#    define tfx_begin_i8 tfx_begin_none
#    define tfx_end_i8   tfx_begin_none
#endif

static TFX_UNUSED void tfx_sums_i8(float *t, const tfx_linear_call *p, ptrdiff_t col,
                                   ptrdiff_t width, ptrdiff_t r, ptrdiff_t rows)
{
    ptrdiff_t k4 = TFX_PADDED(p->k, 4);
    const int8_t *w = (const int8_t *)p->w + col * (k4 + 8);
    const void *end = w + width * k4;
    const int32_t *shift = (const int32_t *)end;
    const float *scale = (const float *)end + width;
#if TFX_AMX
    if (p->hop != 64) {
        tfx_amx_sums_i8(t, p, w, width, r, rows);
        return;
    }
#endif
    for (ptrdiff_t i = 0; i < rows; i += TFX_TILE_ROWS, r += TFX_TILE_ROWS) {
        const uint8_t *x = (const uint8_t *)p->rounded + r * k4;
        const char *next = (const char *)w + (r == 0 ? (k4 + 8) * TFX_PANEL : 0);
        tfx_block_i8(t + i * TFX_PANEL, x, k4, tfx_row_scales(p) + r, w, width, shift,
                     scale, tfx_min_size(rows - i, TFX_TILE_ROWS), k4, next);
    }
}

static TFX_UNUSED void tfx_panels_i8(float *t, ptrdiff_t step, const tfx_linear_call *p,
                                     ptrdiff_t col, ptrdiff_t panels)
{
    ptrdiff_t i = 0;
#if TFX_AMX
    ptrdiff_t pairs = tfx_min_size((p->n - col) / TFX_PANEL, panels) / 2;
    if (p->hop != 64 && p->m <= 16) {
        for (; i < pairs; i++)
            tfx_amx_two_i8(t + i * step, step, p, col + i * TFX_PANEL, pairs);
        i += pairs;
    }
#endif
    for (; i < panels; i++) {
        ptrdiff_t at = col + i * TFX_PANEL;
        tfx_sums_i8(t + i * step, p, at, tfx_panel_width(p->n, at), 0, p->m);
    }
}

#if TFX_LANES == 16
// As tfx_vector_FMT of tile.h: four panels, `step` bytes apart, at once.
// clang-format off
#define TFX_DOT_ZERO(i, c) tfx_m a##i##c = {0};
#define TFX_DOT_ZERO_3(i)  TFX_DOT_ZERO(i, 0) TFX_DOT_ZERO(i, 1) TFX_DOT_ZERO(i, 2)
#define TFX_DOT_PANEL(i)                                                                 \
    {                                                                                    \
        const int8_t *v = w + i * step;                                                  \
        tfx_m w0 = tfx_load_m(v), w1 = tfx_load_m(v + 64), w2 = tfx_load_m(v + 128);     \
        TFX_PREFETCH(v + TFX_VECTOR_AHEAD);                                                 \
        TFX_PREFETCH(v + TFX_VECTOR_AHEAD + 64);                                            \
        TFX_PREFETCH(v + TFX_VECTOR_AHEAD + 128);                                           \
        TFX_DOT_3(i)                                                                     \
    }
#define TFX_DOT_SCALE(i, c)                                                              \
    tfx_store(t + i * TFX_PANEL + c * 16,                                                \
              __builtin_convertvector(a##i##c + tfx_load_m(end + i * step + c * 64), tfx_v) * \
                  s * tfx_load((const float *)(const void *)(end + i * step + 192) + c * 16));
#define TFX_DOT_SCALE_3(i) TFX_DOT_SCALE(i, 0) TFX_DOT_SCALE(i, 1) TFX_DOT_SCALE(i, 2)

static TFX_FLAT void tfx_vector_i8(float *t, const uint8_t *x, float s, const int8_t *w,
                                   ptrdiff_t k4)
{
    const ptrdiff_t step = TFX_PANEL * (k4 + 8);
    const int8_t *end = w + TFX_PANEL * k4;
    TFX_ROWS_4(TFX_DOT_ZERO_3)
    for (ptrdiff_t kk = 0; kk < k4; kk += 4) {
        tfx_m b = tfx_splat_m(*(const tfx_word *)(x + kk));
        TFX_ROWS_4(TFX_DOT_PANEL)
        w += 4 * TFX_PANEL;
    }
    TFX_ROWS_4(TFX_DOT_SCALE_3)
}
// clang-format on

static TFX_UNUSED void tfx_vector_sums_i8(float *t, const tfx_linear_call *p,
                                          ptrdiff_t col)
{
    const ptrdiff_t k4 = TFX_PADDED(p->k, 4);
    tfx_vector_i8(t, (const uint8_t *)p->rounded, *tfx_row_scales(p),
                  (const int8_t *)p->w + col * (k4 + 8), k4);
}
#endif

#endif
