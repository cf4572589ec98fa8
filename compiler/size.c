// size.c - sizes as interned polynomials in normal form.
//
// Within a Size the variable of a dim is its unit n = N / by, so that N / 2 of a dim by 2
// is the polynomial n, 2 * (N / 2) is N, and equal sizes have one form. For those who look
// from outside, the same polynomial is kept once more over N itself: 3n of a dim by 2 is
// shown as 3 * floor_div(N, 2), 4n as 2 * N.

#include "size_in.h"

#include <stdlib.h>
#include <string.h>

Sizes *sizes_new(Arena *a)
{
    Sizes *s = NEW(a, Sizes);
    s->arena = a;
    return s;
}

// ---- order --------------------------------------------------------------------------

static int atom_compare(const Atom *a, const Atom *b)
{
    if (a == b)
        return 0;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == ATOM_DIM) {
        if (a->dim->id != b->dim->id)
            return a->dim->id < b->dim->id ? -1 : 1;
        return strcmp(a->dim->name, b->dim->name);
    }
    if (a->kind == ATOM_TURN)
        return a->turn->id < b->turn->id ? -1 : 1;
    int c = size_compare(a->a, b->a);
    return c != 0 ? c : size_compare(a->b, b->b);
}

// Higher degree first, then the order of the factors: a monomial order.
static int term_compare(const Term *a, const Term *b)
{
    if (a->nfactors != b->nfactors)
        return a->nfactors > b->nfactors ? -1 : 1;
    for (int i = 0; i < a->nfactors; i++) {
        int c = atom_compare(a->factor[i], b->factor[i]);
        if (c != 0)
            return c;
    }
    return 0;
}

int size_compare(const Size *a, const Size *b)
{
    if (a == b)
        return 0;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = 0; i < a->n; i++) {
        int c = term_compare(&a->term[i], &b->term[i]);
        if (c != 0)
            return c;
        if (a->term[i].coef != b->term[i].coef)
            return a->term[i].coef < b->term[i].coef ? -1 : 1;
    }
    return 0;
}

static int by_term(const void *a, const void *b)
{
    return term_compare(a, b);
}

static void sort_factors(const Atom **f, int n)
{
    for (int i = 1; i < n; i++) {
        for (int k = i; k > 0 && atom_compare(f[k - 1], f[k]) > 0; k--) {
            const Atom *t = f[k];
            f[k] = f[k - 1];
            f[k - 1] = t;
        }
    }
}

// ---- interning ----------------------------------------------------------------------

const Atom *size_intern_atom(Sizes *s, Atom a)
{
    for (int i = 0; i < s->atoms.n; i++) {
        const Atom *x = s->atoms.p[i];
        if (x->kind == a.kind && x->dim == a.dim && x->turn == a.turn && x->a == a.a &&
            x->b == a.b)
            return x;
    }
    Atom *x = NEW(s->arena, Atom);
    *x = a;
    vec_push(s->arena, &s->atoms, x);
    return x;
}

static uint64_t hash_terms(const Term *t, int n)
{
    uint64_t h = (uint64_t)n;
    for (int i = 0; i < n; i++) {
        size_t bytes = (size_t)t[i].nfactors * sizeof(Atom *);
        h = h * 0x9e3779b97f4a7c15u + (uint64_t)t[i].coef;
        h = h * 0x9e3779b97f4a7c15u + hash_bytes(t[i].factor, bytes);
    }
    return h ^ h >> 29;
}

static bool same_terms(const Size *x, const Term *t, int n)
{
    if (x->n != n)
        return false;
    for (int i = 0; i < n; i++) {
        const Term *y = &x->term[i];
        size_t bytes = (size_t)y->nfactors * sizeof(Atom *);
        if (y->coef != t[i].coef || y->nfactors != t[i].nfactors ||
            (bytes > 0 && memcmp(y->factor, t[i].factor, bytes) != 0))
            return false;
    }
    return true;
}

static const Size **find_slot(const Sizes *s, uint64_t hash, const Term *t, int n)
{
    uint64_t mask = (uint64_t)s->nslots - 1;
    for (uint64_t i = hash & mask;; i = (i + 1) & mask) {
        const Size *x = s->slot[i];
        if (x == NULL || (x->hash == hash && same_terms(x, t, n)))
            return &s->slot[i];
    }
}

static void grow_table(Sizes *s)
{
    int old = s->nslots;
    const Size **from = s->slot;
    s->nslots = old == 0 ? 64 : 2 * old;
    s->slot = NEWN(s->arena, const Size *, s->nslots);
    for (int i = 0; i < old; i++) {
        const Size *x = from[i];
        if (x != NULL)
            *find_slot(s, x->hash, x->term, x->n) = x;
    }
}

// A term over units as one over dims: 3n of a dim by 2 is 3 * floor_div(N, 2).
static Term show_term(Sizes *s, Term t)
{
    const Atom **f = NEWN(s->arena, const Atom *, t.nfactors);
    for (int i = 0; i < t.nfactors; i++) {
        f[i] = t.factor[i];
        if (f[i]->kind != ATOM_DIM || f[i]->dim->by <= 1)
            continue;
        int64_t by = f[i]->dim->by, g = size_gcd(t.coef, by);
        t.coef /= g;
        if (by > g) {
            const Size *whole = size_of_term(s, (Term){by, 1, &t.factor[i]});
            Atom part = {.kind = ATOM_FLOOR_DIV, .a = whole, .b = size_int(s, by / g)};
            f[i] = size_intern_atom(s, part);
        }
    }
    sort_factors(f, t.nfactors);
    t.factor = f;
    return t;
}

// The size of terms in normal form.
static const Size *intern(Sizes *s, const Term *t, int n)
{
    Range r;
    if (n > MAX_TERMS || (n > 0 && t[0].nfactors > MAX_FACTORS) ||
        !size_bounds(t, n, &r))
        return NULL;
    uint64_t hash = hash_terms(t, n);
    if (4 * (s->nsizes + 1) > 3 * s->nslots)
        grow_table(s);
    const Size **slot = find_slot(s, hash, t, n);
    if (*slot != NULL)
        return *slot;
    Size *x = NEW(s->arena, Size);
    *x = (Size){n, NEWN(s->arena, Term, n), NEWN(s->arena, Term, n), r.lo, r.hi, hash};
    if (n > 0)
        memcpy(x->term, t, (size_t)n * sizeof *t);
    *slot = x;
    s->nsizes++;
    for (int i = 0; i < n; i++)  // may intern more, so x stands in the table by now
        x->shown[i] = show_term(s, t[i]);
    return x;
}

const Size *size_normalise(Sizes *s, Poly *p)
{
    if (p->n > 1)
        qsort(p->p, (size_t)p->n, sizeof *p->p, by_term);
    int n = 0;
    for (int i = 0; i < p->n; i++) {
        if (n > 0 && term_compare(&p->p[n - 1], &p->p[i]) == 0) {
            Term *t = &p->p[n - 1];
            if (__builtin_add_overflow(t->coef, p->p[i].coef, &t->coef))
                return NULL;
        } else {
            n -= n > 0 && p->p[n - 1].coef == 0;
            p->p[n++] = p->p[i];
        }
    }
    n -= n > 0 && p->p[n - 1].coef == 0;
    return intern(s, p->p, n);
}

const Size *size_of_term(Sizes *s, Term t)
{
    return intern(s, &t, t.coef != 0);
}

const Size *size_of_atom(Sizes *s, const Atom *a)
{
    Range r = size_atom_range(a);
    if (a->kind != ATOM_DIM && r.lo == r.hi)
        return size_int(s, r.lo);
    const Atom **f = NEW(s->arena, const Atom *);
    *f = a;
    int64_t by = a->kind == ATOM_DIM && a->dim->by > 1 ? a->dim->by : 1;
    return size_of_term(s, (Term){by, 1, f});
}

// ---- sums and products --------------------------------------------------------------

const Size *size_int(Sizes *s, int64_t v)
{
    return size_of_term(s, (Term){v, 0, NULL});
}

const Size *size_dim(Sizes *s, const DimVar *d)
{
    return size_of_atom(s, size_intern_atom(s, (Atom){.kind = ATOM_DIM, .dim = d}));
}

const Size *size_turn(Sizes *s, const TurnVar *v)
{
    return size_of_atom(s, size_intern_atom(s, (Atom){.kind = ATOM_TURN, .turn = v}));
}

// a + k * b
static const Size *add_times(Sizes *s, const Size *a, const Size *b, int64_t k)
{
    Poly p = {0};
    if (a == NULL || b == NULL)
        return NULL;
    for (int i = 0; i < a->n; i++)
        vec_push(s->arena, &p, a->term[i]);
    for (int i = 0; i < b->n; i++) {
        Term t = b->term[i];
        if (__builtin_mul_overflow(t.coef, k, &t.coef))
            return NULL;
        vec_push(s->arena, &p, t);
    }
    return size_normalise(s, &p);
}

const Size *size_add(Sizes *s, const Size *a, const Size *b)
{
    return add_times(s, a, b, 1);
}

const Size *size_sub(Sizes *s, const Size *a, const Size *b)
{
    return add_times(s, a, b, -1);
}

static bool term_mul(Sizes *s, const Term *a, const Term *b, Term *out)
{
    int n = a->nfactors + b->nfactors;
    if (n > MAX_FACTORS || __builtin_mul_overflow(a->coef, b->coef, &out->coef))
        return false;
    const Atom **f = NEWN(s->arena, const Atom *, n);
    for (int i = 0; i < n; i++)
        f[i] = i < a->nfactors ? a->factor[i] : b->factor[i - a->nfactors];
    sort_factors(f, n);
    out->nfactors = n;
    out->factor = f;
    return true;
}

const Size *size_mul(Sizes *s, const Size *a, const Size *b)
{
    Poly p = {0};
    if (a == NULL || b == NULL || a->n * b->n > 8 * MAX_TERMS)
        return NULL;
    for (int i = 0; i < a->n; i++) {
        for (int k = 0; k < b->n; k++) {
            Term t;
            if (!term_mul(s, &a->term[i], &b->term[k], &t))
                return NULL;
            vec_push(s->arena, &p, t);
        }
    }
    return size_normalise(s, &p);
}

// ---- asking -------------------------------------------------------------------------

bool size_is_int(const Size *a, int64_t *v)
{
    if (a == NULL || a->n > 1 || (a->n == 1 && a->term[0].nfactors > 0))
        return false;
    if (v != NULL)
        *v = a->n == 0 ? 0 : a->term[0].coef;
    return true;
}

bool size_is(const Size *a, int64_t v)
{
    int64_t x;
    return size_is_int(a, &x) && x == v;
}

int64_t size_min_value(const Size *a)
{
    return a->lo;
}

int64_t size_max_value(const Size *a)
{
    return a->hi;
}

int size_nterms(const Size *a)
{
    return a->n;
}

const Term *size_term(const Size *a, int i)
{
    return &a->shown[i];
}
