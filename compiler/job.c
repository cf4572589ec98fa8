// job.c - the first stages of a compilation: reading, parsing, building.

#include "job.h"

#include "compiler/embed/embed.h"
#include "compiler/sema/recipe.h"
#include "compiler/sema/sema.h"
#include "grammar/parse.h"
#include "infile.h"
#include "tune.h"

#include <string.h>

void job_init(Job *job, Settings *set, Arena *a)
{
    *job = (Job){.arena = a, .set = set};
    job->diag = diag_new(a);
    job->texts = map_new(a);
    text_init(&job->notes, a);
}

void job_close(Job *job)
{
    ckpt_close(job->weights);
    job->weights = NULL;
}

void job_give(Job *job, const char *name, const char *text, size_t n)
{
    Source *s = NEW(job->arena, Source);
    *s = (Source){text, n};
    map_set(job->texts, name, s);
}

void job_input(Job *job, const char *path)
{
    for (int i = 0; i < job->inputs.n; i++)
        if (strcmp(job->inputs.p[i], path) == 0)
            return;
    vec_push(job->arena, &job->inputs, arena_strdup(job->arena, path));
}

bool job_read(Job *job, const char *path, Source *s)
{
    const char *why;
    const Source *given = map_get(job->texts, path);
    if (given) {
        *s = *given;
        return true;
    }
    if (!file_read(job->arena, path, &s->text, &s->n, &why)) {
        diag_error(job->diag, (Loc){0, 0}, E0001, "%s: %s", path, why);
        return false;
    }
    if (strcmp(path, "-") != 0)
        job_input(job, path);
    return true;
}

// The folder of the model with its slash, or "".
static const char *folder_of(Arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_strndup(a, path, (size_t)(slash - path) + 1) : "";
}

static const char *beside_model(Job *job, const char *name)
{
    if (name[0] == '/')
        return name;
    return arena_printf(job->arena, "%s%s", folder_of(job->arena, job->path), name);
}

const char *job_beside(Job *job, const char *ending)
{
    const char *path = strcmp(job->path, "-") == 0 ? "model" : job->path;
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    size_t n =
        dot && dot != path && dot[-1] != '/' ? (size_t)(dot - path) : strlen(path);
    return arena_printf(job->arena, "%.*s%s", (int)n, path, ending);
}

const char *job_weights_path(Job *job)
{
    if (job->set->weights)
        return job->set->weights;
    if (job->module && job->module->weights)
        return beside_model(job, job->module->weights);
    return NULL;
}

// The text of an import: what was given in memory, a file beside the model, a text of the
// library. Only "std/" names look into the library first: it is the one of this version.
static bool load_import(void *ctx, const char *name, const char **text, size_t *n)
{
    Job *job = ctx;
    const char *why;
    const Source *given = map_get(job->texts, name);
    if (given) {
        *text = given->text;
        *n = given->n;
        return true;
    }
    const Embedded *e = embedded_find(name);
    if (e && strncmp(name, "std/", 4) == 0) {
        *text = e->text;
        *n = e->size;
        return true;
    }
    const char *path = beside_model(job, name);
    if (!file_read(job->arena, path, text, n, &why))
        return false;
    job_input(job, path);
    return true;
}

bool job_parse(Job *job, const char *path)
{
    Source s;
    job->path = arena_strdup(job->arena, path);
    if (!job_read(job, path, &s))
        return false;
    const char *name = strcmp(path, "-") == 0 ? "<stdin>" : job->path;
    uint32_t base = diag_source(job->diag, name, s.text, s.n);
    job->file = tfx_parse(job->arena, job->diag, name, s.text, s.n, base);
    return diag_errors(job->diag) == 0;
}

static Override *overrides(Job *job)
{
    const StrList *d = &job->set->defines;
    Override *o = NEWN(job->arena, Override, d->n + 1);
    for (int i = 0; i < d->n; i++) {
        size_t n = strcspn(d->p[i], "=<");
        o[i].name = arena_strndup(job->arena, d->p[i], n);
        o[i].op = d->p[i][n] == '<' ? "<=" : "=";
        o[i].value = d->p[i] + n + strlen(o[i].op);
    }
    return o;
}

// ---- recipes ------------------------------------------------------------------------

static void take_steps(Job *job, const Recipe *r)
{
    for (int i = 0; i < r->steps.n; i++)
        vec_push(job->arena, &job->module->steps, r->steps.p[i]);
}

// All recipes of a text that is no part of the model.
static bool take_text(Job *job, const char *name, const char *text, size_t n)
{
    uint32_t base = diag_source(job->diag, name, text, n);
    File *f = tfx_parse(job->arena, job->diag, name, text, n, base);
    bool any = false;
    for (int i = 0; f && diag_errors(job->diag) == 0 && i < f->items.n; i++)
        if (f->items.p[i]->kind == IT_RECIPE) {
            take_steps(job, recipe_read(job->arena, job->diag, f->items.p[i]));
            any = true;
        }
    if (!any && diag_errors(job->diag) == 0)
        diag_error(job->diag, (Loc){0, 0}, E0643, "%s has no recipe block", name);
    return diag_errors(job->diag) == 0;
}

static bool take_named(Job *job, const char *name)
{
    const Module *m = job->module;
    const char **names = NEWN(job->arena, const char *, m->recipes.n + 1);
    for (int i = 0; i < m->recipes.n; i++) {
        names[i] = m->recipes.p[i]->name;
        if (!strcmp(names[i], name)) {
            take_steps(job, m->recipes.p[i]);
            return true;
        }
    }
    diag_error(job->diag, (Loc){0, 0}, E0643, "the model has no recipe `%s`", name);
    const char *near = nearest(name, names, m->recipes.n);
    if (near)
        diag_hint(job->diag, (Loc){0, 0}, "did you mean `%s`?", near);
    else if (m->recipes.n == 0)
        diag_hint(
            job->diag, (Loc){0, 0},
            "a file of recipes is named with its .tfx, a step with its arguments");
    return false;
}

static bool take_recipe(Job *job, const char *word)
{
    Source s;
    size_t n = strlen(word);
    if (strchr(word, '(')) {
        const char *text =
            arena_printf(job->arena, "tfx 1;\nrecipe steps {\n%s\n}\n", word);
        return take_text(job, "--recipe", text, strlen(text));
    }
    if (strchr(word, '/') || (n > 4 && !strcmp(word + n - 4, ".tfx")))
        return job_read(job, word, &s) && take_text(job, word, s.text, s.n);
    return take_named(job, word);
}

// The steps of a tune file come last, so that they have the last word.
static bool take_tune(Job *job)
{
    const char *path = job->set->tune;
    Source s;
    if (!path)
        return true;
    Tune *t = NEW(job->arena, Tune);
    t->file = path;
    if (!job_read(job, path, &s))
        return false;
    uint32_t base = diag_source(job->diag, path, s.text, s.n);
    if (!tune_read(job->arena, job->diag, job->module, s.text, s.n, base, t))
        return false;
    for (int i = 0; i < t->steps.n; i++)
        vec_push(job->arena, &job->module->steps, t->steps.p[i]);
    job->tune = t;
    return true;
}

bool job_build(Job *job, const char *path)
{
    Text why;
    if (!job_parse(job, path))
        return false;
    SemaOptions o = {.overrides = overrides(job),
                     .noverrides = job->set->defines.n,
                     .name = job->set->prefix,
                     .load = load_import,
                     .ctx = job};
    job->module = tfx_build(job->arena, job->diag, &o, job->file);
    if (!job->module || diag_errors(job->diag) > 0)
        return false;
    text_init(&why, job->arena);
    if (!ir_verify(job->module, &why))
        bug("the front end built an illegal graph: %s", why.p);
    for (int i = 0; i < job->set->recipes.n; i++)
        if (!take_recipe(job, job->set->recipes.p[i]))
            return false;
    return take_tune(job);
}
