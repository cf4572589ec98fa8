// format.c - the table of weight formats.

#include "format.h"

#include <math.h>
#include <string.h>

const FormatInfo format_info[FORMAT_COUNT] = {
    {.name = "plain", .kernel = "", .storage = DT_f32, .doc = "elements, row by row"},
#define FORMAT(name, kernel, storage, rounds_x, work, doc)                             \
    {#name, #kernel,      DT_##storage, ROUNDS_##rounds_x, WORK_##work,                \
     doc,   bytes_##name, pack_##name,  mean_##name,       cost_##name},
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
    return storage == DT_f16    ? FORMAT_f16
           : storage == DT_bf16 ? FORMAT_bf16
                                : FORMAT_f32;
}

// ---- shared by the rows ----------------------------------------------------------------

bool format_panels(const FormatSize *w, FormatIo *io, FormatPanel *panel, int64_t bytes)
{
    unsigned char *out = arena_alloc(io->arena, (size_t)bytes);
    for (int64_t c = 0; c < w->n; c += FORMAT_PANEL) {
        FormatSize p = {w->n - c < FORMAT_PANEL ? w->n - c : FORMAT_PANEL, w->k, w->k};
        const float *rows = io->rows(io->ctx, c, p.n);
        if (!rows)
            return false;
        memset(out, 0, (size_t)bytes);
        if (!io->put(io->ctx, out, panel(&p, rows, out)))
            return false;
    }
    return true;
}

int64_t format_bytes_16(const FormatSize *w)
{
    return format_width(w->n) * w->k * 2;
}

int64_t format_panel_16(StType to, const FormatSize *p, const float *rows,
                        unsigned char *out)
{
    const int64_t width = format_width(p->n);
    uint16_t line[64];
    for (int64_t c = 0; c < p->n; c++)
        for (int64_t k0 = 0; k0 < p->k; k0 += COUNT(line)) {
            int64_t n = p->k - k0 < COUNT(line) ? p->k - k0 : COUNT(line);
            convert_from_f32(to, rows + c * p->k + k0, n, line);
            for (int64_t i = 0; i < n; i++)
                memcpy(out + ((k0 + i) * width + c) * 2, &line[i], 2);
        }
    return format_bytes_16(p);
}

void format_mean_16(StType to, const FormatSize *w, float *rows)
{
    uint16_t line[64];
    for (int64_t at = 0; at < w->n * w->k; at += COUNT(line)) {
        int64_t left = w->n * w->k - at, n = left < COUNT(line) ? left : COUNT(line);
        convert_from_f32(to, rows + at, n, line);
        convert_to_f32(to, line, n, rows + at);
    }
}

float format_half(float x)
{
    uint16_t half;
    convert_from_f32(ST_F16, &x, 1, &half);
    convert_to_f32(ST_F16, &half, 1, &x);
    return x;
}

float format_bf16(float x)
{
    uint16_t half;
    convert_from_f32(ST_BF16, &x, 1, &half);
    convert_to_f32(ST_BF16, &half, 1, &x);
    return x;
}

void format_put_half(float x, unsigned char *out)
{
    convert_from_f32(ST_F16, &x, 1, out);
}

float format_largest(const float *x, int64_t n)
{
    float most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(x[i]));
    return most;
}

void format_round(const float *x, int64_t n, float scale, float most, signed char *q)
{
    for (int64_t i = 0; i < n; i++) {
        float r = scale > 0 ? rintf(x[i] / scale) : 0;
        q[i] = (signed char)fmaxf(-most, fminf(most, r));
    }
}
