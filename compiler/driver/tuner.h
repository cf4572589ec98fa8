// tuner.h - choices of a tune file, found by measuring.
//
// Coordinate descent: one choice after the other is changed in the best program so far; the
// two programs are called in turns, and the change stays when it is faster by more than the
// noise and the outputs agree with those of the untuned program. Formats of weights are tried
// in the order of what they are predicted to gain.

#ifndef TFXC_TUNER_H
#define TFXC_TUNER_H

#include "compiler/job.h"
#include "compiler/tune.h"

typedef struct TuneTry {
    const char *what;     // "linear_rows 256"
    const char *refused;  // why it was not measured, or NULL
    double ratio;         // of its time to that of the best before it
    bool kept;
} TuneTry;

typedef struct TuneTime {
    const char *entry, *dims;     // "T=128", or ""
    double untuned_ns, tuned_ns;  // medians, in turns
} TuneTime;

typedef struct Tuner {
    Job *job;  // parsed and built; never lowered
    const char *path;
    const char *only;  // the entry to measure, or NULL: all
    int threads;
    double seconds;
    void (*progress)(void *ctx, const char *text);
    void *ctx;
    // What came out:
    Tune best;
    VEC(TuneTry) tries;
    VEC(TuneTry) left_out;  // formats, by their predicted ratio
    VEC(TuneTime) times;
    double error;  // the largest of an output, relative to its largest value
    int kept;      // of the tries
    int left;      // choices that the time did not suffice for
} Tuner;

// False after reporting.
bool tuner_run(Tuner *t);
// With what was measured as comments.
void tuner_write(const Tuner *t, Text *out);

#endif
