// sparse - the smallest weights of linears become zero, as the steps of a recipe say.
//
//     y = linear(x, w)    =>    y = linear(x, prune(w) {shape = "1x48", density = 0.5})
//                                   {format = "block48"}
//
// Where turns of a loop have different densities it is {kept = up_kept}, a table by turn.
// Blocks of 1x48 are left out of the packed file and skipped by the kernel; single weights
// ("unstructured") only become zero.

#include "pass.h"

#include "format.h"

#include <string.h>

// How many parts of w stay in each turn; {density} says it where that is one for all.
static Attr what_stays(PassContext *c, const Value *w, const Chosen *x, bool blocks)
{
    int64_t *kept = NEWN(c->scratch, int64_t, x->n);
    bool differs = false;
    for (int64_t i = 0; i < x->n; i++) {
        Turn turns[MAX_TURN_RANGES];
        int depth = chosen_turn(x, i, turns);
        int64_t n = size_eval_at(w->type.dim[0].size, NULL, depth, turns),
                k = size_eval_at(w->type.dim[1].size, NULL, depth, turns);
        double density = x->step[i]->density;
        kept[i] = format_kept(blocks ? format_blocks(n, k) : n * k, density);
        differs =
            differs || density < x->step[0]->density || density > x->step[0]->density;
    }
    if (!differs)
        return attr_make_num("density", x->step[0]->density);
    const char *suffix = w->op == OP_svd_left    ? "_left_kept"
                         : w->op == OP_svd_right ? "_right_kept"
                                                 : "_kept";
    return attr_make_size(c->module->arena, "kept", chosen_size(x, suffix, kept));
}

static bool sparse(PassContext *c, Value *linear, const Chosen *x)
{
    const char *shape = x->step[0]->shape;
    bool blocks = !strcmp(shape, "1x48");
    Builder b = build_before(c, c->data, linear);
    b.diag = NULL;
    Value *w = linear->in[1];
    Attr a[] = {attr_make_str("shape", shape), what_stays(c, w, x, blocks)};
    linear->in[1] = build(&b, OP_prune, 1, &w, COUNT(a), a);
    if (blocks)
        attr_set(c->module, linear, attr_make_str("format", "block48"));
    return true;
}

bool pass_sparse(PassContext *c)
{
    return pass_steps(c, STEP_sparse, sparse);
}
