// cc.c - building emitted C with the user's compiler.

#include "cc.h"

#include "spawn.h"

#include <stdlib.h>

static const char *or_else(const char *s, const char *otherwise)
{
    return s && *s ? s : otherwise;
}

static void put_flags(Arena *a, const Settings *s, StrList *argv)
{
    split_words(a, argv, s->timed ? "-O3 -pthread" : "-O2");
    split_words(a, argv, s->target->flags);
    split_words(a, argv, or_else(getenv("CFLAGS"), ""));
}

bool cc_shared(Arena *a, const StrList *sources, const Settings *set,
               const char *folder, const char *output, Text *log)
{
    StrList argv = {0};
    Text said;

    split_words(a, &argv, or_else(getenv("CC"), "cc"));
    split_words(a, &argv, "-std=c11 -fPIC -shared -w");
    put_flags(a, set, &argv);
    vec_push(a, &argv, "-I");
    vec_push(a, &argv, folder);
    for (int i = 0; i < sources->n; i++)
        vec_push(a, &argv, sources->p[i]);
    vec_push(a, &argv, "-o");
    vec_push(a, &argv, output);
    vec_push(a, &argv, "-lm");

    text_init(&said, a);
    int status = spawn(a, &argv, &said);
    if (status == 0)
        return true;
    for (int i = 0; i < argv.n; i++)
        text_printf(log, "%s%s", i ? " " : "", argv.p[i]);
    text_printf(log, "\n%s", said.p);
    if (status > 0)
        text_printf(log, "(exit status %d)\n", status);
    return false;
}
