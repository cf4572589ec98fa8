// ops.c - the table of ops, and the type rule of every row.
//
// An OP row brings its own rule (ops/<name>.c). Here are the rules of the others: a MAP
// row broadcasts operands of one element type; a CORE row is structure, and its type is
// that of what it names.

#include "compiler/ops.h"

#include "compiler/ops/common.h"

#include <string.h>

const OpInfo op_info[OP_COUNT] = {
#define CORE(name, arity, doc) {#name, OPC_CORE, arity, NULL, doc},
#define MAP1(name, expr, doc)  {#name, OPC_MAP, 1, #expr, doc},
#define MAP2(name, expr, doc)  {#name, OPC_MAP, 2, #expr, doc},
#define OP(name, arity, doc)   {#name, OPC_OP, arity, NULL, doc},
#include "compiler/ops.def"
#undef CORE
#undef MAP1
#undef MAP2
#undef OP
};

bool op_find(const char *name, Op *op)
{
    for (int i = 0; i < OP_COUNT; i++)
        if (strcmp(op_info[i].name, name) == 0) {
            *op = (Op)i;
            return true;
        }
    return false;
}

// ---- saying what does not fit ----------------------------------------------------------

bool misfit(Infer *c, DiagCode code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(c->module->arena, fmt, ap);
    va_end(ap);
    if (!c->diag)
        bug("%s", text);
    diag_error(c->diag, c->loc, code, "%s", text);
    return false;
}

void misfit_hint(Infer *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(c->module->arena, fmt, ap);
    va_end(ap);
    if (c->diag)
        diag_hint(c->diag, c->loc, "%s", text);
}

const char *spell(Infer *c, const Value *v)
{
    return type_str(&v->type, c->module->arena);
}

bool infer_axis(Infer *c, const Value *v, const char *attr, int rank, int *axis)
{
    const Attr *a = infer_attr(c, v, attr, AT_INT);
    if (!a)
        return false;
    if (a->i < 0 || a->i >= rank)
        return misfit(c, E0305, "%s: axis %lld of %s", op_info[v->op].name,
                      (long long)a->i, v->nin > 0 ? spell(c, v->in[0]) : "a scalar");
    *axis = (int)a->i;
    return true;
}

// ---- MAP rows --------------------------------------------------------------------------

// Rows whose expression stays within the integers.
static bool is_exact_on_integers(Op op)
{
    switch (op) {
    case OP_neg:
    case OP_abs:
    case OP_square:
    case OP_relu:
    case OP_add:
    case OP_sub:
    case OP_mul:
    case OP_div:
    case OP_min:
    case OP_max:
        return true;
    default:
        return false;
    }
}

// One operand may be meant with a '.
static void hint_transposed(Infer *c, const Value *v)
{
    const char *name = infer_called(c, v->in[1]);
    Type b = v->in[1]->type, out;
    if (b.rank < 2 || !name)
        return;
    Dim last = b.dim[b.rank - 1];
    b.dim[b.rank - 1] = b.dim[b.rank - 2];
    b.dim[b.rank - 2] = last;
    if (type_broadcast(c->sizes, &v->in[0]->type, &b, &out))
        misfit_hint(c, "%s' has a shape that broadcasts", name);
}

static bool infer_map_row(Infer *c, Value *v)
{
    const char *name = op_info[v->op].name;
    if (!infer_same_dtype(c, v))
        return false;
    DTypeKind kind = dtype_info[v->in[0]->type.dtype].kind;
    if (kind == DK_BOOL)
        return misfit(c, E0304, "%s needs numbers: %s", name, spell(c, v->in[0]));
    if (kind == DK_INT && !is_exact_on_integers(v->op)) {
        misfit(c, E0304, "%s needs floats: %s", name, spell(c, v->in[0]));
        misfit_hint(c, "cast first: %s(cast(..., f32))", name);
        return false;
    }
    v->type = v->in[0]->type;
    if (v->nin == 1)
        return true;
    Type out;
    if (!type_broadcast(c->sizes, &v->in[0]->type, &v->in[1]->type, &out)) {
        misfit(c, E0301, "%s: shapes do not broadcast: %s and %s", name,
               spell(c, v->in[0]), spell(c, v->in[1]));
        hint_transposed(c, v);
        return false;
    }
    v->type = out;
    return true;
}

// ---- CORE rows -------------------------------------------------------------------------

static bool infer_const(Infer *c, Value *v)
{
    const Attr *shape = attr_find(v, "shape");
    const Attr *dtype = attr_find(v, "dtype");
    DType d = dtype ? dtype->dtype : v->type.dtype;
    v->type = type_scalar(d);
    if (!shape)
        return infer_attr(c, v, "value", AT_NUM) != NULL;
    if (shape->kind != AT_INTS || !infer_attr(c, v, "values", AT_STR))
        return misfit(c, E0308, "const: `shape` and `values` belong together");
    if (shape->n > MAX_RANK)
        return misfit(c, E0309, "const: %d axes, at most %d", shape->n, MAX_RANK);
    v->type.rank = shape->n;
    for (int k = 0; k < shape->n; k++) {
        if (shape->ints[k] < 0)
            return misfit(c, E0308, "const: a size of %lld", (long long)shape->ints[k]);
        v->type.dim[k] = (Dim){size_int(c->sizes, shape->ints[k]), NULL};
    }
    return true;
}

static bool infer_weight(Infer *c, Value *v)
{
    const Weight *w = value_weight(c->module, v);
    if (!w)
        return misfit(c, E0308, "weight: `%s` is not declared",
                      attr_str(v, "path", ""));
    v->type = w->type;
    return true;
}

static bool infer_state(Infer *c, Value *v)
{
    const State *s = value_state(c->module, v);
    if (!s)
        return misfit(c, E0308, "state: `%s` is not declared", attr_str(v, "path", ""));
    v->type = s->type;
    return true;
}

static bool infer_repeat(Infer *c, Value *v)
{
    if (!infer_attr(c, v, "index", AT_STR) || !infer_sizes(c, v, "range", 2))
        return false;
    v->type = (Type){.rank = -1};
    return true;
}

// What is carried has one shape on every turn, so the operand has it already.
static bool infer_item(Infer *c, Value *v)
{
    const Value *r = v->in[0];
    int64_t i = attr_int(v, "i", -1);
    if (r->op != OP_repeat)
        return misfit(c, E0308, "item: the operand is not a repeat: %s", spell(c, r));
    if (i < 0 || i >= r->nin)
        return misfit(c, E0308, "item: result %lld of %d", (long long)i, r->nin);
    v->type = r->in[i]->type;
    return true;
}

// The element type is what the body yields; a body may come after its owner is made.
static bool infer_map_region(Infer *c, Value *v)
{
    if (v->nin == 0)
        return misfit(c, E0306, "map takes at least one operand");
    Type t = v->in[0]->type;
    for (int i = 1; i < v->nin; i++) {
        Type both;
        if (!type_broadcast(c->sizes, &t, &v->in[i]->type, &both))
            return misfit(c, E0301, "map: shapes do not broadcast: %s and %s",
                          type_str(&t, c->module->arena), spell(c, v->in[i]));
        t = both;
    }
    t.dtype = infer_body_dtype(v, t.dtype);
    v->type = t;
    return true;
}

static bool infer_core(Infer *c, Value *v)
{
    switch (v->op) {
    case OP_param:  // the builder gives it its type
        return true;
    case OP_weight:
        return infer_weight(c, v);
    case OP_const:
        return infer_const(c, v);
    case OP_state:
        return infer_state(c, v);
    case OP_size:
        v->type = type_scalar(DT_i32);
        return infer_sizes(c, v, "size", 1) != NULL;
    case OP_turn:
        v->type = type_scalar(DT_i32);
        return infer_attr(c, v, "index", AT_STR) != NULL;
    case OP_repeat:
        return infer_repeat(c, v);
    case OP_item:
        return infer_item(c, v);
    case OP_map:
        return infer_map_region(c, v);
    default:
        bug("no type rule for %s", op_info[v->op].name);
    }
}

// ---- all rows --------------------------------------------------------------------------

typedef bool InferRule(Infer *c, Value *v);

static InferRule *const rules[OP_COUNT] = {
#define CORE(name, arity, doc) infer_core,
#define MAP1(name, expr, doc)  infer_map_row,
#define MAP2(name, expr, doc)  infer_map_row,
#define OP(name, arity, doc)   infer_##name,
#include "compiler/ops.def"
#undef CORE
#undef MAP1
#undef MAP2
#undef OP
};

bool infer_type(Infer *c, Value *v)
{
    const OpInfo *info = &op_info[v->op];
    if (info->arity >= 0 && v->nin != info->arity)
        return misfit(c, E0306, "%s takes %d operand%s, not %d", info->name,
                      info->arity, info->arity == 1 ? "" : "s", v->nin);
    for (int i = 0; i < v->nin; i++)
        if (v->in[i]->type.rank < 0 && v->op != OP_item)
            return misfit(c, E0308, "%s: operand %d is all results of a repeat at once",
                          info->name, i);
    return rules[v->op](c, v);
}
