// looptexts.h - programs of tests/loops, read as they are and with a piece changed.

#ifndef TESTS_LOOPTEXTS_H
#define TESTS_LOOPTEXTS_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "compiler/loop.h"

static const char *rooted(Arena *a, const char *path)
{
    const char *root = getenv("TFXC_ROOT");
    return arena_printf(a, "%s/%s", root ? root : ".", path);
}

static Prog *parse(Arena *a, Diag *d, const char *text)
{
    size_t n = strlen(text);
    return loop_parse(a, d, text, n, diag_source(d, "case", text, n));
}

static const char *messages(Arena *a, const Diag *d)
{
    Text t;
    text_init(&t, a);
    diag_print(d, DIAG_TEXT, &t);
    return t.p;
}

// A program with `to` in place of `from`, and what is said of it.
typedef struct Edit {
    const char *claim, *from, *to, *message;
} Edit;

static const char *edited(Arena *a, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    cr_assert(at != NULL, "no `%s` to edit", from);
    return arena_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

// The first program of tests/loops/<name>.txt.
static const char *program_of(Arena *a, const char *name)
{
    size_t n;
    const char *path = arena_printf(a, "tests/loops/%s.txt", name);
    char *text = cases_read(a, rooted(a, path), &n);
    cr_assert(text != NULL);
    char *start = strstr(text, "\nprogram ") + 1, *end = strstr(start, "#! print");
    return arena_strndup(a, start, (size_t)(end - start));
}

static const char *small_program(Arena *a)
{
    return program_of(a, "small");
}

#endif
