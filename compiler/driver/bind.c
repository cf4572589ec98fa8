// bind.c - run-time sizes from the shapes of inputs.

#include "golden.h"

#include <inttypes.h>

const char *shape_str(Arena *a, const Tensor *t)
{
    Text s;
    text_init(&s, a);
    text_puts(&s, "[");
    for (int i = 0; i < t->rank; i++)
        text_printf(&s, "%s%" PRId64, i ? ", " : "", t->dim[i]);
    text_puts(&s, "]");
    return s.p;
}

typedef struct Binder {
    Job *job;
    const Graph *g;
    int64_t *dims;
    bool *known;
    const char **why;
} Binder;

// The one dim of a size that is not known yet; NULL: none. *many: there are several.
static const DimVar *open_dim(const Binder *b, const Size *s, bool *many)
{
    const DimVar *open = NULL;
    *many = false;
    for (int i = 0; i < b->job->module->dims.n; i++) {
        const DimVar *d = b->job->module->dims.p[i];
        if (b->known[d->id] || !size_uses(s, d))
            continue;
        *many = open != NULL;
        open = d;
    }
    return open;
}

// Tries the values of a dim until the size is n: sizes are short polynomials, mostly T.
static bool solve(Binder *b, const Size *s, const DimVar *d, int64_t n)
{
    int64_t first = d->lo + (d->by - d->lo % d->by) % d->by;
    for (int64_t v = first; v <= d->hi; v += d->by) {
        b->dims[d->id] = v;
        if (size_eval(s, b->dims) == n) {
            b->known[d->id] = true;
            return true;
        }
    }
    *b->why = arena_printf(b->job->arena,
                           "%s = %" PRId64 " has no solution with %s in %" PRId64
                           "..%" PRId64 "%s",
                           size_str(s, b->job->arena), n, d->name, d->lo, d->hi,
                           d->by > 1 ? " and its step" : "");
    return false;
}

static bool bind_axis(Binder *b, const char *param, const Type *type, int axis,
                      int64_t n, bool *waits)
{
    bool many;
    const Size *s = type->dim[axis].size;
    const DimVar *open = open_dim(b, s, &many);
    if (many) {
        *waits = true;
        return true;
    }
    if (open)
        return solve(b, s, open, n);
    if (size_eval(s, b->dims) == n)
        return true;
    *b->why =
        arena_printf(b->job->arena, "axis %d of %s is %" PRId64 ", but %s is %" PRId64,
                     axis, param, n, size_str(s, b->job->arena), size_eval(s, b->dims));
    return false;
}

static bool bind_param(Binder *b, const Value *p, const Tensor *t, bool *waits)
{
    if (t->rank != p->type.rank) {
        *b->why = arena_printf(b->job->arena, "%s is %s, but is declared %s", p->name,
                               shape_str(b->job->arena, t),
                               type_str(&p->type, b->job->arena));
        return false;
    }
    for (int k = 0; k < t->rank; k++)
        if (!bind_axis(b, p->name, &p->type, k, t->dim[k], waits))
            return false;
    return true;
}

bool bind_dims(Job *job, const Graph *g, const Tensor *in, int64_t *dims,
               const char **why)
{
    const Module *m = job->module;
    Binder b = {job, g, dims, NEWN(job->arena, bool, m->dims.n + 1), why};
    bool waits = true;

    if (g->cursor) {
        dims[g->cursor->id] = 0;
        b.known[g->cursor->id] = true;
    }
    // An axis with two open dims waits for a round in which others have bound one of them.
    for (int round = 0; waits && round <= m->dims.n; round++) {
        waits = false;
        for (int i = 0; i < g->body->params.n; i++)
            if (!bind_param(&b, g->body->params.p[i], &in[i], &waits))
                return false;
    }
    if (waits) {
        *why = "the shapes do not say what its dims are";
        return false;
    }
    for (int i = 0; i < m->dims.n; i++)  // of other entries
        if (!b.known[i])
            dims[i] = m->dims.p[i]->lo;
    return true;
}
