// funcs.c - calling ops: the tables of functions, and putting arguments in order.
//
// A function is a row {name, parameters, maker}. Every MAP row of ops.def is one too.

#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const Func *const tables[] = {funcs_math, funcs_shape, funcs_model,
                                     funcs_einops};

// ---- finding ------------------------------------------------------------------------

const Func *func_find(Sema *s, const char *name)
{
    for (int i = 0; i < COUNT(tables); i++)
        for (const Func *f = tables[i]; f->name; f++)
            if (strcmp(f->name, name) == 0)
                return f;
    Op op;
    if (!op_find(name, &op) || op_info[op].class != OPC_MAP)
        return NULL;
    Func *f = map_get(s->map_funcs, name);
    if (!f) {
        f = NEW(s->arena, Func);
        *f = (Func){op_info[op].name, op_info[op].arity == 1 ? "a" : "a, b", make_map,
                    op};
        map_set(s->map_funcs, name, f);
    }
    return f;
}

void func_names(Map *names)
{
    for (int i = 0; i < COUNT(tables); i++)
        for (const Func *f = tables[i]; f->name; f++)
            map_set(names, f->name, names);
    for (int i = 0; i < OP_COUNT; i++)
        if (op_info[i].class == OPC_MAP)
            map_set(names, op_info[i].name, names);
}

// ---- parameters ---------------------------------------------------------------------

typedef struct FuncParam {
    const char *name, *alias;
    const char *otherwise;  // default as text, NULL: there is none
    bool rest, word;
} FuncParam;

static char *trim(char *t)
{
    t += strspn(t, " ");
    for (size_t n = strlen(t); n && t[n - 1] == ' '; n--)
        t[n - 1] = '\0';
    return t;
}

static int read_params(Sema *s, const Func *f, FuncParam *p)
{
    int n = 0;
    char *text = arena_strdup(s->arena, f->params);
    for (char *end; text && *text; text = end) {
        end = strchr(text, ',');
        if (end)
            *end++ = '\0';
        FuncParam q = {0};
        char *sign = strchr(text, '=');
        if (sign) {
            *sign = '\0';
            q.otherwise = trim(sign + 1);
        }
        char *name = trim(text);
        q.rest = *name == '*';
        q.word = *name == '~';
        name += q.rest || q.word;
        char *bar = strchr(name, '|');
        if (bar)
            *bar = '\0';
        q.name = name;
        q.alias = bar ? bar + 1 : NULL;
        p[n++] = q;
    }
    return n;
}

static Val default_value(Sema *s, const char *t)
{
    char *end;
    if (strcmp(t, "true") == 0 || strcmp(t, "false") == 0)
        return val_bool(*t == 't');
    if (*t == '"')
        return val_string(arena_strndup(s->arena, t + 1, strlen(t) - 2));
    long long i = strtoll(t, &end, 10);
    return *end == '\0' ? val_int(s, i) : val_float(strtod(t, NULL));
}

static int find_param(const FuncParam *p, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(p[i].name, name) == 0 ||
            (p[i].alias && strcmp(p[i].alias, name) == 0))
            return i;
    return -1;
}

static void no_param(Call *c, const FuncParam *p, const Arg *a)
{
    const char *names[MAX_ARGS];
    for (int i = 0; i < c->n; i++)
        names[i] = p[i].name;
    sema_error(c->s, a->name_loc, E0402, "`%s` has no parameter `%s`", c->func->name,
               a->name);
    hint_nearest(c->s, a->name_loc, a->name, names, c->n);
    sema_hint(c->s, c->e->loc, "%s(%s)", c->func->name, c->func->params);
}

// Where argument number `at` by position goes: a `*x` takes all it can get.
static int by_position(const FuncParam *p, int n, int at)
{
    for (int i = 0; i < n && i <= at; i++)
        if (p[i].rest)
            return i;
    return at < n ? at : -1;
}

static bool put_arg(Call *c, const FuncParam *p, const Arg *a, int *next)
{
    Sema *s = c->s;
    int k = a->name ? find_param(p, c->n, a->name) : by_position(p, c->n, (*next)++);
    if (k < 0 && a->name) {
        no_param(c, p, a);
        return false;
    }
    if (k < 0) {
        sema_error(s, a->value->loc, E0404, "`%s` takes %d argument%s", c->func->name,
                   c->n, c->n == 1 ? "" : "s");
        sema_hint(s, c->e->loc, "%s(%s)", c->func->name, c->func->params);
        return false;
    }
    if (c->given[k] && !p[k].rest) {
        sema_error(s, a->value->loc, E0402, "`%s` is given twice", p[k].name);
        return false;
    }
    c->given[k] = a->value;
    c->loc[k] = loc_join(c->loc[k], a->value->loc);
    c->has[k] = true;
    if (p[k].word)
        return true;
    Val v = eval_expr(s, a->value);
    if (!p[k].rest) {
        c->arg[k] = v;
        return true;
    }
    Val *all = NEWN(s->arena, Val, c->arg[k].nitems + 1);
    if (c->arg[k].nitems)
        memcpy(all, c->arg[k].items, sizeof(Val) * (size_t)c->arg[k].nitems);
    all[c->arg[k].nitems] = v;
    c->arg[k] = val_list(s, VAL_LIST, all, c->arg[k].nitems + 1);
    return true;
}

static bool is_poisoned(Val v)
{
    if (v.kind == VAL_POISON)
        return true;
    for (int i = 0; (v.kind == VAL_LIST || v.kind == VAL_TUPLE) && i < v.nitems; i++)
        if (is_poisoned(v.items[i]))
            return true;
    return false;
}

Val func_call(Sema *s, const Func *f, const Expr *e)
{
    FuncParam p[MAX_ARGS];
    Call c = {.s = s, .func = f, .e = e};
    int next = 0;
    bool poisoned = false;
    if (*f->params == '!')
        return f->make(&c);
    c.n = read_params(s, f, p);
    for (int i = 0; i < c.n; i++)
        c.name[i] = p[i].name;
    for (int i = 0; i < e->args.n; i++)
        if (!put_arg(&c, p, &e->args.p[i], &next))
            return val_poison();
    for (int i = 0; i < c.n; i++) {
        if (c.has[i]) {
            poisoned |= !p[i].word && is_poisoned(c.arg[i]);
            continue;
        }
        c.loc[i] = e->loc;
        if (!p[i].otherwise) {
            sema_error(s, e->op_loc, E0403, "`%s` needs `%s`", f->name, p[i].name);
            sema_hint(s, e->loc, "%s(%s)", f->name, f->params);
            return val_poison();
        }
        if (strcmp(p[i].otherwise, "none") == 0)
            continue;
        c.arg[i] = default_value(s, p[i].otherwise);
        c.has[i] = true;
    }
    s->b.loc = e->loc;
    return poisoned ? val_poison() : f->make(&c);
}

// ---- arguments as what is needed ----------------------------------------------------

static const char *what(Call *c, int i)
{
    return arena_printf(c->s->arena, "`%s` of %s", c->name[i], c->func->name);
}

Value *arg_tensor(Call *c, int i)
{
    Value *v = want_tensor(c->s, c->arg[i], c->loc[i], what(c, i));
    c->s->b.loc = c->e->loc;
    return v;
}

bool arg_bool(Call *c, int i, bool *out)
{
    return want_bool(c->s, c->arg[i], c->loc[i], what(c, i), out);
}

bool arg_float(Call *c, int i, double *out)
{
    return want_float(c->s, c->arg[i], c->loc[i], what(c, i), out);
}

bool arg_size(Call *c, int i, const Size **out)
{
    return want_size(c->s, c->arg[i], c->loc[i], what(c, i), out);
}

bool arg_string(Call *c, int i, const char **out)
{
    return want_string(c->s, c->arg[i], c->loc[i], what(c, i), out);
}

static bool one_axis(Call *c, Val v, int i, int rank, int *axis)
{
    int64_t a;
    if (!want_int(c->s, v, c->loc[i], what(c, i), &a))
        return false;
    if (a < -rank || a >= rank) {
        sema_error(c->s, c->loc[i], E0305, "axis %lld of a tensor with %d ax%s",
                   (long long)a, rank, rank == 1 ? "is" : "es");
        return false;
    }
    *axis = (int)(a < 0 ? a + rank : a);
    return true;
}

bool arg_axis(Call *c, int i, int rank, int *axis)
{
    return one_axis(c, c->arg[i], i, rank, axis);
}

bool arg_axes(Call *c, int i, int rank, int *n, int *axes)
{
    bool used[MAX_RANK] = {false};
    Val v = c->arg[i];
    int count = !c->has[i] ? rank : v.kind == VAL_LIST ? v.nitems : 1;
    for (int k = 0; k < count && k < MAX_RANK; k++) {
        int axis = k;
        if (c->has[i] &&
            !one_axis(c, v.kind == VAL_LIST ? v.items[k] : v, i, rank, &axis))
            return false;
        if (used[axis]) {
            sema_error(c->s, c->loc[i], E0305, "axis %d is named twice", axis);
            return false;
        }
        used[axis] = true;
    }
    *n = 0;
    for (int k = 0; k < rank; k++)
        if (used[k])
            axes[(*n)++] = k;
    return true;
}

Val *arg_list(Call *c, int i, int *n)
{
    Val v = c->arg[i];
    if (v.kind == VAL_LIST && v.nitems == 1 &&
        (v.items[0].kind == VAL_LIST || v.items[0].kind == VAL_TUPLE))
        v = v.items[0];
    if (v.kind != VAL_LIST && v.kind != VAL_TUPLE) {
        if (v.kind != VAL_POISON && !needs_turn(c->s, v))
            sema_error(c->s, c->loc[i], E0330, "%s is %s, not a list", what(c, i),
                       val_str(c->s, v));
        return NULL;
    }
    *n = v.nitems;
    Val *copy = NEWN(c->s->arena, Val, v.nitems + 1);
    if (v.nitems)
        memcpy(copy, v.items, sizeof(Val) * (size_t)v.nitems);
    return copy;
}
