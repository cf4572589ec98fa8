// size_div.c - quotients of sizes, and the smaller and the greater of two.
//
// Quotients by a constant k keep only what k does not divide:
//     floor((k q + r) / k) = q + floor(r / k)
//     floor((g x + c) / (g k)) = floor((x + floor(c / g)) / k)
//     floor(floor(x / j) / k) = floor(x / (j k))
//     ceil(x / k) = floor((x + k - 1) / k)
// and of the two spellings of the last law the shorter one is kept.

#include "size_in.h"

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
    return size_normalise(s, &q);
}

// floor(a / k), k > 1: see the top of the file.
static const Size *floor_by_int(Sizes *s, const Size *a, int64_t k)
{
    Poly whole = {0}, rest = {0};
    int64_t c = 0, g = k;
    for (int i = 0; i < a->n; i++) {
        Term q = a->term[i], r = q;
        bool is_int = q.nfactors == 0;
        q.coef = is_int ? size_floor_of(q.coef, k) : q.coef / k;
        r.coef -= q.coef * k;
        if (q.coef != 0)
            vec_push(s->arena, &whole, q);
        if (is_int)
            c = r.coef;
        else if (r.coef != 0)
            vec_push(s->arena, &rest, r);
        if (!is_int)
            g = size_gcd(g, r.coef);
    }
    const Size *q = size_normalise(s, &whole);
    if (rest.n == 0)
        return q;
    for (int i = 0; i < rest.n; i++)
        rest.p[i].coef /= g;
    k /= g;
    c /= g;
    Atom atom = {.kind = ATOM_FLOOR_DIV};
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
    atom.a = size_normalise(s, &rest);
    atom.b = size_int(s, k);
    if (atom.a == NULL)
        return NULL;
    return size_add(s, q, size_of_atom(s, size_intern_atom(s, atom)));
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
        return size_of_atom(s,
                            size_intern_atom(s, (Atom){.kind = kind, .a = a, .b = b}));
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
    Atom atom = {.kind = kind, .a = in_order ? a : b, .b = in_order ? b : a};
    return size_of_atom(s, size_intern_atom(s, atom));
}

const Size *size_min(Sizes *s, const Size *a, const Size *b)
{
    return choose(s, ATOM_MIN, a, b);
}

const Size *size_max(Sizes *s, const Size *a, const Size *b)
{
    return choose(s, ATOM_MAX, a, b);
}
