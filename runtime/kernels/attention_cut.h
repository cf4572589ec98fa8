// SPDX-License-Identifier: 0BSD
// attention_cut.h - q, k and v of attention_amx.h as tiles.
//
// Every float is cut into three bf16 that together are all of it: hi + mid + lo. A tile has
// 16 rows of 16 words, a pair of pieces in each; the pieces hi, mid and lo of a tile follow
// one another.

#ifndef TFX_ATTENTION_CUT_H
#define TFX_ATTENTION_CUT_H

#include "amx.h"
#include "mix.h"

#if TFX_AMX

enum { TFX_CUT = 3 * 256 };  // words of a tile's three pieces

// Work of one thread: see above. Words of 4 bytes, 64-aligned.
typedef struct tfx_tiles {
    float *k, *v, *q, *s;
    ptrdiff_t steps_d, tiles_v, steps;  // d / 32, dv / 16, keys / 32, rounded up
    float *p;                           // two times three tiles
    float *top, *sum;                   // f32[16, 16]: of a row, a vector
} tfx_tiles;

// Pieces of a in the low halves of the words at to, of b in the high halves.
TFX_INLINE void tfx_tiles_cut(float *to, tfx_v a, tfx_v b)
{
    const uint32_t high = 0xffff0000u;
    for (int i = 0; i < 2; i++) {
        tfx_u ha = tfx_bits_v(a) & high, hb = tfx_bits_v(b) & high;
        tfx_store(to + i * 256, tfx_of_bits_v(hb | ha >> 16));
        a = a - tfx_of_bits_v(ha);
        b = b - tfx_of_bits_v(hb);
    }
    tfx_store(to + 512, tfx_of_bits_v((tfx_bits_v(b) & high) | tfx_bits_v(a) >> 16));
}

// The first n of 16 floats, 0 for the others.
TFX_INLINE tfx_v tfx_tiles_load(const float *x, ptrdiff_t n)
{
    uint32_t mask = n >= 16 ? 0xffffu : n > 0 ? (1u << n) - 1u : 0u;
    return (tfx_v)_mm512_maskz_loadu_ps((__mmask16)mask, x);
}

// k's keys [0, keys) to tiles, 32 keys at least.
static TFX_UNUSED void tfx_tiles_keys(const tfx_tiles *w, const float *k, ptrdiff_t ldk,
                                      ptrdiff_t keys, ptrdiff_t d)
{
    float *to = w->k;
    for (ptrdiff_t j = 0; j < w->steps * 32; j += 16)
        for (ptrdiff_t c = 0; c < w->steps_d * 32; c += 32, to += TFX_CUT) {
            float edge[16 * 32], turned[32 * 16];
            const float *x = k + j * ldk + c;
            ptrdiff_t ld = ldk;
            if (j + 16 > keys || c + 32 > d) {
                for (int i = 0; i < 16; i++) {
                    ptrdiff_t n = j + i < keys ? d - c : 0;
                    tfx_store(edge + i * 32, tfx_tiles_load(x + i * ldk, n));
                    tfx_store(edge + i * 32 + 16,
                              tfx_tiles_load(x + i * ldk + 16, n - 16));
                }
                x = edge, ld = 32;
            }
            tfx_attn_turn(turned, 16, x, ld);
            tfx_attn_turn(turned + 256, 16, x + 16, ld);
            for (int i = 0; i < 256; i += 16)
                tfx_tiles_cut(to + i, tfx_load(turned + i), tfx_load(turned + 256 + i));
        }
}

static TFX_UNUSED void tfx_tiles_values(const tfx_tiles *w, const float *v,
                                        ptrdiff_t ldv, ptrdiff_t keys, ptrdiff_t dv)
{
    float *to = w->v;
    for (ptrdiff_t j = 0; j < w->steps * 32; j += 32)
        for (ptrdiff_t c = 0; c < w->tiles_v * 16; c += 16, to += TFX_CUT)
            for (ptrdiff_t i = j; i < j + 16; i++)
                tfx_tiles_cut(
                    to + 16 * (i - j),
                    tfx_tiles_load(v + i * ldv + c, i < keys ? dv - c : 0),
                    tfx_tiles_load(v + (16 + i) * ldv + c, 16 + i < keys ? dv - c : 0));
}

// q's rows to tiles, times scale log2 e in two floats.
static TFX_UNUSED void tfx_tiles_queries(const tfx_tiles *w, const float *q,
                                         ptrdiff_t ldq, ptrdiff_t rows, ptrdiff_t d,
                                         float scale)
{
    const double exact = (double)scale * 1.4426950408889634;
    const float most = (float)exact, rest = (float)(exact - (double)most);
    const tfx_v most_v = tfx_splat_v(most), rest_v = tfx_splat_v(rest);
    for (ptrdiff_t c = 0; c < w->steps_d * 32; c += 32)
        for (int r = 0; r < 16; r++) {
            ptrdiff_t n = r < rows ? d - c : 0;
            tfx_v a = tfx_tiles_load(q + r * ldq + c, n);
            tfx_v b = tfx_tiles_load(q + r * ldq + c + 16, n - 16);
            tfx_tiles_cut(w->q + c / 32 * TFX_CUT + r * 16,
                          tfx_fma_v(a, most_v, a * rest_v),
                          tfx_fma_v(b, most_v, b * rest_v));
        }
}

#endif
#endif
