// einops.c - rearrange, reduce, repeat: named axes instead of reshape and transpose.
//
//     rearrange(x, "t (h d) -> h t d", h = 12)
// =>
//     transpose(reshape(x, [T, 12, 32]), [1, 0, 2])
//
// x is reshaped to its single axes, those that go are reduced, the others are put in
// order, new ones spread, and groups joined. Sizes by name come as arguments; one size
// of a group may be missing. Source: Rogozhnikov, "Einops: Clear and Reliable Tensor
// Manipulations", 2022.

#include <string.h>

#include "pattern.h"

typedef struct Single {  // an axis of its own, after groups are taken apart
    const char *name;
    Dim dim;  // size NULL: not known yet
    Loc loc;
} Single;

typedef struct Work {
    Call *c;
    Sema *s;
    Pattern p;
    int n;
    Single left[MAX_TERMS + MAX_RANK];
    int ndots;  // axes that `...` stands for
    bool used[MAX_ARGS * 4];
    int first_size;  // index of the first named argument
} Work;

// ---- sizes --------------------------------------------------------------------------

static bool size_given(Work *w, const char *name, Dim *dim)
{
    const ArgList *args = &w->c->e->args;
    for (int i = 0; i < args->n; i++) {
        const Size *z;
        if (!args->p[i].name || strcmp(args->p[i].name, name) != 0)
            continue;
        Val v = eval_expr(w->s, args->p[i].value);
        if (!want_size(w->s, v, args->p[i].value->loc, "the size", &z))
            return false;
        *dim = dim_of(v, z);
    }
    return true;
}

static bool misfits(Work *w, Loc loc, const Value *x, const char *why)
{
    sema_error(w->s, loc, E0342, "%s does not fit \"%s\": %s",
               type_str(&x->type, w->s->arena),
               diag_text(w->s->out, w->p.left[0].loc, w->s->arena), why);
    return false;
}

// The axes of one group: the one of unknown size takes what the others leave of d.
static bool solve_group(Work *w, const Value *x, int from, int to, Dim d)
{
    Sizes *z = w->s->module->sizes;
    const Size *known = size_int(z, 1);
    int open = -1;
    for (int i = from; i < to; i++) {
        Single *a = &w->left[i];
        if (!a->dim.size && open >= 0) {
            sema_error(w->s, a->loc, E0342, "sizes of `%s` and `%s` are both unknown",
                       w->left[open].name, a->name);
            sema_hint(w->s, a->loc, "give one: %s = ...", a->name);
            return false;
        }
        if (!a->dim.size)
            open = i;
        else
            known = size_mul(z, known, a->dim.size);
    }
    if (open >= 0 && to - from == 1) {
        w->left[open].dim = d;
    } else if (open >= 0) {
        const Size *rest =
            known && !size_is(known, 0) ? size_quot(z, d.size, known) : NULL;
        if (!rest)
            return misfits(w, w->left[from].loc, x,
                           arena_printf(w->s->arena, "%s is not a multiple of %s",
                                        size_str(d.size, w->s->arena),
                                        known ? size_str(known, w->s->arena) : "that"));
        w->left[open].dim = (Dim){rest, NULL};
    } else if (known != d.size) {
        return misfits(w, to > from ? w->left[from].loc : w->p.left[0].loc, x,
                       arena_printf(w->s->arena, "%s is not %s",
                                    size_str(d.size, w->s->arena),
                                    known ? size_str(known, w->s->arena) : "that"));
    } else if (to - from == 1 && !w->left[from].dim.name) {
        w->left[from].dim.name = d.name;
    }
    return true;
}

static bool add_single(Work *w, const char *name, Dim dim, Loc loc)
{
    if (w->n == COUNT(w->left))
        return false;
    w->left[w->n++] = (Single){name, dim, loc};
    return true;
}

static const char *dots_name(Work *w, int k)
{
    return arena_printf(w->s->arena, "...%d", k);
}

// Takes the left side apart along x's axes.
static bool match_left(Work *w, const Value *x)
{
    const Side *l = &w->p.left[0];
    const Dim one = {size_int(w->s->module->sizes, 1), NULL};
    bool dots = side_find(l, "...") >= 0;
    w->ndots = dots ? x->type.rank - (l->groups - 1) : 0;
    if (w->ndots < 0 || (!dots && l->groups != x->type.rank))
        return misfits(w, l->loc, x,
                       arena_printf(w->s->arena, "%d axes for %d", l->groups - dots,
                                    x->type.rank));
    int axis = 0;
    for (int g = 0, i = 0; g < l->groups; g++) {
        int from = w->n;
        if (i < l->n && l->axis[i].group == g && l->axis[i].dots) {
            for (int k = 0; k < w->ndots; k++)
                add_single(w, dots_name(w, k), x->type.dim[axis++], l->axis[i].loc);
            i++;
            continue;
        }
        for (; i < l->n && l->axis[i].group == g; i++) {
            Dim dim = l->axis[i].name ? (Dim){NULL, NULL} : one;
            if ((l->axis[i].name && !size_given(w, l->axis[i].name, &dim)) ||
                !add_single(w, l->axis[i].name, dim, l->axis[i].loc))
                return false;
        }
        if (!solve_group(w, x, from, w->n, x->type.dim[axis++]))
            return false;
    }
    return true;
}

// ---- moving -------------------------------------------------------------------------

static int find_single(const Single *a, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (a[i].name && strcmp(a[i].name, name) == 0)
            return i;
    return -1;
}

static bool rank_fits(Work *w, int n)
{
    if (n <= MAX_RANK)
        return true;
    sema_error(w->s, w->p.loc, E0309, "the pattern needs %d axes at once, at most %d",
               n, MAX_RANK);
    return false;
}

// x with its single axes; those of 1 without a name go.
static Value *take_apart(Work *w, Value *x)
{
    Dim dim[MAX_TERMS + MAX_RANK];
    int n = 0;
    for (int i = 0; i < w->n; i++)
        if (w->left[i].name) {
            w->left[n] = w->left[i];
            dim[n++] = w->left[i].dim;
        }
    w->n = n;
    return rank_fits(w, n) ? do_reshape(w->s, x, n, dim) : NULL;
}

// The right side as single axes, `...` written out, groups kept.
static bool list_right(Work *w, Single *out, int *group, int *n)
{
    const Side *r = &w->p.right;
    *n = 0;
    for (int i = 0; i < r->n; i++) {
        const Axis *a = &r->axis[i];
        int copies = a->dots ? w->ndots : 1;
        if (*n + copies > MAX_TERMS)
            return rank_fits(w, *n + copies);
        for (int k = 0; k < copies; k++) {
            out[*n] =
                (Single){a->dots ? dots_name(w, k) : a->name, {NULL, NULL}, a->loc};
            group[(*n)++] = a->dots ? -1 : a->group;
        }
    }
    return true;
}

static Value *reduce_missing(Work *w, Value *x, const Single *right, int nright, Op op)
{
    int axes[MAX_RANK], n = 0, kept = 0;
    for (int i = 0; i < w->n; i++) {
        if (find_single(right, nright, w->left[i].name) >= 0) {
            w->left[kept++] = w->left[i];
            continue;
        }
        if (op == OP_reshape) {
            const char *name = w->left[i].name;
            sema_error(w->s, w->left[i].loc, E0341, "axis `%s` is missing on the right",
                       *name == '.' ? "..." : name);
            sema_hint(w->s, w->p.right.loc, "reduce(x, pattern, mean) drops axes");
            return NULL;
        }
        axes[n++] = i;
    }
    w->n = kept;
    return do_reduce(w->s, op, x, n, axes, false);
}

// Puts what is there in the order of the right side, and new axes of 1 between.
static Value *order(Work *w, Value *x, const Single *right, int nright)
{
    int perm[MAX_RANK], n = 0;
    Dim dim[MAX_TERMS];
    const Dim one = {size_int(w->s->module->sizes, 1), NULL};
    for (int i = 0; i < nright; i++) {
        int k = right[i].name ? find_single(w->left, w->n, right[i].name) : -1;
        dim[i] = k >= 0 ? w->left[k].dim : one;
        if (k >= 0)
            perm[n++] = k;
    }
    x = do_transpose(w->s, x, perm);
    return x && rank_fits(w, nright) ? do_reshape(w->s, x, nright, dim) : NULL;
}

static bool new_size(Work *w, const Single *a, bool may_add, Dim *dim)
{
    if (!size_given(w, a->name, dim))
        return false;
    if (dim->size && may_add)
        return true;
    sema_error(w->s, a->loc, E0341, "axis `%s` is missing on the left", a->name);
    if (!may_add)
        sema_hint(w->s, a->loc, "repeat(x, pattern, %s = ...) adds axes", a->name);
    else
        sema_hint(w->s, a->loc, "give its size: %s = ...", a->name);
    return false;
}

static Value *spread(Work *w, Value *x, Single *right, int nright, bool may_add)
{
    Dim dim[MAX_TERMS];
    for (int i = 0; i < nright; i++) {
        int k = right[i].name ? find_single(w->left, w->n, right[i].name) : -1;
        dim[i] = x->type.dim[i];
        if (right[i].name && k < 0 && !new_size(w, &right[i], may_add, &dim[i]))
            return NULL;
        right[i].dim = dim[i];
    }
    return do_expand(w->s, x, nright, dim);
}

static Value *join(Work *w, Value *x, const Single *right, const int *group, int nright)
{
    Sizes *z = w->s->module->sizes;
    Dim dim[MAX_TERMS + MAX_RANK];
    int n = 0, i = 0, dots = side_find(&w->p.right, "...");
    for (int g = 0; g < w->p.right.groups; g++) {
        if (dots >= 0 && w->p.right.axis[dots].group == g) {
            while (i < nright && group[i] == -1)
                dim[n++] = right[i++].dim;
            continue;
        }
        int from = i;
        const Size *size = size_int(z, 1);
        for (; i < nright && group[i] == g; i++)
            size = size_mul(z, size, right[i].dim.size);
        if (!size) {
            sema_error(w->s, w->p.right.loc, E0302, "a size does not fit into 63 bits");
            return NULL;
        }
        dim[n++] = i - from == 1 ? right[from].dim : (Dim){size, NULL};
    }
    return rank_fits(w, n) ? do_reshape(w->s, x, n, dim) : NULL;
}

// Every size by name is one of an axis that stands somewhere.
static bool sizes_known(Work *w)
{
    const ArgList *args = &w->c->e->args;
    const Side *side[] = {&w->p.left[0], &w->p.right};
    const char *names[MAX_TERMS * 2];
    int n = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < side[k]->n; i++)
            if (side[k]->axis[i].name && !side[k]->axis[i].dots)
                names[n++] = side[k]->axis[i].name;
    for (int i = 0; i < args->n; i++) {
        const Arg *a = &args->p[i];
        if (!a->name || side_find(side[0], a->name) >= 0 ||
            side_find(side[1], a->name) >= 0)
            continue;
        sema_error(w->s, a->name_loc, E0402, "the pattern has no axis `%s`", a->name);
        hint_nearest(w->s, a->name_loc, a->name, names, n);
        return false;
    }
    return true;
}

// op: OP_reshape: nothing may be dropped.
static Val run(Call *c, Op op, bool may_add)
{
    Sema *s = c->s;
    Work *w = NEW(s->arena, Work);
    *w = (Work){.c = c, .s = s};
    const ArgList *args = &c->e->args;
    Single right[MAX_TERMS];
    int group[MAX_TERMS], n;
    Value *x = want_tensor(s, eval_expr(s, args->p[0].value), args->p[0].value->loc,
                           "the operand");
    if (!pattern_read(s, args->p[1].value, &w->p) || !x)
        return val_poison();
    if (w->p.nleft > 1) {
        sema_error(s, w->p.loc, E0340, "commas are for einsum");
        return val_poison();
    }
    s->b.loc = args->p[1].value->loc;
    if (!sizes_known(w) || !match_left(w, x) || !(x = take_apart(w, x)) ||
        !list_right(w, right, group, &n))
        return val_poison();
    s->b.loc = c->e->loc;
    x = reduce_missing(w, x, right, n, op);
    x = x ? order(w, x, right, n) : NULL;
    x = x ? spread(w, x, right, n, may_add) : NULL;
    return x ? val_tensor(join(w, x, right, group, n)) : val_poison();
}

// ---- the functions ------------------------------------------------------------------

static bool has_operands(Call *c, int n)
{
    int given = 0;
    for (int i = 0; i < c->e->args.n; i++)
        if (!c->e->args.p[i].name)
            given += i == given;
    if (given == n)
        return true;
    sema_error(c->s, c->e->op_loc, given < n ? E0403 : E0404,
               "`%s` takes %d arguments by position", c->func->name, n);
    sema_hint(c->s, c->e->loc, "%s(%s)", c->func->name, c->func->params + 1);
    return false;
}

static Val make_rearrange(Call *c)
{
    return has_operands(c, 2) ? run(c, OP_reshape, false) : val_poison();
}

static Val make_repeat(Call *c)
{
    return has_operands(c, 2) ? run(c, OP_reshape, true) : val_poison();
}

static Val make_einops_reduce(Call *c)
{
    static const struct {
        const char *name;
        Op op;
    } ways[] = {{"mean", OP_mean},
                {"sum", OP_sum},
                {"max", OP_reduce_max},
                {"min", OP_reduce_min}};
    if (!has_operands(c, 3))
        return val_poison();
    const Expr *e = c->e->args.p[2].value;
    const char *name = e->kind == EX_NAME || e->kind == EX_STRING ? e->text : "";
    for (int i = 0; i < COUNT(ways); i++)
        if (strcmp(ways[i].name, name) == 0)
            return run(c, ways[i].op, false);
    sema_error(c->s, e->loc, E0308, "reduce by mean, sum, max or min");
    return val_poison();
}

const Func funcs_einops[] = {
    {"rearrange", "!x, \"a b -> b a\", a = size", make_rearrange, OP_reshape},
    {"repeat", "!x, \"a -> a b\", b = size", make_repeat, OP_expand},
    {"reduce", "!x, \"a b -> a\", mean, a = size", make_einops_reduce, OP_mean},
    {"einsum", "!a, b, \"i k, k j -> i j\"", make_einsum, OP_matmul},
    {NULL, NULL, NULL, OP_add},
};
