// loop.c - building loop IR: expressions, statements, names.

#include "compiler/loop.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// ---- expressions -------------------------------------------------------------------------

static LExpr *lx_new(Prog *p, LExprKind kind, DType d)
{
    LExpr *e = NEW(p->arena, LExpr);
    e->kind = kind;
    e->dtype = d;
    return e;
}

LExpr *lx_int(Prog *p, int64_t i)
{
    LExpr *e = lx_new(p, LX_INT, DT_i64);
    e->i = i;
    return e;
}

LExpr *lx_num(Prog *p, double v)
{
    LExpr *e = lx_new(p, LX_NUM, DT_f32);
    e->num = v;
    return e;
}

LExpr *lx_size(Prog *p, const Size *s)
{
    int64_t v = 0;
    if (size_is_int(s, &v))
        return lx_int(p, v);
    LExpr *e = lx_new(p, LX_SIZE, DT_i64);
    e->size = s;
    return e;
}

LExpr *lx_var(Prog *p, const char *name, DType d)
{
    LExpr *e = lx_new(p, LX_VAR, d);
    e->name = name;
    return e;
}

LExpr *lx_load(Prog *p, Buf *b, LExpr *index)
{
    LExpr *e = lx_new(p, LX_LOAD, b->dtype);
    e->buf = b;
    e->n = 1;
    e->arg[0] = index;
    return e;
}

LExpr *lx_neg(Prog *p, LExpr *a)
{
    LExpr *e = lx_new(p, LX_NEG, a->dtype);
    e->n = 1;
    e->arg[0] = a;
    return e;
}

static bool is_int(const LExpr *e, int64_t v)
{
    return e->kind == LX_INT && e->i == v;
}

// Sizes and integers as one polynomial, or NULL.
static const Size *as_size(Prog *p, const LExpr *e)
{
    if (e->kind == LX_SIZE)
        return e->size;
    return e->kind == LX_INT ? size_int(p->module->sizes, e->i) : NULL;
}

// Index arithmetic folds, so that what is printed is what a person would write.
static LExpr *fold_index(Prog *p, char op, LExpr *a, LExpr *b)
{
    Sizes *s = p->module->sizes;
    if (op == '+' && is_int(a, 0))
        return b;
    if ((op == '+' || op == '-') && is_int(b, 0))
        return a;
    if (op == '*' && (is_int(a, 0) || is_int(b, 0)))
        return lx_int(p, 0);
    if (op == '*' && is_int(a, 1))
        return b;
    if ((op == '*' || op == '/') && is_int(b, 1))
        return a;
    const Size *x = as_size(p, a), *y = as_size(p, b);
    if (!x || !y)
        return NULL;
    const Size *z = op == '+'   ? size_add(s, x, y)
                    : op == '-' ? size_sub(s, x, y)
                    : op == '*' ? size_mul(s, x, y)
                                : NULL;
    return z ? lx_size(p, z) : NULL;
}

LExpr *lx_bin(Prog *p, char op, LExpr *a, LExpr *b)
{
    if (a->dtype == DT_i64 && b->dtype == DT_i64) {
        LExpr *folded = fold_index(p, op, a, b);
        if (folded)
            return folded;
    }
    DType d = dtype_info[a->dtype].kind == DK_FLOAT ? a->dtype : b->dtype;
    LExpr *e = lx_new(p, LX_BIN, d);
    e->op = op;
    e->n = 2;
    e->arg[0] = a;
    e->arg[1] = b;
    return e;
}

LExpr *lx_call(Prog *p, const char *name, DType d, int n, LExpr *const *arg)
{
    LExpr *e = lx_new(p, LX_CALL, d);
    e->name = name;
    e->n = n;
    for (int i = 0; i < n; i++)
        e->arg[i] = arg[i];
    return e;
}

LExpr *lx_cast(Prog *p, DType d, LExpr *a)
{
    if (a->dtype == d)
        return a;
    LExpr *e = lx_new(p, LX_CAST, d);
    e->n = 1;
    e->arg[0] = a;
    return e;
}

// ---- MAP rows: the text of ops.def as an expression ------------------------------------------

typedef struct MapText {
    Prog *p;
    const char *s;
    DType dtype;
    LExpr *a, *b;
} MapText;

static LExpr *map_sum(MapText *t);

static void skip_blanks(MapText *t)
{
    while (*t->s == ' ')
        t->s++;
}

static bool accept(MapText *t, char c)
{
    skip_blanks(t);
    if (*t->s != c)
        return false;
    t->s++;
    return true;
}

static LExpr *map_number(MapText *t)
{
    char *end;
    double v = strtod(t->s, &end);
    t->s = end;
    if (dtype_info[t->dtype].kind == DK_FLOAT)
        return lx_num(t->p, v);
    LExpr *e = lx_int(t->p, (int64_t)v);
    e->dtype = t->dtype;
    return e;
}

static LExpr *map_call(MapText *t)
{
    const char *start = t->s;
    while (isupper((unsigned char)*t->s))
        t->s++;
    const char *name = arena_strndup(t->p->arena, start, (size_t)(t->s - start));
    LExpr *arg[2] = {NULL, NULL};
    int n = 0;
    if (!accept(t, '('))
        bug("ops.def: '(' expected after %s", name);
    do
        arg[n++] = map_sum(t);
    while (n < 2 && accept(t, ','));
    if (!accept(t, ')'))
        bug("ops.def: ')' expected after the operands of %s", name);
    if (t->p->kernels && dtype_info[t->dtype].kind == DK_FLOAT)
        map_set(t->p->kernels, "math", t->p);
    return lx_call(t->p, name, t->dtype, n, arg);
}

static LExpr *map_primary(MapText *t)
{
    skip_blanks(t);
    if (accept(t, '-'))
        return lx_neg(t->p, map_primary(t));
    if (accept(t, '(')) {
        LExpr *e = map_sum(t);
        if (!accept(t, ')'))
            bug("ops.def: ')' expected");
        return e;
    }
    if (isupper((unsigned char)*t->s))
        return map_call(t);
    if (isdigit((unsigned char)*t->s))
        return map_number(t);
    char c = *t->s++;
    if (c == 'a')
        return t->a;
    if (c == 'b' && t->b)
        return t->b;
    bug("ops.def: '%c' in a MAP expression", c);
}

static LExpr *map_product(MapText *t)
{
    LExpr *e = map_primary(t);
    for (;;) {
        if (accept(t, '*'))
            e = lx_bin(t->p, '*', e, map_primary(t));
        else if (accept(t, '/'))
            e = lx_bin(t->p, '/', e, map_primary(t));
        else
            return e;
    }
}

static LExpr *map_sum(MapText *t)
{
    LExpr *e = map_product(t);
    for (;;) {
        if (accept(t, '+'))
            e = lx_bin(t->p, '+', e, map_product(t));
        else if (accept(t, '-'))
            e = lx_bin(t->p, '-', e, map_product(t));
        else
            return e;
    }
}

LExpr *lx_map(Prog *p, Op op, LExpr *a, LExpr *b)
{
    MapText t = {p, op_info[op].expr, a->dtype, a, b};
    LExpr *e = map_sum(&t);
    skip_blanks(&t);
    if (*t.s)
        bug("ops.def: '%s' left over in the row of %s", t.s, op_info[op].name);
    return e;
}

static int times_named(const char *expr, char operand)
{
    int n = 0;
    for (const char *s = expr; *s; s++)
        n += *s == operand && !isalpha((unsigned char)s[1]) &&
             (s == expr || !isalpha((unsigned char)s[-1]));
    return n;
}

LExpr *lx_map_call(Prog *p, Op op, LExpr *a, LExpr *b)
{
    const char *expr = op_info[op].expr;
    bool simple = a->kind == LX_VAR || a->kind == LX_LOAD;
    bool square = op == OP_square && simple;
    bool whole = dtype_info[a->dtype].kind != DK_FLOAT;  // the functions are of floats
    if (square || whole || (times_named(expr, 'a') <= 1 && strlen(expr) < 16))
        return lx_map(p, op, a, b);
    map_set(p->maps, op_info[op].name, (void *)&op_info[op]);
    return lx_call(p, op_info[op].name, a->dtype, b ? 2 : 1, (LExpr *[]){a, b});
}

// ---- statements ------------------------------------------------------------------------------

LStmt *ls_new(Prog *p, LStmts *into, LStmtKind kind, Loc loc)
{
    LStmt *s = NEW(p->arena, LStmt);
    s->kind = kind;
    s->loc = loc;
    vec_push(p->arena, into, s);
    return s;
}

void lexpr_walk(LExpr *e, void (*f)(LExpr *e, void *ctx), void *ctx)
{
    if (!e)
        return;
    f(e, ctx);
    for (int i = 0; i < e->n; i++)
        lexpr_walk(e->arg[i], f, ctx);
}

void lstmts_walk(const LStmts *s, void (*f)(LStmt *s, void *ctx), void *ctx)
{
    for (int i = 0; i < s->n; i++) {
        f(s->p[i], ctx);
        lstmts_walk(&s->p[i]->body, f, ctx);
    }
}

// ---- names -------------------------------------------------------------------------------------

static const char *const reserved[] = {
    "auto",      "break",     "case",     "char",      "const",     "continue",
    "default",   "do",        "double",   "else",      "enum",      "extern",
    "float",     "for",       "goto",     "if",        "inline",    "int",
    "long",      "register",  "restrict", "return",    "short",     "signed",
    "sizeof",    "static",    "struct",   "switch",    "typedef",   "union",
    "unsigned",  "void",      "while",    "alignas",   "alignof",   "bool",
    "class",     "delete",    "new",      "this",      "template",  "typename",
    "private",   "public",    "virtual",  "operator",  "true",      "false",
    "constexpr", "nullptr",   "asm",      "typeof",    "main",      "and",
    "or",        "not",       "xor",      "catch",     "try",       "throw",
    "export",    "friend",    "mutable",  "explicit",  "namespace", "protected",
    "using",     "memcpy",    "memcmp",   "status",    "linux",     "unix",
    "y0",        "y1",        "yn",       "j0",        "j1",        "jn",
    "gamma",     "index",     "signal",   "exp",       "log",       "sin",
    "cos",       "tanh",      "erf",      "sqrt",      "pow",       "floor",
    "ceil",      "abs",       "round",    "acos",      "asin",      "atan",
    "atan2",     "tan",       "cosh",     "sinh",      "acosh",     "asinh",
    "atanh",     "exp2",      "expm1",    "frexp",     "ldexp",     "log2",
    "log10",     "log1p",     "logb",     "modf",      "scalb",     "scalbn",
    "cbrt",      "hypot",     "fabs",     "erfc",      "lgamma",    "tgamma",
    "rint",      "nearbyint", "trunc",    "fmod",      "drem",      "remainder",
    "remquo",    "copysign",  "nan",      "nextafter", "fdim",      "fmax",
    "fmin",      "fma",       "finite",   "signgam",   "memset",    "memmove",
    "memchr",    "strlen",    "strcmp",   "strcpy",    "strcat",    "strchr",
    "strstr",    "strdup",    "exit",     "abort",     "printf",    "puts",
    "malloc",    "free",      "calloc",   "realloc",
};

const char *c_name(Arena *a, const char *wish)
{
    Text t;
    text_init(&t, a);
    if (!*wish || isdigit((unsigned char)*wish))
        text_puts(&t, "_");
    for (const char *s = wish; *s; s++) {
        char c = isalnum((unsigned char)*s) && (unsigned char)*s < 128 ? *s : '_';
        text_put(&t, &c, 1);
    }
    for (int i = 0; i < COUNT(reserved); i++)
        if (!strcmp(t.p, reserved[i])) {
            text_puts(&t, "_");
            break;
        }
    return t.p;
}

// linear_bias_gelu and what else the template of linear makes.
static bool is_template_name(const char *name)
{
    static const char *const words[] = {"bias",     "fused",   "row",    "task",
                                        "epilogue", "rounded", "panels", "tiles",
                                        "store",    "heads"};
    Op op;
    char word[16] = "";
    if (strncmp(name, "linear", 6) != 0 || (name[6] && name[6] != '_'))
        return false;
    for (int i = 0; name[6] && i < 15 && name[7 + i] && name[7 + i] != '_'; i++)
        word[i] = name[7 + i];
    bool is = !name[6] || op_find(word, &op);
    for (int i = 0; i < COUNT(words); i++)
        is = is || !strcmp(word, words[i]);
    return is;
}

// What a program has at file scope, and what its interface calls its own parameters.
static bool is_own_name(const Module *m, const char *name)
{
    static const char *const own[] = {
        "state",   "scratch", "work",   "bytes",      "sum",          "word",
        "weights", "at",      "table",  "acc",        "weights_head", "weight",
        "par",     "tap",     "status", "call",       "entry",        "The",
        "levels",  "level",   "cpu",    "level_base",
    };
    Op op;
    bool is = !name[1] || (op_find(name, &op) && op_info[op].class == OPC_MAP) ||
              is_template_name(name) || !strncmp(name, "tfx_", 4);
    for (int i = 0; i < COUNT(own); i++)
        is = is || !strcmp(name, own[i]);
    for (int i = 0; i < m->dims.n; i++)
        is = is || !strcmp(name, m->dims.p[i]->name);
    return is;
}

const char *c_prefix(Arena *a, const Module *m)
{
    const char *plain = m->name, *name = c_name(a, plain);
    bool other = strlen(name) != strlen(plain) && name[strlen(plain)] == '_';
    if (!other && !is_own_name(m, name))
        return name;
    return c_name(a, arena_printf(a, "%s_model", plain));
}

bool prefix_owns(const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    return strncmp(name, prefix, n) == 0 && (name[n] == '\0' || name[n] == '_');
}

const char *func_name(Func *f, const char *wish)
{
    Arena *a = f->prog->arena;
    const char *name = c_name(a, wish);
    for (int i = 2; map_get(f->taken, name); i++)
        name = arena_printf(a, "%s%d", c_name(a, wish), i);
    map_set(f->taken, name, f);
    return name;
}
