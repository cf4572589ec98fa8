// state.c - states, and assignment to places of a tensor.
//
// A state is a chain of versions: `state` reads the one that is current, set_slice
// makes the next. Which version is current is known per path, and only within the
// region where it was made; another region reads it anew.

#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "path.h"

// ---- reading ------------------------------------------------------------------------

static StateNow *state_now(Sema *s, const char *path)
{
    for (int i = 0; i < s->states.n; i++)
        if (strcmp(s->states.p[i]->path, path) == 0)
            return s->states.p[i];
    StateNow *now = NEW(s->arena, StateNow);
    now->path = path;
    vec_push(s->arena, &s->states, now);
    return now;
}

// The ranges of the loops that stand in the path, for states_check.
static void note_turns(Sema *s, StateNow *now)
{
    for (const Loop *l = s->loop; l; l = l->up) {
        if (!strstr(now->path, arena_printf(s->arena, "{%s}", l->index)))
            continue;
        int k = 0;
        while (k < now->nturns && strcmp(now->turns[k].index, l->index) != 0)
            k++;
        if (k == COUNT(now->turns))
            continue;
        Loop *t = &now->turns[k];
        if (k == now->nturns) {
            now->nturns++;
            *t = *l;
        }
        t->lo = l->lo < t->lo ? l->lo : t->lo;
        t->hi = l->hi > t->hi ? l->hi : t->hi;
    }
}

static bool state_type(Sema *s, const Member *m, Type *t)
{
    if (!eval_type(s, m->type, t))
        return false;
    for (int k = 0; k < t->rank; k++)
        if (!size_is_int(t->dim[k].size, NULL)) {
            const char *z = size_str(t->dim[k].size, s->arena);
            sema_error(s, m->type->dims.p[k].loc, E0501, "a state of size %s", z);
            sema_hint(s, m->type->dims.p[k].loc, "use its bound, %lld",
                      (long long)size_max_value(t->dim[k].size));
            return false;
        }
    return true;
}

static State *state_row(Sema *s, Instance *in, const Member *m, int which,
                        const char **path)
{
    Type t;
    double init = 0;
    *path = member_path(s, in, m, which, NULL);
    if (!state_type(s, m, &t) || !*path)
        return NULL;
    if (m->init &&
        !want_float(s, eval_expr(s, m->init), m->init->loc, "the start value", &init))
        return NULL;
    State *st = module_state(s->module, *path, t);
    if (st->loc.end == 0) {
        st->loc = m->loc;
        st->init = init;
        st->turns = in->turns;
        st->by_cursor = true;
        st->scope = s->b.scope ? s->b.scope : st->scope;
    } else if (!type_equal(&st->type, &t) || st->init < init || st->init > init) {
        sema_error(s, m->loc, E0506, "state `%s` is %s = %g here, %s = %g elsewhere",
                   *path, type_str(&t, s->arena), init, type_str(&st->type, s->arena),
                   st->init);
        sema_hint(s, st->loc, "the other declaration is here");
        return NULL;
    }
    return st;
}

// In the context of the block.
Val state_read(Sema *s, Instance *in, const Member *m, int which)
{
    const char *path;
    if (!s->b.region || !s->at.self)
        return val_poison();
    State *st = state_row(s, in, m, which, &path);
    if (!st)
        return val_poison();
    StateNow *now = state_now(s, path);
    now->loc = m->loc;
    note_turns(s, now);
    if (now->region == s->b.region && now->value)
        return val_tensor(now->value);
    Attr a = attr_make_str("path", path);
    now->value = build(&s->b, OP_state, 0, NULL, 1, &a);
    now->region = s->b.region;
    return val_tensor(now->value);
}

// ---- places -------------------------------------------------------------------------

typedef struct Target {
    const char *words;  // as the user wrote it, for messages
    Binding *binding;   // a local, or
    Instance *in;       // a state of this instance
    const Member *state;
    int which;
} Target;

static bool state_place(Sema *s, Instance *in, const char *name, Target *p)
{
    const Member *m = member_find(in->block, name, &p->which);
    if (!m || m->kind != MB_STATE)
        return false;
    (void)s;
    p->in = in;
    p->state = m;
    return true;
}

static bool no_place(Sema *s, const Expr *e)
{
    if (e->kind != EX_NAME) {
        sema_error(s, e->loc, E0205,
                   "only names, states and parts of them are assigned to");
        return false;
    }
    Global *g;
    int which;
    bool known = (s->at.self && member_find(s->at.self->block, e->text, &which)) ||
                 global_find(s->at.file, e->text, &g);
    sema_error(s, e->loc, E0205,
               known ? "`%s` is not a variable" : "nothing is called `%s`", e->text);
    sema_hint(s, e->loc, "`let %s = ...` binds a new name", e->text);
    VEC(const char *) names = {0};
    for (Env *env = s->at.env; env; env = env->up)
        for (int i = 0; i < env->names.n; i++)
            vec_push(s->arena, &names, env->names.p[i]->name);
    hint_nearest(s, e->loc, e->text, names.p, names.n);
    if (!known && s->at.env)
        env_bind(s, e->text, val_poison(), e->loc);  // say it once
    return false;
}

static bool find_place(Sema *s, const Expr *e, Target *p)
{
    *p = (Target){.words = diag_text(s->out, e->loc, s->arena)};
    if (e->kind == EX_NAME) {
        p->binding = env_find(s->at.env, e->text);
        return p->binding || (s->at.self && state_place(s, s->at.self, e->text, p)) ||
               no_place(s, e);
    }
    if (e->kind != EX_MEMBER)
        return no_place(s, e);
    Val owner = eval_expr(s, e->a);
    if (owner.kind == VAL_POISON || needs_turn(s, owner))
        return false;
    if (owner.kind == VAL_INSTANCE && state_place(s, owner.inst, e->text, p))
        return true;
    sema_error(s, e->op_loc, E0205, "`%s` is not a state", p->words);
    return false;
}

static Val place_value(Sema *s, const Target *p)
{
    if (p->binding)
        return p->binding->val;
    Context was = s->at;
    s->at = block_context(p->in);
    Val v = state_read(s, p->in, p->state, p->which);
    s->at = was;
    return v;
}

// ---- the cursor ---------------------------------------------------------------------

// A write at the cursor runs over one axis from P on and over all of the others; what
// is written there is what P grows by.
static void note_write(Sema *s, const Target *p, const Picked *k, Loc loc)
{
    const DimVar *cursor = s->b.graph->cursor;
    const Size *at = cursor ? size_dim(s->module->sizes, cursor) : NULL;
    const Size *length = NULL;
    Context was = s->at;
    s->at = block_context(p->in);
    const char *path;
    State *st = state_row(s, p->in, p->state, p->which, &path);
    s->at = was;
    bool by_cursor = cursor != NULL;
    for (int i = 0; i < k->rank; i++) {
        if (k->whole[i])
            continue;
        by_cursor &= k->start[i] == at && !length;
        length = size_sub(s->module->sizes, k->stop[i], k->start[i]);
    }
    if (!by_cursor || !length) {
        if (st)
            st->by_cursor = false;
        return;
    }
    if (s->advance && s->advance != length && !s->advance_differs) {
        s->advance_differs = true;
        sema_error(s, loc, E0504, "%s rows are written at %s here, %s elsewhere",
                   size_str(length, s->arena), cursor->name,
                   size_str(s->advance, s->arena));
        sema_hint(s, s->advance_loc, "the other write is here");
    }
    s->advance = length;
    s->advance_loc = loc;
}

// ---- assigning ----------------------------------------------------------------------

// Brings y to the shape of the place: literals and broadcasts are spread, axes that an
// integer index dropped come back as 1.
static Value *fit_place(Sema *s, const Expr *e, const Picked *k, const Type *t, Val v,
                        Loc loc)
{
    Type full = {.dtype = t->dtype, .rank = t->rank};
    Type seen = {.dtype = t->dtype};
    for (int i = 0; i < t->rank; i++) {
        const Size *n = size_sub(s->module->sizes, k->stop[i], k->start[i]);
        full.dim[i] = k->whole[i] ? t->dim[i] : (Dim){n, NULL};
        if (!k->drop[i])
            seen.dim[seen.rank++] = full.dim[i];
    }
    bool literal = is_numeric(v) || v.kind == VAL_TURN;
    Value *y =
        literal ? number_as(s, v, t->dtype, loc) : want_tensor(s, v, loc, "the value");
    if (!y)
        return NULL;
    Type both;
    if (y->type.dtype != t->dtype || y->type.rank > seen.rank ||
        !type_broadcast(s->module->sizes, &seen, &y->type, &both) ||
        !type_same_shape(&both, &seen)) {
        sema_error(s, e->loc, E0503, "%s is %s, the value is %s",
                   diag_text(s->out, e->loc, s->arena), type_str(&seen, s->arena),
                   type_str(&y->type, s->arena));
        return NULL;
    }
    y = do_expand(s, y, seen.rank, seen.dim);
    return do_reshape(s, y, full.rank, full.dim);
}

static void store(Sema *s, const Target *p, Val v)
{
    if (p->binding) {
        p->binding->val = v;
        name_value(v, p->binding->name);
        return;
    }
    Context was = s->at;
    const char *path = member_path(s, p->in, p->state, p->which, NULL);
    s->at = was;
    if (!path || v.kind != VAL_TENSOR)
        return;
    StateNow *now = state_now(s, path);
    now->value = v.value;
    now->region = s->b.region;
}

// A part of a tensor: the place becomes a new version of it.
static void assign_part(Sema *s, const Stmt *st, const Target *p, const Expr *index,
                        Val v)
{
    Val old = place_value(s, p);
    if (old.kind == VAL_POISON || needs_turn(s, old))
        return;
    if (old.kind != VAL_TENSOR) {
        sema_error(s, st->target->loc, E0330, "%s is %s, it has no parts to assign to",
                   p->words, val_str(s, old));
        return;
    }
    const Type *t = &old.value->type;
    Picked k = {.rank = t->rank};
    if (index) {
        if (!pick_index(s, index, t, &k))
            return;
    } else {
        for (int i = 0; i < t->rank; i++) {
            k.start[i] = size_int(s->module->sizes, 0);
            k.stop[i] = t->dim[i].size;
            k.step[i] = 1;
            k.whole[i] = true;
        }
    }
    for (int i = 0; i < k.rank; i++)
        if (k.ids[i] && needs_turn(s, val_tensor(k.ids[i]))) {
            return;
        } else if (k.ids[i] || k.step[i] != 1) {
            sema_error(s, st->target->loc, E0713,
                       "only ranges with step 1 are assigned to");
            return;
        }
    Value *y = fit_place(s, st->target, &k, t, v, st->value->loc);
    if (!y)
        return;
    s->b.loc = st->loc;
    if (!p->binding)
        note_write(s, p, &k, st->target->loc);
    Value *in[] = {old.value, y};
    Attr a = attr_make_sizes("start", k.rank, k.start);
    Value *now = build(&s->b, OP_set_slice, 2, in, 1, &a);
    if (now)
        store(s, p, val_tensor(now));
}

void run_assign(Sema *s, const Stmt *st)
{
    Target p;
    const Expr *index = st->target->kind == EX_INDEX ? st->target : NULL;
    Val v = eval_expr(s, st->value);
    if (!find_place(s, index ? index->a : st->target, &p))
        return;
    if (!index && p.binding)
        store(s, &p, v);
    else if (v.kind != VAL_POISON)
        assign_part(s, st, &p, index, v);
}

// ---- one state, one way -------------------------------------------------------------

static bool in_range(const StateNow *n, const char *index, size_t len, int64_t turn)
{
    for (int i = 0; i < n->nturns; i++)
        if (strlen(n->turns[i].index) == len &&
            strncmp(n->turns[i].index, index, len) == 0)
            return turn >= n->turns[i].lo && turn < n->turns[i].hi;
    return true;
}

static bool ranges_meet(const StateNow *a, const char *p, size_t np, const StateNow *b,
                        const char *q, size_t nq)
{
    for (int i = 0; i < a->nturns; i++)
        if (strlen(a->turns[i].index) == np && strncmp(a->turns[i].index, p, np) == 0)
            for (int64_t t = a->turns[i].lo; t < a->turns[i].hi; t++)
                if (in_range(b, q, nq, t))
                    return true;
    return false;
}

// Whether two paths can name one tensor: {i} meets numbers within its range.
static bool paths_meet(const StateNow *a, const char *p, const StateNow *b,
                       const char *q)
{
    while (*p && *q) {
        size_t np = *p == '{' ? strcspn(p + 1, "}") : 0;
        size_t nq = *q == '{' ? strcspn(q + 1, "}") : 0;
        if (np && nq) {
            if (!ranges_meet(a, p + 1, np, b, q + 1, nq))
                return false;
            p += np + 2;
            q += nq + 2;
        } else if (np || nq) {
            char *end;
            const char *digits = np ? q : p;
            long long turn = strtoll(digits, &end, 10);
            if (end == digits ||
                !in_range(np ? a : b, np ? p + 1 : q + 1, np ? np : nq, turn))
                return false;
            p = np ? p + np + 2 : end;
            q = nq ? q + nq + 2 : end;
        } else if (*p++ != *q++) {
            return false;
        }
    }
    return *p == *q;
}

void states_check(Sema *s)
{
    for (int i = 0; i < s->states.n; i++)
        for (int j = i + 1; j < s->states.n; j++) {
            const StateNow *a = s->states.p[i], *b = s->states.p[j];
            if (!paths_meet(a, a->path, b, b->path))
                continue;
            sema_error(s, b->loc, E0505, "state `%s` is also reached as `%s`", a->path,
                       b->path);
            sema_hint(s, b->loc,
                      "use the array in a `for` everywhere, or by element everywhere");
        }
}
