// SPDX-License-Identifier: 0BSD
// sparse_amx.h - block48 weights times many rows by the tiles of Intel AMX (amx.h).
//
// Which k count is another list for every panel, so x is turned and split once, k by k, and
// a tile takes its pairs of k from wherever they lie:
//
//     work     [rows / 32][k][pieces][32 rows] bf16: TFX_SPARSE_SCRATCH(m, k) floats
//     y' = w x'    16 columns of a panel by 16 rows of x; kept k in steps of 32
//
// A panel's weights are turned by 16 x 16 on their way into tiles.

#ifndef TFX_SPARSE_AMX_H
#define TFX_SPARSE_AMX_H

#include "mix.h"
#include "sparse.h"
#include "split.h"

#if TFX_AMX

enum { TFX_SPARSE_K = 128 };  // kept k at a time

// ---- x, once for all panels ----------------------------------------------------------

// 32 rows by k; rows and k beyond are zeros or not there.
static TFX_UNUSED void tfx_sparse_turn(uint16_t *to, const float *x, ptrdiff_t ldx,
                                       ptrdiff_t rows, ptrdiff_t k)
{
    enum { HOP = TFX_AMX_PIECES * 32 };
    for (ptrdiff_t kk = 0; kk < k; kk += 16) {
        TFX_ALIGNED float edge[32 * 16], turned[16 * 32];
        const float *from = x + kk;
        ptrdiff_t ld = ldx, most = tfx_min_size(k - kk, 16);
        if (rows < 32 || most < 16) {
            for (ptrdiff_t i = 0; i < 32 * 16; i++)
                edge[i] = i / 16 < rows && i % 16 < most ? from[i / 16 * ldx + i % 16] : 0;
            from = edge, ld = 16;
        }
        tfx_attn_turn(turned, 32, from, ld, 1.0f);
        tfx_attn_turn(turned + 16, 32, from + 16 * ld, ld, 1.0f);
        for (ptrdiff_t i = 0; i < most; i++, to += HOP)
            tfx_amx_row(to, 32, tfx_load(turned + i * 32), tfx_load(turned + i * 32 + 16));
    }
}

static TFX_UNUSED void tfx_sparse_task(void *arg, int index, int thread)
{
    const tfx_linear_call *p = (const tfx_linear_call *)arg;
    ptrdiff_t r = index * (ptrdiff_t)32;
    (void)thread;
    tfx_sparse_turn((uint16_t *)(void *)p->work + r * p->k * TFX_AMX_PIECES,
                    p->x + r * p->ldx, p->ldx, tfx_min_size(p->m - r, 32), p->k);
}

static TFX_UNUSED void tfx_split_prepare_block48(tfx_linear_call *p, const tfx_par *par,
                                                 float *work)
{
    p->work = work;
    tfx_run(par, tfx_sparse_task, p, (int)((p->m + 31) / 32));
}

// ---- tiles ---------------------------------------------------------------------------

// w[n][width] of the n <= 32 next kept k to [width / 16][pieces][16 columns][32 k].
static TFX_UNUSED void tfx_sparse_weights(uint16_t *to, const float *w, ptrdiff_t width,
                                          ptrdiff_t n)
{
    for (ptrdiff_t c = 0; c < width; c += 16) {
        TFX_ALIGNED float edge[32 * 16], turned[16 * 32];
        const float *from = w + c;
        ptrdiff_t ld = width;
        if (n < 32) {
            for (ptrdiff_t i = 0; i < 32; i++)
                tfx_store(edge + i * 16, i < n ? tfx_load(from + i * width) : tfx_splat_v(0));
            from = edge, ld = 16;
        }
        tfx_attn_turn(turned, 32, from, ld, 1.0f);
        tfx_attn_turn(turned + 16, 32, from + 16 * ld, ld, 1.0f);
        for (ptrdiff_t i = 0; i < 16; i++)
            tfx_amx_row(to + i * 32, TFX_TILE_HALFS, tfx_load(turned + i * 32),
                        tfx_load(turned + i * 32 + 16));
        to += TFX_AMX_PIECES * TFX_TILE_HALFS;
    }
}

// The kept k of 32 rows, by pairs, to [2][pieces][16 pairs][16 rows][2].
static TFX_UNUSED void tfx_sparse_pairs(uint16_t *to, const uint16_t *x,
                                        const int32_t *kept, ptrdiff_t n)
{
    enum { HOP = TFX_AMX_PIECES * 32 };
    static const uint16_t low[32] TFX_ALIGNED = {
        0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
        8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
    const __m512i first = _mm512_load_si512(low);
    const __m512i second = _mm512_add_epi16(first, _mm512_set1_epi16(16));
    for (ptrdiff_t j = 0; j < 32; j += 2, to += 32)
        for (int i = 0; i < TFX_AMX_PIECES; i++) {
            __m512i a = _mm512_setzero_si512(), b = a;
            if (j < n)
                a = _mm512_loadu_si512(x + kept[j] * (ptrdiff_t)HOP + i * 32);
            if (j + 1 < n)
                b = _mm512_loadu_si512(x + kept[j + 1] * (ptrdiff_t)HOP + i * 32);
            uint16_t *at = to + i * TFX_TILE_HALFS;
            _mm512_storeu_si512(at, _mm512_permutex2var_epi16(a, first, b));
            _mm512_storeu_si512(at + TFX_AMX_PIECES * TFX_TILE_HALFS,
                                _mm512_permutex2var_epi16(a, second, b));
        }
}

// clang-format off
#define TFX_SPARSE_START(c)                                                              \
    if (first)                                                                           \
        _tile_zero(c);                                                                   \
    else                                                                                 \
        _tile_loadd(c, t + c * 16 * TFX_SPLIT_ROWS, TFX_SPLIT_ROWS * 4);
#define TFX_SPARSE_TAKE(c)                                                               \
    _tile_loadd(6, w, 64);                                                               \
    _tile_dpbf16ps(c, 6, 3);                                                             \
    if (TFX_AMX_PIECES > 1)                                                              \
        _tile_dpbf16ps(c, 6, 4);                                                         \
    if (TFX_AMX_PIECES > 2)                                                              \
        _tile_dpbf16ps(c, 6, 5);                                                         \
    if (TFX_AMX_PIECES > 1) {                                                            \
        _tile_loadd(7, w + TFX_TILE_HALFS, 64);                                          \
        _tile_dpbf16ps(c, 7, 3);                                                         \
        if (TFX_AMX_PIECES > 2)                                                          \
            _tile_dpbf16ps(c, 7, 4);                                                     \
    }                                                                                    \
    if (TFX_AMX_PIECES > 2) {                                                            \
        _tile_loadd(6, w + 2 * TFX_TILE_HALFS, 64);                                      \
        _tile_dpbf16ps(c, 6, 3);                                                         \
    }                                                                                    \
    w += TFX_AMX_PIECES * TFX_TILE_HALFS;
#define TFX_SPARSE_STORE(c)                                                              \
    _tile_stored(c, t + c * 16 * TFX_SPLIT_ROWS, TFX_SPLIT_ROWS * 4);

// t'[48][TFX_SPLIT_ROWS]: 16 rows of it by `steps` of 32 kept k.
#define TFX_DEFINE_SPARSE_TILE(C, START, TAKE, STORE)                                    \
    TFX_INLINE void tfx_sparse_tile_##C(float *t, const uint16_t *x, const uint16_t *w,  \
                                        ptrdiff_t steps, int first)                      \
    {                                                                                    \
        START                                                                            \
        for (ptrdiff_t s = 0; s < steps; s++, x += 2 * TFX_AMX_PIECES * TFX_TILE_HALFS) { \
            _tile_loadd(3, x, 64);                                                       \
            if (TFX_AMX_PIECES > 1)                                                      \
                _tile_loadd(4, x + TFX_TILE_HALFS, 64);                                  \
            if (TFX_AMX_PIECES > 2)                                                      \
                _tile_loadd(5, x + 2 * TFX_TILE_HALFS, 64);                              \
            TAKE                                                                         \
        }                                                                                \
        STORE                                                                            \
    }
TFX_DEFINE_SPARSE_TILE(1, TFX_SPARSE_START(0), TFX_SPARSE_TAKE(0), TFX_SPARSE_STORE(0))
TFX_DEFINE_SPARSE_TILE(2, TFX_SPARSE_START(0) TFX_SPARSE_START(1),
                       TFX_SPARSE_TAKE(0) TFX_SPARSE_TAKE(1),
                       TFX_SPARSE_STORE(0) TFX_SPARSE_STORE(1))
TFX_DEFINE_SPARSE_TILE(3, TFX_SPARSE_START(0) TFX_SPARSE_START(1) TFX_SPARSE_START(2),
                       TFX_SPARSE_TAKE(0) TFX_SPARSE_TAKE(1) TFX_SPARSE_TAKE(2),
                       TFX_SPARSE_STORE(0) TFX_SPARSE_STORE(1) TFX_SPARSE_STORE(2))
// clang-format on

// The kept k [0, n) of a panel by all rows.
static TFX_UNUSED void tfx_sparse_multiply(float *t, const uint16_t *x, ptrdiff_t hop,
                                           ptrdiff_t rows, const uint16_t *w,
                                           ptrdiff_t width, const int32_t *kept,
                                           ptrdiff_t n, int first)
{
    enum { EACH = 2 * TFX_AMX_PIECES * TFX_TILE_HALFS };
    TFX_ALIGNED uint16_t pairs[TFX_SPARSE_K / 32 * EACH];
    ptrdiff_t steps = (n + 31) / 32;
    for (ptrdiff_t r = 0; r < rows; r += 32, x += hop) {
        for (ptrdiff_t s = 0; s < steps; s++)
            tfx_sparse_pairs(pairs + s * EACH, x, kept + s * 32, n - s * 32);
        tfx_amx_settle();
        for (int i = 0; i < 2; i++) {
            const uint16_t *b = pairs + i * TFX_AMX_PIECES * TFX_TILE_HALFS;
            if (width == 48)
                tfx_sparse_tile_3(t + r + i * 16, b, w, steps, first);
            else if (width == 32)
                tfx_sparse_tile_2(t + r + i * 16, b, w, steps, first);
            else
                tfx_sparse_tile_1(t + r + i * 16, b, w, steps, first);
        }
        tfx_amx_settle();
    }
}

// One panel.
static TFX_FLAT void tfx_sparse_panel(float *t, const tfx_linear_call *p, ptrdiff_t col,
                                      ptrdiff_t r, ptrdiff_t rows)
{
    enum { STEP = 3 * TFX_AMX_PIECES * TFX_TILE_HALFS };
    TFX_ALIGNED uint16_t tiles[TFX_SPARSE_K / 32 * STEP];
    TFX_ALIGNED float turned[TFX_PANEL * TFX_SPLIT_ROWS];
    const tfx_kept k = tfx_kept_of(p, col);
    const ptrdiff_t width = tfx_panel_width(p->n, col), hop = p->k * TFX_AMX_PIECES * 32;
    const uint16_t *x = (const uint16_t *)(const void *)p->work + r / 32 * hop;
    for (ptrdiff_t j = 0; j < k.count; j += TFX_SPARSE_K) {
        ptrdiff_t n = tfx_min_size(k.count - j, TFX_SPARSE_K);
        for (ptrdiff_t s = 0; s < n; s += 32)
            tfx_sparse_weights(tiles + s / 32 * (width / 16) * TFX_AMX_PIECES * TFX_TILE_HALFS,
                               k.w + (j + s) * width, width, tfx_min_size(n - s, 32));
        tfx_sparse_multiply(turned, x, hop, rows, tiles, width, k.kept + j, n, j == 0);
    }
    for (ptrdiff_t c = 0; k.count > 0 && c < width; c += 16)
        for (ptrdiff_t i = 0; i < rows; i += 16)
            tfx_attn_turn(t + i * TFX_PANEL + c, TFX_PANEL,
                          turned + c * TFX_SPLIT_ROWS + i, TFX_SPLIT_ROWS, 1.0f);
    for (ptrdiff_t i = 0; k.count == 0 && i < rows * TFX_PANEL; i++)
        t[i] = 0.0f;
}

static TFX_UNUSED void tfx_split_sums_block48(float *t, const tfx_linear_call *p,
                                              ptrdiff_t col, ptrdiff_t panels,
                                              ptrdiff_t r, ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < panels; i++)
        tfx_sparse_panel(t + i * TFX_SPLIT_ROWS * TFX_PANEL, p, col + i * TFX_PANEL, r,
                         rows);
}

#endif
#endif
