// inputs.c - random inputs that a model can take.

#include "random.h"
#include "verify.h"

#include <string.h>

// Does the value come from the param, through ops that hand integers on? seen is by id.
static bool comes_from(const Value *v, const Value *param, bool *seen)
{
    if (v == param)
        return true;
    if (seen[v->id] || dtype_info[v->type.dtype].kind == DK_FLOAT)
        return false;
    seen[v->id] = true;
    for (int i = 0; i < v->nin; i++)
        if (comes_from(v->in[i], param, seen))
            return true;
    return false;
}

typedef struct Limit {
    const Value *param;
    const int64_t *dims;
    Arena *arena;
    int nvalues;
    int64_t n;  // indices must be below; INT64_MAX: never used as an index
} Limit;

static void look_at_gather(Value *v, void *ctx)
{
    Limit *l = ctx;
    if (v->op != OP_gather ||
        !comes_from(v->in[1], l->param, NEWN(l->arena, bool, l->nvalues)))
        return;
    int64_t axis = attr_int(v, "axis", 0);
    int64_t n = size_eval(v->in[0]->type.dim[axis].size, l->dims);
    if (n < l->n)
        l->n = n;
}

static int64_t index_limit(Arena *a, const Graph *g, const Value *param,
                           const int64_t *dims)
{
    Limit l = {param, dims, a, g->nvalues, INT64_MAX};
    for (int i = 0; i < g->module->graphs.n; i++)
        if (g->module->graphs.p[i] == g)
            graph_walk(g->module->graphs.p[i], look_at_gather, &l);
    return l.n == INT64_MAX ? 2 : l.n < 1 ? 1 : l.n;
}

void random_inputs(Arena *a, const Graph *g, const int64_t *dims, uint64_t seed,
                   Tensor *in)
{
    Random r = {seed};
    for (int i = 0; i < g->body->params.n; i++) {
        const Value *p = g->body->params.p[i];
        if (!tensor_of_type(a, &p->type, dims, &in[i]))
            bug("parameter %s has no size to allocate", p->name);
        bool is_float = dtype_info[p->type.dtype].kind == DK_FLOAT;
        int64_t limit = is_float ? 1 : index_limit(a, g, p, dims);
        for (int64_t k = 0; k < in[i].n; k++)
            in[i].data[k] = is_float ? (double)(float)random_normal(&r)
                                     : (double)random_below(&r, limit);
    }
}
