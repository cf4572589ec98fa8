// st.h - a tiny safetensors reader for the metric programs.
//
// A file is 8 bytes of little-endian header length, a JSON header {name: {dtype, shape,
// data_offsets}}, then the data. The reader expects a little-endian host.

#ifndef ST_H
#define ST_H

#include "metric.h"

#include <jansson.h>

typedef struct st_file {
    const char *path;
    const unsigned char *data;  // the first byte after the header
    uint64_t bytes;             // from there on
    json_t *header;
} st_file;

static inline st_file st_open(const char *path)
{
    size_t bytes;
    const unsigned char *file = read_whole(path, &bytes);
    uint64_t length = 0;
    if (bytes >= 8)
        memcpy(&length, file, 8);
    if (bytes < 8 || length > bytes - 8)
        fail(path, "no safetensors file");
    st_file st = {path, file + 8 + length, bytes - 8 - length, NULL};
    st.header = json_loadb((const char *)file + 8, (size_t)length, 0, NULL);
    if (!st.header)
        fail(path, "the header is no JSON");
    return st;
}

// An aligned copy of a tensor of 4-byte elements, their number in *count.
static inline const void *st_get(const st_file *st, const char *name, const char *dtype,
                                 int *count)
{
    json_t *entry = json_object_get(st->header, name);
    const char *kind = json_string_value(json_object_get(entry, "dtype"));
    if (!kind || strcmp(kind, dtype) != 0)
        fail(name, "no such tensor, or of another dtype");
    json_t *offsets = json_object_get(entry, "data_offsets");
    json_int_t from = json_integer_value(json_array_get(offsets, 0));
    json_int_t to = json_integer_value(json_array_get(offsets, 1));
    if (from < 0 || to < from || (uint64_t)to > st->bytes ||
        (to - from) / 4 > INT32_MAX)
        fail(name, "lies outside the file");
    *count = (int)((to - from) / 4);
    return memcpy(region((size_t)(to - from)), st->data + from, (size_t)(to - from));
}

static inline const float *st_f32(const st_file *st, const char *name, int *count)
{
    return st_get(st, name, "F32", count);
}

static inline const int32_t *st_i32(const st_file *st, const char *name, int *count)
{
    return st_get(st, name, "I32", count);
}

#endif
