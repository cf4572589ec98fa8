// SPDX-License-Identifier: 0BSD
// attention.h - softmax(q k' scale + bias, mask) v; contract in tfx.h.
//
// A block of up to 48 query rows is worked on with a query in every lane:
//
//     q' [d][48]  scaled, transposed once       s = k q' [keys][48], a linear of k's rows
//     e^(s - max) down the columns              y = s' v, divided by the sums at the end
//
// so that neither softmax nor products ever reduce across lanes and k and v are read in
// place. The last line goes by TFX_ATTENTION_KEYS keys at a time, whose s and v stay near. Blocks of fewer than TFX_ATTENTION_FEW rows (decoding) go row by row instead,
// with lanes along d and along the keys.
//
// Error: scores carry |err| <= (d + 2) 2^-24 sum |q k| scale, which is relative in y; with
// scores of size 10 within 4e-6 max |v|, tests/kernels/attention.c (worst seen 1.8e-6).

#ifndef TFX_ATTENTION_H
#define TFX_ATTENTION_H

#include "attention_amx.h"
#include "mix.h"
#include "rows.h"

enum { TFX_ATTENTION_FEW = 4, TFX_ATTENTION_KEYS = 32 };

typedef struct tfx_attn_call {
    const tfx_attn *a;
    ptrdiff_t units, blocks;
    int ntasks;
} tfx_attn_call;

// One block of query rows of one head.
typedef struct tfx_attn_block {
    float *y;
    const float *q, *k, *v, *bias;  // bias: of the first row, or NULL
    ptrdiff_t rows, width, keys;    // width: rows rounded up to 16
    ptrdiff_t seen;                 // row i sees keys below seen + i
    float *s, *qt, *vt;             // f32[keys,48], f32[d,width], f32[keys,16]
    float top[TFX_PANEL], sum[TFX_PANEL];
} tfx_attn_block;

static TFX_UNUSED void tfx_attn_pack(const tfx_attn *a, const tfx_attn_block *b)
{
    ptrdiff_t rows = b->rows / TFX_LANES * TFX_LANES, d = a->d / TFX_LANES * TFX_LANES;
    for (ptrdiff_t i = 0; i < rows; i += TFX_LANES)
        for (ptrdiff_t c = 0; c < d; c += TFX_LANES)
            tfx_attn_turn(b->qt + c * b->width + i, b->width, b->q + i * a->q_row + c,
                          a->q_row, a->scale);
    for (ptrdiff_t i = 0; i < b->width; i++)
        for (ptrdiff_t c = i < rows ? d : 0; c < a->d; c++)
            b->qt[c * b->width + i] =
                i < b->rows ? b->q[i * a->q_row + c] * a->scale : 0.0f;
}

// Bias and mask of keys [j, end); s is -inf where a row does not see the key.
static TFX_UNUSED void tfx_attn_mask(const tfx_attn *a, const tfx_attn_block *b,
                                     ptrdiff_t j, ptrdiff_t end)
{
    for (; j < end; j++) {
        float *s = b->s + j * TFX_PANEL;
        if (b->bias) {
            const float *bias = b->bias + j * a->bias_col;
            if (a->bias_row == 0)
                for (ptrdiff_t i = 0; i < b->width; i++)
                    s[i] += bias[0];
            else
                for (ptrdiff_t i = 0; i < b->rows; i++)
                    s[i] += bias[i * a->bias_row];
        }
        if (a->causal)
            for (ptrdiff_t i = 0; i < b->rows && b->seen + i <= j; i++)
                s[i] = -tfx_of_bits_f(0x7f800000u);
    }
}

static TFX_UNUSED void tfx_attn_scores(const tfx_attn *a, tfx_attn_block *b)
{
    for (ptrdiff_t j = 0; j < b->keys; j += TFX_TILE_ROWS) {
        float *s = b->s + j * TFX_PANEL;
        ptrdiff_t n = b->keys - j < TFX_TILE_ROWS ? b->keys - j : TFX_TILE_ROWS;
        tfx_block_f32(s, b->k + j * a->k_row, a->k_row, b->qt, b->width, n, a->d,
                      b->qt);
        if (b->bias || (a->causal && j + n > b->seen))
            tfx_attn_mask(a, b, j, j + n);
        for (ptrdiff_t c = 0; c < b->width; c += TFX_LANES) {
            tfx_v top = tfx_load(b->top + c);
            for (ptrdiff_t i = 0; i < n; i++)
                top = tfx_max_v(top, tfx_load(s + i * TFX_PANEL + c));
            tfx_store(b->top + c, top);
        }
    }
}

// e^x of x <= 0: tfx_exp_v without its other half, and 0 where that is denormal.
TFX_INLINE tfx_v tfx_attn_exp_v(tfx_v x)
{
    const float magic = 12583039.0f;  // 1.5 2^23 + 127
    tfx_v z = tfx_fma_v(x, tfx_splat_v(1.44269504f), tfx_splat_v(magic));
    tfx_v n = z - magic;
    tfx_v r = tfx_fma_v(n, tfx_splat_v(-0.693359375f), x);
    r = tfx_fma_v(n, tfx_splat_v(2.12194440e-4f), r);
    tfx_v p = tfx_splat_v(0.00138217292f);
    p = tfx_fma_v(p, r, tfx_splat_v(0.00836885534f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.0416682586f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.166665196f));
    p = tfx_fma_v(p, r, tfx_splat_v(0.49999994f));
    p = tfx_fma_v(p, r * r, r) + 1.0f;
    p = p * tfx_of_bits_v(tfx_bits_v(z) << 23);
    return tfx_sel_v(tfx_lt_v(x, tfx_splat_v(-87.0f)), tfx_splat_v(0.0f), p);
}

// s = e^(s - top) of keys [j, to); sums of 8 keys, then of those: shorter chains, smaller
// error
static TFX_UNUSED void tfx_attn_exp(tfx_attn_block *b, ptrdiff_t j, ptrdiff_t to)
{
    for (; j < to; j += 8) {
        ptrdiff_t end = to - j < 8 ? to : j + 8;
        for (ptrdiff_t c = 0; c < b->width; c += TFX_LANES) {
            tfx_v sum = tfx_splat_v(0.0f), top = tfx_load(b->top + c);
            for (ptrdiff_t i = j; i < end; i++) {
                float *s = b->s + i * TFX_PANEL + c;
                tfx_v e = tfx_attn_exp_v(tfx_load(s) - top);
                tfx_store(s, e);
                sum = sum + e;
            }
            tfx_store(b->sum + c, tfx_load(b->sum + c) + sum);
        }
    }
}

// Columns [0, whole) of a tile of rows from keys [j, j + keys); y has row stride ldy.
static TFX_UNUSED void tfx_attn_mix(const tfx_attn *a, const tfx_attn_block *b,
                                    float *y, ptrdiff_t ldy, const float *p,
                                    ptrdiff_t whole, ptrdiff_t j, ptrdiff_t keys)
{
    const float *v = b->v + j * a->v_row;
    p += j * TFX_PANEL;
    for (ptrdiff_t c = 0, n; c < whole; c += n * TFX_LANES) {
        ptrdiff_t left = (whole - c) / TFX_LANES;
        n = left >= 3 && left != 4 ? 3 : left >= 2 ? 2 : 1;
        if (n == 3)
            tfx_mix_3(y + c, ldy, p, v + c, a->v_row, keys, j == 0);
        else if (n == 2)
            tfx_mix_2(y + c, ldy, p, v + c, a->v_row, keys, j == 0);
        else
            tfx_mix_1(y + c, ldy, p, v + c, a->v_row, keys, j == 0);
    }
}

// y's columns [col, col + count) of row r, whose sums are at t.
static inline void tfx_attn_out(const tfx_attn *a, const tfx_attn_block *b,
                                const float *t, ptrdiff_t r, ptrdiff_t col,
                                ptrdiff_t count)
{
    float scale = b->sum[r] > 0.0f ? 1.0f / b->sum[r] : b->sum[r];
    float *y = b->y + r * a->y_row + col;
    for (ptrdiff_t c = 0; c < count; c++)
        y[c] = t[c] * scale;
}

// Whole tiles of rows and vectors of columns sum in y; the last ones aside, where y may
// end before the tile.
static TFX_UNUSED void tfx_attn_values(const tfx_attn *a, tfx_attn_block *b)
{
    float t[8 * TFX_ATTENTION_MAX];
    ptrdiff_t whole = a->dv / TFX_LANES * TFX_LANES;
    ptrdiff_t rows = b->rows / TFX_MIX_ROWS * TFX_MIX_ROWS;
    for (ptrdiff_t j = 0, n; j < b->keys; j += n) {
        n = tfx_min_size(b->keys - j, TFX_ATTENTION_KEYS);
        tfx_attn_exp(b, j, j + n);
        for (ptrdiff_t r = 0; r < rows; r += TFX_MIX_ROWS)
            tfx_attn_mix(a, b, b->y + r * a->y_row, a->y_row, b->s + r, whole, j, n);
    }
    for (ptrdiff_t r = 0; r < rows; r++)
        tfx_attn_out(a, b, b->y + r * a->y_row, r, 0, b->keys > 0 ? whole : 0);
    for (ptrdiff_t r = b->keys > 0 ? rows : 0; r < b->rows; r += TFX_MIX_ROWS) {
        tfx_attn_mix(a, b, t, TFX_ATTENTION_MAX, b->s + r, whole, 0, b->keys);
        for (ptrdiff_t i = 0; i < TFX_MIX_ROWS && r + i < b->rows; i++)
            tfx_attn_out(a, b, t + i * TFX_ATTENTION_MAX, r + i, 0, whole);
    }
    if (whole == a->dv)
        return;
    for (ptrdiff_t j = 0; j < b->keys; j++)
        for (ptrdiff_t c = 0; c < TFX_LANES; c++)
            b->vt[j * 16 + c] =
                whole + c < a->dv ? b->v[j * a->v_row + whole + c] : 0.0f;
    for (ptrdiff_t r = 0; r < b->rows; r += TFX_MIX_ROWS) {
        tfx_mix_1(t, TFX_LANES, b->s + r, b->vt, 16, b->keys, 1);
        for (ptrdiff_t i = 0; i < TFX_MIX_ROWS && r + i < b->rows; i++)
            tfx_attn_out(a, b, t + i * TFX_LANES, r + i, whole, a->dv - whole);
    }
}

// ---- few rows ------------------------------------------------------------------------

static inline float tfx_attn_dot(const float *q, const float *k, ptrdiff_t d)
{
    tfx_v s[TFX_WIDE];
    float qe[16], ke[16];
    ptrdiff_t c = 0;
    for (int i = 0; i < TFX_WIDE; i++)
        s[i] = tfx_splat_v(0.0f);
    for (; c + 16 <= d; c += 16)
        for (int i = 0; i < TFX_WIDE; i++)
            s[i] = tfx_fma_v(tfx_load(q + c + i * TFX_LANES),
                             tfx_load(k + c + i * TFX_LANES), s[i]);
    if (c < d) {
        tfx_part(qe, q + c, d - c, 0.0f);
        tfx_part(ke, k + c, d - c, 0.0f);
        for (int i = 0; i < TFX_WIDE; i++)
            s[i] = tfx_fma_v(tfx_load(qe + i * TFX_LANES), tfx_load(ke + i * TFX_LANES),
                             s[i]);
    }
    return tfx_tree_sum(s);
}

// y[c] = scale * sum_j p[j] v[j][c]
static TFX_UNUSED void tfx_attn_mix_row(float *y, const float *p, const float *v,
                                        ptrdiff_t ldv, ptrdiff_t keys, ptrdiff_t dv,
                                        float scale)
{
    ptrdiff_t c = 0;
    for (; c + 4 * TFX_LANES <= dv; c += 4 * TFX_LANES) {
        tfx_v a0 = tfx_splat_v(0.0f), a1 = a0, a2 = a0, a3 = a0;
        for (ptrdiff_t j = 0; j < keys; j++) {
            const float *w = v + j * ldv + c;
            tfx_v b = tfx_splat_v(p[j]);
            a0 = tfx_fma_v(b, tfx_load(w), a0);
            a1 = tfx_fma_v(b, tfx_load(w + TFX_LANES), a1);
            a2 = tfx_fma_v(b, tfx_load(w + 2 * TFX_LANES), a2);
            a3 = tfx_fma_v(b, tfx_load(w + 3 * TFX_LANES), a3);
        }
        tfx_store(y + c, a0 * scale);
        tfx_store(y + c + TFX_LANES, a1 * scale);
        tfx_store(y + c + 2 * TFX_LANES, a2 * scale);
        tfx_store(y + c + 3 * TFX_LANES, a3 * scale);
    }
    for (; c + TFX_LANES <= dv; c += TFX_LANES) {
        tfx_v a0 = tfx_splat_v(0.0f);
        for (ptrdiff_t j = 0; j < keys; j++)
            a0 = tfx_fma_v(tfx_splat_v(p[j]), tfx_load(v + j * ldv + c), a0);
        tfx_store(y + c, a0 * scale);
    }
    for (; c < dv; c++) {
        float a0 = 0.0f;
        for (ptrdiff_t j = 0; j < keys; j++)
            a0 = tfx_fma_f(p[j], v[j * ldv + c], a0);
        y[c] = a0 * scale;
    }
}

static TFX_UNUSED void tfx_attn_row(const tfx_attn *a, const tfx_attn_block *b,
                                    ptrdiff_t i)
{
    const float low = -tfx_of_bits_f(0x7f800000u);
    ptrdiff_t keys = b->keys;
    float *s = b->s;
    if (a->causal && keys > b->seen + i)
        keys = b->seen + i > 0 ? b->seen + i : 0;
    for (ptrdiff_t j = 0; j < keys; j++)
        s[j] = tfx_attn_dot(b->q + i * a->q_row, b->k + j * a->k_row, a->d) * a->scale;
    for (ptrdiff_t j = 0; b->bias && j < keys; j++)
        s[j] += b->bias[i * a->bias_row + j * a->bias_col];
    float top = tfx_row_max(s, keys, low);
    float sum = tfx_row_exp(s, s, keys, top > low ? top : 0.0f);
    float scale = sum > 0.0f ? 1.0f / sum : sum;
    tfx_attn_mix_row(b->y + i * a->y_row, s, b->v, a->v_row, keys, a->dv, scale);
}

// ---- the whole -----------------------------------------------------------------------

static TFX_UNUSED void tfx_attn_rows(const tfx_attn *a, tfx_attn_block *b)
{
    const float low = -tfx_of_bits_f(0x7f800000u);
    if (b->rows < TFX_ATTENTION_FEW) {
        for (ptrdiff_t i = 0; i < b->rows; i++)
            tfx_attn_row(a, b, i);
        return;
    }
    for (int i = 0; i < TFX_PANEL; i++) {
        b->top[i] = low;
        b->sum[i] = 0.0f;
    }
    tfx_attn_pack(a, b);
    tfx_attn_scores(a, b);
    for (int i = 0; i < TFX_PANEL; i++)
        b->top[i] = b->top[i] > low || b->top[i] != b->top[i] ? b->top[i] : 0.0f;
    tfx_attn_values(a, b);
}

// Units are the blocks of query rows of every head of every batch entry.
static TFX_UNUSED void tfx_attn_task(void *arg, int index, int thread)
{
    const tfx_attn_call *p = (const tfx_attn_call *)arg;
    const tfx_attn *a = p->a;
    ptrdiff_t end = p->units * (index + 1) / p->ntasks;
    ptrdiff_t padded = (a->tk + 15) / 16 * 16;
    float *scratch = a->scratch + thread * TFX_ATTENTION_SCRATCH(a->tk, a->d, a->dv);
    for (ptrdiff_t u = p->units * index / p->ntasks; u < end; u++) {
        ptrdiff_t r = u % p->blocks * TFX_PANEL;
        ptrdiff_t h = u / p->blocks % a->heads, n = u / p->blocks / a->heads;
        ptrdiff_t g = h / (a->heads / a->groups);
        tfx_attn_block b;
        b.y = a->y + n * a->y_batch + h * a->y_head + r * a->y_row;
        b.q = a->q + n * a->q_batch + h * a->q_head + r * a->q_row;
        b.k = a->k + n * a->k_batch + g * a->k_head;
        b.v = a->v + n * a->v_batch + g * a->v_head;
        b.bias = NULL;
        if (a->bias)
            b.bias = a->bias + n * a->bias_batch + h * a->bias_head + r * a->bias_row;
        b.rows = a->tq - r < TFX_PANEL ? a->tq - r : TFX_PANEL;
        b.width = (b.rows + 15) / 16 * 16;
        b.keys = a->tk;
        b.seen = a->from + r + 1;
        if (a->causal && b.keys > b.seen + b.rows - 1)
            b.keys = b.seen + b.rows - 1 > 0 ? b.seen + b.rows - 1 : 0;
        b.s = scratch;
        b.vt = b.s + TFX_PANEL * padded;
        b.qt = b.vt + 16 * padded;
        tfx_attn_rows(a, &b);
    }
}

static TFX_UNUSED void tfx_attention(const tfx_par *par, const tfx_attn *a)
{
#if TFX_AMX
    if (tfx_tiles_attention(par, a))
        return;
#endif
    tfx_attn_call call = {a, 0, (a->tq + TFX_PANEL - 1) / TFX_PANEL, 1};
    call.units = a->batch * a->heads * call.blocks;
    ptrdiff_t most = par && par->threads > 1 ? 16 * (ptrdiff_t)par->threads : 1;
    call.ntasks = (int)(call.units < most ? call.units : most);
    tfx_run(par, tfx_attn_task, &call, call.ntasks);
}

#endif
