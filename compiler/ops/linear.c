// linear: y[..., o] = f(sum_i x[..., i] w[o, i], extra...), f the elementwise body.
//
// x float[..., in], w float[out, in] constant -> y [..., out]; the extras broadcast to
// [..., out] and are the body's further parameters (bias, residual, gate). Without a body
// y is the sum. y has the element type that the body yields.
//
// {format} says how w is packed. The sum is then over what the packed bytes stand for; and
// of a format that rounds_x, over q s with q = round(x / s), s = max |x| / 127 of a row or of
// each 32 of it; or over x rounded to bf16.
// Source: x w' of Rosenblatt 1958 and since; the body is the epilogue of a GEMM kernel.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <math.h>
#include <string.h>

bool infer_linear(Infer *c, Value *v)
{
    if (v->nin < 2)
        return misfit(c, E0306, "linear takes at least 2 operands, not %d", v->nin);
    const Type *x = &v->in[0]->type, *w = &v->in[1]->type;
    if (!infer_min_rank(c, v, 0, 1) || !infer_floats(c, v))
        return false;
    if (x->dtype != w->dtype)
        return misfit(c, E0303, "linear: element types differ: %s and %s",
                      spell(c, v->in[0]), spell(c, v->in[1]));
    if (w->rank != 2 || w->dim[1].size != x->dim[x->rank - 1].size) {
        misfit(c, E0320, "linear: the weight does not fit: %s and %s",
               spell(c, v->in[0]), spell(c, v->in[1]));
        if (w->rank == 2 && w->dim[0].size == x->dim[x->rank - 1].size)
            misfit_hint(c, "it has the right shape if transposed: [out, in]");
        return false;
    }
    Type y = *x;
    y.dim[y.rank - 1] = w->dim[0];
    for (int i = 2; i < v->nin; i++) {
        Type both;
        if (!type_broadcast(c->sizes, &y, &v->in[i]->type, &both) ||
            !type_same_shape(&both, &y))
            return misfit(c, E0301, "linear: %s does not broadcast to %s",
                          spell(c, v->in[i]), type_str(&y, c->module->arena));
    }
    const char *format = attr_str(v, "format", NULL);
    if (format && !format_find(format, &(Format){0}))
        return misfit(c, E0308, "linear: there is no format `%s`", format);
    y.dtype = infer_body_dtype(v, x->dtype);
    v->type = y;
    return true;
}

static double largest(const double *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

// Each row of x, or each group of a row, rounded to 255 steps, in units of x; or x to bf16,
// as a program does, which has x as f32.
static const double *rounded_rows(Eval *e, const Tensor *x, int64_t k, Rounds by)
{
    double *y = eval_scratch(e, x->n);
    int64_t part = by == ROUNDS_group ? FORMAT_GROUP : k;
    for (int64_t row = 0; k > 0 && row < x->n; row += k) {
        const double most = largest(x->data + row, k);
        for (int64_t at = row; at < row + k; at += part) {
            int64_t n = row + k - at < part ? row + k - at : part;
            for (int64_t i = at; by == ROUNDS_bf16 && i < at + n; i++)
                y[i] = (double)format_bf16((float)(x->data[i] + eval_nudge(e) * most));
            if (by == ROUNDS_bf16)
                continue;
            double of_part = largest(x->data + at, n);
            double scale = of_part < 0x1p-100 ? 0 : of_part / 127;
            for (int64_t i = at; scale > 0 && i < at + n; i++)
                y[i] = rint((x->data[i] + eval_nudge(e) * most) / scale) * scale;
        }
    }
    return y;
}

void eval_linear(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0), *w = eval_in(e, v, 1);
    const int64_t out = w->dim[0], in = w->dim[1];
    const double *a = x->data, *b = w->data;
    Format f;
    if (format_find(attr_str(v, "format", ""), &f)) {
        b = packed_mean(e, w, &format_info[f]);
        Rounds by = format_info[f].rounds_x;
        a = by != ROUNDS_none ? rounded_rows(e, x, in, by) : a;
    }
    Tensor sum = *y;
    sum.dtype = x->dtype;
    sum.data = eval_scratch(e, y->n);
    // row o of w stays near while the rows of x go by
    for (int64_t o = 0; o < out; o++)
        for (int64_t t = 0; t * out < y->n; t++)
            sum.data[t * out + o] = dot(a + t * in, b + o * in, in);
    eval_body(e, v, &sum, y);
}

// ---- lowering ------------------------------------------------------------------------------

enum { MAX_EXTRA = 4, MAX_NAME = 40 };

static void name_part(Text *t, const Value *v)
{
    static const struct {
        Op op;
        const char *word;
    } words[] = {{OP_add, "add"}, {OP_sub, "sub"}, {OP_mul, "mul"}, {OP_div, "div"}};
    for (int i = 0; i < COUNT(words); i++)
        if (v->op == words[i].op) {
            text_printf(t, "_%s", words[i].word);
            return;
        }
    text_printf(t, "_%s", op_info[v->op].name);
}

// linear_bias_gelu: what the epilogue does, in order, unless that is a long story.
static const char *template_name(Lower *l, const Value *v, int heads, bool rounds)
{
    Text t;
    text_init(&t, l->p->arena);
    text_puts(&t, "linear");
    for (int i = 0; v->body && i < v->body->ops.n; i++) {
        const Value *op = v->body->ops.p[i];
        const Value *extra = op->nin == 2 ? op->in[op->in[1]->op == OP_param] : NULL;
        bool bias = op->op == OP_add && extra && extra->op == OP_param;
        for (int k = 2; bias && k < v->nin; k++)
            if (v->body->params.p[k - 1] == extra && v->in[k]->type.rank == 1) {
                text_puts(&t, "_bias");
                extra = NULL;
            }
        if (op->op != OP_const && (!bias || extra))
            name_part(&t, op);
    }
    if (t.n > MAX_NAME) {
        text_init(&t, l->p->arena);
        text_puts(&t, "linear_fused");
    }
    text_puts(&t, heads ? "_heads" : rounds ? "_rounded" : "");
    return t.p;
}

static void key_expr(Text *t, const LExpr *e)
{
    text_printf(t, "(%d%c%s%a", (int)e->kind, e->op ? e->op : ' ',
                e->name ? e->name : "", e->num);
    for (int i = 0; i < e->n; i++)
        key_expr(t, e->arg[i]);
    text_puts(t, ")");
}

static const Template *find_template(Lower *l, const Value *v, LExpr *epilogue,
                                     Format weight, int heads, bool rounds)
{
    Prog *p = l->p;
    Text key;
    text_init(&key, p->arena);
    text_printf(&key, "%s %d %d %d ", format_info[weight].name, v->nin - 2, heads,
                rounds);
    key_expr(&key, epilogue);
    const char *base = template_name(l, v, heads, rounds), *name = base;
    int same = 1;
    for (int i = 0; i < p->templates.n; i++)
        if (!strcmp(p->templates.p[i]->key, key.p))
            return p->templates.p[i];
    for (int i = 0; i < p->templates.n; i++)
        if (!strcmp(p->templates.p[i]->name, name)) {
            name = arena_printf(p->arena, "%s_%d", base, ++same);
            i = -1;
        }
    Template *t = NEW(p->arena, Template);
    t->name = name;
    t->weight = weight;
    t->nextra = v->nin - 2;
    t->heads = heads;
    t->rounds = rounds;
    t->epilogue = epilogue;
    t->key = key.p;
    vec_push(p->arena, &p->templates, t);
    return t;
}

static LExpr *epilogue_of(Lower *l, const Value *v)
{
    static const char *const extra[] = {"e0", "e1", "e2", "e3"};
    LExpr *operand[MAX_EXTRA + 1] = {lx_var(l->p, "a", DT_f32)};
    for (int i = 2; i < v->nin; i++)
        operand[i - 1] = lx_var(l->p, extra[i - 2], DT_f32);
    if (!v->body)
        return operand[0];
    LStmts *out = l->out;
    l->out = NULL;  // an expression, no statements
    LExpr *e = map_body(l, v->body, operand);
    l->out = out;
    return e;
}

// Rows of the operands that the kernel can read: the last axis in one piece, or a broadcast
// over the leading axes only.
static View extra_view(Lower *l, const Value *v, int i)
{
    View x = view_broadcast(l, lower_in(l, v, i), &v->type);
    if (size_is(x.stride[x.rank - 1], 1) || size_is(x.dim[x.rank - 1], 1))
        return x;
    Buf *t = lower_temp(l, "operand", v->type.dtype, x.rank, x.dim);
    View y = view_dense(l, t, &v->type);
    lower_copy(l, y, x);
    return y;
}

// Room for the rounded rows of x: k bytes in pieces of 64 and a scale each; or of each
// group 32 bytes, a scale and a sum; or of bf16 a float for each, padded to 32, see
// runtime/kernels/pairs.h.
static void rounded_arg(Lower *l, LStmt *s, const Size *rows, int64_t k, Rounds by)
{
    int64_t row = (k + 63) / 64 * 16 + 1;
    if (by == ROUNDS_group)
        row = (k + FORMAT_GROUP - 1) / FORMAT_GROUP * (FORMAT_GROUP / 4 + 2);
    if (by == ROUNDS_bf16)
        row = (k + 31) / 32 * 32;
    const Size *floats = size_mul(l->sizes, rows, size_int(l->sizes, row));
    Buf *b = lower_temp(l, "rounded", DT_f32, 1, &floats);
    karg_write(l, s, NULL, b, lx_int(l->p, 0));
}

// Room for x turned for tiles of AMX, 32 rows at a time, see runtime/kernels/sparse_amx.h.
static void turned_arg(Lower *l, LStmt *s, const Size *rows, int64_t k)
{
    enum { BLOCK = 32 };
    if (!l->options->tiles || size_max_value(rows) < BLOCK) {
        karg_null(l, s, NULL);
        return;
    }
    const Size *most = size_add(l->sizes, rows, size_int(l->sizes, BLOCK - 1));
    const Size *floats = size_mul(l->sizes, most, size_int(l->sizes, k));
    Buf *b = lower_temp(l, "turned", DT_f32, 1, &floats);
    karg_write(l, s, NULL, b, lx_int(l->p, 0));
}

// The rows of x as floats; without a buffer when they are read rounded only.
static View rows_view(Lower *l, const Value *v)
{
    const Value *x = v->in[0];
    if (lower_is_only_rounded(l, x) && low_of(l, x)->rounded)
        return (View){0};
    View rows = lower_in(l, v, 0);
    return size_is(rows.stride[rows.rank - 1], 1) ? rows : lower_dense(l, rows, "rows");
}

// What a product does about rounded rows: those of x by ROUNDS_row, its own for the next one.
typedef struct Rounding {
    Buf *x;     // where they are, or are to be made; NULL: not all rows at once
    bool made;  // they are there, and x is not read as floats
    bool y;
} Rounding;

static Rounding rounding_of(Lower *l, const Value *v, const Rows *r)
{
    Rounding by = {0};
    if (!rows_are_whole(l, r))
        return by;
    if (format_info[lower_linear_format(l, v)].rounds_x == ROUNDS_row)
        by.x = lower_rounded(l, v, &by.made);
    by.y = lower_is_rounded(l, v);
    return by;
}

// No buffer: all columns go elsewhere.
static void y_args(Lower *l, LStmt *s, const Rows *r, View y)
{
    if (y.buf) {
        karg_write(l, s, NULL, y.buf, r->nest.index[0]);
        karg_ld(l, s, NULL, y.buf, r->ld[0]);
    } else {
        karg_null(l, s, NULL);
        karg_size(l, s, NULL, size_int(l->sizes, 0));
    }
}

static void x_args(Lower *l, LStmt *s, const Rows *r, View x, const Rounding *by)
{
    if (by->made) {
        karg_read(l, s, NULL, by->x, lx_int(l->p, 0));
        karg_size(l, s, NULL, size_int(l->sizes, 0));
    } else {
        karg_read(l, s, NULL, x.buf, r->nest.index[1]);
        karg_ld(l, s, NULL, x.buf, r->ld[1]);
    }
}

static void work_arg(Lower *l, LStmt *s, const Packed *w, const Size *rows,
                     const Rounding *by)
{
    const FormatInfo *f = &format_info[w->format];
    if (by->made)
        karg_null(l, s, NULL);
    else if (by->x)
        karg_write(l, s, NULL, by->x, lx_int(l->p, 0));
    else if (f->work == WORK_rounded)
        rounded_arg(l, s, rows, w->k, f->rounds_x);
    else if (f->work == WORK_turned)
        turned_arg(l, s, rows, w->k);
}

void lower_linear(Lower *l, const Value *v)
{
    Prog *p = l->p;
    int last = v->type.rank - 1;
    if (v->nin - 2 > MAX_EXTRA) {
        lower_refuse(l, v, "more than four operands in the epilogue",
                     "compile with -fno-epilogue");
        return;
    }
    Rows r = {.nest = {.nviews = v->nin}};
    View x = rows_view(l, v);
    for (int i = 2; i < v->nin; i++)
        r.nest.view[i] = extra_view(l, v, i);
    Buf *w = lower_packed(l, v->in[1], lower_linear_format(l, v));
    lower_note(l, v);
    Heads heads[MAX_HEADS];
    int nheads = lower_heads(l, v, heads);
    View to = nheads ? lower_rest(l, v, heads, &nheads) : lower_dest(l, v, ~3u), y = to;
    if (!size_is(to.stride[last], 1)) {
        Buf *t = lower_temp(l, "product", v->type.dtype, to.rank, to.dim);
        y = view_dense(l, t, &v->type);
    }
    r.nest.view[0] = y;
    r.nest.view[1] = x.buf ? x : y;
    View extra[MAX_EXTRA + 2];
    for (int i = 0; i < v->nin; i++)
        extra[i < 2 ? 0 : i] = r.nest.view[i];
    rows_open(l, &r, last, v->loc);
    const Rounding by = rounding_of(l, v, &r);
    const Template *t =
        find_template(l, v, epilogue_of(l, v), w->field->packed->format, nheads, by.y);
    LStmt *s = kernel(l, v, "linear", t->name);
    karg_par(l, s);
    y_args(l, s, &r, y);
    x_args(l, s, &r, x, &by);
    karg_read(l, s, NULL, w, lx_int(p, 0));
    karg_size(l, s, NULL, r.rows);
    karg_dim(l, s, NULL, &v->in[1]->type.dim[0]);
    karg_dim(l, s, NULL, &v->in[1]->type.dim[1]);
    work_arg(l, s, w->field->packed, r.rows, &by);
    for (int i = 2; i < v->nin; i++) {
        karg_read(l, s, NULL, extra[i].buf, r.nest.index[i]);
        karg_ld(l, s, NULL, extra[i].buf, r.ld[i]);
    }
    for (int i = nheads - 1; i >= 0; i--)
        karg_heads(l, s, &heads[i]);
    if (by.y)
        karg_write_last(l, s, NULL, lower_round_here(l, v), lx_int(p, 0));
    rows_close(l, &r);
    lower_copy(l, to, y);
}
