// size_in.h - what the files of sizes share: size.c, size_bounds.c, size_div.c,
// size_eval.c.

#ifndef TFXC_SIZE_IN_H
#define TFXC_SIZE_IN_H

#include "size.h"

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

typedef struct Range {
    int64_t lo, hi;
} Range;

static inline int64_t size_gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a < 0 ? -a : a;
}

static inline int64_t size_floor_of(int64_t a, int64_t b)  // b > 0
{
    return a / b - (a % b < 0);
}

static inline int64_t size_ceil_of(int64_t a, int64_t b)  // b > 0
{
    return a / b + (a % b > 0);
}

// ---- size_bounds.c ------------------------------------------------------------------

Range size_atom_range(const Atom *a);
// Over all values of the atoms; false when it leaves int64.
bool size_bounds(const Term *t, int n, Range *out);

// ---- size.c -------------------------------------------------------------------------

int size_compare(const Size *a, const Size *b);
const Atom *size_intern_atom(Sizes *s, Atom a);
const Size *size_of_atom(Sizes *s, const Atom *a);
const Size *size_of_term(Sizes *s, Term t);
// Sorts, gathers equal monomials, drops zeros and interns.
const Size *size_normalise(Sizes *s, Poly *p);

#endif
