// fuzz.h - random models that are right: any difference they show is a bug of ours.

#ifndef TFXC_FUZZ_H
#define TFXC_FUZZ_H

#include "compiler/base.h"

// The text of a model; the same for the same seed.
void fuzz_model(Arena *a, uint64_t seed, Text *out);

#endif
