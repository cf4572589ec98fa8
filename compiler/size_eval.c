// size_eval.c - the value of a size, tables by turn, and what a size is made of.

#include "size_in.h"

#include <string.h>

// ---- tables by turn -----------------------------------------------------------------

int64_t turn_var_count(const TurnVar *v)
{
    int64_t n = 1;
    for (int i = 0; i < v->nranges; i++)
        n *= v->range[i].n;
    return n;
}

int64_t turn_var_at(const TurnVar *v, int nturns, const Turn *turns)
{
    int64_t at = 0;
    for (int i = 0; i < v->nranges; i++) {
        const TurnRange *r = &v->range[i];
        int64_t turn = -1;
        for (int k = 0; k < nturns; k++)
            if (!strcmp(turns[k].index, r->index))
                turn = turns[k].turn - r->lo;
        if (turn < 0 || turn >= r->n)
            return v->hi;
        at = at * r->n + turn;
    }
    return v->value[at];
}

// ---- evaluating -----------------------------------------------------------------------

static int64_t eval_atom(const Atom *f, const int64_t *dims, int nturns,
                         const Turn *turns)
{
    if (f->kind == ATOM_DIM)
        return dims[f->dim->id];
    if (f->kind == ATOM_TURN)
        return turn_var_at(f->turn, nturns, turns);
    int64_t a = size_eval_at(f->a, dims, nturns, turns),
            b = size_eval_at(f->b, dims, nturns, turns);
    switch (f->kind) {
    case ATOM_MIN:
        return a < b ? a : b;
    case ATOM_MAX:
        return a > b ? a : b;
    case ATOM_FLOOR_DIV:
        return b > 0 ? size_floor_of(a, b) : 0;
    default:
        return b > 0 ? size_ceil_of(a, b) : 0;
    }
}

// Sums wrap around: within its bounds the whole is right even if a part of it is not.
int64_t size_eval_at(const Size *a, const int64_t *dims, int nturns, const Turn *turns)
{
    uint64_t sum = 0;
    for (int i = 0; i < a->n; i++) {
        uint64_t x = (uint64_t)a->shown[i].coef;
        for (int k = 0; k < a->shown[i].nfactors; k++)
            x *= (uint64_t)eval_atom(a->shown[i].factor[k], dims, nturns, turns);
        sum += x;
    }
    return (int64_t)sum;
}

int64_t size_eval(const Size *a, const int64_t *dims)
{
    return size_eval_at(a, dims, 0, NULL);
}

static double table_mean(const TurnVar *v)
{
    double sum = 0;
    const int64_t n = turn_var_count(v);
    for (int64_t i = 0; i < n; i++)
        sum += (double)v->value[i];
    return sum / (double)n;
}

double size_mean(const Size *a, const int64_t *dims)
{
    double sum = 0;
    for (int i = 0; i < a->n; i++) {
        double x = (double)a->shown[i].coef;
        for (int k = 0; k < a->shown[i].nfactors; k++) {
            const Atom *f = a->shown[i].factor[k];
            x *= f->kind == ATOM_TURN ? table_mean(f->turn)
                                      : (double)eval_atom(f, dims, 0, NULL);
        }
        sum += x;
    }
    return sum;
}

// ---- what is in it ---------------------------------------------------------------------

// Is the dim in it, or (NULL) any?
static bool has_dim(const Size *a, const DimVar *d)
{
    for (int i = 0; i < a->n; i++) {
        for (int k = 0; k < a->term[i].nfactors; k++) {
            const Atom *f = a->term[i].factor[k];
            bool has = f->kind == ATOM_DIM ? !d || f->dim == d
                                           : f->kind != ATOM_TURN &&
                                                 (has_dim(f->a, d) || has_dim(f->b, d));
            if (has)
                return true;
        }
    }
    return false;
}

bool size_uses(const Size *a, const DimVar *d)
{
    return has_dim(a, d);
}

bool size_is_fixed(const Size *a)
{
    return a && !has_dim(a, NULL);
}

void size_turns(const Size *a, void (*f)(const TurnVar *v, void *ctx), void *ctx)
{
    for (int i = 0; i < a->n; i++) {
        for (int k = 0; k < a->term[i].nfactors; k++) {
            const Atom *x = a->term[i].factor[k];
            if (x->kind == ATOM_TURN) {
                f(x->turn, ctx);
            } else if (x->kind != ATOM_DIM) {
                size_turns(x->a, f, ctx);
                size_turns(x->b, f, ctx);
            }
        }
    }
}
