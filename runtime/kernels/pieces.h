// SPDX-License-Identifier: 0BSD
// pieces.h - rows and panels as bf16 pieces (amx.h) where tiles want them.
//
//     tfx_split_rows       rows of x: the first operand
//     tfx_split_panel_FMT  some k of a panel: the second
//     TFX_SPLIT_TAKE(c)    the products of a tile of either, with which the sums go on
//
// split.h has the products of many rows, weave.h of up to 16.

#ifndef TFX_PIECES_H
#define TFX_PIECES_H

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
    TFX_SPLIT_PANELS = 16,                           // of a unit, at most
    TFX_SPLIT_SUMS = 4 * 128 * TFX_PANEL,            // of a unit, at most
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
#    define TFX_HAS_SPLIT_block48 (TFX_AMX_PIECES == 2)

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

// ---- products ------------------------------------------------------------------------
//
// 16 rows of x by the tiles at w, `pieces` for each 16 columns, to sums t of a panel.
// Tiles: 0 to 2 sums, then the pieces of x, 6 and 7 pieces of w. Piece i of w meets piece j
// of x if i + j < TFX_AMX_PIECES: what is left out is as small as what the pieces leave.

// clang-format off
#define TFX_SPLIT_START(c)                                                               \
    if (first)                                                                           \
        _tile_zero(c);                                                                   \
    else                                                                                 \
        _tile_loadd(c, t + c * 16, TFX_PANEL * 4);
#define TFX_SPLIT_INPUT                                                                  \
    _tile_loadd(3, x, 64);                                                               \
    if (TFX_AMX_PIECES > 1)                                                              \
        _tile_loadd(4, x + TFX_TILE_HALFS, 64);                                          \
    if (TFX_AMX_PIECES > 2)                                                              \
        _tile_loadd(5, x + 2 * TFX_TILE_HALFS, 64);
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
    w += pieces * TFX_TILE_HALFS;
#define TFX_SPLIT_STORE(c) _tile_stored(c, t + c * 16, TFX_PANEL * 4);
// clang-format on

#endif
#endif
