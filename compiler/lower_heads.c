// lower_heads.c - columns of a product that its epilogue writes by heads, into a state.
//
//     y = linear(x, w)                             q, k and v beside each other
//     a = slice(y) {the last columns}
//     b = transpose(reshape(a) {[T, heads, d]}) {perm = [1, 0, 2]}
//     s = set_slice(cache, b)
//
// Only the state wants these columns. The product writes them where they go to stay, each
// head at its place, and none of the values between is anywhere else.

#include "compiler/lower.h"

// The values from the columns of y to what the state takes, by the ops above.
typedef struct Chain {
    const Value *value[8];
    int n;
    int64_t from, to;  // columns of y, all of its rows
} Chain;

static const Value *only_user(Lower *l, const Value *v)
{
    const Low *lo = low_of(l, v);
    return lo->users.n == 1 && !lo->yielded ? lo->users.p[0] : NULL;
}

// Follows reshapes and transposes from v, the columns as they leave the product.
static bool follow(Lower *l, const Value *v, Chain *c)
{
    for (c->n = 0; c->n < COUNT(c->value); v = only_user(l, v)) {
        c->value[c->n++] = v;
        const Value *user = only_user(l, v);
        if (!user || user->region != v->region)
            return false;
        if (user->op == OP_set_slice)
            return user->in[1] == v;
        if (user->op != OP_reshape && user->op != OP_transpose)
            return false;
    }
    return false;
}

// Where in the slot the first value of the chain has its columns, as [T, heads, d], [T, d]
// or less: the axes of its reshape, should one have cut the columns into heads.
static View undo(Lower *l, const Chain *c, View slot)
{
    for (int i = c->n - 1; i > 0; i--) {
        const Value *v = c->value[i], *x = c->value[i - 1];
        const Size *dim[MAX_RANK];
        int64_t back[MAX_RANK];
        View before;
        for (int k = 0; k < x->type.rank; k++)
            dim[k] = x->type.dim[k].size;
        if (v->op == OP_transpose) {
            for (int k = 0; k < v->type.rank; k++)
                back[attr_find(v, "perm")->ints[k]] = k;
            slot = view_transpose(slot, back);
        } else if (view_reshape(l, slot, x->type.rank, dim, &before)) {
            slot = before;
        } else {
            return i == 1 ? slot : (View){.rank = -1};
        }
    }
    return slot;
}

static bool heads_of(Lower *l, View at, const Size *rows, Heads *h)
{
    const Size *one = size_int(l->sizes, 1), *zero = size_int(l->sizes, 0);
    int axis[MAX_RANK], n = 0;
    for (int k = 0; k < at.rank; k++)
        if (!size_is(at.dim[k], 1))
            axis[n++] = k;
    const bool has_rows = !size_is(rows, 1);
    const int left = n - has_rows;
    if (at.rank < 0 || left < 0 || left > 2 || (has_rows && at.dim[axis[0]] != rows))
        return false;
    const int d = left > 0 ? axis[n - 1] : -1, head = left > 1 ? axis[n - 2] : -1;
    *h = (Heads){.buf = at.buf,
                 .offset = at.offset,
                 .row = has_rows ? at.stride[axis[0]] : zero,
                 .head = head < 0 ? zero : at.stride[head],
                 .n = head < 0 ? one : at.dim[head],
                 .d = d < 0 ? one : at.dim[d]};
    return d < 0 || size_is(at.stride[d], 1);
}

// The columns [*from, *to) that a user of y sees.
static bool columns(const Value *y, const Value *user, int64_t *from, int64_t *to)
{
    const int last = y->type.rank - 1;
    return user->op == OP_slice && attr_find(user, "step")->ints[last] == 1 &&
           size_is_int(attr_find(user, "start")->sizes[last], from) &&
           size_is_int(attr_find(user, "stop")->sizes[last], to);
}

static bool sees_all_rows(const Value *y, const Value *v)
{
    for (int k = 0; k < y->type.rank - 1; k++)
        if (v->type.dim[k].size != y->type.dim[k].size)
            return false;
    return true;
}

// The chain of the columns that end at `to`, if they are all y has there.
static bool chain_at(Lower *l, const Value *y, int64_t to, Chain *c)
{
    const Low *lo = low_of(l, y);
    int n = 0;
    for (int i = 0; i < lo->users.n; i++) {
        const Value *user = lo->users.p[i];
        int64_t from, end;
        if (!columns(y, user, &from, &end))
            return false;
        if (end != to)
            continue;
        if (!sees_all_rows(y, user) || !follow(l, user, c))
            return false;
        c->from = from;
        c->to = end;
        n++;
    }
    return n == 1;
}

// No user sees columns on both sides of `from`, nor any that are written elsewhere.
static bool is_apart(Lower *l, const Value *y, const Chain *c)
{
    const Low *lo = low_of(l, y);
    for (int i = 0; i < lo->users.n; i++) {
        int64_t from, to;
        bool own = lo->users.p[i] == c->value[0];
        if (!own && columns(y, lo->users.p[i], &from, &to) && to > c->from &&
            from < c->to)
            return false;
    }
    return true;
}

static bool find_place(Lower *l, const Value *y, const Chain *c, Heads *h)
{
    const Size *rows = y->type.rank > 1 ? y->type.dim[0].size : size_int(l->sizes, 1);
    View slot;
    if (!lower_state_slot(l, y, c->value[c->n - 1], &slot) ||
        !heads_of(l, undo(l, c, slot), rows, h))
        return false;
    h->columns = c->to - c->from;
    h->slot = slot;
    return true;
}

// Of the last columns first, but states are met in the order of the columns.
int lower_heads(Lower *l, const Value *y, Heads h[MAX_HEADS])
{
    Chain c[MAX_HEADS] = {{.n = 0}};
    int n = 0;
    int64_t to;
    if (y->type.rank < 1 || y->type.rank > 2 || l->p->taps || low_of(l, y)->yielded ||
        !size_is_int(y->type.dim[y->type.rank - 1].size, &to))
        return 0;
    if (follow(l, y, &c[0])) {
        c[0].to = to;
        n = c[0].n > 1;
    } else {
        while (n < MAX_HEADS && to > 0 && chain_at(l, y, to, &c[n]) &&
               is_apart(l, y, &c[n]))
            to = c[n++].from;
    }
    for (int i = n - 1; i >= 0; i--)
        if (!find_place(l, y, &c[i], &h[i]))
            n = i;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < c[i].n; k++)
            low_of(l, c[i].value[k])->placed = c[i].value[k] != y;
        lower_set(l, c[i].value[c[i].n - 1], h[i].slot);
    }
    return n;
}

// All of y is one head: rows with a stride of their own.
static View one_head(Lower *l, const Value *y, const Heads *h)
{
    View at = view_dense(l, reach(l, l->f, h->buf), &y->type);
    at.offset = h->offset;
    if (at.rank > 1)
        at.stride[0] = h->row;
    return at;
}

View lower_rest(Lower *l, const Value *y, const Heads *h, int *n)
{
    Type t = y->type;
    Dim *last = &t.dim[t.rank - 1];
    int64_t left = 0;
    size_is_int(last->size, &left);
    for (int i = 0; i < *n; i++)
        left -= h[i].columns;
    *last = (Dim){size_int(l->sizes, left), NULL};
    if (left == 0) {
        l->note->name = h[0].buf->name;
        if (*n > 1 || !size_is(h[0].n, 1))
            return view_dense(l, NULL, &t);
        *n = 0;
        return one_head(l, y, &h[0]);
    }
    const char *name = lower_local_name(l, y);
    Buf *b = buf_new(l, low_of(l, y)->home, BUF_LOCAL, name, &t);
    l->note->name = b->name;
    lower_set(l, y, view_dense(l, b, &t));
    return lower_value(l, y);
}

// By the name that the state has for an axis of this size.
static void karg_axis(Lower *l, LStmt *s, const Buf *b, const Size *n)
{
    Dim dim = {n, NULL};
    for (int k = 0; k < b->shape.rank; k++)
        if (b->shape.dim[k].size == n)
            dim = b->shape.dim[k];
    karg_dim(l, s, NULL, &dim);
}

void karg_heads(Lower *l, LStmt *s, const Heads *h)
{
    karg_write(l, s, NULL, reach(l, l->f, h->buf), lx_size(l->p, h->offset));
    karg_size(l, s, NULL, h->head);
    karg_size(l, s, NULL, h->row);
    karg_axis(l, s, h->buf, h->n);
    karg_axis(l, s, h->buf, h->d);
}
