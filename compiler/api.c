// api.c - tfxc.h: the compiler as a library, every call behind a guard.

#include "tfxc.h"

#include "compiler/stages.h"
#include "grammar/parse.h"

#include <string.h>

// Two lifetimes: the options live as long as the tfxc, a job until the next one.
struct tfxc {
    Arena *arena;
    Settings set;
    Map *given;  // name -> Source
    Arena *job_arena;
    Job job;
    int errors;
    const char *messages;
};

// What a call does inside the guard.
typedef struct Work {
    enum { DO_CHECK, DO_COMPILE, DO_TEXT, DO_FORMAT } what;
    const char *path, *output;
    Stage stage;
    Text text;
} Work;

const char *tfxc_version(void)
{
    return TFXC_VERSION;
}

tfxc *tfxc_new(void)
{
    Guard g;
    Arena *volatile arena = NULL;
    tfxc *volatile t = NULL;
    if (GUARD_SET(&g)) {
        arena_free(arena);
        return NULL;
    }
    arena = arena_new();
    t = NEW(arena, tfxc);
    t->arena = arena;
    settings_init(&t->set, arena);
    t->given = map_new(arena);
    t->messages = "";
    guard_drop(&g);
    return t;
}

static void drop_job(tfxc *t)
{
    if (t->job_arena) {
        job_close(&t->job);
        arena_free(t->job_arena);
    }
    t->job_arena = NULL;
    t->messages = "";
    t->errors = 0;
}

void tfxc_free(tfxc *t)
{
    if (!t)
        return;
    drop_job(t);
    arena_free(t->arena);
}

// The way out of a guard: says what happened without asking for memory.
static int broken(tfxc *t, const Guard *g)
{
    drop_job(t);
    t->errors = 1;
    t->messages = g->out_of_memory ? "tfxc: out of memory\n" : "tfxc: internal error\n";
    return g->out_of_memory ? TFXC_NO_MEMORY : TFXC_INTERNAL;
}

static int set_option(tfxc *t, const char *option, const char *value)
{
    OptionId id;
    const char *why = NULL;
    if (!option_find(option, &id) || id == OPTION_help || id == OPTION_version) {
        t->messages = arena_printf(t->arena, "tfxc: there is no option '%s'\n", option);
        return TFXC_USAGE;
    }
    if (settings_put(&t->set, id, value, &why))
        return TFXC_OK;
    t->messages = arena_printf(t->arena, "tfxc: %s: %s\n", option, why);
    return TFXC_USAGE;
}

int tfxc_set(tfxc *t, const char *option, const char *value)
{
    Guard g;
    int status = TFXC_USAGE;
    drop_job(t);
    if (!option)
        return TFXC_USAGE;
    if (GUARD_SET(&g))
        return broken(t, &g);
    status = set_option(t, option, value);
    guard_drop(&g);
    t->errors = status != TFXC_OK;
    return status;
}

int tfxc_give(tfxc *t, const char *name, const char *text, size_t size)
{
    Guard g;
    drop_job(t);
    if (!name || (!text && size > 0))
        return TFXC_USAGE;
    if (GUARD_SET(&g))
        return broken(t, &g);
    Source *s = NEW(t->arena, Source);
    *s = (Source){arena_strndup(t->arena, text ? text : "", size), size};
    map_set(t->given, name, s);
    guard_drop(&g);
    return TFXC_OK;
}

static bool format_file(Job *job, Work *w)
{
    Source s;
    return job_read(job, w->path, &s) &&
           tfx_format(job->arena, job->diag, w->path, s.text, s.n, &w->text);
}

static bool do_work(tfxc *t, Work *w)
{
    Job *job = &t->job;
    switch (w->what) {
    case DO_CHECK:
        return job_build(job, w->path) && job_open_weights(job, false) &&
               job_check_weights(job) && job_optimize(job);
    case DO_COMPILE:
        if (w->output)
            t->set.output = arena_strdup(t->arena, w->output);
        return job_compile(job, w->path);
    case DO_TEXT:
        return job_text(job, w->path, w->stage, &w->text);
    case DO_FORMAT:
        return format_file(job, w);
    }
    return false;
}

static int run(tfxc *t, Work *w)
{
    Guard g;
    Text messages;

    drop_job(t);
    if (!w->path)
        return TFXC_USAGE;
    if (GUARD_SET(&g))
        return broken(t, &g);
    t->job_arena = arena_new();
    job_init(&t->job, &t->set, t->job_arena);
    for (int i = 0; i < map_count(t->given); i++) {
        const Source *s = map_value(t->given, i);
        job_give(&t->job, map_key(t->given, i), s->text, s->n);
    }
    text_init(&w->text, t->job_arena);
    do_work(t, w);
    text_init(&messages, t->job_arena);
    text_put(&messages, t->job.notes.p, t->job.notes.n);
    diag_print(t->job.diag, t->set.json ? DIAG_JSON : DIAG_TEXT, &messages);
    t->messages = messages.p;
    t->errors = diag_errors(t->job.diag);
    guard_drop(&g);
    return t->errors ? TFXC_REJECTED : TFXC_OK;
}

int tfxc_check(tfxc *t, const char *model)
{
    Work w = {.what = DO_CHECK, .path = model};
    return run(t, &w);
}

int tfxc_compile(tfxc *t, const char *model, const char *output)
{
    Work w = {.what = DO_COMPILE, .path = model, .output = output};
    const char *kept = t->set.output;
    int status = run(t, &w);
    t->set.output = kept;
    return status;
}

static int give_text(int status, const Work *w, const char **text, size_t *size)
{
    *text = status == TFXC_OK ? w->text.p : "";
    *size = status == TFXC_OK ? w->text.n : 0;
    return status;
}

int tfxc_emit(tfxc *t, const char *model, const char *stage, const char **text,
              size_t *size)
{
    Work w = {.what = DO_TEXT, .path = model};
    Stage kept = t->set.emit;
    int status = stage ? tfxc_set(t, "emit", stage) : TFXC_USAGE;
    w.stage = t->set.emit;
    t->set.emit = kept;
    if (status == TFXC_OK && w.stage == STAGE_ALL)
        status = TFXC_USAGE;
    if (status == TFXC_OK)
        status = run(t, &w);
    return give_text(status, &w, text, size);
}

int tfxc_format(tfxc *t, const char *file, const char **text, size_t *size)
{
    Work w = {.what = DO_FORMAT, .path = file};
    return give_text(run(t, &w), &w, text, size);
}

const char *tfxc_messages(const tfxc *t)
{
    return t->messages;
}

int tfxc_errors(const tfxc *t)
{
    return t->errors;
}
