// SPDX-License-Identifier: 0BSD
// split.h - products of many rows by the tiles of Intel AMX, floats as bf16 pieces.
//
//     tfx_split_sums_FMT(t, p, col, panels, r, rows)
//         t[i][j][c] = sum of row r + j, column c of panel i from the one of col on;
//         t is f32[panels][TFX_PADDED(rows, 16)][TFX_PANEL]; between tfx_amx_begin and _end
//
// k goes in pieces: the rows of x are split once for `panels`, a panel once for all rows.
// Every sum has one order of its own, whatever the panels and threads are. Splitting and
// multiplying take turns, since many rows wait for the tiles, not for memory.

#ifndef TFX_SPLIT_H
#define TFX_SPLIT_H

#include "weave.h"

#if TFX_AMX

// ---- rows by a piece of a panel ------------------------------------------------------

// clang-format off
#define TFX_SPLIT_FETCH                                                                  \
    for (ptrdiff_t i_ = 0; i_ < lines; i_++, soon += 64)                                 \
        TFX_PREFETCH_FAR(soon)
// clang-format on

// 16 rows to sums t of `cols` 16 columns; fetches `lines` cache lines of soon at a time.
TFX_INLINE void tfx_split_tile(float *t, const uint16_t *x, ptrdiff_t hop,
                               const uint16_t *w, ptrdiff_t steps, const int pieces,
                               const int cols, int first, const char *soon,
                               ptrdiff_t lines)
{
    if (first)
        tfx_amx_zero();
    else
        TFX_AMX_SUMS(_tile_loadd, t, t, TFX_PANEL * 4, 0, cols);
    for (ptrdiff_t s = 0; s < steps; s++) {
        TFX_SPLIT_STEP(TFX_SPLIT_FETCH, TFX_SPLIT_FETCH, TFX_SPLIT_FETCH)
        x += hop;
        w += cols * pieces * TFX_TILE_HALFS;
    }
    TFX_AMX_SUMS(_tile_stored, t, t, TFX_PANEL * 4, 0, cols);
}

// All rows by a piece of a panel. soon: what comes after it, so many bytes, fetched meanwhile:
// it is split next, or when the other panels have had this k.
TFX_INLINE void tfx_split_multiply(float *t, const uint16_t *x, ptrdiff_t rows,
                                   const uint16_t *w, ptrdiff_t width, ptrdiff_t k,
                                   int pieces, int first, const char *soon,
                                   ptrdiff_t bytes)
{
    const ptrdiff_t tiles = (rows + 15) / 16, steps = (k + 31) / 32;
    const ptrdiff_t hop = tiles * TFX_AMX_PIECES * TFX_TILE_HALFS;
    const ptrdiff_t part = 64 * 3 * steps * tiles;
    const ptrdiff_t lines = (bytes + part - 1) / part;
    tfx_amx_settle();
    for (ptrdiff_t i = 0; i < tiles; i++) {
        if (width == 48)
            tfx_split_tile(t, x, hop, w, steps, pieces, 3, first, soon, lines);
        else if (width == 32)
            tfx_split_tile(t, x, hop, w, steps, pieces, 2, first, soon, lines);
        else
            tfx_split_tile(t, x, hop, w, steps, pieces, 1, first, soon, lines);
        t += 16 * TFX_PANEL;
        x += TFX_AMX_PIECES * TFX_TILE_HALFS;
        soon += 64 * 3 * steps * lines;
    }
    tfx_amx_settle();
}

// How much of k rows of x go by at a time.
static inline ptrdiff_t tfx_split_most(ptrdiff_t padded)
{
    if (padded == 16)
        return TFX_WEAVE_K;
    return TFX_SPLIT_X / padded / TFX_SPLIT_K * TFX_SPLIT_K;
}

// ---- all of it -----------------------------------------------------------------------

// clang-format off
#define TFX_DEFINE_SPLIT_SUMS(FMT)                                                       \
    static TFX_FLAT void tfx_split_sums_##FMT(float *t, const tfx_linear_call *p,        \
                                              ptrdiff_t col, ptrdiff_t panels,           \
                                              ptrdiff_t r, ptrdiff_t rows)               \
    {                                                                                    \
        TFX_ALIGNED uint16_t x[TFX_WEAVE_K * 16 * TFX_AMX_PIECES];                       \
        uint32_t w[TFX_SPLIT_K / 2 * TFX_PANEL * tfx_pieces_##FMT]                       \
            __attribute__((aligned(64)));                                                \
        const ptrdiff_t padded = TFX_PADDED(rows, 16);                                   \
        const ptrdiff_t most = tfx_split_most(padded);                                   \
        for (ptrdiff_t k = 0; k < p->k; k += most) {                                     \
            ptrdiff_t end = tfx_min_size(k + most, p->k);                                \
            (padded == 16 ? tfx_weave_rows : tfx_split_rows)(                            \
                x, p->x + r * p->ldx + k, p->ldx, rows, end - k);                        \
            for (ptrdiff_t i = 0; i < panels; i++) {                                     \
                ptrdiff_t at = col + i * TFX_PANEL, width = tfx_panel_width(p->n, at);   \
                float *sums = t + i * padded * TFX_PANEL;                                \
                const tfx_stored_##FMT *from =                                           \
                    (const tfx_stored_##FMT *)p->w + at * p->k + k * width;              \
                if (padded == 16) {                                                      \
                    ptrdiff_t alike = tfx_max_size((p->n - at) / TFX_PANEL, 1);          \
                    alike = tfx_min_size(alike, panels - i);                             \
                    tfx_weave_##FMT(sums, x, from, p->k * width, alike, width, end - k,  \
                                    k == 0);                                             \
                    i += alike - 1;                                                      \
                    continue;                                                            \
                }                                                                        \
                for (ptrdiff_t kk = k; kk < end; kk += TFX_SPLIT_K) {                    \
                    ptrdiff_t n = tfx_min_size(end - kk, TFX_SPLIT_K);                   \
                    tfx_split_panel_##FMT(w, from, width, n);                            \
                    from += n * width;                                                   \
                    tfx_split_multiply(sums, x + (kk - k) * padded * TFX_AMX_PIECES,     \
                                       rows, (const uint16_t *)w, width, n,              \
                                       tfx_pieces_##FMT, kk == 0, (const char *)from,    \
                                       n * width * (ptrdiff_t)sizeof *from);             \
                }                                                                        \
            }                                                                            \
        }                                                                                \
    }
// clang-format on

TFX_DEFINE_SPLIT_SUMS(f32)
TFX_DEFINE_SPLIT_SUMS(bf16)
TFX_DEFINE_SPLIT_SUMS(f16)

// Whether the product goes this way; if so p->work and what is in it are ready.
static TFX_UNUSED int tfx_split_takes(tfx_linear_call *p, const tfx_par *par,
                                      float *work)
{
    (void)par, (void)work;
    return p->m >= TFX_SPLIT_MIN && p->k > 0 && tfx_amx_is_ready();
}

#    define tfx_split_takes_f32  tfx_split_takes
#    define tfx_split_takes_bf16 tfx_split_takes
#    define tfx_split_takes_f16  tfx_split_takes

// Units are groups of `span` panels, row blocks inside: as many panels as t holds, so that
// rows of y are written in one go, but as many units for every thread.
static TFX_UNUSED void tfx_split_plan(tfx_linear_call *p, const tfx_par *par)
{
    ptrdiff_t panels = (p->n + TFX_PANEL - 1) / TFX_PANEL;
    ptrdiff_t threads = par && par->threads > 1 ? par->threads : 1;
    ptrdiff_t rows = TFX_PADDED(tfx_min_size(p->m, TFX_SPLIT_ROWS), 16);
    ptrdiff_t most =
        tfx_min_size(TFX_SPLIT_SUMS / (rows * TFX_PANEL), TFX_SPLIT_PANELS);
    ptrdiff_t turns = (panels + threads * most - 1) / (threads * most);
    p->span = (panels + threads * turns - 1) / (threads * turns);
    p->row_blocks = (p->m + TFX_SPLIT_ROWS - 1) / TFX_SPLIT_ROWS;
    p->units = (panels + p->span - 1) / p->span * p->row_blocks;
    p->ntasks = (int)tfx_min_size(p->units, threads > 1 ? 4 * threads : 1);
}

#endif
#endif
