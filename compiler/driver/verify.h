// verify.h - an emitted program against golden cases, or against the evaluator in double.

#ifndef TFXC_VERIFY_H
#define TFXC_VERIFY_H

#include "golden.h"
#include "program.h"

#define CONTRACT 2e-5  // of an f32 program, of the largest value

typedef struct Tolerance {
    double atol, rtol;  // |error| <= max(atol, rtol * max |expected|) + most
    double mean;  // and its mean <= mean * max |expected| + usual; 0: not looked at
    double most, usual;
} Tolerance;

// Does a linear of the module round activations? (See verify_oracle.)
bool rounds_activations(const Job *job);

// What is not given takes the contract's 2e-5; where activations are rounded, against golden
// files of the model that was not, 0.05 at most and 0.01 in the mean.
Tolerance tolerance_of(const Job *job);

typedef struct Compared {
    double max_abs;  // largest |error|; infinite where only one is NaN
    double mean_abs;
    double max_rel;  // the largest over the largest |expected|
    double max_ulp;  // in units of the last place of the expected float
    double limit;
    int64_t worst;     // index of the largest error in `want`
    double got, want;  // there
    bool ok;
} Compared;

// rows, when given, says which row of `got` each row of `want` is. Integers must be equal.
Compared compare_tensors(const Tensor *got, const Tensor *want, const Tensor *rows,
                         Tolerance t);

// The table of a comparison, and what it adds up to.
typedef struct Tally {
    Text *out;
    int cases, failed;
    bool headed;
    bool located;  // the first difference has been looked into
} Tally;

// One line: what was compared, how it went.
void tally_line(Tally *t, const char *name, const char *entry, const char *result,
                const char *shape, const Compared *c);
void tally_error(Tally *t, const char *name, const char *entry, const char *why);

// False after reporting; differences are in the tally.
bool verify_golden(Job *job, Program *p, const char *path, Tally *t);
// Every entry (or --entry) on random inputs: all dims at their least, at odd values, at the
// bound; with a cursor twice in a row, so that the second call reads what the first left.
//
// Where a format rounds activations, the evaluator does it in double and the program in
// float: a value between two steps may go to the other one, and what follows spreads that.
// How much is no constant, so it is measured: further evaluators run the same calls with
// every such activation moved by NUDGE of its row's largest, about what float differs by,
// up and down in pairs, so that each near tie goes the other way in one of them. What the
// worst of them departs by, FLIPS times, is allowed on top of the contract.
bool verify_oracle(Job *job, Program *p, Checkpoint *ck, Tally *t);

// ---- locate.c --------------------------------------------------------------------------------

// Says which named value of the entry is the first that departs from the evaluator on these
// inputs, after a reset.
void locate(Job *job, Graph *g, const int64_t *dims, const Tensor *in, Text *out);

// ---- inputs.c --------------------------------------------------------------------------------

// Random values for the params of an entry. Integers that index a table (or are added to
// what does) stay inside it; others are 0 or 1.
void random_inputs(Arena *a, const Graph *g, const int64_t *dims, uint64_t seed,
                   Tensor *in);

#endif
