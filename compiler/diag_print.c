// diag_print.c - messages as text with carets, in colour, and as JSON.

#include "diag_in.h"

#include <string.h>

// ---- printing as text ---------------------------------------------------------------

static const char *const severity_name[] = {"error", "warning", "hint"};
static const char *const severity_color[] = {"\033[1;31m", "\033[1;35m", "\033[1;36m"};

typedef struct Printer {
    const Diag *diag;
    Text *out;
    bool color;
} Printer;

static void put_color(Printer *p, const char *code)
{
    if (p->color)
        text_puts(p->out, code);
}

static void put_point(Text *out, uint32_t c)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (n == 1) {
        b[0] = (char)c;
    } else {
        for (size_t i = n - 1; i > 0; i--, c >>= 6)
            b[i] = (char)(0x80 | (c & 0x3f));
        b[0] = (char)((0xf00u >> n & 0xffu) | c);
    }
    text_put(out, b, n);
}

// Names from files may hold anything; a terminal is shown no control characters.
static void put_clean(Text *out, const char *s)
{
    uint32_t n = (uint32_t)strlen(s);
    for (uint32_t i = 0; i < n;) {
        uint32_t c = diag_next_point(s, n, &i);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            text_printf(out, "\\x%02x", c);
        else
            put_point(out, c);
    }
}

// How many cells of a terminal a code point takes.
static uint32_t cells(uint32_t c)
{
    static const struct {
        uint32_t from, to;
        uint32_t cells;
    } ranges[] = {
        {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200d, 0},
        {0x20d0, 0x20ff, 0},   {0x2e80, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},
        {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},
        {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2},
        {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (int i = 0; i < COUNT(ranges); i++) {
        if (c >= ranges[i].from && c <= ranges[i].to)
            return ranges[i].cells;
    }
    return 1;
}

enum { TAB = 4, LONG_LINE = 240, LONG_BEFORE = 80 };

// Moves at back to the first byte of a code point.
static uint32_t point_start(const char *text, uint32_t at)
{
    for (int i = 0; i < 3 && at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80; i++)
        at--;
    return at;
}

// What of a line is shown, as bytes of the source: all, or of a long one what surrounds at.
static void shown_part(const Source *s, uint32_t at, uint32_t *from, uint32_t *to)
{
    int k = diag_line_of(s, at);
    *from = s->lines.p[k];
    *to = k + 1 < s->lines.n ? s->lines.p[k + 1] - 1 : s->n;
    if (*to > *from && s->text[*to - 1] == '\r')
        --*to;
    if (*to - *from <= LONG_LINE)
        return;
    if (at > *from + LONG_BEFORE)
        *from = point_start(s->text, at - LONG_BEFORE);
    if (*to > *from + LONG_LINE)
        *to = point_start(s->text, *from + LONG_LINE);
}

// The line of a place, and under it where in the line it is.
static void put_excerpt(Printer *p, Loc loc, const char *color)
{
    const Source *s = diag_source_at(p->diag, loc.start);
    if (s->text == NULL)
        return;
    uint32_t begin = loc.start - s->start, end = loc.end - s->start, from, to;
    if (loc.end < loc.start)
        end = begin;
    shown_part(s, begin, &from, &to);
    text_printf(p->out, "%5d |%s", diag_line_of(s, begin) + 1, to > from ? " " : "");
    uint32_t column = 0, mark_from = 0, mark_to = 0;
    for (uint32_t i = from; i < to;) {
        uint32_t first = i, c = diag_next_point(s->text, to, &i), wide = cells(c);
        if (c == '\t') {
            wide = TAB - column % TAB;
            text_printf(p->out, "%*s", (int)wide, "");
        } else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
            text_puts(p->out, "?");
        } else {
            put_point(p->out, c);
        }
        column += wide;
        if (i <= begin)
            mark_from = column;
        if (first < end)
            mark_to = column;
    }
    text_printf(p->out, "\n      | %*s", (int)mark_from, "");
    put_color(p, color);
    text_puts(p->out, "^");
    for (uint32_t i = mark_from + 1; i < mark_to; i++)
        text_puts(p->out, "~");
    put_color(p, "\033[0m");
    text_puts(p->out, "\n");
}

static void put_message(Printer *p, const Message *m, Loc fallback)
{
    Place place = diag_place(p->diag, m->loc);
    const Source *s = place.file != NULL ? diag_source_at(p->diag, m->loc.start) : NULL;
    bool has_own = s != NULL;
    if (!has_own && m->severity == SEV_HINT) {
        place = diag_place(p->diag, fallback);
        s = place.file != NULL ? diag_source_at(p->diag, fallback.start) : NULL;
    }
    const char *color = severity_color[m->severity];
    put_color(p, "\033[1m");
    if (s == NULL) {
        text_puts(p->out, "tfxc: ");
    } else {
        put_clean(p->out, s->name);
        if (s->text != NULL)
            text_printf(p->out, ":%d:%d", place.line, place.column);
        text_puts(p->out, ": ");
    }
    put_color(p, "\033[0m");
    put_color(p, color);
    text_puts(p->out, severity_name[m->severity]);
    if (m->severity != SEV_HINT)
        text_printf(p->out, "[%s]", diag_code_name(m->code));
    text_puts(p->out, ": ");
    put_color(p, "\033[0m");
    put_clean(p->out, m->text);
    text_puts(p->out, "\n");
    if (has_own && m->severity != SEV_HINT)
        put_excerpt(p, m->loc, color);
}

// ---- printing as JSON, one object a line --------------------------------------------

static void put_json_string(Text *out, const char *s)
{
    uint32_t n = (uint32_t)strlen(s);
    text_puts(out, "\"");
    for (uint32_t i = 0; i < n;) {
        uint32_t c = diag_next_point(s, n, &i);
        if (c == '"' || c == '\\')
            text_printf(out, "\\%c", (char)c);
        else if (c < 0x20 || c == 0x7f)
            text_printf(out, "\\u%04x", c);
        else
            put_point(out, c);
    }
    text_puts(out, "\"");
}

static void put_json_place(const Diag *d, Loc loc, Text *out)
{
    Place p = diag_place(d, loc);
    int end_line = 0, end_column = 0;
    text_puts(out, "\"file\":");
    if (p.file == NULL) {
        text_puts(out, "null");
    } else {
        put_json_string(out, p.file);
        uint32_t end = loc.end > loc.start ? loc.end : loc.start;
        diag_find_column(diag_source_at(d, loc.start), end, &end_line, &end_column);
    }
    text_printf(out, ",\"line\":%d,\"column\":%d,\"end_line\":%d,\"end_column\":%d",
                p.line, p.column, end_line, end_column);
}

static void put_json(const Diag *d, int first, int n, Text *out)
{
    const Message *m = diag_message(d, first);
    text_puts(out, "{");
    put_json_place(d, m->loc, out);
    text_printf(out, ",\"severity\":\"%s\",\"code\":\"%s\",\"message\":",
                severity_name[m->severity], diag_code_name(m->code));
    put_json_string(out, m->text);
    text_puts(out, ",\"hints\":[");
    for (int i = 1; i < n; i++) {
        const Message *hint = diag_message(d, first + i);
        text_puts(out, i > 1 ? ",{" : "{");
        put_json_place(d, hint->loc, out);
        text_puts(out, ",\"message\":");
        put_json_string(out, hint->text);
        text_puts(out, "}");
    }
    text_puts(out, "]}\n");
}

// ---- order --------------------------------------------------------------------------

// A message and the hints behind it.
typedef struct Group {
    int first, n;
    uint32_t start;  // UINT32_MAX: nowhere, which sorts last
} Group;

// Merge sort of g[0..n), stable; tmp has the same room.
static void sort_groups(Group *g, Group *tmp, int n)
{
    if (n < 2)
        return;
    int half = n / 2, i = 0, j = half;
    sort_groups(g, tmp, half);
    sort_groups(g + half, tmp, n - half);
    for (int k = 0; k < n; k++) {
        bool left = j == n || (i < half && g[i].start <= g[j].start);
        tmp[k] = left ? g[i++] : g[j++];
    }
    memcpy(g, tmp, (size_t)n * sizeof *g);
}

void diag_print(const Diag *d, DiagFormat format, Text *out)
{
    Arena *scratch = out->arena;
    VEC(Group) groups = {0};
    for (int i = 0; i < d->messages.n; i++) {
        const Message *m = diag_message(d, i);
        if (m->severity == SEV_HINT && groups.n > 0) {
            groups.p[groups.n - 1].n++;
            continue;
        }
        bool nowhere = diag_place(d, m->loc).file == NULL;
        Group g = {i, 1, nowhere ? UINT32_MAX : m->loc.start};
        vec_push(scratch, &groups, g);
    }
    if (groups.n > 0)
        sort_groups(groups.p, NEWN(scratch, Group, groups.n), groups.n);
    Printer p = {d, out, format == DIAG_COLOR};
    for (int i = 0; i < groups.n; i++) {
        const Group *g = &groups.p[i];
        if (format == DIAG_JSON) {
            put_json(d, g->first, g->n, out);
            continue;
        }
        for (int k = 0; k < g->n; k++)
            put_message(&p, diag_message(d, g->first + k),
                        diag_message(d, g->first)->loc);
    }
}
