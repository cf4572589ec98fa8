// fuzz.h - what every fuzzer has: one input, behind a guard, and nothing left behind.
//
// A fuzzer is a file with fuzz_one. With libFuzzer (-Dfuzz=true) it is linked with fuzz.c
// alone; as an ordinary test with replay.c too, which plays a corpus and changes of it.

#ifndef TFXC_FUZZ_H
#define TFXC_FUZZ_H

#include "compiler/diag.h"

// Text of n bytes with a NUL behind it. What goes wrong shows as a bug(), a failed
// fuzz_expect, or in a sanitizer.
void fuzz_one(Arena *a, const char *text, size_t n);

// Aborts after saying what was expected.
void fuzz_expect(bool holds, const char *what, const char *more);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
