// diag.c - sources, places in them, and what is said about them.

#include "diag_in.h"

#include <stdio.h>
#include <string.h>

// ---- codes --------------------------------------------------------------------------

static const struct {
    const char *name, *title, *text;
} codes[DIAG_COUNT] = {
#define DIAG(code, title, text) {#code, title, text},
#include "diags.def"
#undef DIAG
};

const char *diag_code_name(DiagCode c)
{
    return codes[c].name;
}

const char *diag_code_title(DiagCode c)
{
    return codes[c].title;
}

const char *diag_code_text(DiagCode c)
{
    return codes[c].text;
}

bool diag_code_find(const char *name, DiagCode *c)
{
    if (name[0] != 'E' && name[0] != 'e')
        return false;
    for (int i = 0; i < DIAG_COUNT; i++) {
        if (strcmp(codes[i].name + 1, name + 1) == 0) {
            *c = (DiagCode)i;
            return true;
        }
    }
    return false;
}

// ---- collecting ---------------------------------------------------------------------

Diag *diag_new(Arena *a)
{
    Diag *d = NEW(a, Diag);
    d->arena = a;
    d->said = map_new(a);
    d->next = 1;
    return d;
}

uint32_t diag_source(Diag *d, const char *name, const char *text, size_t n)
{
    uint32_t start = d->next;
    Source s = {arena_strdup(d->arena, name), text, start, 0, {0}};
    if (n >= UINT32_MAX - 1 - start) {
        s.text = NULL;
        diag_error(d, (Loc){0, 0}, E0001, "%s: the sources are over 4 GB", name);
    } else {
        s.n = (uint32_t)n;
    }
    vec_push(d->arena, &s.lines, 0);
    for (uint32_t i = 0; s.text != NULL && i < s.n; i++) {
        if (text[i] == '\n')
            vec_push(d->arena, &s.lines, i + 1);
    }
    vec_push(d->arena, &d->sources, s);
    d->next = start + s.n + 1;  // the end of a source is a place in it
    return start;
}

static void add_message(Diag *d, Severity severity, Loc loc, DiagCode code,
                        const char *fmt, va_list ap)
{
    Message m = {severity, code, loc, arena_vprintf(d->arena, fmt, ap)};
    if (severity == SEV_HINT && d->messages.n > 0) {
        if (d->drop_hints)
            return;
        m.code = d->messages.p[d->messages.n - 1].code;
    } else {
        const char *key = arena_printf(d->arena, "%d %d %u %u %s", (int)severity,
                                       (int)code, loc.start, loc.end, m.text);
        d->drop_hints = map_get(d->said, key) != NULL;
        if (d->drop_hints)
            return;
        map_set(d->said, key, d);
    }
    d->errors += severity == SEV_ERROR;
    vec_push(d->arena, &d->messages, m);
}

void diag_error(Diag *d, Loc loc, DiagCode code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_message(d, SEV_ERROR, loc, code, fmt, ap);
    va_end(ap);
}

void diag_warning(Diag *d, Loc loc, DiagCode code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_message(d, SEV_WARNING, loc, code, fmt, ap);
    va_end(ap);
}

void diag_hint(Diag *d, Loc loc, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_message(d, SEV_HINT, loc, (DiagCode)0, fmt, ap);
    va_end(ap);
}

void diag_on_progress(Diag *d, void (*say)(void *ctx, const char *text), void *ctx)
{
    d->say = say;
    d->say_ctx = ctx;
}

void diag_progress(Diag *d, const char *fmt, ...)
{
    char text[200];
    if (!d->say)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    d->say(d->say_ctx, text);
}

int diag_errors(const Diag *d)
{
    return d->errors;
}

int diag_count(const Diag *d)
{
    return d->messages.n;
}

const Message *diag_message(const Diag *d, int i)
{
    return &d->messages.p[i];
}

// ---- places -------------------------------------------------------------------------

const Source *diag_source_at(const Diag *d, uint32_t offset)
{
    if (offset == 0 || offset >= d->next)
        return NULL;
    int lo = 0, hi = d->sources.n;
    while (hi - lo > 1) {
        int mid = lo + (hi - lo) / 2;
        if (d->sources.p[mid].start <= offset)
            lo = mid;
        else
            hi = mid;
    }
    return &d->sources.p[lo];
}

int diag_line_of(const Source *s, uint32_t at)
{
    int lo = 0, hi = s->lines.n;
    while (hi - lo > 1) {
        int mid = lo + (hi - lo) / 2;
        if (s->lines.p[mid] <= at)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

uint32_t diag_next_point(const char *text, uint32_t n, uint32_t *at)
{
    const unsigned char *p = (const unsigned char *)text + *at;
    uint32_t left = n - *at, c = p[0];
    uint32_t more = c < 0xc2 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 0;
    if (c < 0x80) {
        *at += 1;
        return c;
    }
    if (more == 0 || more >= left) {
        *at += 1;
        return 0xfffd;
    }
    c &= 0x3fu >> more;
    for (uint32_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *at += 1;
            return 0xfffd;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    bool overlong = (more == 2 && c < 0x800) || (more == 3 && c < 0x10000);
    if (overlong || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        *at += 1;
        return 0xfffd;
    }
    *at += more + 1;
    return c;
}

void diag_find_column(const Source *s, uint32_t offset, int *line, int *column)
{
    uint32_t at = offset - s->start;
    if (at > s->n)
        at = s->n;
    int k = diag_line_of(s, at);
    *line = k + 1;
    *column = 1;
    for (uint32_t i = s->lines.p[k]; s->text != NULL && i < at;) {
        diag_next_point(s->text, s->n, &i);
        *column += i <= at;
    }
}

Place diag_place(const Diag *d, Loc loc)
{
    const Source *s = loc.end == 0 ? NULL : diag_source_at(d, loc.start);
    if (s == NULL)
        return (Place){NULL, 0, 0};
    Place p = {.file = s->name};
    diag_find_column(s, loc.start, &p.line, &p.column);
    return p;
}

const char *diag_text(const Diag *d, Loc loc, Arena *a)
{
    const Source *s = loc.end == 0 ? NULL : diag_source_at(d, loc.start);
    if (s == NULL || s->text == NULL || loc.end < loc.start)
        return "";
    uint32_t from = loc.start - s->start, to = loc.end - s->start;
    return arena_strndup(a, s->text + from, (to < s->n ? to : s->n) - from);
}
