// rms_norm: y[..., d] = x[..., d] / sqrt(mean_d x[..., d]^2 + eps) * w[d].
//
// x float[..., D], w float[D] -> y as x; eps inside the root, as in LLaMA.
// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, eq. 4.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <math.h>

bool infer_rms_norm(Infer *c, Value *v)
{
    return infer_norm(c, v);
}

void eval_rms_norm(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0), *w = eval_in(e, v, 1);
    const double eps = attr_num(v, "eps", 0);
    const int64_t D = w->n;
    for (int64_t at = 0; at < x->n; at += D) {
        const double *x_t = x->data + at;
        double scale = 1 / sqrt(dot(x_t, x_t, D) / (double)D + eps);
        for (int64_t d = 0; d < D; d++)
            y->data[at + d] = x_t[d] * scale * w->data[d];
    }
}

// ---- lowering ------------------------------------------------------------------------------

void lower_rms_norm(Lower *l, const Value *v)
{
    lower_norm(l, v, "tfx_rms_norm");
}
