// SPDX-License-Identifier: 0BSD
// band.h - which keys the rows of a block of attention see.

#ifndef TFX_BAND_H
#define TFX_BAND_H

#include "vec.h"

// Of rows [r, r + rows): keys [first, first + keys) are those that some row sees. Counted
// from first, row i sees those below seen + i, from skip + i on.
typedef struct tfx_attn_band {
    ptrdiff_t first, keys, seen, skip;
} tfx_attn_band;

static inline tfx_attn_band tfx_attn_band_of(const tfx_attn *a, ptrdiff_t r,
                                             ptrdiff_t rows)
{
    const ptrdiff_t at = a->from + r;
    tfx_attn_band b = {0, a->tk, a->tk, -a->tq};
    if (a->causal)
        b.seen = at + 1;
    if (a->window) {
        b.seen = at + a->after + 1;
        b.skip = at - a->before;
    }
    b.first = tfx_min_size(tfx_max_size(b.skip, 0), a->tk);
    b.keys = tfx_max_size(tfx_min_size(b.seen + rows - 1, a->tk) - b.first, 0);
    b.seen -= b.first;
    b.skip -= b.first;
    return b;
}

#endif
