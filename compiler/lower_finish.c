// lower_finish.c - what each function needs of its callers, and which records are alike.

#include "compiler/loop.h"

#include <string.h>

// ---- needs ---------------------------------------------------------------------------------

static void need_dims_of(Func *f, const Size *s)
{
    for (int i = 0; i < size_nterms(s); i++) {
        const Term *t = size_term(s, i);
        for (int k = 0; k < t->nfactors; k++) {
            const Atom *a = t->factor[k];
            if (a->kind == ATOM_DIM) {
                f->dims |= (uint64_t)1 << a->dim->id;
            } else if (a->kind == ATOM_TURN) {
                f->uses_record = true;
            } else {
                need_dims_of(f, a->a);
                need_dims_of(f, a->b);
            }
        }
    }
}

static void expr_needs(LExpr *e, void *ctx)
{
    Func *f = ctx;
    if (e->kind == LX_SIZE)
        need_dims_of(f, e->size);
}

static void call_needs(Func *f, const LStmt *s)
{
    const Func *c = s->callee;
    f->uses_par |= c->uses_par;
    f->uses_work |= c->uses_work;
    f->uses_state |= c->uses_state;
    f->uses_weights |= c->uses_weights;
    f->uses_record |= c->uses_record;
    f->fails |= c->fails;
    f->dims |= c->dims;
    for (int i = 0; i < s->actuals.n && i < c->params.n; i++)
        s->actuals.p[i]->written |= c->params.p[i]->written;
}

static void stmt_needs(LStmt *s, void *ctx)
{
    Func *f = ctx;
    lexpr_walk(s->lo, expr_needs, f);
    lexpr_walk(s->hi, expr_needs, f);
    lexpr_walk(s->index, expr_needs, f);
    lexpr_walk(s->value, expr_needs, f);
    lexpr_walk(s->turn, expr_needs, f);
    if (s->kind == LS_STORE)
        s->buf->written = true;
    if (s->kind == LS_CALL)
        call_needs(f, s);
    f->fails |= s->kind == LS_KERNEL && s->fails;
    f->uses_par |= s->kind == LS_TAP;
    for (int i = 0; i < s->args.n; i++) {
        LArg *a = &s->args.p[i];
        lexpr_walk(a->index, expr_needs, f);
        lexpr_walk(a->expr, expr_needs, f);
        f->uses_par |= a->kind == ARG_PAR;
        f->uses_work |= a->kind == ARG_WORK;
        if (a->kind == ARG_ADDR && a->writes)
            a->buf->written = true;
    }
}

static void func_needs(Func *f)
{
    lstmts_walk(&f->body, stmt_needs, f);
    for (int i = 0; i < f->bufs.n; i++) {
        f->uses_state |= f->bufs.p[i]->kind == BUF_STATE;
        f->uses_weights |= f->bufs.p[i]->kind == BUF_WEIGHT;
        f->uses_record |= f->bufs.p[i]->field != NULL;
    }
}

void lower_needs(Prog *p)
{
    for (int i = 0; i < p->funcs.n; i++)
        func_needs(p->funcs.p[i]);
}

// ---- callees first ---------------------------------------------------------------------------

typedef VEC(Func *) FuncVec;

typedef struct Order {
    Prog *p;
    FuncVec *out;
} Order;

static void visit(Prog *p, FuncVec *out, Func *f);

static void visit_call(LStmt *s, void *ctx)
{
    Order *o = ctx;
    if (s->kind == LS_CALL)
        visit(o->p, o->out, s->callee);
}

static void visit(Prog *p, FuncVec *out, Func *f)
{
    for (int i = 0; i < out->n; i++)
        if (out->p[i] == f)
            return;
    Order o = {p, out};
    lstmts_walk(&f->body, visit_call, &o);
    vec_push(p->arena, out, f);
}

// ---- records -----------------------------------------------------------------------------------

// The layout of a record as text; records of one layout get one type.
static const char *record_layout(Prog *p, Record *r, Map *types, Map *names)
{
    Text t;
    text_init(&t, p->arena);
    text_printf(&t, "%s:", r->type);
    for (int i = 0; i < r->fields.n; i++) {
        Field *f = r->fields.p[i];
        text_printf(&t, "%d %s %lld ", (int)f->kind, f->name, (long long)f->turns);
        if (f->kind == FIELD_RECORD)
            text_puts(&t, record_layout(p, f->record, types, names));
        text_puts(&t, ";");
    }
    const char *known = map_get(types, t.p);
    if (!known) {
        const char *base = r->type;
        if (prefix_owns(p->prefix, base))
            base = arena_printf(p->arena, "The_%s", base);
        known = base;
        for (int i = 2; map_get(names, known); i++)
            known = arena_printf(p->arena, "%s%d", base, i);
        map_set(names, known, r);
        map_set(types, t.p, (void *)known);
    }
    r->type = known;
    return t.p;
}

void lower_finish(Prog *p)
{
    FuncVec order = {NULL, 0, 0};
    for (int i = 0; i < p->entries.n; i++)
        visit(p, &order, p->entries.p[i]);
    p->funcs.n = 0;
    for (int i = 0; i < order.n; i++)
        vec_push(p->arena, &p->funcs, order.p[i]);
    lower_needs(p);
    Map *taken = map_new(p->arena);
    for (int i = 0; i < p->funcs.n; i++)
        map_set(taken, p->funcs.p[i]->name, p);
    record_layout(p, p->root, map_new(p->arena), taken);
}
