// record.h - from a model to an emitted program and recorded calls with what they give.
//
// The evaluator in double judges: it runs the graph as the front end built it, before any
// pass, so that a mistake of a pass shows too.

#ifndef TFXC_RECORD_H
#define TFXC_RECORD_H

#include "compiler/settings.h"

// A model to try: its calls, and the program it becomes at one level of -O.
typedef struct Trial {
    const char *name;    // C prefix, unlike that of every other trial
    const char *folder;  // NAME.c, NAME.h, tfx_rt.h, tfx_glue.c, tfx_glue.h
    const char *calls, *weights;
    int64_t thread_bytes;
    bool dispatch;    // made for several levels
    StrList sources;  // to compile
} Trial;

typedef VEC(Trial) TrialList;

// Makes random weights for the model, records calls of all its entries, and adds a trial
// for each of -O named in `levels` ("01": both), with 'd' behind it made with --dispatch.
// A comment "// recipe STEPS" in the model compresses it; then the graph after the passes
// judges. False with the reason in *why: the model was refused, or the compiler has a bug.
bool record_model(Arena *a, const char *path, const char *root, const char *name,
                  const char *levels, TrialList *trials, Text *why);

#endif
