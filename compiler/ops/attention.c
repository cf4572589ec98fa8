// attention: y[h, i] = sum_j p[h, i, j] v[g, j], p[h, i] = softmax_j s[h, i, j], where
// s[h, i, j] = scale q[h, i] . k[g, j] + bias[h, i, j] and g = h / (H / G).
//
// q float[..., H, Tq, D], k [..., G, Tk, D], v [..., G, Tk, Dv], bias broadcasting to
// [..., H, Tq, Tk] -> y [..., H, Tq, Dv]. H is a multiple of G. With mask "causal", key j is
// seen by query i iff j <= from + i; with "window", iff from + i - before <= j <=
// from + i + after. A query that sees no key gives 0.
// Source: Vaswani et al., "Attention Is All You Need", 2017, eq. 1; grouped heads: Ainslie
// et al., "GQA", 2023; windows: Beltagy et al., "Longformer", 2020, 3.1.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <math.h>
#include <string.h>

// ---- type rule -------------------------------------------------------------------------

// Most often heads and tokens are the wrong way round.
static bool hint_layout(Infer *c)
{
    misfit_hint(c, "the last three axes are heads, tokens, features: rearrange first, "
                   "as in \"t (h d) -> h t d\"");
    return false;
}

static bool check_operands(Infer *c, const Value *v)
{
    const Type *q = &v->in[0]->type, *k = &v->in[1]->type, *w = &v->in[2]->type;
    const int r = q->rank;
    bool fits = k->rank == r && w->rank == r;
    for (int i = 0; fits && i < r - 3; i++)
        fits = k->dim[i].size == q->dim[i].size && w->dim[i].size == q->dim[i].size;
    const char *what = "leading axes differ";
    if (fits && k->dim[r - 1].size != q->dim[r - 1].size) {
        what = "queries and keys have other feature sizes";
        fits = false;
    } else if (fits && k->dim[r - 2].size != w->dim[r - 2].size) {
        what = "there are not as many keys as values";
        fits = false;
    } else if (fits && k->dim[r - 3].size != w->dim[r - 3].size) {
        what = "keys and values have other heads";
        fits = false;
    }
    if (!fits) {
        misfit(c, E0322, "attention: %s: q %s, k %s, v %s", what, spell(c, v->in[0]),
               spell(c, v->in[1]), spell(c, v->in[2]));
        return hint_layout(c);
    }
    int64_t H, G;
    if (!size_is_int(q->dim[r - 3].size, &H) || !size_is_int(k->dim[r - 3].size, &G) ||
        G < 1 || H % G != 0)
        return misfit(c, E0323,
                      "attention: query heads are no multiple of key heads: q %s, k %s",
                      spell(c, v->in[0]), spell(c, v->in[1]));
    return true;
}

static bool check_bias(Infer *c, const Value *v)
{
    Type scores = v->in[0]->type, both;
    scores.dim[scores.rank - 1] = v->in[1]->type.dim[scores.rank - 2];
    if (type_broadcast(c->sizes, &scores, &v->in[3]->type, &both) &&
        type_same_shape(&both, &scores))
        return true;
    return misfit(c, E0324,
                  "attention: the bias %s does not broadcast to the scores %s",
                  spell(c, v->in[3]), type_str(&scores, c->module->arena));
}

static bool check_mask(Infer *c, const Value *v)
{
    const char *mask = attr_str(v, "mask", "none");
    const bool window = !strcmp(mask, "window");
    if (!window && strcmp(mask, "none") != 0 && strcmp(mask, "causal") != 0)
        return misfit(
            c, E0308,
            "attention: mask \"%s\" is not \"none\", \"causal\" or \"window\"", mask);
    for (int i = 0; window && i < 2; i++) {
        int64_t n = attr_int(v, i ? "after" : "before", -1);
        if (n < 0 || n > ATTENTION_MOST_WINDOW)
            return misfit(c, E0308,
                          "attention: a window has `before` and `after`, 0 to %d",
                          ATTENTION_MOST_WINDOW);
    }
    return true;
}

bool infer_attention(Infer *c, Value *v)
{
    if (v->nin != 3 && v->nin != 4)
        return misfit(c, E0306,
                      "attention takes q, k, v and perhaps a bias, not %d operands",
                      v->nin);
    if (!infer_attr(c, v, "scale", AT_NUM) || !infer_position(c, v, "from"))
        return false;
    if (!check_mask(c, v))
        return false;
    for (int i = 0; i < 3; i++)
        if (!infer_min_rank(c, v, i, 3))
            return hint_layout(c);
    if (!infer_floats(c, v) || !infer_same_dtype(c, v) || !check_operands(c, v))
        return false;
    if (v->nin == 4 && !check_bias(c, v))
        return false;
    Type y = v->in[0]->type;
    y.dim[y.rank - 1] = v->in[2]->type.dim[y.rank - 1];
    v->type = y;
    return true;
}

// ---- oracle ----------------------------------------------------------------------------

typedef struct Seen {
    int64_t first, end;
} Seen;

// The keys, of Tk, that a query at this place sees.
static Seen seen_by(const Value *v, int64_t at, int64_t Tk)
{
    const char *mask = attr_str(v, "mask", "none");
    Seen s = {0, Tk};
    if (!strcmp(mask, "causal"))
        s.end = at + 1;
    if (!strcmp(mask, "window")) {
        s.first = at - attr_int(v, "before", 0);
        s.end = at + attr_int(v, "after", 0) + 1;
    }
    s.end = s.end < Tk ? s.end : Tk;
    s.first = s.first > 0 ? s.first : 0;
    return s.first < s.end ? s : (Seen){0, 0};
}

// y[Dv] += sum_j e^(s[j] - max) v[j] / sum_j e^(s[j] - max), over the first n keys
static void weigh(double *y, double *s, const double *v, int64_t n, int64_t Dv)
{
    double max = -(double)INFINITY, sum = 0;
    for (int64_t j = 0; j < n; j++)
        max = s[j] > max || isnan(s[j]) ? s[j] : max;
    if (max == -(double)INFINITY)
        return;  // no key is seen
    for (int64_t j = 0; j < n; j++)
        sum += s[j] = exp(s[j] - max);
    for (int64_t j = 0; j < n; j++)
        s[j] /= sum;
    matmul_add(y, s, v, 1, n, Dv);
}

void eval_attention(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *q = eval_in(e, v, 0), *k = eval_in(e, v, 1), *w = eval_in(e, v, 2);
    const int r = q->rank;
    const int64_t H = q->dim[r - 3], Tq = q->dim[r - 2], D = q->dim[r - 1];
    const int64_t G = k->dim[r - 3], Tk = k->dim[r - 2], Dv = w->dim[r - 1];
    const double scale = attr_num(v, "scale", 1);
    const int64_t from = eval_position(e, v, "from");
    const Tensor *bias = v->nin == 4 ? eval_in(e, v, 3) : NULL;
    int64_t stride[MAX_RANK] = {0};
    if (bias)
        broadcast_strides(bias, r, stride);
    double *s = eval_scratch(e, Tk);
    for (int64_t row = 0; row * Dv < y->n; row++) {  // (batch, head, query)
        int64_t i = row % Tq, h = row / Tq % H, batch = row / Tq / H;
        int64_t group = batch * G + h / (H / G);
        const Seen see = seen_by(v, from + i, Tk);
        for (int64_t j = see.first; j < see.end; j++)
            s[j] = scale * dot(q->data + row * D, k->data + (group * Tk + j) * D, D);
        if (bias) {
            int64_t at[MAX_RANK], base = 0;
            Tensor rows = *q;  // coordinates of the row: all axes of q but the last
            rows.rank = r - 1;
            tensor_coords(&rows, row, at);
            for (int a = 0; a < r - 1; a++)
                base += at[a] * stride[a];
            for (int64_t j = see.first; j < see.end; j++)
                s[j] += bias->data[base + j * stride[r - 1]];
        }
        weigh(y->data + row * Dv, s + see.first,
              w->data + (group * Tk + see.first) * Dv, see.end - see.first, Dv);
    }
}

// ---- lowering ------------------------------------------------------------------------------

static View unit_last(Lower *l, View x, const char *name)
{
    return size_is(x.stride[x.rank - 1], 1) ? x : lower_dense(l, x, name);
}

static void operand_strides(Lower *l, LStmt *s, const char *name, const View *x, int r,
                            const Size *batch)
{
    Arena *a = l->p->arena;
    karg_size(l, s, arena_printf(a, "%s_batch", name), batch);
    karg_size(l, s, arena_printf(a, "%s_head", name), x->stride[r - 3]);
    karg_size(l, s, arena_printf(a, "%s_row", name), x->stride[r - 2]);
}

// TFX_ATTENTION_SCRATCH(tk, d, dv) at the bounds, or of programs with tiles
// TFX_ATTENTION_SCRATCH_AMX
static int64_t scratch_floats(int64_t tk, int64_t d, int64_t dv, bool tiles)
{
    if (!tiles)
        return 64 * (tk < 128 ? (tk + 15) / 16 * 16 : 128) + tk + 48 * d + 64;
    int64_t near = tk < 1024 ? (tk + 31) / 32 * 32 : 1024;
    d = (d + 31) / 32 * 32, dv = (dv + 15) / 16 * 16;
    return near * (16 + (d + dv) * 3 / 2) + tk + 48 * d + 2064;
}

static void mask_args(Lower *l, LStmt *s, const Value *v)
{
    const char *mask = attr_str(v, "mask", "none");
    if (!strcmp(mask, "none"))
        return;
    karg_size(l, s, mask, size_int(l->sizes, 1));
    karg_size(l, s, "from", attr_find(v, "from")->sizes[0]);
    if (!strcmp(mask, "causal"))
        return;
    karg_size(l, s, "before", size_int(l->sizes, attr_int(v, "before", 0)));
    karg_size(l, s, "after", size_int(l->sizes, attr_int(v, "after", 0)));
}

// q [..., H, Tq, D]: the leading axes are one batch axis, others loops around the kernel.
void lower_attention(Lower *l, const Value *v)
{
    int r = v->type.rank;
    Type bias_type = v->type;
    bias_type.dim[r - 1] = v->in[1]->type.dim[r - 2];
    View q = unit_last(l, lower_in(l, v, 0), "q"),
         k = unit_last(l, lower_in(l, v, 1), "k");
    View x = unit_last(l, lower_in(l, v, 2), "v");
    bool has_bias = v->nin > 3;
    View bias = q;
    if (has_bias)
        bias = view_broadcast(l, lower_in(l, v, 3), &bias_type);
    lower_note(l, v);
    View to = lower_dest(l, v, 0), y = to;
    if (!size_is(to.stride[r - 1], 1)) {
        Buf *t = lower_temp(l, "mixed", v->type.dtype, r, to.dim);
        y = view_dense(l, t, &v->type);
    }
    Rows rows = {.nest = {.nviews = 4 + has_bias, .view = {y, q, k, x, bias}}};
    rows_open(l, &rows, r - 3, v->loc);
    LStmt *s = kernel(l, v, "attention", "tfx_attention");
    s->arg_struct = "tfx_attn";
    karg_par(l, s);
    karg_write(l, s, "y", y.buf, rows.nest.index[0]);
    karg_read(l, s, "q", q.buf, rows.nest.index[1]);
    karg_read(l, s, "k", k.buf, rows.nest.index[2]);
    karg_read(l, s, "v", x.buf, rows.nest.index[3]);
    operand_strides(l, s, "y", &y, r, rows.ld[0]);
    operand_strides(l, s, "q", &q, r, rows.ld[1]);
    operand_strides(l, s, "k", &k, r, rows.ld[2]);
    operand_strides(l, s, "v", &x, r, rows.ld[3]);
    if (has_bias) {
        karg_read(l, s, "bias", bias.buf, rows.nest.index[4]);
        operand_strides(l, s, "bias", &bias, r, rows.ld[4]);
        karg_size(l, s, "bias_col", bias.stride[r - 1]);
    }
    karg_size(l, s, "batch", rows.rows);
    karg_dim(l, s, "heads", &v->in[0]->type.dim[r - 3]);
    karg_dim(l, s, "groups", &v->in[1]->type.dim[r - 3]);
    karg_dim(l, s, "tq", &v->in[0]->type.dim[r - 2]);
    karg_dim(l, s, "tk", &v->in[1]->type.dim[r - 2]);
    karg_dim(l, s, "d", &v->in[0]->type.dim[r - 1]);
    karg_dim(l, s, "dv", &v->in[2]->type.dim[r - 1]);
    karg_expr(l, s, "scale", lx_num(l->p, attr_num(v, "scale", 1)));
    mask_args(l, s, v);
    karg_work(l, s, "scratch",
              size_int(l->sizes, scratch_floats(size_max_value(k.dim[r - 2]),
                                                size_max_value(q.dim[r - 1]),
                                                size_max_value(x.dim[r - 1]),
                                                l->options->tiles)));
    rows_close(l, &rows);
    lower_copy(l, to, y);
}
