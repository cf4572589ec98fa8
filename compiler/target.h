// target.h - machines and instruction sets: the rows of targets.def.

#ifndef TFXC_TARGET_H
#define TFXC_TARGET_H

#include "base.h"

typedef struct Target {
    const char *name, *machine, *over, *adds, *flags, *doc;
    bool for_bytes;  // no better than what it is over, but for products of bytes
} Target;

const Target *target_row(int i);  // in the order of targets.def; NULL behind the last
const Target *target_find(const char *name);
bool target_is_level(const Target *t);  // of --dispatch
// Whether its flags may give the C compiler tiles of AMX, for which programs then have
// kernels and scratch.
bool target_has_tiles(const Target *t);

// "avx2,fma,avx512f": all words of a level, as target("...") takes them.
const char *target_words(Arena *a, const Target *level);
// The macro that a compiler defines for word i of a level; NULL behind the last.
const char *target_macro(Arena *a, const Target *level, int i);

#endif
