// test_cli.c - the program from outside: case files tests/cli/*.case, walked.
//
//     # what is claimed
//     > model.tfx              the lines behind bars become a file
//     | tfx 1;
//     $ tfxc chek model.tfx    run by sh in an empty folder, where `root` is the project
//     tfxc: error: ...         what it prints, both streams; "..." alone: any lines
//     = 2                      its exit status
//
// UPDATE=1 rewrites what differs; read the diff.

#define _POSIX_C_SOURCE 200809L

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/driver/spawn.h"
#include "compiler/infile.h"

typedef struct CaseFile {
    Arena *arena;
    const char *name;
    StrList lines;
    Text updated;
    const char *folder;
    int failed, ran;
} CaseFile;

static const char *env(const char *name)
{
    const char *s = getenv(name);
    cr_assert(s && *s, "%s is not set: run this by meson test", name);
    return s;
}

static bool begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

// Does the text have these lines? "..." stands for any number of them.
static bool matches(const StrList *want, int i, const StrList *got, int k)
{
    for (; i < want->n; i++, k++) {
        if (strcmp(want->p[i], "...") == 0) {
            for (int skip = k; skip <= got->n; skip++)
                if (matches(want, i + 1, got, skip))
                    return true;
            return false;
        }
        if (k >= got->n || strcmp(want->p[i], got->p[k]) != 0)
            return false;
    }
    return k == got->n;
}

static void split_lines(Arena *a, const char *text, StrList *lines)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        vec_push(a, lines, arena_strndup(a, text, n));
        text += n + (text[n] == '\n');
    }
}

static void remove_all(CaseFile *c, const char *what)
{
    StrList argv = {0};
    Text out;
    text_init(&out, c->arena);
    vec_push(c->arena, &argv, "rm");
    vec_push(c->arena, &argv, "-rf");
    vec_push(c->arena, &argv, what);
    spawn(c->arena, &argv, &out);
}

static void keep(CaseFile *c, const char *line)
{
    text_printf(&c->updated, "%s\n", line);
}

// Lines i.. are "| ..."; returns the first that is not.
static int make_file(CaseFile *c, const char *name, int i)
{
    FILE *f = fopen(arena_printf(c->arena, "%s/%s", c->folder, name), "w");
    cr_assert(f, "%s: cannot make %s", c->name, name);
    for (; i < c->lines.n && c->lines.p[i][0] == '|'; i++) {
        const char *line = c->lines.p[i];
        fprintf(f, "%s\n", line[1] == ' ' ? line + 2 : line + 1);
        keep(c, line);
    }
    fclose(f);
    return i;
}

// Line i is behind "$ command"; returns the line behind its "= status".
static int run_command(CaseFile *c, const char *command, int i)
{
    Arena *a = c->arena;
    StrList argv = {0}, want = {0}, got = {0};
    Text out;
    int first = i;

    for (; i < c->lines.n && !begins(c->lines.p[i], "= "); i++)
        vec_push(a, &want, c->lines.p[i]);
    const char *status = i < c->lines.n ? c->lines.p[i] + 2 : "none";
    text_init(&out, a);
    vec_push(a, &argv, "sh");
    vec_push(a, &argv, "-c");
    vec_push(a, &argv,
             arena_printf(a, "cd '%s' && tfxc() { '%s' \"$@\"; }\n%s", c->folder,
                          env("TFXC"), command));
    const char *real = arena_printf(a, "%d", spawn(a, &argv, &out));
    split_lines(a, out.p, &got);
    c->ran++;

    bool same = matches(&want, 0, &got, 0) && strcmp(status, real) == 0;
    const StrList *lines = same ? &want : &got;
    for (int k = 0; k < lines->n; k++)
        keep(c, lines->p[k]);
    keep(c, arena_printf(a, "= %s", real));
    if (!same) {
        c->failed++;
        cr_log_error("%s:%d: $ %s\n%s= %s (expected = %s)", c->name, first, command,
                     out.p, real, status);
    }
    return i < c->lines.n ? i + 1 : i;
}

static void run_case_file(const char *path, const char *name)
{
    const char *text, *why;
    size_t n;
    CaseFile c = {.arena = arena_new(), .name = name};
    text_init(&c.updated, c.arena);
    cr_assert(file_read(c.arena, path, &text, &n, &why), "%s: %s", path, why);
    split_lines(c.arena, text, &c.lines);
    c.folder = temp_folder(c.arena, &why);
    cr_assert(c.folder, "%s", why);
    cr_assert(symlink(env("TFXC_ROOT"), arena_printf(c.arena, "%s/root", c.folder)) ==
              0);

    for (int i = 0; i < c.lines.n;) {
        const char *line = c.lines.p[i++];
        keep(&c, line);
        if (begins(line, "> "))
            i = make_file(&c, line + 2, i);
        else if (begins(line, "$ "))
            i = run_command(&c, line + 2, i);
        else
            cr_expect(!*line || line[0] == '#', "%s:%d: not a line of a case: %s", name,
                      i, line);
    }
    remove_all(&c, c.folder);
    if (c.failed && getenv("UPDATE")) {
        FILE *f = fopen(path, "w");
        cr_assert(f && fputs(c.updated.p, f) >= 0 && fclose(f) == 0);
        c.failed = 0;
    }
    cr_expect(c.failed == 0, "%s: %d of %d commands differ", name, c.failed, c.ran);
    cr_expect(c.ran > 0, "%s: no command", name);
    arena_free(c.arena);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

Test(cli, prints_and_exits_as_its_case_files_say)
{
    char folder[4096], path[8192];
    struct dirent **list;
    int cases = 0;

    unsetenv("CFLAGS");
    setenv("LC_ALL", "C.UTF-8", 1);
    snprintf(folder, sizeof(folder), "%s/tests/cli", env("TFXC_ROOT"));
    int n = scandir(folder, &list, NULL, by_name);
    cr_assert(n >= 0, "%s cannot be read", folder);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(list[i]->d_name, '.');
        snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name);
        if (dot && strcmp(dot, ".case") == 0) {
            run_case_file(path, list[i]->d_name);
            cases++;
        }
        free(list[i]);
    }
    free(list);
    cr_expect(cases > 0, "%s has no cases", folder);
}

Test(cli, man_page_is_what_the_tables_say)
{
    const char *page, *why;
    size_t n;
    StrList argv = {0};
    Text made;
    Arena *a = arena_new();
    const char *path = arena_printf(a, "%s/docs/tfxc.1", env("TFXC_ROOT"));

    text_init(&made, a);
    vec_push(a, &argv, env("TFXC_MAN"));
    cr_assert(spawn(a, &argv, &made) == 0);
    if (getenv("UPDATE")) {
        FILE *f = fopen(path, "w");
        cr_assert(f && fputs(made.p, f) >= 0 && fclose(f) == 0);
    }
    cr_assert(file_read(a, path, &page, &n, &why), "%s: %s", path, why);
    cr_expect(strcmp(page, made.p) == 0,
              "docs/tfxc.1 is out of date: UPDATE=1 ./dev test");
    arena_free(a);
}
