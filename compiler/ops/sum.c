// sum: y[i...] = sum over {axes} of x.
//
// x D[...] -> y D[... without the axes, or 1 there if {keep}]. An empty sum is 0.
// Source: NumPy, numpy.sum.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

bool infer_sum(Infer *c, Value *v)
{
    return infer_reduce(c, v);
}

static double add(double sum, double x)
{
    return sum + x;
}

void eval_sum(Eval *e, const Value *v, Tensor *y)
{
    eval_reduce(e, v, y, 0, add);
}

// ---- lowering ------------------------------------------------------------------------------

void lower_sum(Lower *l, const Value *v)
{
    lower_reduction(l, v);
}
