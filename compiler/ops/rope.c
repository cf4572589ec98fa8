// rope: every pair of features of the row at position p is turned by p theta^(-2i/d).
//
// x float[..., T, D] -> y as x; row t is at p = from + t, pair i < D / 2 is (2i, 2i + 1)
// if "interleaved", (i, i + D / 2) if "half":
//     y_1 = x_1 cos a - x_2 sin a,   y_2 = x_1 sin a + x_2 cos a,   a = p theta^(-2i/D)
// Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021,
// eq. 34 (interleaved); "half" is the order of GPT-NeoX and of Hugging Face's LLaMA.

#include "compiler/lower.h"
#include "compiler/ops/common.h"

#include <math.h>
#include <string.h>

bool infer_rope(Infer *c, Value *v)
{
    const Type *x = &v->in[0]->type;
    const Attr *theta = infer_attr(c, v, "theta", AT_NUM);
    const Attr *layout = infer_attr(c, v, "layout", AT_STR);
    if (!theta || !layout || !infer_position(c, v, "from") ||
        !infer_min_rank(c, v, 0, 2) || !infer_floats(c, v))
        return false;
    if (!(theta->num > 0))
        return misfit(c, E0308, "rope: theta is %g, must be above 0", theta->num);
    if (strcmp(layout->str, "interleaved") != 0 && strcmp(layout->str, "half") != 0)
        return misfit(c, E0308,
                      "rope: layout \"%s\" is neither \"interleaved\" nor \"half\"",
                      layout->str);
    int64_t d;
    if (!size_is_int(x->dim[x->rank - 1].size, &d) || d % 2 != 0)
        return misfit(c, E0321, "rope: the last axis is not of an even, known size: %s",
                      spell(c, v->in[0]));
    v->type = *x;
    return true;
}

void eval_rope(Eval *e, const Value *v, Tensor *y)
{
    const Tensor *x = eval_in(e, v, 0);
    const double theta = attr_num(v, "theta", 10000);
    const bool half = strcmp(attr_str(v, "layout", "interleaved"), "half") == 0;
    const int64_t from = eval_position(e, v, "from");
    const int64_t T = x->dim[x->rank - 2], D = x->dim[x->rank - 1];
    for (int64_t row = 0; row * D < x->n; row++) {
        const double position = (double)(from + row % T);
        for (int64_t i = 0; i < D / 2; i++) {
            int64_t first = row * D + (half ? i : 2 * i);
            int64_t second = first + (half ? D / 2 : 1);
            double angle = position * pow(theta, -2.0 * (double)i / (double)D);
            double s = sin(angle), k = cos(angle);
            y->data[first] = x->data[first] * k - x->data[second] * s;
            y->data[second] = x->data[first] * s + x->data[second] * k;
        }
    }
}

// ---- lowering ------------------------------------------------------------------------------

void lower_rope(Lower *l, const Value *v)
{
    Prog *p = l->p;
    int r = v->type.rank;
    int64_t d = 0;
    if (!size_is_int(v->type.dim[r - 1].size, &d) || d > 512) {
        lower_refuse(l, v, "heads of more than 512", NULL);
        return;
    }
    View x = lower_in(l, v, 0);
    if (!size_is(x.stride[r - 1], 1))
        x = lower_dense(l, x, "rows");
    lower_note(l, v);
    View to = lower_dest(l, v, 1), y = to;
    if (!size_is(y.stride[r - 1], 1)) {
        Buf *t = lower_temp(l, "rotated", v->type.dtype, r, to.dim);
        y = view_dense(l, t, &v->type);
    }
    Rows rows = {.nest = {.nviews = 2, .view = {y, x}}};
    rows_open(l, &rows, r - 2, v->loc);
    LStmt *s = kernel(l, v, "rope", "tfx_rope");
    karg_par(l, s);
    karg_write(l, s, NULL, y.buf, rows.nest.index[0]);
    karg_size(l, s, NULL, rows.ld[0]);
    karg_size(l, s, NULL, y.stride[r - 2]);
    karg_read(l, s, NULL, x.buf, rows.nest.index[1]);
    karg_size(l, s, NULL, rows.ld[1]);
    karg_size(l, s, NULL, x.stride[r - 2]);
    if (r == 3)
        karg_dim(l, s, NULL, &v->type.dim[0]);
    else
        karg_size(l, s, NULL, rows.rows);
    karg_dim(l, s, NULL, &v->type.dim[r - 2]);
    karg_dim(l, s, NULL, &v->type.dim[r - 1]);
    karg_size(l, s, NULL, attr_find(v, "from")->sizes[0]);
    LExpr *theta = lx_num(p, attr_num(v, "theta", 10000.0));
    theta->dtype = DT_COUNT;  // a double
    karg_expr(l, s, NULL, theta);
    bool half = !strcmp(attr_str(v, "layout", "interleaved"), "half");
    karg_expr(l, s, NULL,
              lx_var(p, half ? "TFX_ROPE_HALF" : "TFX_ROPE_INTERLEAVED", DT_i32));
    rows_close(l, &rows);
    lower_copy(l, to, y);
}
