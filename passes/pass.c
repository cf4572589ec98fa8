// pass.c - runs the rows of passes.def and checks the graph after each.

#include "pass.h"

#include <string.h>
#include <time.h>

enum { MAX_PASSES = 256 };

enum {
#define PROPERTY(name, doc) INDEX_##name,
#define PASS(name, needs, breaks, kind, doc)
#include "passes.def"
#undef PROPERTY
#undef PASS
    PROPERTY_COUNT
};

enum {
#define PROPERTY(name, doc) name = 1 << INDEX_##name,
#define PASS(name, needs, breaks, kind, doc)
#include "passes.def"
#undef PROPERTY
#undef PASS
};

static const char *const property_doc[] = {
#define PROPERTY(name, doc) doc,
#define PASS(name, needs, breaks, kind, doc)
#include "passes.def"
#undef PROPERTY
#undef PASS
};

static const PassInfo rows[] = {
#define PROPERTY(name, doc)
#define PASS(name, needs, breaks, kind, doc)                                           \
    {#name, needs, breaks, PASS_##kind, doc, pass_##name},
#include "passes.def"
#undef PROPERTY
#undef PASS
};

const PassInfo *pass_row(int i)
{
    return i >= 0 && i < COUNT(rows) ? &rows[i] : NULL;
}

bool passes_check(const PassInfo *const *row, int n, Text *why)
{
    const PassInfo *broken_by[PROPERTY_COUNT] = {NULL};
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < PROPERTY_COUNT; k++)
            if ((row[i]->needs >> k & 1) && broken_by[k]) {
                text_printf(why, "%s cannot run after %s: it needs that %s",
                            row[i]->name, broken_by[k]->name, property_doc[k]);
                return false;
            }
        for (int k = 0; k < PROPERTY_COUNT; k++)
            if (row[i]->breaks >> k & 1)
                broken_by[k] = row[i];
    }
    return true;
}

// ---- which passes ----------------------------------------------------------------------

typedef struct Run {
    const PassInfo *pass[MAX_PASSES];
    int n;
} Run;

static const PassInfo *find_pass(Diag *d, const char *name, const char *option)
{
    const char *names[COUNT(rows)];
    for (int i = 0; i < COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
        names[i] = rows[i].name;
    }
    diag_error(d, (Loc){0, 0}, E0005, "%s: there is no pass '%s'", option, name);
    const char *near = nearest(name, names, COUNT(rows));
    if (near)
        diag_hint(d, (Loc){0, 0}, "did you mean '%s'?", near);
    return NULL;
}

static bool read_list(const char *list, Arena *scratch, Diag *d, Run *run)
{
    if (strcmp(list, "none") == 0)
        return true;
    for (const char *s = list; *s;) {
        size_t n = strcspn(s, ",");
        const PassInfo *p = find_pass(d, arena_strndup(scratch, s, n), "--passes");
        if (!p)
            return false;
        if (run->n == MAX_PASSES) {
            diag_error(d, (Loc){0, 0}, E0006, "--passes: over %d passes", MAX_PASSES);
            return false;
        }
        run->pass[run->n++] = p;
        s += n + (s[n] == ',');
    }
    return true;
}

static const char *bare(const char *name)
{
    return strncmp(name, "no-", 3) == 0 ? name + 3 : name;
}

static bool is_off(const PassOptions *o, const char *name)
{
    for (int i = 0; i < o->noff; i++)
        if (strcmp(bare(o->off[i]), name) == 0)
            return true;
    return false;
}

static bool choose(const PassOptions *o, Arena *scratch, Diag *d, Run *run)
{
    for (int i = 0; i < o->noff; i++)
        if (!find_pass(d, bare(o->off[i]), "-fno-PASS"))
            return false;
    for (int i = 0; i < o->nprint_after; i++)
        if (strcmp(o->print_after[i], "all") != 0 &&
            !find_pass(d, o->print_after[i], "--print-after"))
            return false;
    Run all = {.n = 0};
    if (o->list) {
        if (!read_list(o->list, scratch, d, &all))
            return false;
    } else {
        for (int i = 0; i < COUNT(rows); i++)
            all.pass[all.n++] = &rows[i];
    }
    for (int i = 0; i < all.n; i++)
        if (!is_off(o, all.pass[i]->name))
            run->pass[run->n++] = all.pass[i];
    Text why;
    text_init(&why, scratch);
    if (passes_check(run->pass, run->n, &why))
        return true;
    diag_error(d, (Loc){0, 0}, E0006, "%s", why.p);
    return false;
}

// ---- running ---------------------------------------------------------------------------

static double seconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void count_one(Value *v, void *ctx)
{
    *(int *)ctx += v->op != OP_param;
}

static int count_values(const Module *m)
{
    int n = 0;
    for (int i = 0; i < m->graphs.n; i++)
        graph_walk(m->graphs.p[i], count_one, &n);
    return n;
}

static bool wants_print(const PassOptions *o, const char *name)
{
    for (int i = 0; i < o->nprint_after; i++)
        if (strcmp(o->print_after[i], "all") == 0 ||
            strcmp(o->print_after[i], name) == 0)
            return true;
    return false;
}

static void print_graph(const PassOptions *o, const Module *m, const PassInfo *p,
                        bool changed, Arena *scratch)
{
    Text t;
    text_init(&t, scratch);
    text_printf(&t, "// after %s%s\n", p->name, changed ? "" : ": no change");
    ir_print(m, &t);
    text_puts(&t, "\n");
    o->write(o->ctx, t.p);
}

static void check_graph(const Module *m, const char *pass, Arena *scratch)
{
    Text why;
    text_init(&why, scratch);
    if (!ir_verify(m, &why))
        bug("after pass %s: %.*s", pass, (int)strcspn(why.p, "\n"), why.p);
}

// One pass; false when it reported an error.
static bool run_pass(PassContext *c, const PassOptions *o, const PassInfo *p,
                     Text *times)
{
    int errors = diag_errors(c->diag);
    double start = seconds();
    bool changed = p->run(c);
    double time = seconds() - start;
    check_graph(c->module, p->name, c->scratch);
    if (o->write && wants_print(o, p->name))
        print_graph(o, c->module, p, changed, c->scratch);
    text_printf(times, "%-12s %9.3f ms %7d values%s\n", p->name, 1e3 * time,
                count_values(c->module), changed ? "" : "  no change");
    return diag_errors(c->diag) == errors;
}

// The same with an arena of its own, which does not outlive it, come what may.
static bool run_apart(Module *m, const PassOptions *o, Diag *d, const PassInfo *p,
                      Text *times)
{
    Arena *scratch = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_free(scratch);
        guard_again(&guard);
    }
    PassContext c = {.module = m, .diag = d, .scratch = scratch, .weights = o->weights};
    bool fine = run_pass(&c, o, p, times);
    guard_drop(&guard);
    arena_free(scratch);
    return fine;
}

static bool run_all(Module *m, const PassOptions *o, Diag *d, Arena *scratch)
{
    Run run = {.n = 0};
    Text times;
    text_init(&times, scratch);
    if (!choose(o, scratch, d, &run))
        return false;
    check_graph(m, "none", scratch);
    for (int i = 0; i < run.n; i++)
        if (!run_apart(m, o, d, run.pass[i], &times))
            return false;
    if (o->time_passes && o->write)
        o->write(o->ctx, times.p);
    return true;
}

bool passes_run(Module *m, const PassOptions *o, Diag *d)
{
    Arena *scratch = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_free(scratch);
        guard_again(&guard);
    }
    bool fine = run_all(m, o, d, scratch);
    guard_drop(&guard);
    arena_free(scratch);
    return fine;
}
