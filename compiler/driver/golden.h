// golden.h - golden files: cases of inputs and expected outputs, and the entry each is for.
//
// `input.<case>.<param>`, `output.<case>.<result>`; only cases called case<N> are calls of
// an entry. `output.<case>.state.<member>` is a state after the call; other names with a
// dot behind the case are information only.
//
// A case may give only some rows of a result: an extra input `<name>_positions`, where
// <name> begins the result's name ("logit_positions" of "logits"), lists the rows that the
// expected output has, in its order. It is no parameter of the entry.

#ifndef TFXC_GOLDEN_H
#define TFXC_GOLDEN_H

#include "compiler/driver/program.h"
#include "compiler/job.h"
#include "compiler/oracle.h"
#include "compiler/safetensors.h"

typedef struct Named {
    const char *name;
    Tensor t;
} Named;

typedef VEC(Named) NamedList;

typedef struct Case {
    const char *name;  // "case0"
    NamedList inputs, outputs, states;
} Case;

typedef VEC(Case) CaseList;

// A case as a call: inputs in the order of the entry's params, dims from their shapes.
typedef struct Call {
    const Graph *graph;
    int64_t *dims;  // by id
    Tensor *in;
    const Tensor **expected;  // by result; NULL: the case does not have it
    const Tensor **rows;      // by result; NULL: all of them
} Call;

// False after reporting.
bool golden_read(Job *job, const char *path, CaseList *cases);
// The one entry for a case; where several fit, the one called `only` (NULL: an error that
// names them). Fitting takes names, ranks and sizes. False after reporting.
bool golden_call(Job *job, const Case *c, const char *only, Call *call);

// ---- bind.c: dims from shapes ----------------------------------------------------------------

// Finds the dims that make the entry's params have these shapes. The cursor is 0. False
// with a sentence in *why.
bool bind_dims(Job *job, const Graph *g, const Tensor *in, int64_t *dims,
               const char **why);
// "[3, 512]"
const char *shape_str(Arena *a, const Tensor *t);

#endif
