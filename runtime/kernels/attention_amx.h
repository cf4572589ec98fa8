// SPDX-License-Identifier: 0BSD
// attention_amx.h - attention by the tiles of amx.h, 16 query rows at once.
//
// Every float is cut into three bf16 that together are all of it: hi + mid + lo. A product
// of two takes six products of pieces, the others being below 2^-21 of it; their sums are
// f32. A tile holds 16 rows of 32 pieces, in pairs (i, 16 + i): one register each way.
//
//     k, v   turned into tiles once for all blocks of a head:
//            k  [keys / 16][d / 32][hi, mid, lo]      v  [keys / 32][dv / 16][hi, mid, lo]
//     s = q k'          tiles [keys / 16] of 16 x 16, in units of log2 e
//     2^(s - max)       by 32 keys, cut into tiles at once, while the tiles' unit sums the
//                       y of the 32 before
//
// Error: as attention.h's (worst seen 8e-7).

#ifndef TFX_ATTENTION_AMX_H
#define TFX_ATTENTION_AMX_H

#include "attention_cut.h"
#include "band.h"

#if TFX_AMX

enum {
    TFX_TILES_MOST_KEYS = 1024,  // beyond that k and v in pieces leave the caches
    TFX_TILES_LEAST_ROWS = 32    // of a kv head: fewer do not pay for turning it
};

// ---- products ------------------------------------------------------------------------

// clang-format off
// Tile C += a b: a's pieces in tiles 4 to 6, b's at b; small ones first.
#define TFX_TILES_FIRST(a)                                                             \
    _tile_loadd(4, (a), 64);                                                           \
    _tile_loadd(5, (a) + 256, 64);                                                     \
    _tile_loadd(6, (a) + 512, 64);
#define TFX_TILES_ADD(C, b)                                                            \
    _tile_loadd(7, (b) + 512, 64);                                                     \
    _tile_dpbf16ps(C, 4, 7);                                                           \
    _tile_loadd(7, (b) + 256, 64);                                                     \
    _tile_dpbf16ps(C, 5, 7);                                                           \
    _tile_dpbf16ps(C, 4, 7);                                                           \
    _tile_loadd(7, (b), 64);                                                           \
    _tile_dpbf16ps(C, 6, 7);                                                           \
    _tile_dpbf16ps(C, 5, 7);                                                           \
    _tile_dpbf16ps(C, 4, 7);
#define TFX_TILES_ZERO _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
#define TFX_TILES_OUT(to)                                                              \
    _tile_stored(0, (to), 64);                                                         \
    _tile_stored(1, (to) + 256, 64);                                                   \
    _tile_stored(2, (to) + 512, 64);                                                   \
    _tile_stored(3, (to) + 768, 64);
// clang-format on

// Scores of tiles [t, t + 4) of keys, or of [t, t + 2).
static TFX_UNUSED void tfx_tiles_scores(const tfx_tiles *w, ptrdiff_t t, int four)
{
    const ptrdiff_t tile = w->steps_d * TFX_CUT;
    tfx_amx_settle();
    TFX_TILES_ZERO
    for (ptrdiff_t c = 0; c < w->steps_d; c++) {
        const float *b = w->k + t * tile + c * TFX_CUT;
        TFX_TILES_FIRST(w->q + c * TFX_CUT)
        TFX_TILES_ADD(0, b)
        TFX_TILES_ADD(1, b + tile)
        if (four) {
            TFX_TILES_ADD(2, b + 2 * tile)
            TFX_TILES_ADD(3, b + 3 * tile)
        }
    }
    float *s = w->s + t * 256;
    _tile_stored(0, s, 64);
    _tile_stored(1, s + 256, 64);
    if (four) {
        _tile_stored(2, s + 512, 64);
        _tile_stored(3, s + 768, 64);
    }
    tfx_amx_settle();
}

// ---- softmax -------------------------------------------------------------------------

// 2^x of x <= 0: scalef goes by the whole part that reduce takes away, to 0 of -inf.
TFX_INLINE tfx_v tfx_tiles_exp2(tfx_v x)
{
    tfx_v r = (tfx_v)_mm512_reduce_ps((__m512)x, 9);
    tfx_v p = tfx_splat_v(0.00186695252f);
    p = tfx_fma_v(p, r, tfx_splat_v(0.00901748054f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.0557995141f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.240164593f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.693151295f));
    p = tfx_fma_v(p, r, tfx_splat_v(1.0f));
    return (tfx_v)_mm512_scalef_ps((__m512)p, (__m512)x);
}

// Rows [r, r + 4) of step j to the pieces at p.
TFX_INLINE void tfx_tiles_exp(const tfx_tiles *w, float *p, ptrdiff_t j, int r)
{
    const float *s = w->s + j * 512;
    for (int i = 16 * r; i < 16 * r + 64; i += 16) {
        tfx_v top = tfx_splat_v(w->top[i / 16]);
        tfx_v a = tfx_tiles_exp2(tfx_load(s + i) - top);
        tfx_v b = tfx_tiles_exp2(tfx_load(s + 256 + i) - top);
        tfx_store(w->sum + i, tfx_load(w->sum + i) + (a + b));
        tfx_tiles_cut(p + i, a, b);
    }
}

// Up to 64 columns of v from tile c on: t f32[4][16][16] = e^(s - top) v.
static TFX_UNUSED void tfx_tiles_mix(const tfx_tiles *w, float *t, ptrdiff_t c)
{
    const ptrdiff_t n = tfx_min_size(w->tiles_v - c, 4);
    for (int i = 0; i < 256; i += 16)
        tfx_store(w->sum + i, tfx_splat_v(0.0f));
    TFX_TILES_ZERO
    for (ptrdiff_t j = 0; j < w->steps; j++) {
        float *p = w->p + (j & 1) * TFX_CUT;
        const float *b = w->v + (j * w->tiles_v + c) * TFX_CUT - w->tiles_v * TFX_CUT;
        const int more = j > 0;
        tfx_amx_settle();
        if (more) {
            TFX_TILES_FIRST(w->p + (~j & 1) * TFX_CUT)
            TFX_TILES_ADD(0, b)
        }
        tfx_tiles_exp(w, p, j, 0);
        if (more && n > 1) {
            TFX_TILES_ADD(1, b + TFX_CUT)
        }
        tfx_tiles_exp(w, p, j, 4);
        if (more && n > 2) {
            TFX_TILES_ADD(2, b + 2 * TFX_CUT)
        }
        tfx_tiles_exp(w, p, j, 8);
        if (more && n > 3) {
            TFX_TILES_ADD(3, b + 3 * TFX_CUT)
        }
        tfx_tiles_exp(w, p, j, 12);
    }
    if (w->steps > 0) {
        const float *b = w->v + ((w->steps - 1) * w->tiles_v + c) * TFX_CUT;
        tfx_amx_settle();
        TFX_TILES_FIRST(w->p + (~w->steps & 1) * TFX_CUT)
        TFX_TILES_ADD(0, b)
        if (n > 1) {
            TFX_TILES_ADD(1, b + TFX_CUT)
        }
        if (n > 2) {
            TFX_TILES_ADD(2, b + 2 * TFX_CUT)
        }
        if (n > 3) {
            TFX_TILES_ADD(3, b + 3 * TFX_CUT)
        }
    }
    TFX_TILES_OUT(t)
    tfx_amx_settle();
}

// ---- a block of rows -----------------------------------------------------------------

// 16 query rows of one head or less.
typedef struct tfx_tiles_rows {
    float *y;
    const float *q, *bias;  // bias: of the first row, or NULL
    ptrdiff_t rows, keys;
    ptrdiff_t seen, skip;  // row i sees keys below seen + i, from skip + i on
} tfx_tiles_rows;

// Bias of keys [j, j + 16) of row r, 0 beyond the last.
static inline tfx_v tfx_tiles_bias(const tfx_attn *a, const tfx_tiles_rows *b, int r,
                                   ptrdiff_t j)
{
    const float *bias = b->bias + r * a->bias_row + j * a->bias_col;
    float lane[16];
    if (a->bias_col == 1 && j + 16 <= b->keys)
        return tfx_load(bias);
    for (ptrdiff_t i = 0; i < 16; i++)
        lane[i] = j + i < b->keys ? bias[i * a->bias_col] : 0.0f;
    return tfx_load(lane);
}

// Bias and mask of tile t of scores; -inf where a row does not see the key.
static TFX_UNUSED void tfx_tiles_mask(const tfx_tiles *w, const tfx_attn *a,
                                      const tfx_tiles_rows *b, ptrdiff_t t)
{
    const tfx_m lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const tfx_v none = tfx_splat_v(-tfx_of_bits_f(0x7f800000u));
    const tfx_v log2e = tfx_splat_v(1.44269504f), rest = tfx_splat_v(1.92596303e-8f);
    for (int r = 0; r < b->rows; r++) {
        float *to = w->s + t * 256 + r * 16;
        tfx_v s = tfx_load(to);
        if (b->bias) {
            tfx_v bias = tfx_tiles_bias(a, b, r, t * 16);
            s = tfx_fma_v(bias, log2e, tfx_fma_v(bias, rest, s));
        }
        ptrdiff_t end = tfx_min_size(b->seen + r, b->keys) - t * 16;
        ptrdiff_t first = tfx_max_size(b->skip + r - t * 16, 0);
        end = tfx_min_size(tfx_max_size(end, 0), 16);
        first = tfx_min_size(first, 16);
        tfx_store(to,
                  tfx_sel_v((tfx_m)((lane < (int32_t)end) & (lane >= (int32_t)first)),
                            s, none));
    }
}

// All scores, and in top their greatest by row, 0 where there is none.
static TFX_UNUSED void tfx_tiles_top(const tfx_tiles *w, const tfx_attn *a,
                                     const tfx_tiles_rows *b)
{
    const tfx_v low = tfx_splat_v(-tfx_of_bits_f(0x7f800000u));
    const ptrdiff_t tiles = w->steps * 2;
    for (int i = 0; i < 256; i += 16)
        tfx_store(w->top + i, low);
    for (ptrdiff_t t = 0, n; t < tiles; t += n) {
        n = tiles - t >= 4 ? 4 : 2;
        tfx_tiles_scores(w, t, n == 4);
        for (ptrdiff_t i = t; i < t + n; i++)
            if (b->bias || i * 16 + 16 > tfx_min_size(b->keys, b->seen) ||
                i * 16 < b->skip + b->rows - 1)
                tfx_tiles_mask(w, a, b, i);
        for (int i = 0; i < 256; i += 16) {
            const float *s = w->s + t * 256 + i;
            tfx_v top = tfx_max_v(tfx_load(w->top + i), tfx_load(s));
            top = tfx_max_v(top, tfx_load(s + 256));
            if (n == 4)
                top = tfx_max_v(tfx_max_v(top, tfx_load(s + 512)), tfx_load(s + 768));
            tfx_store(w->top + i, top);
        }
    }
    tfx_attn_turn(w->sum, 16, w->top, 16);
    tfx_v top = low;
    for (int i = 0; i < 256; i += 16)
        top = tfx_max_v(top, tfx_load(w->sum + i));
    tfx_store(w->top, tfx_sel_v(tfx_lt_v(low, top), top, tfx_splat_v(0.0f)));
}

// y's rows from column col on: the tiles t by 1 / sum.
static TFX_UNUSED void tfx_tiles_out(const tfx_tiles *w, const tfx_attn *a,
                                     const tfx_tiles_rows *b, float *t, ptrdiff_t col)
{
    float turned[256], scale[16];
    tfx_attn_turn(turned, 16, w->sum, 16);
    for (int n = 128; n >= 16; n /= 2)
        for (int i = 0; i < n; i += 16)
            tfx_store(turned + i, tfx_load(turned + i) + tfx_load(turned + n + i));
    tfx_v sum = tfx_load(turned);
    tfx_store(scale, tfx_sel_v(tfx_lt_v(tfx_splat_v(0.0f), sum), 1.0f / sum, sum));
    for (ptrdiff_t r = 0; r < b->rows; r++)
        for (ptrdiff_t c = 0; c < 64 && col + c < a->dv; c += 16) {
            float *y = b->y + r * a->y_row + col + c, *from = t + c * 16 + r * 16;
            tfx_v x = tfx_load(from) * scale[r];
            if (col + c + 16 <= a->dv) {
                tfx_store(y, x);
                continue;
            }
            tfx_store(from, x);
            for (ptrdiff_t i = 0; col + c + i < a->dv; i++)
                y[i] = from[i];
        }
}

// The keys that rows from r on see, whole steps of them, in w, which begins at key `first`.
static TFX_UNUSED void tfx_tiles_see(tfx_tiles *w, const tfx_attn *a, tfx_tiles_rows *b,
                                     ptrdiff_t r, ptrdiff_t first)
{
    const tfx_attn_band band = tfx_attn_band_of(a, r, b->rows);
    const ptrdiff_t step = (band.first - first) / 32;
    const ptrdiff_t more = band.first - first - step * 32;
    b->keys = band.keys > 0 ? band.keys + more : 0;
    b->seen = band.seen + more;
    b->skip = band.skip + more;
    if (b->bias)
        b->bias += (band.first - more) * a->bias_col;
    w->k += step * 2 * w->steps_d * TFX_CUT;
    w->v += step * w->tiles_v * TFX_CUT;
    w->steps = (b->keys + 31) / 32;
}

// Rows from r on; w begins at key `first`.
static TFX_UNUSED void tfx_tiles_block(const tfx_tiles *all, const tfx_attn *a,
                                       tfx_tiles_rows *b, ptrdiff_t r, ptrdiff_t first)
{
    tfx_tiles w = *all;
    float t[4 * 256];
    tfx_tiles_see(&w, a, b, r, first);
    tfx_tiles_queries(&w, b->q, a->q_row, b->rows, a->d, a->scale);
    tfx_tiles_top(&w, a, b);
    for (ptrdiff_t c = 0; c < w.tiles_v; c += 4) {
        tfx_tiles_mix(&w, t, c);
        tfx_tiles_out(&w, a, b, t, c * 16);
    }
}

// ---- the whole -----------------------------------------------------------------------

typedef struct tfx_tiles_call {
    const tfx_attn *a;
    ptrdiff_t heads,
        blocks;       // of a kv head: query heads, blocks of rows in all of them
    ptrdiff_t parts;  // tasks that share a kv head
} tfx_tiles_call;

static TFX_UNUSED tfx_tiles tfx_tiles_work(const tfx_attn *a, float *scratch)
{
    tfx_tiles w;
    w.steps_d = (a->d + 31) / 32, w.tiles_v = (a->dv + 15) / 16;
    w.steps = (a->tk + 31) / 32;
    w.sum = scratch + (64 - (uintptr_t)scratch % 64) % 64 / 4;
    w.top = w.sum + 256;
    w.p = w.top + 256;
    w.q = w.p + 2 * TFX_CUT;
    w.s = w.q + w.steps_d * TFX_CUT;
    w.k = w.s + w.steps * 512;
    w.v = w.k + w.steps * 2 * w.steps_d * TFX_CUT;
    return w;
}

// Part of the blocks of one kv head of one batch entry.
static TFX_UNUSED void tfx_tiles_task(void *arg, int index, int thread)
{
    const tfx_tiles_call *p = (const tfx_tiles_call *)arg;
    const tfx_attn *a = p->a;
    ptrdiff_t n = index / p->parts / a->groups, g = index / p->parts % a->groups;
    ptrdiff_t per_head = p->blocks / p->heads, part = index % p->parts;
    const tfx_attn_band all = tfx_attn_band_of(a, 0, a->tq);
    const float *k = a->k + n * a->k_batch + g * a->k_head + all.first * a->k_row;
    const float *v = a->v + n * a->v_batch + g * a->v_head + all.first * a->v_row;
    tfx_tiles w = tfx_tiles_work(
        a, a->scratch + thread * TFX_ATTENTION_SCRATCH_AMX(a->tk, a->d, a->dv));
    w.steps = (all.keys + 31) / 32;
    tfx_tiles_keys(&w, k, a->k_row, all.keys, a->d);
    tfx_tiles_values(&w, v, a->v_row, all.keys, a->dv);
    tfx_amx_begin();
    ptrdiff_t end = p->blocks * (part + 1) / p->parts;
    for (ptrdiff_t u = p->blocks * part / p->parts; u < end; u++) {
        ptrdiff_t h = g * p->heads + u / per_head, r = u % per_head * 16;
        tfx_tiles_rows b;
        b.y = a->y + n * a->y_batch + h * a->y_head + r * a->y_row;
        b.q = a->q + n * a->q_batch + h * a->q_head + r * a->q_row;
        b.bias = NULL;
        if (a->bias)
            b.bias = a->bias + n * a->bias_batch + h * a->bias_head + r * a->bias_row;
        b.rows = tfx_min_size(a->tq - r, 16);
        tfx_tiles_block(&w, a, &b, r, all.first);
    }
    tfx_amx_end();
}

// Whether the tiles did it.
static TFX_UNUSED int tfx_tiles_attention(const tfx_par *par, const tfx_attn *a)
{
    tfx_tiles_call call = {a, a->heads / a->groups, 0, 1};
    ptrdiff_t kv = a->batch * a->groups, threads = par ? par->threads : 1;
    if (a->tq < 16 || a->tq * call.heads < TFX_TILES_LEAST_ROWS ||
        a->tk > TFX_TILES_MOST_KEYS || a->tk < 1 || !tfx_amx_is_ready())
        return 0;
    call.blocks = (a->tq + 15) / 16 * call.heads;
    if (threads > 1)
        call.parts = tfx_min_size((2 * threads + kv - 1) / kv, call.blocks);
    tfx_run(par, tfx_tiles_task, &call, (int)(kv * call.parts));
    return 1;
}

#endif
#endif
