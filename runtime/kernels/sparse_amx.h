// SPDX-License-Identifier: 0BSD
// sparse_amx.h - block48 weights times many rows by the tiles of Intel AMX (amx.h).
//
// Which k are kept is another list for every panel, so x is turned and split once, and a
// tile takes the k it needs from wherever they lie:
//
//     work        [rows / 32][k][2 pieces][32 rows] bf16
//     y' = w x'   16 columns of a panel by 16 rows of x, 32 kept k a step
//
// Weights and sums are turned by 16 x 16 on their way. What is no product happens between the
// products: the tiles of the next 32 rows, and turning the sums of the 32 before. Of three
// pieces (TFX_AMX_PIECES) there is no such kernel: sparse.h does it.

#ifndef TFX_SPARSE_AMX_H
#define TFX_SPARSE_AMX_H

#include "mix.h"
#include "sparse.h"
#include "split.h"

#if TFX_AMX && TFX_AMX_PIECES == 2

#    ifndef TFX_SPARSE_MIN  // rows from which this is faster than FMA
#        define TFX_SPARSE_MIN 32
#    endif

enum {
    TFX_SPARSE_ROWS = 32,                  // of x at a time
    TFX_SPARSE_STEPS = 3,                  // of 32 kept k at a time
    TFX_SPARSE_TILE = 2 * TFX_TILE_HALFS,  // both pieces
};

// ---- x, once for all panels ----------------------------------------------------------

// A row's 32 values lie in an order that unpacking by pairs puts right.
static TFX_UNUSED void tfx_sparse_turn(uint16_t *to, const float *x, ptrdiff_t ldx,
                                       ptrdiff_t rows, ptrdiff_t k)
{
    const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    for (ptrdiff_t kk = 0; kk < k; kk += 16) {
        TFX_ALIGNED float edge[32 * 16], turned[16 * 32];
        const float *from = x + kk;
        ptrdiff_t ld = ldx, most = tfx_min_size(k - kk, 16);
        if (rows < 32 || most < 16) {
            for (ptrdiff_t i = 0; i < 32 * 16; i++)
                edge[i] =
                    i / 16 < rows && i % 16 < most ? from[i / 16 * ldx + i % 16] : 0;
            from = edge, ld = 16;
        }
        tfx_attn_turn(turned, 32, from, ld);
        tfx_attn_turn(turned + 16, 32, from + 16 * ld, ld);
        for (ptrdiff_t i = 0; i < most; i++, to += 64) {
            tfx_amx_row(to, 32, tfx_load(turned + i * 32),
                        tfx_load(turned + i * 32 + 16));
            for (int j = 0; j < 64; j += 32)
                _mm512_storeu_si512(to + j, _mm512_permutexvar_epi64(
                                                order, _mm512_loadu_si512(to + j)));
        }
    }
}

static TFX_UNUSED void tfx_sparse_task(void *arg, int index, int thread)
{
    const tfx_linear_call *p = (const tfx_linear_call *)arg;
    ptrdiff_t r = index * (ptrdiff_t)TFX_SPARSE_ROWS;
    (void)thread;
    tfx_sparse_turn((uint16_t *)(void *)p->work + 2 * r * p->k, p->x + r * p->ldx,
                    p->ldx, tfx_min_size(p->m - r, TFX_SPARSE_ROWS), p->k);
}

static TFX_UNUSED int tfx_split_takes_block48(tfx_linear_call *p, const tfx_par *par,
                                              float *work)
{
    if (p->m < TFX_SPARSE_MIN || !work || !tfx_amx_is_ready())
        return 0;
    p->work = work;
    tfx_run(par, tfx_sparse_task, p,
            (int)((p->m + TFX_SPARSE_ROWS - 1) / TFX_SPARSE_ROWS));
    return 1;
}

// ---- tiles ---------------------------------------------------------------------------

// w[n][width] of the next n <= 32 kept k to [width / 16][pieces][16 columns][32 k].
static TFX_UNUSED void tfx_sparse_weights(uint16_t *to, const float *w, ptrdiff_t width,
                                          ptrdiff_t n)
{
    for (ptrdiff_t c = 0; c < width; c += 16, to += TFX_SPARSE_TILE) {
        TFX_ALIGNED float edge[32 * 16], turned[16 * 32];
        const float *from = w + c;
        ptrdiff_t ld = width;
        if (n < 32) {
            for (ptrdiff_t i = 0; i < 32; i++)
                tfx_store(edge + i * 16,
                          i < n ? tfx_load(from + i * width) : tfx_splat_v(0.0f));
            from = edge, ld = 16;
        }
        tfx_attn_turn(turned, 32, from, ld);
        tfx_attn_turn(turned + 16, 32, from + 16 * ld, ld);
        for (ptrdiff_t i = 0; i < 16; i++)
            tfx_amx_row(to + i * 32, TFX_TILE_HALFS, tfx_load(turned + i * 32),
                        tfx_load(turned + i * 32 + 16));
    }
}

// Pairs [j, end) of n <= 32 kept k of 32 rows: to[16 rows][pieces][16 pairs][16][2], the
// second 16 rows `more` further.
TFX_INLINE void tfx_sparse_pairs(uint16_t *to, ptrdiff_t more, const uint16_t *x,
                                 const int32_t *kept, ptrdiff_t n, int j, int end)
{
    for (; j < end; j++)
        for (int i = 0; i < 2; i++) {
            __m512i a = _mm512_setzero_si512(), b = a;
            if (2 * j < n)
                a = _mm512_loadu_si512(x + kept[2 * j] * (ptrdiff_t)64 + i * 32);
            if (2 * j + 1 < n)
                b = _mm512_loadu_si512(x + kept[2 * j + 1] * (ptrdiff_t)64 + i * 32);
            uint16_t *at = to + i * TFX_TILE_HALFS + j * 32;
            _mm512_storeu_si512(at, _mm512_unpacklo_epi16(a, b));
            _mm512_storeu_si512(at + more, _mm512_unpackhi_epi16(a, b));
        }
}

// ---- products ------------------------------------------------------------------------

// What is done between the products of 32 rows: pairs of the next rows, and the sums of
// those before turned to t.
typedef struct tfx_sparse_job {
    uint16_t *pairs;
    const uint16_t *x;  // NULL: no next rows
    const int32_t *kept;
    float *t;
    const float *sums;  // NULL: none before
    ptrdiff_t n, steps, flips;
} tfx_sparse_job;

// The part of it beside step s of 16 rows, the first or the second.
TFX_INLINE void tfx_sparse_side(const tfx_sparse_job *a, ptrdiff_t s, int second)
{
    if (a->x)
        tfx_sparse_pairs(a->pairs + s * TFX_SPARSE_TILE, a->steps * TFX_SPARSE_TILE,
                         a->x, a->kept + s * 32, a->n - s * 32, 8 * second,
                         8 * second + 8);
    ptrdiff_t i = (s + second * a->steps) * a->flips / (2 * a->steps);
    ptrdiff_t end = (s + second * a->steps + 1) * a->flips / (2 * a->steps);
    for (; a->sums && i < end; i++)
        tfx_attn_turn(a->t + i % 2 * 16 * TFX_PANEL + i / 2 * 16, TFX_PANEL,
                      a->sums + i / 2 * 16 * TFX_SPARSE_ROWS + i % 2 * 16,
                      TFX_SPARSE_ROWS);
    tfx_amx_settle();
}

// clang-format off
#define TFX_SPARSE_START(c)                                                              \
    if (first)                                                                           \
        _tile_zero(c);                                                                   \
    else                                                                                 \
        _tile_loadd(c, sums + c * 16 * TFX_SPARSE_ROWS, TFX_SPARSE_ROWS * 4);
#define TFX_SPARSE_STORE(c)                                                              \
    _tile_stored(c, sums + c * 16 * TFX_SPARSE_ROWS, TFX_SPARSE_ROWS * 4);

// sums[48][32]: the kept k of w's tiles by the pairs of 32 rows. Tiles: 0 to 2 sums, 3 and 4
// pieces of x, 5 to 7 one piece of w.
static TFX_UNUSED void tfx_sparse_block(float *sums, const uint16_t *pairs,
                                        const uint16_t *w, ptrdiff_t hop, int first,
                                        const tfx_sparse_job *job)
{
    for (int i = 0; i < 2; i++, sums += 16) {
        const uint16_t *at = w;
        TFX_SPARSE_START(0)
        TFX_SPARSE_START(1)
        TFX_SPARSE_START(2)
        for (ptrdiff_t s = 0; s < job->steps; s++, at += hop, pairs += TFX_SPARSE_TILE) {
            _tile_loadd(3, pairs, 64);
            _tile_loadd(5, at, 64);
            _tile_dpbf16ps(0, 5, 3);
            _tile_loadd(6, at + TFX_SPARSE_TILE, 64);
            _tile_dpbf16ps(1, 6, 3);
            _tile_loadd(7, at + 2 * TFX_SPARSE_TILE, 64);
            _tile_dpbf16ps(2, 7, 3);
            _tile_loadd(4, pairs + TFX_TILE_HALFS, 64);
            _tile_dpbf16ps(0, 5, 4);
            _tile_dpbf16ps(1, 6, 4);
            _tile_dpbf16ps(2, 7, 4);
            _tile_loadd(5, at + TFX_TILE_HALFS, 64);
            _tile_dpbf16ps(0, 5, 3);
            _tile_loadd(6, at + TFX_SPARSE_TILE + TFX_TILE_HALFS, 64);
            _tile_dpbf16ps(1, 6, 3);
            _tile_loadd(7, at + 2 * TFX_SPARSE_TILE + TFX_TILE_HALFS, 64);
            _tile_dpbf16ps(2, 7, 3);
            tfx_amx_settle();
            tfx_sparse_side(job, s, i);
        }
        TFX_SPARSE_STORE(0)
        TFX_SPARSE_STORE(1)
        TFX_SPARSE_STORE(2)
        tfx_amx_settle();
    }
}
// clang-format on

// t[rows][TFX_PANEL] of one panel; rows are padded to 16.
static TFX_FLAT void tfx_sparse_panel(float *t, const tfx_linear_call *p, ptrdiff_t col,
                                      ptrdiff_t r, ptrdiff_t rows)
{
    enum { BLOCK = TFX_SPARSE_ROWS * TFX_PANEL, MOST = 32 * TFX_SPARSE_STEPS };
    TFX_ALIGNED uint16_t w[TFX_SPARSE_STEPS * 3 * TFX_SPARSE_TILE];
    TFX_ALIGNED uint16_t pairs[2][TFX_SPARSE_STEPS * 2 * TFX_SPARSE_TILE];
    TFX_ALIGNED float sums[TFX_SPLIT_ROWS * TFX_PANEL];
    const tfx_kept k = tfx_kept_of(p, col);
    const ptrdiff_t width = tfx_panel_width(p->n, col);
    const ptrdiff_t hop = width / 16 * TFX_SPARSE_TILE,
                    next = 2 * TFX_SPARSE_ROWS * p->k;
    const uint16_t *x = (const uint16_t *)(const void *)p->work + 2 * r * p->k;
    const ptrdiff_t last = (rows - 1) / TFX_SPARSE_ROWS;
    for (ptrdiff_t j = 0; j < k.count; j += MOST) {
        const ptrdiff_t n = tfx_min_size(k.count - j, MOST);
        tfx_sparse_job job = {.kept = k.kept + j, .n = n, .steps = (n + 31) / 32};
        for (ptrdiff_t s = 0; s < job.steps; s++) {
            tfx_sparse_weights(w + s * hop, k.w + (j + s * 32) * width, width,
                               tfx_min_size(n - s * 32, 32));
            tfx_sparse_pairs(pairs[0] + s * TFX_SPARSE_TILE,
                             job.steps * TFX_SPARSE_TILE, x, job.kept + s * 32,
                             n - s * 32, 0, 16);
        }
        tfx_amx_settle();
        for (ptrdiff_t b = 0; b <= last; b++) {
            job.pairs = pairs[(b + 1) % 2];
            job.x = b < last ? x + (b + 1) * next : NULL;
            tfx_sparse_block(sums + b * BLOCK, pairs[b % 2], w, hop, j == 0, &job);
            if (j + n == k.count) {
                job.t = t + b * BLOCK, job.sums = sums + b * BLOCK;
                job.flips = width / 16 * 2;
            }
        }
    }
    for (ptrdiff_t i = last * TFX_SPARSE_ROWS; k.count > 0 && i < rows; i += 16)
        for (ptrdiff_t c = 0; c < width; c += 16)
            tfx_attn_turn(t + i * TFX_PANEL + c, TFX_PANEL,
                          sums + last * BLOCK + c * TFX_SPARSE_ROWS +
                              i % TFX_SPARSE_ROWS,
                          TFX_SPARSE_ROWS);
    for (ptrdiff_t i = 0; k.count == 0 && i < rows * TFX_PANEL; i++)
        t[i] = 0.0f;
}

static TFX_UNUSED void tfx_split_sums_block48(float *t, const tfx_linear_call *p,
                                              ptrdiff_t col, ptrdiff_t panels,
                                              ptrdiff_t r, ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < panels; i++)
        tfx_sparse_panel(t + i * TFX_PADDED(rows, 16) * TFX_PANEL, p,
                         col + i * TFX_PANEL, r, rows);
}

#endif
#endif
