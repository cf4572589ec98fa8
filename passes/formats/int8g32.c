// int8g32 - w[o][i] = q[o][i] scale[o][i / 32], -127 <= q <= 127, activations stay f32.
//
// Every group of 32 columns of a panel:
//     f16  scale[W]      max |w| / 127 of the group, to the nearest half
//     i8   q[8][W][4]

#include "passes/format.h"

enum { GROUP = 32 };

static int64_t groups(int64_t k)
{
    return (k + GROUP - 1) / GROUP;
}

int64_t bytes_int8g32(const FormatSize *w)
{
    return format_width(w->n) * groups(w->k) * (GROUP + 2);
}

static float scale_of(const float *x, int64_t n)
{
    return format_half(format_largest(x, n) / 127);
}

static int64_t panel(const FormatSize *p, const float *rows, unsigned char *out)
{
    int64_t width = format_width(p->n), size = width * (GROUP + 2);
    for (int64_t c = 0; c < p->n; c++)
        for (int64_t g = 0; g < groups(p->k); g++) {
            const float *x = rows + c * p->k + g * GROUP;
            int64_t n = p->k - g * GROUP < GROUP ? p->k - g * GROUP : GROUP;
            unsigned char *to = out + g * size;
            signed char q[GROUP];
            float scale = scale_of(x, n);
            format_round(x, n, scale, 127, q);
            format_put_half(scale, to + c * 2);
            for (int64_t i = 0; i < n; i++)
                to[width * 2 + (i / 4 * width + c) * 4 + i % 4] = (unsigned char)q[i];
        }
    return groups(p->k) * size;
}

bool pack_int8g32(const FormatSize *w, FormatIo *io)
{
    return format_panels(w, io, panel, FORMAT_PANEL * groups(w->k) * (GROUP + 2));
}

void mean_int8g32(const FormatSize *w, float *rows)
{
    for (int64_t c = 0; c < w->n; c++)
        for (int64_t at = 0; at < w->k; at += GROUP) {
            float *x = rows + c * w->k + at;
            int64_t n = w->k - at < GROUP ? w->k - at : GROUP;
            signed char q[GROUP];
            float scale = scale_of(x, n);
            format_round(x, n, scale, 127, q);
            for (int64_t i = 0; i < n; i++)
                x[i] = (float)q[i] * scale;
        }
}

double cost_int8g32(const FormatSize *w, int64_t m, const FormatRates *r)
{
    return format_cost(w, m, r, bytes_int8g32(w),
                       format_width(w->n) * groups(w->k) * GROUP);
}
