// SPDX-License-Identifier: 0BSD
// tfx.h - the runtime of emitted programs: what every kernel shares, and its contracts.
//
// The kernels live in kernels/<part>.h as static functions and templates; kernels.def
// lists the parts. tfxc joins this file and the parts into tfx_rt.h, those of compressed
// weights into tfx_rt_q.h.
// C11 with no allocation, no mutable globals (with tiles of AMX one: whether the system lets
// us use them) and no libm call in a loop. With GCC or clang
// kernels use vector extensions; -DTFX_SCALAR or another compiler takes plain C.
//
// Common to all contracts:
//   * sizes are ptrdiff_t, count elements and may be 0; strides and ld* count elements
//   * results do not depend on the number of threads, tasks or tiles
//   * par may be NULL: everything runs in the calling thread
//   * FMA is used where the target has it (never by chance of -ffp-contract: fused
//     operations are written as such); -DTFX_NO_FMA builds without, with
//     -ffp-contract=off then the same bits on every target

#ifndef TFX_H
#define TFX_H

#include <stddef.h>
#include <stdint.h>

// ---- status codes --------------------------------------------------------------------

enum {
    TFX_OK = 0,
    TFX_ERR_SIZE = 1,     // a run-time dim or cursor out of its bounds
    TFX_ERR_WEIGHTS = 2,  // wrong size or header of the weights
    TFX_ERR_INDEX = 3,    // a token or index out of range
    TFX_ERR_ALIGN = 4,    // a region that is NULL or not aligned
    TFX_ERR_IO = 5,       // a file that cannot be read
    TFX_ERR_THREADS = 6   // a pool that cannot be made
};

// ---- sizes and integers in emitted code ------------------------------------------------

static inline ptrdiff_t tfx_floor_div(ptrdiff_t a, ptrdiff_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static inline ptrdiff_t tfx_ceil_div(ptrdiff_t a, ptrdiff_t b)
{
    return -tfx_floor_div(-a, b);
}

static inline ptrdiff_t tfx_min_size(ptrdiff_t a, ptrdiff_t b)
{
    return a < b ? a : b;
}

static inline ptrdiff_t tfx_max_size(ptrdiff_t a, ptrdiff_t b)
{
    return a > b ? a : b;
}

static inline int32_t tfx_min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t tfx_max_i32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static inline int32_t tfx_abs_i32(int32_t a)
{
    return a < 0 && a != INT32_MIN ? -a : a;  // INT32_MIN has no other side
}

static inline int64_t tfx_min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t tfx_max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t tfx_abs_i64(int64_t a)
{
    return a < 0 && a != INT64_MIN ? -a : a;
}

// ---- threads -------------------------------------------------------------------------

// How kernels run in parallel. run calls task(arg, i, thread) once for every i in
// [0, ntasks), in any order and on any thread, 0 <= thread < threads, no two tasks at
// once with the same thread number, and returns when all are done. tfx_rt.c has a pool.
typedef struct tfx_par {
    void (*run)(void *ctx, void (*task)(void *arg, int index, int thread), void *arg,
                int ntasks);
    void *ctx;
    int threads;
} tfx_par;

// Also declared for loops the compiler emits: task over [0, ntasks), serial without par.
static inline void tfx_run(const tfx_par *par,
                           void (*task)(void *arg, int i, int thread), void *arg,
                           int ntasks)
{
    if (par && par->run && par->threads > 1 && ntasks > 1) {
        par->run(par->ctx, task, arg, ntasks);
        return;
    }
    for (int i = 0; i < ntasks; i++)
        task(arg, i, 0);
}

// ---- kernels/linear.h: the linear template -------------------------------------------
//
// y = epilogue(x w'): include with these macros set, once for each function wanted:
//
//     #define TFX_LINEAR   linear_silu_mul      name of the function to define
//     #define TFX_WEIGHT   f32                  how w is stored: a format below
//     #define TFX_EXTRAS   1                    0..4 further operands
//     #define TFX_HEADS    1                    0..2 ranges of columns written by heads
//     #define TFX_ROUNDED  1                    1: y is also rounded for the next product
//     #define TFX_EPILOGUE(a, e0) ((a) / (1.0f + TFX_EXP(-(a))) * (e0))
//     #include "tfx_rt.h"                       undefines all of them again
//
// defines, with one pair e0, ld0 for each extra, and y0, head0, row0, n0, d0 for each range
// of heads,
//
//     static void NAME(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
//                      ptrdiff_t ldx, const void *w, ptrdiff_t m, ptrdiff_t n,
//                      ptrdiff_t k, const float *e0, ptrdiff_t ld0, ...,
//                      float *y0, ptrdiff_t head0, ptrdiff_t row0, ptrdiff_t n0,
//                      ptrdiff_t d0, ...);
//
//   y     f32[m,n]  out, row stride ldy; may be an extra (same ld), may not overlap x or w
//   x     f32[m,k]  row stride ldx; of i8 without work: its rounded rows
//   w     packed weights of the logical [n,k] matrix, see below; aligned to its elements,
//         at best to 64
//   work  only with i8, then `float *work` after k: TFX_LINEAR_I8_SCRATCH(m, k) floats
//         that get the rounded rows of x; sizes at their bounds are fine. Products of the
//         same m and k may take them as x, with work NULL. With i8g32a8 and i4g32a8
//         TFX_LINEAR_G32_SCRATCH(m, k), with bf16a16 TFX_LINEAR_BF16_SCRATCH(m, k). With
//         block48 NULL, or for tiles of AMX TFX_LINEAR_BLOCK48_SCRATCH(m, k)
//   e0    f32[m,n]  element (row, col) is e0[row * ld0 + col]; ld0 = 0: one row for all
//   y0    only with TFX_HEADS: the last n0 * d0 columns (before those of y1) are not of y;
//         they are n0 heads of d0, and element j of head h of row r is written to
//         y0[h * head0 + r * row0 + j]. y may be NULL if it has none left
//   rounded  only with TFX_ROUNDED (not with TFX_HEADS; and tfx_rt_q.h), then the last: the
//         rows of y as the work of a product of i8 with m and k = n; may lie over x, work
//         and extras
//
// TFX_EPILOGUE(a) or (a, e0, ...) is an expression of the sum a and the extras, written
// with C operators, float literals (1.0f) and TFX_EXP, TFX_LOG, TFX_TANH, TFX_ERF,
// TFX_NDTR, TFX_SIN, TFX_COS, TFX_SQRT, TFX_FLOOR, TFX_ABS of one argument, TFX_POW, TFX_MIN,
// TFX_MAX of two. Without TFX_EPILOGUE it is (a).
//
// Packing: panels of TFX_PANEL = 48 output columns; the last one is as wide as what is
// left rounded up to 16 (16, 32 or 48). What is beyond n or k is zero. W is a panel's
// width, col its first column, c a column less col.
//
//   f32, bf16, f16   TFX_PACKED(n, k) elements, panels of [k][W]; the panel of col starts
//                    at element col * k; element (col, kk) is at tfx_packed_at
//   i8               TFX_PACKED_I8(n, k) bytes: weight = q * scale of its column, q signed.
//                    With k4 = k rounded up to 4, the panel of col starts at byte
//                    col * (k4 + 8):
//                        i8   q[k4 / 4][W][4]   (c, kk) is q[kk / 4][c][kk % 4]
//                        i32  shift[W]          -128 times the sum of the column's q
//                        f32  scale[W]
//   i8g32            TFX_PACKED_I8G32(n, k) bytes: weight = q * scale of its column and
//                    its 32 of k. With g = ceil(k / 32) groups, the panel of col starts at
//                    byte col * g * 34; each group of it is
//                        f16  scale[W]
//                        i8   q[8][W][4]        (c, kk) is q[kk % 32 / 4][c][kk % 4]
//   i4g32            TFX_PACKED_I4G32(n, k) bytes: weight = (q - 8) * scale, 0 <= q < 16.
//                    The panel of col starts at byte col * g * 18; each group of it is
//                        f16  scale[W]
//                        u8   q[4][W][4]        (c, kk) is in q[kk % 32 / 8][c][kk % 4]:
//                                               its low nibble if kk % 8 < 4, else high
//                    beyond n or k q is 8, or the scale 0
//   i8g32a8          as i8g32, and i4g32a8 as i4g32; x is rounded to i8 too
//   bf16a16          x is rounded to bf16 too; a panel, k32 = k rounded up to 32, beyond k 0
//                        bf16 w[k32 / 2][W][2]  (c, kk) is w[kk / 2][c][kk % 2]
//   block48          f32, of which whole [48] of a kk and a panel may be left out as
//                    zero; for p = ceil(n / 48) panels
//                        i32  first[p + 1]      kept before panel i; last: kept in all
//                        i32  kept[first[p]]    their kk, increasing inside a panel
//                        then, from a multiple of 64 bytes on,
//                        f32  w[first[p]][48]   the last panel's are [W], close together
//
// Error of f32, bf16, f16, i8g32, i4g32 and block48, whose weights are exact as floats:
// every sum is one chain over increasing kk (fused where FMA exists), so |err| <= k * 2^-24
// * sum |x w|; bits do not depend on m, ldx or the panel a column is in, and are those of
// f32 with the same weights (block48: if x is finite). Where the target has AMX, products
// of f32, bf16 and f16 with m >= 12 are of pieces of bf16: |err| <= (k * 2^-24 + 2^-14) *
// sum |x w|, kernels/amx.h, which also says how to have more or none of it.
//
// i8 rounds each row of x to q = round(x / s), s = max |x| / 127; the sum of q q is exact,
// a = float(sum) * s * scale. So |err| <= 0.5001 s sum |w|, k <= 65536; a row with an inf
// or NaN gives NaN, one with max |x| < 2^-100 counts as 0.
//
// bf16a16 rounds x to nearest even; products are exact, sums f32: |err| <= (2^-8 + (k + 2)
// 2^-24) sum |x w|. Denormals may count as 0; bits depend on m.
//
// i8g32a8 and i4g32a8 round each 32 of a row like that. The sums of q q of a group are
// exact, and one chain over the groups adds float(sum) * (scale * s): |err| <= 0.5001 sum
// |w| s + (k / 32 + 2) 2^-24 sum |x w|, with the s of the group; bits as of f32.

enum { TFX_PANEL = 48, TFX_GROUP = 32 };
#define TFX_PADDED(n, to)                (((n) + ((to) - 1)) / (to) * (to))
#define TFX_PACKED(n, k)                 (TFX_PADDED(n, 16) * (k))
#define TFX_PACKED_I8(n, k)              (TFX_PADDED(n, 16) * (TFX_PADDED(k, 4) + 8))
#define TFX_PACKED_I8G32(n, k)           (TFX_PADDED(n, 16) * (TFX_PADDED(k, 32) / 32 * 34))
#define TFX_PACKED_I4G32(n, k)           (TFX_PADDED(n, 16) * (TFX_PADDED(k, 32) / 32 * 18))
#define TFX_PACKED_BF16A16(n, k)         (TFX_PADDED(n, 16) * TFX_PADDED(k, 32) * 2)
#define TFX_LINEAR_I8_SCRATCH(m, k)      ((m) * (TFX_PADDED(k, 64) / 4 + 1))
#define TFX_LINEAR_G32_SCRATCH(m, k)     ((m) * (TFX_PADDED(k, 32) / 32 * 10))
#define TFX_LINEAR_BF16_SCRATCH(m, k)    ((m) * TFX_PADDED(k, 32))
#define TFX_LINEAR_BLOCK48_SCRATCH(m, k) (TFX_PADDED(m, 32) * (k))

// The width of the panel that column col of n is in.
static inline ptrdiff_t tfx_panel_width(ptrdiff_t n, ptrdiff_t col)
{
    ptrdiff_t left = TFX_PADDED(n - col / TFX_PANEL * TFX_PANEL, 16);
    return left < TFX_PANEL ? left : TFX_PANEL;
}

static inline ptrdiff_t tfx_packed_at(ptrdiff_t n, ptrdiff_t k, ptrdiff_t col,
                                      ptrdiff_t kk)
{
    ptrdiff_t p = col / TFX_PANEL * TFX_PANEL;
    return p * k + kk * tfx_panel_width(n, col) + col - p;
}

// Byte of the q of (col, kk); of the column's shift, its scale is 4 W bytes further.
static inline ptrdiff_t tfx_i8_at(ptrdiff_t n, ptrdiff_t k, ptrdiff_t col, ptrdiff_t kk)
{
    ptrdiff_t p = col / TFX_PANEL * TFX_PANEL;
    return p * (TFX_PADDED(k, 4) + 8) + kk / 4 * 4 * tfx_panel_width(n, col) +
           (col - p) * 4 + kk % 4;
}

// Of bf16a16, in elements.
static inline ptrdiff_t tfx_pairs_at(ptrdiff_t n, ptrdiff_t k, ptrdiff_t col,
                                     ptrdiff_t kk)
{
    ptrdiff_t p = col / TFX_PANEL * TFX_PANEL;
    return p * TFX_PADDED(k, 32) + (kk / 2 * tfx_panel_width(n, col) + (col - p)) * 2 +
           kk % 2;
}

static inline ptrdiff_t tfx_i8_shift_at(ptrdiff_t n, ptrdiff_t k, ptrdiff_t col)
{
    return tfx_i8_at(n, k, col, TFX_PADDED(k, 4));
}

// Byte of the scale of (col, kk) when a group has size bytes a column, 34 or 18; and of
// its q, of two q for i4g32.
static inline ptrdiff_t tfx_group_at(ptrdiff_t n, ptrdiff_t k, ptrdiff_t col,
                                     ptrdiff_t kk, ptrdiff_t size)
{
    ptrdiff_t p = col / TFX_PANEL * TFX_PANEL, g = TFX_PADDED(k, TFX_GROUP) / TFX_GROUP;
    return (p * g + kk / TFX_GROUP * tfx_panel_width(n, col)) * size + (col - p) * 2;
}

static inline ptrdiff_t tfx_i8g32_at(ptrdiff_t n, ptrdiff_t k, ptrdiff_t col,
                                     ptrdiff_t kk)
{
    ptrdiff_t c = col % TFX_PANEL, width = tfx_panel_width(n, col);
    return tfx_group_at(n, k, col, kk, 34) - c * 2 + width * 2 +
           (kk % 32 / 4 * width + c) * 4 + kk % 4;
}

static inline ptrdiff_t tfx_i4g32_at(ptrdiff_t n, ptrdiff_t k, ptrdiff_t col,
                                     ptrdiff_t kk)
{
    ptrdiff_t c = col % TFX_PANEL, width = tfx_panel_width(n, col);
    return tfx_group_at(n, k, col, kk, 18) - c * 2 + width * 2 +
           (kk % 32 / 8 * width + c) * 4 + kk % 4;
}

// ---- kernels/gather.h ----------------------------------------------------------------
//
// y[i, :] = w[ids[i], :] for i in [0, m). FMT is f32, bf16 or f16; for _panel also i8,
// i8g32, i4g32, i8g32a8, i4g32a8 (q times scale, with i8 rounded once) or bf16a16.
//
//   int tfx_gather_panel_FMT(float *y, ptrdiff_t ldy, const void *w, const int32_t *ids,
//                            ptrdiff_t m, ptrdiff_t n, ptrdiff_t k);
//   int tfx_gather_rows_FMT(float *y, ptrdiff_t ldy, const void *w, const int32_t *ids,
//                           ptrdiff_t m, ptrdiff_t n, ptrdiff_t k);
//
//   y    f32[m,k]  out, row stride ldy
//   w    the [n,k] table: _panel packed as linear's weights, _rows row-major
//   ids  i32[m]    each in [0, n); else TFX_ERR_INDEX is returned and y left untouched

//   int tfx_check_ids_i32(const int32_t *ids, ptrdiff_t m, ptrdiff_t n);  _i64 alike
//       TFX_ERR_INDEX if one of the m is outside [0, n)

// ---- kernels/argmax.h ----------------------------------------------------------------
//
//   void tfx_argmax_TYPE(int32_t *y, const T *x, ptrdiff_t stride, ptrdiff_t n);
//       the first i in [0, n) with no x[k * stride] > x[i * stride]; f32 i8 u8 i32 i64

// ---- kernels/rows.h: norms and softmax of rows ---------------------------------------
//
//   void tfx_rms_norm(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
//                     ptrdiff_t ldx, const float *w, float eps, ptrdiff_t m, ptrdiff_t d);
//       y = x / sqrt(mean x^2 + eps) * w
//   void tfx_layer_norm(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
//                       ptrdiff_t ldx, const float *w, const float *b, float eps,
//                       ptrdiff_t m, ptrdiff_t d);
//       y = (x - mean) / sqrt(mean (x - mean)^2 + eps) * w + b
//   void tfx_softmax(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
//                    ptrdiff_t ldx, ptrdiff_t m, ptrdiff_t d);
//       y = e^(x - max x) / sum e^(x - max x); a row of -inf only gives 0
//
//   y     f32[m,d]  out, row stride ldy; may be x with the same stride
//   x     f32[m,d]  row stride ldx; |x| < 1.8e19 in the norms
//   w, b  f32[d]    w = NULL stands for 1, b = NULL for 0
//
// Sums run over 64 lanes (element i in lane i mod 64), then a fixed tree over the lanes.
//
// kernels/rounded.h has tfx_rms_norm_rounded and tfx_layer_norm_rounded, which take one
// operand more:
//
//   rounded  out: the rows of y as the work of a product of i8 with k = d
//   y        may be NULL if d <= TFX_ROUNDED_MAX: nothing reads the floats

enum { TFX_ROUNDED_MAX = 4096 };

// ---- kernels/rope.h ------------------------------------------------------------------
//
//   void tfx_rope(const tfx_par *par, float *y, ptrdiff_t y_head, ptrdiff_t y_row,
//                 const float *x, ptrdiff_t x_head, ptrdiff_t x_row, ptrdiff_t heads,
//                 ptrdiff_t t, ptrdiff_t d, ptrdiff_t from, double theta, int layout);
//
// Rotates pair i of row r by the angle (from + r) * theta^(-2i/d), the same for all heads.
//
//   y       f32[heads,t,d]  out: element (h, r, c) is y[h * y_head + r * y_row + c];
//                           may be x with the same strides, else may not overlap
//   d       even, at most TFX_ROPE_MAX
//   layout  TFX_ROPE_INTERLEAVED: pairs (2i, 2i + 1); TFX_ROPE_HALF: (i, i + d/2)
//
// Error: within 4e-7 max |x| for 0 <= position <= 10^6, tests/kernels/rows.c (worst seen
// 1.5e-7); angles are reduced in double.

enum { TFX_ROPE_INTERLEAVED = 0, TFX_ROPE_HALF = 1, TFX_ROPE_MAX = 512 };

// ---- kernels/attention.h -------------------------------------------------------------
//
//   void tfx_attention(const tfx_par *par, const tfx_attn *a);
//
// y = softmax(q k' scale + bias, mask) v for every batch entry and query head h, which
// uses kv head h / (heads / groups). Element (b, h, r, c) of q is
// q[b * q_batch + h * q_head + r * q_row + c], likewise y, k and v (h < groups there).
//
//   y        f32[batch,heads,tq,dv]  out; may be q when shapes and strides are the same
//                                    and scratch is not part of it; else no overlap
//   q, k, v  f32[batch,heads,tq,d], f32[batch,groups,tk,d], f32[batch,groups,tk,dv]
//   bias     NULL or element (b, h, i, j) at bias[b * bias_batch + h * bias_head +
//            i * bias_row + j * bias_col], any stride 0; may be -inf or -1e5
//   causal   key j is seen by query i iff j <= from + i
//   window   key j is seen by query i iff from + i - before <= j <= from + i + after, with
//            before, after >= 0. Either this or causal; keys nobody sees cost nothing
//   scratch  TFX_ATTENTION_SCRATCH(tk, d, dv) floats per thread, with TFX_AMX
//            TFX_ATTENTION_SCRATCH_AMX(tk, d, dv): par->threads of them, one
//            without par; sizes at their bounds are fine
//
// A row that sees no key, or only keys with bias -inf, gives 0. dv <= TFX_ATTENTION_MAX.

typedef struct tfx_attn {
    float *y;
    const float *q, *k, *v, *bias;
    ptrdiff_t y_batch, y_head, y_row;
    ptrdiff_t q_batch, q_head, q_row;
    ptrdiff_t k_batch, k_head, k_row;
    ptrdiff_t v_batch, v_head, v_row;
    ptrdiff_t bias_batch, bias_head, bias_row, bias_col;
    ptrdiff_t batch, heads, groups, tq, tk, d, dv;
    float scale;
    int causal, window;
    ptrdiff_t from, before, after;
    float *scratch;
} tfx_attn;

#define TFX_ATTENTION_SCRATCH(tk, d, dv)                                               \
    (64 * ((tk) < 128 ? TFX_PADDED(tk, 16) : 128) + (tk) + 48 * (d) + 64)
#define TFX_ATTENTION_SCRATCH_AMX(tk, d, dv)                                           \
    (((tk) < 1024 ? TFX_PADDED(tk, 32) : 1024) *                                       \
         (16 + (TFX_PADDED(d, 32) + TFX_PADDED(dv, 16)) * 3 / 2) +                     \
     (tk) + 48 * TFX_PADDED(d, 32) + 2064)
enum { TFX_ATTENTION_MAX = 1024 };

// ---- kernels/matmul.h ----------------------------------------------------------------
//
//   void tfx_matmul(const tfx_par *par, const tfx_mm *p);
//
// y[b] = x[b] w[b] of activations with any strides; element (b, i, j) of y is
// y[b * y_batch + i * y_row + j], of x x[b * x_batch + i * x_row + kk * x_col], of
// w w[b * w_batch + kk * w_row + j * w_col]; a stride of 0 broadcasts. y overlaps neither.

typedef struct tfx_mm {
    float *y;
    const float *x, *w;
    ptrdiff_t y_batch, y_row;
    ptrdiff_t x_batch, x_row, x_col;
    ptrdiff_t w_batch, w_row, w_col;
    ptrdiff_t batch, m, n, k;
} tfx_mm;

// ---- kernels/math.h: elementwise ------------------------------------------------------
//
// static inline float f(float): tfx_expf tfx_logf tfx_tanhf tfx_erff tfx_ndtrf tfx_sinf
// tfx_cosf tfx_floorf tfx_sqrtf tfx_absf; of two: tfx_powf tfx_minf tfx_maxf. Branch-free, so that
// plain loops calling them vectorise (gcc 12: all but pow); bounds in kernels/math.h. Storage:
// tfx_from_bf16(uint16_t), tfx_from_f16(uint16_t), tfx_to_bf16(float), tfx_to_f16(float)
// (round to nearest even).

// ---- tfx_rt.c: optional, needs an operating system -------------------------------------

// A pool of threads - 1 workers beside the calling thread; fills *par for it. 0 threads:
// one per online processor. The pool must outlive every call that gets par; one call at
// a time. TFX_ERR_THREADS if it cannot be made. tfx_pool_destroy(NULL) is fine.
typedef struct tfx_pool tfx_pool;
int tfx_pool_create(tfx_pool **pool, tfx_par *par, int threads);
void tfx_pool_destroy(tfx_pool *pool);

// Maps a file for reading, *bytes its length. The result is aligned to at least 64;
// NULL when it cannot be read. tfx_unmap_file(NULL, 0) is fine.
const void *tfx_map_file(const char *path, size_t *bytes);
void tfx_unmap_file(const void *data, size_t bytes);

#endif
