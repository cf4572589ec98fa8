// lower_older.c - views of a state as it was, when the state is written.
//
//     u = slice(state)                    a view, until
//     w = set_slice(state, x)             u becomes a copy, before this
//     y = add(u, w)
//
// A repeat that writes the state does so for all who see it as it was before the first turn.

#include "compiler/lower.h"

// Is u used when v, which writes, has begun to? In a set_slice operands are read before.
static bool is_used_later(Lower *l, const Value *u, const Value *v)
{
    const Low *lo = low_of(l, u);
    const int at = low_of(l, v)->at;
    bool later = lo->yielded;
    for (int k = 0; k < lo->users.n; k++) {
        int i = index_in(v->region, lo->users.p[k], l);
        later = later || i < 0 || i > at || (i == at && v->op == OP_repeat);
    }
    return later;
}

void lower_save_older(Lower *l, const Value *v, const State *state)
{
    for (int id = 0; id < l->g->nvalues; id++) {
        const Value *u = l->values[id];
        if (!u || !l->low[id].done || !op_is_view(u->op) ||
            index_in(u->region, v, l) < 0 ||  // u is made anew before it is used again
            l->low[id].view.buf->kind != BUF_STATE ||
            l->low[id].view.buf->field->state != state || !is_used_later(l, u, v))
            continue;
        View older = lower_value(l, u);
        Buf *b = buf_new(l, l->low[id].home, BUF_LOCAL, u->name ? u->name : "older",
                         &u->type);
        View copy = view_dense(l, b, &u->type);
        lower_set(l, u, copy);
        lower_copy(l, lower_value(l, u), older);
    }
}

void lower_save_before(Lower *l, const Value *repeat)
{
    const Module *m = l->p->module;
    for (int i = 0; i < m->states.n; i++)
        if (value_writes_state(repeat, m->states.p[i]->path))
            lower_save_older(l, repeat, m->states.p[i]);
}
