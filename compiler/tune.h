// tune.h - tune files: choices that were measured once, so that a build need not.
//
//     tfxc tune 1
//     model "minilm" 8f0c5cbb3a1d24e7    # name, hash of its weights and entries
//     linear_rows 256                  # a row of tune.def
//     pass qkv off
//     quantize "layer.*.up" bf16       # as the step of a recipe
//
// A line is a choice; # begins a comment. The file is all that a build depends on: what was
// measured, and where, stands in comments.

#ifndef TFXC_TUNE_H
#define TFXC_TUNE_H

#include "diag.h"
#include "ir.h"
#include "recipe.h"

#include "passes/format.h"

enum { TUNE_VERSION = 1 };

typedef enum TuneKey {
#define TUNE(name, macro, standard, lo, hi, by, tried, of, doc) TUNE_##name,
#define TUNE_PASS(name)
#include "tune.def"
#undef TUNE
#undef TUNE_PASS
    TUNE_COUNT
} TuneKey;

typedef struct TuneInfo {
    const char *name, *macro;
    int64_t standard, lo, hi, by;
    const char *tried, *of, *doc;
} TuneInfo;

extern const TuneInfo tune_info[TUNE_COUNT];

enum {
    TUNE_PASSES = 0
#define TUNE(name, macro, standard, lo, hi, by, tried, of, doc)
#define TUNE_PASS(name) +1
#include "tune.def"
#undef TUNE
#undef TUNE_PASS
};

extern const char *const tune_pass[TUNE_PASSES];

typedef struct Tune {
    const char *file;           // as the user named it
    int64_t value[TUNE_COUNT];  // 0: the standard one
    bool off[TUNE_PASSES];
    VEC(Step *) steps;  // quantize, in the order of the file
} Tune;

// Names of the formats that a file can choose, at most FORMAT_COUNT; and one by its name.
int tune_formats(const char **names);
bool tune_format(const char *name, Format *f);

// Of what the choices are for: names and types of weights, entries. Bounds of dims and what
// lies between are not in it.
uint64_t tune_model_hash(const Module *m);

// Reads a text that diag_source knows at base. False after reporting (E065x).
bool tune_read(Arena *a, Diag *d, const Module *m, const char *text, size_t n,
               uint32_t base, Tune *t);
// The lines that say it, without comments: tune_read gives the same choices again.
void tune_write(const Tune *t, const Module *m, Text *out);
// "#define TFX_LINEAR_ROWS 256" and the like, a line each.
const char *tune_defines(const Tune *t, Arena *a);

#endif
