// golden.c - reading a golden file into cases, and finding the entry a case is for.

#include "golden.h"

#include <inttypes.h>
#include <string.h>

// ---- reading -------------------------------------------------------------------------------

// "input.case3.tokens": side "input", name "case3", rest "tokens". False for other names.
static bool split_name(Arena *a, const char *name, bool *is_input, const char **of,
                       const char **rest)
{
    if (strncmp(name, "input.", 6) == 0)
        *is_input = true;
    else if (strncmp(name, "output.", 7) == 0)
        *is_input = false;
    else
        return false;
    const char *word = strchr(name, '.') + 1;
    size_t n = strcspn(word, ".");
    if (strncmp(word, "case", 4) != 0 || n == 4 || word[n] != '.' ||
        strspn(word + 4, "0123456789") != n - 4)
        return false;
    *of = arena_strndup(a, word, n);
    *rest = word + n + 1;
    return true;
}

static Case *find_case(Arena *a, CaseList *cases, const char *name)
{
    for (int i = 0; i < cases->n; i++)
        if (strcmp(cases->p[i].name, name) == 0)
            return &cases->p[i];
    Case c = {.name = name};
    vec_push(a, cases, c);
    return &cases->p[cases->n - 1];
}

static bool read_tensor(Job *job, Checkpoint *ck, const CkptTensor *from, Tensor *t)
{
    DType d = st_info[from->type].dtype;
    if (st_info[from->type].kind == SK_FLOAT && d == DT_COUNT)
        d = DT_f32;  // F64
    if (d == DT_COUNT || from->rank > MAX_RANK) {
        diag_error(job->diag, (Loc){0, 0}, E0814,
                   "%s: %s of %s and rank %d cannot be used", ckpt_path(ck), from->name,
                   st_info[from->type].name, from->rank);
        return false;
    }
    *t = tensor_make(job->arena, d, from->rank, from->dim);
    return ckpt_read_f64(ck, from, 0, from->count, t->data);
}

static bool add_tensor(Job *job, Checkpoint *ck, const CkptTensor *from,
                       CaseList *cases)
{
    bool is_input;
    const char *of, *rest;
    Named named;
    if (!split_name(job->arena, from->name, &is_input, &of, &rest))
        return true;
    Case *c = find_case(job->arena, cases, of);
    NamedList *to = is_input ? &c->inputs : &c->outputs;
    if (!is_input && strncmp(rest, "state.", 6) == 0) {
        rest += 6;
        to = &c->states;
    } else if (!is_input && strchr(rest, '.')) {
        return true;
    }
    named.name = arena_strdup(job->arena, rest);
    if (!read_tensor(job, ck, from, &named.t))
        return false;
    vec_push(job->arena, to, named);
    return true;
}

static int case_number(const Case *c)
{
    int n = 0;
    for (const char *s = c->name + 4; *s; s++)
        n = n < 100000000 ? n * 10 + (*s - '0') : n;
    return n;
}

static void sort_cases(CaseList *cases)
{
    for (int i = 1; i < cases->n; i++)
        for (int k = i; k > 0; k--) {
            Case c = cases->p[k];
            if (case_number(&cases->p[k - 1]) <= case_number(&c))
                break;
            cases->p[k] = cases->p[k - 1];
            cases->p[k - 1] = c;
        }
}

bool golden_read(Job *job, const char *path, CaseList *cases)
{
    Checkpoint *ck = ckpt_open(job->arena, job->diag, path, (Loc){0, 0});
    bool ok = ck != NULL;
    for (int i = 0; ok && i < ckpt_count(ck); i++)
        ok = add_tensor(job, ck, ckpt_tensor(ck, i), cases);
    ckpt_close(ck);
    if (!ok)
        return false;
    job_input(job, path);
    sort_cases(cases);
    if (cases->n == 0) {
        diag_error(job->diag, (Loc){0, 0}, E0816, "%s has no input.case<N>.<param>",
                   path);
        return false;
    }
    return true;
}

// ---- the entry of a case -----------------------------------------------------------------------

static const Tensor *find_named(const NamedList *list, const char *name)
{
    for (int i = 0; i < list->n; i++)
        if (strcmp(list->p[i].name, name) == 0)
            return &list->p[i].t;
    return NULL;
}

// The result whose rows an input called <name>_positions chooses, or -1.
static int rows_of_result(const Graph *g, const char *input)
{
    const char *suffix = "_positions";
    size_t n = strlen(input), k = strlen(suffix);
    if (n <= k || strcmp(input + n - k, suffix) != 0)
        return -1;
    for (int i = 0; i < g->body->yields.n; i++)
        if (strncmp(g->result_names.p[i], input, n - k) == 0)
            return i;
    return -1;
}

static int find_param(const Graph *g, const char *name)
{
    for (int i = 0; i < g->body->params.n; i++)
        if (strcmp(g->body->params.p[i]->name, name) == 0)
            return i;
    return -1;
}

static int find_result(const Graph *g, const char *name)
{
    for (int i = 0; i < g->result_names.n; i++)
        if (strcmp(g->result_names.p[i], name) == 0)
            return i;
    return -1;
}

static bool take_inputs(Job *job, const Case *c, const Graph *g, Call *call,
                        const char **why)
{
    for (int i = 0; i < g->body->params.n; i++) {
        const Value *p = g->body->params.p[i];
        const Tensor *t = find_named(&c->inputs, p->name);
        if (!t) {
            *why = arena_printf(job->arena, "the case has no input.%s.%s", c->name,
                                p->name);
            return false;
        }
        call->in[i] = *t;
        call->in[i].dtype = p->type.dtype;
        if ((dtype_info[t->dtype].kind == DK_FLOAT) !=
            (dtype_info[p->type.dtype].kind == DK_FLOAT)) {
            *why = arena_printf(job->arena, "%s is %s in the file, %s in the model",
                                p->name, dtype_info[t->dtype].name,
                                dtype_info[p->type.dtype].name);
            return false;
        }
    }
    for (int i = 0; i < c->inputs.n; i++) {
        int r = rows_of_result(g, c->inputs.p[i].name);
        if (find_param(g, c->inputs.p[i].name) >= 0)
            continue;
        if (r < 0 || c->inputs.p[i].t.rank != 1) {
            *why =
                arena_printf(job->arena, "it has no parameter %s", c->inputs.p[i].name);
            return false;
        }
        call->rows[r] = &c->inputs.p[i].t;
    }
    return true;
}

// Does the expected tensor have the shape of the result, or of the rows asked for?
static bool fits_result(Job *job, const Call *call, int r, const Tensor *t,
                        const char **why)
{
    const Type *type = &call->graph->body->yields.p[r]->type;
    bool ok = t->rank == type->rank;
    for (int k = 0; ok && k < t->rank; k++) {
        int64_t n = size_eval(type->dim[k].size, call->dims);
        ok = t->dim[k] == (k == 0 && call->rows[r] ? call->rows[r]->n : n);
    }
    for (int64_t i = 0; ok && call->rows[r] && i < call->rows[r]->n; i++) {
        double row = call->rows[r]->data[i];
        ok = row >= 0 && row < (double)size_eval(type->dim[0].size, call->dims);
    }
    if (!ok)
        *why = arena_printf(job->arena, "%s is %s, its result %s",
                            call->graph->result_names.p[r], shape_str(job->arena, t),
                            type_str(type, job->arena));
    return ok;
}

static bool fits_entry(Job *job, const Case *c, const Graph *g, Call *call,
                       const char **why)
{
    Arena *a = job->arena;
    int nout = g->body->yields.n;
    *call = (Call){.graph = g};
    call->dims = NEWN(a, int64_t, job->module->dims.n + 1);
    call->in = NEWN(a, Tensor, g->body->params.n + 1);
    call->expected = NEWN(a, const Tensor *, nout + 1);
    call->rows = NEWN(a, const Tensor *, nout + 1);

    if (!take_inputs(job, c, g, call, why) ||
        !bind_dims(job, g, call->in, call->dims, why))
        return false;
    for (int i = 0; i < c->outputs.n; i++) {
        int r = find_result(g, c->outputs.p[i].name);
        if (r < 0) {
            *why = arena_printf(a, "it has no result %s", c->outputs.p[i].name);
            return false;
        }
        if (!fits_result(job, call, r, &c->outputs.p[i].t, why))
            return false;
        call->expected[r] = &c->outputs.p[i].t;
    }
    return true;
}

// Several fit: `only` decides, else an error that names them.
static bool choose(Job *job, const Case *c, const char *only, const Call *fits, int n,
                   Call *call)
{
    Text names;
    text_init(&names, job->arena);
    for (int i = 0; i < n; i++) {
        text_printf(&names, "%s%s", i ? " and " : "", fits[i].graph->name);
        if (n > 1 && (!only || strcmp(only, fits[i].graph->name) != 0))
            continue;
        *call = fits[i];
        return true;
    }
    diag_error(job->diag, (Loc){0, 0}, E0815, "%s fits %s", c->name, names.p);
    diag_hint(job->diag, (Loc){0, 0}, "choose with --entry");
    return false;
}

bool golden_call(Job *job, const Case *c, const char *only, Call *call)
{
    int n = 0, all = job->module->graphs.n;
    Call *fits = NEWN(job->arena, Call, all + 1);
    Text refused;
    text_init(&refused, job->arena);
    for (int i = 0; i < all; i++) {
        const char *why = NULL;
        const Graph *g = job->module->graphs.p[i];
        if (fits_entry(job, c, g, &fits[n], &why))
            n++;
        else
            text_printf(&refused, "%s%s: %s", refused.n ? "; " : "", g->name, why);
    }
    if (n > 0)
        return choose(job, c, only, fits, n, call);
    diag_error(job->diag, (Loc){0, 0}, E0814, "%s fits no entry (%s)", c->name,
               refused.p);
    return false;
}
