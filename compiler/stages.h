// stages.h - the later stages of a compilation: passes, loops, C, files.

#ifndef TFXC_STAGES_H
#define TFXC_STAGES_H

#include "job.h"
#include "layout.h"

// Opens the weight file of the model. Without one, or when only the model's own name for it
// leads nowhere, job->weights is NULL: an error if `needed`.
bool job_open_weights(Job *job, bool needed);
// Compares the tensors the model asks for with the weight file, when there is one.
bool job_check_weights(Job *job);

// From job->module on: the passes, then loops with their memory planned.
bool job_lower(Job *job);

// After job_lower: the C, as one text.
bool job_c(Job *job, Text *out);

// The model at a stage. STAGE_ALL is not one.
bool job_text(Job *job, const char *path, Stage stage, Text *out);

// All files: OUT.c, OUT.h, tfx_rt.h, the packed weights, OUT.d with -MD.
bool job_compile(Job *job, const char *path);

// job->module as C in a folder, with a glue file (driver/glue.h): what run and verify
// build.
typedef struct Emitted {
    StrList sources;
    const char *weights;  // the packed file; NULL: the array called `array` has it
    const char *array;
    int64_t weights_bytes;
} Emitted;

bool job_emit_program(Job *job, const char *folder, Emitted *e);

// The table (or JSON) of `tfxc report`.
bool job_report(Job *job, const char *path, Text *out);

// Writes one output file, whole or not at all; refuses to write over an input.
bool job_write(Job *job, const char *path, const char *text, size_t n);

#endif
