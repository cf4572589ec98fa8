// common.c - what several ops share: reading arguments, plain checks, reductions.

#include "compiler/ops/common.h"
#include "compiler/svd.h"

#include <string.h>

// ---- type rules ------------------------------------------------------------------------

static const char *const kind_words[] = {
    [AT_INT] = "an integer",        [AT_NUM] = "a number", [AT_STR] = "a string",
    [AT_INTS] = "integers",         [AT_SIZE] = "a size",  [AT_SIZES] = "sizes",
    [AT_DTYPE] = "an element type",
};

const Attr *infer_attr(Infer *c, const Value *v, const char *name, AttrKind kind)
{
    const Attr *a = attr_find(v, name);
    if (a && a->kind == kind)
        return a;
    if (a)
        misfit(c, E0308, "%s: `%s` must be %s", op_info[v->op].name, name,
               kind_words[kind]);
    else
        misfit(c, E0308, "%s: `%s` is missing", op_info[v->op].name, name);
    return NULL;
}

const Size *infer_size(Infer *c, const Value *v, const Size *s)
{
    if (!s)
        misfit(c, E0302, "%s: a size does not fit into 63 bits", op_info[v->op].name);
    return s;
}

const Size *const *infer_sizes(Infer *c, const Value *v, const char *name, int n)
{
    const Attr *a = infer_attr(c, v, name, AT_SIZES);
    if (!a)
        return NULL;
    if (n >= 0 && a->n != n) {
        misfit(c, E0308, "%s: `%s` has %d size%s, not %d", op_info[v->op].name, name,
               a->n, a->n == 1 ? "" : "s", n);
        return NULL;
    }
    for (int i = 0; i < a->n; i++)
        if (!infer_size(c, v, a->sizes[i]))
            return NULL;
    static const Size *const none[1] = {NULL};  // zero sizes are still an answer
    return a->n > 0 ? a->sizes : none;
}

bool infer_position(Infer *c, const Value *v, const char *name)
{
    return !attr_find(v, name) || infer_sizes(c, v, name, 1);
}

bool infer_same_dtype(Infer *c, const Value *v)
{
    for (int i = 1; i < v->nin; i++)
        if (v->in[i]->type.dtype != v->in[0]->type.dtype) {
            misfit(c, E0303, "%s: element types differ: %s and %s", op_info[v->op].name,
                   spell(c, v->in[0]), spell(c, v->in[i]));
            misfit_hint(c, "convert one of them: cast(..., %s)",
                        dtype_info[v->in[0]->type.dtype].name);
            return false;
        }
    return true;
}

bool infer_floats(Infer *c, const Value *v)
{
    if (dtype_info[v->in[0]->type.dtype].kind == DK_FLOAT)
        return true;
    misfit(c, E0304, "%s needs floats: %s", op_info[v->op].name, spell(c, v->in[0]));
    misfit_hint(c, "cast first: cast(..., f32)");
    return false;
}

bool infer_numbers(Infer *c, const Value *v)
{
    if (dtype_info[v->in[0]->type.dtype].kind != DK_BOOL)
        return true;
    misfit(c, E0304, "%s needs numbers: %s", op_info[v->op].name, spell(c, v->in[0]));
    misfit_hint(c, "cast first: cast(..., i32)");
    return false;
}

bool infer_min_rank(Infer *c, const Value *v, int i, int rank)
{
    if (v->in[i]->type.rank >= rank)
        return true;
    return misfit(c, E0307, "%s needs at least %d %s: %s", op_info[v->op].name, rank,
                  rank == 1 ? "axis" : "axes", spell(c, v->in[i]));
}

DType infer_body_dtype(const Value *v, DType otherwise)
{
    return v->body && v->body->yields.n == 1 ? v->body->yields.p[0]->type.dtype
                                             : otherwise;
}

const char *infer_called(Infer *c, const Value *v)
{
    if (v->name)
        return v->name;
    if (v->op != OP_weight)
        return NULL;
    const Weight *w = value_weight(c->module, v);
    if (!w)
        return NULL;
    const char *dot = strrchr(w->path, '.');
    return dot ? dot + 1 : w->path;
}

bool infer_reduce(Infer *c, Value *v)
{
    const Type *x = &v->in[0]->type;
    const Attr *axes = infer_attr(c, v, "axes", AT_INTS);
    if (!axes || !infer_numbers(c, v))
        return false;
    bool gone[MAX_RANK] = {false};
    for (int i = 0; i < axes->n; i++) {
        int64_t a = axes->ints[i];
        if (a < 0 || a >= x->rank)
            return misfit(c, E0305, "%s: axis %lld of %s", op_info[v->op].name,
                          (long long)a, spell(c, v->in[0]));
        if (gone[a])
            return misfit(c, E0305, "%s: axis %lld is named twice", op_info[v->op].name,
                          (long long)a);
        gone[a] = true;
    }
    bool keep = attr_int(v, "keep", 0) != 0;
    v->type = type_scalar(x->dtype);
    for (int k = 0; k < x->rank; k++) {
        if (!gone[k])
            v->type.dim[v->type.rank++] = x->dim[k];
        else if (keep)
            v->type.dim[v->type.rank++] = (Dim){size_int(c->sizes, 1), NULL};
    }
    return true;
}

bool infer_norm(Infer *c, Value *v)
{
    const Attr *eps = infer_attr(c, v, "eps", AT_NUM);
    if (!eps || !infer_min_rank(c, v, 0, 1) || !infer_floats(c, v) ||
        !infer_same_dtype(c, v))
        return false;
    if (!(eps->num >= 0))
        return misfit(c, E0308, "%s: eps is %g, must not be negative",
                      op_info[v->op].name, eps->num);
    const Type *x = &v->in[0]->type;
    for (int i = 1; i < v->nin; i++) {
        const Type *w = &v->in[i]->type;
        if (w->rank != 1 || w->dim[0].size != x->dim[x->rank - 1].size)
            return misfit(c, E0319,
                          "%s: %s has another size than the last axis: %s of %s",
                          op_info[v->op].name, i == 1 ? "weight" : "bias",
                          spell(c, v->in[i]), spell(c, v->in[0]));
    }
    v->type = *x;
    return true;
}

// ---- oracle ----------------------------------------------------------------------------

Split tensor_split(const Tensor *t, int axis)
{
    Split s = {1, t->dim[axis], 1};
    for (int k = 0; k < axis; k++)
        s.outer *= t->dim[k];
    for (int k = axis + 1; k < t->rank; k++)
        s.inner *= t->dim[k];
    return s;
}

void tensor_coords(const Tensor *t, int64_t i, int64_t at[MAX_RANK])
{
    for (int k = t->rank - 1; k >= 0; k--) {
        at[k] = i % t->dim[k];
        i /= t->dim[k];
    }
}

int64_t eval_position(Eval *e, const Value *v, const char *name)
{
    const Attr *a = attr_find(v, name);
    return a ? eval_size(e, a->sizes[0]) : 0;
}

void eval_reduce(Eval *e, const Value *v, Tensor *y, double start,
                 double (*step)(double sum, double x))
{
    const Tensor *x = eval_in(e, v, 0);
    const Attr *axes = attr_find(v, "axes");
    bool gone[MAX_RANK] = {false};
    for (int i = 0; i < axes->n; i++)
        gone[axes->ints[i]] = true;
    int64_t stride[MAX_RANK];  // of y, per axis of x; 0 where it is folded away
    int64_t s = 1;
    for (int k = x->rank - 1; k >= 0; k--) {
        stride[k] = gone[k] ? 0 : s;
        s *= gone[k] ? 1 : x->dim[k];
    }
    for (int64_t i = 0; i < y->n; i++)
        y->data[i] = start;
    for (int64_t i = 0; i < x->n; i++) {
        int64_t at[MAX_RANK], to = 0;
        tensor_coords(x, i, at);
        for (int k = 0; k < x->rank; k++)
            to += at[k] * stride[k];
        y->data[to] = step(y->data[to], x->data[i]);
    }
}

void matmul_add(double *c, const double *a, const double *b, int64_t m, int64_t k,
                int64_t n)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t p = 0; p < k; p++) {
            const double a_ip = a[i * k + p];
            const double *restrict b_p = b + p * n;
            double *restrict c_i = c + i * n;
            for (int64_t j = 0; j < n; j++)
                c_i[j] += a_ip * b_p[j];
        }
}

double dot(const double *a, const double *b, int64_t k)
{
    double sum[8] = {0};  // eight chains: the additions need not wait for one another
    int64_t p = 0;
    for (; p + 8 <= k; p += 8)
        for (int64_t q = 0; q < 8; q++)
            sum[q] += a[p + q] * b[p + q];
    for (; p < k; p++)
        sum[p % 8] += a[p] * b[p];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) +
           ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

// ---- packed matrices -------------------------------------------------------------------

const double *packed_mean(Eval *e, const Tensor *w, const FormatInfo *f)
{
    float *rows = (float *)eval_scratch(e, (w->n + 1) / 2);
    double *mean = eval_scratch(e, w->n);
    FormatSize size = {w->dim[0], w->dim[1], format_blocks(w->dim[0], w->dim[1])};
    for (int64_t i = 0; i < w->n; i++)
        rows[i] = (float)w->data[i];
    f->mean(&size, rows);
    for (int64_t i = 0; i < w->n; i++)
        mean[i] = (double)rows[i];
    return mean;
}

// ---- singular values -------------------------------------------------------------------

bool infer_factor(Infer *c, Value *v, const Size **rank)
{
    const Attr *r = infer_attr(c, v, "rank", AT_SIZE);
    const Type *w = &v->in[0]->type;
    int64_t n, k;
    if (!r || !infer_floats(c, v))
        return false;
    if (w->rank != 2 || !value_is_const(v->in[0]) || !size_is_int(w->dim[0].size, &n) ||
        !size_is_int(w->dim[1].size, &k))
        return misfit(c, E0308, "%s takes a constant matrix, not %s",
                      op_info[v->op].name, spell(c, v->in[0]));
    *rank = r->sizes[0];
    if (!size_is_fixed(*rank) || size_min_value(*rank) < 1 ||
        size_max_value(*rank) > n || size_max_value(*rank) > k)
        return misfit(c, E0308, "%s: %s has no rank %s", op_info[v->op].name,
                      spell(c, v->in[0]),
                      *rank ? size_str(*rank, c->module->arena) : "that large");
    return true;
}

const Factors *eval_factors(Eval *e, const Value *v)
{
    const Tensor *w = eval_in(e, v, 0);
    Arena *scratch;
    Module *m = eval_module(e, &scratch);
    const Factors *f = svd_factors(m, scratch, w->data, w->dim[0], w->dim[1],
                                   eval_size(e, attr_size(v, "rank")));
    if (!f)
        eval_fail(e, "%s of a matrix with a NaN or an infinity", op_info[v->op].name);
    return f;
}
