// format.h - weight formats: rows of formats.def, each with its file in formats/.
//
// A format knows four things of a matrix w[n][k]: how many bytes it takes, how a panel of
// up to 48 rows (columns of w') is written, which matrix those bytes stand for, and what a
// product with it costs. The third is what the evaluator multiplies by, made by the same
// code that packs, so that an emitted program has an exact reference.

#ifndef TFXC_FORMAT_H
#define TFXC_FORMAT_H

#include "compiler/base.h"
#include "compiler/convert.h"
#include "compiler/dtype.h"

enum { FORMAT_PANEL = 48 };  // columns of w' in a panel

typedef enum Format {
    FORMAT_plain,  // of constants that are no matrix of a linear: elements, row by row
#define FORMAT(name, kernel, storage, rounds_x, work, doc) FORMAT_##name,
#include "formats.def"
#undef FORMAT
    FORMAT_COUNT
} Format;

// What a kernel rounds activations to: int8 with one scale for a part of a row, or bf16.
typedef enum Rounds { ROUNDS_none, ROUNDS_row, ROUNDS_group, ROUNDS_bf16 } Rounds;

// What the kernel takes scratch for.
typedef enum FormatWork { WORK_none, WORK_rounded, WORK_turned } FormatWork;

enum { FORMAT_GROUP = 32 };  // of ROUNDS_group

// A matrix, or a panel of it.
typedef struct FormatSize {
    int64_t n, k;
    int64_t kept;  // blocks of 48 x 1 that are stored; for formats that leave zeros out
} FormatSize;

// Where the packer gets rows [first, first + n) from, n <= FORMAT_PANEL, and puts bytes.
// Rows stay until the next are asked for; NULL and false: an error, already reported.
typedef struct FormatIo {
    const float *(*rows)(void *ctx, int64_t first, int64_t n);
    bool (*put)(void *ctx, const void *bytes, int64_t n);
    void *ctx;
    Arena *arena;  // as long as this matrix
} FormatIo;

// What the kernel of a format takes on some machine, in nanoseconds, with as many threads as
// there were when it was measured (driver/rates.h). By rows of x: 1, few, many.
enum { FORMAT_ROWS = 3, FORMAT_MANY = 128 };
extern const int64_t format_rows[FORMAT_ROWS];
typedef struct FormatRates {
    double weight[FORMAT_ROWS];  // a weight that is in a cache, with all rows
    double wait[FORMAT_ROWS];    // more for a byte of weights that comes from afar
    double x;                    // an element of x made ready: rounded, cut, turned
    double y;                    // an element of y written
} FormatRates;

typedef struct FormatInfo {
    const char *name;
    const char *kernel;  // TFX_WEIGHT of the linear template
    DType storage;       // of the tensor in the packed file
    Rounds rounds_x;
    FormatWork work;
    const char *doc;
    // Scales and indices included.
    int64_t (*bytes)(const FormatSize *w);
    // Writes at most bytes(); what is left is zeros.
    bool (*pack)(const FormatSize *w, FormatIo *io);
    // Puts what the packed rows[n][k] stand for in their place.
    void (*mean)(const FormatSize *w, float *rows);
    // Nanoseconds of y = x w' for m rows of x, by the rates of this format.
    double (*cost)(const FormatSize *w, int64_t m, const FormatRates *r);
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

// How many of n parts stay when so much of them shall.
static inline int64_t format_kept(int64_t n, double density)
{
    int64_t kept = (int64_t)(density * (double)n + 0.5);
    return kept < 1 && n > 0 ? 1 : kept;
}

// Packs a format in which panels lie one behind the other: `panel` writes the one of
// rows[n][k] and gives its bytes, at most those of the format for it alone.
typedef int64_t FormatPanel(const FormatSize *p, const float *rows, unsigned char *out);
bool format_panels(const FormatSize *w, FormatIo *io, FormatPanel *panel,
                   int64_t bytes);

// What a product costs that reads so many bytes and multiplies each row by so many weights,
// those that pad them included.
double format_cost(const FormatSize *w, int64_t m, const FormatRates *r, int64_t bytes,
                   int64_t weights);

// Of the formats that are 2-byte floats: bf16, f16.
int64_t format_bytes_16(const FormatSize *w);
int64_t format_panel_16(StType to, const FormatSize *p, const float *rows,
                        unsigned char *out);
void format_mean_16(StType to, const FormatSize *w, float *rows);

float format_half(float x);                         // to the nearest half, and back
float format_bf16(float x);                         // to the nearest bf16, and back
void format_put_half(float x, unsigned char *out);  // x is a half
// q[i] = round(x[i] / scale) to nearest even, within -most .. most; 0 where scale is 0.
void format_round(const float *x, int64_t n, float scale, float most, signed char *q);
float format_largest(const float *x, int64_t n);  // max |x|

#define FORMAT(name, kernel, storage, rounds_x, work, doc)                             \
    int64_t bytes_##name(const FormatSize *w);                                         \
    bool pack_##name(const FormatSize *w, FormatIo *io);                               \
    void mean_##name(const FormatSize *w, float *rows);                                \
    double cost_##name(const FormatSize *w, int64_t m, const FormatRates *r);
#include "formats.def"
#undef FORMAT

#endif
