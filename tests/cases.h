// cases.h - case files: text in, what to do, text out. A new file is a new test.
//
//     # x * 1 is x, on either side
//     module "m"
//     ...
//     #! simplify,dce
//     module "m"
//     ...
//
// Lines with # before the input are the claim. `#!` ends the input, its words say what
// to run, and what should come of it follows, up to the end of the file or to a line
// `#= claim`, which begins another case. UPDATE=1 in the environment rewrites what
// follows `#!`; the difference is then reviewed like any other change.

#ifndef TFXC_CASES_H
#define TFXC_CASES_H

#include "compiler/base.h"

typedef struct Case {
    const char *path;  // of the file
    int line;          // of the input in it
    const char *input;
    const char *words;  // after #!
    const char *expected;
} Case;

// Puts into got what comes of the case.
typedef void CaseRun(Arena *a, const Case *c, Text *got);

// Runs every case of the files in a folder (of $TFXC_ROOT, or of where we are) and the
// folders in it whose names end in ext. Returns how many failed; *count is how many there
// were, and the report says of each failed one where it stands and the first line that
// differs.
int cases_run(const char *folder, const char *ext, CaseRun *run, Text *report,
              int *count);

// All of a file, with a NUL behind it; NULL: it cannot be read.
char *cases_read(Arena *a, const char *path, size_t *n);

#endif
