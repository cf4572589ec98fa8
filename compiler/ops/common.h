// common.h - what several ops share: reading arguments, plain checks, reductions.
//
// No op includes another op; what two of them need stands here.

#ifndef TFXC_OPS_COMMON_H
#define TFXC_OPS_COMMON_H

#include "compiler/ops.h"
#include "passes/format.h"

// ---- type rules ------------------------------------------------------------------------

// The attribute of that kind; NULL after a misfit (E0308).
const Attr *infer_attr(Infer *c, const Value *v, const char *name, AttrKind kind);
// The sizes of an attribute that must have n of them (-1: any number); an overflowed size
// is a misfit as well. NULL after a misfit.
const Size *const *infer_sizes(Infer *c, const Value *v, const char *name, int n);
// A position such as {from}: one size; where it is not given it is 0. False after a misfit.
bool infer_position(Infer *c, const Value *v, const char *name);
// s, or NULL after reporting that it left 63 bits.
const Size *infer_size(Infer *c, const Value *v, const Size *s);

bool infer_same_dtype(Infer *c, const Value *v);  // all operands
bool infer_floats(Infer *c, const Value *v);      // operand 0 is of floats
bool infer_numbers(Infer *c, const Value *v);     // operand 0 is not of bools
bool infer_min_rank(Infer *c, const Value *v, int i, int rank);
// The element type the body yields; `otherwise` while there is no body yet.
DType infer_body_dtype(const Value *v, DType otherwise);

// What a source calls a value, for hints: its name, or the last word of a weight's path;
// NULL when it has none.
const char *infer_called(Infer *c, const Value *v);

// sum, mean, reduce_max, reduce_min: {axes, keep}.
bool infer_reduce(Infer *c, Value *v);
// rms_norm, layer_norm: operands after the first are [d] as the last axis.
bool infer_norm(Infer *c, Value *v);

// svd_left, svd_right: a constant matrix, {rank} as a size.
bool infer_factor(Infer *c, Value *v, const Size **rank);

// ---- oracle ----------------------------------------------------------------------------

// A tensor seen around one axis: index = (o * n + k) * inner + i.
typedef struct Split {
    int64_t outer, n, inner;
} Split;

Split tensor_split(const Tensor *t, int axis);

// The coordinates of element i in row-major order.
void tensor_coords(const Tensor *t, int64_t i, int64_t at[MAX_RANK]);

// A position such as {from} under the dims of this run.
int64_t eval_position(Eval *e, const Value *v, const char *name);

// Folds x into y over {axes}; y holds the start value. Order is row-major.
void eval_reduce(Eval *e, const Value *v, Tensor *y, double start,
                 double (*step)(double sum, double x));

// c[m, n] += a[m, k] b[k, n], all row-major and dense.
void matmul_add(double *c, const double *a, const double *b, int64_t m, int64_t k,
                int64_t n);
// The factors of operand 0, of {rank}.
const struct Factors *eval_factors(Eval *e, const Value *v);
// What the packed matrix w stands for.
const double *packed_mean(Eval *e, const Tensor *w, const FormatInfo *f);
// sum_k a[k] b[k]
double dot(const double *a, const double *b, int64_t k);

#endif
