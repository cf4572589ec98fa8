// predict.h - what the linears of a program cost, by the rates of this machine.

#ifndef TFXC_PREDICT_H
#define TFXC_PREDICT_H

#include "compiler/loop.h"
#include "rates.h"

// What the packed file has of a constant, as panels or in any way, perhaps for a value of
// another entry too; NULL: nothing.
const Packed *packed_value(const Prog *p, const Value *v, bool in_panels);
// The packed matrix that a linear multiplies by; NULL for other ops.
const Packed *packed_of(const Prog *p, const Value *linear);
// How often a value is computed in a call of its entry: the turns of the repeats around it.
double calls_of(const Value *v, const int64_t *dims);
// How many weights the linears of an entry read in a call; their formats are added.
int64_t predict_reads(const Prog *p, Graph *g, const int64_t *dims,
                      bool formats[FORMAT_COUNT]);
// Nanoseconds of a call of the linear whose matrix w is, were it of this format. Of its
// epilogue only exp, erf and the like count.
double predict_linear(const Value *linear, const Packed *w, Format f,
                      const int64_t *dims, const Rates *r);

#endif
