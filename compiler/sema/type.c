// type.c - types as declared, and fitting values to them.
//
// A declared type may hold size variables, bound by the first argument that has them,
// and one `...`, which stands for the same leading axes everywhere in one call.

#include <string.h>

#include "internal.h"

bool refuse_dtype(Sema *s, DType d, Loc loc)
{
    if (d == DT_bool) {
        sema_error(s, loc, E0708, "bool tensors are not in this version");
        sema_hint(s, loc, "use i8 or f32 with 0 and 1");
    } else if (d == DT_i4 || d == DT_u4) {
        sema_error(s, loc, E0712, "%s tensors are not in this version",
                   dtype_info[d].name);
        sema_hint(s, loc, "use %s", d == DT_i4 ? "i8" : "u8");
    } else {
        return false;
    }
    return true;
}

Dim dim_of(Val v, const Size *z)
{
    return (Dim){z, size_is_int(z, NULL) ? v.spell : NULL};
}

static bool eval_dim(Sema *s, const DimExpr *d, Dim *out)
{
    const Size *z;
    Val v = eval_expr(s, d->size);
    if (!want_size(s, v, d->loc, "the size", &z))
        return false;
    if (size_min_value(z) < 0) {
        sema_error(s, d->loc, E0330, "the size is %s, which can be negative",
                   val_str(s, v));
        return false;
    }
    *out = dim_of(v, z);
    return true;
}

// Where `...` stands in a type, -1 where it does not.
static bool find_rest(Sema *s, const TypeExpr *t, int *at)
{
    *at = -1;
    for (int i = 0; i < t->dims.n; i++) {
        if (t->dims.p[i].size)
            continue;
        if (*at >= 0) {
            sema_error(s, t->dims.p[i].loc, E0334, "`...` stands twice");
            return false;
        }
        *at = i;
    }
    return true;
}

bool eval_type(Sema *s, const TypeExpr *t, Type *out)
{
    Type r = {.dtype = t->dtype};
    int rest;
    bool ok = !refuse_dtype(s, t->dtype, t->loc);
    if (!find_rest(s, t, &rest))
        return false;
    const Frame *f = s->at.frame;
    for (int i = 0; i < t->dims.n; i++) {
        const DimExpr *d = &t->dims.p[i];
        int more = d->size ? 1 : f ? f->nlead : 0;
        if (!d->size && (!f || !f->lead_bound)) {
            sema_error(s, d->loc, E0330, "`...` stands for nothing here");
            sema_hint(s, d->loc, "it names the leading axes of a function's parameter");
            return false;
        }
        if (r.rank + more > MAX_RANK) {
            sema_error(s, t->loc, E0309, "at most %d axes", MAX_RANK);
            return false;
        }
        if (d->size)
            ok &= eval_dim(s, d, &r.dim[r.rank]);
        else if (more)
            memcpy(r.dim + r.rank, f->lead, sizeof(Dim) * (size_t)more);
        r.rank += more;
    }
    *out = r;
    return ok;
}

// Runs f's evaluations without a word: for messages about something else.
static Diag *hush(Sema *s)
{
    Diag *was = s->diag;
    s->diag = s->b.diag = diag_new(s->arena);
    return was;
}

static void unhush(Sema *s, Diag *was)
{
    s->diag = s->b.diag = was;
}

const char *spell_declared(Sema *s, const TypeExpr *t)
{
    Text out;
    text_init(&out, s->arena);
    text_puts(&out, dtype_info[t->dtype].name);
    Diag *was = hush(s);
    for (int i = 0; i < t->dims.n; i++) {
        const DimExpr *d = &t->dims.p[i];
        text_puts(&out, i ? ", " : "[");
        if (!d->size) {
            text_puts(&out, "...");
            continue;
        }
        const char *words = diag_text(s->out, d->size->loc, s->arena);
        Val v = eval_expr(s, d->size);
        const char *size = v.kind == VAL_SIZE ? size_str(v.size, s->arena) : words;
        if (strcmp(words, size) != 0)
            text_printf(&out, "%s=%s", words, size);
        else
            text_puts(&out, size);
    }
    unhush(s, was);
    if (t->dims.n)
        text_puts(&out, "]");
    return out.p;
}

Val stand_in(Sema *s, const TypeExpr *t)
{
    Type type;
    Diag *was = hush(s);
    bool ok = eval_type(s, t, &type);
    unhush(s, was);
    if (!ok)
        return val_poison();
    Value *v = build_const(&s->b, type.dtype, 0);
    return val_tensor(do_expand(s, v, type.rank, type.dim));
}

// ---- fitting ------------------------------------------------------------------------

static bool is_unbound(Sema *s, const NameList *vars, const Expr *e)
{
    if (!vars || e->kind != EX_NAME)
        return false;
    for (int i = 0; i < vars->n; i++)
        if (strcmp(vars->p[i].s, e->text) == 0)
            return !env_find(s->at.env, e->text);
    return false;
}

static bool fit_dim(Sema *s, const DimExpr *d, const NameList *vars, Dim have)
{
    if (is_unbound(s, vars, d->size)) {
        Val v = val_size(have.size);
        v.spell = have.name;
        env_bind(s, d->size->text, v, d->loc);
        return true;
    }
    Dim want = {0};
    return eval_dim(s, d, &want) && want.size == have.size;
}

static bool fit_lead(Sema *s, const Type *t, int from, int n)
{
    Frame *f = s->at.frame;
    if (!f->lead_bound) {
        f->lead_bound = true;
        f->nlead = n;
        memcpy(f->lead, t->dim + from, sizeof(Dim) * (size_t)n);
        return true;
    }
    if (f->nlead != n)
        return false;
    for (int i = 0; i < n; i++)
        if (f->lead[i].size != t->dim[from + i].size)
            return false;
    return true;
}

static bool fits(Sema *s, const TypeExpr *t, const NameList *vars, const Type *have)
{
    int dots;
    if (!find_rest(s, t, &dots))
        return false;
    int lead = dots >= 0 ? have->rank - (t->dims.n - 1) : 0;
    if (have->dtype != t->dtype || lead < 0 || (dots < 0 && have->rank != t->dims.n) ||
        (dots >= 0 && !s->at.frame))
        return false;
    bool ok = true;
    for (int i = 0, k = 0; i < t->dims.n; i++) {
        if (i == dots) {
            ok &= fit_lead(s, have, k, lead);
            k += lead;
        } else {
            ok &= fit_dim(s, &t->dims.p[i], vars, have->dim[k++]);
        }
    }
    return ok;
}

Value *fit_declared(Sema *s, const TypeExpr *t, const NameList *vars, Val v, Loc loc,
                    DiagCode code, const char *what)
{
    if (v.kind == VAL_POISON || refuse_dtype(s, t->dtype, t->loc))
        return NULL;
    bool literal = is_numeric(v) || v.kind == VAL_TURN;
    Value *x = literal ? number_as(s, v, t->dtype, loc) : want_tensor(s, v, loc, what);
    if (!x)
        return NULL;
    int before = diag_errors(s->diag);
    if (fits(s, t, vars, &x->type))
        return x;
    if (diag_errors(s->diag) > before)
        return NULL;
    sema_error(s, loc, code, "%s is %s, declared %s", what,
               type_str(&x->type, s->arena), spell_declared(s, t));
    sema_hint(s, t->loc, "declared here");
    if (x->type.dtype != t->dtype && x->type.rank == t->dims.n)
        sema_hint(s, loc, "write cast(..., %s)", dtype_info[t->dtype].name);
    return NULL;
}
