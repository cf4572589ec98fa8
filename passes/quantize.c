// quantize - matrices in fewer bits, as the steps of a recipe say.
//
//     y = linear(x, w)               =>       y = linear(x, w) {format = "int8"}
//
// and likewise of gather(w, ids). The graph says only how w is packed (formats.def); rounding to nearest is the packer's.
// A later step has the last word. Factors of a low-rank pair go by the weight they are of.

#include "pass.h"

#include "format.h"

enum { MOST_ROUNDED = 65536 };  // products of int8 whose sum an i32 holds

static bool quantize(PassContext *c, Value *user, const Chosen *x)
{
    const Step *step = x->step[0];
    Format f;
    int64_t k = 0;
    if (!format_find(step->format, &f))
        bug("no format %s", step->format);
    if (user->op == OP_linear)
        k = size_max_value(user->in[1]->type.dim[1].size);
    if (format_info[f].rounds_x == ROUNDS_row && k > MOST_ROUNDED) {
        diag_error(c->diag, step->loc, E0644, "%s of `%s`: rows of %lld, at most %d",
                   step->format, weight_member(linear_weight(c->module, user)),
                   (long long)k, MOST_ROUNDED);
        return false;
    }
    attr_set(c->module, user, attr_make_str("format", step->format));
    return true;
}

bool pass_quantize(PassContext *c)
{
    return pass_steps(c, STEP_quantize, quantize);
}
