// lower_dest.c - where a value is written.
//
// In order of preference: straight into a result of the entry; into the slice of a state
// that it is about to become; into the carried buffer of its repeat; over an operand that
// dies here; into a new local of the innermost function around all of its uses.

#include "compiler/lower.h"

#include <string.h>

// ---- buffers across functions --------------------------------------------------------------

Buf *buf_new(Lower *l, Func *f, BufKind kind, const char *name, const Type *t)
{
    Prog *p = l->p;
    Buf *b = NEW(p->arena, Buf);
    b->kind = kind;
    if (map_get(l->indices, name))  // a turn is passed on by its own name
        name = arena_printf(p->arena, "%s_", name);
    b->name = func_name(f, name);
    b->dtype = t->dtype;
    b->shape = *t;
    b->count = type_count(l->sizes, t);
    b->func = f;
    b->offset = -1;
    vec_push(p->arena, &f->bufs, b);
    return b;
}

static int depth(const Func *f)
{
    int n = 0;
    for (; f->caller; f = f->caller)
        n++;
    return n;
}

Func *func_common(Func *a, Func *b)
{
    int da = depth(a), db = depth(b);
    for (; da > db; da--)
        a = a->caller;
    for (; db > da; db--)
        b = b->caller;
    while (a != b) {
        a = a->caller;
        b = b->caller;
    }
    return a;
}

static bool is_inside(const Func *f, const Func *outer)
{
    for (; f; f = f->caller)
        if (f == outer)
            return true;
    return false;
}

// q_proj is what a projection gives, w_q_proj its weights.
const char *field_local(Lower *l, const Field *f)
{
    return f->kind == FIELD_WEIGHT ? arena_printf(l->p->arena, "w_%s", f->name)
                                   : f->name;
}

// Weights and states are reached from anywhere, through the function's own record.
static Buf *reach_field(Lower *l, Func *f, Buf *b)
{
    for (int i = 0; i < f->bufs.n; i++) {
        Buf *own = f->bufs.p[i];
        if (own->kind == b->kind && own->field->packed == b->field->packed &&
            own->field->state == b->field->state)
            return own;
    }
    Field *field = b->kind == BUF_STATE ? record_state(l, f->record, b->field->state)
                                        : record_packed(l, f->record, b->field->packed,
                                                        NULL, b->field->loc);
    Buf *own = buf_new(l, f, b->kind, field_local(l, field), &b->shape);
    own->field = field;
    return own;
}

Buf *reach(Lower *l, Func *f, Buf *b)
{
    if (b->func == f)
        return b;
    if (b->kind == BUF_STATE || b->kind == BUF_WEIGHT)
        return reach_field(l, f, b);
    if (!f->caller)
        bug("buffer %s of %s is out of reach of %s", b->name, b->func->name, f->name);
    Buf *outer = reach(l, f->caller, b);
    for (int i = 0; i < f->params.n; i++)
        if (f->params.p[i]->outer == outer)
            return f->params.p[i];
    Buf *param = buf_new(l, f, BUF_PARAM, outer->name, &outer->shape);
    param->outer = outer;
    vec_push(l->p->arena, &f->params, param);
    return param;
}

// ---- is a buffer free to be written over? ------------------------------------------------------

// Position in r of the op that v is or is nested in; -1: v is not in r.
int index_in(const Region *r, const Value *v, const Lower *l)
{
    while (v && v->region != r)
        v = v->region ? v->region->owner : NULL;
    return v ? l->low[v->id].at : -1;
}

static bool is_carried(const Lower *l, const Region *r, const Buf *b)
{
    const Value *owner = r->owner;
    if (!owner || owner->op != OP_repeat)
        return false;
    for (int i = 0; i < owner->nin; i++)
        if (l->low[owner->id].carried[i] == b)
            return true;
    return false;
}

static bool has(const Region *r, const Value *v)
{
    for (int i = 0; i < r->yields.n; i++)
        if (r->yields.p[i] == v)
            return true;
    return false;
}

static bool aliases_well(Lower *l, const Value *v, const Value *u, unsigned alias)
{
    if (v->op == OP_repeat)
        return true;  // carried_buffer has looked at the views
    View dense = view_dense(l, low_of(l, u)->view.buf, &v->type);
    for (int i = 0; i < v->nin; i++)
        if (v->in[i] == u &&
            (!(alias >> i & 1) || !view_same(&low_of(l, u)->view, &dense)))
            return false;
    return true;
}

bool buf_free_at(Lower *l, const Buf *b, const Value *v, unsigned alias)
{
    const Region *r = v->region;
    int at = low_of(l, v)->at;
    for (int id = 0; id < l->g->nvalues; id++) {
        const Value *u = l->values[id];
        if (!u || !l->low[id].done || l->low[id].view.buf != b)
            continue;
        bool param = u->op == OP_param && u->region == r;
        if (!param && index_in(r, u, l) < 0) {
            if (is_carried(l, r, b))
                continue;
            return false;
        }
        if (has(r, u))
            return false;
        for (int k = 0; k < l->low[id].users.n; k++) {
            const Value *user = l->low[id].users.p[k];
            int i = index_in(r, user, l);
            if (i < 0 || i > at)
                return false;
            if (i == at && (user != v || !aliases_well(l, v, u, alias)))
                return false;
        }
    }
    return true;
}

// ---- the choices ---------------------------------------------------------------------------------

// The result that v is, as it is or seen as another shape.
static Buf *result_of(Lower *l, const Value *v)
{
    const Region *top = l->g->body;
    while (!low_of(l, v)->yielded && low_of(l, v)->users.n == 1 &&
           low_of(l, v)->users.p[0]->op == OP_reshape)
        v = low_of(l, v)->users.p[0];
    if (v->region != top)
        return NULL;
    for (int i = 0; i < top->yields.n; i++)
        if (top->yields.p[i] == v && l->results.p[i]) {
            Buf *b = l->results.p[i];
            l->results.p[i] = NULL;
            return b;
        }
    return NULL;
}

// Does x, or something in its regions, use the state other than by `version`?
static bool uses_state(const Value *x, const char *path, const Value *version)
{
    for (int i = 0; i < x->nin; i++) {
        const Value *root = x->in[i];
        while (root != version && (op_is_view(root->op) || root->op == OP_set_slice))
            root = root->in[0];
        if (root != version && root->op == OP_state &&
            !strcmp(attr_str(root, "path", ""), path))
            return true;
    }
    for (int i = 0; x->body && i < x->body->ops.n; i++)
        if (uses_state(x->body->ops.p[i], path, version))
            return true;
    return false;
}

// Written when v is, not only at s: may something from v on until s see it?
static bool is_seen_between(Lower *l, const Value *v, const Value *s)
{
    const char *path = value_state_path(s);
    for (int i = low_of(l, v)->at; i < low_of(l, s)->at; i++)
        if (uses_state(v->region->ops.p[i], path, s->in[0]))
            return true;
    return false;
}

bool lower_state_slot(Lower *l, const Value *made, const Value *v, View *out)
{
    Low *lo = low_of(l, v);
    if (lo->users.n != 1 || lo->yielded)
        return false;
    const Value *s = lo->users.p[0];
    if (s->op != OP_set_slice || s->in[1] != v || s->region != v->region ||
        !value_state_path(s))
        return false;
    if (low_of(l, s->in[0])->users.n != 1 || is_seen_between(l, made, s))
        return false;
    if (!low_of(l, s->in[0])->done) {
        if (s->in[0]->op != OP_state)
            return false;
        lower_state(l, s->in[0]);
    }
    View base = low_of(l, s->in[0])->view;
    const Attr *start = attr_find(s, "start");
    const Size *stop[MAX_RANK];
    int64_t step[MAX_RANK];
    for (int k = 0; k < base.rank; k++) {
        stop[k] = size_add(l->sizes, start->sizes[k], v->type.dim[k].size);
        step[k] = 1;
    }
    *out = view_slice(l, base, start->sizes, stop, step);
    return true;
}

static bool carried_slot(Lower *l, const Value *v, unsigned alias, View *out)
{
    const Region *r = v->region;
    if (!r->owner || r->owner->op != OP_repeat)
        return false;
    for (int i = 0; i < r->yields.n; i++) {
        Buf *b = low_of(l, r->owner)->carried[i];
        if (r->yields.p[i] == v && buf_free_at(l, b, v, alias)) {
            *out = view_dense(l, b, &v->type);
            return true;
        }
    }
    return false;
}

static bool over_operand(Lower *l, const Value *v, unsigned alias, View *out)
{
    for (int i = 0; i < v->nin; i++) {
        const Value *u = v->in[i];
        if (!(alias >> i & 1) || is_packable(u) || !low_of(l, u)->done)
            continue;
        Buf *b = low_of(l, u)->view.buf;
        if (b->kind != BUF_LOCAL || b->dtype != v->type.dtype ||
            b->count != type_count(l->sizes, &v->type) ||
            !is_inside(low_of(l, v)->home, b->func))
            continue;
        if (buf_free_at(l, b, v, alias)) {
            *out = view_dense(l, b, &v->type);
            return true;
        }
    }
    return false;
}

// A value that is only ever seen transposed is stored that way.
static const int64_t *storage_order(Lower *l, const Value *v)
{
    Low *lo = low_of(l, v);
    const int64_t *perm = NULL;
    for (int i = 0; i < lo->users.n; i++) {
        if (lo->users.p[i]->op != OP_transpose)
            return NULL;
        const int64_t *p = attr_find(lo->users.p[i], "perm")->ints;
        if (perm && memcmp(p, perm, sizeof(*p) * (size_t)v->type.rank) != 0)
            return NULL;
        perm = p;
    }
    return lo->yielded ? NULL : perm;
}

// The source's name, of the value or of what it is seen as next; else the name of the weight
// of a linear, of the library block, or of the op.
const char *lower_local_name(Lower *l, const Value *v)
{
    if (v->name && !v->scope->library)
        return v->name;
    for (const Value *u = v; low_of(l, u)->users.n == 1;) {
        const Value *user = low_of(l, u)->users.p[0];
        bool whole = op_is_view(user->op) || type_equal(&user->type, &u->type);
        for (int i = 0; user->op == OP_repeat && i < user->nin; i++)
            if (user->in[i] == u && user->body->params.p[i]->name)
                return user->body->params.p[i]->name;
        if (!whole)
            break;
        if (user->name && !user->scope->library)
            return user->name;
        u = user;
    }
    if (v->op == OP_linear)
        return lower_packed(l, v->in[1], lower_linear_format(l, v))->field->name;
    if (v->scope && v->scope->library)
        return v->scope->name;
    return v->name ? v->name : arena_printf(l->p->arena, "%s_", op_info[v->op].name);
}

static View new_local(Lower *l, const Value *v)
{
    const char *name = lower_local_name(l, v);
    const int64_t *perm = storage_order(l, v);
    if (!perm)
        return view_dense(l, buf_new(l, low_of(l, v)->home, BUF_LOCAL, name, &v->type),
                          &v->type);
    Type stored = v->type;
    int64_t back[MAX_RANK];
    for (int k = 0; k < v->type.rank; k++) {
        stored.dim[k] = v->type.dim[perm[k]];
        back[perm[k]] = k;
    }
    Buf *b = buf_new(l, low_of(l, v)->home, BUF_LOCAL, name, &stored);
    return view_transpose(view_dense(l, b, &stored), back);
}

View lower_dest(Lower *l, const Value *v, unsigned alias)
{
    View view;
    Buf *result = result_of(l, v);
    if (result)
        view = view_dense(l, result, &v->type);
    else if (!lower_state_slot(l, v, v, &view) && !carried_slot(l, v, alias, &view) &&
             !over_operand(l, v, alias, &view))
        view = new_local(l, v);
    lower_set(l, v, view);
    if (l->note && l->noted == v)
        l->note->name = view.buf->name;
    return lower_value(l, v);
}
