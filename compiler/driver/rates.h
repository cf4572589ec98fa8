// rates.h - how fast this machine runs the kernels of the weight formats.

#ifndef TFXC_RATES_H
#define TFXC_RATES_H

#include "passes/format.h"

struct Job;
struct tfx_par;

typedef struct Rates {
    FormatRates of[FORMAT_COUNT];  // all zero: not measured
    double function;               // an exp, erf or the like of an epilogue, an element
} Rates;

// Builds the kernels of these formats as job's programs are built, and times each alone, with
// the threads of par; from cache, and with as many weights in turns as a call of the program
// reads. False after reporting.
bool rates_measure(Rates *r, struct Job *job, const bool wanted[FORMAT_COUNT],
                   int64_t weights, const struct tfx_par *par);

#endif
