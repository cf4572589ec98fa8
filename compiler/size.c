// size.c - sizes as interned polynomials in normal form.
//
// Within a Size the variable of a dim is its unit n = N / by, so that N / 2 of a dim by 2
// is the polynomial n, 2 * (N / 2) is N, and equal sizes have one form. For those who look
// from outside, the same polynomial is kept once more over N itself: 3n of a dim by 2 is
// shown as 3 * floor_div(N, 2), 4n as 2 * N.
//
// Quotients by a constant k keep only what k does not divide:
//     floor((k q + r) / k) = q + floor(r / k)
//     floor((g x + c) / (g k)) = floor((x + floor(c / g)) / k)
//     floor(floor(x / j) / k) = floor(x / (j k))
//     ceil(x / k) = floor((x + k - 1) / k)
// and of the two spellings of the last law the shorter one is kept.

#include "size.h"

#include <stdlib.h>
#include <string.h>

// What is larger than this is no size of a tensor; it bounds time and memory.
enum { MAX_TERMS = 512, MAX_FACTORS = 32 };

struct Size {
    int n;
    Term *term;   // over units
    Term *shown;  // over dims
    int64_t lo, hi;
    uint64_t hash;
};

typedef VEC(Term) Poly;  // being built: unsorted, with repetition

struct Sizes {
    Arena *arena;
    VEC(Atom *) atoms;
    const Size **slot;  // open addressing
    int nslots, nsizes;
};

Sizes *sizes_new(Arena *a)
{
    Sizes *s = NEW(a, Sizes);
    s->arena = a;
    return s;
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a < 0 ? -a : a;
}

static int64_t floor_of(int64_t a, int64_t b)  // b > 0
{
    return a / b - (a % b < 0);
}

static int64_t ceil_of(int64_t a, int64_t b)  // b > 0
{
    return a / b + (a % b > 0);
}

// ---- order --------------------------------------------------------------------------

static int size_compare(const Size *a, const Size *b);

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

static int size_compare(const Size *a, const Size *b)
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

// ---- bounds -------------------------------------------------------------------------

typedef struct Range {
    int64_t lo, hi;
} Range;

static bool range_mul(Range a, Range b, Range *out)
{
    int64_t p[4];
    if (__builtin_mul_overflow(a.lo, b.lo, &p[0]) ||
        __builtin_mul_overflow(a.lo, b.hi, &p[1]) ||
        __builtin_mul_overflow(a.hi, b.lo, &p[2]) ||
        __builtin_mul_overflow(a.hi, b.hi, &p[3]))
        return false;
    *out = (Range){p[0], p[0]};
    for (int i = 1; i < 4; i++) {
        out->lo = p[i] < out->lo ? p[i] : out->lo;
        out->hi = p[i] > out->hi ? p[i] : out->hi;
    }
    return true;
}

static bool range_add(Range a, Range b, Range *out)
{
    return !__builtin_add_overflow(a.lo, b.lo, &out->lo) &&
           !__builtin_add_overflow(a.hi, b.hi, &out->hi);
}

static Range atom_range(const Atom *a)
{
    if (a->kind == ATOM_DIM) {
        int64_t by = a->dim->by > 1 ? a->dim->by : 1;
        Range r = {ceil_of(a->dim->lo, by), floor_of(a->dim->hi, by)};
        if (r.lo > r.hi)
            r.lo = r.hi;
        return r;
    }
    Range x = {a->a->lo, a->a->hi}, y = {a->b->lo, a->b->hi};
    if (a->kind == ATOM_MIN)
        return (Range){x.lo < y.lo ? x.lo : y.lo, x.hi < y.hi ? x.hi : y.hi};
    if (a->kind == ATOM_MAX)
        return (Range){x.lo > y.lo ? x.lo : y.lo, x.hi > y.hi ? x.hi : y.hi};
    int64_t (*div)(int64_t, int64_t) = a->kind == ATOM_FLOOR_DIV ? floor_of : ceil_of;
    return (Range){div(x.lo, x.lo < 0 ? y.lo : y.hi),
                   div(x.hi, x.hi < 0 ? y.hi : y.lo)};
}

enum { MAX_VARS = 8 };

// Range of the derivative of the terms by x, or (x NULL) of the terms themselves, with the
// first nvars atoms held to given ranges.
static bool terms_range(const Term *t, int n, const Atom *x, const Atom *const *var,
                        const Range *held, int nvars, Range *out)
{
    *out = (Range){0, 0};
    for (int i = 0; i < n; i++) {
        int64_t times = x == NULL;
        bool left_out = x == NULL;
        for (int k = 0; x != NULL && k < t[i].nfactors; k++)
            times += t[i].factor[k] == x;
        if (times == 0)
            continue;
        Range r = {t[i].coef, t[i].coef};
        if (!range_mul(r, (Range){times, times}, &r))
            return false;
        for (int k = 0; k < t[i].nfactors; k++) {
            const Atom *f = t[i].factor[k];
            if (f == x && !left_out) {
                left_out = true;
                continue;
            }
            Range fr = atom_range(f);
            for (int v = 0; v < nvars; v++) {
                if (var[v] == f)
                    fr = held[v];
            }
            if (!range_mul(r, fr, &r))
                return false;
        }
        if (!range_add(*out, r, out))
            return false;
    }
    return true;
}

// The atoms of the terms, if they are few.
static int collect_vars(const Term *t, int n, const Atom **var)
{
    int nvars = 0;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < t[i].nfactors; k++) {
            int v = 0;
            while (v < nvars && var[v] != t[i].factor[k])
                v++;
            if (v == MAX_VARS)
                return 0;
            var[v] = t[i].factor[k];
            nvars += v == nvars;
        }
    }
    return nvars;
}

// Narrows the ranges of the atoms to where the polynomial is least (sign 1) or greatest
// (sign -1): an atom in which it only grows, or only falls, is at one of its ends. That may
// decide the next atom.
static void seek_end(const Term *t, int n, const Atom *const *var, Range *held,
                     int nvars, int sign)
{
    bool again = true;
    while (again) {
        again = false;
        for (int v = 0; v < nvars; v++) {
            Range d, *r = &held[v];
            if (r->lo == r->hi || !terms_range(t, n, var[v], var, held, nvars, &d))
                continue;
            if (d.lo < 0 && d.hi > 0)
                continue;
            bool at_lo = (d.lo >= 0) == (sign > 0);
            *r = at_lo ? (Range){r->lo, r->lo} : (Range){r->hi, r->hi};
            again = true;
        }
    }
}

// Bounds over all values of the atoms. Interval arithmetic alone is safe but wide.
static bool bounds(const Term *t, int n, Range *out)
{
    const Atom *var[MAX_VARS];
    Range held[MAX_VARS], r;
    if (!terms_range(t, n, NULL, NULL, NULL, 0, out))
        return false;
    int nvars = n < 2 ? 0 : collect_vars(t, n, var);
    for (int sign = -1; sign <= 1 && nvars > 0; sign += 2) {
        for (int v = 0; v < nvars; v++)
            held[v] = atom_range(var[v]);
        seek_end(t, n, var, held, nvars, sign);
        if (!terms_range(t, n, NULL, var, held, nvars, &r))
            continue;
        if (sign > 0 && r.lo > out->lo)
            out->lo = r.lo;
        if (sign < 0 && r.hi < out->hi)
            out->hi = r.hi;
    }
    return true;
}

// ---- interning ----------------------------------------------------------------------

static const Atom *intern_atom(Sizes *s, Atom a)
{
    for (int i = 0; i < s->atoms.n; i++) {
        const Atom *x = s->atoms.p[i];
        if (x->kind == a.kind && x->dim == a.dim && x->a == a.a && x->b == a.b)
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

static const Size *size_of_term(Sizes *s, Term t);

// A term over units as one over dims: 3n of a dim by 2 is 3 * floor_div(N, 2).
static Term show_term(Sizes *s, Term t)
{
    const Atom **f = NEWN(s->arena, const Atom *, t.nfactors);
    for (int i = 0; i < t.nfactors; i++) {
        f[i] = t.factor[i];
        if (f[i]->kind != ATOM_DIM || f[i]->dim->by <= 1)
            continue;
        int64_t by = f[i]->dim->by, g = gcd(t.coef, by);
        t.coef /= g;
        if (by > g) {
            const Size *whole = size_of_term(s, (Term){by, 1, &t.factor[i]});
            Atom part = {ATOM_FLOOR_DIV, NULL, whole, size_int(s, by / g)};
            f[i] = intern_atom(s, part);
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
    if (n > MAX_TERMS || (n > 0 && t[0].nfactors > MAX_FACTORS) || !bounds(t, n, &r))
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

// Sorts, gathers equal monomials, drops zeros and interns.
static const Size *normalise(Sizes *s, Poly *p)
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

static const Size *size_of_term(Sizes *s, Term t)
{
    return intern(s, &t, t.coef != 0);
}

static const Size *size_of_atom(Sizes *s, const Atom *a)
{
    Range r = atom_range(a);
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
    return size_of_atom(s, intern_atom(s, (Atom){ATOM_DIM, d, NULL, NULL}));
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
    return normalise(s, &p);
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
    return normalise(s, &p);
}

// ---- quotients ----------------------------------------------------------------------

// a / b of two terms, when it is a term.
static bool term_quot(Sizes *s, const Term *a, const Term *b, Term *out)
{
    if (b->coef == -1 ? a->coef == INT64_MIN : a->coef % b->coef != 0)
        return false;
    *out = (Term){a->coef / b->coef, 0, NULL};
    const Atom **f = NEWN(s->arena, const Atom *, a->nfactors);
    int k = 0;
    for (int i = 0; i < a->nfactors; i++) {
        if (k < b->nfactors && a->factor[i] == b->factor[k])
            k++;
        else
            f[out->nfactors++] = a->factor[i];
    }
    out->factor = f;
    return k == b->nfactors;
}

// Division with the leading terms, as of polynomials over the integers.
const Size *size_quot(Sizes *s, const Size *a, const Size *b)
{
    Poly q = {0};
    if (a == NULL || b == NULL || b->n == 0)
        return NULL;
    while (a->n > 0) {
        Term t;
        if (q.n > MAX_TERMS || !term_quot(s, &a->term[0], &b->term[0], &t))
            return NULL;
        vec_push(s->arena, &q, t);
        a = size_sub(s, a, size_mul(s, size_of_term(s, t), b));
        if (a == NULL)
            return NULL;
    }
    return normalise(s, &q);
}

// floor(a / k), k > 1: see the top of the file.
static const Size *floor_by_int(Sizes *s, const Size *a, int64_t k)
{
    Poly whole = {0}, rest = {0};
    int64_t c = 0, g = k;
    for (int i = 0; i < a->n; i++) {
        Term q = a->term[i], r = q;
        bool is_int = q.nfactors == 0;
        q.coef = is_int ? floor_of(q.coef, k) : q.coef / k;
        r.coef -= q.coef * k;
        if (q.coef != 0)
            vec_push(s->arena, &whole, q);
        if (is_int)
            c = r.coef;
        else if (r.coef != 0)
            vec_push(s->arena, &rest, r);
        if (!is_int)
            g = gcd(g, r.coef);
    }
    const Size *q = normalise(s, &whole);
    if (rest.n == 0)
        return q;
    for (int i = 0; i < rest.n; i++)
        rest.p[i].coef /= g;
    k /= g;
    c /= g;
    Atom atom = {ATOM_FLOOR_DIV, NULL, NULL, NULL};
    const Term *t = &rest.p[0];
    int64_t j;
    if (c == 0 && rest.n == 1 && t->coef == 1 && t->nfactors == 1 &&
        t->factor[0]->kind == ATOM_FLOOR_DIV && size_is_int(t->factor[0]->b, &j) &&
        !__builtin_mul_overflow(j, k, &j))
        return size_add(s, q, size_floor_div(s, t->factor[0]->a, size_int(s, j)));
    if (c == k - 1)
        atom.kind = ATOM_CEIL_DIV;
    else if (c > 0)
        vec_push(s->arena, &rest, ((Term){c, 0, NULL}));
    atom.a = normalise(s, &rest);
    atom.b = size_int(s, k);
    if (atom.a == NULL)
        return NULL;
    return size_add(s, q, size_of_atom(s, intern_atom(s, atom)));
}

static const Size *divide(Sizes *s, AtomKind kind, const Size *a, const Size *b)
{
    int64_t k;
    if (a == NULL || b == NULL)
        return NULL;
    if (b->hi < 0) {  // a / b = -a / -b
        a = size_sub(s, size_int(s, 0), a);
        b = size_sub(s, size_int(s, 0), b);
        if (a == NULL || b == NULL)
            return NULL;
    }
    if (b->lo <= 0)
        return NULL;
    const Size *exact = size_quot(s, a, b);
    if (exact != NULL)
        return exact;
    if (!size_is_int(b, &k))
        return size_of_atom(s, intern_atom(s, (Atom){kind, NULL, a, b}));
    if (kind == ATOM_CEIL_DIV)
        a = size_add(s, a, size_int(s, k - 1));
    return a == NULL ? NULL : floor_by_int(s, a, k);
}

const Size *size_floor_div(Sizes *s, const Size *a, const Size *b)
{
    return divide(s, ATOM_FLOOR_DIV, a, b);
}

const Size *size_ceil_div(Sizes *s, const Size *a, const Size *b)
{
    return divide(s, ATOM_CEIL_DIV, a, b);
}

// ---- min and max --------------------------------------------------------------------

// Is x an atom of this kind that has y among its operands?
static bool absorbs(const Size *x, AtomKind kind, const Size *y)
{
    if (x->n != 1 || x->term[0].nfactors != 1 || x->term[0].coef != 1)
        return false;
    const Atom *f = x->term[0].factor[0];
    return f->kind == kind && (f->a == y || f->b == y);
}

static const Size *choose(Sizes *s, AtomKind kind, const Size *a, const Size *b)
{
    if (a == NULL || b == NULL)
        return NULL;
    if (a == b || absorbs(a, kind, b))
        return a;
    if (absorbs(b, kind, a))
        return b;
    const Size *d = size_sub(s, a, b);
    if (d != NULL && d->hi <= 0)
        return kind == ATOM_MIN ? a : b;
    if (d != NULL && d->lo >= 0)
        return kind == ATOM_MIN ? b : a;
    bool in_order = size_compare(a, b) < 0;
    Atom atom = {kind, NULL, in_order ? a : b, in_order ? b : a};
    return size_of_atom(s, intern_atom(s, atom));
}

const Size *size_min(Sizes *s, const Size *a, const Size *b)
{
    return choose(s, ATOM_MIN, a, b);
}

const Size *size_max(Sizes *s, const Size *a, const Size *b)
{
    return choose(s, ATOM_MAX, a, b);
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

static int64_t eval_atom(const Atom *f, const int64_t *dims)
{
    if (f->kind == ATOM_DIM)
        return dims[f->dim->id];
    int64_t a = size_eval(f->a, dims), b = size_eval(f->b, dims);
    switch (f->kind) {
    case ATOM_MIN:
        return a < b ? a : b;
    case ATOM_MAX:
        return a > b ? a : b;
    case ATOM_FLOOR_DIV:
        return b > 0 ? floor_of(a, b) : 0;
    default:
        return b > 0 ? ceil_of(a, b) : 0;
    }
}

// Sums wrap around: within its bounds the whole is right even if a part of it is not.
int64_t size_eval(const Size *a, const int64_t *dims)
{
    uint64_t sum = 0;
    for (int i = 0; i < a->n; i++) {
        uint64_t x = (uint64_t)a->shown[i].coef;
        for (int k = 0; k < a->shown[i].nfactors; k++)
            x *= (uint64_t)eval_atom(a->shown[i].factor[k], dims);
        sum += x;
    }
    return (int64_t)sum;
}

bool size_uses(const Size *a, const DimVar *d)
{
    for (int i = 0; i < a->n; i++) {
        for (int k = 0; k < a->term[i].nfactors; k++) {
            const Atom *f = a->term[i].factor[k];
            if (f->kind == ATOM_DIM ? f->dim == d
                                    : size_uses(f->a, d) || size_uses(f->b, d))
                return true;
        }
    }
    return false;
}

int size_nterms(const Size *a)
{
    return a->n;
}

const Term *size_term(const Size *a, int i)
{
    return &a->shown[i];
}
