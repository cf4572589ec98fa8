// steps.c - what the passes of recipes share: the matrices that a step chooses.
//
// A weight inside a repeat is one value for all turns, but its turns may have different steps,
// of which the last that chooses a turn counts: ranks and densities are numbers by turn. Each
// turn has one, and formats are of the code, so the same in all. A table that rows are gathered
// from can be quantized, whether or not a linear reads it too. A weight that is read in another
// way stays as it is, since it has one storage: a tied embedding is neither factored nor pruned.

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

// Is {index} in the name of a tensor that v is made of?
static bool is_counted(Arena *a, const Value *v, const char *index)
{
    if (v->op == OP_weight && strstr(attr_str(v, "path", ""), index))
        return true;
    for (int i = 0; i < v->nin; i++)
        if (is_counted(a, v->in[i], index))
            return true;
    return false;
}

// The repeats around the linear that its matrix differs by.
static void find_turns(Chosen *x, const Value *linear)
{
    Arena *a = x->c->scratch;
    x->n = 1;
    for (const Region *r = linear->region; r && r->owner; r = r->owner->region) {
        const Attr *range = attr_find(r->owner, "range");
        const char *index = attr_str(r->owner, "index", "");
        int64_t lo, hi;
        if (r->owner->op != OP_repeat || !range || x->nranges == MAX_TURN_RANGES ||
            !size_is_int(range->sizes[0], &lo) || !size_is_int(range->sizes[1], &hi) ||
            hi <= lo || !is_counted(a, x->w, arena_printf(a, "{%s}", index)))
            continue;
        memmove(x->range + 1, x->range, (size_t)x->nranges * sizeof *x->range);
        x->range[0] = (TurnRange){index, lo, hi - lo};
        x->nranges++;
        x->n *= hi - lo;
    }
}

int chosen_turn(const Chosen *x, int64_t i, Turn *turns)
{
    for (int k = x->nranges - 1; k >= 0; k--) {
        turns[k] = (Turn){x->range[k].index, x->range[k].lo + i % x->range[k].n};
        i /= x->range[k].n;
    }
    return x->nranges;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// layer.{i}.mlp.up.weight: up. A name for what is of this weight.
static const char *table_name(Arena *a, const Weight *w, const char *suffix)
{
    const char *path = weight_member(w), *last = "";
    for (const char *s = path; *s; s += strcspn(s, "."), s += *s == '.')
        if (*s != '{' && (!*last || strcmp(s, "weight") != 0))
            last = s;  // the last word that is no index
    Text t;
    text_init(&t, a);
    text_puts(&t, *last >= '0' && *last <= '9' ? "w" : "");
    for (; *last && *last != '.' && *last != '{'; last++)
        text_put(&t, is_word(*last) ? last : "_", 1);
    text_puts(&t, suffix);
    return t.p;
}

const Size *chosen_size(const Chosen *x, const char *suffix, const int64_t *value)
{
    Module *m = x->c->module;
    bool differs = false;
    for (int64_t i = 1; i < x->n; i++)
        differs = differs || value[i] != value[0];
    if (!differs)
        return size_int(m->sizes, value[0]);
    const char *name = table_name(x->c->scratch, x->weight, suffix);
    return size_turn(m->sizes, module_table(m, name, x->nranges, x->range, value));
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

// ---- the matrices there are ------------------------------------------------------------

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

// ---- which step each turn has ----------------------------------------------------------

typedef struct Tally {
    Step *step;
    Map *names;       // of tensors in the file that it has
    Map *tied;        // weights that stay
    bool is_found;    // it chooses something
    bool is_refused;  // E0642 was reported
} Tally;

typedef VEC(Tally) Tallies;

static bool chooses_turn(const Chosen *x, const Step *s, int64_t i, const char **path)
{
    Arena *a = x->c->scratch;
    Turn turns[MAX_TURN_RANGES];
    int n = chosen_turn(x, i, turns);
    const char *member = weight_member(x->weight);
    *path = x->weight->path;
    for (int k = 0; k < n; k++) {
        member = path_at(a, member, turns[k].index, turns[k].turn);
        *path = path_at(a, *path, turns[k].index, turns[k].turn);
    }
    return step_chooses(s, member, *path);
}

static bool same_kind(const Step *a, const Step *b)
{
    return a->kind == STEP_quantize ? !strcmp(a->format, b->format)
           : a->kind == STEP_sparse ? !strcmp(a->shape, b->shape)
                                    : true;
}

static const char *advice(const Chosen *x, const Step *s)
{
    bool all = true;
    for (int64_t i = 0; i < x->n; i++)
        all = all && x->step[i];
    if (s->kind == STEP_quantize)
        return "put * where the number of the turn stands";
    return all ? "all turns have one pattern of zeros, and densities of their own"
               : "put * where the number of the turn stands, or give the other turns a "
                 "step too";
}

static void refuse(const Chosen *x, Tally *t, int64_t own)
{
    const Step *s = t->step;
    if (t->is_refused)
        return;
    diag_error(x->c->diag, s->pattern_loc, E0642,
               "%s: \"%s\" has %lld of the %lld turns of `%s`", step_name(s->kind),
               s->pattern, (long long)own, (long long)x->n, weight_member(x->weight));
    diag_hint(x->c->diag, s->pattern_loc, "%s", advice(x, s));
    t->is_refused = true;
}

// Code is the same for all turns: each has a step, of one format or shape.
static bool fits_loop(const Chosen *x, Tallies *all)
{
    bool fits = true;
    for (int64_t i = 0; i < x->n; i++)
        fits = fits && x->step[i] && same_kind(x->step[i], x->step[0]);
    for (int t = all->n - 1; t >= 0 && !fits; t--) {
        int64_t own = 0;
        for (int64_t i = 0; i < x->n; i++)
            own += x->step[i] == all->p[t].step;
        if (own > 0 && own < x->n) {
            refuse(x, &all->p[t], own);
            break;
        }
    }
    return fits;
}

// False: no step is for this linear.
static bool choose(Chosen *x, Tallies *all, const Ties *ties)
{
    Arena *a = x->c->scratch;
    bool any = false;
    x->step = NEWN(a, Step *, x->n);
    Tallies had = {0};
    for (int t = 0; t < all->n; t++) {
        Map *names = map_new(a);
        for (int64_t i = 0; i < x->n; i++) {
            const char *path;
            if (!chooses_turn(x, all->p[t].step, i, &path))
                continue;
            x->step[i] = all->p[t].step;
            map_set(names, path, x);
        }
        Tally own = {.names = names};
        vec_push(a, &had, own);
        all->p[t].is_found |= map_count(names) > 0;
        any = any || map_count(names) > 0;
    }
    if (!any || !fits_loop(x, all))
        return false;
    bool tied = map_get(ties->paths, x->weight->path) != NULL;
    for (int t = 0; t < all->n; t++) {
        for (int k = 0; k < map_count(had.p[t].names) && !tied; k++)
            map_set(all->p[t].names, map_key(had.p[t].names, k), x->c);
        if (tied && map_count(had.p[t].names))
            map_set(all->p[t].tied, x->weight->path, x->c);
    }
    return !tied;
}

// ---- steps -----------------------------------------------------------------------------

static Linears find_linears(PassContext *c, StepKind kind)
{
    Linears l = {.c = c, .kind = kind};
    for (int i = 0; i < c->module->graphs.n; i++) {
        graph_walk(c->module->graphs.p[i], note_linear, &l);
        while (l.graph.n < l.list.n)
            vec_push(c->scratch, &l.graph, c->module->graphs.p[i]);
    }
    return l;
}

static void tell(PassContext *c, Tally *t, const Linears *l)
{
    Step *s = t->step;
    s->is_done = true;
    s->matched = map_count(t->names);
    s->tied = map_count(t->tied);
    if (!t->is_found)
        no_match(c, s, l);
}

bool pass_steps(PassContext *c, StepKind kind, StepChange *change)
{
    Tallies all = {0};
    for (int i = 0; i < c->module->steps.n; i++) {
        Tally t = {.step = c->module->steps.p[i],
                   .names = map_new(c->scratch),
                   .tied = map_new(c->scratch)};
        if (t.step->kind == kind && !t.step->is_done)
            vec_push(c->scratch, &all, t);
    }
    if (!all.n)
        return false;
    Ties ties = {c, kind, map_new(c->scratch)};
    for (int i = 0; i < c->module->graphs.n; i++)
        graph_walk(c->module->graphs.p[i], note_reader, &ties);
    const Linears l = find_linears(c, kind);
    bool changed = false;
    for (int i = 0; i < l.list.n; i++) {
        Value *v = l.list.p[i];
        c->data = l.graph.p[i];
        Chosen x = {.c = c,
                    .weight = linear_weight(c->module, v),
                    .w = v->in[v->op == OP_linear]};
        find_turns(&x, v);
        if (choose(&x, &all, &ties))
            changed |= change(c, v, &x);
    }
    for (int i = 0; i < all.n; i++)
        tell(c, &all.p[i], &l);
    return changed;
}
