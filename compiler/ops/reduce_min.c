// reduce_min: y[i...] = minimum over {axes} of x.
//
// x D[...] -> y D[... without the axes, or 1 there if {keep}]. A NaN is the result where
// there is one; the minimum of nothing is infinity.
// Source: NumPy, numpy.amin.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <math.h>

bool infer_reduce_min(Infer *c, Value *v)
{
    return infer_reduce(c, v);
}

static double smaller(double sum, double x)
{
    return x < sum || isnan(x) ? x : sum;
}

void eval_reduce_min(Eval *e, const Value *v, Tensor *y)
{
    eval_reduce(e, v, y, (double)INFINITY, smaller);
}

// ---- lowering ------------------------------------------------------------------------------

void lower_reduce_min(Lower *l, const Value *v)
{
    lower_reduction(l, v);
}
