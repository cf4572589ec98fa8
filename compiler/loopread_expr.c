// loopread_expr.c - reads the expressions of textual loop IR.

#include <math.h>
#include <string.h>

#include "loopread.h"

static bool read_primary(LoopReader *l, LExpr **out);

static LExpr *expr_new(LoopReader *l, LExprKind kind, DType d, int n)
{
    LExpr *e = NEW(l->p->arena, LExpr);
    e->kind = kind;
    e->dtype = d;
    e->n = n;
    return e;
}

// Anything but a double, which no arithmetic takes.
static bool read_operand(LoopReader *l, LExpr **out)
{
    rd_space(&l->r);
    size_t start = l->r.at;
    if (l->depth >= LOOP_MAX_EXPR_DEPTH) {
        diag_error(l->r.d, rd_loc(&l->r, start), E0905, "nested deeper than %d",
                   LOOP_MAX_EXPR_DEPTH);
        return false;
    }
    l->depth++;
    if (!read_primary(l, out))
        return false;
    l->depth--;
    return (*out)->dtype != DT_COUNT ||
           rd_fail(&l->r, start, "a double is an argument of a kernel only");
}

// ---- numbers ---------------------------------------------------------------------------

// What follows a number: `:i32`, `:f64`, or nothing.
static bool read_suffix(LoopReader *l, LExpr *e)
{
    Reader *r = &l->r;
    if (rd_peek(r) != ':')
        return true;
    size_t start = r->at++;
    const char *word;
    if (!rd_word(r, &word))
        return false;
    if (e->kind == LX_NUM && strcmp(word, "f64") == 0)
        e->dtype = DT_COUNT;
    else if (e->kind != LX_INT || !dtype_find(word, &e->dtype) ||
             dtype_info[e->dtype].kind != DK_INT)
        return rd_fail(r, start, "a number is no such type");
    return true;
}

static bool is_whole(const Reader *r)
{
    size_t i = r->at + (rd_peek(r) == '-');
    while (i < r->n && rd_is_digit(r->text[i]))
        i++;
    if (i >= r->n || r->text[i] == 'e')
        return i >= r->n;
    return r->text[i] != '.' || i + 1 >= r->n || !rd_is_digit(r->text[i + 1]);
}

static bool read_number(LoopReader *l, LExpr **out)
{
    Reader *r = &l->r;
    size_t start = r->at;
    bool negative = rd_peek(r) == '-';
    if (is_whole(r) && rd_peek(r) != '#' && !(negative && r->text[r->at + 1] == '#')) {
        *out = expr_new(l, LX_INT, DT_i64, 0);
        return rd_int(r, &(*out)->i) && read_suffix(l, *out);
    }
    LExpr *e = *out = expr_new(l, LX_NUM, DT_f32, 0);
    if (rd_take(r, negative ? "-#inf" : "#inf"))
        e->num = negative ? -(double)INFINITY : (double)INFINITY;
    else if (rd_take(r, "#nan"))
        e->num = (double)NAN;
    else if (rd_peek(r) == '#' || (negative && r->text[r->at + 1] == '#'))
        return rd_fail(r, start, "expected a number");
    else if (!rd_number(r, &e->num))
        return false;
    return read_suffix(l, e);
}

// {T + P}, {hidden=96}; the bracket is read.
static bool read_braces(LoopReader *l, LExpr **out)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const char *name = NULL;
    const Size *s;
    if (rd_peek(r) == '"' || rd_is_letter(rd_peek(r))) {
        if (!rd_name(r, &name))
            return false;
        if (!rd_take(r, "=")) {
            name = NULL;
            r->at = start;
        }
    }
    if (!rd_size(r, &s))
        return false;
    *out = lx_size(l->p, s);
    if (name && (*out)->kind != LX_INT)
        return rd_fail(r, start, "only an integer has a name");
    (*out)->name = name;
    return rd_expect(r, "}") && ((*out)->kind != LX_INT || read_suffix(l, *out));
}

// ---- names -----------------------------------------------------------------------------

static bool unknown(LoopReader *l, size_t start, const char *what, const char *name)
{
    diag_error(l->r.d, rd_loc(&l->r, start), E0902, "no %s `%s`", what, name);
    return false;
}

bool rd_buf(LoopReader *l, Buf **out)
{
    rd_space(&l->r);
    size_t start = l->r.at;
    const char *name;
    if (!rd_word(&l->r, &name))
        return false;
    *out = l->f ? map_get(l->bufs, name) : NULL;
    return *out || unknown(l, start, "buffer", name);
}

static bool read_var(LoopReader *l, size_t start, const char *name, LExpr **out)
{
    for (int i = l->vars.n - 1; i >= 0; i--)
        if (strcmp(l->vars.p[i].name, name) == 0) {
            *out = lx_var(l->p, name, l->vars.p[i].dtype);
            return true;
        }
    if (strncmp(name, "TFX_", 4) == 0) {  // a constant of the runtime
        *out = lx_var(l->p, name, DT_i32);
        return true;
    }
    return unknown(l, start, "variable", name);
}

static bool read_load(LoopReader *l, size_t start, const char *name, LExpr **out)
{
    Buf *b = l->f ? map_get(l->bufs, name) : NULL;
    LExpr *index;
    if (!b)
        return unknown(l, start, "buffer", name);
    if (!read_operand(l, &index) || !rd_expect(&l->r, "]"))
        return false;
    *out = lx_load(l->p, b, index);
    return true;
}

// f32(x) is a cast, anything else a function; the bracket is read.
static bool read_call(LoopReader *l, size_t start, const char *name, LExpr **out)
{
    DType d;
    bool cast = dtype_find(name, &d);
    LExpr *e = *out = expr_new(l, cast ? LX_CAST : LX_CALL, DT_f32, 0);
    e->name = cast ? NULL : name;
    do {
        if (e->n == COUNT(e->arg))
            return rd_fail(&l->r, start, "too many operands");
        if (!read_operand(l, &e->arg[e->n]))
            return false;
        e->n++;
    } while (rd_take(&l->r, ","));
    e->dtype = cast ? d : e->arg[0]->dtype;
    if (cast && e->n != 1)
        return rd_fail(&l->r, start, "a cast has one operand");
    return rd_expect(&l->r, ")");
}

// ---- expressions -----------------------------------------------------------------------

// (a), (a + b); the bracket is read.
static bool read_brackets(LoopReader *l, LExpr **out)
{
    static const char *const ops[] = {"+", "-", "*", "/", "%"};
    LExpr *a, *b;
    if (!read_operand(l, &a))
        return false;
    *out = a;
    for (int i = 0; i < COUNT(ops); i++) {
        if (!rd_take(&l->r, ops[i]))
            continue;
        if (!read_operand(l, &b))
            return false;
        bool is_float = dtype_info[a->dtype].kind == DK_FLOAT;
        LExpr *e = expr_new(l, LX_BIN, is_float ? a->dtype : b->dtype, 2);
        e->op = *ops[i];
        e->arg[0] = a;
        e->arg[1] = b;
        *out = e;
        break;
    }
    return rd_expect(&l->r, ")");
}

static bool read_primary(LoopReader *l, LExpr **out)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    char c = rd_peek(r), next = r->at + 1 < r->n ? r->text[r->at + 1] : '\0';
    if (rd_is_digit(c) || c == '#' || (c == '-' && (rd_is_digit(next) || next == '#')))
        return read_number(l, out);
    if (rd_take(r, "("))
        return read_brackets(l, out);
    if (rd_take(r, "{"))
        return read_braces(l, out);
    if (rd_take(r, "-")) {
        LExpr *a;
        if (!read_operand(l, &a))
            return false;
        *out = lx_neg(l->p, a);
        return true;
    }
    const char *name;
    if (!rd_word(r, &name))
        return false;
    if (rd_take(r, "["))
        return read_load(l, start, name, out);
    if (rd_take(r, "("))
        return read_call(l, start, name, out);
    return read_var(l, start, name, out);
}

bool rd_expr(LoopReader *l, bool argument, LExpr **out)
{
    l->depth = 0;
    return argument ? read_primary(l, out) : read_operand(l, out);
}
