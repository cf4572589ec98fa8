// cast: y[i] = x[i] as {dtype}.
//
// x D[...] -> y dtype[...]. To a narrower float: nearest, ties to even, beyond the range
// infinite. To integers: toward zero; outside their range the oracle saturates and emitted
// C may give any value. To bool: x != 0.
// Source: IEEE 754-2019, 4.3.1 and 5.8.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

bool infer_cast(Infer *c, Value *v)
{
    const Attr *to = infer_attr(c, v, "dtype", AT_DTYPE);
    if (!to)
        return false;
    v->type = v->in[0]->type;
    v->type.dtype = to->dtype;
    return true;
}

void eval_cast(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0);
    for (int64_t i = 0; i < y->n; i++)
        y->data[i] = cast_eval(x->data[i], y->dtype);
}

// ---- lowering ------------------------------------------------------------------------------

void lower_cast(Lower *l, const Value *v)
{
    lower_map(l, v);
}
