// settings.h - the options of a run: one table, and the struct they are put into.

#ifndef TFXC_SETTINGS_H
#define TFXC_SETTINGS_H

#include "base.h"
#include "dtype.h"
#include "target.h"

typedef enum Verb {
#define VERB(name, args, summary, more) VERB_##name,
#include "verbs.def"
#undef VERB
    VERB_COUNT
} Verb;

typedef struct VerbInfo {
    const char *name, *args, *summary, *more;
} VerbInfo;

extern const VerbInfo verb_info[VERB_COUNT];
bool verb_find(const char *name, Verb *v);

typedef enum OptionId {
#define OPT(name, long_name, letter, arg, verbs, help) OPTION_##name,
#include "options.def"
#undef OPT
    OPTION_COUNT
} OptionId;

typedef struct OptionInfo {
    const char *name;  // long name
    char letter;       // 0: none
    const char *arg;   // what help calls the argument; NULL: a flag
    unsigned verbs;    // bit v: taken by verb v
    const char *help;
} OptionInfo;

extern const OptionInfo option_info[OPTION_COUNT];
bool option_find(const char *name, OptionId *id);  // by long name

typedef enum Stage {
    STAGE_ALL,  // no --emit: all files
    STAGE_AST,
    STAGE_IR,
    STAGE_LOOPS,
    STAGE_PLAN,
    STAGE_C,
    STAGE_DOT,
    STAGE_JSON
} Stage;

typedef enum PackKind { PACK_FILE, PACK_EMBED, PACK_INCBIN } PackKind;
typedef enum ColorWhen { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } ColorWhen;

typedef VEC(const char *) StrList;

typedef struct Settings {
    Arena *arena;
    const char *output;   // NULL: from the model's name; "-": standard output
    StrList defines;      // "hidden=64", "T<=64"
    const char *weights;  // NULL: what the model names
    StrList recipes;      // names, files, steps
    const char *tune;     // the tune file to read
    const char *prefix;   // NULL: the model's stem
    const Target *target;
    bool dispatch;  // one text for several instruction sets
    PackKind pack;
    Stage emit;
    int level;           // -O
    const char *passes;  // NULL: all of passes.def
    StrList passes_off;  // -fno-...
    StrList print_after;
    bool verify_each, time_passes, taps;
    bool timed;  // bench: built for speed, with a pool and roof.c
    bool marks;  // bench: the program says which op it begins
    bool depend;
    const char *depend_file;
    const char *golden, *input, *entry, *svg;
    int threads;        // of bench, tune
    double atol, rtol;  // negative: not given
    double seconds;     // of tune
    double tolerance;   // of tune; negative: not given
    StrList formats;    // of tune
    uint64_t seed;
    DType dtype;  // of init; DT_COUNT: not given
    bool in_place, fmt_check;
    bool json;
    ColorWhen color;
    bool help, version;
} Settings;

void settings_init(Settings *s, Arena *a);

// Puts one option in; value is NULL for a flag. On a value that does not fit it returns
// false with a sentence in *why.
bool settings_have_tiles(const Settings *s);  // target_has_tiles, or --dispatch
bool settings_put(Settings *s, OptionId id, const char *value, const char **why);

#endif
