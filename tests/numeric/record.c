// record.c - recording calls with the evaluator, and emitting the programs to judge.

#define _POSIX_C_SOURCE 200809L

#include "record.h"

#include "compiler/driver/random.h"
#include "compiler/driver/verify.h"
#include "compiler/infile.h"
#include "compiler/loop.h"
#include "compiler/stages.h"
#include "compiler/weights.h"
#include "replay.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const double tolerance = 2e-5;  // of the contract: absolute, and of the largest
static const double flips = 2e-2;      // where a byte may be rounded to the other side

typedef struct Recorder {
    Job *job;
    Oracle *oracle;
    FILE *file;
    Random random;
    int64_t at;  // where the cursor stands
    int32_t ncalls;
    bool reset;   // before the next call
    bool rounds;  // products round activations to bytes
    Text *why;
} Recorder;

// ---- the file --------------------------------------------------------------------------

static void put_i32(Recorder *r, int64_t x)
{
    int32_t y = (int32_t)x;
    fwrite(&y, sizeof(y), 1, r->file);
}

static void put_i64(Recorder *r, int64_t x)
{
    fwrite(&x, sizeof(x), 1, r->file);
}

static int dtype_code(DType d)
{
    switch (d) {
    case DT_i8:
        return REPLAY_I8;
    case DT_u8:
        return REPLAY_U8;
    case DT_i32:
        return REPLAY_I32;
    case DT_i64:
        return REPLAY_I64;
    case DT_f16:
        return REPLAY_F16;
    case DT_bf16:
        return REPLAY_BF16;
    default:
        return REPLAY_F32;
    }
}

// One unit of a float's storage is more than the contract when it is a short one.
static double limit_of(const Recorder *r, const Tensor *t)
{
    double largest = 0, relative = r->rounds ? flips : tolerance;
    if (dtype_info[t->dtype].kind != DK_FLOAT)
        return 0;
    if (t->dtype == DT_f16)
        relative = 0x1p-10;
    if (t->dtype == DT_bf16)
        relative = 0x1p-7;
    for (int64_t i = 0; i < t->n; i++)
        if (isfinite(t->data[i]))
            largest = fmax(largest, fabs(t->data[i]));
    return fmax(tolerance, relative * largest);
}

static void put_inputs(Recorder *r, const Graph *g, const Tensor *in)
{
    put_i32(r, g->body->params.n);
    for (int i = 0; i < g->body->params.n; i++) {
        size_t bytes = tensor_bytes(&in[i]);
        void *raw = arena_alloc(r->job->arena, bytes + 1);
        tensor_to_c(&in[i], raw);
        put_i64(r, (int64_t)bytes);
        fwrite(raw, 1, bytes, r->file);
    }
}

static void put_results(Recorder *r, const Graph *g, const Tensor *out, int status)
{
    put_i32(r, g->body->yields.n);
    for (int i = 0; i < g->body->yields.n; i++) {
        put_i32(r, dtype_code(g->body->yields.p[i]->type.dtype));
        put_i64(r, out[i].n);
        double limit = status ? 0 : limit_of(r, &out[i]);
        fwrite(&limit, sizeof(limit), 1, r->file);
        fwrite(out[i].data, sizeof(double), (size_t)out[i].n, r->file);
    }
}

// ---- calls -----------------------------------------------------------------------------

static bool passes_bound(const Recorder *r, const Graph *g, int64_t *dims)
{
    return g->cursor && r->at + size_eval(g->advance, dims) > g->cursor->hi;
}

// One call of these sizes. False if the evaluator cannot do it.
static bool record_call(Recorder *r, Graph *g, int number, int64_t *dims)
{
    Arena *a = r->job->arena;
    const char *reason = "";
    const Module *m = r->job->module;
    int nout = g->body->yields.n, status = 0;
    Tensor *in = NEWN(a, Tensor, g->body->params.n + 1);
    Tensor *out = NEWN(a, Tensor, nout + 1);
    if (r->reset) {
        oracle_reset(r->oracle);
        r->at = 0;
    }
    if (g->cursor)
        dims[g->cursor->id] = r->at;
    random_inputs(a, g, dims, random_bits(&r->random), in);
    if (passes_bound(r, g, dims)) {
        status = 1;
        for (int i = 0; i < nout; i++)
            if (!tensor_of_type(a, &g->body->yields.p[i]->type, dims, &out[i]))
                return false;
    } else if (!oracle_run(r->oracle, g, dims, in, out, &reason)) {
        text_printf(r->why, "entry %s: %s\n", g->name, reason);
        return false;
    }
    put_i32(r, number);
    put_i32(r, r->reset);
    put_i32(r, status);
    put_i32(r, m->dims.n);
    for (int i = 0; i < m->dims.n; i++)
        put_i32(r, dims[i]);
    put_inputs(r, g, in);
    put_results(r, g, out, status);
    if (g->cursor && status == 0)
        r->at += size_eval(g->advance, dims);
    r->ncalls++;
    r->reset = false;
    return true;
}

static int64_t a_value(const DimVar *d, int64_t at)
{
    int64_t first = d->lo + (d->by - d->lo % d->by) % d->by;
    at = at > d->hi ? d->hi : at;
    at -= at % d->by;
    return at < first ? first : at;
}

static void choose_dims(Recorder *r, int64_t *dims, int how)
{
    const Module *m = r->job->module;
    for (int i = 0; i < m->dims.n; i++) {
        const DimVar *d = m->dims.p[i];
        int64_t any = d->lo + random_below(&r->random, d->hi - d->lo + 1);
        dims[d->id] = a_value(d, how == 0   ? d->lo
                                 : how == 1 ? 7 + 4 * i
                                 : how == 2 ? d->hi
                                            : any);
    }
}

static bool has_memory(const Module *m)
{
    bool has = m->states.n > 0;
    for (int i = 0; i < m->graphs.n; i++)
        has = has || m->graphs.p[i]->cursor;
    return has;
}

// Each entry at the least, at odd and at the largest sizes; with memory, each three times
// in a row, and then all entries in turns.
static bool record_calls(Recorder *r)
{
    const Module *m = r->job->module;
    int64_t *dims = NEWN(r->job->arena, int64_t, m->dims.n + 1);
    int repeats = has_memory(m) ? 3 : 1;
    for (int i = 0; i < m->graphs.n; i++)
        for (int how = 0; how < (m->dims.n ? 3 : 1); how++) {
            r->reset = true;
            for (int k = 0; k < repeats; k++) {
                choose_dims(r, dims, k ? k : how);
                if (!record_call(r, m->graphs.p[i], i, dims))
                    return false;
            }
        }
    r->reset = true;
    for (int k = 0; repeats > 1 && k < 8; k++) {
        choose_dims(r, dims, k % 2 ? 3 : 1);
        if (!record_call(r, m->graphs.p[k % m->graphs.n], k % m->graphs.n, dims))
            return false;
    }
    return true;
}

static bool record_file(Job *job, const char *path, bool rounds, Text *why)
{
    Source s;
    if (!job_read(job, job->path, &s))
        return false;
    Recorder r = {
        .job = job, .why = why, .random = {hash_bytes(s.text, s.n)}, .rounds = rounds};
    r.file = fopen(path, "wb+");
    if (!r.file) {
        text_printf(why, "cannot write %s\n", path);
        return false;
    }
    r.oracle = oracle_new(job->arena, job->module, weights_source(job->weights));
    put_i32(&r, REPLAY_MAGIC);
    put_i32(&r, 0);
    bool ok = record_calls(&r);
    rewind(r.file);
    put_i32(&r, REPLAY_MAGIC);
    put_i32(&r, r.ncalls);
    oracle_free(r.oracle);
    return fclose(r.file) == 0 && ok;
}

// ---- models ----------------------------------------------------------------------------

static Job *new_job(Arena *a, Settings *s)
{
    Job *job = NEW(a, Job);
    job_init(job, s, a);
    return job;
}

// "// stored as bf16" in a model says how its checkpoint keeps floats.
static DType stored_as(Job *job)
{
    Source s;
    const char *mark = "// stored as ";
    const char *at = job_read(job, job->path, &s) ? strstr(s.text, mark) : NULL;
    for (int d = 0; at && d < DT_COUNT; d++) {
        const char *name = dtype_info[d].name;
        if (strncmp(at + strlen(mark), name, strlen(name)) == 0)
            return (DType)d;
    }
    return DT_COUNT;
}

// What stands behind "// recipe " in a model, or NULL.
static const char *recipe_of(Arena *a, const char *path)
{
    static const char mark[] = "// recipe ";
    const char *text, *why;
    size_t n;
    const char *at = file_read(a, path, &text, &n, &why) ? strstr(text, mark) : NULL;
    return at ? arena_printf(a, "%.*s", (int)strcspn(at, "\n") - (int)strlen(mark),
                             at + strlen(mark))
              : NULL;
}

static void find_rounded(Value *v, void *ctx)
{
    Format f;
    if (format_find(attr_str(v, "format", ""), &f) && format_info[f].rounds_x)
        *(bool *)ctx = true;
}

static bool rounds_rows(const Module *m)
{
    bool found = false;
    for (int i = 0; i < m->graphs.n; i++)
        graph_walk(m->graphs.p[i], find_rounded, &found);
    return found;
}

static bool init_and_record(Arena *a, const char *path, Trial *t, Text *why)
{
    Settings s;
    const char *recipe = recipe_of(a, path);
    settings_init(&s, a);
    s.weights = t->weights;
    if (recipe)
        vec_push(a, &s.recipes, recipe);
    Job *job = new_job(a, &s);
    bool ok = job_build(job, path) &&
              weights_init(job->module, t->weights, 1, stored_as(job), job->diag) &&
              job_open_weights(job, true) && (!recipe || job_optimize(job)) &&
              record_file(job, t->calls, rounds_rows(job->module), why);
    diag_print(job->diag, DIAG_TEXT, why);
    job_close(job);
    return ok;
}

static bool emit(Arena *a, const char *path, int level, Trial *t, Text *why)
{
    Settings s;
    Emitted e = {0};
    settings_init(&s, a);
    s.weights = t->weights;
    s.prefix = t->name;
    s.level = level;
    s.dispatch = t->dispatch;
    if (recipe_of(a, path))
        vec_push(a, &s.recipes, recipe_of(a, path));
    mkdir(t->folder, 0777);
    Job *job = new_job(a, &s);
    bool ok = job_build(job, path) && job_open_weights(job, true) &&
              job_check_weights(job) && job_emit_program(job, t->folder, &e);
    if (ok) {
        t->weights = e.weights;
        t->sources = e.sources;
        t->thread_bytes = job->prog->work_bytes;
    }
    diag_print(job->diag, DIAG_TEXT, why);
    job_close(job);
    return ok;
}

bool record_model(Arena *a, const char *path, const char *root, const char *name,
                  const char *levels, TrialList *trials, Text *why)
{
    Guard g;
    volatile bool ok = false;
    Trial t = {.weights = arena_printf(a, "%s/%s.safetensors", root, name),
               .calls = arena_printf(a, "%s/%s.calls", root, name)};
    if (GUARD_SET(&g)) {
        text_printf(why, "a bug of the compiler: %s\n", g.message);
        return false;
    }
    ok = init_and_record(a, path, &t, why);
    for (const char *l = levels; ok && *l; l += 1 + (l[1] == 'd')) {
        Trial one = t;
        if (*l == '0' && recipe_of(a, path))
            continue;  // recipes need the passes
        one.dispatch = l[1] == 'd';
        one.name = arena_printf(a, "%s_O%c", name, *l);
        one.folder = arena_printf(a, "%s/%s", root, one.name);
        ok = emit(a, path, *l - '0', &one, why);
        if (ok)
            vec_push(a, trials, one);
    }
    guard_drop(&g);
    return ok;
}
