// block48 - f32, of which blocks of 48 rows x 1 column are left out where they are zero.
//
// With p = ceil(n / 48) panels:
//     i32  first[p + 1]        blocks kept before panel i; the last: all
//     i32  kept[first[p]]      their columns of w, rising inside a panel
//     from a multiple of 64 bytes on
//     f32  w[first[p]][48]     the last panel's are [W]
//
// Where fewer blocks are not zero than w->kept says, zeros follow.

#include "passes/format.h"

#include <string.h>

static int64_t panels_of(int64_t n)
{
    return (n + FORMAT_PANEL - 1) / FORMAT_PANEL;
}

static int64_t values_at(int64_t panels, int64_t kept)
{
    return ((panels + 1 + kept) * 4 + 63) / 64 * 64;
}

int64_t bytes_block48(const FormatSize *w)
{
    return values_at(panels_of(w->n), w->kept) + w->kept * FORMAT_PANEL * 4;
}

static bool is_kept(const float *rows, int64_t n, int64_t k, int64_t i)
{
    for (int64_t c = 0; c < n; c++)
        if (rows[c * k + i] != 0)
            return true;
    return false;
}

// Of the first `most` blocks that are not zero: which, and how many before each panel.
static bool find_kept(const FormatSize *w, FormatIo *io, int32_t *first, int32_t *kept)
{
    int64_t all = 0, panels = panels_of(w->n);
    for (int64_t p = 0; p < panels; p++) {
        int64_t c = p * FORMAT_PANEL;
        int64_t n = w->n - c < FORMAT_PANEL ? w->n - c : FORMAT_PANEL;
        const float *rows = io->rows(io->ctx, c, n);
        if (!rows)
            return false;
        first[p] = (int32_t)all;
        for (int64_t i = 0; i < w->k; i++) {
            if (!is_kept(rows, n, w->k, i))
                continue;
            if (all == w->kept)
                bug("more than %lld blocks are not zero", (long long)w->kept);
            kept[all++] = (int32_t)i;
        }
    }
    first[panels] = (int32_t)all;
    return true;
}

static bool put_values(const FormatSize *w, FormatIo *io, const int32_t *first,
                       const int32_t *kept)
{
    for (int64_t p = 0; p < panels_of(w->n); p++) {
        int64_t c = p * FORMAT_PANEL;
        int64_t n = w->n - c < FORMAT_PANEL ? w->n - c : FORMAT_PANEL;
        const float *rows = io->rows(io->ctx, c, n);
        float block[FORMAT_PANEL] = {0};
        for (int32_t b = first[p]; b < first[p + 1]; b++) {
            for (int64_t i = 0; rows && i < n; i++)
                block[i] = rows[i * w->k + kept[b]];
            if (!rows || !io->put(io->ctx, block, format_width(n) * 4))
                return false;
        }
    }
    return true;
}

bool pack_block48(const FormatSize *w, FormatIo *io)
{
    int64_t panels = panels_of(w->n);
    int32_t *head = NEWN(io->arena, int32_t, values_at(panels, w->kept) / 4);
    int32_t *kept = head + panels + 1;
    if (!find_kept(w, io, head, kept))
        return false;
    int64_t bytes = values_at(panels, head[panels]);
    return io->put(io->ctx, head, bytes) && put_values(w, io, head, kept);
}

void mean_block48(const FormatSize *w, float *rows)
{
    (void)w;  // what is left out is zero
    (void)rows;
}

double cost_block48(const FormatSize *w, int64_t m, const FormatRates *r)
{
    return format_cost(w, m, r, bytes_block48(w), w->kept * FORMAT_PANEL);
}
