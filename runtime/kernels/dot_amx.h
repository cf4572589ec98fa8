// SPDX-License-Identifier: 0BSD
// dot_amx.h - i8 weights by activations rounded to i8, by the byte tiles of Intel AMX.
//
// The sums, without the shift, are those of dot.h to the bit: both are exact. A tile of x is 16 rows of 64
// bytes of k, a tile of w 16 columns of them, a row of 4 bytes by 16 columns, as panels
// have it. For this the rounded rows lie as [k / 64][m][64], 16 rows one after the other;
// the last 64 of a k that is no multiple end where k ends, what came before being 0.
//
// Tiles: 0 to 2 the sums of 16 rows, 3 to 5 of 16 further rows, 6 is x, 7 is w.

#ifndef TFX_DOT_AMX_H
#define TFX_DOT_AMX_H

#include "amx.h"
#include "sums.h"

#if TFX_AMX

// Rows of a batch, of tiles that go together, and how much of k they go by at a time: that of
// a panel is 18 kB, and stays in the first-level cache for the batch.
enum { TFX_AMX_BATCH = 64, TFX_AMX_ROWS = 32, TFX_AMX_I8_K = 384 };
#    ifndef TFX_AMX_I8_ROWS  // rows from which tiles are faster than tfx_dot_v
#        define TFX_AMX_I8_ROWS 9
#    endif

static TFX_UNUSED int tfx_amx_takes_i8(ptrdiff_t m, ptrdiff_t k)
{
    return m >= TFX_AMX_I8_ROWS && k > 60 && tfx_amx_is_ready();
}

// 16 rows, their 64 bytes of k = from at x, and 16 more at more (none: x), further ones up to
// k = to each m64 bytes on. Every step fetches `lines` cache lines of soon.
typedef struct tfx_amx_i8 {
    const uint8_t *x, *more;
    const int8_t *w;
    const char *soon;
    ptrdiff_t m64, k4, width, from, to, lines;
} tfx_amx_i8;

TFX_INLINE void tfx_amx_strip(int32_t *t, const tfx_amx_i8 *a, ptrdiff_t c,
                              const int has_more, const int cols)
{
    const ptrdiff_t ldw = 4 * a->width, ldt = 4 * TFX_PANEL;
    const uint8_t *x = a->x, *more = a->more;
    const char *soon = a->soon;
    int32_t *further = t + c + (more - x) / 64 * TFX_PANEL;
    if (a->from == 0)
        tfx_amx_zero();
    else
        TFX_AMX_SUMS(_tile_loadd, t + c, further, ldt, has_more, cols);
    for (ptrdiff_t k = a->from; k < a->to; k += 64) {
        const int8_t *w = a->w + tfx_min_size(k, a->k4 - 64) * a->width + 4 * c;
        TFX_AMX_STEP(_tile_dpbusd, x, more, w, ldw, has_more, cols, soon, a->lines);
        x += a->m64;
        more += a->m64;
    }
    TFX_AMX_SUMS(_tile_stored, t + c, further, ldt, has_more, cols);
}

// Up to 16 rows, which wait for memory, by two panels at once, the other one's sums step
// further: two streams are read faster than one, and what is fetched is near.
#    ifndef TFX_AMX_I8_AHEAD
#        define TFX_AMX_I8_AHEAD 4096
#    endif
#    define TFX_AMX_TWO(i, at)                                                         \
        for (int j = 0; j < 16; j++)                                                   \
            TFX_PREFETCH((at) + TFX_AMX_I8_AHEAD + (i) % 3 * 1024 + j * 64);           \
        _tile_loadd(7, (at) + (i) % 3 * 64, 4 * TFX_PANEL);                            \
        _tile_dpbusd(i, 6, 7);

static TFX_FLAT void tfx_amx_two(int32_t *t, ptrdiff_t step, const tfx_amx_i8 *a,
                                 ptrdiff_t other)
{
    const uint8_t *x = a->x;
    tfx_amx_settle();
    tfx_amx_zero();
    for (ptrdiff_t k = 0; k < a->k4; k += 64, x += a->m64) {
        const int8_t *w = a->w + tfx_min_size(k, a->k4 - 64) * TFX_PANEL;
        _tile_loadd(6, x, 64);
        TFX_AMX_TWO(0, w)
        TFX_AMX_TWO(3, w + other)
        TFX_AMX_TWO(1, w)
        TFX_AMX_TWO(4, w + other)
        TFX_AMX_TWO(2, w)
        TFX_AMX_TWO(5, w + other)
    }
    TFX_AMX_SUMS(_tile_stored, t, t + step, 4 * TFX_PANEL, 1, 3);
    tfx_amx_settle();
}

static TFX_FLAT void tfx_amx_panel(int32_t *t, const tfx_amx_i8 *a)
{
    tfx_amx_settle();
    if (a->width == TFX_PANEL && a->more != a->x)
        tfx_amx_strip(t, a, 0, 1, 3);
    else if (a->width == TFX_PANEL)
        tfx_amx_strip(t, a, 0, 0, 3);
    else if (a->more != a->x)
        for (ptrdiff_t c = 0; c < a->width; c += 16)
            tfx_amx_strip(t, a, c, 1, 1);
    else
        for (ptrdiff_t c = 0; c < a->width; c += 16)
            tfx_amx_strip(t, a, c, 0, 1);
}

#endif
#endif
