// number.c - compile-time arithmetic and comparison.
//
// Integers are sizes: polynomials over dims with 64-bit coefficients, checked. An
// integer beside a float becomes a float. Results keep the user's words ("heads *
// head") as long as they are short, for shapes in messages.

#include <math.h>
#include <string.h>

#include "internal.h"

static const char *const signs[] = {"+", "-",  "*",  "/",  "@",  "**", "<",
                                    ">", "<=", ">=", "==", "!=", "&",  "|"};

// ---- spelling -----------------------------------------------------------------------

static const char *operand(Sema *s, Val v, bool tight)
{
    const char *t = v.spell              ? v.spell
                    : v.kind == VAL_SIZE ? size_str(v.size, s->arena)
                                         : "";
    return tight && strchr(t, ' ') ? arena_printf(s->arena, "(%s)", t) : t;
}

static Val spelled(Sema *s, const Expr *e, Val a, Val b, Val result)
{
    if ((!a.spell && !b.spell) || result.kind != VAL_SIZE)
        return result;
    bool tight = e->op != BIN_ADD && e->op != BIN_SUB;
    const char *t =
        arena_printf(s->arena, "%s %s %s", operand(s, a, tight), signs[e->op],
                     operand(s, b, tight || e->op == BIN_SUB));
    if (strlen(t) <= 40)
        result.spell = t;
    return result;
}

// ---- arithmetic ---------------------------------------------------------------------

static const Size *size_pow(Sizes *z, const Size *a, int64_t n)
{
    const Size *p = size_int(z, 1);
    int64_t one;
    if (size_is_int(a, &one) && (one == 0 || one == 1))
        return n == 0 ? p : a;
    for (int64_t i = 0; i < n && p; i++)  // overflows, and ends, within 63 turns
        p = size_mul(z, p, a);
    return p;
}

static Val quotient(Sema *s, const Expr *e, Val a, Val b)
{
    if (size_is(b.size, 0)) {
        sema_error(s, e->loc, E0337, "division by zero");
        return val_poison();
    }
    const Size *q = size_quot(s->module->sizes, a.size, b.size);
    if (q)
        return val_size(q);
    sema_error(s, e->loc, E0331, "%s / %s is not exact", val_str(s, a), val_str(s, b));
    if (size_is_int(a.size, NULL) && size_is_int(b.size, NULL))
        sema_hint(s, e->loc, "write floor_div or ceil_div, or a float: %s.0",
                  size_str(b.size, s->arena));
    else
        sema_hint(s, e->loc, "write floor_div or ceil_div, or declare the dim `by %s`",
                  size_str(b.size, s->arena));
    return val_poison();
}

static Val size_binary(Sema *s, const Expr *e, Val a, Val b)
{
    Sizes *z = s->module->sizes;
    const Size *r = NULL;
    int64_t n;
    switch (e->op) {
    case BIN_ADD:
        r = size_add(z, a.size, b.size);
        break;
    case BIN_SUB:
        r = size_sub(z, a.size, b.size);
        break;
    case BIN_MUL:
        r = size_mul(z, a.size, b.size);
        break;
    case BIN_DIV:
        return quotient(s, e, a, b);
    case BIN_POW:
        if (!want_int(s, b, e->b->loc, "the exponent", &n))
            return val_poison();
        if (n < 0) {
            sema_error(s, e->b->loc, E0337, "an integer to the power %lld",
                       (long long)n);
            sema_hint(s, e->a->loc, "make the base a float");
            return val_poison();
        }
        r = size_pow(z, a.size, n);
        break;
    default:
        bug("not arithmetic");
    }
    if (!r)
        sema_error(s, e->loc, E0302, "%s %s %s does not fit into 63 bits",
                   val_str(s, a), signs[e->op], val_str(s, b));
    return val_size(r);
}

static Val float_binary(Sema *s, const Expr *e, double a, double b)
{
    double r = 0;
    switch (e->op) {
    case BIN_ADD:
        r = a + b;
        break;
    case BIN_SUB:
        r = a - b;
        break;
    case BIN_MUL:
        r = a * b;
        break;
    case BIN_DIV:
        if (b == 0) {
            sema_error(s, e->loc, E0337, "division by zero");
            return val_poison();
        }
        r = a / b;
        break;
    case BIN_POW:
        r = pow(a, b);
        break;
    default:
        bug("not arithmetic");
    }
    if (isnan(r) && !isnan(a) && !isnan(b)) {
        sema_error(s, e->loc, E0337, "%g %s %g has no value", a, signs[e->op], b);
        return val_poison();
    }
    return val_float(r);
}

Val number_binary(Sema *s, const Expr *e, Val a, Val b)
{
    if (a.kind == VAL_SIZE && b.kind == VAL_SIZE)
        return spelled(s, e, a, b, size_binary(s, e, a, b));
    double x, y;
    if (!want_float(s, a, e->a->loc, "the left side", &x) ||
        !want_float(s, b, e->b->loc, "the right side", &y))
        return val_poison();
    return float_binary(s, e, x, y);
}

// ---- comparison ---------------------------------------------------------------------

static bool holds(BinOp op, int order)
{
    switch (op) {
    case BIN_LT:
        return order < 0;
    case BIN_GT:
        return order > 0;
    case BIN_LE:
        return order <= 0;
    case BIN_GE:
        return order >= 0;
    case BIN_EQ:
        return order == 0;
    default:
        return order != 0;
    }
}

static Val compare_sizes(Sema *s, const Expr *e, Val a, Val b)
{
    int64_t d;
    const Size *diff = size_sub(s->module->sizes, a.size, b.size);
    if (diff && size_is_int(diff, &d))
        return val_bool(holds(e->op, d < 0 ? -1 : d > 0));
    if (diff && (size_min_value(diff) > 0 || size_max_value(diff) < 0))
        return val_bool(holds(e->op, size_max_value(diff) < 0 ? -1 : 1));
    sema_error(s, e->loc, E0704, "%s %s %s is known only at run time", val_str(s, a),
               signs[e->op], val_str(s, b));
    return val_poison();
}

Val compare_values(Sema *s, const Expr *e, Val a, Val b)
{
    if (a.kind == VAL_POISON || b.kind == VAL_POISON || needs_turn(s, a) ||
        needs_turn(s, b))
        return val_poison();
    if (a.kind == VAL_TENSOR || b.kind == VAL_TENSOR) {
        sema_error(s, e->loc, E0708, "%s %s %s would be a tensor of truth values",
                   val_str(s, a), signs[e->op], val_str(s, b));
        sema_hint(s, e->loc,
                  "compute with numbers instead: relu, min and max can select");
        return val_poison();
    }
    if (a.kind == VAL_SIZE && b.kind == VAL_SIZE)
        return compare_sizes(s, e, a, b);
    if (is_numeric(a) && is_numeric(b)) {
        double x, y;
        if (!want_float(s, a, e->a->loc, "the left side", &x) ||
            !want_float(s, b, e->b->loc, "the right side", &y))
            return val_poison();
        return val_bool(holds(e->op, x < y ? -1 : x > y));
    }
    if (a.kind == b.kind && (e->op == BIN_EQ || e->op == BIN_NE))
        return val_bool(val_equal(a, b) == (e->op == BIN_EQ));
    sema_error(s, e->loc, E0330, "%s and %s are not compared by `%s`", val_str(s, a),
               val_str(s, b), signs[e->op]);
    return val_poison();
}
