// int4g32 - w[o][i] = (q[o][i] - 8) scale[o][i / 32], 1 <= q <= 15, activations stay f32.
//
// Every group of 32 columns of a panel:
//     f16  scale[W]      max |w| / 7 of the group, to the nearest half
//     u8   q[4][W][4]    column i: [i / 8][.][i % 4], the low nibble if i % 8 < 4
// Beyond n and k q is 8, which is zero.

#include "passes/format.h"

#include <string.h>

enum { GROUP = 32, ZERO = 0x88 };

static int64_t groups(int64_t k)
{
    return (k + GROUP - 1) / GROUP;
}

int64_t bytes_int4g32(const FormatSize *w)
{
    return format_width(w->n) * groups(w->k) * (GROUP / 2 + 2);
}

static float scale_of(const float *x, int64_t n)
{
    return format_half(format_largest(x, n) / 7);
}

static void put_group(const float *x, int64_t n, int64_t width, int64_t c,
                      unsigned char *to)
{
    signed char q[GROUP];
    float scale = scale_of(x, n);
    format_round(x, n, scale, 7, q);
    format_put_half(scale, to + c * 2);
    for (int64_t i = 0; i < n; i++) {
        unsigned char *byte = to + width * 2 + (i / 8 * width + c) * 4 + i % 4;
        int shift = i % 8 < 4 ? 0 : 4;
        *byte = (unsigned char)((*byte & ~(15 << shift)) | ((q[i] + 8) << shift));
    }
}

static int64_t panel(const FormatSize *p, const float *rows, unsigned char *out)
{
    int64_t width = format_width(p->n), size = width * (GROUP / 2 + 2);
    for (int64_t g = 0; g < groups(p->k); g++) {
        unsigned char *to = out + g * size;
        int64_t n = p->k - g * GROUP < GROUP ? p->k - g * GROUP : GROUP;
        memset(to + width * 2, ZERO, (size_t)(size - width * 2));
        for (int64_t c = 0; c < p->n; c++)
            put_group(rows + c * p->k + g * GROUP, n, width, c, to);
    }
    return groups(p->k) * size;
}

bool pack_int4g32(const FormatSize *w, FormatIo *io)
{
    return format_panels(w, io, panel, FORMAT_PANEL * groups(w->k) * (GROUP / 2 + 2));
}

void mean_int4g32(const FormatSize *w, float *rows)
{
    for (int64_t c = 0; c < w->n; c++)
        for (int64_t at = 0; at < w->k; at += GROUP) {
            float *x = rows + c * w->k + at;
            int64_t n = w->k - at < GROUP ? w->k - at : GROUP;
            signed char q[GROUP];
            float scale = scale_of(x, n);
            format_round(x, n, scale, 7, q);
            for (int64_t i = 0; i < n; i++)
                x[i] = (float)q[i] * scale;
        }
}

double cost_int4g32(const FormatSize *w, int64_t m, const FormatRates *r)
{
    return format_cost(w, m, r, bytes_int4g32(w),
                       format_width(w->n) * groups(w->k) * GROUP);
}
