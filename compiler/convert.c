// convert.c - element types of safetensors files, and bulk conversion between them.

#include "convert.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#    define SWAP16(x) __builtin_bswap16(x)
#    define SWAP32(x) __builtin_bswap32(x)
#    define SWAP64(x) __builtin_bswap64(x)
#else
#    define SWAP16(x) (x)
#    define SWAP32(x) (x)
#    define SWAP64(x) (x)
#endif

const StInfo st_info[ST_COUNT] = {
#define T(name, bits, kind, dtype) {#name, (bits) / 8, SK_##kind, dtype},
    ST_TYPES(T)
#undef T
};

bool st_find(const char *name, StType *t)
{
    for (int i = 0; i < ST_COUNT; i++) {
        if (strcmp(st_info[i].name, name) == 0) {
            *t = (StType)i;
            return true;
        }
    }
    return false;
}

StType st_of(DType d)
{
    int i = 0;
    while (i < ST_COUNT && st_info[i].dtype != d)
        i++;
    return (StType)i;
}

// ---- one element --------------------------------------------------------------------

static inline float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static inline float f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, m = h & 0x7fffu;
    uint32_t normal = (m << 13) + (112u << 23);
    uint32_t special = (m << 13) | 0x7f800000u;  // infinity and NaN
    uint32_t small = bits_of((float)(int32_t)m * 0x1p-24f);
    uint32_t bits = m < 0x400 ? small : m < 0x7c00 ? normal : special;
    return float_of(sign | bits);
}

static inline uint16_t f32_to_f16(float f)
{
    uint32_t x = bits_of(f), sign = x >> 16 & 0x8000u, m = x & 0x7fffffffu;
    // Below the normals, adding 0.5 rounds to the f16 grid in the low bits.
    uint32_t small = bits_of(float_of(m) + 0.5f) - 0x3f000000u;
    uint32_t normal = (m - (112u << 23) + 0xfffu + (m >> 13 & 1)) >> 13;
    uint32_t special = m > 0x7f800000u ? 0x7e00u : 0x7c00u;
    uint32_t h = m < 0x38800000u ? small : m < 0x477ff000u ? normal : special;
    return (uint16_t)(sign | h);
}

static inline float bf16_to_f32(uint16_t h)
{
    return float_of((uint32_t)h << 16);
}

static inline uint16_t f32_to_bf16(float f)
{
    uint32_t x = bits_of(f);
    uint32_t rounded = (x + 0x7fffu + (x >> 16 & 1)) >> 16;
    return (uint16_t)((x & 0x7fffffffu) > 0x7f800000u ? x >> 16 | 0x40u : rounded);
}

// Elements may lie at any address. memcpy of one is a load.
#define LOAD(name, type, uint, swap, value)                                            \
    static inline type load_##name(const unsigned char *p)                             \
    {                                                                                  \
        uint u;                                                                        \
        memcpy(&u, p, sizeof u);                                                       \
        u = swap(u);                                                                   \
        return value;                                                                  \
    }
#define SAME(x) (x)

static inline double double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

LOAD(BOOL, uint8_t, uint8_t, SAME, u != 0)
LOAD(U8, uint8_t, uint8_t, SAME, u)
LOAD(I8, int8_t, uint8_t, SAME, (int8_t)u)
LOAD(I16, int16_t, uint16_t, SWAP16, (int16_t)u)
LOAD(U16, uint16_t, uint16_t, SWAP16, u)
LOAD(I32, int32_t, uint32_t, SWAP32, (int32_t)u)
LOAD(U32, uint32_t, uint32_t, SWAP32, u)
LOAD(I64, int64_t, uint64_t, SWAP64, (int64_t)u)
LOAD(U64, uint64_t, uint64_t, SWAP64, u)
LOAD(F16, float, uint16_t, SWAP16, f16_to_f32(u))
LOAD(BF16, float, uint16_t, SWAP16, bf16_to_f32(u))
LOAD(F32, float, uint32_t, SWAP32, float_of(u))
LOAD(F64, double, uint64_t, SWAP64, double_of(u))

// The types whose elements are numbers, with their bytes.
// clang-format off
#define NUMBERS(N)                                                                     \
    N(BOOL, 1) N(U8, 1) N(I8, 1) N(I16, 2) N(U16, 2) N(I32, 4) N(U32, 4) N(I64, 8)     \
    N(U64, 8) N(F16, 2) N(BF16, 2) N(F32, 4) N(F64, 8)
// clang-format on

// Does something with each i below n; in runs of constant length, which compilers
// vectorise even at -O2.
#define EACH(i, n, something)                                                          \
    do {                                                                               \
        int64_t i = 0;                                                                 \
        for (int64_t full = (n) - (n) % 64; i < full;) {                               \
            for (int64_t end = i + 64; i < end; i++)                                   \
                something;                                                             \
        }                                                                              \
        for (; i < (n); i++)                                                           \
            something;                                                                 \
    } while (0)

// ---- to float and double ------------------------------------------------------------

#define ROW(name, bytes, type)                                                         \
    static void name##_to_##type(const unsigned char *restrict p, int64_t n,           \
                                 type *restrict out)                                   \
    {                                                                                  \
        EACH(i, n, out[i] = (type)load_##name(p + (bytes) * i));                       \
    }
#define ROWS(name, bytes) ROW(name, bytes, float) ROW(name, bytes, double)
NUMBERS(ROWS)

#define CASE_FLOAT(name, bytes)                                                        \
    case ST_##name:                                                                    \
        name##_to_float(raw, n, out);                                                  \
        return;
#define CASE_DOUBLE(name, bytes)                                                       \
    case ST_##name:                                                                    \
        name##_to_double(raw, n, out);                                                 \
        return;

void convert_to_f32(StType from, const void *raw, int64_t n, float *out)
{
    switch (from) {
        NUMBERS(CASE_FLOAT)
    default:
        return;
    }
}

void convert_to_f64(StType from, const void *raw, int64_t n, double *out)
{
    switch (from) {
        NUMBERS(CASE_DOUBLE)
    default:
        return;
    }
}

void convert_in_place_f32(float *x, int64_t n)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int64_t i = 0; i < n; i++)
        x[i] = float_of(SWAP32(bits_of(x[i])));
#else
    (void)x, (void)n;
#endif
}

// ---- from float ---------------------------------------------------------------------

static inline int64_t clamp(float x, double lo, double hi)
{
    double d = (double)x;
    if (!(d > lo))
        return d <= lo ? (int64_t)lo : 0;  // NaN is neither
    if (d >= hi)
        return hi >= 0x1p63 ? INT64_MAX : (int64_t)hi;
    // Adding and taking away 1.5 * 2^52 rounds to nearest even.
    return d > -0x1p51 && d < 0x1p51 ? (int64_t)(d + 0x1.8p52 - 0x1.8p52) : (int64_t)d;
}

#define STORE(uint, swap)                                                              \
    static inline void store_##uint(unsigned char *p, int64_t i, uint u)               \
    {                                                                                  \
        u = swap(u);                                                                   \
        memcpy(p + (int64_t)sizeof u * i, &u, sizeof u);                               \
    }
STORE(uint8_t, SAME)
STORE(uint16_t, SWAP16)
STORE(uint32_t, SWAP32)
STORE(uint64_t, SWAP64)

#define PUT(uint, value)                                                               \
    EACH(i, n, store_##uint(p, i, (uint)(value)));                                     \
    return;

void convert_from_f32(StType to, const float *restrict x, int64_t n, void *restrict raw)
{
    unsigned char *restrict p = raw;
    switch (to) {
    case ST_F32:
        PUT(uint32_t, bits_of(x[i]))
    case ST_F16:
        PUT(uint16_t, f32_to_f16(x[i]))
    case ST_BF16:
        PUT(uint16_t, f32_to_bf16(x[i]))
    case ST_BOOL:
        PUT(uint8_t, x[i] != 0.0f)
    case ST_I8:
        PUT(uint8_t, clamp(x[i], -128, 127))
    case ST_U8:
        PUT(uint8_t, clamp(x[i], 0, 255))
    case ST_I32:
        PUT(uint32_t, clamp(x[i], -0x1p31, 0x1p31 - 1))
    case ST_I64:
        PUT(uint64_t, clamp(x[i], -0x1p63, 0x1p63))
    default:
        memset(raw, 0, (size_t)n * (size_t)st_info[to].bytes);
    }
}

// ---- scans --------------------------------------------------------------------------

enum { BLOCK = 1024 };

// In whole blocks first, without a branch an element, then within the block that has one.
#define SCAN(name, uint, swap, exponent)                                               \
    static int64_t scan_##name(const unsigned char *p, int64_t n)                      \
    {                                                                                  \
        for (int64_t from = 0; from < n; from += BLOCK) {                              \
            int64_t to = from + BLOCK < n ? from + BLOCK : n;                          \
            uint bad = 0;                                                              \
            for (int64_t i = from; i < to; i++) {                                      \
                uint u;                                                                \
                memcpy(&u, p + (int64_t)sizeof u * i, sizeof u);                       \
                bad = (uint)(bad | ((swap(u) & (exponent)) == (exponent)));            \
            }                                                                          \
            for (int64_t i = from; bad && i < to; i++) {                               \
                uint u;                                                                \
                memcpy(&u, p + (int64_t)sizeof u * i, sizeof u);                       \
                if ((swap(u) & (exponent)) == (exponent))                              \
                    return i;                                                          \
            }                                                                          \
        }                                                                              \
        return -1;                                                                     \
    }

SCAN(F16, uint16_t, SWAP16, 0x7c00u)
SCAN(BF16, uint16_t, SWAP16, 0x7f80u)
SCAN(F32, uint32_t, SWAP32, 0x7f800000u)
SCAN(F64, uint64_t, SWAP64, 0x7ff0000000000000u)

int64_t first_not_finite(StType type, const void *raw, int64_t n)
{
    switch (type) {
    case ST_F16:
        return scan_F16(raw, n);
    case ST_BF16:
        return scan_BF16(raw, n);
    case ST_F32:
        return scan_F32(raw, n);
    case ST_F64:
        return scan_F64(raw, n);
    default:
        return -1;
    }
}

static int64_t int_at(StType type, const unsigned char *p, int64_t i)
{
    switch (type) {
    case ST_BOOL:
        return load_BOOL(p + i);
    case ST_U8:
        return load_U8(p + i);
    case ST_I8:
        return load_I8(p + i);
    case ST_I16:
        return load_I16(p + 2 * i);
    case ST_U16:
        return load_U16(p + 2 * i);
    case ST_I32:
        return load_I32(p + 4 * i);
    case ST_U32:
        return load_U32(p + 4 * i);
    case ST_I64:
        return load_I64(p + 8 * i);
    case ST_U64: {
        uint64_t u = load_U64(p + 8 * i);
        return u > INT64_MAX ? INT64_MAX : (int64_t)u;
    }
    default:
        return 0;
    }
}

void int_range(StType type, const void *raw, int64_t n, int64_t *lo, int64_t *hi)
{
    *lo = *hi = int_at(type, raw, 0);
    for (int64_t i = 1; i < n; i++) {
        int64_t v = int_at(type, raw, i);
        *lo = v < *lo ? v : *lo;
        *hi = v > *hi ? v : *hi;
    }
}
