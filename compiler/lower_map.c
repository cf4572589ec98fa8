// lower_map.c - elementwise ops: one loop nest, one expression an element.

#include "compiler/lower.h"

// ---- the expression ------------------------------------------------------------------------

static LExpr *expr_of(Lower *l, const Value *v, LExpr *const *by_id);

static LExpr *operand_of(Lower *l, const Value *v, LExpr *const *by_id)
{
    if (by_id[v->id])
        return by_id[v->id];
    LExpr *e = lower_scalar(l, v, v->type.dtype);
    return e ? e : expr_of(l, v, by_id);
}

static LExpr *expr_of(Lower *l, const Value *v, LExpr *const *by_id)
{
    if (v->op == OP_cast)
        return lx_cast(l->p, v->type.dtype, operand_of(l, v->in[0], by_id));
    if (op_info[v->op].class != OPC_MAP)
        bug("%s in the body of a map", op_info[v->op].name);
    LExpr *a = operand_of(l, v->in[0], by_id);
    LExpr *b = v->nin > 1 ? operand_of(l, v->in[1], by_id) : NULL;
    return lx_map_call(l->p, v->op, a, b);
}

static int uses_in(const Region *r, const Value *v)
{
    int n = 0;
    for (int i = 0; i < r->ops.n; i++)
        for (int k = 0; k < r->ops.p[i]->nin; k++)
            n += r->ops.p[i]->in[k] == v;
    return n;
}

// operand[i] stands for the i-th parameter. With l->out set, a value that is used twice
// becomes a `let` there; an epilogue (l->out NULL) repeats it.
LExpr *map_body(Lower *l, const Region *body, LExpr *const *operand)
{
    LExpr **by_id = NEWN(l->arena, LExpr *, l->g->nvalues + 1);
    for (int i = 0; i < body->params.n; i++)
        by_id[body->params.p[i]->id] = operand[i];
    for (int i = 0; i < body->ops.n; i++) {
        const Value *v = body->ops.p[i];
        if (lower_scalar(l, v, v->type.dtype))
            continue;
        LExpr *e = expr_of(l, v, by_id);
        if (l->out && uses_in(body, v) > 1 && e->kind != LX_VAR) {
            LStmt *s = ls_new(l->p, l->out, LS_LET, v->loc);
            s->name = func_name(l->f, v->name ? v->name : "t");
            s->dtype = v->type.dtype;
            s->value = e;
            e = lx_var(l->p, s->name, v->type.dtype);
        }
        by_id[v->id] = e;
    }
    return operand_of(l, body->yields.p[0], by_id);
}

// ---- the loop --------------------------------------------------------------------------------

static void load_operands(Lower *l, const Value *v, const Nest *n, const int *slot,
                          LExpr **operand)
{
    for (int i = 0; i < v->nin; i++)
        operand[i] = slot[i] < 0
                         ? lower_scalar(l, v->in[i], v->in[i]->type.dtype)
                         : lx_load(l->p, n->view[slot[i]].buf, n->index[slot[i]]);
}

void lower_map(Lower *l, const Value *v)
{
    if (v->nin >= MAX_VIEWS) {
        lower_refuse(l, v, "too many operands", NULL);
        return;
    }
    Nest n = {.nviews = 1};
    int slot[MAX_VIEWS];
    for (int i = 0; i < v->nin; i++) {
        slot[i] = -1;
        if (lower_scalar(l, v->in[i], v->in[i]->type.dtype))
            continue;
        slot[i] = n.nviews;
        n.view[n.nviews++] = view_broadcast(l, lower_in(l, v, i), &v->type);
    }
    lower_note(l, v);
    n.view[0] = lower_dest(l, v, ~0u);
    nest_open(l, &n, v->type.rank, v->loc);
    LExpr *operand[MAX_VIEWS] = {0};
    load_operands(l, v, &n, slot, operand);
    LExpr *e = v->op == OP_map    ? map_body(l, v->body, operand)
               : v->op == OP_cast ? lx_cast(l->p, v->type.dtype, operand[0])
                                  : lx_map_call(l->p, v->op, operand[0],
                                                v->nin > 1 ? operand[1] : NULL);
    LStmt *s = ls_new(l->p, l->out, LS_STORE, v->loc);
    s->buf = n.view[0].buf;
    s->index = n.index[0];
    s->value = e;
    nest_close(l, &n);
}
