// test_convert.c - elements of a checkpoint as floats and doubles, and back.

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "compiler/safetensors.h"

static double half_value(unsigned h)
{
    int e = h >> 10 & 31, m = h & 1023;
    double v = e == 0   ? ldexp(m, -24)
               : e < 31 ? ldexp(1024 + m, e - 25)
               : m      ? NAN
                        : INFINITY;
    return h & 0x8000 ? -v : v;
}

Test(convert, f16_is_converted_exactly)
{
    static uint16_t all[65536], back[65536];
    static float f[65536];
    static double d[65536];
    for (unsigned i = 0; i < 65536; i++)
        all[i] = (uint16_t)i;
    convert_to_f32(ST_F16, all, 65536, f);
    convert_to_f64(ST_F16, all, 65536, d);
    convert_from_f32(ST_F16, f, 65536, back);
    for (unsigned i = 0; i < 65536; i++) {
        double v = half_value(i);
        if (isnan(v)) {
            cr_assert(isnan(f[i]) && isnan(d[i]) && (back[i] & 0x7fff) > 0x7c00);
            continue;
        }
        cr_assert((double)f[i] == v && d[i] == v && back[i] == i, "%04x", i);
    }
    // Half way between neighbours goes to the even one, just beside it to the nearer one.
    for (unsigned i = 0; i < 0x7bff; i++) {
        float mid = (float)((half_value(i) + half_value(i + 1)) / 2);
        float x[3] = {mid, nextafterf(mid, 0), nextafterf(mid, 1e9f)};
        uint16_t h[3];
        convert_from_f32(ST_F16, x, 3, h);
        cr_assert(h[0] == (i & 1 ? i + 1 : i) && h[1] == i && h[2] == i + 1, "%04x", i);
    }
    float big[3] = {65519.996f, 65520.0f, -1e30f};
    uint16_t h[3];
    convert_from_f32(ST_F16, big, 3, h);
    cr_expect(h[0] == 0x7bff && h[1] == 0x7c00 && h[2] == 0xfc00);
}

Test(convert, bf16_rounds_to_even)
{
    float x[] = {1.0f, 1.00390625f, 1.01171875f, -0.0f, INFINITY, NAN, 3.4e38f, 1e-40f};
    uint16_t want[] = {0x3f80, 0x3f80, 0x3f82, 0x8000, 0x7f80, 0, 0x7f80, 1}, h[8];
    convert_from_f32(ST_BF16, x, 8, h);
    for (int i = 0; i < 8; i++)
        cr_expect(i == 5 ? (h[i] & 0x7fff) > 0x7f80 : h[i] == want[i], "%d: %04x", i,
                  h[i]);
    float back[2];
    convert_to_f32(ST_BF16, h, 2, back);
    cr_expect_eq(back[0], 1.0f);
}

Test(convert, integers_are_clamped_and_rounded)
{
    float x[] = {0.5f, 1.5f, -1.5f, 200.0f, -200.0f, NAN, 1e30f, -1e30f};
    int8_t i8[8];
    uint8_t u8[8];
    int32_t i32[8];
    int64_t i64[8];
    convert_from_f32(ST_I8, x, 8, i8);
    convert_from_f32(ST_U8, x, 8, u8);
    convert_from_f32(ST_I32, x, 8, i32);
    convert_from_f32(ST_I64, x, 8, i64);
    int8_t want8[] = {0, 2, -2, 127, -128, 0, 127, -128};
    uint8_t wantu[] = {0, 2, 0, 200, 0, 0, 255, 0};
    for (int i = 0; i < 8; i++)
        cr_expect(i8[i] == want8[i] && u8[i] == wantu[i], "%d: %d %d", i, i8[i], u8[i]);
    cr_expect(i32[6] == INT32_MAX && i32[7] == INT32_MIN && i32[3] == 200);
    cr_expect(i64[6] == INT64_MAX && i64[7] == INT64_MIN && i64[4] == -200);
}

Test(convert, what_is_not_finite_is_found)
{
    static float f[5000];
    static double d[5000];
    cr_expect_eq(first_not_finite(ST_F32, f, 5000), -1);
    f[4999] = INFINITY;
    cr_expect_eq(first_not_finite(ST_F32, f, 5000), 4999);
    f[1024] = NAN;
    cr_expect_eq(first_not_finite(ST_F32, f, 5000), 1024);
    d[3] = -INFINITY;
    cr_expect_eq(first_not_finite(ST_F64, d, 5000), 3);
    uint16_t h[] = {0x7bff, 0xfbff, 0x7c00};
    cr_expect_eq(first_not_finite(ST_F16, h, 3), 2);
    cr_expect_eq(first_not_finite(ST_BF16, h, 3), -1);
    cr_expect_eq(first_not_finite(ST_I8, h, 3), -1);
    int64_t lo, hi, wide[] = {5, -7, INT64_MAX};
    int_range(ST_I64, wide, 3, &lo, &hi);
    cr_expect(lo == -7 && hi == INT64_MAX);
    int_range(ST_U64, wide, 2, &lo, &hi);
    cr_expect(lo == 5 && hi == INT64_MAX);
}
