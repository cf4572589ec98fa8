// SPDX-License-Identifier: 0BSD
// pairs.h - bf16a16: bf16 weights by activations rounded to bf16, sums in f32.
//
// A 32-bit word of a panel is two neighbours along k, what VDPBF16PS and the tiles of AMX
// multiply; other targets take the word apart into two floats. Products of two bf16 are
// exact in f32, so that only the rounding of x and the order of a sum show.
//
// The work area has rows rounded once for all panels, k padded to 32 with zeros:
//     tiles    bf16 [m / 16][k / 32][16][32], of the last block as many rows as there are
//     pairs    bf16 [m][k], for VDPBF16PS
//     others   f32 [m][k], values of bf16

#ifndef TFX_PAIRS_H
#define TFX_PAIRS_H

#include "amx.h"
#include "sums.h"

#define TFX_WORK_PARAM_bf16a16 , float *work
#define TFX_WORK_VALUE_bf16a16 work

enum { tfx_batch_bf16a16 = TFX_LINEAR_ROWS };

#if TFX_LANES == 16 && defined(__AVX512BF16__)
#    include <immintrin.h>
#    define TFX_HAS_PAIRS 1
typedef uint16_t tfx_rounded_x;
#else
#    define TFX_HAS_PAIRS 0
typedef float tfx_rounded_x;
#endif

#ifndef TFX_PAIRS_MIN  // rows from which tiles are faster; 8 at least, see tfx_pairs_strip
#    define TFX_PAIRS_MIN 8
#endif

static inline int tfx_pairs_by_tiles(const tfx_linear_call *p)
{
#if TFX_AMX
    return p->m >= TFX_PAIRS_MIN && tfx_amx_is_ready();
#else
    (void)p;
    return 0;
#endif
}

// ---- rows of x to bf16 ---------------------------------------------------------------

// 32 floats.
TFX_INLINE void tfx_round_pairs(tfx_rounded_x *to, const float *x)
{
#if TFX_HAS_PAIRS
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)tfx_load(x + 16),
                                                         (__m512)tfx_load(x)));
#else
    for (int i = 0; i < 32; i += TFX_LANES) {
        tfx_v a = tfx_load(x + i);
        tfx_u b = tfx_bits_v(a), r = b + 0x7fffu + (b >> 16 & 1u);
        tfx_store(to + i, tfx_sel_v(tfx_eq_v(a, a), tfx_of_bits_v(r & 0xffff0000u), a));
    }
#endif
}

static TFX_UNUSED void tfx_round_task_bf16a16(void *arg, int index, int thread)
{
    const tfx_linear_call *p = (const tfx_linear_call *)arg;
    const ptrdiff_t padded = TFX_PADDED(p->k, 32);
    const ptrdiff_t end = p->m * (index + 1) / p->ntasks;
    const int tiles = tfx_pairs_by_tiles(p);
    float part[32];
    (void)thread;
    for (ptrdiff_t r = p->m * index / p->ntasks; r < end; r++) {
        ptrdiff_t block = r / 16 * 16;
        ptrdiff_t hop = tiles ? 32 * tfx_min_size(p->m - block, 16) : 32;
        tfx_rounded_x *to = (tfx_rounded_x *)(void *)p->work;
        to += tiles ? block * padded + (r - block) * 32 : r * padded;
        for (ptrdiff_t k = 0; k < p->k; k += 32, to += hop) {
            const float *x = p->x + r * p->ldx + k;
            if (p->k - k < 32) {
                for (ptrdiff_t i = 0; i < 32; i++)
                    part[i] = i < p->k - k ? x[i] : 0.0f;
                x = part;
            }
            tfx_round_pairs(to, x);
        }
    }
}

static TFX_UNUSED void tfx_prepare_bf16a16(tfx_linear_call *p, const tfx_par *par,
                                           float *work)
{
    enum { FEW = 16384 };  // elements rounded in the time it takes to wake a thread
    ptrdiff_t most = par && p->m * p->k > FEW ? 2 * (ptrdiff_t)par->threads : 1;
    p->work = work;
    p->ntasks = (int)(p->m < most ? p->m : most);
    tfx_run(par, tfx_round_task_bf16a16, p, p->ntasks);
}

// ---- tiles in registers --------------------------------------------------------------
//
// As in tile.h, a step being a pair of k. Where the word is taken apart its first element
// comes first: the order of a sum is that of k.

#if TFX_LANES > 1
typedef uint32_t tfx_u_pair
    __attribute__((vector_size(4 * TFX_LANES), aligned(4), may_alias));
typedef int32_t tfx_pair __attribute__((aligned(2), may_alias));

TFX_INLINE tfx_v tfx_load_pair(const uint32_t *w)
{
    return tfx_of_bits_v((tfx_u)(*(const tfx_u_pair *)w));
}
#else
#    define tfx_load_pair(w) tfx_of_bits_f(*(w))
#endif

TFX_INLINE tfx_v tfx_load_first(const uint32_t *w)
{
    return tfx_of_bits_v(tfx_bits_v(tfx_load_pair(w)) << 16);
}

TFX_INLINE tfx_v tfx_load_second(const uint32_t *w)
{
    return tfx_of_bits_v(tfx_bits_v(tfx_load_pair(w)) & 0xffff0000u);
}

// clang-format off
#if TFX_HAS_PAIRS
TFX_INLINE tfx_v tfx_pair_v(tfx_v a, tfx_v x, tfx_v w)
{
    return (tfx_v)_mm512_dpbf16_ps((__m512)a, (__m512bh)x, (__m512bh)w);
}

TFX_INLINE tfx_v tfx_splat_pair(const uint16_t *x)
{
    return (tfx_v)_mm512_set1_epi32(*(const tfx_pair *)(const void *)x);
}

#define TFX_PAIR_1(i) a##i##0 = tfx_pair_v(a##i##0, b, w0);
#define TFX_PAIR_2(i) TFX_PAIR_1(i) a##i##1 = tfx_pair_v(a##i##1, b, w1);
#define TFX_PAIR_3(i) TFX_PAIR_2(i) a##i##2 = tfx_pair_v(a##i##2, b, w2);
#define TFX_PAIR_STEP_1(i) { tfx_v b = tfx_splat_pair(x##i + kk); TFX_PAIR_1(i) }
#define TFX_PAIR_STEP_3(i) { tfx_v b = tfx_splat_pair(x##i + kk); TFX_PAIR_3(i) }
#define TFX_PAIR_STEP(R, C) { TFX_W_##C(pair) TFX_ROWS_##R(TFX_PAIR_STEP_##C) kk += 2; }
#else
#define TFX_PAIR_STEP(R, C)                                                              \
    { TFX_W_##C(first) TFX_ROWS_##R(TFX_STEP_##C) kk++; }                                \
    { TFX_W_##C(second) TFX_ROWS_##R(TFX_STEP_##C) kk++; }
#endif

#define TFX_PAIR_INPUT(i) const tfx_rounded_x *x##i = x + i * ldx;
#define TFX_PAIR_NEXT(p)                                                                 \
    TFX_PREFETCH_FAR(next + 64 * kk);                                                    \
    TFX_PREFETCH_FAR(next + 64 * kk + 64);

#define TFX_DEFINE_PAIRS(FMT, R, C)                                                      \
    TFX_DEFINE_PAIRS_AS(tfx_pairs_##R##x##C, R, C, TFX_PAIR_NEXT)                        \
    TFX_DEFINE_PAIRS_AS(tfx_pairs_stream_##R##x##C, R, C, TFX_TILE_PREFETCH_##C)
#define TFX_DEFINE_PAIRS_AS(NAME, R, C, PREFETCH)                                        \
    static TFX_FLAT void NAME(                                                           \
        float *t, const tfx_rounded_x *x, ptrdiff_t ldx, const uint32_t *w,              \
        ptrdiff_t ldw, ptrdiff_t k, const char *next)                                    \
    {                                                                                    \
        const tfx_v zero = tfx_splat_v(0.0f);                                            \
        (void)next;                                                                      \
        TFX_ROWS_##R(TFX_PAIR_INPUT)                                                     \
        TFX_ROWS_##R(TFX_ACC_##C)                                                        \
        for (ptrdiff_t kk = 0; kk < k;) {                                                \
            PREFETCH(w + TFX_TILE_AHEAD * ldw)                                           \
            TFX_PAIR_STEP(R, C)                                                          \
            w += ldw;                                                                    \
        }                                                                                \
        TFX_ROWS_##R(TFX_OUT_##C)                                                        \
    }
TFX_ALL_TILES(TFX_DEFINE_PAIRS, bf16a16)

#define TFX_CASE_PAIRS(FMT, R, C)                                                        \
    case R:                                                                              \
        if (next)                                                                        \
            tfx_pairs_##R##x##C(t + c, x, ldx, w + c, width, k, next);                   \
        else                                                                             \
            tfx_pairs_stream_##R##x##C(t + c, x, ldx, w + c, width, k, next);            \
        break;

static TFX_UNUSED void tfx_block_bf16a16(float *t, const tfx_rounded_x *x, ptrdiff_t ldx,
                                         const uint32_t *w, ptrdiff_t width,
                                         ptrdiff_t rows, ptrdiff_t k, const char *next)
{
    ptrdiff_t c = 0;
    TFX_STRIPS(TFX_CASE_PAIRS, bf16a16)
}

// One row by TFX_VECTOR_PANELS panels at once.
#if TFX_LANES == 16
#define TFX_PAIR_FAR(LOAD, i)                                                            \
    const uint32_t *at = w + i * step;                                                   \
    tfx_v w0 = LOAD(at), w1 = LOAD(at + 16), w2 = LOAD(at + 32);
#define TFX_PAIR_AHEAD(i) TFX_TILE_PREFETCH_3(w + i * step + 20 * TFX_PANEL)
#if TFX_HAS_PAIRS
#define TFX_PAIR_ONE(i) { TFX_PAIR_FAR(tfx_load_pair, i) TFX_PAIR_3(i) TFX_PAIR_AHEAD(i) }
#define TFX_PAIR_ONES                                                                    \
    { tfx_v b = tfx_splat_pair(x + kk); TFX_ROWS_4(TFX_PAIR_ONE) }
#else
#define TFX_PAIR_FIRST(i)  { TFX_PAIR_FAR(tfx_load_first, i) TFX_FMA_3(i) TFX_PAIR_AHEAD(i) }
#define TFX_PAIR_SECOND(i) { TFX_PAIR_FAR(tfx_load_second, i) TFX_FMA_3(i) }
#define TFX_PAIR_ONES                                                                    \
    { tfx_v b = tfx_splat_v(x[kk]); TFX_ROWS_4(TFX_PAIR_FIRST) }                         \
    { tfx_v b = tfx_splat_v(x[kk + 1]); TFX_ROWS_4(TFX_PAIR_SECOND) }
#endif

static TFX_UNUSED void tfx_vector_sums_bf16a16(float *t, const tfx_linear_call *p,
                                               ptrdiff_t col)
{
    const tfx_v zero = tfx_splat_v(0.0f);
    const ptrdiff_t step = TFX_PANEL * (TFX_PADDED(p->k, 32) / 2);
    const tfx_rounded_x *x = (const tfx_rounded_x *)(const void *)p->work;
    const uint32_t *w = (const uint32_t *)p->w + col * (TFX_PADDED(p->k, 32) / 2);
    TFX_ROWS_4(TFX_ACC_3)
    for (ptrdiff_t kk = 0; kk < p->k; kk += 2) {
        TFX_PAIR_ONES
        w += TFX_PANEL;
    }
    TFX_ROWS_4(TFX_OUT_3)
}
#endif
// clang-format on

// ---- tiles of AMX --------------------------------------------------------------------
//
// Both operands are loaded from where they lie. Tiles: 0 to 2 the sums of 16 rows, 3 to 5 of
// 16 further rows, 6 is x, 7 is w. A block of fewer rows is read as if it had 16: what comes
// after it in the work area, which has room for twice as much, makes sums nobody reads.

#if TFX_AMX

#    ifndef TFX_PAIRS_K  // of a panel at a time, which stays in the first-level cache
#        define TFX_PAIRS_K 256
#    endif

typedef struct tfx_pairs_strip_of {
    const uint16_t *x, *more;   // 16 rows and 16 further ones
    ptrdiff_t x_hop, more_hop;  // to the next 32 of k
    const uint32_t *w;          // pairs of the strip's columns, `width` apart
    ptrdiff_t width, steps;     // steps of 32
    const char *soon;           // `lines` cache lines of it are fetched every step
    ptrdiff_t lines;
} tfx_pairs_strip_of;

TFX_INLINE void tfx_pairs_strip(float *t, const tfx_pairs_strip_of *a, const int first,
                                const int has_more, const int cols)
{
    const uint16_t *x = a->x, *more = a->more;
    const uint32_t *w = a->w;
    const char *soon = a->soon;
    const ptrdiff_t ldw = 4 * a->width;
    float *further = t + 16 * TFX_PANEL;
    if (first)
        tfx_amx_zero();
    else
        TFX_AMX_SUMS(_tile_loadd, t, further, 4 * TFX_PANEL, has_more, cols);
    for (ptrdiff_t s = 0; s < a->steps; s++) {
        TFX_AMX_STEP(_tile_dpbf16ps, x, more, w, ldw, has_more, cols, soon, a->lines);
        x += a->x_hop;
        if (has_more)
            more += a->more_hop;
        w += 16 * a->width;
    }
    TFX_AMX_SUMS(_tile_stored, t, further, 4 * TFX_PANEL, has_more, cols);
}

// 16 or 32 rows by a panel's columns.
static TFX_FLAT void tfx_pairs_part(float *t, tfx_pairs_strip_of *a, int first)
{
    if (a->width == TFX_PANEL && a->more && first)
        tfx_pairs_strip(t, a, 1, 1, 3);
    else if (a->width == TFX_PANEL && a->more)
        tfx_pairs_strip(t, a, 0, 1, 3);
    else if (a->width == TFX_PANEL)
        tfx_pairs_strip(t, a, first, 0, 3);
    else
        for (ptrdiff_t c = 0; c < a->width; c += 16, a->w += 16)
            tfx_pairs_strip(t + c, a, first, 0, 1);
}

static TFX_UNUSED void tfx_pairs_tiles(float *t, const tfx_linear_call *p,
                                       const uint32_t *w, ptrdiff_t width, ptrdiff_t r,
                                       ptrdiff_t rows)
{
    const ptrdiff_t padded = TFX_PADDED(p->k, 32);
    const uint16_t *x = (const uint16_t *)(const void *)p->work + r * padded;
    const ptrdiff_t each = width == TFX_PANEL ? 32 : 16;
    ptrdiff_t k = 0;
    tfx_amx_settle();
    do {
        tfx_pairs_strip_of a = {.width = width};
        a.steps = tfx_min_size(padded - k, TFX_PAIRS_K) / 32;
        ptrdiff_t parts = a.steps * ((rows + each - 1) / each);
        a.soon = (const char *)(w + a.steps * 16 * width);
        a.lines = parts > 0 ? (a.steps * width + parts - 1) / parts : 0;
        for (ptrdiff_t i = 0; i < rows; i += each) {
            a.x_hop = 32 * tfx_min_size(rows - i, 16);
            a.more_hop = 32 * tfx_min_size(rows - i - 16, 16);
            a.x = x + i * padded + k / 32 * a.x_hop;
            a.more = NULL;
            if (each == 32 && rows - i > 16)
                a.more = x + (i + 16) * padded + k / 32 * a.more_hop;
            a.w = w;
            tfx_pairs_part(t + i * TFX_PANEL, &a, k == 0);
            a.soon += a.steps * a.lines * 64;
        }
        w += a.steps * 16 * width;
        k += TFX_PAIRS_K;
    } while (k < padded);
    tfx_amx_settle();
}

static TFX_UNUSED void tfx_begin_bf16a16(const tfx_linear_call *p)
{
    if (tfx_pairs_by_tiles(p))
        tfx_amx_begin();
}

static TFX_UNUSED void tfx_end_bf16a16(const tfx_linear_call *p)
{
    if (tfx_pairs_by_tiles(p))
        tfx_amx_end();
}

#else
#    define tfx_begin_bf16a16 tfx_begin_none
#    define tfx_end_bf16a16   tfx_begin_none

#endif

static TFX_UNUSED void tfx_sums_bf16a16(float *t, const tfx_linear_call *p,
                                        ptrdiff_t col, ptrdiff_t width, ptrdiff_t r,
                                        ptrdiff_t rows)
{
    const ptrdiff_t padded = TFX_PADDED(p->k, 32);
    const uint32_t *w = (const uint32_t *)p->w + col * (padded / 2);
#if TFX_AMX
    if (tfx_pairs_by_tiles(p)) {
        tfx_pairs_tiles(t, p, w, width, r, rows);
        return;
    }
#endif
    for (ptrdiff_t i = 0; i < rows; i += TFX_TILE_ROWS) {
        const tfx_rounded_x *x = (const tfx_rounded_x *)(const void *)p->work;
        const void *next = tfx_next_part(p, w, 2 * TFX_PANEL * padded, r + i);
        tfx_block_bf16a16(t + i * TFX_PANEL, x + (r + i) * padded, padded, w, width,
                          tfx_min_size(rows - i, TFX_TILE_ROWS), p->k,
                          (const char *)next);
    }
}

TFX_DEFINE_PANELS(bf16a16)

#endif
