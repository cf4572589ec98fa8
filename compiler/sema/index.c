// index.c - x[...]: integers, ranges, `...` and integer tensors.
//
// All ranges and integers are one slice; then the axes of the integers go (reshape),
// then integer tensors gather, from the last axis to the first.

#include <string.h>

#include "internal.h"

// Where an integer from the user lies, counted from the end when negative.
static const Size *from_start(Sema *s, const Size *i, const Size *n)
{
    return size_max_value(i) < 0 ? size_add(s->module->sizes, i, n) : i;
}

static bool overflow(Sema *s, Loc loc)
{
    sema_error(s, loc, E0302, "an index does not fit into 63 bits");
    return false;
}

static bool pick_integer(Sema *s, const Index *ix, Val v, Dim d, Picked *p, int k)
{
    const Size *at = from_start(s, v.size, d.size);
    const Size *next = size_add(s->module->sizes, at, size_int(s->module->sizes, 1));
    if (!at || !next)
        return overflow(s, ix->loc);
    int64_t n;
    if (size_max_value(at) < 0 || size_min_value(at) >= size_max_value(d.size)) {
        sema_error(s, ix->loc, E0335, "index %s of an axis of %s", val_str(s, v),
                   size_is_int(d.size, &n) || !d.name ? size_str(d.size, s->arena)
                                                      : d.name);
        return false;
    }
    p->start[k] = at;
    p->stop[k] = next;
    p->drop[k] = true;
    p->whole[k] = false;
    return true;
}

static bool pick_range(Sema *s, const Index *ix, Dim d, Picked *p, int k)
{
    const Size *z;
    int64_t step = 1;
    p->start[k] = size_int(s->module->sizes, 0);
    if (ix->start) {
        if (!want_size(s, eval_expr(s, ix->start), ix->start->loc, "the start", &z))
            return false;
        p->start[k] = from_start(s, z, d.size);
    }
    if (ix->stop) {
        if (!want_size(s, eval_expr(s, ix->stop), ix->stop->loc, "the end", &z))
            return false;
        p->stop[k] = from_start(s, z, d.size);
    }
    if (ix->step &&
        !want_int(s, eval_expr(s, ix->step), ix->step->loc, "the step", &step))
        return false;
    if (step < 1) {
        sema_error(s, ix->step->loc, E0335, "a step of %lld", (long long)step);
        sema_hint(s, ix->step->loc, "steps count upward from 1");
        return false;
    }
    if (!p->start[k] || !p->stop[k])
        return overflow(s, ix->loc);
    p->step[k] = step;
    p->whole[k] = size_is(p->start[k], 0) && p->stop[k] == d.size && step == 1;
    return true;
}

static bool pick_at(Sema *s, const Index *ix, Dim d, Picked *p, int k)
{
    Val v = eval_expr(s, ix->at);
    if (v.kind == VAL_SIZE)
        return pick_integer(s, ix, v, d, p, k);
    if (v.kind == VAL_TURN) {
        p->ids[k] = number_as(s, v, DT_i32, ix->loc);
    } else if (v.kind == VAL_TENSOR) {
        p->ids[k] = v.value;
        if (dtype_info[v.value->type.dtype].kind != DK_INT) {
            sema_error(s, ix->loc, E0318, "the index is %s, not of integers",
                       val_str(s, v));
            sema_hint(s, ix->loc, "write cast(..., i32)");
            return false;
        }
    } else if (v.kind != VAL_POISON) {
        sema_error(s, ix->loc, E0330, "the index is %s", val_str(s, v));
    }
    return p->ids[k] != NULL;
}

static bool pick_axis(Sema *s, const Index *ix, Dim d, Picked *p, int k)
{
    p->start[k] = size_int(s->module->sizes, 0);
    p->stop[k] = d.size;
    p->step[k] = 1;
    p->whole[k] = true;
    if (!ix)
        return true;
    return ix->kind == IX_AT ? pick_at(s, ix, d, p, k) : pick_range(s, ix, d, p, k);
}

bool pick_index(Sema *s, const Expr *e, const Type *t, Picked *p)
{
    int given = e->index.n, dots = -1;
    *p = (Picked){.rank = t->rank};
    for (int i = 0; i < e->index.n; i++) {
        if (e->index.p[i].kind != IX_ELLIPSIS)
            continue;
        given--;
        if (dots >= 0) {
            sema_error(s, e->index.p[i].loc, E0334, "`...` stands twice");
            return false;
        }
        dots = i;
    }
    if (given > t->rank) {
        sema_error(s, e->loc, E0334, "%d ind%s for %s", given,
                   given == 1 ? "ex" : "ices", type_str(t, s->arena));
        return false;
    }
    bool ok = true;
    int i = 0;
    for (int k = 0; k < t->rank; k++) {
        bool free = i == dots && t->rank - k > e->index.n - 1 - dots;
        if (i == dots && !free)
            i++;
        const Index *ix = free || i >= e->index.n ? NULL : &e->index.p[i++];
        ok &= pick_axis(s, ix, t->dim[k], p, k);
    }
    return ok;
}

static Value *gather(Sema *s, Value *x, Value *ids, int axis)
{
    Attr a = attr_make_int("axis", axis);
    Value *in[] = {x, ids};
    return build(&s->b, OP_gather, 2, in, 1, &a);
}

static Val index_tensor(Sema *s, const Expr *e, Value *x)
{
    Picked p;
    if (!pick_index(s, e, &x->type, &p))
        return val_poison();
    s->b.loc = e->loc;
    Value *y = do_slice(s, x, p.start, p.stop, p.step);
    if (!y)
        return val_poison();
    Dim dim[MAX_RANK];
    Value *ids[MAX_RANK] = {NULL};
    int rank = 0;
    for (int k = 0; k < p.rank; k++)
        if (!p.drop[k]) {
            ids[rank] = p.ids[k];
            dim[rank++] = y->type.dim[k];
        }
    y = do_reshape(s, y, rank, dim);
    for (int k = rank - 1; k >= 0 && y; k--)
        if (ids[k])
            y = gather(s, y, ids[k], k);
    return val_tensor(y);
}

// x[i] of what is no tensor: exactly one integer.
static bool one_index(Sema *s, const Expr *e, Val *i)
{
    if (e->index.n != 1 || e->index.p[0].kind != IX_AT) {
        sema_error(s, e->loc, E0334, "an array or list takes one integer in [ ]");
        return false;
    }
    *i = eval_expr(s, e->index.p[0].at);
    return true;
}

static Val index_array(Sema *s, const Expr *e, Val a)
{
    Val i;
    int64_t turn;
    Loc loc = e->index.p[0].loc;
    if (!one_index(s, e, &i))
        return val_poison();
    if (i.kind == VAL_TURN) {
        Loop *l = i.loop;
        for (int64_t t = l->lo + 1; t < l->hi; t++)
            if (!array_alike(s, a.inst, a.member, l->lo, t)) {
                l->must_unroll = true;
                return val_poison();
            }
        return array_at(s, a.inst, a.member, l->lo, l, loc);
    }
    if (!want_int(s, i, loc, "the index", &turn))
        return val_poison();
    int64_t n;
    if (turn < 0 && array_count(s, a.inst, a.member, &n))
        turn += n;
    return array_at(s, a.inst, a.member, turn, NULL, loc);
}

static Val index_list(Sema *s, const Expr *e, Val a)
{
    Val i;
    int64_t at;
    if (!one_index(s, e, &i) || !want_int(s, i, e->index.p[0].loc, "the index", &at))
        return val_poison();
    if (at < -a.nitems || at >= a.nitems) {
        sema_error(s, e->index.p[0].loc, E0335, "index %lld of %s", (long long)at,
                   val_str(s, a));
        return val_poison();
    }
    return a.items[at < 0 ? at + a.nitems : at];
}

Val index_expr(Sema *s, const Expr *e)
{
    Val a = eval_expr(s, e->a);
    switch (a.kind) {
    case VAL_POISON:
        return a;
    case VAL_TENSOR:
        return index_tensor(s, e, a.value);
    case VAL_ARRAY:
        return index_array(s, e, a);
    case VAL_LIST:
    case VAL_TUPLE:
        return index_list(s, e, a);
    default:
        if (!needs_turn(s, a))
            sema_error(s, e->loc, E0330, "%s has no parts to choose by [ ]",
                       val_str(s, a));
        return val_poison();
    }
}
