// expr.c - expressions: names, operators, members.

#include <math.h>
#include <string.h>

#include "internal.h"

enum { MAX_NESTING = 600 };

// ---- names --------------------------------------------------------------------------

static bool builtin(const char *name, Val *v)
{
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        *v = val_bool(*name == 't');
    else if (strcmp(name, "pi") == 0)
        *v = val_float(3.14159265358979323846);
    else if (strcmp(name, "inf") == 0)
        *v = val_float((double)INFINITY);
    else
        return false;
    return true;
}

Val unknown_name(Sema *s, Loc loc, const char *name)
{
    Map *names = map_new(s->arena);
    for (Env *e = s->at.env; e; e = e->up)
        for (int i = 0; i < e->names.n; i++)
            map_set(names, e->names.p[i]->name, s);
    if (s->at.self) {
        const Item *b = s->at.self->block->item;
        for (int i = 0; i < b->members.n; i++)
            for (int k = 0; k < b->members.p[i]->names.n; k++)
                map_set(names, b->members.p[i]->names.p[k].s, s);
        for (int i = 0; i < b->params.n; i++)
            map_set(names, b->params.p[i].name.s, s);
    }
    global_names(s->at.file, s->arena, names);
    func_names(names);
    VEC(const char *) all = {0};
    for (int i = 0; i < map_count(names); i++)
        vec_push(s->arena, &all, map_key(names, i));
    sema_error(s, loc, E0201, "unknown name `%s`", name);
    hint_nearest(s, loc, name, all.p, all.n);
    return val_poison();
}

static Val global_value(Sema *s, const Global *g, Loc loc)
{
    if (g->ready)
        return g->val;
    sema_error(s, loc, E0203, "`%s` is used before it is declared", g->item->name.s);
    sema_hint(s, g->item->name.loc, "move its declaration up");
    return val_poison();
}

Val lookup_name(Sema *s, const char *name, Loc loc)
{
    const Binding *b = env_find(s->at.env, name);
    int which;
    Global *g;
    Val v;
    if (b)
        return b->val;
    Instance *self = s->at.self;
    if (self && member_find(self->block, name, &which))
        return member_get(s, self, name, loc);
    for (int i = 0; self && i < self->block->item->params.n; i++)
        if (strcmp(self->block->item->params.p[i].name.s, name) == 0)
            return self->args[i];
    if (global_find(s->at.file, name, &g))
        return global_value(s, g, loc);
    if (builtin(name, &v))
        return v;
    const Func *f = func_find(s, name);
    return f ? (Val){.kind = VAL_FUNC, .func = f} : unknown_name(s, loc, name);
}

Val member_expr(Sema *s, const Expr *e)
{
    Val v = eval_expr(s, e->a);
    if (v.kind == VAL_POISON || needs_turn(s, v))
        return val_poison();
    if (v.kind == VAL_INSTANCE) {
        Loc was = s->b.loc;
        s->b.loc = e->loc;
        Val r = member_get(s, v.inst, e->text, e->op_loc);
        s->b.loc = was;
        return r;
    }
    sema_error(s, e->op_loc, E0405, "%s has no members", val_str(s, v));
    if (v.kind == VAL_ARRAY)
        sema_hint(s, e->a->loc, "choose an element first: %s[0]",
                  v.member->names.p[0].s);
    return val_poison();
}

// ---- operators on tensors -----------------------------------------------------------

Value *elementwise(Sema *s, Op op, Value *a, Value *b)
{
    return a && b ? build2(&s->b, op, a, b) : NULL;
}

static const char *size_words(Sema *s, Dim d)
{
    const char *plain = size_str(d.size, s->arena);
    if (d.name && strcmp(d.name, plain) != 0)
        return arena_printf(s->arena, "%s (%s)", d.name, plain);
    return plain;
}

static bool inner_fits(Sema *s, const Value *a, const Value *b, Loc loc, const Expr *eb)
{
    const Type *x = &a->type, *y = &b->type;
    if (x->rank < 1 || y->rank < 1) {
        sema_error(s, loc, E0307, "@ needs at least one axis on both sides: %s @ %s",
                   type_str(x, s->arena), type_str(y, s->arena));
        return false;
    }
    Dim inner = x->dim[x->rank - 1];
    Dim other = y->dim[y->rank > 1 ? y->rank - 2 : 0];
    if (inner.size == other.size)
        return true;
    sema_error(s, loc, E0310, "inner sizes differ: %s @ %s: %s and %s",
               type_str(x, s->arena), type_str(y, s->arena), size_words(s, inner),
               size_words(s, other));
    if (y->rank > 1 && y->dim[y->rank - 1].size == inner.size && eb)
        sema_hint(s, eb->loc, "write %s'", diag_text(s->out, eb->loc, s->arena));
    return false;
}

// As in NumPy: a vector is a row on the left and a column on the right, and that axis
// is dropped again.
Value *matmul_values(Sema *s, Value *a, Value *b, Loc loc, const Expr *eb)
{
    if (!a || !b || !inner_fits(s, a, b, loc, eb))
        return NULL;
    s->b.loc = loc;
    Dim one = {size_int(s->module->sizes, 1), NULL};
    bool row = a->type.rank == 1, column = b->type.rank == 1;
    if (row)
        a = do_reshape(s, a, 2, (Dim[]){one, a->type.dim[0]});
    if (column)
        b = do_reshape(s, b, 2, (Dim[]){b->type.dim[0], one});
    Value *y = a && b ? build2(&s->b, OP_matmul, a, b) : NULL;
    if (!y || (!row && !column))
        return y;
    Dim dim[MAX_RANK];
    int rank = 0;
    for (int k = 0; k < y->type.rank; k++)
        if (!(row && k == y->type.rank - 2) && !(column && k == y->type.rank - 1))
            dim[rank++] = y->type.dim[k];
    return do_reshape(s, y, rank, dim);
}

static Op tensor_op(BinOp op)
{
    switch (op) {
    case BIN_ADD:
        return OP_add;
    case BIN_SUB:
        return OP_sub;
    case BIN_MUL:
        return OP_mul;
    case BIN_DIV:
        return OP_div;
    case BIN_POW:
        return OP_pow;
    default:
        bug("not arithmetic");
    }
}

static bool is_operand(Val v)
{
    return is_numeric(v) || v.kind == VAL_TENSOR || v.kind == VAL_TURN;
}

static DType dtype_beside(Val v)
{
    return v.kind == VAL_TENSOR  ? v.value->type.dtype
           : v.kind == VAL_FLOAT ? DT_f32
                                 : DT_i32;
}

// One of the sides is not known at compile time; a number takes the other's element
// type.
static Val tensor_binary(Sema *s, const Expr *e, Val a, Val b)
{
    bool ta = a.kind == VAL_TENSOR, tb = b.kind == VAL_TENSOR;
    DType da = ta ? dtype_beside(a) : tb ? dtype_beside(b) : DT_i32;
    if (!ta && !tb && (a.kind == VAL_FLOAT || b.kind == VAL_FLOAT))
        da = DT_f32;
    if (e->op == BIN_POW && ta && b.kind == VAL_SIZE && size_is(b.size, 2)) {
        s->b.loc = e->loc;
        return val_tensor(build1(&s->b, OP_square, a.value));
    }
    Value *x = ta ? a.value : number_as(s, a, da, e->a->loc);
    Value *y = tb ? b.value : number_as(s, b, da, e->b->loc);
    s->b.loc = e->loc;
    return val_tensor(elementwise(s, tensor_op(e->op), x, y));
}

static Val truth_binary(Sema *s, const Expr *e, Val a, Val b)
{
    if (a.kind == VAL_POISON || b.kind == VAL_POISON)
        return val_poison();
    bool x, y;
    if (a.kind == VAL_TENSOR || b.kind == VAL_TENSOR) {
        sema_error(s, e->loc, E0708,
                   "`%s` of %s and %s would be a tensor of truth values",
                   e->op == BIN_AND ? "&" : "|", val_str(s, a), val_str(s, b));
        return val_poison();
    }
    if (!want_bool(s, a, e->a->loc, "the left side", &x) ||
        !want_bool(s, b, e->b->loc, "the right side", &y))
        return val_poison();
    return val_bool(e->op == BIN_AND ? x && y : x || y);
}

Val binary_values(Sema *s, const Expr *e, Val a, Val b)
{
    if (e->op == BIN_AND || e->op == BIN_OR)
        return truth_binary(s, e, a, b);
    if (e->op >= BIN_LT && e->op <= BIN_NE)
        return compare_values(s, e, a, b);
    if (a.kind == VAL_POISON || b.kind == VAL_POISON)
        return val_poison();
    if (e->op == BIN_MATMUL) {
        Value *x = want_tensor(s, a, e->a->loc, "the left side of @");
        Value *y = want_tensor(s, b, e->b->loc, "the right side of @");
        return val_tensor(matmul_values(s, x, y, e->loc, e->b));
    }
    if (!is_operand(a) || !is_operand(b)) {
        Loc loc = is_operand(a) ? e->b->loc : e->a->loc;
        sema_error(s, loc, E0330, "%s is not a number or a tensor",
                   val_str(s, is_operand(a) ? b : a));
        return val_poison();
    }
    // A size over dims beside a float is computed at run time.
    bool fixed = a.kind == b.kind ||
                 (a.kind == VAL_SIZE ? size_is_int(a.size, NULL)
                                     : b.kind == VAL_SIZE && size_is_int(b.size, NULL));
    if (is_numeric(a) && is_numeric(b) && fixed)
        return number_binary(s, e, a, b);
    return tensor_binary(s, e, a, b);
}

static Val negate(Sema *s, const Expr *e)
{
    Val v = eval_expr(s, e->a);
    if (v.kind == VAL_FLOAT)
        return val_float(-v.number);
    if (v.kind == VAL_SIZE) {
        const Size *z =
            size_sub(s->module->sizes, size_int(s->module->sizes, 0), v.size);
        if (!z)
            sema_error(s, e->loc, E0302, "-%s does not fit into 63 bits",
                       val_str(s, v));
        return val_size(z);
    }
    Value *x = want_tensor(s, v, e->a->loc, "the operand of -");
    s->b.loc = e->loc;
    return x ? val_tensor(build1(&s->b, OP_neg, x)) : val_poison();
}

// ---- the rest -----------------------------------------------------------------------

static Val eval_items(Sema *s, const Expr *e)
{
    Val *v = NEWN(s->arena, Val, e->items.n + 1);
    for (int i = 0; i < e->items.n; i++)
        v[i] = eval_expr(s, e->items.p[i]);
    return val_list(s, e->kind == EX_TUPLE ? VAL_TUPLE : VAL_LIST, v, e->items.n);
}

static Val swap(Sema *s, const Expr *e)
{
    Value *x = want_tensor(s, eval_expr(s, e->a), e->a->loc, "the operand of '");
    s->b.loc = e->loc;
    return x ? val_tensor(swap_last(s, x, e->loc)) : val_poison();
}

static Val eval_kind(Sema *s, const Expr *e)
{
    switch (e->kind) {
    case EX_NAME:
        return lookup_name(s, e->text, e->loc);
    case EX_INT:
        return val_int(s, e->integer);
    case EX_FLOAT:
        return val_float(e->number);
    case EX_STRING:
        return val_string(e->text);
    case EX_DTYPE:
        return (Val){.kind = VAL_DTYPE, .dtype = e->dtype};
    case EX_TUPLE:
    case EX_LIST:
        return eval_items(s, e);
    case EX_NEG:
        return negate(s, e);
    case EX_BINARY: {
        Val a = eval_expr(s, e->a);
        Val b = eval_expr(s, e->b);
        return binary_values(s, e, a, b);
    }
    case EX_SWAP:
        return swap(s, e);
    case EX_CALL:
        return call_expr(s, e);
    case EX_INDEX:
        return index_expr(s, e);
    case EX_MEMBER:
        return member_expr(s, e);
    case EX_SCAN:
        sema_error(s, e->loc, E0706, "`scan` is not in this version");
        sema_hint(s, e->loc, "a `for` over a compile-time range is built");
        return val_poison();
    }
    bug("no such kind of expression");
}

Val eval_expr(Sema *s, const Expr *e)
{
    if (s->nesting >= MAX_NESTING) {
        sema_error(s, e->loc, E0415, "expressions nest too deeply");
        return val_poison();
    }
    s->nesting++;
    Loc was = s->b.loc;
    s->b.loc = e->loc;
    Val v = eval_kind(s, e);
    s->b.loc = was;
    s->nesting--;
    return v;
}
