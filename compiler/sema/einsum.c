// einsum.c - sums of products over named axes, as transpose, reshape and matmul.
//
//     einsum(q, k, "h i d, h j d -> h i j")
// =>
//     matmul(q, transpose(k, [0, 2, 1]))
//
// Operands are taken two at a time, from the left. Axes of both that are still needed
// are the batch, axes of both that are not are summed by the matmul, the others stay.
// Source: Einstein, "Die Grundlage der allgemeinen Relativitätstheorie", 1916, eq. 7.

#include <string.h>

#include "pattern.h"

typedef struct Factor {  // a value with names for its axes
    Value *v;
    int n;
    const char *axis[MAX_RANK];
} Factor;

typedef struct Work {
    Call *c;
    Sema *s;
    Pattern p;
    int at;  // operands from here on are still to come
} Work;

static int find(const Factor *t, const char *name)
{
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->axis[i], name) == 0)
            return i;
    return -1;
}

static bool is_needed(const Work *w, const char *name)
{
    for (int i = w->at; i < w->p.nleft; i++)
        if (side_find(&w->p.left[i], name) >= 0)
            return true;
    return side_find(&w->p.right, name) >= 0;
}

// Puts t's axes in this order; all must be there.
static bool arrange(Sema *s, Factor *t, int n, const char *const *names)
{
    int perm[MAX_RANK];
    for (int i = 0; i < n; i++)
        perm[i] = find(t, names[i]);
    t->v = do_transpose(s, t->v, perm);
    memcpy(t->axis, names, sizeof(*names) * (size_t)n);
    return t->v != NULL;
}

// Sums what only t has and nobody needs.
static bool sum_alone(Work *w, Factor *t, const Factor *other)
{
    int axes[MAX_RANK], n = 0, kept = 0;
    for (int i = 0; i < t->n; i++) {
        if (is_needed(w, t->axis[i]) || (other && find(other, t->axis[i]) >= 0))
            t->axis[kept++] = t->axis[i];
        else
            axes[n++] = i;
    }
    t->n = kept;
    t->v = do_reduce(w->s, OP_sum, t->v, n, axes, false);
    return t->v != NULL;
}

// ---- two operands -------------------------------------------------------------------

typedef struct Parts {  // names by part
    int nbatch, nleft, nsum, nright;
    const char *batch[MAX_RANK], *left[MAX_RANK], *sum[MAX_RANK], *right[MAX_RANK];
} Parts;

static void sort_axes(const Work *w, const Factor *a, const Factor *b, Parts *p)
{
    *p = (Parts){0};
    for (int i = 0; i < a->n; i++) {
        const char *name = a->axis[i];
        if (find(b, name) < 0)
            p->left[p->nleft++] = name;
        else if (is_needed(w, name))
            p->batch[p->nbatch++] = name;
        else
            p->sum[p->nsum++] = name;
    }
    for (int i = 0; i < b->n; i++)
        if (find(a, b->axis[i]) < 0)
            p->right[p->nright++] = b->axis[i];
}

static int append(const char **out, int n, const char *const *names, int count)
{
    for (int i = 0; i < count && n < MAX_RANK; i++)
        out[n++] = names[i];
    return n;
}

// [batch..., x..., y...] as [batch..., X, Y], each a product.
static Value *fold(Sema *s, const Factor *t, int nbatch, int nx)
{
    Sizes *z = s->module->sizes;
    Dim dim[MAX_RANK];
    Dim last[2] = {{size_int(z, 1), NULL}, {size_int(z, 1), NULL}};
    for (int i = 0; i < t->n; i++) {
        if (i < nbatch) {
            dim[i] = t->v->type.dim[i];
            continue;
        }
        Dim *d = &last[i < nbatch + nx ? 0 : 1];
        bool alone = i < nbatch + nx ? nx == 1 : t->n - nbatch - nx == 1;
        *d = alone ? t->v->type.dim[i]
                   : (Dim){size_mul(z, d->size, t->v->type.dim[i].size), NULL};
    }
    if (nbatch + 2 > MAX_RANK || !last[0].size || !last[1].size)
        return NULL;
    dim[nbatch] = last[0];
    dim[nbatch + 1] = last[1];
    return do_reshape(s, t->v, nbatch + 2, dim);
}

static bool too_many(Work *w, int n)
{
    if (n <= MAX_RANK)
        return false;
    sema_error(w->s, w->p.loc, E0309, "the product has %d axes, at most %d", n,
               MAX_RANK);
    return true;
}

// No axis is summed: a product by broadcasting.
static bool product(Work *w, Factor *a, Factor *b, const Parts *p, Factor *out)
{
    Sizes *z = w->s->module->sizes;
    Dim da[MAX_RANK], db[MAX_RANK];
    const Dim one = {size_int(z, 1), NULL};
    for (int i = 0; i < out->n; i++) {
        int ka = find(a, out->axis[i]), kb = find(b, out->axis[i]);
        da[i] = ka >= 0 ? a->v->type.dim[ka] : one;
        db[i] = kb >= 0 ? b->v->type.dim[kb] : one;
    }
    (void)p;
    out->v = elementwise(w->s, OP_mul, do_reshape(w->s, a->v, out->n, da),
                         do_reshape(w->s, b->v, out->n, db));
    return out->v != NULL;
}

static bool contract(Work *w, Factor *a, Factor *b, Factor *out)
{
    Sema *s = w->s;
    Parts p;
    const char *oa[MAX_RANK], *ob[MAX_RANK];
    if (!sum_alone(w, a, b) || !sum_alone(w, b, a))
        return false;
    sort_axes(w, a, b, &p);
    if (too_many(w, p.nbatch + p.nleft + p.nright))
        return false;
    int na = append(oa, append(oa, append(oa, 0, p.batch, p.nbatch), p.left, p.nleft),
                    p.sum, p.nsum);
    int nb = append(ob, append(ob, append(ob, 0, p.batch, p.nbatch), p.sum, p.nsum),
                    p.right, p.nright);
    out->n = append(
        out->axis,
        append(out->axis, append(out->axis, 0, p.batch, p.nbatch), p.left, p.nleft),
        p.right, p.nright);
    if (!arrange(s, a, na, oa) || !arrange(s, b, nb, ob))
        return false;
    if (p.nsum == 0)
        return product(w, a, b, &p, out);
    // x[..., k] @ w[k, n] needs no fold of the axes before k
    bool plain = p.nbatch == 0 && p.nsum == 1 && p.nleft >= 1 && p.nright == 1;
    Value *x = plain ? a->v : fold(s, a, p.nbatch, p.nleft);
    Value *y = plain ? b->v : fold(s, b, p.nbatch, p.nsum);
    if (!x || !y)
        return false;
    Dim dim[MAX_RANK];
    for (int i = 0; i < out->n; i++) {
        int k = find(a, out->axis[i]);
        dim[i] = k >= 0 ? a->v->type.dim[k] : b->v->type.dim[find(b, out->axis[i])];
    }
    out->v = do_reshape(s, build2(&s->b, OP_matmul, x, y), out->n, dim);
    return out->v != NULL;
}

// ---- the call -----------------------------------------------------------------------

static bool read_term(Work *w, int i, const Expr *e, Factor *t)
{
    Sema *s = w->s;
    const Side *side = &w->p.left[i];
    t->v = want_tensor(s, eval_expr(s, e), e->loc, "the operand");
    if (!t->v)
        return false;
    t->n = side->n;
    if (side->n != t->v->type.rank || side->groups != side->n) {
        sema_error(s, side->loc, E0342, "%s does not fit \"%s\"",
                   type_str(&t->v->type, s->arena),
                   diag_text(s->out, side->loc, s->arena));
        return false;
    }
    for (int k = 0; k < side->n; k++) {
        if (!side->axis[k].name || side->axis[k].dots) {
            sema_error(s, side->axis[k].loc, E0340, "every axis of einsum has a name");
            return false;
        }
        t->axis[k] = side->axis[k].name;
    }
    return true;
}

// One name is one size, whatever the operand.
static bool sizes_agree(Work *w, const Factor *t, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < t[i].n; k++)
            for (int j = 0; j < i; j++) {
                int m = find(&t[j], t[i].axis[k]);
                if (m < 0 || t[j].v->type.dim[m].size == t[i].v->type.dim[k].size)
                    continue;
                sema_error(w->s, w->p.left[i].axis[k].loc, E0342,
                           "axis `%s` is %s in %s and %s in %s", t[i].axis[k],
                           size_str(t[j].v->type.dim[m].size, w->s->arena),
                           type_str(&t[j].v->type, w->s->arena),
                           size_str(t[i].v->type.dim[k].size, w->s->arena),
                           type_str(&t[i].v->type, w->s->arena));
                return false;
            }
    return true;
}

static bool right_known(Work *w, const char **names)
{
    const Side *r = &w->p.right;
    for (int i = 0; i < r->n; i++) {
        bool known = false;
        for (int k = 0; k < w->p.nleft && r->axis[i].name; k++)
            known |= side_find(&w->p.left[k], r->axis[i].name) >= 0;
        if (!known || r->groups != r->n || r->n > MAX_RANK) {
            sema_error(w->s, r->axis[i].loc, E0341, "axis `%s` is missing on the left",
                       r->axis[i].name ? r->axis[i].name : "1");
            return false;
        }
        names[i] = r->axis[i].name;
    }
    return true;
}

Val make_einsum(Call *c)
{
    Work w = {.c = c, .s = c->s};
    const ArgList *args = &c->e->args;
    Factor t[8];
    const char *names[MAX_TERMS] = {0};
    int n = args->n - 1;
    bool first = n >= 1 && args->p[0].value->kind == EX_STRING;
    if (n < 1) {
        sema_error(c->s, c->e->op_loc, E0403, "einsum needs operands and a pattern");
        sema_hint(c->s, c->e->loc, "einsum(%s)", c->func->params + 1);
        return val_poison();
    }
    if (!pattern_read(c->s, args->p[first ? 0 : n].value, &w.p))
        return val_poison();
    if (w.p.nleft != n) {
        sema_error(c->s, w.p.loc, E0306, "the pattern has %d operand%s, given are %d",
                   w.p.nleft, w.p.nleft == 1 ? "" : "s", n);
        return val_poison();
    }
    for (int i = 0; i < n; i++)
        if (!read_term(&w, i, args->p[i + first].value, &t[i]))
            return val_poison();
    if (!sizes_agree(&w, t, n) || !right_known(&w, names))
        return val_poison();
    c->s->b.loc = c->e->loc;
    Factor all = t[0];
    for (w.at = 1; w.at < n;) {
        Factor b = t[w.at++], out = {0};
        if (!contract(&w, &all, &b, &out))
            return val_poison();
        all = out;
    }
    w.at = n;
    if (!sum_alone(&w, &all, NULL))
        return val_poison();
    if (all.n != w.p.right.n)
        bug("einsum has %d axes left for %d on the right", all.n, w.p.right.n);
    if (!arrange(c->s, &all, all.n, names))
        return val_poison();
    return val_tensor(all.v);
}
