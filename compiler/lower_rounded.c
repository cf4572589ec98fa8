// lower_rounded.c - rows rounded to int8 for a product, once for all who want them.
//
// A linear whose format rounds_x by rows reads them as bytes and scales in a buffer of their
// own. The norm or the linear that makes the rows rounds them too, the norm each row while it
// is in the cache:
//
//     tfx_layer_norm_rounded(..., x, ..., x_rounded)    writes x and x_rounded
//     linear_gelu(..., x_rounded, 0, ...)               reads x_rounded only
//
// Rows made by something else are rounded by the first such linear that reads them, for
// itself and for the others.

#include "compiler/lower.h"

static bool rounds_rows(Lower *l, const Value *linear, const Value *x)
{
    return linear->op == OP_linear && linear->in[0] == x &&
           format_info[lower_linear_format(l, linear)].rounds_x == ROUNDS_row;
}

bool lower_is_rounded(Lower *l, const Value *x)
{
    const Low *lo = low_of(l, x);
    for (int i = 0; i < lo->users.n; i++)
        if (rounds_rows(l, lo->users.p[i], x))
            return true;
    return false;
}

// TFX_ROUNDED_MAX of runtime/tfx.h: rows that need no place as floats.
enum { MOST = 4096 };

// Of a matrix: then no linear has its rows in pieces.
bool lower_is_only_rounded(Lower *l, const Value *x)
{
    const Low *lo = low_of(l, x);
    const Size *k = x->type.rank > 0 ? x->type.dim[x->type.rank - 1].size : NULL;
    bool only = x->type.rank > 0 && x->type.rank <= 2 && !lo->yielded && !l->p->taps &&
                lo->users.n > 0 && size_is_fixed(k) && size_max_value(k) <= MOST;
    for (int i = 0; i < lo->users.n; i++) {
        const Value *u = lo->users.p[i];
        only = only && rounds_rows(l, u, x);
        for (int j = 1; j < u->nin; j++)
            only = only && u->in[j] != x;
    }
    return only;
}

// As runtime/kernels/bytes.h has them: k bytes in pieces of 64 and a scale each; of a k that
// differs by turn, room for the largest.
static Buf *rounded_new(Lower *l, Func *home, const Value *x, const char *name)
{
    const Dim *k = &x->type.dim[x->type.rank - 1];
    const Size *rows = size_int(l->sizes, 1);
    for (int i = 0; i < x->type.rank - 1; i++)
        rows = size_mul(l->sizes, rows, x->type.dim[i].size);
    if (!size_is_fixed(k->size))
        bug("a linear of a run-time size");
    int64_t n = size_max_value(k->size);
    Type t = {.dtype = DT_f32, .rank = 1};
    t.dim[0].size =
        size_mul(l->sizes, rows, size_int(l->sizes, (n + 63) / 64 * 16 + 1));
    return buf_new(l, home, BUF_LOCAL, name, &t);
}

// x_rounded, of a buffer x.
static const char *rounded_name(Lower *l, const Value *x)
{
    const Low *lo = low_of(l, x);
    const char *of = lo->done ? lo->view.buf->name : lower_local_name(l, x);
    return arena_printf(l->p->arena, "%s_rounded", of);
}

Buf *lower_round_here(Lower *l, const Value *x)
{
    Low *lo = low_of(l, x);
    lo->rounded = rounded_new(l, lo->home, x, rounded_name(l, x));
    return reach(l, l->f, lo->rounded);
}

Buf *lower_rounded(Lower *l, const Value *linear, bool *is_made)
{
    const Value *x = linear->in[0];
    Low *lo = low_of(l, x);
    *is_made = lo->rounded != NULL;
    if (lo->rounded)
        return reach(l, l->f, lo->rounded);
    Func *home = l->f;
    int sharing = 0;
    for (int i = 0; i < lo->users.n; i++) {
        const Value *u = lo->users.p[i];
        if (!rounds_rows(l, u, x))
            continue;
        home = func_common(home, low_of(l, u)->func);
        sharing++;
    }
    bool shared = sharing > 1 && x->region == linear->region;
    Buf *b = rounded_new(l, home, x, shared ? rounded_name(l, x) : "rounded");
    lo->rounded = shared ? b : NULL;
    return reach(l, l->f, b);
}
