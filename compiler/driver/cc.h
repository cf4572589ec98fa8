// cc.h - building emitted C with the user's compiler.

#ifndef TFXC_CC_H
#define TFXC_CC_H

#include "compiler/settings.h"

// Builds a shared object from C files with $CC (or cc), -O2 (or, to be timed, -O3
// -march=native), the flags of the target, and $CFLAGS. False with what the compiler said
// in *log, the command first.
bool cc_shared(Arena *a, const StrList *sources, const Settings *set,
               const char *folder, const char *output, Text *log);

#endif
