// test_docs.c - the documentation: links lead somewhere, and its C compiles.

#define _POSIX_C_SOURCE 200809L

#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cases.h"

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(docs, .init = set_up, .fini = tear_down);

static const char *root(void)
{
    const char *path = getenv("TFXC_ROOT");
    cr_assert(path, "TFXC_ROOT is not set: run this by meson test");
    return path;
}

typedef VEC(const char *) Paths;

static void markdown_in(const char *folder, Paths *paths)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n > 3 && strcmp(e->d_name + n - 3, ".md") == 0)
            vec_push(arena, paths, arena_printf(arena, "%s/%s", folder, e->d_name));
    }
    if (d)
        closedir(d);
}

static void all_markdown(Paths *paths)
{
    static const char *const folders[] = {"",
                                          "/docs",
                                          "/grammar",
                                          "/compiler",
                                          "/passes",
                                          "/runtime",
                                          "/tests",
                                          "/examples",
                                          "/bench",
                                          "/examples/01-tinytalk",
                                          "/examples/02-digits"};
    for (int i = 0; i < COUNT(folders); i++)
        markdown_in(arena_printf(arena, "%s%s", root(), folders[i]), paths);
    cr_assert(paths->n >= 10, "only %d pages found", paths->n);
}

// ---- links -----------------------------------------------------------------------------

// "## 5. The life of a weight" is #5-the-life-of-a-weight.
static const char *slug_of(const char *heading, size_t n)
{
    Text t;
    text_init(&t, arena);
    for (size_t i = 0; i < n; i++) {
        char c = (char)tolower((unsigned char)heading[i]);
        if (c == ' ')
            c = '-';
        if (isalnum((unsigned char)c) || c == '-' || c == '_')
            text_put(&t, &c, 1);
    }
    return t.p;
}

static bool has_heading(const char *path, const char *slug)
{
    size_t n;
    const char *s = cases_read(arena, path, &n);
    for (; s && *s; s += strcspn(s, "\n"), s += *s == '\n') {
        size_t marks = strspn(s, "#");
        if (!marks || s[marks] != ' ')
            continue;
        const char *text = s + marks + 1;
        if (strcmp(slug_of(text, strcspn(text, "\n")), slug) == 0)
            return true;
    }
    return false;
}

static void check_link(const char *page, const char *link)
{
    struct stat st;
    size_t n = strcspn(link, "#");
    const char *folder =
        arena_strndup(arena, page, (size_t)(strrchr(page, '/') - page));
    const char *path = n ? arena_printf(arena, "%s/%.*s", folder, (int)n, link) : page;
    cr_expect(stat(path, &st) == 0, "%s: %s leads nowhere", page, link);
    if (link[n] == '#')
        cr_expect(has_heading(path, link + n + 1), "%s: no heading for %s", page, link);
}

static bool in_backticks(const char *line, const char *at)
{
    bool in = false;
    for (; line < at; line++)
        in ^= *line == '`';
    return in;
}

// Of the text outside of code.
static void check_links(const char *page)
{
    size_t n;
    bool code = false;
    const char *text = cases_read(arena, page, &n);
    cr_assert(text, "%s cannot be read", page);
    for (const char *s = text; *s;) {
        size_t line = strcspn(s, "\n");
        if (strncmp(s, "```", 3) == 0)
            code = !code;
        const char *end = s + line;
        for (const char *at = code ? NULL : strstr(s, "]("); at && at < end;
             at = strstr(at + 1, "](")) {
            const char *link = arena_strndup(arena, at + 2, strcspn(at + 2, ")\n"));
            if (strncmp(link, "http", 4) != 0 && !in_backticks(s, at))
                check_link(page, link);
        }
        s = *end ? end + 1 : end;
    }
}

Test(docs, every_link_leads_to_a_file_and_heading)
{
    Paths paths = {NULL, 0, 0};
    all_markdown(&paths);
    for (int i = 0; i < paths.n; i++)
        check_links(paths.p[i]);
}

// ---- C ---------------------------------------------------------------------------------

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "w");
    cr_assert(f, "%s cannot be written", path);
    cr_assert(fwrite(text, 1, n, f) == n);
    fclose(f);
}

// Whole programs: the ```c blocks with a main.
static int compile_programs(const char *page, const char *folder)
{
    size_t n;
    int programs = 0;
    const char *text = cases_read(arena, page, &n);
    const char *cc = getenv("CC") ? getenv("CC") : "cc";
    cr_assert(text, "%s cannot be read", page);
    for (const char *s = strstr(text, "```c\n"); s; s = strstr(s + 4, "```c\n")) {
        const char *code = s + 5, *end = strstr(code, "```");
        const char *main_at = strstr(code, "int main(");
        if (!end || !main_at || main_at > end)
            continue;
        const char *path = arena_printf(arena, "%s/%d.c", folder, programs++);
        write_file(path, code, (size_t)(end - code));
        const char *command = arena_printf(
            arena, "%s -std=c11 -Wall -Wextra -Werror -fsyntax-only -I%s -I%s %s", cc,
            folder, root(), path);
        cr_expect(system(command) == 0, "program %d of %s: %s", programs, page,
                  command);
    }
    return programs;
}

Test(docs, programs_in_the_page_on_the_C_API_compile)
{
    char folder[] = "/tmp/tfxc-docs-XXXXXX";
    const char *tfxc = getenv("TFXC");
    cr_assert(tfxc && mkdtemp(folder));
    cr_assert(system(arena_printf(arena,
                                  "%s %s/examples/01-tinytalk/model.tfx --prefix "
                                  "tinytalk -o %s/tinytalk.c",
                                  tfxc, root(), folder)) == 0);
    cr_expect(
        compile_programs(arena_printf(arena, "%s/docs/c-api.md", root()), folder) == 2);
    cr_assert(system(arena_printf(arena, "rm -rf %s", folder)) == 0);
}
