// SPDX-License-Identifier: 0BSD
// groupamx.h - sums of i8g32a8 and i4g32a8: blocks of 16 rows by AMX, others by groupdot.h.
//
// A tile of 16 rows by 16 columns takes one product of tiles for a group, 16 x 32 bytes of x
// by 32 x 16 of w, and goes through memory to the sums of floats. Weights of i8 are loaded
// from where they lie packed; i4 are written as bytes first, a piece of k at a time, which
// all row blocks of the batch use.

#ifndef TFX_GROUPAMX_H
#define TFX_GROUPAMX_H

#include "amx.h"
#include "groupdot.h"

enum { tfx_batch_i8g32a8 = TFX_LINEAR_ROWS, tfx_batch_i4g32a8 = TFX_LINEAR_ROWS };

#if TFX_AMX

// What a tile needs of the weights: groups from `q` and `scale` on, so many bytes apart.
typedef struct tfx_gamx {
    const int8_t *q;       // rows of 16 columns x 4 bytes, ldq bytes apart
    const uint8_t *scale;  // f16 of 16 columns
    ptrdiff_t ldq, q_step, scale_step, groups;
    const char *next;  // lines needed soon, one a group
} tfx_gamx;

// Tiles 0 and 1 are sums, 2 and 3 of x, 4 and 5 of w.
static TFX_UNUSED void tfx_gamx_begin(void)
{
    static const tfx_amx_config config = {.palette = 1,
                                          .row_bytes = {64, 64, 32, 32, 64, 64},
                                          .rows = {16, 16, 16, 16, 8, 8}};
    _tile_loadconfig(&config);
}

// clang-format off
#define TFX_GAMX_TAKE(i) tfx_v a##i = tfx_load(t + i * TFX_PANEL);
#define TFX_GAMX_OUT(i)  tfx_store(t + i * TFX_PANEL, a##i);
#define TFX_GAMX_ADD(i)                                                                  \
    a##i = tfx_fma_v(__builtin_convertvector(tfx_load_m(d + 16 * i), tfx_v),             \
                     scale * tfx_splat_v(s[i]), a##i);
#define TFX_GAMX_ADDS(sum)                                                               \
    {                                                                                    \
        const int32_t *d = sum;                                                          \
        tfx_v scale = tfx_load_f16((const uint16_t *)(const void *)scales);              \
        TFX_ROWS_16(TFX_GAMX_ADD)                                                        \
        scales += w->scale_step;                                                         \
        s += TFX_ROUND_ROWS;                                                             \
    }
#define TFX_GAMX_SUMS(C, X, W, sum)                                                      \
    _tile_zero(C);                                                                       \
    _tile_loadd(X, x, TFX_GROUP);                                                        \
    _tile_loadd(W, q, w->ldq);                                                           \
    _tile_dpbssd(C, X, W);                                                               \
    _tile_stored(C, sum, 64);                                                            \
    x += TFX_ROUND_ROWS * TFX_GROUP;                                                     \
    q += w->q_step;                                                                      \
    TFX_PREFETCH_FAR(next);                                                              \
    next += 64;

// Adds to t[16][.]; the sums of a group are made while those before it are added.
static TFX_FLAT void tfx_gamx_tile(float *t, const int8_t *x, const float *s,
                                   const tfx_gamx *w)
{
    int32_t even[256] __attribute__((aligned(64))), odd[256] __attribute__((aligned(64)));
    const int8_t *q = w->q;
    const uint8_t *scales = w->scale;
    const char *next = w->next;
    ptrdiff_t g = 1;
    TFX_ROWS_16(TFX_GAMX_TAKE)
    TFX_GAMX_SUMS(0, 2, 4, even)
    for (; g + 1 < w->groups; g += 2) {
        TFX_GAMX_SUMS(1, 3, 5, odd)
        TFX_GAMX_ADDS(even)
        TFX_GAMX_SUMS(0, 2, 4, even)
        TFX_GAMX_ADDS(odd)
    }
    if (g < w->groups) {
        TFX_GAMX_SUMS(1, 3, 5, odd)
        TFX_GAMX_ADDS(even)
        TFX_GAMX_ADDS(odd)
    } else {
        TFX_GAMX_ADDS(even)
    }
    TFX_ROWS_16(TFX_GAMX_OUT)
}
// clang-format on

// A group of nibbles, [4][width][4] of two each, as bytes [8][width][4].
static TFX_UNUSED void tfx_gamx_bytes(int8_t *to, const uint8_t *q, ptrdiff_t width)
{
    const __m512i mask = _mm512_set1_epi8(15), eight = _mm512_set1_epi8(8);
    for (const uint8_t *end = q + 16 * width; q < end; to += 4 * width)
        for (ptrdiff_t c = 0; c < width; c += 16, q += 64, to += 64) {
            __m512i two = (__m512i)tfx_load_u(q);
            __m512i low = _mm512_and_si512(two, mask);
            __m512i high = _mm512_and_si512(_mm512_srli_epi32(two, 4), mask);
            _mm512_storeu_si512(to, _mm512_sub_epi8(low, eight));
            _mm512_storeu_si512(to + 4 * width, _mm512_sub_epi8(high, eight));
        }
}

// Whole blocks of 16 rows from row r on by the panel w, whose groups have size bytes a
// column.
static TFX_UNUSED void tfx_gamx_blocks(float *t, const tfx_linear_call *p,
                                       const uint8_t *w, ptrdiff_t width, ptrdiff_t r,
                                       ptrdiff_t rows, ptrdiff_t size)
{
    enum { PIECE = 8, BYTES = TFX_GROUP * TFX_PANEL };
    int8_t bytes[PIECE * BYTES] __attribute__((aligned(64)));
    const ptrdiff_t groups = TFX_PADDED(p->k, TFX_GROUP) / TFX_GROUP;
    for (ptrdiff_t i = 0; i < rows * TFX_PANEL; i++)
        t[i] = 0.0f;
    tfx_gamx_begin();
    for (ptrdiff_t g = 0, n; g < groups; g += n, w += n * size * width) {
        tfx_gamx part = {.ldq = 4 * width, .scale_step = size * width};
        part.groups = n = tfx_min_size(groups - g, PIECE);
        part.next = (const char *)w + n * size * width;
        part.q_step = size == TFX_BYTES_i4g32 ? TFX_GROUP * width : size * width;
        for (ptrdiff_t i = 0; size == TFX_BYTES_i4g32 && i < n; i++)
            tfx_gamx_bytes(bytes + i * part.q_step, w + i * size * width + 2 * width,
                           width);
        tfx_amx_settle();
        for (ptrdiff_t i = 0; i < rows; i += TFX_ROUND_ROWS) {
            tfx_rounded x = tfx_rounded_at(p, r + i);
            for (ptrdiff_t c = 0; c < width; c += 16, part.next += 64 * n) {
                part.q =
                    size == TFX_BYTES_i4g32 ? bytes : (const int8_t *)w + 2 * width;
                part.q += 4 * c;
                part.scale = w + 2 * c;
                tfx_gamx_tile(t + i * TFX_PANEL + c, x.q + g * x.step * TFX_GROUP,
                              x.s + g * x.step, &part);
            }
        }
    }
    tfx_amx_end();
}

#endif

#define TFX_DEFINE_GDOT_SUMS(FMT)                                                      \
    static TFX_UNUSED void tfx_sums_##FMT(float *t, const tfx_linear_call *p,          \
                                          ptrdiff_t col, ptrdiff_t width, ptrdiff_t r, \
                                          ptrdiff_t rows)                              \
    {                                                                                  \
        const ptrdiff_t groups = TFX_PADDED(p->k, TFX_GROUP) / TFX_GROUP;              \
        const uint8_t *w = (const uint8_t *)p->w + col * groups * TFX_BYTES_##FMT;     \
        ptrdiff_t i = 0;                                                               \
        TFX_GAMX_FIRST(i, FMT)                                                         \
        for (; i < rows; i += TFX_GDOT_ROWS) {                                         \
            tfx_rounded x = tfx_rounded_at(p, r + i);                                  \
            tfx_gdot_block_##FMT(t + i * TFX_PANEL, &x, w, width,                      \
                                 tfx_min_size(rows - i, TFX_GDOT_ROWS), groups);       \
        }                                                                              \
    }
#if TFX_AMX
#    define TFX_GAMX_FIRST(i, FMT)                                                     \
        if (rows >= TFX_ROUND_ROWS && tfx_amx_is_ready()) {                            \
            i = rows / TFX_ROUND_ROWS * TFX_ROUND_ROWS;                                \
            tfx_gamx_blocks(t, p, w, width, r, i, TFX_BYTES_##FMT);                    \
        }
#else
#    define TFX_GAMX_FIRST(i, FMT)
#endif

TFX_DEFINE_GDOT_SUMS(i8g32a8)
TFX_DEFINE_GDOT_SUMS(i4g32a8)
TFX_DEFINE_PANELS(i8g32a8)
TFX_DEFINE_PANELS(i4g32a8)

#endif
