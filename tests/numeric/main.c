// main.c - emitted programs held against the evaluator in double.
//
//     numeric ops [FILE...]        every model of tests/ops (or these), with the passes on
//                                  and off, by tcc
//     numeric threads [FILE...]    the same by gcc -O1 on 1, 2, 3 and 7 threads; minutes
//     numeric compilers [FILE...]  a few (or these) by every compiler, with sanitizers
//     numeric levels               programs made with --dispatch at every level that this
//                                  machine and emulated ones have, and at the one they choose
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

#define ARM_GCC    "aarch64-linux-gnu-gcc -O2 -static"
#define WASM_CLANG "clang-19 --target=wasm32-wasi --sysroot=/usr -O2"
#define NODE       "node --no-warnings @wasi.mjs"

static void replay(Test *t, const Compiler *c, const char *option)
{
    Text said;
    StrList argv = {0};
    const char *program;
    struct timespec from, to;
    text_init(&said, t->arena);
    if (!t->trials.n)
        return;
    if (!compiler_is_there(t->arena, c, t->root)) {
        printf("ok - %s # SKIP there is no such compiler%s%s\n", c->command,
               c->runner ? ", library or " : "", c->runner ? c->runner : "");
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (!build_replay(t->arena, c, &t->trials, t->root, &program, &said)) {
        say(t, c->command, said.p);
        return;
    }
    put_runner(t->arena, &argv, c);
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
          "gcc -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all", NULL},
         NULL},
        {{"gcc-O0", "gcc -O0", NULL}, NULL},
        {{"gcc-O3", "gcc -O3", NULL}, "--threads"},
        {{"gcc-native", "gcc -O3 -march=native", NULL}, NULL},
        {{"gcc-scalar", "gcc -O2 -DTFX_SCALAR", NULL}, NULL},
        {{"clang-O0", "clang-19 -O0", NULL}, NULL},
        {{"clang-O3", "clang-19 -O3", NULL}, NULL},
        {{"clang-native", "clang-19 -O3 -march=native", NULL}, NULL},
        {{"tcc", "tcc", NULL}, NULL},
        {{"neon", ARM_GCC, "qemu-aarch64"}, NULL},
        {{"wasm", WASM_CLANG " -msimd128", NODE}, NULL},
        {{"wasm-scalar", WASM_CLANG " -DTFX_SCALAR", NODE}, NULL},
    };
    static const char *const models[] = {"ops/gather-bf16", "ops/repeat",
                                         "ops/state",       "ops/ranks",
                                         "ops/ranks-bytes", "numeric/levels/rounded"};
    for (int i = 0; i < n; i++)
        add_model(t, files[i], "01");
    for (int i = 0; i < COUNT(models) && n == 0; i++)
        add_model(t,
                  arena_printf(t->arena, "%s/tests/%s.tfx", source_root(), models[i]),
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
    replay(t, &(Compiler){"tcc", "tcc", NULL}, NULL);
}

// ---- levels ----------------------------------------------------------------------------

// Runs the program at a level, or for NULL at the one it chooses, which then must be
// `wanted`, if that is said.
static void run_level(Test *t, const Compiler *c, const char *program,
                      const char *level, const char *wanted)
{
    Text said;
    StrList argv = {0};
    Arena *a = t->arena;
    const char *name =
        arena_printf(a, "%s %s%s%s, %s", c->name, c->runner ? "by " : "",
                     c->runner ? c->runner : "here", "", level ? level : "its choice");
    text_init(&said, a);
    vec_push(a, &argv, "env");
    vec_push(a, &argv, arena_printf(a, "TFX_LEVEL=%s", level ? level : ""));
    put_runner(a, &argv, c);
    vec_push(a, &argv, program);
    int status = spawn(a, &argv, &said);
    const char *took = strstr(said.p, ", level ");
    took = took ? took + strlen(", level ") : "";
    size_t n = strcspn(took, "\n");
    bool right = !wanted || (n == strlen(wanted) && strncmp(took, wanted, n) == 0);
    if (status == 77)
        printf("ok - %s # SKIP the machine has no such level\n", name);
    else if (status != 0 || !right)
        say(t, name, said.p);
    else
        printf("ok - %s%s%.*s\n", name, level ? "" : ": ", level ? 0 : (int)n, took);
    fflush(stdout);
}

// One binary: at every level of its machine, at the best, and on lesser machines.
static void run_binary(Test *t, const Compiler *c, const char *machine)
{
    static const struct {
        const char *machine, *runner, *wanted;
    } lesser[] = {
        {"x86-64", "qemu-x86_64 -cpu Nehalem", "base"},
        {"x86-64", "qemu-x86_64 -cpu Haswell", "avx2"},
        {"aarch64", "qemu-aarch64 -cpu cortex-a53", "base"},
        {"aarch64", "qemu-aarch64 -cpu neoverse-n1", "dotprod"},
    };
    Text said;
    const char *program;
    text_init(&said, t->arena);
    if (!compiler_is_there(t->arena, c, t->root)) {
        printf("ok - %s # SKIP there is no such compiler\n", c->command);
        return;
    }
    if (!build_replay(t->arena, c, &t->trials, t->root, &program, &said)) {
        say(t, c->command, said.p);
        return;
    }
    run_level(t, c, program, NULL, NULL);
    run_level(t, c, program, "base", "base");
    for (int i = 0; target_row(i); i++)
        if (target_is_level(target_row(i)) &&
            strcmp(target_row(i)->machine, machine) == 0)
            run_level(t, c, program, target_row(i)->name, target_row(i)->name);
    for (int i = 0; i < COUNT(lesser); i++) {
        Compiler other = {c->name, c->command, lesser[i].runner};
        if (strcmp(lesser[i].machine, machine) != 0)
            continue;
        if (runner_is_there(t->arena, lesser[i].runner))
            run_level(t, &other, program, NULL, lesser[i].wanted);
        else
            printf("ok - %s by %s # SKIP it is not there\n", c->name, lesser[i].runner);
    }
}

static void run_levels(Test *t)
{
    StrList list = models_in(
        t->arena, arena_printf(t->arena, "%s/tests/numeric/levels", source_root()));
    if (!list.n)
        say(t, "tests/numeric/levels", "no models; is TFXC_ROOT set?\n");
    for (int i = 0; i < list.n; i++)
        add_model(t, list.p[i], "1d");
    if (!t->trials.n)
        return;
#if defined(__x86_64__)
    run_binary(t, &(Compiler){"gcc", "gcc -O2", NULL}, "x86-64");
    run_binary(t, &(Compiler){"clang", "clang-19 -O2", NULL}, "x86-64");
#endif
    run_binary(t, &(Compiler){"arm", ARM_GCC, "qemu-aarch64"}, "aarch64");
}

static int usage(void)
{
    fputs(
        "numeric ops|threads|compilers [FILE...] | levels | fuzz [N [SEED]] | quality | misuse\n",
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
        run_ops(&t, &(Compiler){"tcc", "tcc", NULL}, NULL, argc - 2, argv + 2);
    else if (strcmp(argv[1], "threads") == 0)
        run_ops(&t, &(Compiler){"gcc-O1", "gcc -O1", NULL}, "--threads", argc - 2,
                argv + 2);
    else if (strcmp(argv[1], "compilers") == 0)
        run_compilers(&t, argc - 2, argv + 2);
    else if (strcmp(argv[1], "levels") == 0)
        run_levels(&t);
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
