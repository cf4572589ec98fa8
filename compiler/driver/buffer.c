// buffer.c - tensors in double, and the buffers that emitted C takes.

#include "program.h"

#include "compiler/convert.h"

#include <string.h>

enum { FENCE = 64, FENCE_BYTE = 0xa5 };

Tensor tensor_make(Arena *a, DType d, int rank, const int64_t *dim)
{
    Tensor t = {.dtype = d, .rank = rank, .n = 1};
    for (int i = 0; i < rank; i++) {
        t.dim[i] = dim[i];
        t.n *= dim[i];
    }
    t.data = NEWN(a, double, t.n);
    return t;
}

bool tensor_of_type(Arena *a, const Type *type, const int64_t *dims, Tensor *out)
{
    int64_t dim[MAX_RANK], n = 1;
    for (int i = 0; i < type->rank; i++) {
        dim[i] = size_eval(type->dim[i].size, dims);
        if (dim[i] < 0 || (dim[i] > 0 && n > ((int64_t)1 << 40) / dim[i]))
            return false;
        n *= dim[i];
    }
    *out = tensor_make(a, type->dtype, type->rank, dim);
    return true;
}

size_t tensor_bytes(const Tensor *t)
{
    return (size_t)t->n * (size_t)((dtype_info[t->dtype].bits + 7) / 8);
}

static void ints_to_c(const Tensor *t, void *raw)
{
    for (int64_t i = 0; i < t->n; i++) {
        int64_t x = (int64_t)t->data[i];
        switch (dtype_info[t->dtype].bits) {
        case 8:
            ((unsigned char *)raw)[i] = (unsigned char)x;
            break;
        case 32:
            ((int32_t *)raw)[i] = (int32_t)x;
            break;
        default:
            ((int64_t *)raw)[i] = x;
            break;
        }
    }
}

void tensor_to_c(const Tensor *t, void *raw)
{
    float piece[256];
    size_t size = (size_t)dtype_info[t->dtype].bits / 8;
    if (dtype_info[t->dtype].kind != DK_FLOAT) {
        ints_to_c(t, raw);
        return;
    }
    for (int64_t i = 0; i < t->n; i += COUNT(piece)) {
        int64_t n = t->n - i < COUNT(piece) ? t->n - i : COUNT(piece);
        for (int64_t k = 0; k < n; k++)
            piece[k] = (float)t->data[i + k];
        convert_from_f32(st_of(t->dtype), piece, n, (char *)raw + (size_t)i * size);
    }
}

void tensor_from_c(Tensor *t, const void *raw)
{
    convert_to_f64(st_of(t->dtype), raw, t->n, t->data);
}

unsigned char *fenced(Arena *a, size_t bytes)
{
    unsigned char *p = arena_alloc(a, bytes + FENCE + 64);
    p += (64 - (uintptr_t)p % 64) % 64;
    memset(p, 0xff, bytes);
    memset(p + bytes, FENCE_BYTE, FENCE);
    return p;
}

bool fence_is_whole(const unsigned char *p, size_t bytes)
{
    for (size_t i = 0; i < FENCE; i++)
        if (p[bytes + i] != FENCE_BYTE)
            return false;
    return true;
}
