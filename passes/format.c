// format.c - the table of weight formats.

#include "format.h"

#include <string.h>

const FormatInfo format_info[FORMAT_COUNT] = {
    {.name = "plain", .kernel = "", .storage = DT_f32, .doc = "elements, row by row"},
#define FORMAT(name, kernel, storage, rounds_x, cost, doc)                               \
    {#name, #kernel,      DT_##storage, rounds_x,   cost,                                \
     doc,   bytes_##name, pack_##name,  mean_##name},
#include "formats.def"
#undef FORMAT
};

bool format_find(const char *name, Format *f)
{
    for (int i = FORMAT_plain + 1; i < FORMAT_COUNT; i++)
        if (!strcmp(format_info[i].name, name)) {
            *f = (Format)i;
            return true;
        }
    return false;
}

Format format_dense(DType storage)
{
    return storage == DT_f16 ? FORMAT_f16 : storage == DT_bf16 ? FORMAT_bf16 : FORMAT_f32;
}
