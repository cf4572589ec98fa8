// const - computes what depends on small constants only.
//
//     a = const {value = 64} : f32                a = const {value = 8} : f32
//     b = sqrt(a) : f32                  =>
//
// Results of up to 64 elements; weights are never read, their arithmetic is the packer's.
// The evaluator computes in double, so a result is at least as exact as at run time. What
// is not finite stays as it is: C has no constant for it.

#include "compiler/irtext.h"
#include "compiler/oracle.h"
#include "pass.h"

#include <math.h>

enum { MAX_COUNT = 64 };

static bool no_weight(void *ctx, const char *name, int64_t n, double *out)
{
    (void)ctx, (void)name, (void)n, (void)out;
    return false;
}

static bool is_small(const Value *v)
{
    int64_t count = 1;
    for (int k = 0; k < v->type.rank; k++) {
        int64_t n;
        if (!size_is_int(v->type.dim[k].size, &n) || n < 1 || n > MAX_COUNT)
            return false;
        count *= n;
        if (count > MAX_COUNT)
            return false;
    }
    return true;
}

// A rounding cast is left to the machine that runs it.
static bool is_foldable(const Value *v)
{
    if (v->nin == 0 || v->body || v->type.rank < 0 || !is_small(v))
        return false;
    if (v->op == OP_expand)
        return false;  // longer as a constant than as it is
    if (v->op == OP_cast && (v->type.dtype == DT_f16 || v->type.dtype == DT_bf16))
        return false;
    for (int i = 0; i < v->nin; i++)
        if (v->in[i]->op != OP_const)
            return false;
    return value_is_const(v);
}

static bool is_finite(const Tensor *t)
{
    for (int64_t i = 0; i < t->n; i++)
        if (!isfinite(t->data[i]))
            return false;
    return true;
}

// 1 / 3 of integers is no constant: there are only exact quotients.
static bool is_exact(const Value *v, const Tensor *t)
{
    if (dtype_info[v->type.dtype].kind == DK_FLOAT)
        return true;
    for (int64_t i = 0; i < t->n; i++)
        if (t->data[i] != floor(t->data[i]) || fabs(t->data[i]) > 9007199254740992.0)
            return false;
    return true;
}

static Value *make_const(PassContext *c, Graph *g, Value *v, const Tensor *t)
{
    Builder b = build_before(c, g, v);
    if (t->rank == 0)
        return build_const(&b, v->type.dtype, t->data[0]);
    Text values;
    text_init(&values, c->scratch);
    for (int64_t i = 0; i < t->n; i++) {
        text_puts(&values, i ? "," : "");
        ir_put_number(&values, t->data[i]);
    }
    Attr attr[] = {attr_make_ints("shape", t->rank, t->dim),
                   attr_make_str("values", values.p),
                   attr_make_dtype("dtype", v->type.dtype)};
    return build(&b, OP_const, 0, NULL, 3, attr);
}

static bool fold(PassContext *c, Graph *g, Value *v)
{
    int64_t n;
    if (v->op == OP_size && size_is_int(attr_find(v, "size")->sizes[0], &n)) {
        Builder b = build_before(c, g, v);
        replace_value(g, v, build_const(&b, v->type.dtype, (double)n));
        return true;
    }
    Tensor t;
    WeightSource none = {no_weight, NULL};
    if (!is_foldable(v) ||
        !oracle_const(c->scratch, c->module, none, v, 0, NULL, &t, NULL) ||
        !is_finite(&t) || !is_exact(v, &t))
        return false;
    Value *k = make_const(c, g, v, &t);
    if (k)
        replace_value(g, v, k);
    return k != NULL;
}

static bool fold_region(PassContext *c, Graph *g, Region *r)
{
    bool changed = false;
    for (int i = 0; i < r->ops.n; i++)
        changed |= fold(c, g, r->ops.p[i]);
    return changed;
}

bool pass_const(PassContext *c)
{
    return pass_regions(c, fold_region);
}
