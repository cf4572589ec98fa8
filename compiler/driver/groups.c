// groups.c - the matrices of a program whose formats can be chosen, and what each costs.

#include "candidate.h"
#include "choices.h"
#include "predict.h"

#include <string.h>

static const char *pattern_of(Arena *a, const Weight *w)
{
    const char *name = w->member ? w->member : w->path, *dot = strrchr(name, '.');
    if (dot && !strcmp(dot, ".weight"))
        name = arena_strndup(a, name, (size_t)(dot - name));
    for (const char *open; (open = strchr(name, '{')) != NULL;)
        name = arena_printf(a, "%.*s*%s", (int)(open - name), name,
                            open + strcspn(open, "}") + 1);
    return w->member ? name : arena_printf(a, "file:%s", name);
}

static void note_leaves(Arena *a, const Module *m, const Value *v, Group *g)
{
    if (v->op == OP_weight) {
        const Weight *w = value_weight(m, v);
        const char *p = w ? pattern_of(a, w) : "";
        for (int i = 0; i < g->patterns.n; i++)
            if (!strcmp(g->patterns.p[i], p))
                return;
        if (*p && !strchr(p, '"'))
            vec_push(a, &g->patterns, p);
    }
    for (int i = 0; i < v->nin; i++)
        note_leaves(a, m, v->in[i], g);
}

void groups_find(Arena *a, const Candidate *c, Groups *groups)
{
    const Prog *p = c->job.prog;
    for (int i = 0; i < p->packed.n; i++) {
        const Packed *k = p->packed.p[i];
        Group g = {.packed = k, .now = k->format, .count = k->n * k->k};
        Format f;
        if (k->format == FORMAT_plain || !tune_format(format_info[k->format].name, &f))
            continue;
        note_leaves(a, c->job.module, k->value, &g);
        if (g.patterns.n)
            vec_push(a, groups, g);
    }
}

// Costs are in parts of what all linears of an entry cost now: of several entries the
// geometric mean is what counts.
typedef struct Pricing {
    const Prog *prog;
    const int64_t *dims;
    const Rates *rates;
    const bool *formats;
    Groups *groups;
    double sum;  // of the linears so far
    double all;  // of the entry; 0: not known yet
} Pricing;

static void price_linear(Value *v, void *ctx)
{
    Pricing *p = ctx;
    const Packed *w = packed_of(p->prog, v);
    if (!w)
        return;
    double calls = calls_of(v, p->dims);
    p->sum += calls * predict_linear(v, w, w->format, p->dims, p->rates);
    for (int i = 0; p->all > 0 && i < p->groups->n; i++)
        for (int f = 0; p->groups->p[i].packed == w && f < FORMAT_COUNT; f++)
            if (p->formats[f])
                p->groups->p[i].cost[f] +=
                    calls * predict_linear(v, w, (Format)f, p->dims, p->rates) / p->all;
}

static void price_entry(const Candidate *c, int i, const bool *formats, const Rates *r,
                        Groups *groups)
{
    Graph *g = c->job.module->graphs.p[i];
    Pricing p = {.prog = c->job.prog,
                 .dims = c->dims[i],
                 .rates = r,
                 .formats = formats,
                 .groups = groups};
    graph_walk(g, price_linear, &p);
    p.all = p.sum;
    graph_walk(g, price_linear, &p);
}

bool groups_price(const Bed *b, Candidate *c, const Format *formats, int n,
                  Groups *groups)
{
    const Module *m = c->job.module;
    bool wanted[FORMAT_COUNT] = {false};
    int64_t weights = 0;
    Rates rates;
    for (int i = 0; i < m->graphs.n; i++) {
        if (!is_measured(b, m->graphs.p[i]))
            continue;
        int64_t reads = predict_reads(c->job.prog, m->graphs.p[i], c->dims[i], wanted);
        weights = reads > weights ? reads : weights;
    }
    if (weights == 0)
        return true;  // tables only
    for (int i = 0; i < n; i++)
        wanted[formats[i]] = true;
    if (!rates_measure(&rates, &c->job, wanted, weights, b->par))
        return false;
    for (int i = 0; i < m->graphs.n; i++)
        if (is_measured(b, m->graphs.p[i]))
            price_entry(c, i, wanted, &rates, groups);
    return true;
}
