// format.h - weight formats: rows of formats.def, each with its file in formats/.
//
// A format knows three things of a matrix w[n][k]: how many bytes it takes, how a panel of
// up to 48 rows (columns of w') is written, and which matrix those bytes stand for. The
// last is what the evaluator multiplies by, made by the same code that packs, so that an
// emitted program has an exact reference.

#ifndef TFXC_FORMAT_H
#define TFXC_FORMAT_H

#include "compiler/dtype.h"

#include <stdint.h>

enum { FORMAT_PANEL = 48 };  // columns of w' in a panel

typedef enum Format {
    FORMAT_plain,  // of constants that are no matrix of a linear: elements, row by row
#define FORMAT(name, kernel, storage, rounds_x, cost, doc) FORMAT_##name,
#include "formats.def"
#undef FORMAT
    FORMAT_COUNT
} Format;

// A matrix, or a panel of it: n <= FORMAT_PANEL.
typedef struct FormatSize {
    int64_t n, k;
    int64_t kept;  // blocks of 48 x 1 that are stored; for formats that leave zeros out
} FormatSize;

typedef struct FormatInfo {
    const char *name;
    const char *kernel;  // TFX_WEIGHT of the linear template
    DType storage;       // of the tensor in the packed file
    bool rounds_x;
    double cost;
    const char *doc;
    // Of the whole matrix, scales and indices included.
    int64_t (*bytes)(const FormatSize *w);
    // Writes the panel of rows[n][k]; gives the bytes written. No panel is longer than
    // bytes() of it alone.
    int64_t (*pack)(const FormatSize *panel, const float *rows, unsigned char *out);
    // Puts what pack would write for rows[n][k], any n, in their place.
    void (*mean)(const FormatSize *w, float *rows);
} FormatInfo;

extern const FormatInfo format_info[FORMAT_COUNT];

bool format_find(const char *name, Format *f);  // a row by name, never plain
// The dense row that stores elements of this type; FORMAT_f32 of others.
Format format_dense(DType storage);

// ---- shared by the rows ----------------------------------------------------------------

// Columns of a panel in the packed file: rounded up to 16.
static inline int64_t format_width(int64_t n)
{
    return (n + 15) / 16 * 16;
}

// Blocks of 48 x 1 in a matrix.
static inline int64_t format_blocks(int64_t n, int64_t k)
{
    return (n + FORMAT_PANEL - 1) / FORMAT_PANEL * k;
}

#define FORMAT(name, kernel, storage, rounds_x, cost, doc)                               \
    int64_t bytes_##name(const FormatSize *w);                                           \
    int64_t pack_##name(const FormatSize *panel, const float *rows, unsigned char *out); \
    void mean_##name(const FormatSize *w, float *rows);
#include "formats.def"
#undef FORMAT

#endif
