// f32 - dense: panel[k][48] of 4-byte floats.
//
// The last panel is as wide as what is left rounded up to 16, zero padded.

#include "passes/format.h"

#include <string.h>

int64_t bytes_f32(const FormatSize *w)
{
    return format_width(w->n) * w->k * 4;
}

// In blocks of one cache line a row.
static int64_t panel(const FormatSize *p, const float *rows, unsigned char *out)
{
    enum { LINE = 16 };
    int64_t width = format_width(p->n), bytes = width * p->k * 4;
    for (int64_t k0 = 0; k0 < p->k; k0 += LINE)
        for (int64_t c = 0; c < p->n; c++)
            for (int64_t i = k0; i < k0 + LINE && i < p->k; i++)
                memcpy(out + (i * width + c) * 4, &rows[c * p->k + i], 4);
    return bytes;
}

bool pack_f32(const FormatSize *w, FormatIo *io)
{
    return format_panels(w, io, panel, FORMAT_PANEL * w->k * 4);
}

void mean_f32(const FormatSize *w, float *rows)
{
    (void)w;  // every f32 stands for itself
    (void)rows;
}

double cost_f32(const FormatSize *w, int64_t m, const FormatRates *r)
{
    return format_cost(w, m, r, bytes_f32(w), format_width(w->n) * w->k);
}
