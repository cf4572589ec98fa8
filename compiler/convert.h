// convert.h - element types of safetensors files, and bulk conversion between them.
//
// The rows of a file are little-endian; so is what these functions read and write. They
// work in loops that compilers vectorise: no calls, no branches an element.

#ifndef TFXC_CONVERT_H
#define TFXC_CONVERT_H

#include "dtype.h"

#include <stdint.h>

// name, bits, what it is, our type or DT_COUNT
#define ST_TYPES(T)                                                                    \
    T(BOOL, 8, BOOL, DT_bool)                                                          \
    T(U8, 8, INT, DT_u8)                                                               \
    T(I8, 8, INT, DT_i8)                                                               \
    T(I16, 16, INT, DT_COUNT)                                                          \
    T(U16, 16, INT, DT_COUNT)                                                          \
    T(I32, 32, INT, DT_i32)                                                            \
    T(U32, 32, INT, DT_COUNT)                                                          \
    T(I64, 64, INT, DT_i64)                                                            \
    T(U64, 64, INT, DT_COUNT)                                                          \
    T(F16, 16, FLOAT, DT_f16)                                                          \
    T(BF16, 16, FLOAT, DT_bf16)                                                        \
    T(F32, 32, FLOAT, DT_f32)                                                          \
    T(F64, 64, FLOAT, DT_COUNT)                                                        \
    T(F8_E4M3, 8, OTHER, DT_COUNT)                                                     \
    T(F8_E5M2, 8, OTHER, DT_COUNT)                                                     \
    T(F8_E8M0, 8, OTHER, DT_COUNT)                                                     \
    T(C64, 64, OTHER, DT_COUNT)

typedef enum StType {
#define T(name, bits, kind, dtype) ST_##name,
    ST_TYPES(T)
#undef T
        ST_COUNT
} StType;

typedef enum StKind { SK_BOOL, SK_INT, SK_FLOAT, SK_OTHER } StKind;

typedef struct StInfo {
    const char *name;
    int bytes;    // of one element
    StKind kind;  // SK_OTHER: only its bytes can be read
    DType dtype;  // DT_COUNT: the language has no such type
} StInfo;

extern const StInfo st_info[ST_COUNT];

bool st_find(const char *name, StType *t);  // "F32"
StType st_of(DType d);                      // ST_COUNT: i4, u4

// n elements of a kind other than SK_OTHER. F64, I64 and the like are rounded.
void convert_to_f32(StType from, const void *raw, int64_t n, float *out);
void convert_to_f64(StType from, const void *raw, int64_t n, double *out);
// Elements of F32 as a file has them, to those of this machine, in place.
void convert_in_place_f32(float *x, int64_t n);
// Rounded to nearest even; integers are clamped, NaN gives 0.
void convert_from_f32(StType to, const float *x, int64_t n, void *raw);

// The index of the first NaN or infinity, or -1.
int64_t first_not_finite(StType type, const void *raw, int64_t n);
// The smallest and greatest of n > 0 integers; of U64, what int64 cannot hold is INT64_MAX.
void int_range(StType type, const void *raw, int64_t n, int64_t *lo, int64_t *hi);

#endif
