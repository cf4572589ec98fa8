// random.h - the same numbers for the same seed, on every machine.

#ifndef TFXC_RANDOM_H
#define TFXC_RANDOM_H

#include <stdint.h>

typedef struct Random {
    uint64_t state;
} Random;

// splitmix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
static inline uint64_t random_bits(Random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline double random_unit(Random *r)  // [0, 1)
{
    return (double)(random_bits(r) >> 11) * 0x1p-53;
}

static inline int64_t random_below(Random *r, int64_t n)  // [0, n), n >= 1
{
    return (int64_t)(random_bits(r) % (uint64_t)n);
}

// Mean 0, variance 1, within 6: a sum of twelve uniform numbers needs no libm, which
// would make the bits depend on the machine.
static inline double random_normal(Random *r)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_unit(r);
    return sum;
}

#endif
