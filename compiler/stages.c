// stages.c - the later stages of a compilation: weights, passes, loops, and texts of them.

#define _POSIX_C_SOURCE 200809L

#include "stages.h"

#include "compiler/astprint.h"
#include "compiler/describe.h"
#include "compiler/irtext.h"
#include "compiler/report.h"
#include "compiler/tune.h"
#include "compiler/weights.h"
#include "passes/pass.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

bool job_open_weights(Job *job, bool needed)
{
    const char *path = job_weights_path(job);
    const Loc nowhere = {0, 0};
    if (job->weights)
        return true;
    if (job->module->weights_list.n == 0)  // a model of plain arithmetic
        return true;
    if (!path) {
        if (needed) {
            diag_error(job->diag, nowhere, E0003, "no weights to read");
            diag_hint(
                job->diag, nowhere,
                "name a file in the model: weights \"model.safetensors\", or with "
                "--weights; `tfxc init` makes random ones");
        }
        return !needed;
    }
    if (!needed && !job->set->weights && access(path, F_OK) != 0)
        return true;
    job->weights = ckpt_open(job->arena, job->diag, path, nowhere);
    if (job->weights)
        job_input(job, path);
    return job->weights != NULL;
}

bool job_check_weights(Job *job)
{
    if (job->weights) {
        weights_check(job->module, job->weights, job->diag);
        weights_unused(job->module, job->weights, job->diag);
    }
    return diag_errors(job->diag) == 0;
}

static void note(void *ctx, const char *text)
{
    text_puts(&((Job *)ctx)->notes, text);
}

// A recipe is not left undone without a word.
static bool all_steps_done(Job *job)
{
    for (int i = 0; i < job->module->steps.n; i++) {
        const Step *s = job->module->steps.p[i];
        if (s->is_done)
            continue;
        diag_error(job->diag, s->loc, E0644, "the pass `%s` is left out",
                   step_name(s->kind));
        diag_hint(job->diag, s->loc, "recipes need -O1, and no --passes without it");
        return false;
    }
    return true;
}

bool job_optimize(Job *job)
{
    const Settings *s = job->set;
    if (job->optimized)
        return true;
    job->optimized = true;
    StrList off = {0};
    for (int i = 0; i < s->passes_off.n; i++)
        vec_push(job->arena, &off, s->passes_off.p[i]);
    for (int i = 0; job->tune && i < TUNE_PASSES; i++)
        if (job->tune->off[i])
            vec_push(job->arena, &off, tune_pass[i]);
    PassOptions o = {.list = s->passes       ? s->passes
                             : s->level == 0 ? "none"
                                             : NULL,
                     .off = off.p,
                     .noff = off.n,
                     .print_after = s->print_after.p,
                     .nprint_after = s->print_after.n,
                     .time_passes = s->time_passes,
                     .weights = job->weights ? weights_source(job->weights)
                                             : (WeightSource){0},
                     .write = note,
                     .ctx = job};
    return passes_run(job->module, &o, job->diag) && all_steps_done(job) &&
           diag_errors(job->diag) == 0;
}

static DType storage_of(void *ctx, const char *name)
{
    const Job *job = ctx;
    return job->weights ? weights_storage(job->weights, name) : DT_COUNT;
}

bool job_lower(Job *job)
{
    Text why;
    LowerOptions o = {.taps = job->set->taps,
                      .marks = job->set->marks,
                      .tiles = settings_have_tiles(job->set),
                      .storage = storage_of,
                      .ctx = job};
    if (job->set->dispatch && strcmp(job->set->target->name, "portable") != 0) {
        diag_error(job->diag, (Loc){0, 0}, E0820,
                   "--dispatch is for every machine, not "
                   "for the target %s",
                   job->set->target->name);
        return false;
    }
    if (!job_optimize(job))
        return false;
    const char *prefix = c_prefix(job->arena, job->module);
    job->prog = lower_module(job->arena, job->module, prefix, &o, job->diag);
    if (!job->prog || diag_errors(job->diag) > 0)
        return false;
    text_init(&why, job->arena);
    if (!loop_check(job->prog, &why))
        bug("the lowering built an illegal program: %s", why.p);
    plan_memory(job->prog);
    if (!plan_check(job->prog, &why))
        bug("the memory plan overlaps: %s", why.p);
    return true;
}

// Stages before the passes show the graph as the front end built it, with --print-after
// for what comes behind; `ir` shows it after all passes.
bool job_text(Job *job, const char *path, Stage stage, Text *out)
{
    if (stage == STAGE_AST)
        return job_parse(job, path) && (ast_print(job->file, out), true);
    if (!job_build(job, path) || !job_open_weights(job, false) ||
        !job_check_weights(job))
        return false;
    switch (stage) {
    case STAGE_IR:
        if (!job_optimize(job))
            return false;
        ir_print(job->module, out);
        return true;
    case STAGE_DOT:
        if (!job_optimize(job))
            return false;
        describe_dot(job->module, out);
        return true;
    case STAGE_JSON:
        describe_json(job->module, job->arena, job->diag, out);
        describe_json_end(out);
        return true;
    case STAGE_LOOPS:
    case STAGE_PLAN:
        if (!job_lower(job))
            return false;
        if (stage == STAGE_PLAN &&
            !layout_make(job->arena, job->prog, job->diag, job_beside(job, ".h")))
            return false;
        (stage == STAGE_LOOPS ? loop_print : plan_print)(job->prog, out);
        return true;
    case STAGE_C:
        return job_c(job, out);
    default:
        bug("stage %d has no text", (int)stage);
    }
}

bool job_report(Job *job, const char *path, Text *out)
{
    if (!job_build(job, path) || !job_open_weights(job, false) ||
        !job_check_weights(job))
        return false;
    if (job->set->emit == STAGE_JSON)
        describe_json(job->module, job->arena, job->diag, out);
    else
        describe_text(job->module, job->arena, job->diag, out);
    if (!job_lower(job))
        return false;
    Layout *y = layout_make(job->arena, job->prog, job->diag, job_beside(job, ".h"));
    if (!y)
        return false;
    if (job->set->emit == STAGE_JSON) {
        report_weights_json(y, job->weights, out);
        report_memory_json(y, out);
        describe_json_end(out);
    } else {
        report_weights(y, job->weights, out);
        report_memory(y, out);
    }
    return true;
}
