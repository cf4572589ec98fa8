// SPDX-License-Identifier: 0BSD
// bytes.h - rows of floats as bytes for i8 products: round(x / s), s = max |x| / 127 of a row.
//
// Where they lie follows from m and k alone, so that who makes a row can round it for who
// reads it.

#ifndef TFX_BYTES_H
#define TFX_BYTES_H

#include "dot_amx.h"
#include "dotv.h"

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

#endif
