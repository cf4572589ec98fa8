// quantize - matrices in fewer bits, as the steps of a recipe say.
//
//     y = linear(x, w)               =>       y = linear(x, w) {format = "int8"}
//
// and likewise of gather(w, ids). The graph says only how w is packed (formats.def); rounding to nearest is the packer's.
// A later step has the last word. Factors of a low-rank pair go by the weight they are of.

#include "pass.h"

static bool quantize(PassContext *c, Value *user, Step *step)
{
    attr_set(c->module, user, attr_make_str("format", step->format));
    return true;
}

bool pass_quantize(PassContext *c)
{
    return pass_steps(c, STEP_quantize, quantize);
}
