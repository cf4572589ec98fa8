// infile.c - reading a whole file.

#include "infile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool file_read(Arena *a, const char *path, const char **text, size_t *n,
               const char **why)
{
    char piece[1 << 14];
    Text t;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rb");

    *why = NULL;
    if (!f) {
        *why = arena_strdup(a, strerror(errno));
        return false;
    }
    text_init(&t, a);
    // A short piece is the last: a terminal would ask for its end twice.
    for (size_t got = sizeof(piece); got == sizeof(piece);) {
        got = fread(piece, 1, sizeof(piece), f);
        if (t.n + got > MAX_TEXT_BYTES) {
            *why = "it is larger than 256 MiB";
            break;
        }
        text_put(&t, piece, got);
    }
    if (!*why && ferror(f))
        *why = arena_strdup(a, strerror(errno));
    if (!is_stdin)
        fclose(f);
    *text = t.p;
    *n = t.n;
    return *why == NULL;
}
