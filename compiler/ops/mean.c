// mean: y[i...] = sum over {axes} of x / number of elements summed.
//
// x float[...] -> y float[... without the axes, or 1 there if {keep}].
// Source: NumPy, numpy.mean.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

bool infer_mean(Infer *c, Value *v)
{
    return infer_floats(c, v) && infer_reduce(c, v);
}

static double add(double sum, double x)
{
    return sum + x;
}

void eval_mean(Eval *e, const Value *v, Tensor *y)
{
    eval_reduce(e, v, y, 0, add);
    for (int64_t i = 0; i < y->n; i++)
        y->data[i] /= (double)eval_in(e, v, 0)->n / (double)y->n;
}

// ---- lowering ------------------------------------------------------------------------------

void lower_mean(Lower *l, const Value *v)
{
    lower_reduction(l, v);
}
