// SPDX-License-Identifier: 0BSD
// row.h - what norms and softmax are made of: the sums and the greatest of one row.
//
// A row is read in pieces of four chunks of 16 elements, one for each virtual lane (vec.h),
// with a sum for each chunk, so that they do not wait for each other; the last piece is filled
// up so that the rest changes nothing. Order, and so bits, are the same on every target.

#ifndef TFX_ROW_H
#define TFX_ROW_H

#include "math.h"

enum { TFX_ROW_PIECE = 64, TFX_ROW_SUMS = TFX_ROW_PIECE / TFX_LANES };

static inline float tfx_row_total(const tfx_v *s)
{
    enum { N = TFX_WIDE };
    tfx_v all[N];
    for (int i = 0; i < N; i++)
        all[i] = (s[i] + s[N + i]) + (s[2 * N + i] + s[3 * N + i]);
    return tfx_tree_sum(all);
}

static inline float tfx_row_top(const tfx_v *s)
{
    float lane[TFX_LANES];
    tfx_v all = s[0];
    for (int i = 1; i < TFX_ROW_SUMS; i++)
        all = tfx_max_v(all, s[i]);
    tfx_store(lane, all);
    for (int i = 1; i < TFX_LANES; i++)
        lane[0] = tfx_maxf(lane[0], lane[i]);
    return lane[0];
}

// x, or if n < 64 the n floats of x and then `fill`, at rest[64].
static inline const float *tfx_row_piece(float *rest, const float *x, ptrdiff_t n,
                                         float fill)
{
    ptrdiff_t i = 0;
    if (n >= TFX_ROW_PIECE)
        return x;
    for (; i + TFX_LANES <= n; i += TFX_LANES)
        tfx_store(rest + i, tfx_load(x + i));
    for (ptrdiff_t j = i; j < TFX_ROW_PIECE; j += TFX_LANES)
        tfx_store(rest + j, tfx_splat_v(fill));
    for (; i < n; i++)
        rest[i] = x[i];
    return rest;
}

static inline float tfx_row_sum(const float *x, ptrdiff_t d)
{
    tfx_v s[TFX_ROW_SUMS];
    float rest[TFX_ROW_PIECE];
    for (int i = 0; i < TFX_ROW_SUMS; i++)
        s[i] = tfx_splat_v(0.0f);
    for (ptrdiff_t c = 0; c < d; c += TFX_ROW_PIECE) {
        const float *from = tfx_row_piece(rest, x + c, d - c, 0.0f);
        for (int i = 0; i < TFX_ROW_SUMS; i++)
            s[i] = s[i] + tfx_load(from + i * TFX_LANES);
    }
    return tfx_row_total(s);
}

// sum (x - mean)^2
static inline float tfx_row_squares(const float *x, ptrdiff_t d, float mean)
{
    tfx_v s[TFX_ROW_SUMS];
    float rest[TFX_ROW_PIECE];
    const tfx_v mean_v = tfx_splat_v(mean);
    for (int i = 0; i < TFX_ROW_SUMS; i++)
        s[i] = tfx_splat_v(0.0f);
    for (ptrdiff_t c = 0; c < d; c += TFX_ROW_PIECE) {
        const float *from = tfx_row_piece(rest, x + c, d - c, mean);
        for (int i = 0; i < TFX_ROW_SUMS; i++) {
            tfx_v a = tfx_load(from + i * TFX_LANES) - mean_v;
            s[i] = tfx_fma_v(a, a, s[i]);
        }
    }
    return tfx_row_total(s);
}

static inline float tfx_row_max(const float *x, ptrdiff_t d, float low)
{
    tfx_v s[TFX_ROW_SUMS];
    float rest[TFX_ROW_PIECE];
    for (int i = 0; i < TFX_ROW_SUMS; i++)
        s[i] = tfx_splat_v(low);
    for (ptrdiff_t c = 0; c < d; c += TFX_ROW_PIECE) {
        const float *from = tfx_row_piece(rest, x + c, d - c, low);
        for (int i = 0; i < TFX_ROW_SUMS; i++)
            s[i] = tfx_max_v(s[i], tfx_load(from + i * TFX_LANES));
    }
    return tfx_row_top(s);
}

// y = e^(x - top), and the sum of it
static inline float tfx_row_exp(float *y, const float *x, ptrdiff_t d, float top)
{
    const float none = -tfx_of_bits_f(0x7f800000u);
    tfx_v s[TFX_ROW_SUMS];
    float rest[TFX_ROW_PIECE];
    const tfx_v top_v = tfx_splat_v(top);
    for (int i = 0; i < TFX_ROW_SUMS; i++)
        s[i] = tfx_splat_v(0.0f);
    for (; d >= TFX_ROW_PIECE; d -= TFX_ROW_PIECE, x += TFX_ROW_PIECE) {
        for (int i = 0; i < TFX_ROW_SUMS; i++) {
            tfx_v e = tfx_exp_v(tfx_load(x + i * TFX_LANES) - top_v);
            tfx_store(y + i * TFX_LANES, e);
            s[i] = s[i] + e;
        }
        y += TFX_ROW_PIECE;
    }
    tfx_row_piece(rest, x, d, none);
    for (int i = 0; i < TFX_ROW_SUMS; i++)
        if (i * TFX_LANES < d) {  // others would add 0
            tfx_v e = tfx_exp_v(tfx_load(rest + i * TFX_LANES) - top_v);
            tfx_store(rest + i * TFX_LANES, e);
            s[i] = s[i] + e;
        }
    for (ptrdiff_t i = 0; i < d; i++)
        y[i] = rest[i];
    return tfx_row_total(s);
}

// y = (x - mean) * scale * w + b; w or b may be NULL
static inline void tfx_row_scale(float *y, const float *x, const float *w,
                                 const float *b, ptrdiff_t d, float mean, float scale)
{
    ptrdiff_t c = 0;
    const tfx_v mean_v = tfx_splat_v(mean), scale_v = tfx_splat_v(scale);
    for (; c + TFX_LANES <= d; c += TFX_LANES) {
        tfx_v a = (tfx_load(x + c) - mean_v) * scale_v;
        if (w)
            a = b ? tfx_fma_v(a, tfx_load(w + c), tfx_load(b + c))
                  : a * tfx_load(w + c);
        else if (b)
            a = a + tfx_load(b + c);
        tfx_store(y + c, a);
    }
    for (; c < d; c++) {
        float a = (x[c] - mean) * scale;
        if (w)
            a = b ? tfx_fma_f(a, w[c], b[c]) : a * w[c];
        else if (b)
            a = a + b[c];
        y[c] = a;
    }
}

#endif
