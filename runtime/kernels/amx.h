// SPDX-License-Identifier: 0BSD
// amx.h - Intel AMX: who may use its tiles, and floats as two bf16.
//
//     TFX_AMX             1: the compiler knows the instructions; -DTFX_AMX=0 builds without
//     tfx_amx_is_ready()  whether the system lets this process use them
//     tfx_amx_begin()     tiles 0 to 7 of this thread are 16 rows of 64 bytes, all 0
//     tfx_amx_end()       and given back: nothing to save when threads change
//     tfx_amx_settle()    stores to memory are done before tiles are loaded from it
//
// A float is hi + lo + rest, hi its nearest bf16 (ties away from 0), lo the nearest bf16 of
// what is left: |rest| <= 2^-18 |x|. A product of sums of floats by tiles is
//     x w ~ hi hi + hi lo + lo hi,  |error| <= 2^-16 |x w|, in practice a tenth,
// with sums in f32. That is about what the rounding of f32 sums of a few hundred terms does,
// at three tile products. Denormal pieces count as 0; a product with an inf is NaN.

#ifndef TFX_AMX_H
#define TFX_AMX_H

#include "vec.h"

#if !defined(TFX_AMX)
#    if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__AMX_INT8__) &&     \
        defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__linux__) &&      \
        defined(__x86_64__) && TFX_LANES == 16 && !defined(TFX_NO_FMA)
#        define TFX_AMX 1
#    else
#        define TFX_AMX 0
#    endif
#endif

#if TFX_AMX
#    include <immintrin.h>

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

static TFX_UNUSED void tfx_amx_begin(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    _tile_loadconfig(&config);
}

static inline void tfx_amx_end(void)
{
    _tile_release();
}

static inline void tfx_amx_settle(void)
{
    __asm__ volatile("" ::: "memory");  // gcc 12's tile loads do not say that they read
}

// ---- floats to pieces ----------------------------------------------------------------

// The bits of hi as a float: rounded by half a step, then cut.
TFX_INLINE tfx_u tfx_amx_round(tfx_v a)
{
    return tfx_bits_v(a) + 0x8000u;
}

TFX_INLINE tfx_v tfx_amx_left(tfx_v a, tfx_u hi)
{
    return a - tfx_of_bits_v(hi & 0xffff0000u);
}

// Lane c of hi and lo: the pieces of a in its low half, of b in its high half. What a tile
// wants of two rows of its second operand.
TFX_INLINE void tfx_amx_pair(tfx_u *hi, tfx_u *lo, tfx_v a, tfx_v b)
{
    tfx_u ha = tfx_amx_round(a), hb = tfx_amx_round(b);
    tfx_u la = tfx_amx_round(tfx_amx_left(a, ha));
    tfx_u lb = tfx_amx_round(tfx_amx_left(b, hb));
    *hi = (hb & 0xffff0000u) | ha >> 16;
    *lo = (lb & 0xffff0000u) | la >> 16;
}

// The pieces of 32 floats in their order: what a tile wants of a row of its first operand.
TFX_INLINE void tfx_amx_row(uint16_t *hi, uint16_t *lo, tfx_v a, tfx_v b)
{
    tfx_u ha = tfx_amx_round(a), hb = tfx_amx_round(b);
    __m512bh top = _mm512_cvtne2ps_pbh((__m512)(hb & 0xffff0000u),
                                       (__m512)(ha & 0xffff0000u));
    __m512bh low = _mm512_cvtne2ps_pbh((__m512)tfx_amx_left(b, hb),
                                       (__m512)tfx_amx_left(a, ha));
    _mm512_storeu_si512(hi, (__m512i)top);
    _mm512_storeu_si512(lo, (__m512i)low);
}

#endif
#endif
