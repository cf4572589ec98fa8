// bf16 - dense: panel[k][48] of the upper halves of 4-byte floats, rounded to nearest even.

#include "compiler/base.h"
#include "compiler/convert.h"
#include "passes/format.h"

#include <string.h>

int64_t bytes_bf16(const FormatSize *w)
{
    return format_width(w->n) * w->k * 2;
}

static int64_t panel(const FormatSize *p, const float *rows, unsigned char *out)
{
    int64_t width = format_width(p->n), bytes = width * p->k * 2;
    uint16_t line[64];
    for (int64_t c = 0; c < p->n; c++)
        for (int64_t k0 = 0; k0 < p->k; k0 += COUNT(line)) {
            int64_t n = p->k - k0 < COUNT(line) ? p->k - k0 : COUNT(line);
            convert_from_f32(ST_BF16, rows + c * p->k + k0, n, line);
            for (int64_t i = 0; i < n; i++)
                memcpy(out + ((k0 + i) * width + c) * 2, &line[i], 2);
        }
    return bytes;
}

bool pack_bf16(const FormatSize *w, FormatIo *io)
{
    return format_panels(w, io, panel, FORMAT_PANEL * w->k * 2);
}

void mean_bf16(const FormatSize *w, float *rows)
{
    uint16_t line[64];
    for (int64_t at = 0; at < w->n * w->k; at += COUNT(line)) {
        int64_t left = w->n * w->k - at, n = left < COUNT(line) ? left : COUNT(line);
        convert_from_f32(ST_BF16, rows + at, n, line);
        convert_to_f32(ST_BF16, line, n, rows + at);
    }
}
