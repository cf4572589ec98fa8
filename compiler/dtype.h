// dtype.h - element types: one row each in dtypes.def.

#ifndef TFXC_DTYPE_H
#define TFXC_DTYPE_H

#include <stdbool.h>

typedef enum DType {
#define DTYPE(name, bits, kind, c_name, st_name) DT_##name,
#include "dtypes.def"
#undef DTYPE
    DT_COUNT
} DType;

typedef enum DTypeKind { DK_FLOAT, DK_INT, DK_BOOL } DTypeKind;

typedef struct DTypeInfo {
    const char *name;  // "f32"
    int bits;
    DTypeKind kind;
    const char *c_name;   // "float"; NULL: not yet in emitted C
    const char *st_name;  // "F32", as safetensors says it
} DTypeInfo;

extern const DTypeInfo dtype_info[DT_COUNT];

bool dtype_find(const char *name, DType *d);        // "f32"
bool dtype_find_st(const char *st_name, DType *d);  // "F32"

#endif
