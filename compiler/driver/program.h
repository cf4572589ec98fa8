// program.h - an emitted program, built and loaded into this process.

#ifndef TFXC_PROGRAM_H
#define TFXC_PROGRAM_H

#include "compiler/job.h"
#include "compiler/oracle.h"
#include "glue.h"

typedef struct Program {
    Job *job;
    const Module *module;
    const tfx_glue *glue;
    void *library;
    const void *weights;  // the packed file, 64-byte aligned
    size_t weights_bytes;
    unsigned char *state, *scratch;
    const char *why;  // after a call that failed
} Program;

// Emits job->module, builds it with the C compiler, loads it and reads its packed weights.
// False after reporting. Nothing is left on disk either way.
bool program_load(Program *p, Job *job);
void program_unload(Program *p);  // before the arena goes

void program_reset(Program *p);  // states to init, cursor to 0

// Calls an entry: in[] are its params in order; out[] get their data here, their shapes
// are the caller's. False with p->why when the program returns an error or writes where
// it must not.
bool program_call(Program *p, const Graph *g, const int64_t *dims, const Tensor *in,
                  Tensor *out);

// A state after a call; path with its turns put in. False: there is none of that name.
bool program_state(Program *p, const char *path, Tensor *out);

// ---- buffer.c: tensors and the buffers of C ------------------------------------------------

Tensor tensor_make(Arena *a, DType d, int rank, const int64_t *dim);
// Under these dims; false if the shape has no elements to speak of (over 2^40 of them).
bool tensor_of_type(Arena *a, const Type *t, const int64_t *dims, Tensor *out);
size_t tensor_bytes(const Tensor *t);
void tensor_to_c(const Tensor *t, void *raw);  // as emitted C has it
void tensor_from_c(Tensor *t, const void *raw);

// Bytes with 64-byte alignment, all 0xff (NaN, were they floats), and a fence behind them.
unsigned char *fenced(Arena *a, size_t bytes);
bool fence_is_whole(const unsigned char *p, size_t bytes);

#endif
