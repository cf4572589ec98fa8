// scan.c - what tokens are worth: numbers, strings, and what is none of them.

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool scan_dtype(const char *s, DType *d)
{
    return dtype_find(s, d);
}

// ---- numbers ------------------------------------------------------------------------

int64_t scan_int(Parser *p, Loc loc, const char *s, int n)
{
    int64_t v = 0;
    for (int i = 0; i < n; i++) {
        int digit = s[i] - '0';
        if (v > (INT64_MAX - digit) / 10) {
            diag_error(p->diag, loc, E0106, "%.*s%s does not fit into 63 bits",
                       n > 40 ? 40 : n, s, n > 40 ? "..." : "");
            return INT64_MAX;
        }
        v = v * 10 + digit;
    }
    return v;
}

// digits [. digits] [e [+-] digits] [%], and nothing after it
static bool float_ok(const char *s, int n)
{
    int i = 0, from = 0;
    while (i < n && is_digit(s[i]))
        i++;
    if (i == from)
        return false;
    if (i < n && s[i] == '.') {
        from = ++i;
        while (i < n && is_digit(s[i]))
            i++;
        if (i == from)
            return false;
    }
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        i += i < n && (s[i] == '+' || s[i] == '-');
        from = i;
        while (i < n && is_digit(s[i]))
            i++;
        if (i == from)
            return false;
    }
    return i == n || (i == n - 1 && s[i] == '%');
}

double scan_float(Parser *p, Loc loc, const char *s, int n)
{
    int shown = n > 40 ? 40 : n;
    if (!float_ok(s, n)) {
        diag_error(p->diag, loc, E0105, "%.*s is not a number", shown, s);
        if (s[0] == '.')
            diag_hint(p->diag, loc, "write 0%.*s", shown, s);
        else if (s[n - 1] == '.')
            diag_hint(p->diag, loc, "write %.*s0", shown, s);
        return 1;  // not 0: nobody is to complain of a division
    }
    double v = strtod(s, NULL);
    if (isinf(v)) {
        diag_error(p->diag, loc, E0106, "%.*s is too large for a number", shown, s);
        return 1;
    }
    return s[n - 1] == '%' ? v / 100 : v;
}

// ---- strings ------------------------------------------------------------------------

static void put_utf8(Text *t, unsigned long c)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; c >>= 6)
        b[i] = (char)(0x80 | (c & 0x3F));
    b[0] = (char)(lead[n] | c);
    text_put(t, b, n);
}

// Length of the UTF-8 sequence at s, 0 if it is none.
static int utf8_length(const unsigned char *s, int n)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (s[0] < 0x80)
        return 1;
    int len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || len > n)
        return 0;
    unsigned long c = s[0] & (0xFFU >> (len + 1));
    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3F);
    }
    bool surrogate = c >= 0xD800 && c < 0xE000;
    return c < least[len] || c > 0x10FFFF || surrogate ? 0 : len;
}

// The escape at s (after the backslash): puts it, returns its length, 0 if it is none.
static int put_escape(Text *t, const char *s, int n)
{
    static const char from[] = "\"\\ntr", to[] = "\"\\\n\t\r";
    const char *at = n > 0 && s[0] != '\0' ? strchr(from, s[0]) : NULL;
    if (at) {
        text_put(t, to + (at - from), 1);
        return 1;
    }
    if (n < 4 || s[0] != 'u' || s[1] != '{')
        return 0;
    char *end;
    const char *close = memchr(s, '}', (size_t)n);
    if (!close || close - s > 8 || strspn(s + 2, "0123456789abcdefABCDEF") == 0)
        return 0;
    unsigned long c = strtoul(s + 2, &end, 16);
    if (end != close || c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0;
    put_utf8(t, c);
    return (int)(close - s) + 1;
}

const char *scan_string(Parser *p, Loc loc, const char *s, int n)
{
    Text t;
    text_init(&t, p->arena);
    if (n < 2 || s[n - 1] != '"' || (s[n - 2] == '\\' && s[n - 1] != '"')) {
        diag_error(p->diag, (Loc){loc.start, loc.start + 1}, E0107,
                   "the string is not closed on its line");
        return "";
    }
    for (int i = 1, len; i < n - 1; i += len) {
        Loc at = {loc.start + (uint32_t)i, loc.start + (uint32_t)i + 1};
        if (s[i] == '\\') {
            len = 1 + put_escape(&t, s + i + 1, n - 2 - i);
            if (len == 1) {
                diag_error(p->diag, (Loc){at.start, at.start + 2}, E0108,
                           "no such escape");
                diag_hint(p->diag, at, "a backslash itself is written \\\\");
            }
            continue;
        }
        len = utf8_length((const unsigned char *)s + i, n - 1 - i);
        if (len == 0 || s[i] == '\0') {
            diag_error(p->diag, at, E0108, "byte 0x%02x cannot stand in a string",
                       (unsigned)(unsigned char)s[i]);
            len = 1;
            continue;
        }
        text_put(&t, s + i, (size_t)len);
    }
    return t.p ? t.p : "";
}

// ---- the rest -----------------------------------------------------------------------

// All may stand in a comment but a NUL, which would end the text of it elsewhere.
void scan_line(Parser *p, Loc loc, const char *s, int n)
{
    const char *nul = memchr(s, '\0', (size_t)n);
    if (nul)
        scan_stray(p, (Loc){loc.start + (uint32_t)(nul - s), loc.end}, nul, 1);
}

void scan_comment(Parser *p, Loc loc, const char *s, int n)
{
    if (n < 4 || s[n - 1] != '/' || s[n - 2] != '*')
        diag_error(p->diag, (Loc){loc.start, loc.start + 2}, E0109,
                   "the comment is not closed");
    else
        diag_error(p->diag, (Loc){loc.start, loc.start + 2}, E0109, "not a comment");
    diag_hint(p->diag, (Loc){loc.start, loc.start + 2},
              "comments start with // and end with the line");
}

void scan_stray(Parser *p, Loc loc, const char *s, int n)
{
    unsigned char c = (unsigned char)s[0];
    int len = utf8_length((const unsigned char *)s, n);
    if (c >= 0x80 && len > 0) {
        diag_error(p->diag, loc, E0110, "'%.*s' cannot stand here", n > 40 ? len : n,
                   s);
        diag_hint(p->diag, loc, "names are made of letters a-z, A-Z, digits and _");
    } else if (c < 0x20 || c >= 0x7F) {
        diag_error(p->diag, loc, E0110, "byte 0x%02x cannot stand here", (unsigned)c);
    } else {
        diag_error(p->diag, loc, E0110, "'%c' cannot stand here", c);
        if (c == '#')
            diag_hint(p->diag, loc, "comments start with //");
        else if (c == '!')
            diag_hint(p->diag, loc, "there is no '!'; a != b compares");
        else if (c == '%')
            diag_hint(p->diag, loc,
                      "there is no remainder; 25%% is a number in recipes");
    }
}
