// svd_left: U sqrt(S) of the {rank} largest singular values of a constant w = U S V'.
//
// w float[n, k] -> float[n, rank]; with svd_right(w) = sqrt(S) V' the product
// svd_left(w) svd_right(w) is the best approximation of that rank in the sum of squares.
// The packer evaluates it.
// Source: Eckart and Young, "The approximation of one matrix by another of lower rank",
// 1936.

#include "compiler/lower.h"
#include "compiler/ops/common.h"
#include "compiler/svd.h"

#include <string.h>

bool infer_svd_left(Infer *c, Value *v)
{
    const Size *r;
    if (!infer_factor(c, v, &r))
        return false;
    Type y = v->in[0]->type;
    y.dim[1] = (Dim){r, NULL};
    v->type = y;
    return true;
}

void eval_svd_left(Eval *e, const Value *v, Tensor *y)
{
    const Factors *f = eval_factors(e, v);
    if (y->n > 0)
        memcpy(y->data, f->left, (size_t)y->n * sizeof(double));
}

void lower_svd_left(Lower *l, const Value *v)
{
    lower_refuse(l, v, "only the packer computes it", NULL);
}
