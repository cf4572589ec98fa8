// replay.c - plays a corpus without libFuzzer: each file as it is, then changes of them, the
// same ones in every run, until the time is over.
//
//     fuzz_loop SECONDS CORPUS...     files, or folders of them

#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_FILES = 2000, MAX_BYTES = 1 << 16 };

typedef struct Input {
    const char *path;
    char *bytes;
    size_t n;
} Input;

typedef struct Corpus {
    Arena *arena;
    Input file[MAX_FILES];
    int n;
    uint64_t seed;
} Corpus;

static void add_file(Corpus *c, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || c->n == MAX_FILES) {
        if (f)
            fclose(f);
        return;
    }
    Input *in = &c->file[c->n];
    in->path = path;
    in->bytes = arena_alloc(c->arena, MAX_BYTES);
    in->n = fread(in->bytes, 1, MAX_BYTES, f);
    c->n += in->n > 0 && in->n < MAX_BYTES;
    fclose(f);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Names in order, so that every run is the same.
static void add_path(Corpus *c, const char *path)
{
    const char *names[MAX_FILES];
    int n = 0;
    DIR *dir = opendir(path);
    if (!dir) {
        add_file(c, path);
        return;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL && n < MAX_FILES;)
        if (e->d_name[0] != '.')
            names[n++] = arena_printf(c->arena, "%s/%s", path, e->d_name);
    closedir(dir);
    qsort(names, (size_t)n, sizeof(*names), by_name);
    for (int i = 0; i < n; i++)
        add_path(c, names[i]);
}

static size_t below(Corpus *c, size_t n)
{
    c->seed ^= c->seed << 13;
    c->seed ^= c->seed >> 7;
    c->seed ^= c->seed << 17;
    return n ? (size_t)(c->seed % n) : 0;
}

// ---- changes ---------------------------------------------------------------------------

static size_t cut(char *s, size_t n, size_t at, size_t len)
{
    memmove(s + at, s + at + len, n - at - len);
    return n - len;
}

static size_t paste(char *s, size_t n, size_t at, const char *what, size_t len)
{
    if (n + len > MAX_BYTES)
        return n;
    memmove(s + at + len, s + at, n - at);
    memcpy(s + at, what, len);
    return n + len;
}

static size_t change(Corpus *c, char *s, size_t n)
{
    static const char *const words[] = {"0",  "-1",    "9223372036854775807",
                                        "{",  "}",     "(",
                                        ")",  "[",     "]",
                                        "\"", "1e308", "T",
                                        ",",  "=",     ":"};
    const Input *other = &c->file[below(c, (size_t)c->n)];
    size_t at = below(c, n), len = 1 + below(c, 20), from = below(c, other->n);
    const char *word = words[below(c, COUNT(words))];
    switch (below(c, 6)) {
    case 0:
        s[at] = (char)below(c, 256);
        return n;
    case 1:
        s[at] = (char)(s[at] ^ 1 << below(c, 8));
        return n;
    case 2:
        return cut(s, n, at, len < n - at ? len : n - at);
    case 3:
        return paste(s, n, at, word, strlen(word));
    case 4:
        return paste(s, n, at, other->bytes + from,
                     len < other->n - from ? len : other->n - from);
    default:
        while (at > 0 && s[at - 1] != '\n')
            at--;
        len = 0;
        while (at + len < n && s[at + len] != '\n')
            len++;
        return below(c, 2) ? cut(s, n, at, len) : n;
    }
}

static void play_changed(Corpus *c, char *scratch)
{
    const Input *in = &c->file[below(c, (size_t)c->n)];
    size_t n = in->n;
    memcpy(scratch, in->bytes, n);
    for (size_t k = 1 + below(c, 4); k > 0 && n > 0; k--)
        n = change(c, scratch, n);
    if (getenv("FUZZ_LAST")) {  // for what crashes: the input is there afterwards
        FILE *f = fopen(getenv("FUZZ_LAST"), "wb");
        if (f) {
            fwrite(scratch, 1, n, f);
            fclose(f);
        }
    }
    LLVMFuzzerTestOneInput((const uint8_t *)scratch, n);
}

// By the wall: what reads files waits.
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    Corpus *c = calloc(1, sizeof(*c));
    if (!c || argc < 3) {
        fprintf(stderr, "usage: %s SECONDS CORPUS...\n", argv[0]);
        free(c);
        return 2;
    }
    c->arena = arena_new();
    c->seed = 88172645463325252u;
    for (int i = 2; i < argc; i++)
        add_path(c, argv[i]);
    for (int i = 0; i < c->n; i++)
        LLVMFuzzerTestOneInput((const uint8_t *)c->file[i].bytes, c->file[i].n);
    char *scratch = arena_alloc(c->arena, MAX_BYTES + 1);
    double end = seconds() + atof(argv[1]);
    long runs = 0;
    for (; c->n > 0 && seconds() < end; runs++)
        play_changed(c, scratch);
    printf("%d files, %ld changes\n", c->n, runs);
    int status = c->n > 0 ? 0 : 1;
    arena_free(c->arena);
    free(c);
    return status;
}
