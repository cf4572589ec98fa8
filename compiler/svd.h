// svd.h - the singular value decomposition of a matrix, w = U S V', truncated.
//
// By the eigenvectors of the smaller of w w' and w' w: a left factor is then w v / sqrt(s),
// so that at full rank the product of the factors is w up to rounding even where small
// singular values have lost digits to the squaring. Singular values below about 1e-8 of
// the largest are such; of weights stored in f32 or less that is below their rounding.

#ifndef TFXC_SVD_H
#define TFXC_SVD_H

#include "ir.h"

// All min(n, k) singular values of w[n][k], falling; false: w has a NaN or an infinity.
bool svd_values(Arena *scratch, const double *w, int64_t n, int64_t k, double *s);

typedef struct Factors {
    int64_t rank;
    double *left;     // U sqrt(S), [n][rank]
    double *right;    // sqrt(S) V', [rank][k]
    const char *key;  // of what matrix
    int64_t room;     // numbers that fit from left on
} Factors;

// Kept in the module until others are asked for, since left and right ask one by one; NULL:
// w has a NaN or an infinity.
const Factors *svd_factors(Module *m, Arena *scratch, const double *w, int64_t n,
                           int64_t k, int64_t rank);

#endif
