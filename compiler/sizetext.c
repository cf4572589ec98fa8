// sizetext.c - sizes as text: "P + T", "2*T*T - 1", "ceil_div(T, 2)", and back.

#include "size.h"

#include <string.h>

static const char *const atom_name[] = {NULL, "floor_div", "ceil_div", "min", "max"};

// ---- printing -----------------------------------------------------------------------

static void put_atom(const Atom *f, Text *out)
{
    if (f->kind == ATOM_DIM || f->kind == ATOM_TURN) {
        text_puts(out, f->kind == ATOM_DIM ? f->dim->name : f->turn->name);
        return;
    }
    text_printf(out, "%s(", atom_name[f->kind]);
    size_print(f->a, out);
    text_puts(out, ", ");
    size_print(f->b, out);
    text_puts(out, ")");
}

void size_print(const Size *a, Text *out)
{
    int n = size_nterms(a);
    if (n == 0)
        text_puts(out, "0");
    for (int i = 0; i < n; i++) {
        const Term *t = size_term(a, i);
        bool negative = t->coef < 0;
        uint64_t c = negative ? 0 - (uint64_t)t->coef : (uint64_t)t->coef;
        text_puts(out, i == 0 ? (negative ? "-" : "") : (negative ? " - " : " + "));
        bool says_coef = c != 1 || t->nfactors == 0;
        if (says_coef)
            text_printf(out, "%llu", (unsigned long long)c);
        for (int k = 0; k < t->nfactors; k++) {
            if (k > 0 || says_coef)
                text_puts(out, "*");
            put_atom(t->factor[k], out);
        }
    }
}

const char *size_str(const Size *a, Arena *arena)
{
    Text t;
    text_init(&t, arena);
    size_print(a, &t);
    return t.p;
}

// ---- reading ------------------------------------------------------------------------

enum { MAX_NESTING = 100 };

// sum = ["-"] product {("+" | "-") product};  product = primary {("*" | "/") primary};
// primary = INTEGER | DIM | TABLE | NAME "(" sum "," sum ")" | "(" sum ")"
typedef struct Reader {
    Sizes *sizes;
    const char *p;
    DimVar *const *dims;
    int ndims;
    TurnVar *const *tables;
    int ntables, depth;
} Reader;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

static void skip_blanks(Reader *r)
{
    while (*r->p == ' ' || *r->p == '\t' || *r->p == '\n')
        r->p++;
}

// Takes c, after blanks, if it is next.
static bool take(Reader *r, char c)
{
    skip_blanks(r);
    if (*r->p != c)
        return false;
    r->p++;
    return true;
}

static const Size *read_sum(Reader *r);

static const Size *read_call(Reader *r, const char *name, size_t n)
{
    const Size *(*const make[])(Sizes *, const Size *, const Size *) = {
        NULL, size_floor_div, size_ceil_div, size_min, size_max};
    for (int k = ATOM_FLOOR_DIV; k <= ATOM_MAX; k++) {
        if (strlen(atom_name[k]) != n || memcmp(atom_name[k], name, n) != 0)
            continue;
        const Size *a = read_sum(r);
        const Size *b = a != NULL && take(r, ',') ? read_sum(r) : NULL;
        return b != NULL && take(r, ')') ? make[k](r->sizes, a, b) : NULL;
    }
    return NULL;
}

static const Size *read_integer(Reader *r, bool negative)
{
    int64_t v = 0;
    while (is_digit(*r->p)) {
        int digit = *r->p++ - '0';
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, negative ? -digit : digit, &v))
            return NULL;
    }
    return size_int(r->sizes, v);
}

static bool is_called(const char *s, const char *name, size_t n)
{
    return n > 0 && strlen(s) == n && memcmp(s, name, n) == 0;
}

static const Size *read_primary(Reader *r, bool negative)
{
    if (take(r, '(')) {
        const Size *a = read_sum(r);
        return a != NULL && take(r, ')') ? a : NULL;
    }
    if (is_digit(*r->p))
        return read_integer(r, negative);
    const char *name = r->p;
    while (is_name(*r->p))
        r->p++;
    size_t n = (size_t)(r->p - name);
    if (n > 0 && take(r, '('))
        return read_call(r, name, n);
    for (int i = 0; i < r->ndims; i++)
        if (is_called(r->dims[i]->name, name, n))
            return size_dim(r->sizes, r->dims[i]);
    for (int i = 0; i < r->ntables; i++)
        if (is_called(r->tables[i]->name, name, n))
            return size_turn(r->sizes, r->tables[i]);
    return NULL;
}

static const Size *read_product(Reader *r, bool negative)
{
    skip_blanks(r);
    bool first_is_int = is_digit(*r->p);  // of -9223372036854775808 only the whole fits
    const Size *a = read_primary(r, negative);
    if (negative && !first_is_int)
        a = size_sub(r->sizes, size_int(r->sizes, 0), a);
    while (a != NULL) {
        if (take(r, '*'))
            a = size_mul(r->sizes, a, read_primary(r, false));
        else if (take(r, '/'))
            a = size_floor_div(r->sizes, a, read_primary(r, false));
        else
            break;
    }
    return a;
}

static const Size *read_sum(Reader *r)
{
    if (r->depth == MAX_NESTING)
        return NULL;
    r->depth++;
    const Size *a = read_product(r, take(r, '-'));
    while (a != NULL) {
        if (take(r, '+'))
            a = size_add(r->sizes, a, read_product(r, false));
        else if (take(r, '-'))
            a = size_add(r->sizes, a, read_product(r, true));
        else
            break;
    }
    r->depth--;
    return a;
}

const Size *size_parse(Sizes *s, const char *text, DimVar *const *dims, int ndims,
                       TurnVar *const *tables, int ntables)
{
    Reader r = {s, text, dims, ndims, tables, ntables, 0};
    const Size *a = read_sum(&r);
    skip_blanks(&r);
    return *r.p == '\0' ? a : NULL;
}
