// reduce_max: y[i...] = maximum over {axes} of x.
//
// x D[...] -> y D[... without the axes, or 1 there if {keep}]. A NaN is the result where
// there is one; the maximum of nothing is -infinity.
// Source: NumPy, numpy.amax.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <math.h>

bool infer_reduce_max(Infer *c, Value *v)
{
    return infer_reduce(c, v);
}

static double larger(double sum, double x)
{
    return x > sum || isnan(x) ? x : sum;
}

void eval_reduce_max(Eval *e, const Value *v, Tensor *y)
{
    eval_reduce(e, v, y, -(double)INFINITY, larger);
}

// ---- lowering ------------------------------------------------------------------------------

void lower_reduce_max(Lower *l, const Value *v)
{
    lower_reduction(l, v);
}
