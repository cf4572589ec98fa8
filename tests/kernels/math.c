// math.c - the elementary functions against double, over all floats at a stride.

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/variant.h"

enum { CHUNK = 4096, STRIDE = 1543 };  // odd: every low bit pattern comes by

static float of_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static double floor_of(double x)
{
    return floor(x);
}

static double ndtr(double x)
{
    return erfc(-x * sqrt(0.5)) / 2;
}

static double ulps_of(float y, double exact)
{
    return ulps(y, exact);
}

static double distance(float y, double exact)
{
    return isnan(y) && isnan(exact) ? 0.0 : fabs((double)y - exact);
}

typedef struct Function {
    const char *name;
    double (*exact)(double x);
    double (*error)(float y, double exact);
    double bound;  // of the error
    double range;  // of |x|
} Function;

// Rows as in enum EXP..SQRT.
static const Function functions[MAP1S] = {
    {"exp", exp, ulps_of, 1.1, INFINITY},
    {"log", log, ulps_of, 1.1, INFINITY},
    {"tanh", tanh, ulps_of, 2.0, INFINITY},
    {"erf", erf, ulps_of, 1.5, INFINITY},
    {"ndtr", ndtr, distance, 1e-7, INFINITY},
    {"sin", sin, ulps_of, 1.6, 1048576.0},
    {"cos", cos, ulps_of, 1.6, 1048576.0},
    {"floor", floor_of, ulps_of, 0.0, INFINITY},
    {"sqrt", sqrt, ulps_of, 0.5, INFINITY},
};

// The worst error of one function; *differ counts where the vector form has other bits.
static double worst_of(const Kernels *k, int f, float *at, int *differ)
{
    float x[CHUNK], y[CHUNK], v[CHUNK];
    double worst = 0.0;
    uint64_t u = 0;
    while (u < 0x100000000u) {
        int n = 0;
        for (; n < CHUNK && u < 0x100000000u; u += STRIDE) {
            float a = of_bits((uint32_t)u);
            if (!(fabsf(a) > functions[f].range))
                x[n++] = a;
        }
        k->map[f](y, x, n, 0);
        k->map[f](v, x, n, 1);
        for (int i = 0; i < n; i++) {
            *differ += memcmp(y + i, v + i, 4) != 0 && !(isnan(y[i]) && isnan(v[i]));
            double e = functions[f].error(y[i], functions[f].exact((double)x[i]));
            if (e > worst) {
                worst = e;
                *at = x[i];
            }
        }
    }
    return worst;
}

Test(math, functions_are_within_their_stated_error, .timeout = 300)
{
    for (const Kernels *const *k = variants(); *k; k++)
        for (int f = 0; f < MAP1S; f++) {
            float at = 0.0f;
            int differ = 0;
            double worst = worst_of(*k, f, &at, &differ);
            fprintf(stderr, "%s %s: %.3g at %a\n", (*k)->name, functions[f].name, worst,
                    (double)at);
            cr_expect(worst <= functions[f].bound, "%s %s: %.3g at %a", (*k)->name,
                      functions[f].name, worst, (double)at);
            cr_expect(differ == 0, "%s %s: %d vector results differ", (*k)->name,
                      functions[f].name, differ);
        }
}

Test(math, special_values_are_those_of_libm)
{
    const float x[] = {0.0f,          -0.0f,          INFINITY,  -INFINITY,  NAN,
                       1.0f,          -1.0f,          0x1p-149f, -0x1p-149f, 0x1p-126f,
                       3.4028235e38f, -3.4028235e38f, 88.72283f, 88.72284f,  -103.97f,
                       -104.0f,       0.5f,           -0.5f,     2.5f,       8388607.5f,
                       -8388607.5f};
    enum { N = sizeof x / sizeof *x };
    float y[N];
    for (const Kernels *const *k = variants(); *k; k++)
        for (int f = 0; f < MAP1S; f++)
            for (int by_vectors = 0; by_vectors < 2; by_vectors++) {
                (*k)->map[f](y, x, N, by_vectors);
                for (int i = 0; i < N; i++) {
                    if (fabsf(x[i]) > functions[f].range && !isinf(x[i]))
                        continue;
                    float e = (float)functions[f].exact((double)x[i]);
                    double error =
                        functions[f].error(y[i], functions[f].exact((double)x[i]));
                    cr_expect(error <= fmin(2.0, 2 * functions[f].bound) &&
                                  (isnan(e) || !signbit(e) == !signbit(y[i])),
                              "%s %s(%a) = %a, libm %a", (*k)->name, functions[f].name,
                              (double)x[i], (double)y[i], (double)e);
                }
            }
}

Test(math, pow_is_within_its_stated_error_and_follows_annex_f)
{
    const float s[] = {0.0f,   -0.0f,  INFINITY,  -INFINITY,   NAN,        1.0f,  -1.0f,
                       2.0f,   -2.0f,  3.0f,      -3.0f,       0.5f,       -0.5f, 1e30f,
                       -1e30f, 1e-30f, 0x1p-149f, 16777215.0f, 16777217.0f};
    enum { N = sizeof s / sizeof *s };
    for (const Kernels *const *k = variants(); *k; k++) {
        double worst = 0.0;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double e = pow((double)s[i], (double)s[j]);
                float y = (*k)->pow(s[i], s[j]);
                cr_expect(ulps(y, e) <= 0.6 && (isnan(e) || !signbit(e) == !signbit(y)),
                          "%s pow(%a, %a) = %a, libm %a", (*k)->name, (double)s[i],
                          (double)s[j], (double)y, e);
            }
        uint64_t state = 5;
        for (int i = 0; i < 300000; i++) {
            float x = (float)exp(uniform(&state) * 80.0);
            float y = (float)(uniform(&state) * (i % 2 ? 2.0 : 40.0));
            double e = ulps((*k)->pow(x, y), pow((double)x, (double)y));
            worst = e > worst ? e : worst;
        }
        fprintf(stderr, "%s pow: %.3f ulp\n", (*k)->name, worst);
        cr_expect(worst <= 0.6);
    }
}

// The exact value of a half, straight from the definition.
static double half_value(uint16_t h)
{
    int e = (h >> 10) & 31, f = h & 1023;
    double a = e == 31 ? (f ? (double)NAN : (double)INFINITY)
               : e     ? ldexp(1024 + f, e - 25)
                       : ldexp(f, -24);
    return h & 0x8000 ? -a : a;
}

Test(math, halves_are_read_exactly_and_survive_the_way_back)
{
    for (const Kernels *const *k = variants(); *k; k++)
        for (uint32_t u = 0; u < 65536; u += 16) {
            uint16_t h[16];
            float v[16], b[16];
            for (uint32_t i = 0; i < 16; i++)
                h[i] = (uint16_t)(u + i);
            (*k)->load[F16](v, h, 16);
            (*k)->load[BF16](b, h, 16);
            for (int i = 0; i < 16; i++) {
                float a = (*k)->from_f16(h[i]), c = (*k)->from_bf16(h[i]);
                double e = half_value(h[i]);
                cr_expect(isnan(e) ? isnan(a) && isnan(v[i])
                                   : (double)a == e && (double)v[i] == e,
                          "%s f16 %04x: %a %a", (*k)->name, h[i], (double)a,
                          (double)v[i]);
                cr_expect(isnan(c) ? isnan(b[i]) : memcmp(&c, b + i, 4) == 0);
                cr_expect(isnan(e) ? isnan((*k)->from_f16((*k)->to_f16(a)))
                                   : (*k)->to_f16(a) == h[i]);
                cr_expect(isnan(c) ? isnan((*k)->from_bf16((*k)->to_bf16(c)))
                                   : (*k)->to_bf16(c) == h[i]);
            }
        }
}

Test(math, halves_round_to_nearest_even)
{
    for (const Kernels *const *k = variants(); *k; k++)
        for (uint32_t u = 0; u < 0x7c00; u++) {
            double a = half_value((uint16_t)u), b = half_value((uint16_t)(u + 1));
            b = u == 0x7bff ? 65536.0 : b;
            float mid = (float)((a + b) / 2);
            cr_expect((*k)->to_f16(mid) == u + (u & 1), "%04x", u);
            cr_expect((*k)->to_f16(nextafterf(mid, 0.0f)) == u);
            cr_expect((*k)->to_f16(nextafterf(mid, INFINITY)) == u + 1);
        }
}
