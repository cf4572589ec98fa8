// value.c - values of the language: making them, asking for a kind, saying what they
// are.
//
// A function that needs a certain kind of value asks with want_...: it gives the value
// or reports what came instead. Poison is what remains after a report; it never reports
// again.

#include <math.h>
#include <string.h>

#include "internal.h"

// ---- making -------------------------------------------------------------------------

Val val_poison(void)
{
    return (Val){.kind = VAL_POISON};
}

Val val_size(const Size *z)
{
    return z ? (Val){.kind = VAL_SIZE, .size = z} : val_poison();
}

Val val_int(Sema *s, int64_t v)
{
    return val_size(size_int(s->module->sizes, v));
}

Val val_float(double v)
{
    return (Val){.kind = VAL_FLOAT, .number = v};
}

Val val_bool(bool v)
{
    return (Val){.kind = VAL_BOOL, .truth = v};
}

Val val_string(const char *t)
{
    return (Val){.kind = VAL_STRING, .string = t};
}

Val val_tensor(Value *v)
{
    return v ? (Val){.kind = VAL_TENSOR, .value = v} : val_poison();
}

Val val_list(Sema *s, ValKind kind, const Val *items, int n)
{
    Val *copy = NEWN(s->arena, Val, n + 1);
    if (n)
        memcpy(copy, items, sizeof(Val) * (size_t)n);
    return (Val){.kind = kind, .items = copy, .nitems = n};
}

// ---- reporting ----------------------------------------------------------------------

void sema_error(Sema *s, Loc loc, DiagCode code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(s->arena, fmt, ap);
    va_end(ap);
    diag_error(s->diag, loc, code, "%s", text);
}

void sema_hint(Sema *s, Loc loc, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(s->arena, fmt, ap);
    va_end(ap);
    diag_hint(s->diag, loc, "%s", text);
}

void hint_nearest(Sema *s, Loc loc, const char *word, const char *const *names, int n)
{
    const char *near = nearest(word, names, n);
    if (near)
        sema_hint(s, loc, "did you mean `%s`?", near);
}

// ---- asking -------------------------------------------------------------------------

bool is_numeric(Val v)
{
    return v.kind == VAL_SIZE || v.kind == VAL_FLOAT;
}

bool val_equal(Val a, Val b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case VAL_POISON:
        return true;
    case VAL_SIZE:
        return a.size == b.size;
    case VAL_FLOAT:
        return a.number == b.number || (isnan(a.number) && isnan(b.number));
    case VAL_BOOL:
        return a.truth == b.truth;
    case VAL_STRING:
        return strcmp(a.string, b.string) == 0;
    case VAL_DTYPE:
        return a.dtype == b.dtype;
    case VAL_TENSOR:
        return a.value == b.value;
    case VAL_TURN:
        return a.loop == b.loop;
    case VAL_BLOCK:
        return a.block->item == b.block->item;
    case VAL_FUNC:
        return a.func == b.func;
    case VAL_INSTANCE:
        return a.inst == b.inst;
    case VAL_ARRAY:
    case VAL_FN:
        return a.inst == b.inst && a.member == b.member;
    case VAL_LIST:
    case VAL_TUPLE:
        if (a.nitems != b.nitems)
            return false;
        for (int i = 0; i < a.nitems; i++)
            if (!val_equal(a.items[i], b.items[i]))
                return false;
        return true;
    }
    bug("no such kind of value");
}

static const char *number_str(Sema *s, Val v)
{
    if (v.kind == VAL_FLOAT)
        return v.spell ? arena_printf(s->arena, "%s (%g)", v.spell, v.number)
                       : arena_printf(s->arena, "%g", v.number);
    const char *plain = size_str(v.size, s->arena);
    if (v.spell && size_is_int(v.size, NULL) && strcmp(plain, v.spell) != 0)
        return arena_printf(s->arena, "%s (%s)", v.spell, plain);
    return plain;
}

const char *val_str(Sema *s, Val v)
{
    Arena *a = s->arena;
    switch (v.kind) {
    case VAL_POISON:
        return "something unknown";
    case VAL_SIZE:
    case VAL_FLOAT:
        return number_str(s, v);
    case VAL_BOOL:
        return v.truth ? "true" : "false";
    case VAL_STRING:
        return arena_printf(a, "\"%s\"", v.string);
    case VAL_LIST:
        return arena_printf(a, "a list of %d", v.nitems);
    case VAL_TUPLE:
        return arena_printf(a, "%d results", v.nitems);
    case VAL_DTYPE:
        return arena_printf(a, "the element type %s", dtype_info[v.dtype].name);
    case VAL_TENSOR:
        return type_str(&v.value->type, a);
    case VAL_TURN:
        return "the turn of a loop";
    case VAL_BLOCK:
        return arena_printf(a, "the block %s", v.block->item->name.s);
    case VAL_INSTANCE:
        return arena_printf(a, "`%s`, a %s", v.inst->name, v.inst->block->item->name.s);
    case VAL_ARRAY:
        return arena_printf(a, "the array `%s`", v.member->names.p[0].s);
    case VAL_FN:
        return "a function";
    case VAL_FUNC:
        return "an op";
    }
    bug("no such kind of value");
}

// ---- values that hang on a turn -----------------------------------------------------

// Scalars of indices are small expressions; deeper ones are not followed.
static bool mark_turns(Sema *s, const Value *v, int depth)
{
    bool found = false;
    if (v->op == OP_turn) {
        const char *index = attr_str(v, "index", "");
        for (Loop *l = s->loop; l; l = l->up)
            if (strcmp(l->index, index) == 0) {
                l->must_unroll = true;
                return true;
            }
    }
    for (int i = 0; i < v->nin && depth < 16 && v->type.rank == 0; i++)
        found |= mark_turns(s, v->in[i], depth + 1);
    return found;
}

bool needs_turn(Sema *s, Val v)
{
    if (v.kind == VAL_TURN) {
        v.loop->must_unroll = true;
        return true;
    }
    return v.kind == VAL_TENSOR && mark_turns(s, v.value, 0);
}

// ---- wanting a kind -----------------------------------------------------------------

static bool unwanted(Sema *s, Val v, Loc loc, const char *what, const char *kind)
{
    if (v.kind == VAL_POISON || needs_turn(s, v))
        return false;
    sema_error(s, loc, E0330, "%s is %s, not %s", what, val_str(s, v), kind);
    return false;
}

bool want_size(Sema *s, Val v, Loc loc, const char *what, const Size **out)
{
    if (v.kind == VAL_SIZE) {
        *out = v.size;
        return true;
    }
    return unwanted(s, v, loc, what, "an integer");
}

bool want_int(Sema *s, Val v, Loc loc, const char *what, int64_t *out)
{
    if (v.kind == VAL_SIZE && size_is_int(v.size, out))
        return true;
    if (v.kind == VAL_SIZE) {
        sema_error(s, loc, E0330, "%s is %s, known only at run time", what,
                   val_str(s, v));
        return false;
    }
    return unwanted(s, v, loc, what, "an integer");
}

bool want_float(Sema *s, Val v, Loc loc, const char *what, double *out)
{
    int64_t i;
    if (v.kind == VAL_FLOAT) {
        *out = v.number;
        return true;
    }
    if (v.kind == VAL_SIZE && size_is_int(v.size, &i)) {
        *out = (double)i;
        return true;
    }
    return unwanted(s, v, loc, what, "a number known at compile time");
}

bool want_bool(Sema *s, Val v, Loc loc, const char *what, bool *out)
{
    if (v.kind == VAL_BOOL) {
        *out = v.truth;
        return true;
    }
    return unwanted(s, v, loc, what, "true or false");
}

bool want_string(Sema *s, Val v, Loc loc, const char *what, const char **out)
{
    if (v.kind == VAL_STRING) {
        *out = v.string;
        return true;
    }
    return unwanted(s, v, loc, what, "a text");
}

// ---- numbers as tensors -------------------------------------------------------------

Value *cast_to(Sema *s, Value *v, DType d)
{
    if (v->type.dtype == d)
        return v;
    Attr a = attr_make_dtype("dtype", d);
    return build(&s->b, OP_cast, 1, &v, 1, &a);
}

static bool literal_fits(Val v, DType d, double *x)
{
    int64_t i = 0;
    if (v.kind == VAL_FLOAT)
        *x = v.number;
    else
        size_is_int(v.size, &i), *x = (double)i;
    if (dtype_info[d].kind == DK_FLOAT)
        return d != DT_f16 || isinf(*x) || fabs(*x) <= 65504;
    if (v.kind == VAL_FLOAT)
        return false;
    int bits = dtype_info[d].bits;
    if (d == DT_u8)
        return i >= 0 && i <= 255;
    return bits >= 64 ||
           (i >= -(INT64_C(1) << (bits - 1)) && i < INT64_C(1) << (bits - 1));
}

Value *number_as(Sema *s, Val v, DType d, Loc loc)
{
    s->b.loc = loc;
    if (v.kind == VAL_TURN) {
        Attr a = attr_make_str("index", v.loop->index);
        Value *t = build(&s->b, OP_turn, 0, NULL, 1, &a);
        return t ? cast_to(s, t, d) : NULL;
    }
    if (v.kind == VAL_SIZE && !size_is_int(v.size, NULL)) {
        Attr a = attr_make_sizes("size", 1, &v.size);
        Value *z = build(&s->b, OP_size, 0, NULL, 1, &a);
        return z ? cast_to(s, z, d) : NULL;
    }
    double x;
    if (!literal_fits(v, d, &x)) {
        sema_error(s, loc, E0332, "%s is not a value of %s", val_str(s, v),
                   dtype_info[d].name);
        if (v.kind == VAL_FLOAT)
            sema_hint(s, loc, "cast the tensor first: cast(x, f32)");
        return NULL;
    }
    return build_const(&s->b, d, x);
}

Value *want_tensor(Sema *s, Val v, Loc loc, const char *what)
{
    if (v.kind == VAL_TENSOR)
        return v.value;
    if (v.kind == VAL_SIZE || v.kind == VAL_TURN)
        return number_as(s, v, DT_i32, loc);
    if (v.kind == VAL_FLOAT)
        return number_as(s, v, DT_f32, loc);
    unwanted(s, v, loc, what, "a tensor");
    return NULL;
}
