// bf16 - dense: panel[k][48] of the upper halves of 4-byte floats, rounded to nearest even.

#include "compiler/base.h"
#include "passes/format.h"

int64_t bytes_bf16(const FormatSize *w)
{
    return format_bytes_16(w);
}

static int64_t panel(const FormatSize *p, const float *rows, unsigned char *out)
{
    return format_panel_16(ST_BF16, p, rows, out);
}

bool pack_bf16(const FormatSize *w, FormatIo *io)
{
    return format_panels(w, io, panel, FORMAT_PANEL * w->k * 2);
}

void mean_bf16(const FormatSize *w, float *rows)
{
    format_mean_16(ST_BF16, w, rows);
}

double cost_bf16(const FormatSize *w, int64_t m, const FormatRates *r)
{
    return format_cost(w, m, r, bytes_bf16(w), format_width(w->n) * w->k);
}
