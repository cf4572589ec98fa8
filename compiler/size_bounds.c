// size_bounds.c - the least and the greatest value of a size.

#include "size_in.h"

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

Range size_atom_range(const Atom *a)
{
    if (a->kind == ATOM_DIM) {
        int64_t by = a->dim->by > 1 ? a->dim->by : 1;
        Range r = {size_ceil_of(a->dim->lo, by), size_floor_of(a->dim->hi, by)};
        if (r.lo > r.hi)
            r.lo = r.hi;
        return r;
    }
    if (a->kind == ATOM_TURN)
        return (Range){a->turn->lo, a->turn->hi};
    Range x = {a->a->lo, a->a->hi}, y = {a->b->lo, a->b->hi};
    if (a->kind == ATOM_MIN)
        return (Range){x.lo < y.lo ? x.lo : y.lo, x.hi < y.hi ? x.hi : y.hi};
    if (a->kind == ATOM_MAX)
        return (Range){x.lo > y.lo ? x.lo : y.lo, x.hi > y.hi ? x.hi : y.hi};
    int64_t (*div)(int64_t, int64_t) =
        a->kind == ATOM_FLOOR_DIV ? size_floor_of : size_ceil_of;
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
            if (x != NULL && f == x && !left_out) {
                left_out = true;
                continue;
            }
            Range fr = size_atom_range(f);
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
bool size_bounds(const Term *t, int n, Range *out)
{
    const Atom *var[MAX_VARS];
    Range held[MAX_VARS], r;
    if (!terms_range(t, n, NULL, NULL, NULL, 0, out))
        return false;
    int nvars = n < 2 ? 0 : collect_vars(t, n, var);
    for (int sign = -1; sign <= 1 && nvars > 0; sign += 2) {
        for (int v = 0; v < nvars; v++)
            held[v] = size_atom_range(var[v]);
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
