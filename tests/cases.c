// cases.c - walks folders of case files; the form is described in cases.h.

#include "cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef VEC(const char *) Paths;

typedef struct Walk {
    Arena *arena;
    CaseRun *run;
    Text *report;
    bool update;
    int count, failed;
} Walk;

char *cases_read(Arena *a, const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    Text t;
    text_init(&t, a);
    char buffer[4096];
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, f)) > 0;)
        text_put(&t, buffer, got);
    fclose(f);
    *n = t.n;
    return t.p;
}

// ---- one case --------------------------------------------------------------------------

static size_t trimmed(const char *s)
{
    size_t n = strlen(s);
    while (n && (s[n - 1] == '\n' || s[n - 1] == ' '))
        n--;
    return n;
}

static bool same_text(const char *a, const char *b)
{
    size_t n = trimmed(a);
    return n == trimmed(b) && memcmp(a, b, n) == 0;
}

static int first_difference(const char *a, const char *b, const char **in_a,
                            const char **in_b)
{
    int line = 1;
    *in_a = a;
    *in_b = b;
    for (; *a && *a == *b; a++, b++)
        if (*a == '\n') {
            line++;
            *in_a = a + 1;
            *in_b = b + 1;
        }
    return line;
}

static void report(Walk *w, const Case *c, const char *got)
{
    const char *want_line, *got_line;
    int line = first_difference(c->expected, got, &want_line, &got_line);
    text_printf(
        w->report,
        "%s:%d: line %d of the result differs\n  expected: %.*s\n  got:      %.*s\n",
        c->path, c->line, line, (int)strcspn(want_line, "\n"), want_line,
        (int)strcspn(got_line, "\n"), got_line);
}

static int line_of(const char *text, const char *at)
{
    int line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

// ---- one file --------------------------------------------------------------------------

static const char *next_line(const char *s)
{
    s += strcspn(s, "\n");
    return *s ? s + 1 : s;
}

// The next line that begins with `mark`, or the end of the text.
static const char *find_line(const char *s, const char *mark)
{
    while (*s && strncmp(s, mark, strlen(mark)) != 0)
        s = next_line(s);
    return s;
}

// Runs the case at s and puts it into `out` with its result as it came; the end of it.
static const char *run_case(Walk *w, const char *path, const char *text, const char *s,
                            Text *out)
{
    Arena *a = arena_new();
    const char *start = s;
    while (*s == '#' && strncmp(s, "#!", 2) != 0)
        s = next_line(s);
    const char *mark = find_line(s, "#!"), *result = next_line(mark);
    const char *end = find_line(result, "#=");
    Case c = {.path = path, .line = line_of(text, s)};
    c.input = arena_strndup(a, s, (size_t)(mark - s));
    c.expected = arena_strndup(a, result, (size_t)(end - result));
    size_t words = *mark ? strcspn(mark, "\n") : 0;
    const char *word = words > 2 ? mark + 2 + strspn(mark + 2, " ") : "";
    c.words = arena_strndup(a, word, words > 2 ? (size_t)(mark + words - word) : 0);
    Text got;
    text_init(&got, a);
    w->run(a, &c, &got);
    w->count++;
    bool same = same_text(c.expected, got.p);
    if (!same && !w->update) {
        w->failed++;
        report(w, &c, got.p);
    }
    text_put(out, start, (size_t)(mark - start));
    text_printf(out, "#! %s\n%.*s\n", c.words, (int)trimmed(got.p), got.p);
    if (*end)
        text_puts(out, "\n");
    arena_free(a);
    return end;
}

static void run_file(Walk *w, const char *path)
{
    size_t n;
    const char *text = cases_read(w->arena, path, &n);
    if (!text) {
        w->failed++;
        text_printf(w->report, "%s: cannot be read\n", path);
        return;
    }
    Text out;
    text_init(&out, w->arena);
    for (const char *s = text; *s;)
        s = run_case(w, path, text, s, &out);
    if (!w->update || strcmp(out.p, text) == 0)
        return;
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(out.p, 1, out.n, f) != out.n)
        text_printf(w->report, "%s: cannot be written\n", path);
    if (f)
        fclose(f);
}

// ---- folders ---------------------------------------------------------------------------

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void walk_folder(Walk *w, const char *folder, const char *ext)
{
    DIR *d = opendir(folder);
    Paths names = {0};
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            vec_push(w->arena, &names,
                     (const char *)arena_printf(w->arena, "%s/%s", folder, e->d_name));
    closedir(d);
    if (names.n)
        qsort(names.p, (size_t)names.n, sizeof *names.p, by_name);
    for (int i = 0; i < names.n; i++) {
        size_t n = strlen(names.p[i]), e = strlen(ext);
        if (n > e && strcmp(names.p[i] + n - e, ext) == 0)
            run_file(w, names.p[i]);
        else
            walk_folder(w, names.p[i], ext);
    }
}

int cases_run(const char *folder, const char *ext, CaseRun *run, Text *out, int *count)
{
    const char *root = getenv("TFXC_ROOT"), *update = getenv("UPDATE");
    Walk w = {.arena = arena_new(), .run = run, .report = out};
    w.update = update && *update && strcmp(update, "0") != 0;
    walk_folder(&w, arena_printf(w.arena, "%s/%s", root ? root : ".", folder), ext);
    *count = w.count;
    arena_free(w.arena);
    return w.failed;
}
