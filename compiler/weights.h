// weights.h - the weights a module asks for: their names, a checkpoint held against them,
// values for the oracle, and random ones.

#ifndef TFXC_WEIGHTS_H
#define TFXC_WEIGHTS_H

#include "ir.h"
#include "oracle.h"
#include "safetensors.h"

// One tensor that the graphs of a module use: "layers.{i}.w" inside a repeat over 0..2 is
// "layers.0.w" and "layers.1.w". In the order of module.weights_list, turns ascending; a
// tensor that two weights name comes twice.
typedef struct WeightName {
    const Weight *weight;
    const char *name;
} WeightName;

typedef struct WeightNames {
    VEC(WeightName) list;
} WeightNames;

// False after reporting that there are too many.
bool weights_names(Module *m, Arena *a, Diag *d, WeightNames *names);

// Reports, for every weight the module uses, what of the checkpoint does not fit: tensors
// not there, of another shape or element type, or with values that are not finite.
void weights_check(Module *m, Checkpoint *ck, Diag *d);
// One warning that names the tensors that no weight uses, if there are any.
void weights_unused(Module *m, Checkpoint *ck, Diag *d);

// The element type of the tensors that a path names, at all turns of repeats around it.
// DT_COUNT: not there, of several types, or of one that the language has not.
DType weights_storage(const Checkpoint *ck, const char *path);

// The checkpoint as the oracle wants it.
WeightSource weights_source(Checkpoint *ck);

// Writes random values for all weights: the same for the same seed, whatever else the
// module has. Matrices keep the variance of what they are applied to, rank-1 weights are
// near 1, biases near 0, integers 0. Floats are stored as `floats`, or with DT_COUNT as each
// weight is declared. False after reporting.
bool weights_init(Module *m, const char *path, uint64_t seed, DType floats, Diag *d);

#endif
