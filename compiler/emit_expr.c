// emit_expr.c - expressions as C, with parentheses only where C needs them.

#include "compiler/emit.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- numbers and sizes ---------------------------------------------------------------------

// The shortest decimal that reads back as the same float (or double).
void emit_number(double v, DType d, Text *out)
{
    bool single = d != DT_COUNT;
    char s[40];
    if (isinf(v) || isnan(v)) {
        text_puts(out, isnan(v) ? "NAN" : v < 0 ? "-INFINITY" : "INFINITY");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(s, sizeof(s), "%.*g", digits, v);
        if (single ? strtof(s, NULL) == (float)v : strtod(s, NULL) == v)
            break;
    }
    double size = fabs(v);
    if (strchr(s, 'e') && size >= 1e-4 && size < 1e7)  // 1e+04 is 10000.0
        snprintf(s, sizeof(s), "%.*f", size < 1 ? 10 : 1, v);
    text_puts(out, s);
    if (!strpbrk(s, ".e"))
        text_puts(out, ".0");
    if (single)
        text_puts(out, "f");
}

static void emit_atom(Emit *e, const Atom *a, Text *out)
{
    if (a->kind == ATOM_DIM) {
        text_puts(out, a->dim->name);
        return;
    }
    if (a->kind == ATOM_TURN) {
        text_printf(out, "w->%s", record_size(e->func->record, a->turn)->name);
        return;
    }
    static const char *const name[] = {"", "tfx_floor_div", "tfx_ceil_div",
                                       "tfx_min_size", "tfx_max_size"};
    text_printf(out, "%s(", name[a->kind]);
    emit_size(e, a->a, 0, out);
    text_puts(out, ", ");
    emit_size(e, a->b, 0, out);
    text_puts(out, ")");
}

static const char *called_by(const Record *r, const char *word, size_t n)
{
    for (int i = 0; i < r->fields.n; i++) {
        const Field *f = r->fields.p[i];
        if (f->kind == FIELD_SIZE && strlen(f->size->name) == n &&
            !strncmp(f->size->name, word, n))
            return f->name;
    }
    return NULL;
}

const char *emit_shape(Emit *e, const Record *r, const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    Text t;
    text_init(&t, e->p->arena);
    for (const char *s = text; *s;) {
        size_t n = strspn(s, letters);
        const char *name = n ? called_by(r, s, n) : NULL;
        if (name)
            text_puts(&t, name);
        else
            text_put(&t, s, n ? n : 1);
        s += n ? n : 1;
    }
    return t.p;
}

static void emit_term(Emit *e, const Term *t, int64_t coef, Text *out)
{
    if (coef != 1 || t->nfactors == 0)
        text_printf(out, "%lld%s", (long long)coef, t->nfactors ? " * " : "");
    for (int i = 0; i < t->nfactors; i++) {
        text_puts(out, i ? " * " : "");
        emit_atom(e, t->factor[i], out);
    }
}

void emit_size(Emit *e, const Size *s, int prec, Text *out)
{
    int n = size_nterms(s);
    if (n == 0) {
        text_puts(out, "0");
        return;
    }
    const Term *first = size_term(s, 0);
    bool product = n == 1 && first->nfactors + (first->coef != 1) > 1;
    bool parens = (n > 1 && prec > PREC_SUM) || (product && prec > PREC_PRODUCT) ||
                  (first->coef < 0 && prec > PREC_SUM);
    text_puts(out, parens ? "(" : "");
    for (int i = 0; i < n; i++) {
        const Term *t = size_term(s, i);
        int64_t c = t->coef;
        if (i) {
            text_puts(out, c < 0 ? " - " : " + ");
            c = c < 0 ? -c : c;
        }
        emit_term(e, t, c, out);
    }
    text_puts(out, parens ? ")" : "");
}

// ---- calls -----------------------------------------------------------------------------------

static bool is_float(DType d)
{
    return d < DT_COUNT && dtype_info[d].kind == DK_FLOAT;
}

static void emit_args(Emit *e, const LExpr *x, Text *out)
{
    text_puts(out, "(");
    for (int i = 0; i < x->n; i++) {
        text_puts(out, i ? ", " : "");
        emit_expr(e, x->arg[i], 0, out);
    }
    text_puts(out, ")");
}

static void put_in_case(const char *name, int (*letter)(int c), Text *out)
{
    for (; *name; name++) {
        char c = (char)letter((unsigned char)*name);
        text_put(out, &c, 1);
    }
}

// EXP in a loop is tfx_expf; in the epilogue of a template it is TFX_EXP, which the template
// makes scalar or vector; a MAP row by name is the function or macro of that name.
static void emit_call(Emit *e, const LExpr *x, Text *out)
{
    bool capital = isupper((unsigned char)x->name[0]);
    if (!e->func) {
        text_puts(out, capital ? "TFX_" : "");
        put_in_case(x->name, toupper, out);
    } else if (capital && !is_float(x->dtype)) {
        text_puts(out, !strcmp(x->name, "MAX")   ? "tfx_max_"
                       : !strcmp(x->name, "MIN") ? "tfx_min_"
                                                 : "tfx_abs_");
        text_puts(out, x->dtype == DT_i64 ? "i64" : "i32");
    } else if (capital) {
        text_puts(out, "tfx_");
        put_in_case(x->name, tolower, out);
        text_puts(out, "f");
    } else {
        text_puts(out, x->name);
    }
    emit_args(e, x, out);
}

// ---- expressions ---------------------------------------------------------------------------------

static void emit_binary(Emit *e, const LExpr *x, int prec, Text *out)
{
    int own = x->op == '+' || x->op == '-' ? PREC_SUM : PREC_PRODUCT;
    bool parens = prec > own;
    // a - (b + c) and a / (b * c) keep theirs; so does float a + (b + c), which is not
    // (a + b) + c.
    text_puts(out, parens ? "(" : "");
    emit_expr(e, x->arg[0], own, out);
    text_printf(out, " %c ", x->op);
    emit_expr(e, x->arg[1], own + 1, out);
    text_puts(out, parens ? ")" : "");
}

static void emit_cast(Emit *e, const LExpr *x, int prec, Text *out)
{
    DType from = x->arg[0]->dtype;
    bool index = x->dtype == DT_i64;
    const char *name = index ? "ptrdiff_t" : dtype_info[x->dtype].c_name;
    if (index && !is_float(from)) {  // widening needs no words
        emit_expr(e, x->arg[0], prec, out);
        return;
    }
    text_printf(out, "%s(%s)", prec > PREC_UNARY ? "(" : "", name);
    emit_expr(e, x->arg[0], PREC_UNARY, out);
    text_puts(out, prec > PREC_UNARY ? ")" : "");
}

void emit_expr(Emit *e, const LExpr *x, int prec, Text *out)
{
    switch (x->kind) {
    case LX_INT:
        if (x->i == INT64_MIN || x->i == INT64_MAX || x->i == INT32_MIN) {
            text_puts(out, x->i == INT32_MIN   ? "INT32_MIN"
                           : x->i == INT64_MIN ? "INT64_MIN"
                                               : "INT64_MAX");
            return;
        }
        text_printf(out, x->i < 0 && prec > PREC_SUM ? "(%lld)" : "%lld",
                    (long long)x->i);
        return;
    case LX_NUM:
        if (signbit(x->num) && prec > PREC_SUM)
            text_puts(out, "(");
        emit_number(x->num, x->dtype, out);
        if (signbit(x->num) && prec > PREC_SUM)
            text_puts(out, ")");
        return;
    case LX_SIZE:
        emit_size(e, x->size, prec, out);
        return;
    case LX_VAR:
        text_puts(out, x->name);
        return;
    case LX_LOAD:
        text_printf(out, "%s[", x->buf->name);
        emit_expr(e, x->arg[0], 0, out);
        text_puts(out, "]");
        return;
    case LX_NEG:
        text_puts(out, prec > PREC_UNARY ? "(-" : "-");
        emit_expr(e, x->arg[0], PREC_POSTFIX, out);
        text_puts(out, prec > PREC_UNARY ? ")" : "");
        return;
    case LX_BIN:
        emit_binary(e, x, prec, out);
        return;
    case LX_CALL:
        emit_call(e, x, out);
        return;
    case LX_CAST:
        emit_cast(e, x, prec, out);
        return;
    }
}
