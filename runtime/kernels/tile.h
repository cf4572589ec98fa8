// SPDX-License-Identifier: 0BSD
// tile.h - the matrix product of a few rows by a panel, in registers.
//
//     tfx_block_FMT(t, x, ldx, w, width, rows, k, next)
//         t[r][c] = sum_kk x[r * ldx + kk] w[kk * width + c]      t has TFX_PANEL columns
//
// rows <= TFX_TILE_ROWS, width 16, 32 or 48; next: k cache lines needed soon, or NULL when w
// itself comes from far and is prefetched a little ahead. Every sum is one chain over
// increasing kk from 0, so the tile shape never shows in the bits; tfx_block_more(t, x,
// ldx, w, width, rows, k) goes on with the sums that t holds. The accumulators are one variable
// each, not an array, and k is an argument, never a constant: otherwise gcc 12 spills.
//
// Tiles, rows x columns: AVX-512 8x48, AVX2 and AArch64 6x16, SSE 4x8, plain C 4x4.

#ifndef TFX_TILE_H
#define TFX_TILE_H

#include "half.h"

#if TFX_LANES == 16
enum { TFX_TILE_ROWS = 8, TFX_TILE_COLS = 3 };
#elif TFX_LANES == 8
enum { TFX_TILE_ROWS = 6, TFX_TILE_COLS = 2 };
#elif TFX_LANES == 4 && defined(__aarch64__)
enum { TFX_TILE_ROWS = 6, TFX_TILE_COLS = 4 };
#elif TFX_LANES == 4
enum { TFX_TILE_ROWS = 4, TFX_TILE_COLS = 2 };
#else
enum { TFX_TILE_ROWS = 4, TFX_TILE_COLS = 4 };
#endif

// How far ahead of its use a weight is prefetched, in steps of k: about the latency of
// memory at the rate of an 8-row tile. Runs over into the next panel, which follows.
#ifndef TFX_TILE_AHEAD
#    define TFX_TILE_AHEAD 24
#endif

// clang-format off
#define TFX_ROWS_1(M) M(0)
#define TFX_ROWS_2(M) TFX_ROWS_1(M) M(1)
#define TFX_ROWS_3(M) TFX_ROWS_2(M) M(2)
#define TFX_ROWS_4(M) TFX_ROWS_3(M) M(3)
#define TFX_ROWS_5(M) TFX_ROWS_4(M) M(4)
#define TFX_ROWS_6(M) TFX_ROWS_5(M) M(5)
#define TFX_ROWS_7(M) TFX_ROWS_6(M) M(6)
#define TFX_ROWS_8(M) TFX_ROWS_7(M) M(7)
#define TFX_ROWS_12(M) TFX_ROWS_8(M) M(8) M(9) M(10) M(11)
#define TFX_ROWS_16(M) TFX_ROWS_12(M) M(12) M(13) M(14) M(15)

// Row i: its input and accumulators; one step of k; the sums to the tile.
#define TFX_ACC_1(i) tfx_v a##i##0 = zero;
#define TFX_ACC_2(i) TFX_ACC_1(i) tfx_v a##i##1 = zero;
#define TFX_ACC_3(i) TFX_ACC_2(i) tfx_v a##i##2 = zero;
#define TFX_ACC_4(i) TFX_ACC_3(i) tfx_v a##i##3 = zero;

#define TFX_TAKE(i, c) tfx_v a##i##c = tfx_load(t + i * TFX_PANEL + c * TFX_LANES);
#define TFX_TAKE_1(i)  TFX_TAKE(i, 0)
#define TFX_TAKE_2(i)  TFX_TAKE_1(i) TFX_TAKE(i, 1)
#define TFX_TAKE_3(i)  TFX_TAKE_2(i) TFX_TAKE(i, 2)
#define TFX_TAKE_4(i)  TFX_TAKE_3(i) TFX_TAKE(i, 3)

#define TFX_INPUT(i) const float *x##i = x + i * ldx;

#define TFX_FMA_1(i) a##i##0 = tfx_fma_v(b, w0, a##i##0);
#define TFX_FMA_2(i) TFX_FMA_1(i) a##i##1 = tfx_fma_v(b, w1, a##i##1);
#define TFX_FMA_3(i) TFX_FMA_2(i) a##i##2 = tfx_fma_v(b, w2, a##i##2);
#define TFX_FMA_4(i) TFX_FMA_3(i) a##i##3 = tfx_fma_v(b, w3, a##i##3);

#define TFX_STEP_1(i) { tfx_v b = tfx_splat_v(x##i[kk]); TFX_FMA_1(i) }
#define TFX_STEP_2(i) { tfx_v b = tfx_splat_v(x##i[kk]); TFX_FMA_2(i) }
#define TFX_STEP_3(i) { tfx_v b = tfx_splat_v(x##i[kk]); TFX_FMA_3(i) }
#define TFX_STEP_4(i) { tfx_v b = tfx_splat_v(x##i[kk]); TFX_FMA_4(i) }

#define TFX_OUT(i, c) tfx_store(t + i * TFX_PANEL + c * TFX_LANES, a##i##c);
#define TFX_OUT_1(i)  TFX_OUT(i, 0)
#define TFX_OUT_2(i)  TFX_OUT_1(i) TFX_OUT(i, 1)
#define TFX_OUT_3(i)  TFX_OUT_2(i) TFX_OUT(i, 2)
#define TFX_OUT_4(i)  TFX_OUT_3(i) TFX_OUT(i, 3)

#define TFX_W(FMT, c)   tfx_v w##c = tfx_load_##FMT(w + c * TFX_LANES);
#define TFX_W_1(FMT)    TFX_W(FMT, 0)
#define TFX_W_2(FMT)    TFX_W_1(FMT) TFX_W(FMT, 1)
#define TFX_W_3(FMT)    TFX_W_2(FMT) TFX_W(FMT, 2)
#define TFX_W_4(FMT)    TFX_W_3(FMT) TFX_W(FMT, 3)

#define TFX_DEFINE_TILE(FMT, R, C)                                                       \
    TFX_DEFINE_TILE_AS(tfx_tile_##FMT##_##R##x##C, FMT, R, C, ACC, TFX_NEXT_LINE)        \
    TFX_DEFINE_TILE_AS(tfx_stream_##FMT##_##R##x##C, FMT, R, C, ACC,                     \
                       TFX_TILE_PREFETCH_##C)
#define TFX_DEFINE_MORE(FMT, R, C)                                                       \
    TFX_DEFINE_TILE_AS(tfx_more_##FMT##_##R##x##C, FMT, R, C, TAKE, TFX_NO_PREFETCH)

#define TFX_DEFINE_TILE_AS(NAME, FMT, R, C, START, PREFETCH)                             \
    static TFX_FLAT void NAME(                                                           \
        float *t, const float *x, ptrdiff_t ldx, const tfx_stored_##FMT *w,              \
        ptrdiff_t ldw, ptrdiff_t k, const char *next)                                    \
    {                                                                                    \
        const tfx_v zero = tfx_splat_v(0.0f);                                            \
        (void)next;                                                                      \
        TFX_ROWS_##R(TFX_INPUT)                                                          \
        (void)zero;                                                                      \
        TFX_ROWS_##R(TFX_##START##_##C)                                                  \
        for (ptrdiff_t kk = 0; kk < k; kk++) {                                           \
            TFX_W_##C(FMT)                                                               \
            PREFETCH(w + TFX_TILE_AHEAD * ldw)                                           \
            TFX_ROWS_##R(TFX_STEP_##C)                                                   \
            w += ldw;                                                                    \
        }                                                                                \
        TFX_ROWS_##R(TFX_OUT_##C)                                                        \
    }

// One line in 64 bytes of a step: the three of an AVX-512 panel, or the strip's first.
#define TFX_NO_PREFETCH(p)
#define TFX_NEXT_LINE(p) TFX_PREFETCH_FAR(next + 64 * kk);
#define TFX_TILE_PREFETCH_1(p) TFX_PREFETCH(p);
#define TFX_TILE_PREFETCH_2(p) TFX_PREFETCH(p);
#define TFX_TILE_PREFETCH_4(p) TFX_PREFETCH(p);
#define TFX_TILE_PREFETCH_3(p)                                                           \
    TFX_PREFETCH(p);                                                                     \
    TFX_PREFETCH((p) + TFX_LANES);                                                       \
    TFX_PREFETCH((p) + 2 * TFX_LANES);

// Every R of TFX_TILE_ROWS; every shape of a tile.
#if TFX_LANES == 16
#define TFX_TILES(M, FMT, C)                                                             \
    M(FMT, 1, C) M(FMT, 2, C) M(FMT, 3, C) M(FMT, 4, C)                                  \
    M(FMT, 5, C) M(FMT, 6, C) M(FMT, 7, C) M(FMT, 8, C)
#define TFX_ALL_TILES(M, FMT) TFX_TILES(M, FMT, 3) TFX_TILES(M, FMT, 1)
#elif TFX_LANES == 8 || (TFX_LANES == 4 && defined(__aarch64__))
#define TFX_TILES(M, FMT, C)                                                             \
    M(FMT, 1, C) M(FMT, 2, C) M(FMT, 3, C) M(FMT, 4, C) M(FMT, 5, C) M(FMT, 6, C)
#else
#define TFX_TILES(M, FMT, C)                                                             \
    M(FMT, 1, C) M(FMT, 2, C) M(FMT, 3, C) M(FMT, 4, C)
#endif

// The case of M for rows, strip by strip of width; c is the strip's first column.
#if TFX_LANES == 16
#define TFX_STRIPS(M, FMT)                                                               \
    if (width == TFX_PANEL) {                                                            \
        switch (rows) { TFX_TILES(M, FMT, 3) }                                           \
        return;                                                                          \
    }                                                                                    \
    for (c = 0; c < width; c += 16) {                                                    \
        switch (rows) { TFX_TILES(M, FMT, 1) }                                           \
    }
#elif TFX_LANES == 4 && defined(__aarch64__) || TFX_LANES == 1
#define TFX_ALL_TILES(M, FMT) TFX_TILES(M, FMT, 4)
#define TFX_STRIPS(M, FMT)                                                               \
    for (c = 0; c < width; c += 4 * TFX_LANES) {                                         \
        switch (rows) { TFX_TILES(M, FMT, 4) }                                           \
    }
#else
#define TFX_ALL_TILES(M, FMT) TFX_TILES(M, FMT, 2)
#define TFX_STRIPS(M, FMT)                                                               \
    for (c = 0; c < width; c += 2 * TFX_LANES) {                                         \
        switch (rows) { TFX_TILES(M, FMT, 2) }                                           \
    }
#endif

#define TFX_CASE(FMT, R, C)                                                              \
    case R:                                                                              \
        if (next)                                                                        \
            tfx_tile_##FMT##_##R##x##C(t + c, x, ldx, w + c, width, k, next);            \
        else                                                                             \
            tfx_stream_##FMT##_##R##x##C(t + c, x, ldx, w + c, width, k, next);          \
        break;
#define TFX_CASE_MORE(FMT, R, C)                                                         \
    case R:                                                                              \
        tfx_more_##FMT##_##R##x##C(t + c, x, ldx, w + c, width, k, NULL);                \
        break;

#define TFX_DEFINE_BLOCK(FMT)                                                            \
    TFX_ALL_TILES(TFX_DEFINE_TILE, FMT)                                                  \
    static TFX_UNUSED void tfx_block_##FMT(float *t, const float *x, ptrdiff_t ldx,      \
                                           const tfx_stored_##FMT *w, ptrdiff_t width,   \
                                           ptrdiff_t rows, ptrdiff_t k,                  \
                                           const void *soon)                             \
    {                                                                                    \
        const char *next = (const char *)soon;                                           \
        ptrdiff_t c = 0;                                                                 \
        TFX_STRIPS(TFX_CASE, FMT)                                                        \
    }

TFX_ALL_TILES(TFX_DEFINE_MORE, f32)
static TFX_UNUSED void tfx_block_more(float *t, const float *x, ptrdiff_t ldx,
                                      const float *w, ptrdiff_t width, ptrdiff_t rows,
                                      ptrdiff_t k)
{
    ptrdiff_t c = 0;
    TFX_STRIPS(TFX_CASE_MORE, f32)
}

// clang-format on

TFX_DEFINE_BLOCK(f32)
TFX_DEFINE_BLOCK(bf16)
TFX_DEFINE_BLOCK(f16)

// ---- one row -------------------------------------------------------------------------
//
// One row waits for memory and for the chains of its sums: TFX_VECTOR_PANELS panels at
// once keep more of both in flight. Panel i's sums are row i of t.

#if TFX_LANES == 16
enum { TFX_VECTOR_PANELS = 4 };

// Bytes of each of these streams that are fetched before their use. Of floats few, since the
// processor sees the streams by itself; smaller weights, whose lines last longer, into the
// first-level cache, and before that from memory into the second.
enum { TFX_VECTOR_AHEAD_F32 = 576, TFX_VECTOR_AHEAD = 2112, TFX_VECTOR_FAR = 3072 };

// clang-format off
#define TFX_DEFINE_VECTOR(FMT)                                                           \
    static TFX_FLAT void tfx_vector_##FMT(float *t, const float *x,                      \
                                          const tfx_stored_##FMT *w, ptrdiff_t k)        \
    {                                                                                    \
        const tfx_v zero = tfx_splat_v(0.0f);                                            \
        const ptrdiff_t step = TFX_PANEL * k;                                            \
        TFX_ROWS_4(TFX_ACC_3)                                                            \
        for (ptrdiff_t kk = 0; kk < k; kk++) {                                           \
            tfx_v b = tfx_splat_v(x[kk]);                                                \
            { TFX_VECTOR_W(FMT, 0) TFX_FMA_3(0) }                                        \
            { TFX_VECTOR_W(FMT, 1) TFX_FMA_3(1) }                                        \
            { TFX_VECTOR_W(FMT, 2) TFX_FMA_3(2) }                                        \
            { TFX_VECTOR_W(FMT, 3) TFX_FMA_3(3) }                                        \
            w += TFX_PANEL;                                                              \
        }                                                                                \
        TFX_ROWS_4(TFX_OUT_3)                                                            \
    }
#define TFX_VECTOR_W(FMT, i)                                                             \
    tfx_v w0 = tfx_load_##FMT(w + i * step), w1 = tfx_load_##FMT(w + i * step + 16),     \
          w2 = tfx_load_##FMT(w + i * step + 32);                                        \
    if (sizeof *w == 4) {                                                                \
        TFX_TILE_PREFETCH_3(w + i * step + TFX_VECTOR_AHEAD_F32 / 4)                     \
    } else {                                                                             \
        TFX_VECTOR_HINT(w + i * step, 0)                                                 \
        TFX_VECTOR_HINT(w + i * step, 64)                                                \
    }
#define TFX_VECTOR_HINT(p, at)                                                           \
    TFX_PREFETCH((const char *)(p) + TFX_VECTOR_AHEAD + (at));                           \
    TFX_PREFETCH_FAR((const char *)(p) + TFX_VECTOR_FAR + (at));

// clang-format on

TFX_DEFINE_VECTOR(f32)
TFX_DEFINE_VECTOR(bf16)
TFX_DEFINE_VECTOR(f16)
#endif

#endif
