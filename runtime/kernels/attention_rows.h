// SPDX-License-Identifier: 0BSD
// attention_rows.h - attention of few query rows (decoding), one after the other, with
// lanes along d for q k' and along v's columns.

#ifndef TFX_ATTENTION_ROWS_H
#define TFX_ATTENTION_ROWS_H

#include "mix.h"
#include "rows.h"

// One block of query rows of one head.
typedef struct tfx_attn_block {
    float *y;
    const float *q, *k, *v, *bias;  // bias: of the first row, or NULL
    ptrdiff_t rows, keys;
    ptrdiff_t seen;  // row i sees keys below seen + i
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

static TFX_UNUSED void tfx_attn_row(const tfx_attn *a, const tfx_attn_block *b,
                                    ptrdiff_t i)
{
    const float low = -tfx_of_bits_f(0x7f800000u);
    ptrdiff_t keys = b->keys;
    float *s = b->work;
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

#endif
