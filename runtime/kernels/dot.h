// SPDX-License-Identifier: 0BSD
// dot.h - i8 weights by activations rounded to i8: exact sums by the target's dot products.
//
// The rows of x are rounded by bytes.h, the products of bytes are those of dotv.h. Many rows
// go to the tiles of dot_amx.h.

#ifndef TFX_DOT_H
#define TFX_DOT_H

#include "bytes.h"
#include "dot_amx.h"
#include "dotv.h"
#include "sums.h"

TFX_INLINE const float *tfx_row_scales(const tfx_linear_call *p)
{
    return p->rounded + p->m * (TFX_PADDED(p->k, 64) / 4);
}

// Without work x is the rounded rows: who made x has rounded them, or a product before.
static TFX_UNUSED void tfx_prepare_i8(tfx_linear_call *p, const tfx_par *par,
                                      float *work)
{
    p->rounded = work ? work : p->x;
    p->hop = tfx_byte_hop(p->m, p->k);
    if (work)
        tfx_round_rows(par, work, p->x, p->ldx, p->m, p->k);
}

#define TFX_WORK_PARAM_i8 , float *work
#define TFX_WORK_VALUE_i8 work

// ---- tiles ---------------------------------------------------------------------------

#if TFX_AMX
enum { tfx_batch_i8 = TFX_AMX_BATCH };
#else
enum { tfx_batch_i8 = TFX_TILE_ROWS };
#endif

#if TFX_LANES > 1

typedef int32_t tfx_m_any
    __attribute__((vector_size(4 * TFX_LANES), aligned(4), may_alias));
typedef int32_t tfx_word __attribute__((aligned(1), may_alias));

TFX_INLINE tfx_m tfx_load_m(const void *p)
{
    return (tfx_m)(*(const tfx_m_any *)p);
}

TFX_INLINE tfx_m tfx_splat_m(int32_t a)
{
    return (tfx_m){0} + a;
}

// clang-format off
#define TFX_DOT_ROW(i) const uint8_t *x##i = x + i * ldx;

#define TFX_DOT_START(i, c)                                                              \
    tfx_m a##i##c = TFX_DOT_SHIFT ? tfx_load_m(shift + c * TFX_LANES) : (tfx_m){0};
#define TFX_DOT_START_1(i) TFX_DOT_START(i, 0)
#define TFX_DOT_START_2(i) TFX_DOT_START_1(i) TFX_DOT_START(i, 1)
#define TFX_DOT_START_3(i) TFX_DOT_START_2(i) TFX_DOT_START(i, 2)
#define TFX_DOT_START_4(i) TFX_DOT_START_3(i) TFX_DOT_START(i, 3)

#define TFX_DOT_W(c) tfx_m w##c = tfx_load_m(w + c * 4 * TFX_LANES);
#define TFX_DOT_W_1  TFX_DOT_W(0)
#define TFX_DOT_W_2  TFX_DOT_W_1 TFX_DOT_W(1)
#define TFX_DOT_W_3  TFX_DOT_W_2 TFX_DOT_W(2)
#define TFX_DOT_W_4  TFX_DOT_W_3 TFX_DOT_W(3)

#define TFX_DOT_X(i)  tfx_m b = tfx_splat_m(*(const tfx_word *)(x##i + kk));
#define TFX_DOT(i, c) a##i##c = tfx_dot_v(a##i##c, b, w##c);
#define TFX_DOT_1(i)  TFX_DOT(i, 0)
#define TFX_DOT_2(i)  TFX_DOT_1(i) TFX_DOT(i, 1)
#define TFX_DOT_3(i)  TFX_DOT_2(i) TFX_DOT(i, 2)
#define TFX_DOT_4(i)  TFX_DOT_3(i) TFX_DOT(i, 3)
#define TFX_DOT_STEP_1(i) { TFX_DOT_X(i) TFX_DOT_1(i) }
#define TFX_DOT_STEP_2(i) { TFX_DOT_X(i) TFX_DOT_2(i) }
#define TFX_DOT_STEP_3(i) { TFX_DOT_X(i) TFX_DOT_3(i) }
#define TFX_DOT_STEP_4(i) { TFX_DOT_X(i) TFX_DOT_4(i) }

#define TFX_DOT_OUT(i, c)                                                                \
    tfx_store(t + i * TFX_PANEL + c * TFX_LANES,                                         \
              __builtin_convertvector(a##i##c, tfx_v) * s[i] *                           \
                  tfx_load(scale + c * TFX_LANES));
#define TFX_DOT_OUT_1(i) TFX_DOT_OUT(i, 0)
#define TFX_DOT_OUT_2(i) TFX_DOT_OUT_1(i) TFX_DOT_OUT(i, 1)
#define TFX_DOT_OUT_3(i) TFX_DOT_OUT_2(i) TFX_DOT_OUT(i, 2)
#define TFX_DOT_OUT_4(i) TFX_DOT_OUT_3(i) TFX_DOT_OUT(i, 3)

// As in tile.h, one variable for each accumulator and no constant k, for gcc 12.
#define TFX_DEFINE_DOT(FMT, R, C)                                                        \
    static TFX_FLAT void tfx_dot_##R##x##C(                                              \
        float *t, const uint8_t *x, ptrdiff_t ldx, const float *s, const int8_t *w,      \
        ptrdiff_t ldw, const int32_t *shift, const float *scale, ptrdiff_t k,            \
        const char *next, ptrdiff_t hop)                                                 \
    {                                                                                    \
        (void)shift;                                                                     \
        TFX_ROWS_##R(TFX_DOT_ROW)                                                        \
        TFX_ROWS_##R(TFX_DOT_START_##C)                                                  \
        for (ptrdiff_t kk = 0; kk < k; kk += 4) {                                        \
            TFX_DOT_W_##C                                                                \
            TFX_PREFETCH_FAR(next);                                                      \
            TFX_PREFETCH_FAR(next + hop);                                                \
            next += 2 * hop;                                                             \
            TFX_ROWS_##R(TFX_DOT_STEP_##C)                                               \
            w += ldw;                                                                    \
        }                                                                                \
        TFX_ROWS_##R(TFX_DOT_OUT_##C)                                                    \
    }

#define TFX_CASE_DOT(FMT, R, C)                                                          \
    case R:                                                                              \
        tfx_dot_##R##x##C(t + c, x, ldx, s, w + 4 * c, 4 * width, shift + c, scale + c, k, next, hop); \
        break;

TFX_ALL_TILES(TFX_DEFINE_DOT, i8)
// clang-format on

static TFX_UNUSED void tfx_block_i8(float *t, const uint8_t *x, ptrdiff_t ldx,
                                    const float *s, const int8_t *w, ptrdiff_t width,
                                    const int32_t *shift, const float *scale,
                                    ptrdiff_t rows, ptrdiff_t k, const char *next)
{
    ptrdiff_t c = 0, hop = next == (const char *)w ? 0 : 64;
    TFX_STRIPS(TFX_CASE_DOT, i8)
}

#else

static TFX_UNUSED void tfx_block_i8(float *t, const uint8_t *x, ptrdiff_t ldx,
                                    const float *s, const int8_t *w, ptrdiff_t width,
                                    const int32_t *shift, const float *scale,
                                    ptrdiff_t rows, ptrdiff_t k, const char *next)
{
    (void)shift, (void)next;
    for (ptrdiff_t i = 0; i < rows; i++) {
        int32_t a[TFX_PANEL] = {0};
        for (ptrdiff_t kk = 0; kk < k; kk++) {
            int32_t b = x[i * ldx + kk];
            const int8_t *v = w + kk / 4 * 4 * width + kk % 4;
            b -= b < 128 ? 0 : 256;
            for (ptrdiff_t c = 0; c < width; c++)
                a[c] += b * v[4 * c];
        }
        for (ptrdiff_t c = 0; c < width; c++)
            t[i * TFX_PANEL + c] = (float)a[c] * s[i] * scale[c];
    }
}

#endif

// ---- panels --------------------------------------------------------------------------

#if TFX_AMX

static TFX_UNUSED void tfx_begin_i8(const tfx_linear_call *p)
{
    if (p->hop != 64)
        tfx_amx_begin_few(7, (int)tfx_min_size(p->m, 16));
}

static TFX_UNUSED void tfx_end_i8(const tfx_linear_call *p)
{
    if (p->hop != 64)
        tfx_amx_end();
}

// Sums of whole numbers to floats: those of row r on come from `skip` rows further. At
// `shift` are the shifts of `width` columns, then their scales.
static inline void tfx_amx_scale(float *t, const tfx_linear_call *p,
                                 const int32_t *shift, ptrdiff_t width, ptrdiff_t r,
                                 ptrdiff_t rows, ptrdiff_t skip)
{
    const float *s = tfx_row_scales(p) + r;
    for (ptrdiff_t i = 0; i < rows; i++, t += TFX_PANEL)
        for (ptrdiff_t c = 0; c < width; c += TFX_LANES) {
            tfx_m sum = tfx_load_m(t + skip * TFX_PANEL + c) + tfx_load_m(shift + c);
            tfx_v scale = tfx_load((const float *)(const void *)(shift + width + c));
            tfx_store(t + c, __builtin_convertvector(sum, tfx_v) * s[i] * scale);
        }
}

// Fewer than 16 rows are summed with rows before them, which they may overwrite: the sums
// of both are the same. Until the last piece of k, t holds whole numbers.
static TFX_UNUSED void tfx_amx_sums_i8(float *t, const tfx_linear_call *p,
                                       const int8_t *w, ptrdiff_t width, ptrdiff_t r,
                                       ptrdiff_t rows)
{
    const ptrdiff_t k4 = TFX_PADDED(p->k, 4), steps = (k4 + 63) / 64;
    const ptrdiff_t pieces = (steps * 64 + TFX_AMX_I8_K - 1) / TFX_AMX_I8_K;
    const ptrdiff_t all = steps * ((p->m + TFX_AMX_ROWS - 1) / TFX_AMX_ROWS);
    tfx_amx_i8 a = {.w = w, .m64 = p->hop, .k4 = k4, .width = width};
    a.lines = (TFX_PANEL * (k4 + 8) / 64 + all - 1) / all;
    a.soon = (const char *)w + (k4 + 8) * TFX_PANEL +
             r / TFX_AMX_ROWS * steps * a.lines * 64;
    for (ptrdiff_t piece = 0; piece < pieces; piece++) {
        a.from = steps * piece / pieces * 64;
        a.to = steps * (piece + 1) / pieces * 64;
        for (ptrdiff_t i = 0, n; i < rows; i += n) {
            n = tfx_min_size(rows - i, TFX_AMX_ROWS);
            const ptrdiff_t skip = tfx_max_size(tfx_min_size(r + i, 16 - n), 0);
            const ptrdiff_t first = r + i - skip;
            a.x = (const uint8_t *)p->rounded + first * 64 + a.from / 64 * a.m64;
            a.more = a.x + tfx_max_size(n - 16, 0) * 64;
            tfx_amx_panel((int32_t *)(void *)(t + i * TFX_PANEL), &a);
            a.soon += (a.to - a.from) * a.lines;
            if (piece + 1 == pieces)
                tfx_amx_scale(t + i * TFX_PANEL, p,
                              (const int32_t *)(const void *)(w + width * k4), width,
                              r + i, n, skip);
        }
    }
}

// Two whole panels of up to 16 rows; the other one is `apart` panels further.
static TFX_UNUSED void tfx_amx_two_i8(float *t, ptrdiff_t step,
                                      const tfx_linear_call *p, ptrdiff_t col,
                                      ptrdiff_t apart)
{
    const ptrdiff_t k4 = TFX_PADDED(p->k, 4), other = apart * TFX_PANEL * (k4 + 8);
    const int8_t *w = (const int8_t *)p->w + col * (k4 + 8);
    const int32_t *shift = (const int32_t *)(const void *)(w + TFX_PANEL * k4);
    const tfx_amx_i8 a = {
        .x = (const uint8_t *)p->rounded, .w = w, .m64 = p->hop, .k4 = k4};
    tfx_amx_two((int32_t *)(void *)t, apart * step, &a, other);
    tfx_amx_scale(t, p, shift, TFX_PANEL, 0, p->m, 0);
    tfx_amx_scale(t + apart * step, p, shift + other / 4, TFX_PANEL, 0, p->m, 0);
}

#else
#    define tfx_begin_i8 tfx_begin_none
#    define tfx_end_i8   tfx_begin_none
#endif

static TFX_UNUSED void tfx_sums_i8(float *t, const tfx_linear_call *p, ptrdiff_t col,
                                   ptrdiff_t width, ptrdiff_t r, ptrdiff_t rows)
{
    ptrdiff_t k4 = TFX_PADDED(p->k, 4);
    const int8_t *w = (const int8_t *)p->w + col * (k4 + 8);
    const void *end = w + width * k4;
    const int32_t *shift = (const int32_t *)end;
    const float *scale = (const float *)end + width;
#if TFX_AMX
    if (p->hop != 64) {
        tfx_amx_sums_i8(t, p, w, width, r, rows);
        return;
    }
#endif
    for (ptrdiff_t i = 0; i < rows; i += TFX_TILE_ROWS, r += TFX_TILE_ROWS) {
        const uint8_t *x = (const uint8_t *)p->rounded + r * k4;
        const char *next = (const char *)w + (r == 0 ? (k4 + 8) * TFX_PANEL : 0);
        tfx_block_i8(t + i * TFX_PANEL, x, k4, tfx_row_scales(p) + r, w, width, shift,
                     scale, tfx_min_size(rows - i, TFX_TILE_ROWS), k4, next);
    }
}

static TFX_UNUSED void tfx_panels_i8(float *t, ptrdiff_t step, const tfx_linear_call *p,
                                     ptrdiff_t col, ptrdiff_t panels)
{
    ptrdiff_t i = 0;
#if TFX_AMX
    ptrdiff_t pairs = tfx_min_size((p->n - col) / TFX_PANEL, panels) / 2;
    if (p->hop != 64 && p->m <= 16) {
        for (; i < pairs; i++)
            tfx_amx_two_i8(t + i * step, step, p, col + i * TFX_PANEL, pairs);
        i += pairs;
    }
#endif
    for (; i < panels; i++) {
        ptrdiff_t at = col + i * TFX_PANEL;
        tfx_sums_i8(t + i * step, p, at, tfx_panel_width(p->n, at), 0, p->m);
    }
}

#if TFX_LANES == 16
// As tfx_vector_FMT of tile.h: four panels, `step` bytes apart, at once.
// clang-format off
#define TFX_DOT_ZERO(i, c) tfx_m a##i##c = {0};
#define TFX_DOT_ZERO_3(i)  TFX_DOT_ZERO(i, 0) TFX_DOT_ZERO(i, 1) TFX_DOT_ZERO(i, 2)
#define TFX_DOT_PANEL(i)                                                                 \
    {                                                                                    \
        const int8_t *v = w + i * step;                                                  \
        tfx_m w0 = tfx_load_m(v), w1 = tfx_load_m(v + 64), w2 = tfx_load_m(v + 128);     \
        TFX_VECTOR_HINT(v, 0) TFX_VECTOR_HINT(v, 64) TFX_VECTOR_HINT(v, 128)             \
        TFX_DOT_3(i)                                                                     \
    }
#define TFX_DOT_SCALE(i, c)                                                              \
    tfx_store(t + i * TFX_PANEL + c * 16,                                                \
              __builtin_convertvector(a##i##c + tfx_load_m(end + i * step + c * 64), tfx_v) * \
                  s * tfx_load((const float *)(const void *)(end + i * step + 192) + c * 16));
#define TFX_DOT_SCALE_3(i) TFX_DOT_SCALE(i, 0) TFX_DOT_SCALE(i, 1) TFX_DOT_SCALE(i, 2)

static TFX_FLAT void tfx_vector_i8(float *t, const uint8_t *x, float s, const int8_t *w,
                                   ptrdiff_t k4)
{
    const ptrdiff_t step = TFX_PANEL * (k4 + 8);
    const int8_t *end = w + TFX_PANEL * k4;
    TFX_ROWS_4(TFX_DOT_ZERO_3)
    for (ptrdiff_t kk = 0; kk < k4; kk += 4) {
        tfx_m b = tfx_splat_m(*(const tfx_word *)(x + kk));
        TFX_ROWS_4(TFX_DOT_PANEL)
        w += 4 * TFX_PANEL;
    }
    TFX_ROWS_4(TFX_DOT_SCALE_3)
}
// clang-format on

static TFX_UNUSED void tfx_vector_sums_i8(float *t, const tfx_linear_call *p,
                                          ptrdiff_t col)
{
    const ptrdiff_t k4 = TFX_PADDED(p->k, 4);
    tfx_vector_i8(t, (const uint8_t *)p->rounded, *tfx_row_scales(p),
                  (const int8_t *)p->w + col * (k4 + 8), k4);
}
#endif

#endif
