// fuzz.c - runs one input of a fuzzer: an arena and a guard around it.

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_expect(bool holds, const char *what, const char *more)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz: %s\n%s\n", what, more);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Guard g;
    Arena *a = arena_new();
    char *text = arena_strndup(a, (const char *)data, n);
    if (GUARD_SET(&g)) {
        fuzz_expect(g.out_of_memory, "a bug of the compiler", g.message);
        arena_free(a);
        return 0;
    }
    fuzz_one(a, text, n);
    guard_drop(&g);
    arena_free(a);
    return 0;
}
