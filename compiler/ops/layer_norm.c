// layer_norm: y[..., d] = (x[..., d] - mean) / sqrt(var + eps) * w[d] + b[d], where
// mean = mean_d x[..., d] and var = mean_d (x[..., d] - mean)^2.
//
// x float[..., D], w float[D], b float[D] -> y as x.
// Source: Ba, Kiros and Hinton, "Layer Normalization", 2016, eq. 4.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <math.h>

bool infer_layer_norm(Infer *c, Value *v)
{
    return infer_norm(c, v);
}

void eval_layer_norm(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0), *w = eval_in(e, v, 1), *b = eval_in(e, v, 2);
    const double eps = attr_num(v, "eps", 0);
    const int64_t D = w->n;
    for (int64_t at = 0; at < x->n; at += D) {
        const double *x_t = x->data + at;
        double mean = 0, var = 0;
        for (int64_t d = 0; d < D; d++)
            mean += x_t[d];
        mean /= (double)D;
        for (int64_t d = 0; d < D; d++)
            var += (x_t[d] - mean) * (x_t[d] - mean);
        double scale = 1 / sqrt(var / (double)D + eps);
        for (int64_t d = 0; d < D; d++)
            y->data[at + d] = (x_t[d] - mean) * scale * w->data[d] + b->data[d];
    }
}

// ---- lowering ------------------------------------------------------------------------------

void lower_layer_norm(Lower *l, const Value *v)
{
    lower_norm(l, v, "tfx_layer_norm");
}
