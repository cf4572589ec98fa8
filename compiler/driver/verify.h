// verify.h - an emitted program against golden cases, or against the evaluator in double.

#ifndef TFXC_VERIFY_H
#define TFXC_VERIFY_H

#include "golden.h"
#include "program.h"

typedef struct Tolerance {
    double atol, rtol;  // |error| <= max(atol, rtol * max |expected|)
    double mean;        // and its mean <= mean * max |expected|; 0: not looked at
} Tolerance;

// What is not given takes the contract's 2e-5. Where a linear rounds activations to int8 as
// well, the evaluator's are rounded in double and the program's in float: a value that lies
// between two steps may go to the other one, and attention spreads that. Such programs are
// held to 0.05 at most and 0.01 in the mean, which is what flips alone have been seen to
// do in 6 to 12 layers (most 0.05, mean 0.005 to 0.009); without a flip they agree to 1e-6.
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
