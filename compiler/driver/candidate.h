// candidate.h - programs with choices of a tune file, side by side.

#ifndef TFXC_CANDIDATE_H
#define TFXC_CANDIDATE_H

#include "timed.h"

#include "compiler/tune.h"

// What the untuned program says, by entry: at the bounds and at the least sizes.
typedef struct Reference {
    Tensor *bound, *least;
} Reference;

// What all candidates of one search share.
typedef struct Bed {
    Arena *arena;
    Job *job;  // built from the model; never lowered
    const char *path, *only;
    Source source;
    Reference *want;
    const struct tfx_par *par;  // the pool that every call uses; NULL: none yet
} Bed;

// Everything of it is in an arena of its own: weights are large.
typedef struct Candidate {
    Arena *arena;
    Settings set;
    Job job;
    Tune tune;
    Timed timed;
    bool loaded;
    Caller *call;    // by entry, at the bounds
    int64_t **dims;  // by entry
} Candidate;

bool is_measured(const Bed *b, const Graph *g);

// A program with these choices, the same way a user would build it; with a pool of so many
// threads where the bed has none. NULL with a sentence when there is none; messages are the
// candidate's own and go with it.
Candidate *candidate_open(const Bed *b, const Tune *tune, int threads,
                          const char **why);
void candidate_close(Candidate *c);  // NULL: nothing

// Of the untuned program, into b->want.
bool note_outputs(Bed *b, Candidate *c);
// Do its outputs agree with those? The largest error in *error.
bool outputs_agree(const Bed *b, Candidate *c, double *error);

typedef struct Duel {
    double ratio;       // median of the second one's time to the first's, call by call
    double a_ns, b_ns;  // medians
    double won;         // part of the pairs in which the second was faster
} Duel;

// Calls both in turns; over all entries the geometric mean of the ratios and the least part
// won, and in each[] (or NULL) what every entry gave.
bool duel_all(const Bed *b, Candidate *first, Candidate *second, Duel *all, Duel *each);

#endif
