// SPDX-License-Identifier: 0BSD
// amx.h - Intel AMX: who may use its tiles, and floats as two bf16.
//
//     TFX_AMX             1: program and compiler have them (vec.h); -DTFX_AMX=0 builds without
//     tfx_amx_is_ready()  whether the system lets this process use them
//     tfx_amx_begin()     tiles 0 to 7 of this thread are 16 rows of 64 bytes, all 0
//     tfx_amx_begin_few(i, rows)  the same, but tiles before i have fewer rows
//     tfx_amx_end()       and given back: nothing to save when threads change
//     tfx_amx_settle()    stores to memory are done before tiles are loaded from it
//     TFX_AMX_STEP        products of rows and columns to six sums; TFX_AMX_SUMS to and from memory
//     TFX_AMX_PIECES      bf16 pieces of a float: 2, or 3 by -DTFX_AMX_PIECES=3
//
// A float is hi + lo + rest, hi its nearest bf16 (ties away from 0), lo the nearest bf16 of
// what is left: |rest| <= 2^-16 |x|. A product of floats by tiles is, with 2 pieces,
//     x w ~ hi hi + hi lo + lo hi,  |error| < 2^-14 |x w|
// and with 3 pieces six products, |error| < 2^-22 |x w|; sums are f32. Errors have either
// sign: of 768 terms the sum is within about 5e-6 of its size, with 3 pieces within 6e-7,
// where a chain of f32 FMA has 1e-6 (tests/kernels/linear.c). Denormal pieces count as 0;
// with an inf among the terms the sum is NaN.

#ifndef TFX_AMX_H
#define TFX_AMX_H

#include "vec.h"

#if TFX_AMX
#    include <immintrin.h>

#    ifndef TFX_AMX_PIECES
#        define TFX_AMX_PIECES 2
#    elif TFX_AMX_PIECES != 2 && TFX_AMX_PIECES != 3
#        error "TFX_AMX_PIECES is 2 or 3"
#    endif

// Linux gives a process the tiles' state when it asks: arch_prctl(ARCH_REQ_XCOMP_PERM,
// XTILEDATA), without a header of the system. The answer never changes, so that it does not
// matter which thread asks first.
static TFX_UNUSED int tfx_amx_is_ready(void)
{
    enum { ARCH_PRCTL = 158, REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
    static int known;  // 0: not asked yet
    int ready = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (ready == 0) {
        long result;
        __asm__ volatile("syscall"
                         : "=a"(result)
                         : "a"((long)ARCH_PRCTL), "D"((long)REQ_XCOMP_PERM),
                           "S"((long)XTILEDATA)
                         : "rcx", "r11", "memory");
        ready = result == 0 ? 1 : -1;
        __atomic_store_n(&known, ready, __ATOMIC_RELAXED);
    }
    return ready > 0;
}

// Constant: gcc 12 thinks that _tile_loadconfig reads 8 bytes and would drop stores to
// the others.
typedef struct tfx_amx_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tfx_amx_config;

static TFX_UNUSED void tfx_amx_begin(void)
{
    static const tfx_amx_config config = {.palette = 1,
                                          .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                                          .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&config);
}

static TFX_UNUSED void tfx_amx_begin_few(int few, int rows)
{
    tfx_amx_config config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = (uint8_t)(i < few ? rows : 16);
    }
    __asm__ volatile("" : : "r"(&config) : "memory");  // all of it is stored
    _tile_loadconfig(&config);
}

static inline void tfx_amx_end(void)
{
    _tile_release();
}

// Sums in tiles 0 to 5, or fewer.
static inline void tfx_amx_zero(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
}

// A product of TFX_AMX_STEP, and the cache lines to fetch after it.
#    define TFX_AMX_ONE(DP, i, soon)                                                   \
        do {                                                                           \
            DP(i, 6, 7);                                                               \
            for (ptrdiff_t i_ = 0; i_ < each_ && soon < until_; i_++, soon += 64)      \
                TFX_PREFETCH_FAR(soon);                                                \
        } while (0)

// One step of up to 2 x 3 sums: tiles 0 to 2 of the rows at x, 3 to 5 of those at more, by the
// columns at w; DP is the product. Two tiles are left for operands, 6 and 7: rows are loaded
// once, past the first-level cache, columns at most twice. Between products, `lines` cache
// lines of soon, which moves on, are fetched into the second-level cache. has_more and cols
// are constants where it stands.
#    define TFX_AMX_STEP(DP, x, more, w, ldw, has_more, cols, soon, lines)             \
        do {                                                                           \
            const char *at_ = (const char *)(w), *until_ = (soon) + 64 * (lines);      \
            const ptrdiff_t products_ = (cols) * ((has_more) ? 2 : 1);                 \
            const ptrdiff_t each_ = ((lines) + products_ - 1) / products_;             \
            _tile_stream_loadd(6, x, 64);                                              \
            _tile_loadd(7, at_, ldw);                                                  \
            TFX_AMX_ONE(DP, 0, soon);                                                  \
            if (cols > 1) {                                                            \
                _tile_loadd(7, at_ + 64, ldw);                                         \
                TFX_AMX_ONE(DP, 1, soon);                                              \
            }                                                                          \
            if (cols > 2) {                                                            \
                _tile_loadd(7, at_ + 128, ldw);                                        \
                TFX_AMX_ONE(DP, 2, soon);                                              \
            }                                                                          \
            if (has_more)                                                              \
                _tile_stream_loadd(6, more, 64);                                       \
            if (has_more && cols > 2) {                                                \
                TFX_AMX_ONE(DP, 5, soon);                                              \
                _tile_loadd(7, at_ + 64, ldw);                                         \
            }                                                                          \
            if (has_more && cols > 1) {                                                \
                TFX_AMX_ONE(DP, 4, soon);                                              \
                _tile_loadd(7, at_, ldw);                                              \
            }                                                                          \
            if (has_more)                                                              \
                TFX_AMX_ONE(DP, 3, soon);                                              \
            soon = until_;                                                             \
        } while (0)

// OP, _tile_loadd or _tile_stored, of these sums: of x's rows at t, of more's at further,
// rows ld bytes apart.
#    define TFX_AMX_SUMS(OP, t, further, ld, has_more, cols)                           \
        do {                                                                           \
            OP(0, t, ld);                                                              \
            if (cols > 1)                                                              \
                OP(1, (t) + 16, ld);                                                   \
            if (cols > 2)                                                              \
                OP(2, (t) + 32, ld);                                                   \
            if (has_more)                                                              \
                OP(3, further, ld);                                                    \
            if (has_more && cols > 1)                                                  \
                OP(4, (further) + 16, ld);                                             \
            if (has_more && cols > 2)                                                  \
                OP(5, (further) + 32, ld);                                             \
        } while (0)

static inline void tfx_amx_settle(void)
{
    __asm__ volatile("" ::: "memory");  // gcc 12's tile loads do not say that they read
}

// ---- floats to pieces ----------------------------------------------------------------

// The bits of a rounded to bf16, by half a step; the low half is still to be cut.
TFX_INLINE tfx_u tfx_amx_round(tfx_v a)
{
    return tfx_bits_v(a) + 0x8000u;
}

TFX_INLINE tfx_v tfx_amx_cut(tfx_u a)
{
    return tfx_of_bits_v(a & 0xffff0000u);
}

// `pieces` vectors, `hop` words apart: lane c is the piece of a in its low half, of b in
// its high half. What a tile wants of two rows of its second operand.
TFX_INLINE void tfx_amx_pair(uint32_t *to, ptrdiff_t hop, int pieces, tfx_v a, tfx_v b)
{
    for (int i = 0; i < pieces; i++) {
        tfx_u ra = tfx_amx_round(a), rb = tfx_amx_round(b);
        _mm512_storeu_si512(to + i * hop, (__m512i)((rb & 0xffff0000u) | ra >> 16));
        a = a - tfx_amx_cut(ra);
        b = b - tfx_amx_cut(rb);
    }
}

// Rows, `hop` apart: the pieces of 32 floats in their order, what a tile wants of a row of
// its first operand.
TFX_INLINE void tfx_amx_row(uint16_t *to, ptrdiff_t hop, tfx_v a, tfx_v b)
{
    for (int i = 0; i < TFX_AMX_PIECES; i++) {
        tfx_v ra = tfx_amx_cut(tfx_amx_round(a)), rb = tfx_amx_cut(tfx_amx_round(b));
        _mm512_storeu_si512(to + i * hop,
                            (__m512i)_mm512_cvtne2ps_pbh((__m512)rb, (__m512)ra));
        a = a - ra;
        b = b - rb;
    }
}

#endif
#endif
