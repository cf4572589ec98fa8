// SPDX-License-Identifier: 0BSD
// split.h - products of many rows by the tiles of Intel AMX, floats as bf16 pieces (amx.h).
//
//     tfx_split_sums_FMT(t, p, col, panels, r, rows)
//         t[i][j][c] = sum of row r + j, column c of panel i from the one of col on;
//         t is f32[panels][TFX_SPLIT_ROWS][TFX_PANEL]; between tfx_amx_begin and _end
//
// k goes in pieces: the rows of x are split once for TFX_SPLIT_PANELS panels, a panel once
// for all rows. Every sum has one order of its own, whatever the panels, rows and threads
// are. Splitting and multiplying take turns: stores on the way to memory would hold up the
// loads of tiles.

#ifndef TFX_SPLIT_H
#define TFX_SPLIT_H

#include "amx.h"
#include "sums.h"

#if TFX_AMX

#    ifndef TFX_SPLIT_MIN  // rows from which this is faster than FMA
#        define TFX_SPLIT_MIN 12
#    endif
#    ifndef TFX_SPLIT_AHEAD  // bytes of a panel that are fetched before their use
#        define TFX_SPLIT_AHEAD 2048
#    endif

enum {
    TFX_SPLIT_PANELS = 4,                            // at most
    TFX_SPLIT_K = 64,                                // of a panel at a time
    TFX_SPLIT_ROWS = 128,                            // at most
    TFX_SPLIT_X = 2 * TFX_SPLIT_ROWS * TFX_SPLIT_K,  // elements of x at a time
    TFX_TILE_HALFS = 16 * 32,                        // bf16 in a tile
};

// Which formats have such products.
#    define TFX_HAS_SPLIT_f32     1
#    define TFX_HAS_SPLIT_bf16    1
#    define TFX_HAS_SPLIT_f16     1
#    define TFX_HAS_SPLIT_i8      0
#    define TFX_HAS_SPLIT_i8g32   0
#    define TFX_HAS_SPLIT_i4g32   0
#    define TFX_HAS_SPLIT_i8g32a8 0
#    define TFX_HAS_SPLIT_i4g32a8 0
#    define TFX_HAS_SPLIT_bf16a16 0
#    define TFX_HAS_SPLIT_block48 0

// Pieces of a weight: as many as make it exact, or TFX_AMX_PIECES.
enum { tfx_pieces_f32 = TFX_AMX_PIECES, tfx_pieces_f16 = 2, tfx_pieces_bf16 = 1 };

// ---- splitting -----------------------------------------------------------------------

// [k / 32][rows / 16][pieces][16 rows][32 k]; beyond rows and k zeros.
static TFX_UNUSED void tfx_split_rows(uint16_t *to, const float *x, ptrdiff_t ldx,
                                      ptrdiff_t rows, ptrdiff_t k)
{
    const ptrdiff_t padded = TFX_PADDED(rows, 16);
    float last[32];
    for (ptrdiff_t i = 0; i < padded; i++) {
        uint16_t *at = to + (i / 16 * 16 * TFX_AMX_PIECES + i % 16) * 32;
        for (ptrdiff_t kk = 0; kk < k; kk += 32, at += padded * TFX_AMX_PIECES * 32) {
            const float *from = x + i * ldx + kk;
            if (i >= rows || kk + 32 > k) {
                for (ptrdiff_t j = 0; j < 32; j++)
                    last[j] = i < rows && kk + j < k ? from[j] : 0.0f;
                from = last;
            }
            tfx_amx_row(at, TFX_TILE_HALFS, tfx_load(from), tfx_load(from + 16));
        }
    }
}

// w[k][width] of a panel to [k / 32][width / 16][pieces][16 pairs of k][16][2].
#    define TFX_DEFINE_SPLIT_PANEL(FMT)                                                \
        static TFX_UNUSED void tfx_split_panel_##FMT(                                  \
            uint32_t *to, const tfx_stored_##FMT *w, ptrdiff_t width, ptrdiff_t k)     \
        {                                                                              \
            enum { PIECES = tfx_pieces_##FMT };                                        \
            const tfx_v zero = tfx_splat_v(0.0f);                                      \
            ptrdiff_t whole = k / 2 * 2, kk = 0;                                       \
            for (; kk < whole; kk += 2, w += 2 * width)                                \
                for (ptrdiff_t c = 0; c < width; c += 16) {                            \
                    TFX_PREFETCH((const char *)(w + c) + TFX_SPLIT_AHEAD);             \
                    TFX_PREFETCH((const char *)(w + c + width) + TFX_SPLIT_AHEAD);     \
                    tfx_amx_pair(to + TFX_SPLIT_AT(kk, c), 256, PIECES,                \
                                 tfx_load_##FMT(w + c),                                \
                                 tfx_load_##FMT(w + c + width));                       \
                }                                                                      \
            for (; kk < TFX_PADDED(k, 32); kk += 2)                                    \
                for (ptrdiff_t c = 0; c < width; c += 16)                              \
                    tfx_amx_pair(to + TFX_SPLIT_AT(kk, c), 256, PIECES,                \
                                 kk < k ? tfx_load_##FMT(w + c) : zero, zero);         \
        }
#    define TFX_SPLIT_AT(kk, c)                                                        \
        ((kk) / 32 * 16 * PIECES * width + (c) * 16 * PIECES + (kk) % 32 * 8)

TFX_DEFINE_SPLIT_PANEL(f32)
TFX_DEFINE_SPLIT_PANEL(bf16)
TFX_DEFINE_SPLIT_PANEL(f16)

// ---- 16 rows by a piece of a panel ---------------------------------------------------
//
// Tiles: 0 to 2 sums, then the pieces of x, 6 and 7 pieces of w. Piece i of w meets piece j
// of x if i + j < TFX_AMX_PIECES: what is left out is as small as what the pieces leave.

// clang-format off
#define TFX_SPLIT_START(c)                                                               \
    if (first)                                                                           \
        _tile_zero(c);                                                                   \
    else                                                                                 \
        _tile_loadd(c, t + c * 16, TFX_PANEL * 4);
#define TFX_SPLIT_TAKE(c)                                                                \
    _tile_loadd(6, w, 64);                                                               \
    _tile_dpbf16ps(c, 3, 6);                                                             \
    if (TFX_AMX_PIECES > 1)                                                              \
        _tile_dpbf16ps(c, 4, 6);                                                         \
    if (TFX_AMX_PIECES > 2)                                                              \
        _tile_dpbf16ps(c, 5, 6);                                                         \
    if (pieces > 1) {                                                                    \
        _tile_loadd(7, w + TFX_TILE_HALFS, 64);                                          \
        _tile_dpbf16ps(c, 3, 7);                                                         \
        if (TFX_AMX_PIECES > 2)                                                          \
            _tile_dpbf16ps(c, 4, 7);                                                     \
    }                                                                                    \
    if (pieces > 2) {                                                                    \
        _tile_loadd(6, w + 2 * TFX_TILE_HALFS, 64);                                      \
        _tile_dpbf16ps(c, 3, 6);                                                         \
    }                                                                                    \
    w += pieces * TFX_TILE_HALFS;                                                        \
    for (int i = 0; i < 8; i++, soon += 64)                                              \
        TFX_PREFETCH(soon);
#define TFX_SPLIT_STORE(c) _tile_stored(c, t + c * 16, TFX_PANEL * 4);

#define TFX_DEFINE_SPLIT_TILE(C, START, TAKE, STORE)                                     \
    TFX_INLINE void tfx_split_tile_##C(float *t, const uint16_t *x, ptrdiff_t hop,       \
                                       const uint16_t *w, ptrdiff_t steps, int pieces,   \
                                       int first, const char *soon)                      \
    {                                                                                    \
        START                                                                            \
        for (ptrdiff_t s = 0; s < steps; s++, x += hop) {                                \
            _tile_loadd(3, x, 64);                                                       \
            if (TFX_AMX_PIECES > 1)                                                      \
                _tile_loadd(4, x + TFX_TILE_HALFS, 64);                                  \
            if (TFX_AMX_PIECES > 2)                                                      \
                _tile_loadd(5, x + 2 * TFX_TILE_HALFS, 64);                              \
            TAKE                                                                         \
        }                                                                                \
        STORE                                                                            \
    }
TFX_DEFINE_SPLIT_TILE(1, TFX_SPLIT_START(0), TFX_SPLIT_TAKE(0), TFX_SPLIT_STORE(0))
TFX_DEFINE_SPLIT_TILE(2, TFX_SPLIT_START(0) TFX_SPLIT_START(1),
                      TFX_SPLIT_TAKE(0) TFX_SPLIT_TAKE(1),
                      TFX_SPLIT_STORE(0) TFX_SPLIT_STORE(1))
TFX_DEFINE_SPLIT_TILE(3, TFX_SPLIT_START(0) TFX_SPLIT_START(1) TFX_SPLIT_START(2),
                      TFX_SPLIT_TAKE(0) TFX_SPLIT_TAKE(1) TFX_SPLIT_TAKE(2),
                      TFX_SPLIT_STORE(0) TFX_SPLIT_STORE(1) TFX_SPLIT_STORE(2))
// clang-format on

// All rows by a piece of a panel. soon: what is split next, fetched meanwhile.
TFX_INLINE void tfx_split_multiply(float *t, const uint16_t *x, ptrdiff_t rows,
                                   const uint16_t *w, ptrdiff_t width, ptrdiff_t k,
                                   int pieces, int first, const char *soon)
{
    ptrdiff_t tiles = (rows + 15) / 16, steps = (k + 31) / 32;
    ptrdiff_t hop = tiles * TFX_AMX_PIECES * TFX_TILE_HALFS;
    tfx_amx_settle();
    for (ptrdiff_t i = 0; i < tiles; i++) {
        if (width == 48)
            tfx_split_tile_3(t, x, hop, w, steps, pieces, first, soon);
        else if (width == 32)
            tfx_split_tile_2(t, x, hop, w, steps, pieces, first, soon);
        else
            tfx_split_tile_1(t, x, hop, w, steps, pieces, first, soon);
        t += 16 * TFX_PANEL;
        x += TFX_AMX_PIECES * TFX_TILE_HALFS;
    }
    tfx_amx_settle();
}

// ---- all of it -----------------------------------------------------------------------

// clang-format off
#define TFX_DEFINE_SPLIT_SUMS(FMT)                                                       \
    static TFX_FLAT void tfx_split_sums_##FMT(float *t, const tfx_linear_call *p,        \
                                              ptrdiff_t col, ptrdiff_t panels,           \
                                              ptrdiff_t r, ptrdiff_t rows)               \
    {                                                                                    \
        uint16_t x[TFX_SPLIT_X * TFX_AMX_PIECES] __attribute__((aligned(64)));           \
        uint32_t w[TFX_SPLIT_K / 2 * TFX_PANEL * tfx_pieces_##FMT]                       \
            __attribute__((aligned(64)));                                                \
        const ptrdiff_t padded = TFX_PADDED(rows, 16);                                   \
        const ptrdiff_t most = TFX_SPLIT_X / padded / TFX_SPLIT_K * TFX_SPLIT_K;         \
        for (ptrdiff_t k = 0; k < p->k; k += most) {                                     \
            ptrdiff_t end = tfx_min_size(k + most, p->k);                                \
            tfx_split_rows(x, p->x + r * p->ldx + k, p->ldx, rows, end - k);             \
            for (ptrdiff_t i = 0; i < panels; i++) {                                     \
                ptrdiff_t at = col + i * TFX_PANEL, width = tfx_panel_width(p->n, at);   \
                const tfx_stored_##FMT *from = (const tfx_stored_##FMT *)p->w + at * p->k; \
                for (ptrdiff_t kk = k; kk < end; kk += TFX_SPLIT_K) {                    \
                    ptrdiff_t n = tfx_min_size(end - kk, TFX_SPLIT_K);                   \
                    tfx_split_panel_##FMT(w, from + kk * width, width, n);               \
                    tfx_split_multiply(t + i * TFX_SPLIT_ROWS * TFX_PANEL,               \
                                       x + (kk - k) * padded * TFX_AMX_PIECES, rows,     \
                                       (const uint16_t *)w, width, n,                    \
                                       tfx_pieces_##FMT, kk == 0,                        \
                                       (const char *)(from + (kk + n) * width));         \
                }                                                                        \
            }                                                                            \
        }                                                                                \
    }
// clang-format on

TFX_DEFINE_SPLIT_SUMS(f32)
TFX_DEFINE_SPLIT_SUMS(bf16)
TFX_DEFINE_SPLIT_SUMS(f16)

// Units are groups of `span` panels, row blocks inside; no more panels together than leave
// every thread some.
static TFX_UNUSED void tfx_split_plan(tfx_linear_call *p, const tfx_par *par)
{
    ptrdiff_t panels = (p->n + TFX_PANEL - 1) / TFX_PANEL;
    ptrdiff_t threads = par && par->threads > 1 ? par->threads : 1;
    p->span = tfx_min_size((panels + threads - 1) / threads, TFX_SPLIT_PANELS);
    p->row_blocks = (p->m + TFX_SPLIT_ROWS - 1) / TFX_SPLIT_ROWS;
    p->units = (panels + p->span - 1) / p->span * p->row_blocks;
    p->ntasks = (int)tfx_min_size(p->units, threads > 1 ? 4 * threads : 1);
}

#endif
#endif
