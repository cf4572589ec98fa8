// load.c - from a module to a program that can be called in this process.

#define _POSIX_C_SOURCE 200809L

#include "cc.h"
#include "compiler/stages.h"
#include "machine.h"
#include "program.h"
#include "spawn.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool load_library(Program *p, const char *path)
{
    Diag *d = p->job->diag;
    p->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!p->library) {
        diag_error(d, (Loc){0, 0}, E0813, "%s", dlerror());
        return false;
    }
    p->glue = dlsym(p->library, "tfx_glue_table");
    if (!p->glue || p->glue->abi != TFX_GLUE_ABI) {
        diag_error(d, (Loc){0, 0}, E0813, "the program has no glue of this version");
        return false;
    }
    return true;
}

static bool read_weights(Program *p, const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    bool ok = f && fstat(fileno(f), &st) == 0;
    if (ok) {
        // Read in place: packed weights may be larger than any text is allowed to be.
        p->weights_bytes = (size_t)st.st_size;
        unsigned char *bytes = fenced(p->job->arena, p->weights_bytes);
        ok = fread(bytes, 1, p->weights_bytes, f) == p->weights_bytes;
        p->weights = bytes;
    }
    if (!ok)
        diag_error(p->job->diag, (Loc){0, 0}, E0001, "%s: %s", path, strerror(errno));
    if (f)
        fclose(f);
    return ok;
}

static bool build_and_load(Program *p, const char *folder)
{
    Job *job = p->job;
    Emitted e;
    Text log;
    const char *library = arena_printf(job->arena, "%s/program.so", folder);

    if (!job_emit_program(job, folder, &e))
        return false;
    text_init(&log, job->arena);
    if (!cc_shared(job->arena, &e.sources, job->set, folder, library, &log)) {
        text_puts(&job->notes, log.p);
        diag_error(job->diag, (Loc){0, 0}, E0812, "the C compiler failed");
        return false;
    }
    if (!load_library(p, library))
        return false;
    if (e.weights)
        return read_weights(p, e.weights);
    p->weights = dlsym(p->library, e.array);
    p->weights_bytes = (size_t)e.weights_bytes;
    if (!p->weights)
        diag_error(job->diag, (Loc){0, 0}, E0813, "%s", dlerror());
    return p->weights != NULL;
}

bool program_load(Program *p, Job *job)
{
    Guard g;
    const char *why = NULL;
    const char *folder;
    volatile bool ok = false;

    *p = (Program){.job = job, .module = job->module};
    if (!machine_is(job->set->target)) {
        diag_error(job->diag, (Loc){0, 0}, E0821,
                   "this machine is not of the target %s", job->set->target->name);
        return false;
    }
    folder = temp_folder(job->arena, &why);
    if (!folder) {
        diag_error(job->diag, (Loc){0, 0}, E0801, "%s", why);
        return false;
    }
    if (GUARD_SET(&g)) {
        temp_remove(job->arena,
                    folder);  // a bug on the way must not leave files either
        bug("%s", g.message);
    }
    ok = build_and_load(p, folder);
    guard_drop(&g);
    temp_remove(job->arena, folder);
    if (!ok) {
        program_unload(p);
        return false;
    }
    p->state = fenced(job->arena, p->glue->state_bytes);
    p->scratch = fenced(job->arena, p->glue->scratch_bytes);
    program_reset(p);
    return true;
}

void program_unload(Program *p)
{
    if (p->library)
        dlclose(p->library);
    p->library = NULL;
    p->glue = NULL;
}

void program_reset(Program *p)
{
    if (p->glue->reset)
        p->glue->reset(p->state);
}

static int entry_number(const Program *p, const char *name)
{
    for (int i = 0; i < p->glue->nentries; i++)
        if (strcmp(p->glue->entries[i], name) == 0)
            return i;
    bug("the program has no entry %s", name);
}

static bool check_fences(Program *p, const Graph *g, unsigned char *const *out,
                         const Tensor *results)
{
    if (!fence_is_whole(p->scratch, p->glue->scratch_bytes))
        p->why = "it wrote behind its scratch region";
    else if (!fence_is_whole(p->state, p->glue->state_bytes))
        p->why = "it wrote behind its state region";
    for (int i = 0; i < g->body->yields.n; i++)
        if (!fence_is_whole(out[i], tensor_bytes(&results[i])))
            p->why = "it wrote behind a result";
    return p->why == NULL;
}

bool program_call(Program *p, const Graph *g, const int64_t *dims, const Tensor *in,
                  Tensor *out)
{
    Arena *a = p->job->arena;
    int nin = g->body->params.n, nout = g->body->yields.n;
    int32_t *sizes = NEWN(a, int32_t, p->module->dims.n + 1);
    const void **inputs = NEWN(a, const void *, nin + 1);
    void **outputs = NEWN(a, void *, nout + 1);
    unsigned char **fences = NEWN(a, unsigned char *, nout + 1);

    p->why = NULL;
    for (int i = 0; i < p->module->dims.n; i++)
        sizes[i] = (int32_t)dims[i];
    for (int i = 0; i < nin; i++) {
        unsigned char *buffer = fenced(a, tensor_bytes(&in[i]));
        tensor_to_c(&in[i], buffer);
        inputs[i] = buffer;
    }
    for (int i = 0; i < nout; i++)
        outputs[i] = fences[i] = fenced(a, tensor_bytes(&out[i]));
    memset(p->scratch, 0xff, p->glue->scratch_bytes);

    int status = p->glue->run(entry_number(p, g->name), p->weights, p->weights_bytes,
                              p->state, p->scratch, NULL, sizes, inputs, outputs);
    if (status != 0) {
        p->why = arena_printf(a, "%s returned %d: %s", g->name, status,
                              p->glue->strerror ? p->glue->strerror(status) : "?");
        return false;
    }
    for (int i = 0; i < nout; i++)
        tensor_from_c(&out[i], outputs[i]);
    return check_fences(p, g, fences, out);
}

// "layers.3.k" is of "layers.{i}.k".
static bool is_turn_of(const char *path, const char *pattern)
{
    while (*pattern == *path && *path) {
        pattern++;
        path++;
    }
    if (*pattern != '{')
        return *pattern == *path;
    size_t digits = strspn(path, "0123456789");
    const char *rest = strchr(pattern, '}');
    return digits > 0 && rest && is_turn_of(path + digits, rest + 1);
}

static const State *state_of(const Module *m, const char *path)
{
    for (int i = 0; i < m->states.n; i++)
        if (is_turn_of(path, m->states.p[i]->path))
            return m->states.p[i];
    bug("the program has a state %s, the module has not", path);
}

bool program_state(Program *p, const char *path, Tensor *out)
{
    int64_t *dims = NEWN(p->job->arena, int64_t, p->module->dims.n + 1);
    for (int i = 0; i < p->glue->nstates; i++) {
        const tfx_glue_state *s = &p->glue->states[i];
        if (strcmp(s->path, path) != 0)
            continue;
        const Type *type = &state_of(p->module, path)->type;
        if (!tensor_of_type(p->job->arena, type, dims, out) ||
            tensor_bytes(out) != s->bytes ||
            s->offset + s->bytes > p->glue->state_bytes)
            bug("state %s does not lie in its region", path);
        tensor_from_c(out, p->state + s->offset);
        return true;
    }
    return false;
}
