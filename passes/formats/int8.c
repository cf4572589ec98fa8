// int8 - w[o][i] = q[o][i] scale[o], -127 <= q <= 127; activations are rounded a row as well.
//
// A panel with k4 = k rounded up to 4:
//     i8   q[k4 / 4][W][4]
//     i32  shift[W]   -128 sum q: kernels that need unsigned activations add 128 to them
//     f32  scale[W]   max |w| / 127

#include "passes/format.h"

#include <string.h>

static int64_t padded(int64_t k)
{
    return (k + 3) / 4 * 4;
}

int64_t bytes_int8(const FormatSize *w)
{
    return format_width(w->n) * (padded(w->k) + 8);
}

// In blocks of a few cache lines of the panel.
static void put_row(const signed char *q, const FormatSize *p, int64_t c,
                    unsigned char *out)
{
    int64_t width = format_width(p->n);
    for (int64_t i = 0; i < p->k; i++)
        out[(i / 4 * width + c) * 4 + i % 4] = (unsigned char)q[i];
}

static float scale_of(const float *row, int64_t k)
{
    return format_largest(row, k) / 127;
}

// A row goes piece by piece, so that the stack holds it.
enum { PIECE = 1024 };

static int64_t panel(const FormatSize *p, const float *rows, unsigned char *out)
{
    int64_t width = format_width(p->n), k4 = padded(p->k);
    signed char q[PIECE];
    for (int64_t c = 0; c < p->n; c++) {
        const float *row = rows + c * p->k;
        float scale = scale_of(row, p->k);
        int32_t sum = 0;
        for (int64_t at = 0; at < p->k; at += PIECE) {
            FormatSize part = {p->n, p->k - at < PIECE ? p->k - at : PIECE, 0};
            format_round(row + at, part.k, scale, 127, q);
            for (int64_t i = 0; i < part.k; i++)
                sum += q[i];
            put_row(q, &part, c, out + at * width);
        }
        sum *= -128;
        memcpy(out + width * k4 + c * 4, &sum, 4);
        memcpy(out + width * (k4 + 4) + c * 4, &scale, 4);
    }
    return width * (k4 + 8);
}

bool pack_int8(const FormatSize *w, FormatIo *io)
{
    return format_panels(w, io, panel, FORMAT_PANEL * (padded(w->k) + 8));
}

void mean_int8(const FormatSize *w, float *rows)
{
    signed char q;
    for (int64_t c = 0; c < w->n; c++) {
        float *row = rows + c * w->k, scale = scale_of(row, w->k);
        for (int64_t i = 0; i < w->k; i++) {
            format_round(row + i, 1, scale, 127, &q);
            row[i] = (float)q * scale;
        }
    }
}

double cost_int8(const FormatSize *w, int64_t m, const FormatRates *r)
{
    return format_cost(w, m, r, bytes_int8(w), format_width(w->n) * padded(w->k));
}
