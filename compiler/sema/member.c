// member.c - members of a block as values: weights, constants, and all others by name.
//
// A weight is a row of the module, found by its path: two members with one path are one
// tensor.

#include <string.h>

#include "internal.h"
#include "path.h"

// ---- weights and constants ----------------------------------------------------------

// Axis k of the file is which axis of the type? Told by the words of the sizes.
static bool stored_order(Sema *s, const Member *m, int *order)
{
    bool used[MAX_RANK] = {false};
    bool ok = m->stored.n == m->type->dims.n && m->stored.n <= MAX_RANK;
    for (int k = 0; ok && k < m->stored.n; k++) {
        ok = false;
        if (!m->stored.p[k].size)
            break;
        const char *want = diag_text(s->out, m->stored.p[k].size->loc, s->arena);
        for (int j = 0; j < m->stored.n && !ok; j++) {
            const Expr *size = m->type->dims.p[j].size;
            ok = size && !used[j] &&
                 strcmp(diag_text(s->out, size->loc, s->arena), want) == 0;
            if (ok) {
                used[j] = true;
                order[k] = j;
            }
        }
    }
    if (!ok) {
        Loc loc = m->stored.n ? m->stored.p[0].loc : m->loc;
        sema_error(s, loc, E0611, "`stored` is not an order of the axes of %s",
                   spell_declared(s, m->type));
        sema_hint(s, m->type->loc, "write the same sizes, in the order of the file");
    }
    return ok;
}

static Val weight_value(Sema *s, Instance *in, const Member *m, int which)
{
    Type t;
    int order[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    const char *path = member_path(s, in, m, which, NULL);
    if (!eval_type(s, m->type, &t) || !path)
        return val_poison();
    if (m->has_stored && !stored_order(s, m, order))
        return val_poison();
    Weight *w = module_weight(s->module, path, t);
    if (!type_equal(&w->type, &t)) {
        sema_error(s, m->loc, E0610, "weight `%s` is %s here, and %s elsewhere", path,
                   type_str(&t, s->arena), type_str(&w->type, s->arena));
        sema_hint(s, w->loc, "the other declaration is here");
        return val_poison();
    }
    if (w->loc.end == 0) {
        w->loc = m->loc;
        w->member = member_name(s, in, m, which, NULL);
        w->scope = s->b.scope ? s->b.scope : w->scope;
        memcpy(w->stored, order, sizeof order);
    }
    Loc was = s->b.loc;
    s->b.loc = m->loc;
    Value *v = build_weight(&s->b, w);
    s->b.loc = was;
    v->type = t;  // this place's words for the sizes
    return val_tensor(v);
}

static Val const_value(Sema *s, const Member *m, int which)
{
    const char *name = m->names.p[which].s;
    Val v = eval_expr(s, m->init);
    Value *x = fit_declared(s, m->type, NULL, v, m->init->loc, E0411,
                            arena_printf(s->arena, "const `%s`", name));
    if (x && !value_is_const(x)) {
        sema_error(s, m->init->loc, E0416, "const `%s` depends on run-time values",
                   name);
        return val_poison();
    }
    return x ? val_tensor(x) : stand_in(s, m->type);
}

// ---- members ------------------------------------------------------------------------

static bool member_exists(Sema *s, const Member *m, const char *name, Loc loc)
{
    bool there = true;
    if (!m->cond ||
        !want_bool(s, eval_expr(s, m->cond), m->cond->loc, "the condition", &there))
        return !m->cond;
    if (!there) {
        sema_error(s, loc, E0406, "`%s` is left out: its condition is false here",
                   name);
        sema_hint(s, m->cond->loc, "use it under the same `if`");
    }
    return there;
}

static Val no_such_member(Sema *s, Instance *in, const char *name, Loc loc)
{
    VEC(const char *) names = {0};
    const Item *b = in->block->item;
    for (int i = 0; i < b->members.n; i++)
        for (int k = 0; k < b->members.p[i]->names.n; k++)
            vec_push(s->arena, &names, b->members.p[i]->names.p[k].s);
    sema_error(s, loc, E0405, "%s has no member `%s`", b->name.s, name);
    hint_nearest(s, loc, name, names.p, names.n);
    return val_poison();
}

static Val member_here(Sema *s, Instance *in, const Member *m, int which, Loc loc)
{
    if (!member_exists(s, m, m->names.p[which].s, loc))
        return val_poison();
    if (m->index)
        return (Val){.kind = VAL_ARRAY, .inst = in, .member = m};
    switch (m->kind) {
    case MB_WEIGHT:
        return weight_value(s, in, m, which);
    case MB_BLOCK:
        return part_get(s, in, m, which);
    case MB_STATE:
        return state_read(s, in, m, which);
    case MB_CONST:
        return const_value(s, m, which);
    default:
        return (Val){.kind = VAL_FN, .inst = in, .member = m};
    }
}

Val member_get(Sema *s, Instance *in, const char *name, Loc loc)
{
    int which;
    const Member *m = member_find(in->block, name, &which);
    int p = m ? -1 : block_param(in->block, name);
    if (p >= 0)
        return in->args[p];
    if (!m)
        return no_such_member(s, in, name, loc);
    Context was = s->at;
    s->at = block_context(in);
    Val v = member_here(s, in, m, which, loc);
    s->at = was;
    return v;
}
