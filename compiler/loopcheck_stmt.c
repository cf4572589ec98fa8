// loopcheck_stmt.c - the verifier of loop IR: statements, kernels and calls.

#include <string.h>

#include "loopcheck.h"

// ---- variables and stores --------------------------------------------------------------

static void define(Check *c, const char *name, DType d, bool fixed)
{
    for (int i = 0; i < c->f->bufs.n; i++)
        if (!strcmp(c->f->bufs.p[i]->name, name))
            breach(c, "two things are called %s", name);
    for (int i = 0; i < c->p->module->dims.n; i++)
        if (!strcmp(c->p->module->dims.p[i]->name, name))
            breach(c, "two things are called %s", name);
    if (var_find(c, name))
        breach(c, "two things are called %s", name);
    Var v = {name, d, fixed};
    vec_push(c->scratch, &c->vars, v);
}

static bool is_written_to(const Buf *b)
{
    return b->kind != BUF_IN && b->kind != BUF_WEIGHT;
}

static void check_value(Check *c, const LStmt *s, const char *name, DType d)
{
    check_expr(c, s->value);
    if (s->value->dtype != d)
        breach(c, "%s is %s, what it gets is %s", name, dtype_info[d].name,
               s->value->dtype < DT_COUNT ? dtype_info[s->value->dtype].name : "f64");
}

static void check_set(Check *c, const LStmt *s)
{
    const Var *v = var_find(c, s->name);
    if (!v)
        breach(c, "no variable `%s`", s->name);
    else if (v->fixed)
        breach(c, "%s never changes", s->name);
    else
        check_value(c, s, s->name, v->dtype);
}

static void check_store(Check *c, const LStmt *s)
{
    check_index(c, s->index, "an index");
    if (!is_buf_of(c, s->buf)) {
        breach(c, "a store to a buffer of another function");
        return;
    }
    if (!is_written_to(s->buf))
        breach(c, "%s is not to be written", s->buf->name);
    check_value(c, s, s->buf->name, s->buf->dtype);
}

// ---- kernels ---------------------------------------------------------------------------

static void check_address(Check *c, const LStmt *s, const LArg *a)
{
    check_index(c, a->index, "an index");
    if (!is_buf_of(c, a->buf))
        breach(c, "%s takes a buffer of another function", s->name);
    else if (a->writes && !is_written_to(a->buf))
        breach(c, "%s writes %s, which is not to be written", s->name, a->buf->name);
    if (!a->reads && !a->writes)
        breach(c, "%s neither reads nor writes an operand", s->name);
}

static const Template *template_of(const Prog *p, const char *name)
{
    for (int i = 0; i < p->templates.n; i++)
        if (!strcmp(p->templates.p[i]->name, name))
            return p->templates.p[i];
    return NULL;
}

// An argument that is a number already.
static bool is_number(const LArg *a, int64_t *v)
{
    const LExpr *e = a->kind == ARG_EXPR ? a->expr : NULL;
    if (!e || (e->kind != LX_INT && e->kind != LX_SIZE))
        return false;
    *v = e->i;
    return e->kind == LX_INT || size_is_int(e->size, v);
}

// The heads from argument `first` on take no more columns than there are, and all of them
// where there is no y.
static void check_columns(Check *c, const LStmt *s, int first, int heads)
{
    enum { Y = 1, N = 7, HEAD = 5 };
    int64_t left, n, d;
    if (!is_number(&s->args.p[N], &left))
        return;
    for (int i = 0; i < heads; i++) {
        const LArg *a = &s->args.p[first + i * HEAD];
        if (!is_number(a + 3, &n) || !is_number(a + 4, &d))
            return;
        if (n < 0 || d < 1 || n > left / d) {
            breach(c, "%s has not so many columns as its heads take", s->name);
            return;
        }
        left -= n * d;
    }
    if (left > 0 && s->args.p[Y].kind == ARG_NULL)
        breach(c, "%s has %lld columns left and no y", s->name, (long long)left);
}

// par, y, its row stride, x, its row stride, w, rows, n, k; room for rounded or turned rows
// of x if the format wants it, @null when x is rounded already; then each extra operand with
// its row stride; for each range of heads where they go, two strides, how many and their
// size; room for the rounded rows of y if the template makes them. y may be @null if heads
// can be all of it.
static void check_template_call(Check *c, const LStmt *s, const Template *t)
{
    enum { Y = 1, X = 3, W = 5, WORK = 9, HEAD = 5 };
    FormatWork work = format_info[t->weight].work;
    Rounds by = format_info[t->weight].rounds_x;
    int first_extra = WORK + (work != WORK_none);
    int first_head = first_extra + 2 * t->nextra;
    int rounded = first_head + HEAD * t->heads, n = rounded + t->rounds;
    if (s->args.n != n) {
        breach(c, "%s takes %d arguments, not %d", s->name, n, s->args.n);
        return;
    }
    for (int i = 0; i < s->args.n; i++) {
        bool extra = i >= first_extra && i < first_head && (i - first_extra) % 2 == 0;
        bool head = i >= first_head && i < rounded && (i - first_head) % HEAD == 0;
        bool scratch = work != WORK_none && i == WORK;
        bool address = i == Y || i == X || i == W || scratch || extra || head ||
                       (t->rounds && i == rounded);
        ArgKind kind = i == 0 ? ARG_PAR : address ? ARG_ADDR : ARG_EXPR;
        bool may_be_null = (scratch && (work == WORK_turned || by == ROUNDS_row)) ||
                           (t->heads && i == Y);
        if (s->args.p[i].kind != kind &&
            !(may_be_null && s->args.p[i].kind == ARG_NULL))
            breach(c, "argument %d of %s is of the wrong kind", i + 1, s->name);
        if (s->args.p[i].last != (t->rounds && i == rounded))
            breach(c, "argument %d of %s is written at the wrong time", i + 1, s->name);
    }
    check_columns(c, s, first_head, t->heads);
    const Buf *w = s->args.p[W].buf;
    if (w && (w->kind != BUF_WEIGHT || !w->field || !w->field->packed ||
              w->field->packed->format != t->weight))
        breach(c, "%s takes %s panels, %s is none", s->name,
               format_info[t->weight].name, w->name);
}

static void check_kernel(Check *c, const LStmt *s)
{
    const Template *t = template_of(c->p, s->name);
    if (t)
        check_template_call(c, s, t);
    else if (strncmp(s->name, "tfx_", 4) != 0)
        breach(c, "no kernel or template `%s`", s->name);
    if (s->arg_struct && (s->args.n == 0 || s->args.p[0].kind != ARG_PAR))
        breach(c, "%s takes @par before its struct", s->name);
    for (int i = 0; i < s->args.n; i++) {
        const LArg *a = &s->args.p[i];
        if (a->kind == ARG_ADDR)
            check_address(c, s, a);
        if (a->kind == ARG_EXPR)
            check_expr(c, a->expr);
        if (!s->arg_struct || i == 0)
            continue;
        if (!a->name)
            breach(c, "argument %d of %s has no name in %s", i + 1, s->name,
                   s->arg_struct);
        for (int k = 1; a->name && k < i; k++)
            if (s->args.p[k].name && !strcmp(s->args.p[k].name, a->name))
                breach(c, "%s is given %s twice", s->name, a->name);
    }
}

// ---- calls -----------------------------------------------------------------------------

static bool stands_before(const Prog *p, const Func *a, const Func *b)
{
    for (int i = 0; i < p->funcs.n && p->funcs.p[i] != b; i++)
        if (p->funcs.p[i] == a)
            return true;
    return false;
}

static void check_record(Check *c, const LStmt *s)
{
    const Record *want = s->callee->record, *own = c->f->record;
    if (!s->record) {
        if (own != want)
            breach(c, "%s is of another record", s->callee->name);
        return;
    }
    bool mine = false;
    for (int i = 0; i < own->fields.n; i++)
        mine = mine || own->fields.p[i] == s->record;
    if (!mine || s->record->kind != FIELD_RECORD || s->record->record != want)
        breach(c, "%s is not of the record %s", s->callee->name, s->record->name);
    if (s->record->index)
        check_index(c, s->turn, "a turn");
}

static void check_actual(Check *c, const LStmt *s, int i)
{
    const Buf *actual = s->actuals.p[i], *param = s->callee->params.p[i];
    const char *name = s->callee->name;
    if (!is_buf_of(c, actual)) {
        breach(c, "%s is given a buffer of another function", name);
        return;
    }
    if (actual->dtype != param->dtype)
        breach(c, "%s takes %s %s, not %s %s", name, dtype_info[param->dtype].name,
               param->name, dtype_info[actual->dtype].name, actual->name);
    else if (actual->count && param->count &&
             size_max_value(actual->count) < size_max_value(param->count))
        breach(c, "%s is given %s, which is smaller than its %s", name, actual->name,
               param->name);
    if (param->written && !is_written_to(actual))
        breach(c, "%s writes %s, which is not to be written", name, actual->name);
}

static void check_call(Check *c, const LStmt *s)
{
    const Func *callee = s->callee;
    if (callee->entry)
        breach(c, "%s is an entry", callee->name);
    if (!stands_before(c->p, callee, c->f))
        breach(c, "%s does not stand before its caller", callee->name);
    check_record(c, s);
    for (int i = 0; i < callee->turns.n; i++) {
        const Var *v = var_find(c, callee->turns.p[i]);
        if (!v || v->dtype != DT_i64)
            breach(c, "%s needs the turn %s", callee->name, callee->turns.p[i]);
    }
    if (s->frame_at < 0)
        breach(c, "%s has no place for its frame", callee->name);
    if (s->actuals.n != callee->params.n) {
        breach(c, "%s takes %d buffers, not %d", callee->name, callee->params.n,
               s->actuals.n);
        return;
    }
    for (int i = 0; i < s->actuals.n; i++)
        check_actual(c, s, i);
}

// ---- statements ------------------------------------------------------------------------

static void check_for(Check *c, const LStmt *s)
{
    int outside = c->vars.n;
    check_index(c, s->lo, "a bound");
    check_index(c, s->hi, "a bound");
    define(c, s->name, DT_i64, true);
    check_body(c, &s->body);
    c->vars.n = outside;
}

static void check_tap(Check *c, const LStmt *s)
{
    check_index(c, s->index, "an index");
    if (!c->p->taps || !s->tap)
        breach(c, "a tap in a program without taps");
    if (!is_buf_of(c, s->buf))
        breach(c, "a tap of a buffer of another function");
}

void check_body(Check *c, const LStmts *body)
{
    for (int i = 0; i < body->n; i++) {
        const LStmt *s = body->p[i];
        switch (s->kind) {
        case LS_FOR:
            check_for(c, s);
            break;
        case LS_LET:
        case LS_VAR:
            check_value(c, s, s->name, s->dtype);
            define(c, s->name, s->dtype, s->kind == LS_LET);
            break;
        case LS_SET:
            check_set(c, s);
            break;
        case LS_STORE:
            check_store(c, s);
            break;
        case LS_KERNEL:
            check_kernel(c, s);
            break;
        case LS_CALL:
            check_call(c, s);
            break;
        case LS_TAP:
            check_tap(c, s);
            break;
        case LS_NOTE:
            break;
        }
    }
}
