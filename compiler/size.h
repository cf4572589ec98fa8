// size.h - sizes: polynomials with integer coefficients over bounded run-time dims.
//
// A Size is immutable and interned: equal sizes are the same pointer. What is not a
// polynomial (a quotient that is not known to be exact, min, max) is an atom, equal only
// to an atom of the same kind over the same sizes; so is a number that differs from turn to
// turn of a loop, read from a table. Every function that makes a Size returns
// NULL when a coefficient or bound leaves int64 (the caller reports E0302), and NULL in
// gives NULL out.

#ifndef TFXC_SIZE_H
#define TFXC_SIZE_H

#include "base.h"

typedef struct Size Size;
typedef struct Sizes Sizes;  // where sizes are interned: one per Module

typedef struct DimVar {
    const char *name;
    int64_t lo, hi, by;   // lo <= value <= hi, value a multiple of `by` (1: any)
    int id;               // index in Module.dims
    uint32_t start, end;  // Loc of the declaration
} DimVar;

// A turn of a repeat, by the name of its index.
typedef struct Turn {
    const char *index;
    int64_t turn;
} Turn;

typedef struct TurnRange {
    const char *index;
    int64_t lo, n;  // turns lo, lo + 1, ... n of them
} TurnRange;

enum { MAX_TURN_RANGES = 8 };

// A number for each turn of the repeats around it: the rank of a factor, layer by layer.
typedef struct TurnVar {
    const char *name;
    int nranges;
    TurnRange range[MAX_TURN_RANGES];  // outermost first
    const int64_t *value;              // the innermost turn fastest
    int64_t lo, hi;                    // least and greatest value
    int id;                            // index in Module.tables
} TurnVar;

int64_t turn_var_count(const TurnVar *v);  // of values
// The value in these turns; the greatest where they leave it open.
int64_t turn_var_at(const TurnVar *v, int nturns, const Turn *turns);

Sizes *sizes_new(Arena *a);

const Size *size_int(Sizes *s, int64_t v);
const Size *size_dim(Sizes *s, const DimVar *d);
const Size *size_turn(Sizes *s, const TurnVar *v);
const Size *size_add(Sizes *s, const Size *a, const Size *b);
const Size *size_sub(Sizes *s, const Size *a, const Size *b);
const Size *size_mul(Sizes *s, const Size *a, const Size *b);
// a / b; NULL if that is not exact.
const Size *size_quot(Sizes *s, const Size *a, const Size *b);
// A polynomial if exact. NULL too when b may be 0 or less (unless it is always negative).
const Size *size_floor_div(Sizes *s, const Size *a, const Size *b);
const Size *size_ceil_div(Sizes *s, const Size *a, const Size *b);
const Size *size_min(Sizes *s, const Size *a, const Size *b);
const Size *size_max(Sizes *s, const Size *a, const Size *b);

bool size_is_int(const Size *a, int64_t *v);  // v may be NULL
bool size_is(const Size *a, int64_t v);
int64_t size_min_value(const Size *a);  // over all values of its dims
int64_t size_max_value(const Size *a);
// Substitutes: value of dim id is dims[id]; what differs by turn is as turn_var_at says.
int64_t size_eval_at(const Size *a, const int64_t *dims, int nturns, const Turn *turns);
int64_t size_eval(const Size *a, const int64_t *dims);  // of no turn: at its greatest
double size_mean(const Size *a,
                 const int64_t *dims);  // tables at the mean of their turns
bool size_uses(const Size *a, const DimVar *d);
bool size_is_fixed(const Size *a);  // an integer in each turn: no dim is in it
void size_turns(const Size *a, void (*f)(const TurnVar *v, void *ctx), void *ctx);

// "T", "P + T", "2*T*T - 1", "ceil_div(T, 2)"; size_parse reads it back (NULL: no).
void size_print(const Size *a, Text *out);
const char *size_str(const Size *a, Arena *arena);
const Size *size_parse(Sizes *s, const char *text, DimVar *const *dims, int ndims,
                       TurnVar *const *tables, int ntables);

// How it is made, for those who translate sizes into code. Terms are in print order.
typedef enum AtomKind {
    ATOM_DIM,
    ATOM_FLOOR_DIV,
    ATOM_CEIL_DIV,
    ATOM_MIN,
    ATOM_MAX,
    ATOM_TURN
} AtomKind;
typedef struct Atom {
    AtomKind kind;
    const DimVar *dim;    // ATOM_DIM
    const TurnVar *turn;  // ATOM_TURN
    const Size *a, *b;    // others
} Atom;
typedef struct Term {
    int64_t coef;
    int nfactors;
    const Atom *const *factor;  // with repetition: T*T has two
} Term;
int size_nterms(const Size *a);
const Term *size_term(const Size *a, int i);

#endif
