// SPDX-License-Identifier: 0BSD
// attention_rows.h - attention of few query rows (decoding), one after the other, with
// lanes along d for q k' and along v's columns.
//
// The keys go by parts of TFX_ATTENTION_PART, each with a softmax of its own, which are
// joined in their order (Milakov, Gimelshein: Online normalizer calculation for softmax).
// So parts may be worked on by different threads, and a row has the same bits either way:
// where heads and rows alone would leave threads idle, the cache is split among them.

#ifndef TFX_ATTENTION_ROWS_H
#define TFX_ATTENTION_ROWS_H

#include "band.h"
#include "mix.h"
#include "rows.h"

// One block of query rows of one head, with the keys that some row sees.
typedef struct tfx_attn_block {
    float *y;
    const float *q, *k, *v, *bias;  // bias: of the first row, or NULL
    ptrdiff_t rows, keys;
    ptrdiff_t seen, skip;  // row i sees keys below seen + i, from skip + i on
    float *work;
} tfx_attn_block;

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

// What is known of the keys so far: the greatest score, the sum of e^(score - top).
typedef struct tfx_attn_sum {
    float top, sum;
} tfx_attn_sum;

enum { TFX_ATTENTION_PART = 256 };

// Row i sees keys [first, end).
static inline ptrdiff_t tfx_attn_end_of(const tfx_attn_block *b, ptrdiff_t i)
{
    return tfx_max_size(tfx_min_size(b->seen + i, b->keys), 0);
}

static inline ptrdiff_t tfx_attn_first_of(const tfx_attn_block *b, ptrdiff_t i)
{
    return tfx_max_size(tfx_min_size(b->skip + i, tfx_attn_end_of(b, i)), 0);
}

// y[dv] = sum of e^(score - top) v over keys [j, j + n) of row i; s has room for n.
static TFX_UNUSED tfx_attn_sum tfx_attn_part(const tfx_attn *a, const tfx_attn_block *b,
                                             ptrdiff_t i, ptrdiff_t j, ptrdiff_t n,
                                             float *s, float *y)
{
    const float low = -tfx_of_bits_f(0x7f800000u);
    const float *k = b->k + j * a->k_row;
    for (ptrdiff_t l = 0; l < n; l++)
        s[l] = tfx_attn_dot(b->q + i * a->q_row, k + l * a->k_row, a->d) * a->scale;
    for (ptrdiff_t l = 0; b->bias && l < n; l++)
        s[l] += b->bias[i * a->bias_row + (j + l) * a->bias_col];
    tfx_attn_sum all = {tfx_row_max(s, n, low), 0.0f};
    all.sum = tfx_row_exp(s, s, n, all.top > low ? all.top : 0.0f);
    tfx_attn_mix_row(y, s, b->v + j * a->v_row, a->v_row, n, a->dv, 1.0f);
    return all;
}

// Keys `one` with more[dv], which come after, to all those with y[dv].
static TFX_FLAT void tfx_attn_join(tfx_attn_sum *all, float *y, tfx_attn_sum one,
                                   const float *more, ptrdiff_t dv)
{
    const float top = one.top > all->top ? one.top : all->top;
    const float base = top > -tfx_of_bits_f(0x7f800000u) ? top : 0.0f;
    const float was = tfx_expf(all->top - base), is = tfx_expf(one.top - base);
    ptrdiff_t c = 0;
    all->top = top;
    all->sum = tfx_fma_f(one.sum, is, all->sum * was);
    for (; c + TFX_LANES <= dv; c += TFX_LANES)
        tfx_store(y + c, tfx_fma_v(tfx_load(more + c), tfx_splat_v(is),
                                   tfx_load(y + c) * was));
    for (; c < dv; c++)
        y[c] = tfx_fma_f(more[c], is, y[c] * was);
}

static TFX_FLAT void tfx_attn_end(float *y, tfx_attn_sum all, const float *from,
                                  ptrdiff_t dv)
{
    const float scale = all.sum > 0.0f ? 1.0f / all.sum : all.sum;
    for (ptrdiff_t c = 0; c < dv; c++)
        y[c] = from[c] * scale;
}

static TFX_UNUSED void tfx_attn_row(const tfx_attn *a, const tfx_attn_block *b,
                                    ptrdiff_t i)
{
    const ptrdiff_t first = tfx_attn_first_of(b, i), end = tfx_attn_end_of(b, i);
    float *s = b->work, *more = s + TFX_ATTENTION_PART;
    float *to = b->y + i * a->y_row, *y = to;
    if (end - first > TFX_ATTENTION_PART)  // y may be q, which all parts want
        y = more + a->dv;
    ptrdiff_t n = tfx_min_size(end - first, TFX_ATTENTION_PART);
    tfx_attn_sum all = tfx_attn_part(a, b, i, first, n, s, y);
    for (ptrdiff_t j = first + n; j < end; j += n) {
        n = tfx_min_size(end - j, TFX_ATTENTION_PART);
        tfx_attn_join(&all, y, tfx_attn_part(a, b, i, j, n, s, more), more, a->dv);
    }
    tfx_attn_end(to, all, y, a->dv);
}

// Query rows [r, r + rows) of a head.
static TFX_UNUSED tfx_attn_block tfx_attn_block_of(const tfx_attn *a, ptrdiff_t batch,
                                                   ptrdiff_t h, ptrdiff_t r,
                                                   ptrdiff_t rows, float *work)
{
    const ptrdiff_t g = h / (a->heads / a->groups);
    const tfx_attn_band band = tfx_attn_band_of(a, r, rows);
    tfx_attn_block b;
    b.y = a->y + batch * a->y_batch + h * a->y_head + r * a->y_row;
    b.q = a->q + batch * a->q_batch + h * a->q_head + r * a->q_row;
    b.k = a->k + batch * a->k_batch + g * a->k_head + band.first * a->k_row;
    b.v = a->v + batch * a->v_batch + g * a->v_head + band.first * a->v_row;
    b.bias = NULL;
    if (a->bias)
        b.bias = a->bias + batch * a->bias_batch + h * a->bias_head + r * a->bias_row +
                 band.first * a->bias_col;
    b.rows = rows;
    b.keys = band.keys;
    b.seen = band.seen;
    b.skip = band.skip;
    b.work = work;
    return b;
}

// ---- the cache split among threads ---------------------------------------------------

// Units are rows, each of so many parts. Behind the scores of a part, the scratch of each
// thread has room for `each` results: a tfx_attn_sum and y[dv].
typedef struct tfx_attn_parts {
    const tfx_attn *a;
    ptrdiff_t parts, each;
} tfx_attn_parts;

static inline float *tfx_attn_slot(const tfx_attn_parts *p, ptrdiff_t i)
{
    const tfx_attn *a = p->a;
    return a->scratch + i / p->each * TFX_ATTENTION_SCRATCH(a->tk, a->d, a->dv) +
           TFX_ATTENTION_PART + i % p->each * (a->dv + 2);
}

static inline tfx_attn_block tfx_attn_unit(const tfx_attn *a, ptrdiff_t u, float *work)
{
    return tfx_attn_block_of(a, u / a->tq / a->heads, u / a->tq % a->heads, u % a->tq,
                             1, work);
}

static TFX_UNUSED void tfx_attn_part_task(void *arg, int index, int thread)
{
    const tfx_attn_parts *p = (const tfx_attn_parts *)arg;
    const tfx_attn *a = p->a;
    float *s = a->scratch + thread * TFX_ATTENTION_SCRATCH(a->tk, a->d, a->dv);
    const tfx_attn_block b = tfx_attn_unit(a, index / p->parts, s);
    const ptrdiff_t j = index % p->parts * TFX_ATTENTION_PART;
    const ptrdiff_t n = tfx_min_size(b.keys - j, TFX_ATTENTION_PART);
    if (n <= 0)
        return;
    float *slot = tfx_attn_slot(p, index);
    tfx_attn_sum one = tfx_attn_part(a, &b, 0, j, n, s, slot + 2);
    slot[0] = one.top;
    slot[1] = one.sum;
}

// Whether threads would be idle otherwise, and there is room; if so, does it.
static TFX_UNUSED int tfx_attn_split(const tfx_par *par, const tfx_attn *a)
{
    const ptrdiff_t units = a->batch * a->heads * a->tq;
    const ptrdiff_t room =
        TFX_ATTENTION_SCRATCH(a->tk, a->d, a->dv) - TFX_ATTENTION_PART;
    const ptrdiff_t keys =
        a->window ? tfx_min_size(a->tk, a->before + a->after + 1) : a->tk;
    tfx_attn_parts p = {a, (keys + TFX_ATTENTION_PART - 1) / TFX_ATTENTION_PART,
                        room / (a->dv + 2)};
    if (!par || par->threads < 2 || p.parts < 2 ||
        units >= 2 * (ptrdiff_t)par->threads || units * p.parts > p.each * par->threads)
        return 0;
    tfx_run(par, tfx_attn_part_task, &p, (int)(units * p.parts));
    for (ptrdiff_t u = 0; u < units; u++) {
        const tfx_attn_block b = tfx_attn_unit(a, u, NULL);
        tfx_attn_sum all = {0.0f, 0.0f};
        for (ptrdiff_t c = 0; c < a->dv; c++)
            b.y[c] = 0.0f;
        for (ptrdiff_t i = 0; i * TFX_ATTENTION_PART < b.keys; i++) {
            const float *slot = tfx_attn_slot(&p, u * p.parts + i);
            const tfx_attn_sum one = {slot[0], slot[1]};
            if (i > 0)
                tfx_attn_join(&all, b.y, one, slot + 2, a->dv);
            for (ptrdiff_t c = 0; i == 0 && c < a->dv; c++)
                b.y[c] = slot[2 + c];
            all = i == 0 ? one : all;
        }
        tfx_attn_end(b.y, all, b.y, a->dv);
    }
    return 1;
}

#endif
