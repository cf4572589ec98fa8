// quality.c - emitted files: clean under strict compilers, formatted, the same every time,
// fit to stand beside each other, and safe to misuse (misuse/misuse.c).
//
// All of it is commands of sh, run as many at a time as there are processors.

#define _POSIX_C_SOURCE 200809L

#include "quality.h"

#include "build.h"

#include "compiler/driver/spawn.h"
#include "compiler/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Batch {
    Arena *arena;
    const char *root;  // folder of the commands
    VEC(StrList) commands;
    int failed;
} Batch;

static const char *const models[] = {"linear", "attention",   "state",
                                     "repeat", "gather-bf16", "ranks"};

static const char warnings[] =
    "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wundef "
    "-Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror";

// What runs in the batch's folder with $TFXC and $ROOT set.
static void add(Batch *b, const char *command)
{
    const char *tfxc = getenv("TFXC");
    StrList argv = {0};
    split_words(b->arena, &argv, "sh -c");
    vec_push(b->arena, &argv,
             arena_printf(b->arena, "set -e; TFXC='%s' ROOT='%s'; cd '%s'; %s",
                          tfxc && *tfxc ? tfxc : "tfxc", source_root(), b->root,
                          command));
    vec_push(b->arena, &b->commands, argv);
}

// Runs what was added; the line tells how it went.
static bool run(Batch *b, const char *claim)
{
    Text said;
    text_init(&said, b->arena);
    int failed = run_commands(b->arena, b->commands.p, b->commands.n, &said);
    printf("%s - %s\n%s", failed ? "not ok" : "ok", claim, failed ? said.p : "");
    fflush(stdout);
    b->commands.n = 0;
    b->failed += failed > 0;
    return failed == 0;
}

static bool has(Batch *b, const char *program, const char *claim)
{
    Text said;
    StrList argv = {0};
    text_init(&said, b->arena);
    split_words(b->arena, &argv, "sh -c");
    vec_push(b->arena, &argv, arena_printf(b->arena, "command -v %s", program));
    if (spawn(b->arena, &argv, &said) == 0)
        return true;
    printf("ok - %s # SKIP there is no %s\n", claim, program);
    return false;
}

// ---- misuse ----------------------------------------------------------------------------

int run_misuse(Arena *a, const char *root)
{
    Batch b = {.arena = a, .root = root};
    add(&b, "M=\"$ROOT/tests/numeric/misuse\"\n"
            "for m in cell plain; do\n"
            "    \"$TFXC\" init \"$M/$m.tfx\" -o $m.safetensors\n"
            "    \"$TFXC\" \"$M/$m.tfx\" --weights $m.safetensors -o $m.c\n"
            "done\n"
            "\"$TFXC\" \"$M/plain.tfx\" --weights plain.safetensors --prefix other "
            "-o other.c\n");
    if (!run(&b, "three programs in one folder"))
        return b.failed;
    add(&b, "gcc -std=c11 -Wall -Wextra -Werror -O1 -g -fsanitize=address,undefined "
            "-fno-sanitize-recover=all -I. \"$ROOT/tests/numeric/misuse/misuse.c\" "
            "cell.c plain.c other.c tfx_rt.c -lm -lpthread -o misuse\n"
            "./misuse cell.packed.safetensors plain.packed.safetensors "
            "other.packed.safetensors");
    run(&b, "misuse gives a status code, under sanitizers");
    return b.failed;
}

// ---- quality ---------------------------------------------------------------------------

// Everything twice, from other folders in other locales: once/ and again/.
static bool emit_twice(Batch *b)
{
    for (int i = 0; i < COUNT(models); i++)
        add(b, arena_printf(b->arena,
                            "M=%s; mkdir -p $M.away; cp \"$ROOT/tests/ops/$M.tfx\" .\n"
                            "\"$TFXC\" init $M.tfx -o $M.safetensors\n"
                            "R=$(sed -n 's,^// recipe ,,p' $M.tfx)\n"
                            "LC_ALL=C \"$TFXC\" $M.tfx --weights $M.safetensors "
                            "${R:+--recipe \"$R\"} --pack=embed -o once/$M.c\n"
                            "\"$TFXC\" $M.tfx --weights $M.safetensors "
                            "${R:+--recipe \"$R\"} -o file/$M.c\n"
                            "cd $M.away; export LC_ALL=de_DE.UTF-8 LANG=tr_TR.UTF-8\n"
                            "export TZ=Asia/Tokyo\n"
                            "\"$TFXC\" ../$M.tfx --weights ../$M.safetensors "
                            "${R:+--recipe \"$R\"} --pack=embed -o ../again/$M.c\n",
                            models[i]));
    return run(b, "six models are emitted");
}

static void check_same(Batch *b)
{
    add(b, "diff -r once again");
    run(b, "two runs from other folders in other locales give the same bytes");
}

static void check_warnings(Batch *b, const char *name, const char *compiler)
{
    Arena *a = b->arena;
    const char *claim = arena_printf(a, "%s has no warning to give", compiler);
    StrList first = {0};
    split_words(a, &first, compiler);
    if (!has(b, first.p[0], claim))
        return;
    add(b, arena_printf(a, "mkdir -p %s; %s %s -c once/tfx_rt.c -o %s/tfx_rt.o", name,
                        compiler, warnings, name));
    for (int i = 0; i < COUNT(models); i++) {
        const char *m = models[i];
        add(b, arena_printf(a, "mkdir -p %s; %s %s -c once/%s.c -o %s/%s.o", name,
                            compiler, warnings, m, name, m));
        add(b, arena_printf(a,
                            "mkdir -p %s; %s %s -Wno-overlength-strings "
                            "-c once/%s_weights.c -o %s/%s_weights.o",
                            name, compiler, warnings, m, name, m));
    }
    run(b, claim);
}

static void check_header(Batch *b, const char *compiler, const char *options,
                         const char *ext)
{
    Arena *a = b->arena;
    const char *claim = arena_printf(a, "headers alone, as .%s by %s", ext, compiler);
    if (!has(b, compiler, claim))
        return;
    for (int i = 0; i < COUNT(models); i++)
        add(b,
            arena_printf(a,
                         "N=%s.%s; echo '#include \"once/%s.h\"' >$N.%s; "
                         "%s %s -c $N.%s -o $N.o",
                         models[i], compiler, models[i], ext, compiler, options, ext));
    run(b, claim);
}

static void check_format(Batch *b)
{
    const char *claim = "clang-format has nothing to change";
    if (!has(b, "clang-format-19", claim))
        return;
    for (int i = 0; i < COUNT(models); i++)
        add(b,
            arena_printf(b->arena,
                         "for f in %s.c %s.h; do "
                         "clang-format-19 --style=file:\"$ROOT/.clang-format\" once/$f"
                         " | diff once/$f -; done",
                         models[i], models[i]));
    run(b, claim);
}

// The C library's four, and libm's as the runtime's contract lists them.
static void check_symbols(Batch *b, const char *name)
{
    const char *claim = "programs need memcpy, memset, memcmp, memmove and libm only";
    if (!has(b, "nm", claim))
        return;
    for (int i = 0; i < COUNT(models); i++)
        add(b,
            arena_printf(b->arena,
                         "for s in $(nm -u %s/%s.o | sed 's/.* U //'); do case $s in\n"
                         "memcpy | memset | memcmp | memmove) ;;\n"
                         "*) grep -q \" $s\\$\" libm || { echo $s; exit 1; } ;;\n"
                         "esac; done",
                         name, models[i]));
    run(b, claim);
}

static void check_together(Batch *b)
{
    Arena *a = b->arena;
    Text main;
    text_init(&main, a);
    for (int i = 0; i < COUNT(models); i++)
        text_printf(&main, "#include \"file/%s.h\"\n", models[i]);
    text_puts(&main, "int main(void) { return 0; }\n");
    add(b, arena_printf(a,
                        "cat >all.c <<'EOF'\n%sEOF\n"
                        "tcc all.c file/*.c -lm -lpthread -o all; ./all",
                        main.p));
    if (has(b, "tcc", "six models in one folder and one program"))
        run(b, "six models in one folder and one program");
    b->commands.n = 0;
}

static bool emit_levels_once(Batch *b)
{
    add(b, "M=\"$ROOT/tests/numeric/levels/bytes.tfx\"\n"
           "\"$TFXC\" init \"$M\" -o bytes.safetensors\n"
           "\"$TFXC\" \"$M\" --weights bytes.safetensors --dispatch "
           "--recipe 'quantize(\"**\", int8)' -o levels/bytes.c\n"
           "\"$TFXC\" state.tfx --weights state.safetensors --dispatch "
           "-o levels/state.c");
    return run(b, "two are made with --dispatch");
}

// With --dispatch: the same demands on every file.
static void check_levels(Batch *b, const char *name, const char *compiler)
{
    Arena *a = b->arena;
    const char *claim = arena_printf(a, "levels: %s has no warning to give", compiler);
    StrList first = {0};
    split_words(a, &first, compiler);
    if (!has(b, first.p[0], claim))
        return;
    for (int i = -1; target_row(i + 1); i++)
        if (i < 0 || target_is_level(target_row(i)))
            add(b, arena_printf(a,
                                "for M in bytes state; do N=${M}%s%s\n"
                                "    test ! -f levels/$N.c ||\n"
                                "        %s %s -c levels/$N.c -o levels/$N.%s.o\n"
                                "done",
                                i < 0 ? "" : "_", i < 0 ? "" : target_row(i)->name,
                                compiler, warnings, name));
    run(b, claim);
}

static void check_level_format(Batch *b)
{
    const char *claim = "levels: clang-format has nothing to change";
    if (!has(b, "clang-format-19", claim))
        return;
    add(b, "for f in levels/bytes*.[ch] levels/state*.[ch] levels/tfx_cpu.h; do\n"
           "    clang-format-19 --style=file:\"$ROOT/.clang-format\" $f | diff $f -\n"
           "done");
    run(b, claim);
}

int run_quality(Arena *a, const char *root)
{
    Batch b = {.arena = a, .root = root};
    add(&b, "mkdir -p once again file levels\n"
            "nm -D --defined-only \"$(gcc -print-file-name=libm.so.6)\" | "
            "sed 's/@.*//' >libm || : >libm");
    if (!run(&b, "folders") || !emit_twice(&b))
        return b.failed;
    check_same(&b);
    check_warnings(&b, "gcc-O2", "gcc -O2");
    check_warnings(&b, "clang", "clang-19 -O1");
    check_warnings(&b, "clang-v4", "clang-19 -O1 -march=x86-64-v4");
    check_header(&b, "gcc", "-std=c11 -Wall -Wextra -Wpedantic -Werror", "c");
    check_header(&b, "clang-19", "-std=c11 -Weverything -Werror", "c");
    check_header(&b, "tcc", "-std=c11 -Wall", "c");
    check_header(&b, "g++", "-Wall -Wextra -Wpedantic -Werror", "cc");
    if (!emit_levels_once(&b))
        return b.failed;
    check_levels(&b, "gcc", "gcc -O1");
    check_levels(&b, "clang", "clang-19 -O1");
    check_levels(&b, "tcc", "tcc");
    check_level_format(&b);
    check_format(&b);
    check_symbols(&b, "gcc-O2");
    check_together(&b);
    return b.failed;
}
