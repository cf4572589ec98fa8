// lower_value.c - operands of ops: constants in the packed file, states, scalars, views.

#include "compiler/lower.h"

#include <string.h>

// ---- constants -------------------------------------------------------------------------------------

// A constant that can stand in the packed file: its size is known, turn by turn. (An expand
// of a weight to a run-time size is only a view.)
bool is_packable(const Value *v)
{
    for (int k = 0; k < v->type.rank; k++)
        if (!size_is_fixed(v->type.dim[k].size))
            return false;
    return value_is_const(v);
}

// The storage type of every checkpoint tensor that v is made of, when they are the same and
// v only moves elements about; else f32.
static DType storage_of(Lower *l, const Value *v)
{
    if (dtype_info[v->type.dtype].kind != DK_FLOAT)
        return v->type.dtype;
    if (v->op == OP_weight) {
        const char *path = attr_str(v, "path", "");
        DType d =
            l->options->storage ? l->options->storage(l->options->ctx, path) : DT_f32;
        return d == DT_f16 || d == DT_bf16 ? d : DT_f32;
    }
    if (v->op != OP_concat && v->op != OP_cast && !op_is_view(v->op))
        return DT_f32;
    DType d = storage_of(l, v->in[0]);
    if (dtype_info[d].kind != DK_FLOAT)
        return DT_f32;
    for (int i = 1; i < v->nin; i++)
        if (storage_of(l, v->in[i]) != d)
            return DT_f32;
    return d < DT_COUNT && dtype_info[d].kind == DK_FLOAT ? d : DT_f32;
}

Format lower_linear_format(Lower *l, const Value *linear)
{
    Format f;
    if (format_find(attr_str(linear, "format", ""), &f))
        return f;
    return format_dense(storage_of(l, linear->in[1]));
}

Format lower_matrix_format(Lower *l, const Value *v)
{
    const Value *linear = map_get(l->panels, const_key(l->arena, v));
    bool own = linear && !attr_find(linear, "format");
    return own ? lower_linear_format(l, linear) : FORMAT_plain;
}

Buf *lower_packed(Lower *l, const Value *v, Format format)
{
    Prog *p = l->p;
    const char *key =
        arena_printf(l->arena, "%d:%s", (int)format, const_key(l->arena, v));
    Packed *k = map_get(l->packed, key);
    if (!k) {
        k = NEW(p->arena, Packed);
        k->value = v;
        k->format = format;
        k->storage = storage_of(l, v);
        if (!size_is_fixed(type_count(l->sizes, &v->type)))
            bug("a constant of run-time size");
        if (format != FORMAT_plain)
            k->storage = format_info[format].storage;
        FormatSize w = packed_size(k, 0, NULL);
        k->n = w.n;
        k->k = w.k;
        k->kept = w.kept;
        k->count = packed_count(k, 0, NULL);
        map_set(l->packed, key, k);
        vec_push(p->arena, &p->packed, k);
    }
    Field *f = record_packed(l, l->f->record, k, NULL, v->loc);
    for (int i = 0; i < l->f->bufs.n; i++)
        if (l->f->bufs.p[i]->field == f)
            return l->f->bufs.p[i];
    Type t = v->type;
    t.dtype = k->storage;
    Buf *b = buf_new(l, l->f, BUF_WEIGHT, field_local(l, f), &t);
    b->field = f;
    return b;
}

// Plain constants are read by loops and norms as f32, whatever the checkpoint has.
static View constant_view(Lower *l, const Value *v)
{
    Buf *b = lower_packed(l, v, FORMAT_plain);
    if (dtype_info[b->dtype].kind == DK_FLOAT) {
        b->field->packed->storage = DT_f32;
        b->dtype = b->shape.dtype = DT_f32;
    }
    return view_dense(l, b, &v->type);
}

static View state_view(Lower *l, const Value *v)
{
    State *st = value_state(l->p->module, v);
    Field *f = record_state(l, l->f->record, st);
    for (int i = 0; i < l->f->bufs.n; i++)
        if (l->f->bufs.p[i]->field == f)
            return view_dense(l, l->f->bufs.p[i], &v->type);
    Buf *b = buf_new(l, l->f, BUF_STATE, f->name, &v->type);
    b->field = f;
    return view_dense(l, b, &v->type);
}

void lower_state(Lower *l, const Value *v)
{
    lower_set(l, v, state_view(l, v));
}

// ---- operands ----------------------------------------------------------------------------------------

// A scalar that is written where it is used, for an op that wants it in memory.
static View scalar_view(Lower *l, const Value *v, LExpr *value)
{
    Buf *b = lower_temp(l, v->name ? v->name : "scalar", v->type.dtype, 0, NULL);
    LStmt *s = ls_new(l->p, l->out, LS_STORE, v->loc);
    s->buf = b;
    s->index = lx_int(l->p, 0);
    s->value = value;
    return view_dense(l, b, &v->type);
}

View lower_value(Lower *l, const Value *v)
{
    if (is_packable(v))
        return constant_view(l, v);
    LExpr *scalar = low_of(l, v)->done ? NULL : lower_scalar(l, v, v->type.dtype);
    if (scalar)
        return scalar_view(l, v, scalar);
    if (!low_of(l, v)->done)
        bug("%%%d (%s) is used before it is lowered", v->id, op_info[v->op].name);
    View view = low_of(l, v)->view;
    view.buf = reach(l, l->f, view.buf);
    return view;
}

// What a view op looks through: the operand's view over the buffer that holds it.
View lower_base(Lower *l, const Value *v, int i)
{
    const Value *x = v->in[i];
    return is_packable(x) ? constant_view(l, x) : low_of(l, x)->view;
}

View lower_in(Lower *l, const Value *v, int i)
{
    return lower_value(l, v->in[i]);
}

static void uses_turn(Lower *l, const char *index)
{
    // Every function between the loop and here takes the turn as a parameter.
    for (Func *f = l->f; f; f = f->caller) {
        bool known = false;
        for (int i = 0; i < f->turns.n; i++)
            known = known || !strcmp(f->turns.p[i], index);
        if (!known)
            vec_push(l->p->arena, &f->turns, index);
        const Field *own = NULL;
        for (int i = 0; f->caller && i < f->caller->record->fields.n; i++)
            if (f->caller->record->fields.p[i]->record == f->record)
                own = f->caller->record->fields.p[i];
        if (own && own->index && !strcmp(own->index, index))
            return;
    }
}

LExpr *lower_scalar(Lower *l, const Value *v, DType want)
{
    Prog *p = l->p;
    double x = 0;
    if (v->type.rank != 0)
        return NULL;
    if (value_is_scalar_const(v, &x)) {
        if (dtype_info[want].kind == DK_FLOAT)
            return lx_num(p, x);
        LExpr *e = lx_int(p, (int64_t)x);
        e->dtype = want;
        return e;
    }
    if (v->op == OP_size)
        return lx_cast(p, want, lx_size(p, attr_find(v, "size")->sizes[0]));
    if (v->op == OP_turn) {
        uses_turn(l, attr_str(v, "index", "i"));
        return lx_cast(p, want, lx_var(p, attr_str(v, "index", "i"), DT_i64));
    }
    if (is_packable(v) || (op_info[v->op].class != OPC_MAP && v->op != OP_cast))
        return NULL;
    LExpr *in[2] = {NULL, NULL};
    for (int i = 0; i < v->nin; i++)
        if (!(in[i] = lower_scalar(l, v->in[i], v->in[i]->type.dtype)))
            return NULL;
    return v->op == OP_cast ? lx_cast(p, want, in[0])
                            : lx_map_call(p, v->op, in[0], in[1]);
}
