// job.h - one compilation: the stages from a file's name to what is written.
//
// Each stage takes the ones before it along and returns false after reporting. Nothing is
// printed here; who started the job prints job->diag.

#ifndef TFXC_JOB_H
#define TFXC_JOB_H

#include "ir.h"
#include "safetensors.h"
#include "settings.h"

#include "grammar/ast.h"

typedef struct Job {
    Arena *arena;
    Settings *set;
    Diag *diag;
    const char *path;     // the model's file, as the user named it
    File *file;           // after job_parse
    Module *module;       // after job_build
    bool optimized;       // the passes have run over it
    struct Tune *tune;    // after job_build; NULL: no --tune
    Checkpoint *weights;  // after job_open_weights
    struct Prog *prog;    // after job_lower
    StrList inputs;       // every file read, for -MD and against overwriting
    Map *texts;           // texts given in memory, by name
    Text notes;  // what --print-after and --time-passes say, for standard error
} Job;

// A text of a job: in memory, with its length.
typedef struct Source {
    const char *text;
    size_t n;
} Source;

void job_init(Job *job, Settings *set, Arena *a);
void job_close(Job *job);  // before its arena goes
// A text that stands for the file of that name from now on.
void job_give(Job *job, const char *name, const char *text, size_t n);
// Reads a whole text file, "-" being standard input; reports E0001 to E0003.
bool job_read(Job *job, const char *path, Source *s);

bool job_parse(Job *job, const char *path);  // to job->file
bool job_build(Job *job, const char *path);  // to job->module, legal graphs
bool job_optimize(Job *job);                 // job->module through the passes

// The weight file of the model: --weights, else what the model names, beside the model.
// NULL when neither says one.
const char *job_weights_path(Job *job);
// "dir/model.tfx": "dir/model" + ending; of standard input "model" + ending.
const char *job_beside(Job *job, const char *ending);
void job_input(Job *job, const char *path);  // adds to job->inputs, once

#endif
