// loop.c - `for`: one repeat region for equal turns, else turn by turn.
//
//     for l in layer { x = l(x) }
// =>
//     x1 = repeat i in 0..6 (x = x0) { ... weight "layer.{i}.w" ... yield y }
//
// The body is built once with the turn unknown. If that works, it is the region; if
// something in it needs the turn as a compile-time number, all of it is forgotten and
// the turns are built one after the other. Carried are the names bound outside and
// assigned in the body; their types may not change from turn to turn.

#include <string.h>

#include "internal.h"

enum { MAX_UNROLLED = 4096, MAX_CARRIED = 32 };

void diag_replay(Diag *from, Diag *to)
{
    for (int i = 0; i < diag_count(from); i++) {
        const Message *m = diag_message(from, i);
        if (m->severity == SEV_ERROR)
            diag_error(to, m->loc, m->code, "%s", m->text);
        else if (m->severity == SEV_WARNING)
            diag_warning(to, m->loc, m->code, "%s", m->text);
        else
            diag_hint(to, m->loc, "%s", m->text);
    }
}

// ---- what is carried ----------------------------------------------------------------

typedef struct Carried {
    int n;
    Binding *binding[MAX_CARRIED];
    Val init[MAX_CARRIED];
} Carried;

typedef VEC(const char *) Shadow;  // names bound inside the body so far

static bool is_shadowed(const Shadow *sh, const char *name)
{
    for (int i = 0; i < sh->n; i++)
        if (strcmp(sh->p[i], name) == 0)
            return true;
    return false;
}

static void carry(Sema *s, const Expr *target, const Shadow *sh, Carried *c)
{
    if (target->kind == EX_INDEX)
        target = target->a;
    if (target->kind != EX_NAME || is_shadowed(sh, target->text))
        return;
    Binding *b = env_find(s->at.env, target->text);
    for (int i = 0; i < c->n && b; i++)
        if (c->binding[i] == b)
            return;
    if (!b || c->n == MAX_CARRIED)
        return;
    c->init[c->n] = b->val;
    c->binding[c->n++] = b;
}

static void find_carried(Sema *s, const StmtList *body, Shadow *sh, Carried *c)
{
    int outer = sh->n;
    for (int i = 0; i < body->n; i++) {
        const Stmt *st = body->p[i];
        if (st->kind == ST_ASSIGN)
            carry(s, st->target, sh, c);
        if (st->kind == ST_FOR)
            vec_push(s->arena, sh, st->targets.p[0].s);
        find_carried(s, &st->body, sh, c);
        find_carried(s, &st->otherwise, sh, c);
        if (st->kind == ST_FOR)
            sh->n--;
        for (int k = 0; st->kind == ST_LET && k < st->targets.n; k++)
            vec_push(s->arena, sh, st->targets.p[k].s);
    }
    sh->n = outer;
}

// ---- turns --------------------------------------------------------------------------

typedef struct Turns {  // what a `for` runs over
    int64_t lo, hi;
    Instance *in;  // elements of an array
    const Member *array;
    const Val *items;  // or items of a list
} Turns;

static Val turn_value(Sema *s, const Stmt *st, const Turns *t, int64_t turn, Loop *loop)
{
    if (t->array)
        return array_at(s, t->in, t->array, loop ? t->lo : turn, loop, st->value->loc);
    if (loop)
        return (Val){.kind = VAL_TURN, .loop = loop};
    return t->items ? t->items[turn] : val_int(s, turn);
}

static void run_turn(Sema *s, const Stmt *st, Val item)
{
    if (!within_budget(s, st->loc))
        return;
    Env *was = s->at.env;
    env_push(s);
    env_bind(s, st->targets.p[0].s, item, st->targets.p[0].loc);
    env_push(s);
    s->at.frame->fors++;
    run_body(s, &st->body);
    s->at.frame->fors--;
    s->at.env = was;
}

static void unroll(Sema *s, const Stmt *st, const Turns *t)
{
    if (t->hi - t->lo > MAX_UNROLLED) {
        sema_error(s, st->loc, E0415, "%lld turns that differ from each other",
                   (long long)(t->hi - t->lo));
        return;
    }
    int before = diag_errors(s->diag);
    for (int64_t i = t->lo; i < t->hi && diag_errors(s->diag) == before; i++)
        run_turn(s, st, turn_value(s, st, t, i, NULL));
}

// ---- one region ---------------------------------------------------------------------

// What a trial may change, to forget it.
typedef struct Mark {
    Region *region;
    int at, nops, nvalues, nweights, nstates, nscopes, nnow;
    Diag *diag;
    Scope *scope;
} Mark;

static Mark mark(Sema *s)
{
    const Module *m = s->module;
    return (Mark){.region = s->b.region,
                  .nops = s->b.region->ops.n,
                  .nvalues = s->b.graph->nvalues,
                  .nweights = m->weights_list.n,
                  .nstates = m->states.n,
                  .nscopes = m->scopes.n,
                  .nnow = s->states.n,
                  .diag = s->diag,
                  .scope = s->b.scope};
}

static void forget(Sema *s, const Mark *k)
{
    Module *m = s->module;
    k->region->ops.n = k->nops;
    s->b.graph->nvalues = k->nvalues;
    m->weights_list.n = k->nweights;
    m->states.n = k->nstates;
    m->scopes.n = k->nscopes;
    s->states.n = k->nnow;
    for (int i = 0; i < s->states.n; i++)
        s->states.p[i]->region = NULL;
}

// Paths name the turn by this: the same word for the same depth everywhere, so that two
// entries that run over one array mean the same tensors.
static const char *index_name(Sema *s, int64_t run)
{
    static const char *const words[] = {"i", "j", "k", "l", "m", "n"};
    int depth = 0;
    for (const Loop *l = s->loop; l; l = l->up)
        depth++;
    const char *w =
        depth < COUNT(words) ? words[depth] : arena_printf(s->arena, "i_%d", depth);
    return run == 0 ? w : arena_printf(s->arena, "%s_from%lld", w, (long long)run);
}

static bool same_types(Carried *c, Value *const *init)
{
    for (int i = 0; i < c->n; i++) {
        const Val *now = &c->binding[i]->val;
        if (now->kind != VAL_POISON &&
            (now->kind != VAL_TENSOR || !type_equal(&now->value->type, &init[i]->type)))
            return false;
    }
    return true;
}

static void close_region(Sema *s, Value *rep, Carried *c, bool good)
{
    for (int i = 0; i < c->n; i++) {
        Val v = c->binding[i]->val;
        Value *yield = good && v.kind == VAL_TENSOR ? v.value : rep->body->params.p[i];
        vec_push(s->arena, &rep->body->yields, yield);
        Value *item = build_item(&s->b, rep, i);
        if (item && item->type.rank >= 0)
            for (int k = 0; k < item->type.rank; k++)
                item->type.dim[k].name = rep->in[i]->type.dim[k].name;
        c->binding[i]->val = val_tensor(item);
        name_value(c->binding[i]->val, c->binding[i]->name);
    }
}

// Builds the turns as one region. False: they must be built one by one, and nothing is
// left of the trial.
static bool roll(Sema *s, const Stmt *st, const Turns *t, int64_t run, Carried *c)
{
    Sizes *z = s->module->sizes;
    Value *init[MAX_CARRIED];
    Mark k = mark(s);
    Loop loop = {.up = s->loop, .index = index_name(s, run), .lo = t->lo, .hi = t->hi};
    s->b.loc = st->loc;
    for (int i = 0; i < c->n; i++)
        init[i] = c->init[i].kind == VAL_TENSOR
                      ? c->init[i].value
                      : build_const(&s->b, DT_f32, c->init[i].number);
    s->diag = s->b.diag = diag_new(s->arena);
    s->b.loc = st->loc;
    Value *rep = build_repeat(&s->b, loop.index, size_int(z, t->lo), size_int(z, t->hi),
                              c->n, init);
    s->loop = &loop;
    s->b.region = rep->body;
    for (int i = 0; i < c->n; i++) {
        rep->body->params.p[i]->name = c->binding[i]->name;
        c->binding[i]->val = val_tensor(rep->body->params.p[i]);
    }
    run_turn(s, st, turn_value(s, st, t, t->lo, &loop));
    Diag *trial = s->diag;
    s->loop = loop.up;
    s->b.region = k.region;
    s->diag = s->b.diag = k.diag;
    s->b.scope = k.scope;
    bool good = diag_errors(trial) == 0;
    if (loop.must_unroll || (good && !same_types(c, init))) {
        forget(s, &k);
        for (int i = 0; i < c->n; i++)
            c->binding[i]->val = c->init[i];
        return false;
    }
    diag_replay(trial, s->diag);
    s->b.loc = st->loc;
    close_region(s, rep, c, good);
    return true;
}

// A float that the first turn makes a tensor, like the 0.0 of a sum, is one from the
// start.
static bool become_tensors(Sema *s, const Stmt *st, const Turns *t, Carried *c)
{
    bool all = true;
    for (int i = 0; i < c->n; i++)
        all &= c->init[i].kind == VAL_TENSOR || c->init[i].kind == VAL_FLOAT;
    if (!all)
        return false;
    Mark k = mark(s);
    s->diag = s->b.diag = diag_new(s->arena);
    run_turn(s, st, turn_value(s, st, t, t->lo, NULL));
    s->diag = s->b.diag = k.diag;
    forget(s, &k);
    for (int i = 0; i < c->n; i++) {
        const Val *now = &c->binding[i]->val;
        all &= c->init[i].kind == VAL_TENSOR ||
               (now->kind == VAL_TENSOR && now->value->type.dtype == DT_f32 &&
                now->value->type.rank == 0);
        c->binding[i]->val = c->init[i];
    }
    return all;
}

// One run of alike turns. A carried size or block cannot be a region's parameter.
static void run_alike(Sema *s, const Stmt *st, const Turns *t, int64_t run)
{
    Carried c = {0};
    Shadow sh = {0};
    bool tensors = true, known = true;
    find_carried(s, &st->body, &sh, &c);
    for (int i = 0; i < c.n; i++) {
        tensors &= c.init[i].kind == VAL_TENSOR;
        known &= c.init[i].kind != VAL_POISON;
    }
    if (!known && t->hi > t->lo)
        run_turn(s, st, turn_value(s, st, t, t->lo, NULL));
    else if (t->hi - t->lo < 2 || c.n == MAX_CARRIED ||
             (!tensors && !become_tensors(s, st, t, &c)) || !roll(s, st, t, run, &c))
        unroll(s, st, t);
}

static void run_array(Sema *s, const Stmt *st, Val array)
{
    int64_t n;
    if (!array_count(s, array.inst, array.member, &n))
        return;
    for (int64_t i = 0, j; i < n; i = j) {
        j = i + 1;
        while (j < n && array_alike(s, array.inst, array.member, i, j))
            j++;
        Turns t = {.lo = i, .hi = j, .in = array.inst, .array = array.member};
        run_alike(s, st, &t, i);
    }
}

static void run_range(Sema *s, const Stmt *st)
{
    Turns t = {0};
    Val lo = eval_expr(s, st->lo), hi = eval_expr(s, st->hi);
    if (!want_int(s, lo, st->lo->loc, "the first turn", &t.lo) ||
        !want_int(s, hi, st->hi->loc, "the end of the range", &t.hi))
        return;
    run_alike(s, st, &t, 0);
}

void run_for(Sema *s, const Stmt *st)
{
    if (st->lo) {
        run_range(s, st);
        return;
    }
    Val v = eval_expr(s, st->value);
    if (v.kind == VAL_ARRAY) {
        run_array(s, st, v);
    } else if (v.kind == VAL_LIST || v.kind == VAL_TUPLE) {
        Turns t = {.hi = v.nitems, .items = v.items};
        unroll(s, st, &t);
    } else if (v.kind != VAL_POISON && !needs_turn(s, v)) {
        sema_error(s, st->value->loc, E0330,
                   "`for` runs over an array, a list or a range; this is "
                   "%s",
                   val_str(s, v));
        sema_hint(s, st->value->loc, "for i in 0..n { ... }");
    }
}
