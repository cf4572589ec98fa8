// SPDX-License-Identifier: 0BSD
// heads.h - the last columns of a product, written by heads: into a cache of keys, say.

#ifndef TFX_HEADS_H
#define TFX_HEADS_H

#include "sums.h"

// Columns of a product that go to one place: those of row r to y[r * ld], n of them.
typedef struct tfx_piece {
    float *y;
    ptrdiff_t ld, n;
} tfx_piece;

// The columns from col on, which is not y's, to the end of a head: of p->heads[0] or, if count
// is 2, of p->heads[1].
static inline tfx_piece tfx_piece_at(const tfx_linear_call *p, int count, ptrdiff_t col)
{
    const tfx_heads *h = p->heads + (count > 1 && col >= p->heads[1].from);
    ptrdiff_t head = (col - h->from) / h->d, j = (col - h->from) % h->d;
    return (tfx_piece){h->y + head * h->head + j, h->row, h->d - j};
}

#endif
