// SPDX-License-Identifier: 0BSD
// weave.h - products of up to 16 rows by AMX: these wait for weights from memory.
//
//     tfx_weave_rows(to, x, ldx, rows, k)           x's pieces: [k / 32][pieces][16][32 k]
//     tfx_weave_FMT(t, x, w, ldw, panels, width, k, first)
//         t[p][i][c] = or += sum of row i, column c of panel p, which is at w + p * ldw
//
// So that reading never stops, the next weights are read and split between the products of
// those before: stores into one set of tiles do not hold up the loads of another. And since
// a processor reads two streams faster than one, a step takes 16 k from the first half of
// the panel's and 16 from the second.

#ifndef TFX_WEAVE_H
#define TFX_WEAVE_H

#include "pieces.h"

#if TFX_AMX

#    ifndef TFX_WEAVE_AHEAD  // bytes of a stream that are fetched before their use
#        define TFX_WEAVE_AHEAD 960
#    endif

// Of k at a time: panels are read from end to end, so the more the better for the stack.
enum { TFX_WEAVE_K = 3072 };

static TFX_UNUSED void tfx_weave_rows(uint16_t *to, const float *x, ptrdiff_t ldx,
                                      ptrdiff_t rows, ptrdiff_t k)
{
    enum { STEP = TFX_AMX_PIECES * TFX_TILE_HALFS };
    const ptrdiff_t whole = k / 32 * 32;
    for (ptrdiff_t i = 0; i < 16; i++, to += 32, x += ldx) {
        uint16_t *at = to;
        for (ptrdiff_t kk = 0; kk < whole; kk += 32, at += STEP) {
            tfx_v a = tfx_splat_v(0.0f), b = a;
            if (i < rows) {
                a = tfx_load(x + kk / 2);
                b = tfx_load(x + (whole + kk) / 2);
            }
            tfx_amx_row(at, TFX_TILE_HALFS, a, b);
        }
        if (whole < k) {
            float last[32] = {0};
            for (ptrdiff_t j = whole; i < rows && j < k; j++)
                last[j - whole] = x[j];
            tfx_amx_row(at, TFX_TILE_HALFS, tfx_load(last), tfx_load(last + 16));
        }
    }
}

// clang-format off
#define TFX_DEFINE_WEAVE(FMT)                                                            \
    /* pairs [i, end) of k of either half to the first and last 8 rows of tiles */       \
    /* nothing if w is NULL */                                                           \
    TFX_INLINE void tfx_weave_pairs_##FMT(uint32_t *to, const tfx_stored_##FMT *w,       \
                                          ptrdiff_t half, ptrdiff_t width, int i, int end) \
    {                                                                                    \
        enum { PIECES = tfx_pieces_##FMT };                                              \
        for (; w && i < end; i++)                                                        \
            for (ptrdiff_t c = 0; c < width; c += 16) {                                  \
                uint32_t *at = to + c * 16 * PIECES + i * 16;                            \
                const tfx_stored_##FMT *a = w + 2 * i * width + c, *b = a + half;        \
                TFX_PREFETCH((const char *)a + TFX_WEAVE_AHEAD);                         \
                TFX_PREFETCH((const char *)(a + width) + TFX_WEAVE_AHEAD);               \
                tfx_amx_pair(at, 256, PIECES, tfx_load_##FMT(a),                         \
                             tfx_load_##FMT(a + width));                                 \
                TFX_PREFETCH((const char *)b + TFX_WEAVE_AHEAD);                         \
                TFX_PREFETCH((const char *)(b + width) + TFX_WEAVE_AHEAD);               \
                tfx_amx_pair(at + 128, 256, PIECES, tfx_load_##FMT(b),                   \
                             tfx_load_##FMT(b + width));                                 \
            }                                                                            \
        tfx_amx_settle();                                                                \
    }                                                                                    \
    /* the products of a step, and the split of the next k between */                    \
    TFX_INLINE void tfx_weave_step_##FMT(const uint16_t *x, const uint16_t *w,           \
                                         uint32_t *to, const tfx_stored_##FMT *next,     \
                                         ptrdiff_t half, ptrdiff_t width)                \
    {                                                                                    \
        enum { pieces = tfx_pieces_##FMT };                                              \
        const ptrdiff_t cols = width / 16;                                               \
        TFX_SPLIT_STEP(tfx_weave_pairs_##FMT(to, next, half, width, 0, 3),               \
                       tfx_weave_pairs_##FMT(to, next, half, width, 3, 6),               \
                       tfx_weave_pairs_##FMT(to, next, half, width, 6, 8))               \
    }                                                                                    \
    static TFX_FLAT void tfx_weave_##FMT(float *t, const uint16_t *x,                    \
                                         const tfx_stored_##FMT *w, ptrdiff_t ldw,       \
                                         ptrdiff_t panels, ptrdiff_t width, ptrdiff_t k, \
                                         int first)                                      \
    {                                                                                    \
        TFX_ALIGNED uint32_t tiles[3][TFX_PANEL * 16 * tfx_pieces_##FMT];                \
        const ptrdiff_t steps = k / 32, half = steps * 16 * width;                       \
        int at = 0;                                                                      \
        if (steps > 0)                                                                   \
            tfx_weave_pairs_##FMT(tiles[0], w, half, width, 0, 8);                       \
        for (; panels > 0; panels--, w += ldw, t += 16 * TFX_PANEL) {                    \
            const uint16_t *from = x;                                                    \
            if (first)                                                                   \
                tfx_amx_zero();                                                          \
            else                                                                         \
                TFX_AMX_SUMS(_tile_loadd, t, t, TFX_PANEL * 4, 0, 3);                    \
            for (ptrdiff_t s = 1; s <= steps; s++, at = !at) {                           \
                const tfx_stored_##FMT *next = panels > 1 ? w + ldw : NULL;              \
                if (s < steps)                                                           \
                    next = w + s * 16 * width;                                           \
                tfx_weave_step_##FMT(from, (const uint16_t *)tiles[at], tiles[!at],      \
                                     next, half, width);                                 \
                from += TFX_AMX_PIECES * TFX_TILE_HALFS;                                 \
            }                                                                            \
            if (steps * 32 < k) {                                                        \
                tfx_split_panel_##FMT(tiles[2], w + 2 * half, width, k - steps * 32);    \
                tfx_amx_settle();                                                        \
                tfx_weave_step_##FMT(from, (const uint16_t *)tiles[2], NULL, NULL, 0,    \
                                     width);                                             \
            }                                                                            \
            TFX_AMX_SUMS(_tile_stored, t, t, TFX_PANEL * 4, 0, 3);                       \
            tfx_amx_settle();                                                            \
        }                                                                                \
    }
// clang-format on

TFX_DEFINE_WEAVE(f32)
TFX_DEFINE_WEAVE(bf16)
TFX_DEFINE_WEAVE(f16)

#endif
#endif
