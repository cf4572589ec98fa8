// lower_view.c - strided views of buffers, and loop nests over several of them.

#include "compiler/lower.h"

// ---- making views ------------------------------------------------------------------------

static const Size *one(Lower *l)
{
    return size_int(l->sizes, 1);
}

static View view_of_dims(Lower *l, Buf *b, int rank, const Size *const *dim)
{
    View v = {.buf = b, .offset = size_int(l->sizes, 0), .rank = rank};
    const Size *stride = one(l);
    for (int k = rank - 1; k >= 0; k--) {
        v.dim[k] = dim[k];
        v.stride[k] = stride;
        stride = size_mul(l->sizes, stride, dim[k]);
    }
    return v;
}

View view_dense(Lower *l, Buf *b, const Type *t)
{
    const Size *dim[MAX_RANK];
    for (int k = 0; k < t->rank; k++)
        dim[k] = t->dim[k].size;
    return view_of_dims(l, b, t->rank, dim);
}

View view_transpose(View x, const int64_t *perm)
{
    View y = x;
    for (int k = 0; k < x.rank; k++) {
        y.dim[k] = x.dim[perm[k]];
        y.stride[k] = x.stride[perm[k]];
    }
    return y;
}

View view_broadcast(Lower *l, View x, const Type *to)
{
    View y = {.buf = x.buf, .offset = x.offset, .rank = to->rank};
    for (int k = 0; k < to->rank; k++) {
        int j = k - (to->rank - x.rank);
        bool stretched =
            j < 0 || (size_is(x.dim[j], 1) && !size_is(to->dim[k].size, 1));
        y.dim[k] = to->dim[k].size;
        y.stride[k] = stretched ? size_int(l->sizes, 0) : x.stride[j];
    }
    return y;
}

View view_slice(Lower *l, View x, const Size *const *start, const Size *const *stop,
                const int64_t *step)
{
    Sizes *s = l->sizes;
    View y = x;
    for (int k = 0; k < x.rank; k++) {
        y.offset = size_add(s, y.offset, size_mul(s, start[k], x.stride[k]));
        const Size *span = size_sub(s, stop[k], start[k]);
        y.dim[k] = step[k] == 1 ? span : size_ceil_div(s, span, size_int(s, step[k]));
        y.stride[k] = size_mul(s, x.stride[k], size_int(s, step[k]));
    }
    return y;
}

bool view_same(const View *a, const View *b)
{
    if (a->buf != b->buf || a->offset != b->offset || a->rank != b->rank)
        return false;
    for (int k = 0; k < a->rank; k++)
        if (a->dim[k] != b->dim[k] ||
            (a->stride[k] != b->stride[k] && !size_is(a->dim[k], 1)))
            return false;
    return true;
}

// ---- reshape without a copy -----------------------------------------------------------------

// Axes of both shapes fall into groups of equal product. A group can be seen anew when its
// axes lie in one piece, in order.
static bool reshape_group(Lower *l, const View *x, int from, int to, View *y, int yfrom,
                          int yto)
{
    int last = -1;
    for (int k = from; k < to; k++) {
        if (size_is(x->dim[k], 1))
            continue;
        if (last >= 0 && x->stride[last] != size_mul(l->sizes, x->stride[k], x->dim[k]))
            return false;
        last = k;
    }
    const Size *stride = last >= 0 ? x->stride[last] : one(l);
    for (int k = yto - 1; k >= yfrom; k--) {
        y->stride[k] = stride;
        stride = size_mul(l->sizes, stride, y->dim[k]);
    }
    return true;
}

bool view_reshape(Lower *l, View x, int rank, const Size *const *dim, View *out)
{
    View y = {.buf = x.buf, .offset = x.offset, .rank = rank};
    for (int k = 0; k < rank; k++)
        y.dim[k] = dim[k];
    int i = 0, j = 0;
    while (i < x.rank || j < rank) {
        int i0 = i, j0 = j;
        const Size *a = i < x.rank ? x.dim[i++] : one(l);
        const Size *b = j < rank ? dim[j++] : one(l);
        while (a != b) {
            // The shorter product takes one more axis; when the order of two polynomials is
            // not known, both run to the end and the whole is one group.
            bool a_first =
                i < x.rank && (j >= rank || size_max_value(a) <= size_max_value(b));
            if (a_first)
                a = size_mul(l->sizes, a, x.dim[i++]);
            else if (j < rank)
                b = size_mul(l->sizes, b, dim[j++]);
            else
                return false;
        }
        if (!reshape_group(l, &x, i0, i, &y, j0, j))
            return false;
    }
    *out = y;
    return true;
}

// ---- dense copies ------------------------------------------------------------------------------

bool lower_is_dense(Lower *l, const View *x)
{
    const Size *stride = one(l);
    for (int k = x->rank - 1; k >= 0; k--) {
        if (!size_is(x->dim[k], 1) && x->stride[k] != stride)
            return false;
        stride = size_mul(l->sizes, stride, x->dim[k]);
    }
    return true;
}

Buf *lower_temp(Lower *l, const char *name, DType d, int rank, const Size *const *dim)
{
    Prog *p = l->p;
    Buf *b = NEW(p->arena, Buf);
    b->kind = BUF_LOCAL;
    b->name = func_name(l->f, name);
    b->dtype = d;
    b->shape = (Type){.dtype = d, .rank = rank};
    b->count = one(l);
    for (int k = 0; k < rank; k++) {
        b->shape.dim[k].size = dim[k];
        b->count = size_mul(l->sizes, b->count, dim[k]);
    }
    b->func = l->f;
    b->offset = -1;
    vec_push(p->arena, &l->f->bufs, b);
    return b;
}

View lower_dense(Lower *l, View x, const char *name)
{
    if (lower_is_dense(l, &x))
        return x;
    Buf *b = lower_temp(l, name, x.buf->dtype, x.rank, x.dim);
    View y = view_of_dims(l, b, x.rank, x.dim);
    lower_copy(l, y, x);
    return y;
}

void lower_copy(Lower *l, View to, View from)
{
    if (view_same(&to, &from))
        return;
    Nest n = {.nviews = 2, .view = {to, from}};
    nest_open(l, &n, to.rank, (Loc){0, 0});
    LStmt *s = ls_new(l->p, l->out, LS_STORE, (Loc){0, 0});
    s->buf = to.buf;
    s->index = n.index[0];
    s->value = lx_load(l->p, from.buf, n.index[1]);
    nest_close(l, &n);
}

// ---- loop nests -----------------------------------------------------------------------------------

// Axis k and k + 1 of every view are one axis of dim[k] * dim[k+1] elements.
static bool in_one_piece(Lower *l, const Nest *n, int k)
{
    for (int i = 0; i < n->nviews; i++) {
        const View *x = &n->view[i];
        if (x->stride[k] != size_mul(l->sizes, x->stride[k + 1], x->dim[k + 1]))
            return false;
    }
    return true;
}

static void drop_axis(View *x, int k)
{
    x->rank--;
    for (; k < x->rank; k++) {
        x->dim[k] = x->dim[k + 1];
        x->stride[k] = x->stride[k + 1];
    }
}

// Drops axes of size 1 and joins what lies in one piece; returns the axes that are left.
static int collapse(Lower *l, Nest *n, int axes)
{
    for (int k = 0; k < axes;) {
        if (size_is(n->view[0].dim[k], 1)) {
            for (int i = 0; i < n->nviews; i++)
                drop_axis(&n->view[i], k);
            axes--;
        } else {
            k++;
        }
    }
    for (int k = axes - 2; k >= 0; k--) {
        if (!in_one_piece(l, n, k))
            continue;
        for (int i = 0; i < n->nviews; i++) {
            View *x = &n->view[i];
            x->dim[k + 1] = size_mul(l->sizes, x->dim[k], x->dim[k + 1]);
            drop_axis(x, k);
        }
        axes--;
    }
    return axes;
}

static void open_loop(Lower *l, Nest *n, int axis, Loc loc)
{
    Prog *p = l->p;
    LStmt *s = ls_new(p, l->out, LS_FOR, loc);
    static const char *const letters[] = {"i", "j", "h", "g", "r", "s", "u", "v"};
    s->name = func_name(l->f, letters[axis]);
    s->lo = lx_int(p, 0);
    s->hi = lx_size(p, n->view[0].dim[axis]);
    LExpr *turn = lx_var(p, s->name, DT_i64);
    for (int i = 0; i < n->nviews; i++) {
        LExpr *step = lx_bin(p, '*', turn, lx_size(p, n->view[i].stride[axis]));
        n->index[i] = lx_bin(p, '+', n->index[i], step);
    }
    l->out = &s->body;
}

static void open_nest(Lower *l, Nest *n, int axes, Loc loc)
{
    n->outer = l->out;
    for (int i = 0; i < n->nviews; i++)
        n->index[i] = lx_size(l->p, n->view[i].offset);
    for (int k = 0; k < axes; k++)
        open_loop(l, n, k, loc);
}

void nest_open(Lower *l, Nest *n, int axes, Loc loc)
{
    open_nest(l, n, collapse(l, n, axes), loc);
}

void nest_close(Lower *l, Nest *n)
{
    // Loop variables may be used again by the next nest of this function.
    for (LStmts *s = n->outer; s != l->out;) {
        LStmt *loop = s->p[s->n - 1];
        map_set(l->f->taken, loop->name, NULL);
        s = &loop->body;
    }
    l->out = n->outer;
}

void rows_open(Lower *l, Rows *r, int axes, Loc loc)
{
    Nest *n = &r->nest;
    int left = collapse(l, n, axes);
    int peel = left > 0 ? left - 1 : 0;
    r->rows = left > 0 ? n->view[0].dim[peel] : one(l);
    for (int i = 0; i < n->nviews; i++)
        r->ld[i] = left > 0 ? n->view[i].stride[peel] : size_int(l->sizes, 0);
    open_nest(l, n, peel, loc);
}

bool rows_are_whole(const Lower *l, const Rows *r)
{
    return l->out == r->nest.outer;
}

void rows_close(Lower *l, Rows *r)
{
    nest_close(l, &r->nest);
}
