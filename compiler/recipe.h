// recipe.h - how to compress a model: steps that choose weights by pattern.
//
//     recipe small {
//         lowrank("layer.*.{up,down}", energy = 0.98)
//         quantize("**", int8, except = ["layer.0.**"])
//     }
//
// A recipe changes nothing by itself; the steps of the chosen ones stand in module->steps,
// and each is the work of the pass of its name.
//
// A pattern is words with dots between them. In a word `*` is any text, `?` any letter,
// {a,b} one of several texts; the word `**` is any number of words. It matches a weight
// when it matches the path of its member, or of a block around it: "layer.*.up" has
// everything in `up`. After "file:" it matches names of tensors in the weight file instead.

#ifndef TFXC_RECIPE_H
#define TFXC_RECIPE_H

#include "diag.h"

typedef enum StepKind { STEP_lowrank, STEP_sparse, STEP_quantize } StepKind;

typedef struct Step {
    StepKind kind;
    Loc loc;
    const char *text;  // as the user wrote it
    const char *pattern;
    Loc pattern_loc;
    VEC(const char *) except;
    int64_t rank;        // lowrank: 0, or
    double ratio;        //   of the bytes, or
    double energy;       //   of the sum of squares that is kept
    const char *shape;   // sparse: "1x48" or "unstructured"
    double density;      // sparse: part of the weights that is kept
    const char *format;  // quantize: a row of formats.def
    bool is_done;        // by its pass, which then says
    int matched, tied;  // how many weights; left since they are read in another way too
} Step;

typedef struct Recipe {
    const char *name;
    Loc loc;
    VEC(Step *) steps;
} Recipe;

const char *step_name(StepKind k);
bool step_find(const char *name, StepKind *k);
bool pattern_match(const char *pattern, const char *path);
// Does the step choose a weight with this member path and this name in the file?
bool step_chooses(const Step *s, const char *member, const char *file);

#endif
