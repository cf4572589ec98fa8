// dtype.c - the table of element types, and finding a row by name.

#include "dtype.h"

#include <stddef.h>
#include <string.h>

const DTypeInfo dtype_info[DT_COUNT] = {
#define DTYPE(name, bits, kind, c_name, st_name)                                       \
    {#name, bits, DK_##kind, c_name, st_name},
#include "dtypes.def"
#undef DTYPE
};

bool dtype_find(const char *name, DType *d)
{
    for (int i = 0; i < DT_COUNT; i++) {
        if (strcmp(dtype_info[i].name, name) == 0) {
            *d = (DType)i;
            return true;
        }
    }
    return false;
}

bool dtype_find_st(const char *st_name, DType *d)
{
    for (int i = 0; i < DT_COUNT; i++) {
        const char *s = dtype_info[i].st_name;
        if (s != NULL && strcmp(s, st_name) == 0) {
            *d = (DType)i;
            return true;
        }
    }
    return false;
}
