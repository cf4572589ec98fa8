// irlex.c - characters, numbers, sizes and types of textual graph IR.
//
// Nothing in the text is trusted: numbers are range-checked, sizes bounded in length.

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "irread.h"

// ---- characters and tokens -------------------------------------------------------------

Loc rd_loc(const Reader *r, size_t start)
{
    size_t end = r->at > start ? r->at : start + 1;
    return (Loc){r->base + (uint32_t)start, r->base + (uint32_t)end};
}

bool rd_fail(Reader *r, size_t start, const char *what)
{
    diag_error(r->d, rd_loc(r, start), E0901, "%s", what);
    return false;
}

char rd_peek(const Reader *r)
{
    return r->at < r->n ? r->text[r->at] : '\0';
}

void rd_space(Reader *r)
{
    while (r->at < r->n) {
        char c = r->text[r->at];
        if (c == '/' && r->at + 1 < r->n && r->text[r->at + 1] == '/') {
            while (r->at < r->n && r->text[r->at] != '\n')
                r->at++;
        } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            r->at++;
        } else {
            return;
        }
    }
}

bool rd_is_letter(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool rd_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool rd_take(Reader *r, const char *s)
{
    rd_space(r);
    size_t n = strlen(s);
    if (r->n - r->at < n || memcmp(r->text + r->at, s, n) != 0)
        return false;
    if (rd_is_letter(*s) && r->at + n < r->n &&
        (rd_is_letter(r->text[r->at + n]) || rd_is_digit(r->text[r->at + n])))
        return false;
    r->at += n;
    return true;
}

bool rd_expect(Reader *r, const char *s)
{
    if (rd_take(r, s))
        return true;
    diag_error(r->d, rd_loc(r, r->at), E0901, "expected `%s`", s);
    return false;
}

bool rd_word(Reader *r, const char **out)
{
    rd_space(r);
    size_t start = r->at;
    if (!rd_is_letter(rd_peek(r)))
        return rd_fail(r, start, "expected a name");
    while (rd_is_letter(rd_peek(r)) || rd_is_digit(rd_peek(r)))
        r->at++;
    *out = arena_strndup(r->a, r->text + start, r->at - start);
    return true;
}

static int hex_digit(char c)
{
    if (rd_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

// What follows a backslash.
static bool read_escape(Reader *r, Text *t)
{
    char c = rd_peek(r);
    r->at++;
    if (c == 'n') {
        text_puts(t, "\n");
    } else if (c == '"' || c == '\\') {
        text_put(t, &c, 1);
    } else if (c == 'x' && r->n - r->at >= 2) {
        int high = hex_digit(r->text[r->at]), low = hex_digit(r->text[r->at + 1]);
        if (high < 0 || low < 0 || high + low == 0)
            return false;
        char byte = (char)(high * 16 + low);
        text_put(t, &byte, 1);
        r->at += 2;
    } else {
        return false;
    }
    return true;
}

bool rd_string(Reader *r, const char **out)
{
    rd_space(r);
    size_t start = r->at;
    if (rd_peek(r) != '"')
        return rd_fail(r, start, "expected a string");
    r->at++;
    Text t;
    text_init(&t, r->a);
    while (r->at < r->n && rd_peek(r) != '"') {
        char c = rd_peek(r);
        if (c == '\n' || c == '\0')
            return rd_fail(r, start, "string without an end");
        r->at++;
        if (c != '\\')
            text_put(&t, &c, 1);
        else if (!read_escape(r, &t))
            return rd_fail(r, r->at > 1 ? r->at - 2 : 0, "unknown escape");
    }
    if (r->at >= r->n)
        return rd_fail(r, start, "string without an end");
    r->at++;
    *out = t.p;
    return true;
}

bool rd_name(Reader *r, const char **out)
{
    rd_space(r);
    return rd_peek(r) == '"' ? rd_string(r, out) : rd_word(r, out);
}

bool rd_int(Reader *r, int64_t *out)
{
    rd_space(r);
    size_t start = r->at, i = r->at;
    char s[32];
    if (rd_peek(r) == '-')
        r->at++;
    while (rd_is_digit(rd_peek(r)))
        r->at++;
    size_t n = r->at - start;
    bool has_digit = n > 0 && rd_is_digit(r->text[r->at - 1]);
    if (!has_digit || n >= sizeof s)
        return rd_fail(r, i, "expected an integer");
    memcpy(s, r->text + start, n);
    s[n] = '\0';
    errno = 0;
    *out = strtoll(s, NULL, 10);
    return errno == 0 || rd_fail(r, start, "integer out of range");
}

bool rd_small_int(Reader *r, int64_t hi, int *out)
{
    rd_space(r);
    size_t start = r->at;
    int64_t v;
    if (!rd_int(r, &v))
        return false;
    if (v < 0 || v > hi)
        return rd_fail(r, start, "number out of range");
    *out = (int)v;
    return true;
}

bool rd_number(Reader *r, double *out)
{
    if (rd_take(r, "nan"))
        return *out = (double)NAN, true;
    if (rd_take(r, "-inf"))
        return *out = -(double)INFINITY, true;
    if (rd_take(r, "inf"))
        return *out = (double)INFINITY, true;
    size_t start = r->at;
    char s[64], *end;
    size_t n = 0;
    for (; n < sizeof s - 1 && r->at + n < r->n; n++) {
        char c = r->text[r->at + n];
        if (!rd_is_digit(c) && c != '-' && c != '+' && c != '.' && c != 'e')
            break;
        s[n] = c;
    }
    s[n] = '\0';
    *out = strtod(s, &end);
    if (end == s)
        return rd_fail(r, start, "expected a number");
    r->at += (size_t)(end - s);
    return true;
}

// ---- sizes and types -------------------------------------------------------------------

// Where the text of a size ends: before , ] ) } .. -> a newline, or " (".
static size_t size_end(const Reader *r)
{
    int depth = 0;
    size_t i = r->at;
    for (; i < r->n; i++) {
        char c = r->text[i], next = i + 1 < r->n ? r->text[i + 1] : '\0';
        if (c == '(' && depth == 0 && i > r->at && r->text[i - 1] == ' ')
            break;
        if (c == '(')
            depth++;
        if (c == ')' && depth-- == 0)
            break;
        if (depth == 0 && (c == ',' || c == ']' || c == '}' ||
                           (c == '.' && next == '.') || (c == '-' && next == '>')))
            break;
        if (c == '\n' || c == '\0')
            break;
    }
    return i;
}

bool rd_size(Reader *r, const Size **out)
{
    rd_space(r);
    size_t start = r->at, end = size_end(r);
    while (end > start && r->text[end - 1] == ' ')
        end--;
    if (end - start > IR_MAX_SIZE_TEXT) {
        diag_error(r->d, rd_loc(r, start), E0905, "size of over %d characters",
                   IR_MAX_SIZE_TEXT);
        return false;
    }
    r->at = end;
    const char *s = arena_strndup(r->a, r->text + start, end - start);
    *out = *s ? size_parse(r->m->sizes, s, r->m->dims.p, r->m->dims.n, r->m->tables.p,
                           r->m->tables.n)
              : NULL;
    if (!*out)
        return rd_fail(r, start, "expected a size over the module's dims");
    return true;
}

// The name in front of a size, `ffn=`, or nothing.
static bool read_dim_name(Reader *r, const char **name)
{
    rd_space(r);
    size_t start = r->at;
    if (rd_peek(r) != '"' && !rd_is_letter(rd_peek(r)))
        return true;
    if (!rd_name(r, name))
        return false;
    if (rd_take(r, "="))
        return true;
    *name = NULL;
    r->at = start;
    return true;
}

bool rd_type(Reader *r, Type *t)
{
    rd_space(r);
    size_t start = r->at;
    const char *word;
    *t = (Type){.rank = 0};
    if (!rd_word(r, &word))
        return false;
    if (!dtype_find(word, &t->dtype))
        return rd_fail(r, start, "expected an element type");
    if (rd_peek(r) != '[')
        return true;
    r->at++;
    do {
        if (t->rank == MAX_RANK)
            return rd_fail(r, start, "too many axes");
        Dim *dim = &t->dim[t->rank++];
        if (!read_dim_name(r, &dim->name) || !rd_size(r, &dim->size))
            return false;
        if (size_max_value(dim->size) < 0)
            return rd_fail(r, start, "negative size");
    } while (rd_take(r, ","));
    return rd_expect(r, "]");
}
