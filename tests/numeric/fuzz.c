// fuzz.c - random models.
#include "fuzz.h"
void fuzz_model(Arena *a, uint64_t seed, Text *out)
{
    (void)a;
    (void)seed;
    text_puts(out, "tfx 1;\n");
}
