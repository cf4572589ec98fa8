// lowrank - a linear becomes two through fewer values, as the steps of a recipe say.
//
//     y = linear(x, w)        =>      t = linear(x, svd_right(w) {rank = r})
//                                     y = linear(t, svd_left(w) {rank = r})
//
// The rank is given, or follows from the part of the parameters (r (n + k) <= ratio n k) or
// of the sum of squares that is to stay. In a loop over equal blocks all turns have the
// rank of the one that needs most: the others are then closer than asked for, at the same
// time and bytes as zeros would cost. A pair that has no fewer parameters than w is not
// made.

#include "pass.h"

#include "compiler/svd.h"

typedef struct Spectrum {
    PassContext *c;
    const Value *linear, *w;
    double energy;
    int nturns;
    Turn turn[8];
    int64_t rank;
    bool failed;
} Spectrum;

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

static void look_at_turn(Spectrum *x)
{
    const char *name = weight_member(linear_weight(x->c->module, x->linear));
    if (x->nturns)
        diag_progress(x->c->diag, "lowrank: %s, turn %lld", name,
                      (long long)x->turn[x->nturns - 1].turn);
    else
        diag_progress(x->c->diag, "lowrank: %s", name);
    Arena *a = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_free(a);
        guard_again(&guard);
    }
    Tensor w;
    x->failed = x->failed || !oracle_const(a, x->c->module, x->c->weights, x->w,
                                           x->nturns, x->turn, &w, NULL);
    if (!x->failed) {
        int64_t n = w.dim[0], k = w.dim[1], least = n < k ? n : k;
        double *s = NEWN(a, double, least + 1);
        if (!svd_values(a, w.data, n, k, s))
            bug("%s is not finite", name);  // E0604 says so before
        int64_t rank = rank_for(s, least, x->energy);
        x->rank = rank > x->rank ? rank : x->rank;
    }
    guard_drop(&guard);
    arena_free(a);
}

static void look_at_turns(Spectrum *x, const Region *r)
{
    for (; r && r->owner; r = r->owner->region) {
        const Attr *range = attr_find(r->owner, "range");
        int64_t lo, hi;
        if (r->owner->op != OP_repeat || !range || x->nturns == COUNT(x->turn) ||
            !size_is_int(range->sizes[0], &lo) || !size_is_int(range->sizes[1], &hi))
            continue;
        Turn *t = &x->turn[x->nturns++];
        t->index = attr_str(r->owner, "index", "");
        for (t->turn = lo; t->turn < hi && !x->failed; t->turn++)
            look_at_turns(x, r->owner->region);
        x->nturns--;
        return;
    }
    if (!x->failed)
        look_at_turn(x);
}

static bool rank_by_energy(PassContext *c, const Value *linear, const Step *s,
                           int64_t *rank)
{
    Spectrum x = {.c = c, .linear = linear, .w = linear->in[1], .energy = s->energy};
    if (c->weights.read)
        look_at_turns(&x, linear->region);
    if (!c->weights.read || x.failed) {
        diag_error(c->diag, s->loc, E0644, "lowrank by energy needs the values of `%s`",
                   weight_member(linear_weight(c->module, linear)));
        diag_hint(c->diag, s->loc,
                  "--weights names the file; rank = and ratio = do without");
        return false;
    }
    *rank = x.rank;
    return true;
}

static bool find_rank(PassContext *c, const Value *linear, const Step *s, int64_t n,
                      int64_t k, int64_t *rank)
{
    int64_t most = n < k ? n : k;
    *rank = s->rank;
    if (s->ratio > 0) {
        *rank = (int64_t)(s->ratio * (double)n * (double)k / (double)(n + k));
        *rank = *rank < 1 ? 1 : *rank;
    }
    if (s->energy > 0)
        return rank_by_energy(c, linear, s, rank);
    if (*rank <= most)
        return true;
    diag_error(c->diag, s->loc, E0644, "rank %lld of `%s`, which is [%lld, %lld]",
               (long long)*rank, weight_member(linear_weight(c->module, linear)),
               (long long)n, (long long)k);
    return false;
}

static bool lowrank(PassContext *c, Value *linear, Step *step)
{
    Graph *g = c->data;
    Value *w = linear->in[1];
    int64_t n, k, rank;
    if (!size_is_int(w->type.dim[0].size, &n) ||
        !size_is_int(w->type.dim[1].size, &k) ||
        !find_rank(c, linear, step, n, k, &rank) || rank * (n + k) >= n * k)
        return false;
    Builder b = build_before(c, g, linear);
    b.diag = NULL;  // everything fits by now
    Attr r = attr_make_size(c->module->arena, "rank", size_int(c->module->sizes, rank));
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
