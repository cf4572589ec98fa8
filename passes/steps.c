// steps.c - what the passes of recipes share: the matrices that a step chooses.
//
// A weight inside a repeat is one value for all turns, so a step has all of its turns or
// none. A table that rows are gathered from can be quantized, whether or not a linear reads
// it too. A weight that is read in another way stays as it is, since it has one storage: a
// tied embedding is neither factored nor pruned.

#include "pass.h"

#include <string.h>

// ---- weights ---------------------------------------------------------------------------

const Weight *linear_weight(const Module *m, const Value *linear)
{
    const Value *w = linear->in[linear->op == OP_linear];
    while (w->op != OP_weight && w->nin > 0)
        w = w->in[0];
    return w->op == OP_weight ? value_weight(m, w) : NULL;
}

const char *weight_member(const Weight *w)
{
    return w->member ? w->member : w->path;
}

typedef struct Chosen {
    PassContext *c;
    const Step *step;
    const Weight *weight;
    int yes, no;  // turns
    Map *names;   // of tensors in the file, in all linears so far
} Chosen;

// All turns of the repeats around region r.
static void try_turns(Chosen *x, const char *member, const char *path, const Region *r)
{
    Arena *a = x->c->scratch;
    const Value *v = NULL;
    for (; r && !(r->owner && r->owner->op == OP_repeat); r = v->region)
        if (!(v = r->owner))
            break;
    if (!r || !r->owner) {
        if (!step_chooses(x->step, member, path)) {
            x->no++;
        } else {
            x->yes++;
            map_set(x->names, path, x);
        }
        return;
    }
    v = r->owner;
    const Attr *range = attr_find(v, "range");
    const char *index = attr_str(v, "index", "");
    int64_t lo = 0, hi = 1;
    if (!strstr(path, arena_printf(a, "{%s}", index)) || !range ||
        !size_is_int(range->sizes[0], &lo) || !size_is_int(range->sizes[1], &hi)) {
        try_turns(x, member, path, v->region);
        return;
    }
    for (int64_t i = lo; i < hi; i++)
        try_turns(x, path_at(a, member, index, i), path_at(a, path, index, i),
                  v->region);
}

// ---- weights that are read in another way ----------------------------------------------

typedef struct Ties {
    PassContext *c;
    StepKind kind;
    Map *paths;
} Ties;

// Rows of a table go by index; kernels gather from every format but one.
static bool is_table(const Value *v)
{
    return v->op == OP_gather && v->in[0]->op == OP_weight &&
           v->in[0]->type.rank == 2 && attr_int(v, "axis", 0) == 0 &&
           v->in[1]->type.dtype == DT_i32 && dtype_info[v->type.dtype].kind == DK_FLOAT;
}

// Is operand i of v a matrix that steps of this kind change?
static bool is_changed(StepKind kind, const Value *v, int i)
{
    return (v->op == OP_linear && i == 1) ||
           (kind == STEP_quantize && i == 0 && is_table(v));
}

static void note_leaves(Ties *t, const Value *v)
{
    if (v->op == OP_weight)
        map_set(t->paths, attr_str(v, "path", ""), t);
    for (int i = 0; i < v->nin; i++)
        note_leaves(t, v->in[i]);
}

static void note_reader(Value *v, void *ctx)
{
    const Ties *t = ctx;
    if (value_is_const(v))
        return;
    for (int i = 0; i < v->nin; i++)
        if (value_is_const(v->in[i]) && !is_changed(t->kind, v, i))
            note_leaves(ctx, v->in[i]);
}

// ---- steps -----------------------------------------------------------------------------

typedef VEC(Value *) Values;

typedef struct Linears {
    PassContext *c;
    StepKind kind;
    Values list;
    VEC(Graph *) graph;  // of each
} Linears;

static void note_linear(Value *v, void *ctx)
{
    Linears *l = ctx;
    bool changed =
        v->nin >= 2 && (is_changed(l->kind, v, 0) || is_changed(l->kind, v, 1));
    if (changed && linear_weight(l->c->module, v))
        vec_push(l->c->scratch, &l->list, v);
}

// Members without the last word, which is most often `weight`.
static void no_match(PassContext *c, const Step *s, const Linears *l)
{
    VEC(const char *) names = {0};
    bool file = !strncmp(s->pattern, "file:", 5);
    for (int i = 0; i < l->list.n; i++) {
        const Weight *w = linear_weight(c->module, l->list.p[i]);
        const char *name = file ? w->path : weight_member(w), *dot = strrchr(name, '.');
        if (dot && !strcmp(dot, ".weight"))
            name = arena_strndup(c->scratch, name, (size_t)(dot - name));
        for (const char *open; (open = strchr(name, '{')) != NULL;)
            name = arena_printf(c->scratch, "%.*s*%s", (int)(open - name), name,
                                open + strcspn(open, "}") + 1);
        vec_push(c->scratch, &names, name);
    }
    diag_error(c->diag, s->pattern_loc, E0641, "%s: no matrix is \"%s\"",
               step_name(s->kind), s->pattern);
    const char *near = nearest(s->pattern + (file ? 5 : 0), names.p, names.n);
    if (near)
        diag_hint(c->diag, s->pattern_loc, "did you mean \"%s%s\"?",
                  file ? "file:" : "", near);
    else if (names.n)
        diag_hint(c->diag, s->pattern_loc, "there is \"%s%s\"", file ? "file:" : "",
                  names.p[0]);
}

static bool do_step(PassContext *c, Step *s, const Ties *ties, StepChange *change)
{
    Linears l = {.c = c, .kind = s->kind};
    Map *tied = map_new(c->scratch), *names = map_new(c->scratch);
    bool changed = false, parts = false;
    for (int i = 0; i < c->module->graphs.n; i++) {
        graph_walk(c->module->graphs.p[i], note_linear, &l);
        while (l.graph.n < l.list.n)
            vec_push(c->scratch, &l.graph, c->module->graphs.p[i]);
    }
    for (int i = 0; i < l.list.n; i++) {
        Value *v = l.list.p[i];
        c->data = l.graph.p[i];
        const Weight *w = linear_weight(c->module, v);
        Chosen x = {.c = c, .step = s, .weight = w, .names = map_new(c->scratch)};
        try_turns(&x, weight_member(w), w->path, v->region);
        if (x.yes > 0 && x.no > 0 && !parts) {
            diag_error(c->diag, s->pattern_loc, E0642,
                       "%s: \"%s\" has %d of the %d turns of `%s`", step_name(s->kind),
                       s->pattern, x.yes, x.yes + x.no, weight_member(w));
            diag_hint(c->diag, s->pattern_loc,
                      "put * where the number of the turn stands");
            parts = true;
        }
        if (x.yes == 0 || x.no > 0)
            continue;
        if (map_get(ties->paths, w->path)) {
            map_set(tied, w->path, v);
            continue;
        }
        changed |= change(c, v, s);
        for (int k = 0; k < map_count(x.names); k++)
            map_set(names, map_key(x.names, k), v);
    }
    s->is_done = true;
    s->matched = map_count(names);
    s->tied = map_count(tied);
    if (s->matched == 0 && s->tied == 0 && !parts)
        no_match(c, s, &l);
    return changed;
}

bool pass_steps(PassContext *c, StepKind kind, StepChange *change)
{
    bool changed = false;
    Ties ties = {c, kind, map_new(c->scratch)};
    for (int i = 0; i < c->module->graphs.n; i++)
        graph_walk(c->module->graphs.p[i], note_reader, &ties);
    for (int i = 0; i < c->module->steps.n; i++)
        if (c->module->steps.p[i]->kind == kind && !c->module->steps.p[i]->is_done)
            changed |= do_step(c, c->module->steps.p[i], &ties, change);
    return changed;
}
