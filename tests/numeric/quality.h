// quality.h - emitted programs as text, as C and when they are used wrongly.

#ifndef TFXC_QUALITY_H
#define TFXC_QUALITY_H

#include "compiler/base.h"

// Each prints a line for what it tested and returns how many tests failed. Everything goes
// into the folder `root`; programs are made by $TFXC.
int run_misuse(Arena *a, const char *root);
int run_quality(Arena *a, const char *root);

#endif
