// target.c - machines and instruction sets: the rows of targets.def.

#include "target.h"

#include <ctype.h>
#include <string.h>

enum { ALL = 0, BYTES = 1 };

static const Target rows[] = {
#define TARGET(name, machine, flags, doc) {#name, machine, "", NULL, flags, doc, false},
#define LEVEL(name, machine, over, adds, use, flags, doc)                              \
    {#name, machine, over, adds, flags, doc, use == BYTES},
#include "targets.def"
#undef TARGET
#undef LEVEL
};

const Target *target_row(int i)
{
    return i < COUNT(rows) ? &rows[i] : NULL;
}

const Target *target_find(const char *name)
{
    for (int i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

bool target_is_level(const Target *t)
{
    return t->adds != NULL;
}

bool target_has_tiles(const Target *t)
{
    return strstr(t->flags, "amx-tile") || strcmp(t->flags, "-march=native") == 0;
}

static void put_words(const Target *level, Text *t)
{
    const Target *over = target_find(level->over);
    if (over)
        put_words(over, t);
    text_printf(t, "%s%s", t->n ? "," : "", level->adds);
}

const char *target_words(Arena *a, const Target *level)
{
    Text t;
    text_init(&t, a);
    put_words(level, &t);
    for (char *c = t.p; *c; c++)
        if (*c == ' ')
            *c = ',';
    return t.p;
}

static char *upper(Arena *a, const char *s, size_t n)
{
    char *u = arena_strndup(a, s, n);
    for (char *c = u; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    return u;
}

// __AVX512F__ of avx512f, __ARM_FEATURE_DOTPROD of arch=armv8.2-a+dotprod.
const char *target_macro(Arena *a, const Target *level, int i)
{
    bool arm = strcmp(level->machine, "aarch64") == 0;
    const char *words = target_words(a, level);
    for (i += arm; *words; i--) {
        size_t n = strcspn(words, arm ? "+" : ",");
        const char *name = upper(a, words, n);
        if (i == 0)
            return arena_printf(a, arm ? "__ARM_FEATURE_%s" : "__%s__", name);
        words += n + (words[n] != '\0');
    }
    return NULL;
}
