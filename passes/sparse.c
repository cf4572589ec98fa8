// sparse - the smallest weights of linears become zero, as the steps of a recipe say.
//
//     y = linear(x, w)    =>    y = linear(x, prune(w) {shape = "1x48", density = 0.5})
//                                   {format = "block48"}
//
// Blocks of 1x48 are left out of the packed file and skipped by the kernel; single weights
// ("unstructured") only become zero.

#include "pass.h"

#include <string.h>

static bool sparse(PassContext *c, Value *linear, Step *step)
{
    Builder b = build_before(c, c->data, linear);
    b.diag = NULL;
    Attr a[] = {attr_make_str("shape", step->shape),
                attr_make_num("density", step->density)};
    Value *w = linear->in[1];
    linear->in[1] = build(&b, OP_prune, 1, &w, COUNT(a), a);
    if (!strcmp(step->shape, "1x48"))
        attr_set(c->module, linear, attr_make_str("format", "block48"));
    return true;
}

bool pass_sparse(PassContext *c)
{
    return pass_steps(c, STEP_sparse, sparse);
}
