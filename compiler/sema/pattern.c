// pattern.c - reading einops patterns.

#include <ctype.h>
#include <string.h>

#include "pattern.h"

typedef struct Reader {
    Sema *s;
    const Expr *e;
    const char *text, *p;
    bool plain;  // places in the text are places in the source
} Reader;

static Loc here(const Reader *r, const char *p, size_t n)
{
    if (!r->plain)
        return r->e->loc;
    uint32_t start = r->e->loc.start + 1 + (uint32_t)(p - r->text);
    return (Loc){start, start + (uint32_t)n};
}

static bool bad(Reader *r, const char *p, size_t n, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

static bool bad(Reader *r, const char *p, size_t n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sema_error(r->s, here(r, p, n ? n : 1), E0340, "%s",
               arena_vprintf(r->s->arena, fmt, ap));
    va_end(ap);
    return false;
}

static void skip(Reader *r)
{
    r->p += strspn(r->p, " \t\n");
}

static bool add_axis(Reader *r, Side *side, Axis a, size_t n)
{
    if (side->n == MAX_TERMS)
        return bad(r, r->p, n, "too many axes");
    if (a.name && side_find(side, a.name) >= 0)
        return bad(r, r->p, n, "axis `%s` stands twice", a.dots ? "..." : a.name);
    a.loc = here(r, r->p, n);
    side->axis[side->n++] = a;
    r->p += n;
    return true;
}

// One axis: a name, 1 or `...`.
static bool read_axis(Reader *r, Side *side, int group, bool inside)
{
    size_t n = 0;
    while (isalnum((unsigned char)r->p[n]) || r->p[n] == '_')
        n++;
    if (strncmp(r->p, "...", 3) == 0) {
        if (inside)
            return bad(r, r->p, 3, "`...` within a group");
        return add_axis(r, side, (Axis){.name = "...", .dots = true, .group = group},
                        3);
    }
    if (n == 0)
        return bad(r, r->p, 1, "`%c` in a pattern", *r->p);
    if (n == 1 && *r->p == '1')
        return add_axis(r, side, (Axis){.group = group}, 1);
    if (isdigit((unsigned char)*r->p))
        return bad(r, r->p, n, "only 1 stands for a size: give others a name");
    const char *name = arena_strndup(r->s->arena, r->p, n);
    return add_axis(r, side, (Axis){.name = name, .group = group}, n);
}

static bool read_group(Reader *r, Side *side)
{
    const char *open = r->p++;
    for (skip(r); *r->p && *r->p != ')' && *r->p != '-'; skip(r)) {
        if (*r->p == '(')
            return bad(r, r->p, 1, "a group within a group");
        if (!read_axis(r, side, side->groups, true))
            return false;
    }
    if (*r->p != ')')
        return bad(r, open, 1, "( without )");
    r->p++;
    side->groups++;  // an empty one is an axis of 1
    return true;
}

static bool read_side(Reader *r, Side *side)
{
    skip(r);
    const char *start = r->p;
    for (; *r->p && *r->p != ',' && strncmp(r->p, "->", 2) != 0; skip(r)) {
        if (*r->p == '(') {
            if (!read_group(r, side))
                return false;
            continue;
        }
        if (*r->p == ')')
            return bad(r, r->p, 1, ") without (");
        if (!read_axis(r, side, side->groups, false))
            return false;
        side->groups++;
    }
    size_t n = (size_t)(r->p - start);
    while (n && strchr(" \t\n", start[n - 1]))
        n--;
    side->loc = here(r, start, n);
    return true;
}

int side_find(const Side *side, const char *name)
{
    for (int i = 0; i < side->n; i++)
        if (side->axis[i].name && strcmp(side->axis[i].name, name) == 0)
            return i;
    return -1;
}

bool pattern_read(Sema *s, const Expr *e, Pattern *p)
{
    const char *text;
    if (!want_string(s, eval_expr(s, e), e->loc, "the pattern", &text))
        return false;
    Reader r = {s, e, text, text,
                e->kind == EX_STRING && e->loc.end - e->loc.start == strlen(text) + 2};
    *p = (Pattern){.loc = e->loc};
    for (;; r.p++) {
        if (p->nleft == COUNT(p->left))
            return bad(&r, r.p, 1, "too many operands");
        if (!read_side(&r, &p->left[p->nleft++]))
            return false;
        if (*r.p != ',')
            break;
    }
    if (strncmp(r.p, "->", 2) != 0)
        return bad(&r, text, strlen(text), "a pattern has two sides: \"a b -> b a\"");
    r.p += 2;
    if (!read_side(&r, &p->right))
        return false;
    return *r.p == '\0' || bad(&r, r.p, 1, "nothing follows the right side");
}
