// tuner.c - tries choices on this machine.

#include "tuner.h"

#include "candidate.h"
#include "choices.h"
#include "compiler/stages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double FASTER = 0.985, WON = 0.7;  // less than that is noise

typedef struct Search {
    Tuner *t;
    Arena *arena;
    Bed bed;
    Candidate *best;
    double start, longest;  // of one try
} Search;

// ---- tries ----------------------------------------------------------------------------------------

static double spent(const Search *s)
{
    return (now_ns() - s->start) / 1e9;
}

static void tell(const Search *s, const char *what)
{
    const Tuner *t = s->t;
    if (t->progress)
        t->progress(t->ctx, arena_printf(s->arena, "%d tried, %.0f of %.0f s: %s",
                                         t->tries.n, spent(s), t->seconds, what));
}

// The candidate takes the place of the best, and its threads.
static bool crown(Search *s, Candidate *c)
{
    int threads = s->best->timed.par.threads;
    if (!c)
        bug("no candidate to take the place of the best");
    candidate_close(s->best);
    s->best = c;
    s->t->best = c->tune;
    s->bed.par = &c->timed.par;
    return timed_start(&c->timed, threads);
}

// True when the program with these choices is the best from now on.
static bool try_tune(Search *s, const Tune *tune, const char *what)
{
    TuneTry it = {.what = what};
    Duel d = {0};
    double began = now_ns(), error = 0;
    bool first = s->t->tries.n == 0 && s->t->seconds > 0;  // one is always made
    if (!first && spent(s) + s->longest / 1e9 > s->t->seconds) {
        s->t->left++;
        return false;
    }
    tell(s, what);
    Candidate *c = candidate_open(&s->bed, tune, 0, &it.refused);
    if (c && !outputs_agree(&s->bed, c, &error))
        it.refused = arena_printf(s->arena, "outputs differ by %.2g", error);
    if (c && !it.refused && !duel_all(&s->bed, s->best, c, &d, NULL))
        it.refused = "it does not run";
    if (!it.refused) {
        it.ratio = d.ratio;
        it.kept = d.ratio < FASTER && d.won >= WON;
    }
    if (it.kept) {
        it.kept = crown(s, c);
        s->t->error = error;
    } else {
        candidate_close(c);
    }
    s->longest = fmax(s->longest, now_ns() - began);
    vec_push(s->arena, &s->t->tries, it);
    return it.kept;
}

// ---- numbers and passes -----------------------------------------------------------------------

typedef struct Calls {
    const char *of;
    bool yes;
} Calls;

static void note_kernel(LStmt *st, void *ctx)
{
    Calls *c = ctx;
    c->yes |= st->kind == LS_KERNEL && !strncmp(st->name, c->of, strlen(c->of));
}

static bool program_calls(const Prog *p, const char *of)
{
    Calls c = {of, false};
    for (int i = 0; i < p->funcs.n; i++)
        lstmts_walk(&p->funcs.p[i]->body, note_kernel, &c);
    return c.yes;
}

static void try_number(Search *s, TuneKey k)
{
    const TuneInfo *info = &tune_info[k];
    char *end;
    if (!program_calls(s->best->job.prog, info->of))
        return;
    if (k == TUNE_linear_tasks && s->best->timed.par.threads < 2)
        return;
    for (const char *at = info->tried; *at; at = end + strspn(end, " ")) {
        Tune tune = s->t->best;
        tune.value[k] = strtoll(at, &end, 10);
        if (tune.value[k] == s->t->best.value[k])
            continue;
        try_tune(
            s, &tune,
            arena_printf(s->arena, "%s %lld", info->name, (long long)tune.value[k]));
    }
}

static void try_pass(Search *s, int i)
{
    Tune tune = s->t->best;
    tune.off[i] = true;
    try_tune(s, &tune, arena_printf(s->arena, "pass %s off", tune_pass[i]));
}

// ---- formats ------------------------------------------------------------------------------------

static void add_steps(Search *s, Tune *t, const Group *g, const char *format)
{
    Tune old = *t;
    t->steps.p = NULL;
    t->steps.n = t->steps.cap = 0;
    for (int i = 0; i < old.steps.n; i++) {
        bool same = false;
        for (int k = 0; k < g->patterns.n; k++)
            same = same || !strcmp(g->patterns.p[k], old.steps.p[i]->pattern);
        if (!same)
            vec_push(s->arena, &t->steps, old.steps.p[i]);
    }
    for (int k = 0; k < g->patterns.n; k++) {
        Step *step = NEW(s->arena, Step);
        *step = (Step){
            .kind = STEP_quantize, .pattern = g->patterns.p[k], .format = format};
        vec_push(s->arena, &t->steps, step);
    }
}

static const char *choice_text(Search *s, const Group *g, Format f)
{
    Text t;
    text_init(&t, s->arena);
    for (int i = 0; i < g->patterns.n; i++)
        text_printf(&t, "%s%s", i ? ", " : "", g->patterns.p[i]);
    text_printf(&t, " %s", format_info[f].name);
    return t.p;
}

static void try_choice(Search *s, Groups *groups, const Choice *c)
{
    Group *g = &groups->p[c->group];
    const char *what = choice_text(s, g, c->format);
    double ratio = choice_ratio(groups, c);
    Tune tune = s->t->best;
    if (c->format == g->now)
        return;
    if (choice_is_slow(ratio)) {
        TuneTry it = {.what = what, .ratio = ratio};
        vec_push(s->arena, &s->t->left_out, it);
        return;
    }
    add_steps(s, &tune, g, format_info[c->format].name);
    if (try_tune(s, &tune, what))
        g->now = c->format;
}

// False after reporting.
static bool try_formats(Search *s)
{
    const StrList *names = &s->t->job->set->formats;
    Format *formats = NEWN(s->arena, Format, names->n + 1);
    Groups groups = {NULL, 0, 0};
    Choices choices = {NULL, 0, 0};
    for (int i = 0; i < names->n; i++)
        tune_format(names->p[i], &formats[i]);
    groups_find(s->arena, s->best, &groups);
    if (names->n == 0 || groups.n == 0)
        return true;
    tell(s, "what formats cost");
    if (!groups_price(&s->bed, s->best, formats, names->n, &groups)) {
        diag_error(s->t->job->diag, (Loc){0, 0}, E0818,
                   "the kernels of the formats cannot be measured");
        return false;
    }
    choices_make(s->arena, &groups, formats, names->n, &choices);
    for (int i = 0; i < choices.n; i++)
        try_choice(s, &groups, &choices.p[i]);
    return true;
}

// ---- the search -------------------------------------------------------------------------------------

static const char *dims_text(Arena *a, const Module *m, const Graph *g)
{
    Text t;
    text_init(&t, a);
    for (int i = 0; i < m->dims.n; i++)
        if (m->dims.p[i] != g->cursor)
            text_printf(&t, "%s%s=%lld", t.n ? " " : "", m->dims.p[i]->name,
                        (long long)m->dims.p[i]->hi);
    return t.p;
}

static void note_times(Search *s, const Duel *each)
{
    const Module *m = s->t->job->module;
    for (int i = 0; i < m->graphs.n; i++) {
        const Graph *g = m->graphs.p[i];
        TuneTime x = {g->name, dims_text(s->arena, m, g), each[i].a_ns, each[i].b_ns};
        if (is_measured(&s->bed, g))
            vec_push(s->arena, &s->t->times, x);
    }
}

// The best against the untuned program; when it is not faster after all, nothing is chosen.
static bool conclude(Search *s)
{
    Tuner *t = s->t;
    const Tune none = {.file = NULL};
    Duel all, *each = NEWN(s->arena, Duel, t->job->module->graphs.n + 1);
    const char *why = "it does not run";
    for (int i = 0; i < t->tries.n; i++)
        t->kept += t->tries.p[i].kept;
    Candidate *plain = t->kept ? candidate_open(&s->bed, &none, 0, &why) : s->best;
    bool ok = plain && duel_all(&s->bed, plain, s->best, &all, each);
    if (ok)
        note_times(s, each);
    else
        diag_error(t->job->diag, (Loc){0, 0}, E0818, "the untuned program: %s", why);
    if (ok && t->kept && all.ratio >= 1) {
        t->best = none;
        t->error = t->kept = 0;
    }
    if (plain != s->best)
        candidate_close(plain);
    return ok;
}

bool tuner_run(Tuner *t)
{
    const Tune none = {.file = NULL};
    const char *why = "it does not run";
    Search s = {.t = t, .arena = t->job->arena, .start = now_ns()};
    s.bed = (Bed){.arena = s.arena, .job = t->job, .path = t->path, .only = t->only};
    t->best = none;
    if (!job_read(t->job, t->path, &s.bed.source))
        return false;
    s.best = candidate_open(&s.bed, &none, t->threads, &why);
    s.longest = now_ns() - s.start;
    if (!s.best || !note_outputs(&s.bed, s.best)) {
        diag_error(t->job->diag, (Loc){0, 0}, E0818, "the untuned program: %s", why);
        candidate_close(s.best);
        return false;
    }
    s.bed.par = &s.best->timed.par;
    t->threads = s.bed.par->threads;
    if (!try_formats(&s)) {
        candidate_close(s.best);
        return false;
    }
    for (int i = 0; i < TUNE_PASSES; i++)
        try_pass(&s, i);
    for (int i = 0; i < TUNE_COUNT; i++)
        try_number(&s, (TuneKey)i);
    bool ok = conclude(&s);
    candidate_close(s.best);
    return ok;
}
