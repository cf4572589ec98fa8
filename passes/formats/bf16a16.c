// bf16a16 - bf16 in pairs along k, and activations rounded to bf16 as the program runs.
//
// A panel with k32 = k rounded up to 32, beyond k zeros:
//     bf16 w[k32 / 2][W][2]
// A word of it is what dot products of bf16 take; 32 of k are a tile of AMX as it lies.

#include "compiler/base.h"
#include "compiler/convert.h"
#include "passes/format.h"

#include <string.h>

static int64_t padded(int64_t k)
{
    return (k + 31) / 32 * 32;
}

int64_t bytes_bf16a16(const FormatSize *w)
{
    return format_width(w->n) * padded(w->k) * 2;
}

static int64_t panel(const FormatSize *p, const float *rows, unsigned char *out)
{
    int64_t width = format_width(p->n);
    uint16_t line[64];
    for (int64_t c = 0; c < p->n; c++)
        for (int64_t k0 = 0; k0 < p->k; k0 += COUNT(line)) {
            int64_t n = p->k - k0 < COUNT(line) ? p->k - k0 : COUNT(line);
            convert_from_f32(ST_BF16, rows + c * p->k + k0, n, line);
            for (int64_t i = 0; i < n; i++) {
                int64_t k = k0 + i;
                memcpy(out + ((k / 2 * width + c) * 2 + k % 2) * 2, &line[i], 2);
            }
        }
    return width * padded(p->k) * 2;
}

bool pack_bf16a16(const FormatSize *w, FormatIo *io)
{
    return format_panels(w, io, panel, FORMAT_PANEL * padded(w->k) * 2);
}

void mean_bf16a16(const FormatSize *w, float *rows)
{
    mean_bf16(w, rows);
}

double cost_bf16a16(const FormatSize *w, int64_t m, const FormatRates *r)
{
    return format_cost(w, m, r, bytes_bf16a16(w), format_width(w->n) * padded(w->k));
}
