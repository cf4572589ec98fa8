// cmd_run.c - run and verify: verbs that build the emitted program and call it.

#include "commands.h"

#include "compiler/driver/program.h"
#include "compiler/driver/verify.h"
#include "compiler/stages.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

// From a file's name to a program that can be called. False after reporting.
static bool load(Command *c, Program *p, const char *path)
{
    Job *job = c->job;
    return job_build(job, path) && job_open_weights(job, true) &&
           job_check_weights(job) && program_load(p, job);
}

// ---- verify ------------------------------------------------------------------------------------

static int verify_loaded(Command *c, Program *p)
{
    Tally t = {.out = &c->out};
    bool ok = c->set->golden ? verify_golden(c->job, p, c->set->golden, &t)
                             : verify_oracle(c->job, p, c->job->weights, &t);
    if (t.cases > 0)
        text_printf(&c->out, "%d of %d cases agree\n", t.cases - t.failed, t.cases);
    if (!ok)
        return EXIT_DIAGNOSTICS;
    return t.failed ? EXIT_MISMATCH : EXIT_OK;
}

int cmd_verify(Command *c)
{
    Program p;
    const char *path = only_word(c, "a model");
    if (!path)
        return EXIT_USAGE;
    if (!load(c, &p, path))
        return finish(c, EXIT_DIAGNOSTICS);
    int status = verify_loaded(c, &p);
    program_unload(&p);
    return finish(c, status);
}

// ---- run ---------------------------------------------------------------------------------------

Graph *choose_entry(Command *c)
{
    Module *m = c->job->module;
    const Loc nowhere = {0, 0};
    if (!c->set->entry && m->graphs.n == 1)
        return m->graphs.p[0];
    Graph *g = c->set->entry ? module_graph(m, c->set->entry) : NULL;
    if (g)
        return g;
    Text names;
    text_init(&names, c->arena);
    for (int i = 0; i < m->graphs.n; i++)
        text_printf(&names, "%s%s", i ? ", " : "", m->graphs.p[i]->name);
    if (c->set->entry)
        diag_error(c->job->diag, nowhere, E0817, "there is no entry '%s'; there are %s",
                   c->set->entry, names.p);
    else
        diag_error(c->job->diag, nowhere, E0817, "choose with --entry: %s", names.p);
    return NULL;
}

static bool read_inputs(Command *c, const Graph *g, Tensor *in)
{
    const Loc nowhere = {0, 0};
    Checkpoint *ck = ckpt_open(c->arena, c->job->diag, c->set->input, nowhere);
    bool ok = ck != NULL;
    for (int i = 0; ok && i < g->body->params.n; i++) {
        const Value *p = g->body->params.p[i];
        const CkptTensor *t = ckpt_find(ck, p->name);
        if (!t || t->rank > MAX_RANK) {
            diag_error(c->job->diag, nowhere, E0817, "%s has no tensor '%s'",
                       c->set->input, p->name);
            ok = false;
            break;
        }
        in[i] = tensor_make(c->arena, p->type.dtype, t->rank, t->dim);
        ok = ckpt_read_f64(ck, t, 0, t->count, in[i].data);
    }
    ckpt_close(ck);
    if (ok)
        job_input(c->job, c->set->input);
    return ok;
}

static bool make_inputs(Command *c, const Graph *g, int64_t *dims, Tensor *in)
{
    const Module *m = c->job->module;
    const char *why = NULL;
    if (!c->set->input) {
        for (int i = 0; i < m->dims.n; i++)
            dims[i] = m->dims.p[i]->hi;
        if (g->cursor)
            dims[g->cursor->id] = 0;
        random_inputs(c->arena, g, dims, c->set->seed, in);
        return true;
    }
    if (!read_inputs(c, g, in))
        return false;
    if (!bind_dims(c->job, g, in, dims, &why)) {
        diag_error(c->job->diag, (Loc){0, 0}, E0817, "%s: %s", c->set->input, why);
        return false;
    }
    return true;
}

static void sum_up(Command *c, const char *name, const Tensor *t)
{
    double low = HUGE_VAL, high = -HUGE_VAL, sum = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < t->n; i++) {
        sum += t->data[i];
        low = fmin(low, t->data[i]);
        if (t->data[i] > high) {
            high = t->data[i];
            at = i;
        }
    }
    text_printf(&c->out, "%s: %s%s", name, dtype_info[t->dtype].name,
                shape_str(c->arena, t));
    if (t->n > 0)
        text_printf(&c->out,
                    "  min %.6g  max %.6g at %" PRId64 "  mean %.6g  first %.6g", low,
                    high, at, sum / (double)t->n, t->data[0]);
    text_puts(&c->out, "\n");
}

static bool write_results(Command *c, const Graph *g, const Tensor *out)
{
    StWriter *w = stw_new(c->arena, c->job->diag, c->set->output);
    for (int i = 0; i < g->body->yields.n; i++)
        stw_tensor(w, g->result_names.p[i], st_of(out[i].dtype), out[i].rank,
                   out[i].dim, 1);
    bool ok = stw_begin(w, c->job->weights);
    for (int i = 0; ok && i < g->body->yields.n; i++) {
        void *raw = arena_alloc(c->arena, tensor_bytes(&out[i]));
        tensor_to_c(&out[i], raw);
        ok = stw_put(w, raw, (int64_t)tensor_bytes(&out[i]));
    }
    if (!ok) {
        stw_drop(w);
        return false;
    }
    return stw_end(w);
}

static bool run_loaded(Command *c, Program *p, const Graph *g)
{
    Arena *a = c->arena;
    int64_t *dims = NEWN(a, int64_t, c->job->module->dims.n + 1);
    Tensor *in = NEWN(a, Tensor, g->body->params.n + 1);
    Tensor *out = NEWN(a, Tensor, g->body->yields.n + 1);

    if (!make_inputs(c, g, dims, in))
        return false;
    for (int i = 0; i < g->body->yields.n; i++)
        if (!tensor_of_type(a, &g->body->yields.p[i]->type, dims, &out[i]))
            bug("result %s has no size to allocate", g->result_names.p[i]);
    if (!program_call(p, g, dims, in, out)) {
        diag_error(c->job->diag, (Loc){0, 0}, E0818, "%s", p->why);
        return false;
    }
    if (c->set->output && strcmp(c->set->output, "-") != 0)
        return write_results(c, g, out);
    for (int i = 0; i < g->body->yields.n; i++)
        sum_up(c, g->result_names.p[i], &out[i]);
    return true;
}

int cmd_run(Command *c)
{
    Program p;
    const char *path = only_word(c, "a model");
    if (!path)
        return EXIT_USAGE;
    if (!load(c, &p, path))
        return finish(c, EXIT_DIAGNOSTICS);
    Graph *g = choose_entry(c);
    if (g)
        run_loaded(c, &p, g);
    program_unload(&p);
    return finish(c, EXIT_OK);
}
