// common.c - what the kernel tests share.

#include "tests/kernels/variant.h"

#include <math.h>
#include <stdlib.h>

const Kernels *const *variants(void)
{
    static const Kernels *list[] = {&kernels_scalar, &kernels_base,   &kernels_nofma,
                                    &kernels_avx2,   &kernels_avx512, &kernels_vnni,
                                    &kernels_amx,    &kernels_amx3,   NULL};
    int n = 3;  // what every machine has; then each needs those before it
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        n = 4;
    if (n == 4 && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq"))
        n = 5;
    if (n == 5 && __builtin_cpu_supports("avx512vnni"))
        n = 6;
    if (n == 6 && __builtin_cpu_supports("amx-bf16") &&
        __builtin_cpu_supports("avx512bf16"))
        n = 8;
#endif
    list[n] = NULL;
    return list;
}

double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-52 - 1.0;
}

float *random_floats(uint64_t seed, ptrdiff_t n, double scale)
{
    float *x = malloc(sizeof(float) * (size_t)(n > 0 ? n : 1));
    uint64_t state = seed * 77 + 1;
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = (float)(uniform(&state) * scale);
    return x;
}

double ulps(float y, double exact)
{
    if (isnan(exact) || isnan(y))
        return isnan(exact) && isnan(y) ? 0.0 : INFINITY;
    float rounded = (float)exact;
    if (isinf(rounded) || isinf(y))
        return rounded == y                                ? 0.0
               : fabs(exact) < 3.4028236e38 && isfinite(y) ? 0.0
                                                           : INFINITY;
    int e = 0;
    frexp(exact, &e);
    return fabs((double)y - exact) / ldexp(1.0, e - 24 > -149 ? e - 24 : -149);
}

void backwards(void *ctx, void (*task)(void *arg, int index, int thread), void *arg,
               int ntasks)
{
    int threads = *(int *)ctx;
    for (int i = ntasks - 1; i >= 0; i--)
        task(arg, i, i % threads);
}
