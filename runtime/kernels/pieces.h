// SPDX-License-Identifier: 0BSD
// pieces.h - rows and panels as bf16 pieces (amx.h) where tiles want them.
//
//     tfx_split_rows       rows of x: the first operand
//     tfx_split_panel_FMT  some k of a panel: the second
//     TFX_SPLIT_STEP       the products of 32 k of both
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
#        define TFX_SPLIT_AHEAD 512
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
// A step adds 32 k of 16 rows by up to 48 columns to the sums in tiles 0 to 2; then come the
// pieces of x, [piece][16][32 k] at x, and of w, [column / 16][piece][16 pairs][16][2] at w.
// Piece i of w meets piece j of x if i + j < TFX_AMX_PIECES: what is left out is as small as
// what the pieces leave. Sums take turns: a product can start 16 cycles after the last, or 52
// where it adds to the same sum. A, B and C are what else there is to do. Stands where x, w,
// cols and pieces do.

// clang-format off
#define TFX_SPLIT_ONE(c, X, W, i, kept)                                                  \
    if ((c) < cols) {                                                                    \
        if (!(kept))                                                                     \
            _tile_loadd(W, w + ((c) * pieces + (i)) * TFX_TILE_HALFS, 64);               \
        _tile_dpbf16ps(c, X, W);                                                         \
    }
// The piece of x in tile X by piece i of w, which is kept in its tiles.
#define TFX_SPLIT_TURN(X, i, kept)                                                       \
    TFX_SPLIT_ONE(0, X, 6, i, kept)                                                      \
    TFX_SPLIT_ONE(1, X, 7, i, kept)                                                      \
    TFX_SPLIT_ONE(2, X, TFX_SPLIT_THIRD, i, kept)
#if TFX_AMX_PIECES == 2
#define TFX_SPLIT_THIRD 5
#define TFX_SPLIT_STEP(A, B, C)                                                          \
    _tile_loadd(3, x, 64);                                                               \
    TFX_SPLIT_TURN(3, 0, 0)                                                              \
    A;                                                                                   \
    _tile_loadd(4, x + TFX_TILE_HALFS, 64);                                              \
    TFX_SPLIT_TURN(4, 0, 1)                                                              \
    B;                                                                                   \
    if (pieces > 1) {                                                                    \
        TFX_SPLIT_TURN(3, 1, 0)                                                          \
    }                                                                                    \
    C;
#else
#define TFX_SPLIT_THIRD 6
#define TFX_SPLIT_STEP(A, B, C)                                                          \
    _tile_loadd(3, x, 64);                                                               \
    TFX_SPLIT_TURN(3, 0, 0)                                                              \
    _tile_loadd(4, x + TFX_TILE_HALFS, 64);                                              \
    TFX_SPLIT_TURN(4, 0, 0)                                                              \
    A;                                                                                   \
    _tile_loadd(5, x + 2 * TFX_TILE_HALFS, 64);                                          \
    TFX_SPLIT_TURN(5, 0, 0)                                                              \
    if (pieces > 1) {                                                                    \
        TFX_SPLIT_TURN(3, 1, 0)                                                          \
    }                                                                                    \
    B;                                                                                   \
    if (pieces > 1) {                                                                    \
        TFX_SPLIT_TURN(4, 1, 0)                                                          \
    }                                                                                    \
    if (pieces > 2) {                                                                    \
        TFX_SPLIT_TURN(3, 2, 0)                                                          \
    }                                                                                    \
    C;
#endif
// clang-format on

#endif
#endif
