// SPDX-License-Identifier: 0BSD
// attention.h - softmax(q k' scale + bias, mask) v; contract in tfx.h.
//
// A block of up to 48 query rows is worked on with a query in every lane, by
// TFX_ATTENTION_KEYS keys at a time, which stay in the first cache:
//
//     q' [d][48]  scaled, turned once           s = k q' [keys][48], a linear of k's rows
//     2^(s - max) down the columns              y = s' v, divided by the sums at the end
//
// so that neither softmax nor products ever reduce across lanes and k and v are read in
// place. max is of the keys so far: where it grows, y and the sums so far are scaled down.
// Blocks of few rows go by attention_rows.h, everything with tiles by attention_amx.h.
//
// Error: scores carry |err| <= (d + 2) 2^-24 sum |q k| scale, which is relative in y; with
// scores of size 10 within 4e-6 max |v|, tests/kernels/attention.c (worst seen 1.8e-6).

#ifndef TFX_ATTENTION_H
#define TFX_ATTENTION_H

#include "attention_amx.h"
#include "attention_rows.h"

// tfxc tune may set them; keys by 8, at most 512.
#ifndef TFX_ATTENTION_FEW
#    define TFX_ATTENTION_FEW 4
#endif
#ifndef TFX_ATTENTION_KEYS
#    define TFX_ATTENTION_KEYS 128
#endif

typedef struct tfx_attn_call {
    const tfx_attn *a;
    ptrdiff_t units, blocks;
    int ntasks;
} tfx_attn_call;

// What a block of rows is worked on with; the last rows and columns of y, where y ends
// before their tile, sum in edge and side.
typedef struct tfx_attn_work {
    ptrdiff_t width;     // rows rounded up to 16
    float *s, *qt, *vt;  // f32[KEYS,48], [d,width], [KEYS,16]
    float *edge, *side;  // f32[MIX_ROWS,MAX], f32[48,16]
    ptrdiff_t edge_row;  // edge's first
    float top[TFX_PANEL], sum[TFX_PANEL], old[TFX_PANEL];  // old: 2^(last top - top)
} tfx_attn_work;

static TFX_UNUSED void tfx_attn_pack(const tfx_attn *a, const tfx_attn_block *b,
                                     const tfx_attn_work *w)
{
    const double exact = (double)a->scale * 1.4426950408889634;
    const float most = (float)exact, rest = (float)(exact - (double)most);
    ptrdiff_t rows = b->rows / TFX_LANES * TFX_LANES, d = a->d / TFX_LANES * TFX_LANES;
    for (ptrdiff_t i = 0; i < rows; i += TFX_LANES)
        for (ptrdiff_t c = 0; c < d; c += TFX_LANES)
            tfx_attn_turn(w->qt + c * w->width + i, w->width, b->q + i * a->q_row + c,
                          a->q_row);
    for (ptrdiff_t i = 0; i < w->width; i++)
        for (ptrdiff_t c = i < rows ? d : 0; c < a->d; c++)
            w->qt[c * w->width + i] = i < b->rows ? b->q[i * a->q_row + c] : 0.0f;
    for (ptrdiff_t i = 0; i < a->d * w->width; i += TFX_LANES) {
        tfx_v x = tfx_load(w->qt + i);
        tfx_store(w->qt + i, tfx_fma_v(x, tfx_splat_v(most), x * rest));
    }
}

// Bias and mask of keys [j, end); s is -inf where a row does not see the key.
static TFX_UNUSED void tfx_attn_mask(const tfx_attn *a, const tfx_attn_block *b,
                                     float *s, ptrdiff_t j, ptrdiff_t end)
{
    const float log2e = 1.44269504f, rest = 1.92596303e-8f;
    ptrdiff_t width = (b->rows + 15) / 16 * 16;
    for (; j < end; j++, s += TFX_PANEL) {
        if (b->bias) {
            const float *bias = b->bias + j * a->bias_col;
            if (a->bias_row == 0)
                for (ptrdiff_t i = 0; i < width; i++)
                    s[i] = tfx_fma_f(bias[0], log2e, tfx_fma_f(bias[0], rest, s[i]));
            else
                for (ptrdiff_t i = 0; i < b->rows; i++)
                    s[i] = tfx_fma_f(bias[i * a->bias_row], log2e,
                                     tfx_fma_f(bias[i * a->bias_row], rest, s[i]));
        }
        for (ptrdiff_t i = 0; i < b->rows && b->seen + i <= j; i++)
            s[i] = -tfx_of_bits_f(0x7f800000u);
        for (ptrdiff_t i = tfx_max_size(j - b->skip + 1, 0); i < b->rows; i++)
            s[i] = -tfx_of_bits_f(0x7f800000u);
    }
}

// 2^x of x <= 0, by the nearest whole number n: 0 below 2^-127, where p is 1 and n takes
// all of its exponent.
TFX_INLINE tfx_v tfx_attn_exp2_v(tfx_v x)
{
    x = tfx_max_v(x, tfx_splat_v(-127.0f));
    tfx_v z = x + 12582912.0f;  // 1.5 2^23: n is in the low bits
    tfx_v r = x - (z - 12582912.0f);
    tfx_v p = tfx_splat_v(0.00132694072f);
    p = tfx_fma_v(p, r, tfx_splat_v(0.00967129413f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.0555071123f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.240222469f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.693147004f));
    p = tfx_fma_v(p, r, tfx_splat_v(1.0f));
    return tfx_of_bits_v(tfx_bits_v(p) + (tfx_bits_v(z) << 23));
}

// Scores of keys [j, j + n), the greatest so far, and what that does to the sums so far.
static TFX_UNUSED void tfx_attn_scores(const tfx_attn *a, const tfx_attn_block *b,
                                       tfx_attn_work *w, ptrdiff_t j, ptrdiff_t n)
{
    const tfx_v low = tfx_splat_v(-tfx_of_bits_f(0x7f800000u));
    float last[TFX_PANEL];
    for (int i = 0; i < TFX_PANEL; i++)
        last[i] = w->top[i];
    for (ptrdiff_t i = 0, rows; i < n; i += rows) {
        float *s = w->s + i * TFX_PANEL;
        rows = tfx_min_size(n - i, TFX_TILE_ROWS);
        tfx_block_f32(s, b->k + (j + i) * a->k_row, a->k_row, w->qt, w->width, rows,
                      a->d, w->qt);
        if (b->bias || j + i + rows > b->seen || j + i < b->skip + b->rows - 1)
            tfx_attn_mask(a, b, s, j + i, j + i + rows);
        for (ptrdiff_t c = 0; c < w->width; c += TFX_LANES) {
            tfx_v top = tfx_load(w->top + c);
            for (ptrdiff_t r = 0; r < rows; r++)
                top = tfx_max_v(top, tfx_load(s + r * TFX_PANEL + c));
            tfx_store(w->top + c, top);
        }
    }
    for (ptrdiff_t c = 0; c < w->width; c += TFX_LANES) {
        tfx_v top = tfx_load(w->top + c);
        top = tfx_sel_v(tfx_lt_v(low, top), top, tfx_splat_v(0.0f));
        tfx_v old = tfx_attn_exp2_v(tfx_load(last + c) - top);
        tfx_store(w->old + c, old);
        tfx_store(w->sum + c, tfx_load(w->sum + c) * old);
    }
}

// s = 2^(s - top) of the first n keys; sums of 8 keys, then of those: shorter chains,
// smaller error
static TFX_UNUSED void tfx_attn_exp(tfx_attn_work *w, ptrdiff_t n)
{
    const tfx_v low = tfx_splat_v(-tfx_of_bits_f(0x7f800000u));
    for (ptrdiff_t c = 0; c < w->width; c += TFX_LANES) {
        tfx_v top = tfx_load(w->top + c), all = tfx_load(w->sum + c);
        top = tfx_sel_v(tfx_lt_v(low, top), top, tfx_splat_v(0.0f));
        for (ptrdiff_t j = 0, end; j < n; j = end) {
            tfx_v sum = tfx_splat_v(0.0f);
            end = tfx_min_size(n, j + 8);
            for (ptrdiff_t i = j; i < end; i++) {
                float *s = w->s + i * TFX_PANEL + c;
                tfx_v e = tfx_attn_exp2_v(tfx_load(s) - top);
                tfx_store(s, e);
                sum = sum + e;
            }
            all = all + sum;
        }
        tfx_store(w->sum + c, all);
    }
}

// Adds n keys from v on to columns [0, cols), whole vectors, of the tile of rows whose s
// is at p; y has row stride ldy.
static TFX_UNUSED void tfx_attn_mix(float *y, ptrdiff_t ldy, const float *p,
                                    const float *v, ptrdiff_t ldv, ptrdiff_t rows,
                                    ptrdiff_t cols, ptrdiff_t n, int first)
{
    ptrdiff_t c = 0;
    for (; c + 2 * TFX_LANES <= cols; c += 2 * TFX_LANES)
        if (rows == TFX_MIX_ROWS)
            tfx_mix_2(y + c, ldy, p, v + c, ldv, n, first);
        else
            tfx_mix_few_2(y + c, ldy, p, v + c, ldv, n, first);
    if (c < cols && rows == TFX_MIX_ROWS)
        tfx_mix_1(y + c, ldy, p, v + c, ldv, n, first);
    else if (c < cols)
        tfx_mix_few_1(y + c, ldy, p, v + c, ldv, n, first);
}

// Rows of the next tile when so many are left: never beyond them rounded up to 16.
static inline ptrdiff_t tfx_attn_tile(ptrdiff_t left)
{
    int most = left > TFX_MIX_FEW && (left <= TFX_MIX_ROWS || left > 2 * TFX_MIX_FEW);
    return most ? TFX_MIX_ROWS : TFX_MIX_FEW;
}

// Rows [r, r + n) of y so far, cols columns, at the new top.
static TFX_UNUSED void tfx_attn_lower(const tfx_attn_work *w, float *y, ptrdiff_t ldy,
                                      ptrdiff_t r, ptrdiff_t n, ptrdiff_t cols)
{
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t c = 0; c < cols && w->old[r + i] != 1.0f; c += TFX_LANES)
            tfx_store(y + i * ldy + c, tfx_load(y + i * ldy + c) * w->old[r + i]);
}

// y += s' v of keys [j, j + n). Whole tiles of rows and vectors of columns sum in y.
static TFX_UNUSED void tfx_attn_values(const tfx_attn *a, const tfx_attn_block *b,
                                       tfx_attn_work *w, ptrdiff_t j, ptrdiff_t n)
{
    const float *v = b->v + j * a->v_row;
    ptrdiff_t cols = a->dv / TFX_LANES * TFX_LANES;
    for (ptrdiff_t r = 0, rows; r < b->rows; r += rows) {
        rows = tfx_attn_tile(b->rows - r);
        float *y = b->y + r * a->y_row;
        ptrdiff_t ld = a->y_row;
        w->edge_row = r + rows;
        if (r + rows > b->rows)
            y = w->edge, ld = TFX_ATTENTION_MAX, w->edge_row = r;
        if (j > 0)
            tfx_attn_lower(w, y, ld, r, rows, cols);
        tfx_attn_mix(y, ld, w->s + r, v, a->v_row, rows, cols, n, j == 0);
    }
    if (cols == a->dv)
        return;
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t c = 0; c < TFX_LANES; c++)
            w->vt[i * 16 + c] = cols + c < a->dv ? v[i * a->v_row + cols + c] : 0.0f;
    if (j > 0)
        tfx_attn_lower(w, w->side, 16, 0, b->rows, TFX_LANES);
    for (ptrdiff_t r = 0, rows; r < b->rows; r += rows) {
        rows = tfx_attn_tile(b->rows - r);
        tfx_attn_mix(w->side + r * 16, 16, w->s + r, w->vt, 16, rows, TFX_LANES, n,
                     j == 0);
    }
}

// y's sums, wherever they are, divided by those of s.
static TFX_UNUSED void tfx_attn_out(const tfx_attn *a, const tfx_attn_block *b,
                                    const tfx_attn_work *w)
{
    ptrdiff_t cols = a->dv / TFX_LANES * TFX_LANES;
    for (ptrdiff_t r = 0; r < b->rows; r++) {
        float scale = w->sum[r] > 0.0f ? 1.0f / w->sum[r] : w->sum[r];
        float *y = b->y + r * a->y_row;
        const float *from = y;
        if (r >= w->edge_row)
            from = w->edge + (r - w->edge_row) * TFX_ATTENTION_MAX;
        for (ptrdiff_t c = 0; c < cols; c += TFX_LANES)
            tfx_store(y + c, tfx_load(from + c) * scale);
        for (ptrdiff_t c = cols; c < a->dv; c++)
            y[c] = w->side[r * 16 + c - cols] * scale;
    }
}

// ---- the whole -----------------------------------------------------------------------

static TFX_UNUSED void tfx_attn_rows(const tfx_attn *a, const tfx_attn_block *b)
{
    float edge[TFX_MIX_ROWS * TFX_ATTENTION_MAX], side[TFX_PANEL * 16];
    tfx_attn_work w;
    w.width = (b->rows + 15) / 16 * 16;
    w.s = b->work;
    w.vt = w.s + TFX_PANEL * tfx_min_size(b->keys, TFX_ATTENTION_KEYS);
    w.qt = w.vt + 16 * tfx_min_size(b->keys, TFX_ATTENTION_KEYS);
    w.edge = edge, w.side = side, w.edge_row = 0;
    for (int i = 0; i < TFX_PANEL; i++) {
        w.top[i] = -tfx_of_bits_f(0x7f800000u);
        w.sum[i] = 0.0f;
    }
    tfx_attn_pack(a, b, &w);
    for (ptrdiff_t j = 0, n; j < b->keys; j += n) {
        n = tfx_min_size(b->keys - j, TFX_ATTENTION_KEYS);
        tfx_attn_scores(a, b, &w, j, n);
        tfx_attn_exp(&w, n);
        tfx_attn_values(a, b, &w, j, n);
    }
    for (ptrdiff_t r = 0; r < b->rows && b->keys < 1; r++)
        for (ptrdiff_t c = 0; c < a->dv; c++)
            b->y[r * a->y_row + c] = 0.0f;
    if (b->keys > 0)
        tfx_attn_out(a, b, &w);
}

// Units are the blocks of query rows of every head of every batch entry.
static TFX_UNUSED void tfx_attn_task(void *arg, int index, int thread)
{
    const tfx_attn_call *p = (const tfx_attn_call *)arg;
    const tfx_attn *a = p->a;
    ptrdiff_t end = p->units * (index + 1) / p->ntasks;
    float *scratch = a->scratch + thread * TFX_ATTENTION_SCRATCH(a->tk, a->d, a->dv);
    for (ptrdiff_t u = p->units * index / p->ntasks; u < end; u++) {
        ptrdiff_t r = u % p->blocks * TFX_PANEL;
        ptrdiff_t h = u / p->blocks % a->heads, n = u / p->blocks / a->heads;
        const tfx_attn_block b =
            tfx_attn_block_of(a, n, h, r, tfx_min_size(a->tq - r, TFX_PANEL), scratch);
        if (b.rows >= TFX_ATTENTION_FEW)
            tfx_attn_rows(a, &b);
        for (ptrdiff_t i = 0; b.rows < TFX_ATTENTION_FEW && i < b.rows; i++)
            tfx_attn_row(a, &b, i);
    }
}

static TFX_UNUSED void tfx_attention(const tfx_par *par, const tfx_attn *a)
{
#if TFX_AMX
    if (tfx_tiles_attention(par, a))
        return;
#endif
    if (a->tq < TFX_ATTENTION_FEW && tfx_attn_split(par, a))
        return;
    tfx_attn_call call = {a, 0, (a->tq + TFX_PANEL - 1) / TFX_PANEL, 1};
    call.units = a->batch * a->heads * call.blocks;
    ptrdiff_t most = par && par->threads > 1 ? 16 * (ptrdiff_t)par->threads : 1;
    call.ntasks = (int)(call.units < most ? call.units : most);
    tfx_run(par, tfx_attn_task, &call, call.ntasks);
}

#endif
