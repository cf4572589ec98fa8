// stmt.c - bodies of functions: names, let, if, return.

#include <string.h>

#include "internal.h"

// ---- names --------------------------------------------------------------------------

Binding *env_find(Env *e, const char *name)
{
    for (; e; e = e->up)
        for (int i = e->names.n - 1; i >= 0; i--)
            if (strcmp(e->names.p[i]->name, name) == 0)
                return e->names.p[i];
    return NULL;
}

Env *env_push(Sema *s)
{
    Env *e = NEW(s->arena, Env);
    e->up = s->at.env;
    s->at.env = e;
    return e;
}

void env_bind(Sema *s, const char *name, Val v, Loc loc)
{
    Binding *b = NEW(s->arena, Binding);
    *b = (Binding){.name = name, .val = v, .loc = loc};
    vec_push(s->arena, &s->at.env->names, b);
}

// The source's name of a computed value: the last `let` or assignment that took it.
void name_value(Val v, const char *name)
{
    if (v.kind != VAL_TENSOR || v.value->name)
        return;
    switch (v.value->op) {
    case OP_param:
    case OP_weight:
    case OP_state:
    case OP_const:
    case OP_size:
    case OP_turn:
        break;
    default:
        v.value->name = name;
    }
}

// Loops in loops and calls of calls multiply; a program ends long before this.
bool within_budget(Sema *s, Loc loc)
{
    enum { MAX_BODIES = 100000, MAX_VALUES = 1000000 };
    s->work++;
    if (s->work <= MAX_BODIES && s->b.graph->nvalues <= MAX_VALUES)
        return true;
    if (s->work == MAX_BODIES + 1 || s->b.graph->nvalues > MAX_VALUES) {
        sema_error(s, loc, E0415, "the program grows beyond %d calls or %d operations",
                   MAX_BODIES, MAX_VALUES);
        sema_hint(s, loc, "a loop whose turns differ is written out, turn by turn");
    }
    return false;
}

// ---- statements ---------------------------------------------------------------------

static void bind_new(Sema *s, const Name *n, Val v)
{
    for (int i = 0; i < s->at.env->names.n; i++) {
        const Binding *old = s->at.env->names.p[i];
        if (strcmp(old->name, n->s) != 0)
            continue;
        sema_error(s, n->loc, E0202, "`%s` is already bound in this body", n->s);
        sema_hint(s, old->loc, "here; `%s = ...` gives it a new value", n->s);
        break;
    }
    name_value(v, n->s);
    env_bind(s, n->s, v, n->loc);
}

static Val let_value(Sema *s, const Stmt *st)
{
    Val v = eval_expr(s, st->value);
    if (!st->type)
        return v;
    Value *x = fit_declared(s, st->type, NULL, v, st->value->loc, E0411,
                            arena_printf(s->arena, "`%s`", st->targets.p[0].s));
    return x ? val_tensor(x) : stand_in(s, st->type);
}

static void run_let(Sema *s, const Stmt *st)
{
    Val v = let_value(s, st);
    if (st->targets.n == 1) {
        bind_new(s, &st->targets.p[0], v);
        return;
    }
    bool parts = v.kind == VAL_TUPLE || v.kind == VAL_LIST;
    if (v.kind != VAL_POISON && !needs_turn(s, v) &&
        (!parts || v.nitems != st->targets.n)) {
        sema_error(s, st->value->loc, E0336, "%d names for %s", st->targets.n,
                   val_str(s, v));
        parts = false;
    }
    for (int i = 0; i < st->targets.n; i++)
        bind_new(s, &st->targets.p[i], parts ? v.items[i] : val_poison());
}

static void run_if(Sema *s, const Stmt *st)
{
    bool yes;
    Val c = eval_expr(s, st->value);
    if (c.kind == VAL_TENSOR && !needs_turn(s, c)) {
        sema_error(s, st->value->loc, E0704,
                   "the condition is %s, known only at run time", val_str(s, c));
        return;
    }
    if (!want_bool(s, c, st->value->loc, "the condition", &yes))
        return;
    Env *was = s->at.env;
    env_push(s);
    run_body(s, yes ? &st->body : &st->otherwise);
    s->at.env = was;
}

static void run_return(Sema *s, const Stmt *st)
{
    Frame *f = s->at.frame;
    Val v = eval_expr(s, st->value);
    if (f->fors > 0) {
        sema_error(s, st->loc, E0413, "`return` inside a `for`");
        sema_hint(s, st->loc,
                  "assign to a name bound outside, and return it after the loop");
        return;
    }
    f->returned = true;
    f->result = v;
    f->result_loc = st->value->loc;
}

static void run_stmt(Sema *s, const Stmt *st)
{
    switch (st->kind) {
    case ST_LET:
        run_let(s, st);
        break;
    case ST_ASSIGN:
        run_assign(s, st);
        break;
    case ST_RETURN:
        run_return(s, st);
        break;
    case ST_FOR:
        run_for(s, st);
        break;
    case ST_IF:
        run_if(s, st);
        break;
    case ST_LET_DIM:
        sema_error(s, st->loc, E0703,
                   "`let dim %s`: sizes that depend on data are not in this "
                   "version",
                   st->targets.p[0].s);
        sema_hint(s, st->loc, "keep the full size, and mark what counts with 0 and 1");
        env_bind(s, st->targets.p[0].s, val_poison(), st->targets.p[0].loc);
        break;
    case ST_YIELD:
        sema_error(s, st->loc, E0706,
                   "`yield` belongs to `scan`, which is not in this version");
        break;
    case ST_EXIT:
        sema_error(s, st->loc, E0705, "`exit` is not in this version");
        sema_hint(s, st->loc, "compute all layers; choose among results outside");
        break;
    }
}

void run_body(Sema *s, const StmtList *body)
{
    for (int i = 0; i < body->n && !s->at.frame->returned; i++) {
        s->b.loc = body->p[i]->loc;
        run_stmt(s, body->p[i]);
    }
}
