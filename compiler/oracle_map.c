// oracle_map.c - elementwise work of the oracle: the MAP rows, casts, broadcasting.
//
// A row's expression is expanded here once more, with C's own functions of double: the text
// that emitted code is made of is the text that judges it.

#include "compiler/oracle.h"

#include <math.h>
#include <string.h>

// ---- strides ---------------------------------------------------------------------------

void tensor_strides(const Tensor *t, int64_t stride[MAX_RANK])
{
    int64_t s = 1;
    for (int k = t->rank - 1; k >= 0; k--) {
        stride[k] = s;
        s *= t->dim[k];
    }
}

void broadcast_strides(const Tensor *t, int rank, int64_t stride[MAX_RANK])
{
    int64_t own[MAX_RANK] = {0};
    tensor_strides(t, own);
    for (int k = 0; k < rank; k++) {
        int from = k - (rank - t->rank);
        stride[k] = from < 0 || t->dim[from] == 1 ? 0 : own[from];
    }
}

void eval_broadcast(const Tensor *x, Tensor *y)
{
    if (y->n == 0)
        return;
    int64_t stride[MAX_RANK] = {0}, at[MAX_RANK] = {0};
    broadcast_strides(x, y->rank, stride);
    const int last = y->rank - 1;
    const int64_t run = last < 0 ? 1 : y->dim[last];
    const int64_t step = last < 0 ? 0 : stride[last];
    int64_t from = 0;
    for (double *to = y->data; to < y->data + y->n; to += run) {
        for (int64_t i = 0; i < run; i++)
            to[i] = x->data[from + i * step];
        for (int k = last - 1; k >= 0; k--) {  // the next row, as an odometer counts
            from += stride[k];
            if (++at[k] < y->dim[k])
                break;
            from -= at[k] * stride[k];
            at[k] = 0;
        }
    }
}

// ---- MAP rows --------------------------------------------------------------------------

#define EXP(x)    exp(x)
#define LOG(x)    log(x)
#define SQRT(x)   sqrt(x)
#define SIN(x)    sin(x)
#define COS(x)    cos(x)
#define TANH(x)   tanh(x)
#define ERF(x)    erf(x)
#define NDTR(x)   (0.5 * erfc(-(x) * 0.70710678118654752))
#define ABS(x)    fabs(x)
#define FLOOR(x)  floor(x)
#define POW(x, y) pow(x, y)
#define MIN(x, y) smaller(x, y)
#define MAX(x, y) larger(x, y)

// A comparison with NaN is false, so these give x then; emitted code does the same.
static inline double smaller(double x, double y)
{
    return y < x ? y : x;
}

static inline double larger(double x, double y)
{
    return y > x ? y : x;
}

// y[i] = row(a[i], b[i]); b is NULL for a row of one operand.
static void map_many(Op op, const double *pa, const double *pb, double *y, int64_t n)
{
    switch (op) {
#define CORE(name, arity, doc)
#define OP(name, arity, doc)
#define MAP1(name, expr, doc)                                                          \
    case OP_##name:                                                                    \
        for (int64_t i = 0; i < n; i++) {                                              \
            const double a = pa[i];                                                    \
            y[i] = expr;                                                               \
        }                                                                              \
        return;
#define MAP2(name, expr, doc)                                                          \
    case OP_##name:                                                                    \
        for (int64_t i = 0; i < n; i++) {                                              \
            const double a = pa[i], b = pb[i];                                         \
            y[i] = expr;                                                               \
        }                                                                              \
        return;
#include "compiler/ops.def"
#undef CORE
#undef OP
#undef MAP1
#undef MAP2
    default:
        bug("%s is no MAP row", op_info[op].name);
    }
}

double map_eval(Op op, double a, double b)
{
    double y;
    map_many(op, &a, &b, &y, 1);
    return y;
}

static bool same_shape(const Tensor *a, const Tensor *b)
{
    return a->rank == b->rank &&
           memcmp(a->dim, b->dim, (size_t)a->rank * sizeof(*a->dim)) == 0;
}

// The elements of x in y's shape.
static const double *spread(Eval *e, const Tensor *x, const Tensor *y)
{
    if (same_shape(x, y))
        return x->data;
    Tensor t = *y;
    t.data = eval_scratch(e, y->n);
    eval_broadcast(x, &t);
    return t.data;
}

static void check_quotients(Eval *e, const double *a, const double *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (b[i] == 0 || floor(a[i] / b[i]) * b[i] != a[i])
            eval_fail(e, "%g / %g is not exact", a[i], b[i]);
}

void eval_map(Eval *e, const Value *v, Tensor *y)
{
    const double *a = spread(e, eval_in(e, v, 0), y);
    const double *b = v->nin > 1 ? spread(e, eval_in(e, v, 1), y) : NULL;
    if (b && v->op == OP_div && dtype_info[y->dtype].kind == DK_INT)
        check_quotients(e, a, b, y->n);
    map_many(v->op, a, b, y->data, y->n);
}

// ---- casts -----------------------------------------------------------------------------

// The nearest float of `digits` binary digits (ties to even), exponents from `least` (of
// the smallest normal number) to that of `largest`.
static double round_float(double x, int digits, int least, double largest)
{
    if (x == 0 || !isfinite(x))
        return x;
    int exponent = ilogb(x);
    if (exponent < least)
        exponent = least;  // subnormal: digits are lost at the end
    double unit = ldexp(1, exponent - digits + 1);
    double y = nearbyint(x / unit) * unit;
    if (fabs(y) > largest)
        return copysign((double)INFINITY, x);
    return y == 0 ? copysign(0.0, x) : y;
}

// f16 and bf16 by hand; f32 too, so that no mode of the compiler counts.
static double cast_float(double x, DType to)
{
    switch (to) {
    case DT_f16:
        return round_float(x, 11, -14, 65504);
    case DT_bf16:
        return round_float(x, 8, -126, 0x1.fep127);
    default:
        return round_float(x, 24, -126, 0x1.fffffep127);
    }
}

static double cast_int(double x, DType to)
{
    bool is_signed = dtype_info[to].name[0] == 'i';
    int bits = dtype_info[to].bits - is_signed;
    double low = is_signed ? -ldexp(1, bits) : 0, high = ldexp(1, bits) - 1;
    if (isnan(x))
        return 0;
    x = trunc(x);
    return x < low ? low : x > high ? high : x + 0.0;  // no -0
}

double cast_eval(double x, DType to)
{
    switch (dtype_info[to].kind) {
    case DK_FLOAT:
        return cast_float(x, to);
    case DK_INT:
        return cast_int(x, to);
    case DK_BOOL:
        return x != 0;
    }
    bug("no such element type");
}
