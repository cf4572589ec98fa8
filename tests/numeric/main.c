// main.c - emitted programs held against the evaluator in double.
//
//     numeric ops [FILE...]        every model of tests/ops (or these), with the passes on
//                                  and off, by tcc
//     numeric threads [FILE...]    the same by gcc -O1 on 1, 2, 3 and 7 threads; minutes
//     numeric compilers [FILE...]  a few (or these) by every compiler, with sanitizers
//     numeric fuzz [N [SEED]]      N random models, by tcc
//     numeric quality              what strict compilers say of the text, see quality.c
//     numeric misuse               wrong calls give a status code
//
// $KEEP names a folder to leave everything in.

#define _POSIX_C_SOURCE 200809L

#include "build.h"
#include "fuzz.h"
#include "quality.h"

#include "compiler/driver/spawn.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

typedef struct Test {
    Arena *arena;
    const char *root;  // where everything goes
    TrialList trials;
    int models, failed;
} Test;

static void say(Test *t, const char *what, const char *more)
{
    t->failed++;
    printf("not ok - %s\n%s", what, more);
    fflush(stdout);
}

// ---- models ----------------------------------------------------------------------------

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static StrList models_in(Arena *a, const char *folder)
{
    StrList list = {0};
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n > 4 && strcmp(e->d_name + n - 4, ".tfx") == 0)
            vec_push(a, &list, arena_printf(a, "%s/%s", folder, e->d_name));
    }
    if (d)
        closedir(d);
    if (list.n)
        qsort((void *)list.p, (size_t)list.n, sizeof(*list.p), by_name);
    return list;
}

static void add_model(Test *t, const char *path, const char *levels)
{
    Text why;
    text_init(&why, t->arena);
    const char *base = strrchr(path, '/');
    char *name = arena_strdup(t->arena, base ? base + 1 : path);
    name[strlen(name) - 4] = '\0';
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    t->models++;
    if (!record_model(t->arena, path, t->root, name, levels, &t->trials, &why))
        say(t, path, why.p);
}

static void replay(Test *t, const Compiler *c, const char *option)
{
    Text said;
    StrList argv = {0};
    const char *program;
    struct timespec from, to;
    text_init(&said, t->arena);
    if (!t->trials.n)
        return;
    if (!compiler_is_there(t->arena, c->command)) {
        printf("ok - %s # SKIP there is no such compiler\n", c->command);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (!build_replay(t->arena, c, &t->trials, t->root, &program, &said)) {
        say(t, c->command, said.p);
        return;
    }
    vec_push(t->arena, &argv, program);
    if (option)
        vec_push(t->arena, &argv, option);
    if (spawn(t->arena, &argv, &said) != 0) {
        say(t, c->command, said.p);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("ok - %d programs by %s, %.1f s\n", t->trials.n, c->command,
           (double)(to.tv_sec - from.tv_sec) +
               1e-9 * (double)(to.tv_nsec - from.tv_nsec));
    fflush(stdout);
}

// ---- tests -----------------------------------------------------------------------------

static void run_ops(Test *t, const Compiler *c, const char *option, int n, char **files)
{
    StrList list = {0};
    for (int i = 0; i < n; i++)
        vec_push(t->arena, &list, files[i]);
    if (!n)
        list =
            models_in(t->arena, arena_printf(t->arena, "%s/tests/ops", source_root()));
    if (!list.n)
        say(t, "tests/ops", "no models; is TFXC_ROOT set?\n");
    for (int i = 0; i < list.n; i++)
        add_model(t, list.p[i], "01");
    replay(t, c, option);
}

// Threads only by one compiler: they do not depend on which.
static void run_compilers(Test *t, int n, char **files)
{
    static const struct {
        Compiler compiler;
        const char *option;
    } all[] = {
        {{"gcc-san",
          "gcc -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"},
         NULL},
        {{"gcc-O0", "gcc -O0"}, NULL},
        {{"gcc-O3", "gcc -O3"}, "--threads"},
        {{"gcc-native", "gcc -O3 -march=native"}, NULL},
        {{"gcc-scalar", "gcc -O2 -DTFX_SCALAR"}, NULL},
        {{"clang-O0", "clang-19 -O0"}, NULL},
        {{"clang-O3", "clang-19 -O3"}, NULL},
        {{"clang-native", "clang-19 -O3 -march=native"}, NULL},
        {{"tcc", "tcc"}, NULL},
    };
    static const char *const models[] = {"gather-bf16", "repeat", "state"};
    for (int i = 0; i < n; i++)
        add_model(t, files[i], "01");
    for (int i = 0; i < COUNT(models) && n == 0; i++)
        add_model(
            t, arena_printf(t->arena, "%s/tests/ops/%s.tfx", source_root(), models[i]),
            "1");
    for (int i = 0; i < COUNT(all); i++)
        replay(t, &all[i].compiler, all[i].option);
}

static void run_fuzz(Test *t, int n, char **words)
{
    int count = n > 0 ? atoi(words[0]) : 60;
    uint64_t seed = n > 1 ? strtoull(words[1], NULL, 10) : 1;
    for (int i = 0; i < count; i++) {
        const char *path = arena_printf(t->arena, "%s/fuzz%d.tfx", t->root, i);
        Text text;
        text_init(&text, t->arena);
        fuzz_model(t->arena, seed * 1000 + (uint64_t)i, &text);
        FILE *f = fopen(path, "w");
        if (!f || fwrite(text.p, 1, text.n, f) != text.n)
            say(t, path, "cannot be written\n");
        if (f)
            fclose(f);
        add_model(t, path, "01");
    }
    replay(t, &(Compiler){"tcc", "tcc"}, NULL);
}

static int usage(void)
{
    fputs(
        "numeric ops|threads|compilers [FILE...] | fuzz [N [SEED]] | quality | misuse\n",
        stderr);
    return 2;
}

int main(int argc, char **argv)
{
    Test
    t = {.arena = arena_new()};
    const char *why = "", *keep = getenv("KEEP");
    if (argc < 2)
        return usage();
    t.root = keep && *keep ? keep : temp_folder(t.arena, &why);
    if (!t.root) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    mkdir(t.root, 0777);
    if (strcmp(argv[1], "ops") == 0)
        run_ops(&t, &(Compiler){"tcc", "tcc"}, NULL, argc - 2, argv + 2);
    else if (strcmp(argv[1], "threads") == 0)
        run_ops(&t, &(Compiler){"gcc-O1", "gcc -O1"}, "--threads", argc - 2, argv + 2);
    else if (strcmp(argv[1], "compilers") == 0)
        run_compilers(&t, argc - 2, argv + 2);
    else if (strcmp(argv[1], "fuzz") == 0)
        run_fuzz(&t, argc - 2, argv + 2);
    else if (strcmp(argv[1], "quality") == 0)
        t.failed = run_quality(t.arena, t.root);
    else if (strcmp(argv[1], "misuse") == 0)
        t.failed = run_misuse(t.arena, t.root);
    else
        return usage();
    if (t.models)
        printf("%d models, ", t.models);
    printf("%d failures\n", t.failed);
    if (!keep || !*keep) {
        StrList rm = {0};
        Text said;
        text_init(&said, t.arena);
        split_words(t.arena, &rm, "rm -rf");
        vec_push(t.arena, &rm, t.root);
        spawn(t.arena, &rm, &said);
    }
    int failed = t.failed;
    arena_free(t.arena);
    return failed > 0;
}
