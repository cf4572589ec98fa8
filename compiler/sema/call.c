// call.c - calling functions of blocks: the body is built again at the place of the
// call.

#include <string.h>

#include "internal.h"

enum { MAX_CALLS = 200 };

// ---- arguments ----------------------------------------------------------------------

static int fn_param(const Member *fn, const char *name)
{
    for (int i = 0; i < fn->params.n; i++)
        if (strcmp(fn->params.p[i].name.s, name) == 0)
            return i;
    return -1;
}

static bool place_args(Sema *s, const Member *fn, const Expr *e, const char *name,
                       const Expr **given)
{
    int next = 0, n = fn->params.n;
    for (int i = 0; i < e->args.n; i++) {
        const Arg *a = &e->args.p[i];
        int k = a->name ? fn_param(fn, a->name) : next++;
        if (a->name && k < 0) {
            VEC(const char *) names = {0};
            for (int j = 0; j < n; j++)
                vec_push(s->arena, &names, fn->params.p[j].name.s);
            sema_error(s, a->name_loc, E0402, "`%s` has no parameter `%s`", name,
                       a->name);
            hint_nearest(s, a->name_loc, a->name, names.p, names.n);
            return false;
        }
        if (k >= n) {
            sema_error(s, a->value->loc, E0404, "`%s` takes %d argument%s", name, n,
                       n == 1 ? "" : "s");
            sema_hint(s, fn->loc, "declared here");
            return false;
        }
        if (given[k]) {
            sema_error(s, a->value->loc, E0402, "`%s` is given twice",
                       fn->params.p[k].name.s);
            return false;
        }
        given[k] = a->value;
    }
    for (int i = 0; i < n; i++)
        if (!given[i]) {
            sema_error(s, e->op_loc, E0403, "`%s` needs `%s`", name,
                       fn->params.p[i].name.s);
            sema_hint(s, fn->params.p[i].name.loc, "declared here");
            return false;
        }
    return true;
}

// ---- the call -----------------------------------------------------------------------

static bool may_call(Sema *s, Instance *in, const Member *fn, const Expr *e,
                     const char *name)
{
    for (const Frame *f = s->at.frame; f; f = f->up)
        if (f->fn == fn && f->self == in) {
            sema_error(s, e->loc, E0407, "`%s` calls itself", name);
            sema_hint(s, fn->loc, "a program is built out completely: use `for`");
            return false;
        }
    if (!within_budget(s, e->loc))
        return false;
    if (s->depth >= MAX_CALLS) {
        sema_error(s, e->loc, E0415, "calls nest more than %d deep", MAX_CALLS);
        return false;
    }
    return true;
}

static Val one_result(Sema *s, const Member *fn, int i, Val v, Loc loc,
                      const char *name)
{
    const char *what = arena_printf(
        s->arena, "result%s%s%s of `%s`", fn->results.p[i].name.s ? " `" : "",
        fn->results.p[i].name.s ? fn->results.p[i].name.s : "",
        fn->results.p[i].name.s ? "`" : "", name);
    Value *x = fit_declared(s, fn->results.p[i].type, &fn->vars, v, loc, E0412, what);
    return x ? val_tensor(x) : stand_in(s, fn->results.p[i].type);
}

Val fn_results(Sema *s, const Member *fn, const char *name)
{
    Frame *f = s->at.frame;
    int n = fn->results.n;
    if (!f->returned) {
        if (diag_errors(s->diag) == f->errors) {
            sema_error(s, fn->loc, E0413, "`%s` ends without `return`", name);
            sema_hint(s, fn->loc, "the last statement of a function gives its result");
        }
        f->result = val_poison();
    }
    if (n == 1)
        return one_result(s, fn, 0, f->result, f->result_loc, name);
    bool parts = f->result.kind == VAL_TUPLE || f->result.kind == VAL_LIST;
    if (f->result.kind != VAL_POISON && (!parts || f->result.nitems != n)) {
        sema_error(s, f->result_loc, E0336, "`%s` declares %d results, returned is %s",
                   name, n, val_str(s, f->result));
        parts = false;
    }
    Val *v = NEWN(s->arena, Val, n);
    for (int i = 0; i < n; i++)
        v[i] = one_result(s, fn, i, parts ? f->result.items[i] : val_poison(),
                          f->result_loc, name);
    return val_list(s, VAL_TUPLE, v, n);
}

static void bind_params(Sema *s, const Member *fn, const Expr *const *given,
                        const Val *v, const char *name)
{
    for (int i = 0; i < fn->params.n; i++) {
        const Param *p = &fn->params.p[i];
        const char *what =
            arena_printf(s->arena, "argument `%s` of `%s`", p->name.s, name);
        Value *x =
            fit_declared(s, p->type, &fn->vars, v[i], given[i]->loc, E0411, what);
        env_bind(s, p->name.s, x ? val_tensor(x) : stand_in(s, p->type), p->name.loc);
    }
}

Val call_fn(Sema *s, Instance *in, const Member *fn, const Expr *e, const char *name)
{
    const Expr **given = NEWN(s->arena, const Expr *, fn->params.n + 1);
    Val *v = NEWN(s->arena, Val, fn->params.n + 1);
    if (!place_args(s, fn, e, name, given) || !may_call(s, in, fn, e, name))
        return val_poison();
    for (int i = 0; i < fn->params.n; i++)
        v[i] = eval_expr(s, given[i]);
    Context was = s->at;
    Scope *outer = s->b.scope;
    Loc loc = s->b.loc;
    Frame f = {.up = was.frame, .self = in, .fn = fn};
    s->at = (Context){.file = in->block->file, .self = in, .frame = &f};
    s->b.scope =
        scope_new(s->module, outer, name, in->block->item->name.s, in->path, fn->loc);
    s->b.scope->library = in->block->file->library;
    s->b.scope->call = e->loc;
    s->depth++;
    env_push(s);
    bind_params(s, fn, given, v, name);
    env_push(s);
    f.errors = diag_errors(s->diag);
    run_body(s, &fn->body);
    s->b.loc = f.result_loc;
    Val r = fn_results(s, fn, name);
    s->depth--;
    s->at = was;
    s->b.scope = outer;
    s->b.loc = loc;
    return r;
}

// ---- what is called -----------------------------------------------------------------

static Val call_instance(Sema *s, Instance *in, const Expr *e)
{
    const Member *fn = block_fn(in->block, NULL);
    if (fn)
        return call_fn(s, in, fn, e, in->name);
    sema_error(s, e->a->loc, E0414, "%s has no unnamed fn to be called",
               in->block->item->name.s);
    for (int i = 0; i < in->block->item->members.n; i++) {
        const Member *m = in->block->item->members.p[i];
        if (m->kind == MB_FN)
            sema_hint(s, m->loc, "it has `%s.%s(...)`", in->name, m->names.p[0].s);
    }
    return val_poison();
}

static Val not_callable(Sema *s, const Expr *e, Val f)
{
    if (f.kind == VAL_POISON || needs_turn(s, f))
        return val_poison();
    sema_error(s, e->a->loc, E0414, "%s cannot be called", val_str(s, f));
    Place end = diag_place(s->out, (Loc){e->a->loc.end - 1, e->a->loc.end});
    Place paren = diag_place(s->out, e->op_loc);
    if (paren.line > end.line)
        sema_hint(s, e->op_loc,
                  "the call goes on in line %d: ( continues the line before it",
                  paren.line);
    else if (f.kind == VAL_BLOCK)
        sema_hint(s, e->a->loc, "declare a member, `name: %s(...)`, and call that",
                  f.block->item->name.s);
    else if (f.kind == VAL_DTYPE)
        sema_hint(s, e->a->loc, "write cast(x, %s)", dtype_info[f.dtype].name);
    return val_poison();
}

Val call_expr(Sema *s, const Expr *e)
{
    Val f = eval_expr(s, e->a);
    if (f.kind == VAL_FUNC)
        return func_call(s, f.func, e);
    if (f.kind == VAL_INSTANCE)
        return call_instance(s, f.inst, e);
    if (f.kind == VAL_FN && f.member->kind == MB_FN)
        return call_fn(s, f.inst, f.member, e, f.member->names.p[0].s);
    if (f.kind == VAL_FN) {
        sema_error(s, e->a->loc, E0414, "entry `%s` is called from C only",
                   f.member->names.p[0].s);
        sema_hint(s, f.member->loc,
                  "move its body into a `fn`, and call that from both");
        return val_poison();
    }
    return not_callable(s, e, f);
}
