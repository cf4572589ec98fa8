// cc.c - building emitted C with the user's compiler.

#include "cc.h"

#include "spawn.h"

#include <stdlib.h>

static const char *or_else(const char *s, const char *otherwise)
{
    return s && *s ? s : otherwise;
}

bool cc_shared(Arena *a, const StrList *sources, bool timed, const char *folder,
               const char *output, Text *log)
{
    StrList argv = {0};
    Text said;

    split_words(a, &argv, or_else(getenv("CC"), "cc"));
    split_words(a, &argv, "-std=c11 -fPIC -shared -w");
    split_words(a, &argv, timed ? "-O3 -march=native -pthread" : "-O2");
    split_words(a, &argv, or_else(getenv("CFLAGS"), ""));
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
