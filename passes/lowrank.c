// lowrank - a linear becomes two through fewer values, as the steps of a recipe say.
//
//     y = linear(x, w)        =>      t = linear(x, svd_right(w) {rank = r})
//                                     y = linear(t, svd_left(w) {rank = r})
//
// The rank is given, or follows from the part of the parameters (r (n + k) <= ratio n k) or
// of the sum of squares that is to stay. In a loop over equal blocks each turn has its own;
// where they differ r is a size by turn. A pair that has no fewer parameters than w, over all
// turns, is not made.

#include "pass.h"

#include "compiler/svd.h"

// The least rank that keeps so much of the sum of squares.
static int64_t rank_for(const double *s, int64_t n, double energy)
{
    double all = 0, sum = 0;
    for (int64_t i = 0; i < n; i++)
        all += s[i] * s[i];
    for (int64_t i = 0; i < n; i++) {
        sum += s[i] * s[i];
        if (sum >= energy * all)
            return i + 1;
    }
    return n;
}

static bool read_spectrum(const Chosen *x, int64_t i, Arena *a, double energy,
                          int64_t *rank)
{
    Turn turns[MAX_TURN_RANGES];
    int nturns = chosen_turn(x, i, turns);
    const char *name = weight_member(x->weight);
    if (nturns)
        diag_progress(x->c->diag, "lowrank: %s, turn %lld", name,
                      (long long)turns[nturns - 1].turn);
    else
        diag_progress(x->c->diag, "lowrank: %s", name);
    Tensor w;
    if (!x->c->weights.read ||
        !oracle_const(a, x->c->module, x->c->weights, x->w, nturns, turns, &w, NULL))
        return false;
    int64_t n = w.dim[0], k = w.dim[1], least = n < k ? n : k;
    double *s = NEWN(a, double, least + 1);
    if (!svd_values(a, w.data, n, k, s))
        bug("%s is not finite", name);  // E0604 says so before
    *rank = rank_for(s, least, energy);
    return true;
}

static bool rank_by_energy(const Chosen *x, int64_t i, int64_t *rank)
{
    const Step *s = x->step[i];
    Arena *a = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_free(a);
        guard_again(&guard);
    }
    bool known = read_spectrum(x, i, a, s->energy, rank);
    guard_drop(&guard);
    arena_free(a);
    if (known)
        return true;
    diag_error(x->c->diag, s->loc, E0644, "lowrank by energy needs the values of `%s`",
               weight_member(x->weight));
    diag_hint(x->c->diag, s->loc,
              "--weights names the file; rank = and ratio = do without");
    return false;
}

// Of the i-th turn.
static bool find_rank(const Chosen *x, int64_t i, int64_t n, int64_t k, int64_t *rank)
{
    const Step *s = x->step[i];
    int64_t most = n < k ? n : k;
    *rank = s->rank;
    if (s->ratio > 0) {
        *rank = (int64_t)(s->ratio * (double)n * (double)k / (double)(n + k));
        *rank = *rank < 1 ? 1 : *rank;
    }
    if (s->energy > 0)
        return rank_by_energy(x, i, rank);
    if (*rank <= most)
        return true;
    diag_error(x->c->diag, s->loc, E0644, "rank %lld of `%s`, which is [%lld, %lld]",
               (long long)*rank, weight_member(x->weight), (long long)n, (long long)k);
    return false;
}

// One rank for each turn; NULL: none, or a pair that gains nothing.
static const Size *find_ranks(const Chosen *x, int64_t n, int64_t k)
{
    int64_t *rank = NEWN(x->c->scratch, int64_t, x->n), all = 0;
    for (int64_t i = 0; i < x->n; i++) {
        if (!find_rank(x, i, n, k, &rank[i]))
            return NULL;
        all += rank[i];
    }
    return all * (n + k) < x->n * n * k ? chosen_size(x, "_rank", rank) : NULL;
}

static bool lowrank(PassContext *c, Value *linear, const Chosen *x)
{
    Graph *g = c->data;
    Value *w = linear->in[1];
    int64_t n, k;
    if (!size_is_int(w->type.dim[0].size, &n) || !size_is_int(w->type.dim[1].size, &k))
        return false;
    const Size *rank = find_ranks(x, n, k);
    if (!rank)
        return false;
    Builder b = build_before(c, g, linear);
    b.diag = NULL;  // everything fits by now
    Attr r = attr_make_size(c->module->arena, "rank", rank);
    Value *right[] = {linear->in[0], build(&b, OP_svd_right, 1, &w, 1, &r)};
    Value *t = build(&b, OP_linear, 2, right, linear->nattr, linear->attr);
    Value *left[] = {t, build(&b, OP_svd_left, 1, &w, 1, &r)};
    replace_value(g, linear,
                  build(&b, OP_linear, 2, left, linear->nattr, linear->attr));
    return true;
}

bool pass_lowrank(PassContext *c)
{
    return pass_steps(c, STEP_lowrank, lowrank);
}
