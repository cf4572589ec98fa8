// layers.c - the arrows: which folder may include which.
//
// Every #include "..." line of the source tree is held against the table. A path is taken
// from the project's root, or from the including file's folder.

#define _POSIX_C_SOURCE 200809L

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/base.h"
#include "compiler/infile.h"

// A file belongs to the first row whose prefix its path has.
typedef struct Layer {
    const char *path;
    const char *name;
    const char *may;  // names of layers it may include, its own always
} Layer;

// clang-format off
static const Layer layers[] = {
    {"tests/",                  "tests",    "*"},
    {"examples/",               "examples", "*"},
    {"bench/",                  "bench",    "*"},
    {"compiler/main.c",         "program",  "*"},
    {"compiler/cli/",           "program",  "*"},
    {"compiler/api.c",          "library",  "*"},
    {"compiler/tfxc.h",         "public",   ""},
    {"compiler/driver/glue.h",  "glue",     ""},
    {"compiler/driver/",        "driver",   "library emit lower ir diag base ast public weights glue settings formats targets cpu tune"},
    {"compiler/embed/",         "base",     ""},
    {"compiler/target",         "targets",  "base"},
    {"compiler/settings.",      "settings", "base targets"},
    {"compiler/verbs.def",      "settings", ""},
    {"compiler/options.def",    "settings", ""},
    {"compiler/job.",           "library",  "settings weights ir diag base ast parse sema formats tune"},
    {"compiler/stages.",        "library",  "settings weights ir diag base ast passes lower emit describe formats tune"},
    {"compiler/files.",         "library",  "settings weights ir diag base ast passes lower emit public formats tune"},
    {"compiler/describe.",      "describe", "ir diag base weights"},
    {"compiler/dot.",           "describe", "ir diag base"},
    {"compiler/astprint.",      "describe", "ast diag base"},
    {"compiler/runtime_text.",  "emit",     "base kernels"},
    {"compiler/emit",           "emit",     "lower ir diag base weights formats targets"},
    {"compiler/layout",         "lower",    "ir diag base weights formats"},
    {"compiler/pack",           "lower",    "ir diag base weights formats"},
    {"compiler/report.",        "lower",    "ir diag base weights formats"},
    {"compiler/tune.",          "tune",     "ir diag base formats"},
    {"compiler/lower",          "lower",    "ir diag base weights formats"},
    {"compiler/loop",           "lower",    "ir diag base formats"},
    {"compiler/plan",           "lower",    "ir diag base formats"},
    {"compiler/ops/",           "ops",      "ir diag base lower formats"},
    {"compiler/sema/",          "sema",     "ir diag base ast parse"},
    {"compiler/convert.",       "weights",  "base diag"},
    {"compiler/safetensors.",   "weights",  "base diag"},
    {"compiler/st_header.",     "weights",  "base diag"},
    {"compiler/stwriter.",      "weights",  "base diag"},
    {"compiler/weights",        "weights",  "base diag ir"},
    {"compiler/infile.",        "base",     ""},
    {"compiler/base.",          "base",     ""},
    {"compiler/dtype",          "base",     ""},
    {"compiler/diag",           "diag",     "base"},
    {"compiler/outfile.",       "diag",     "base"},
    {"compiler/",               "ir",       "diag base ops"},
    {"grammar/ast.h",           "ast",      "diag base"},
    {"grammar/parse.h",         "parse",    "ast diag base"},
    {"grammar/",                "parser",   "parse ast diag base"},
    {"passes/format",           "formats",  "base weights"},
    {"passes/",                 "passes",   "ir diag base formats"},
    {"runtime/cpu.h",           "cpu",      ""},
    {"runtime/kernels.def",     "kernels",  ""},
    {"runtime/",                "runtime",  ""},
};
// clang-format on

static const Layer *layer_of(const char *path)
{
    for (int i = 0; i < COUNT(layers); i++)
        if (strncmp(path, layers[i].path, strlen(layers[i].path)) == 0)
            return &layers[i];
    return NULL;
}

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *s = words; (s = strstr(s, word)) != NULL; s += n)
        if ((s == words || s[-1] == ' ') && (s[n] == ' ' || s[n] == '\0'))
            return true;
    return strcmp(words, "*") == 0;
}

typedef struct Walk {
    Arena *arena;
    const char *root;
    int files, includes;
} Walk;

static bool is_there(Walk *w, const char *path)
{
    struct stat st;
    return stat(arena_printf(w->arena, "%s/%s", w->root, path), &st) == 0;
}

// "compiler/sema/../ir.h" without its dots.
static const char *without_dots(Arena *a, const char *path)
{
    char *out = arena_strdup(a, path);
    for (char *dots; (dots = strstr(out, "/../")) != NULL;) {
        char *start = dots;
        while (start > out && start[-1] != '/')
            start--;
        memmove(start, dots + 4, strlen(dots + 4) + 1);
    }
    return out;
}

// The path of an include from the root on; NULL: made while building.
static const char *resolve(Walk *w, const char *from, const char *include)
{
    const char *slash = strrchr(from, '/');
    const char *near = without_dots(
        w->arena, arena_printf(w->arena, "%.*s%s", slash ? (int)(slash - from + 1) : 0,
                               from, include));
    if (is_there(w, near))
        return near;
    return is_there(w, include) ? include : NULL;
}

static void check_include(Walk *w, const char *from, int line, const char *include)
{
    const char *to = resolve(w, from, include);
    const Layer *a = layer_of(from), *b = to ? layer_of(to) : NULL;
    w->includes++;
    if (!to || !a)
        return;
    cr_expect(b, "%s:%d: %s belongs to no layer; tests/layers.c has the table", from,
              line, to);
    if (b)
        cr_expect(strcmp(a->name, b->name) == 0 || has_word(a->may, b->name),
                  "%s:%d: %s may not include %s (%s)", from, line, a->name, b->name,
                  to);
    // No op includes another op, no pass another pass: only what they share.
    bool sibling = (strcmp(b ? b->name : "", "ops") == 0 &&
                    strncmp(to, "compiler/ops/", 13) == 0) ||
                   strcmp(b ? b->name : "", "passes") == 0;
    size_t n = strlen(to);
    if (sibling)
        cr_expect(to[n - 1] != 'c', "%s:%d: %s is a neighbour", from, line, to);
}

static void check_file(Walk *w, const char *path)
{
    const char *text, *why;
    size_t n;
    int line = 0;
    cr_assert(file_read(w->arena, arena_printf(w->arena, "%s/%s", w->root, path), &text,
                        &n, &why));
    cr_expect(layer_of(path), "%s belongs to no layer; tests/layers.c has the table",
              path);
    w->files++;
    for (; *text; text += strcspn(text, "\n") + 1) {
        line++;
        const char *s = text;
        if (*s == '#') {
            s += 1 + strspn(s + 1, " ");
            if (strncmp(s, "include \"", 9) == 0)
                check_include(w, path, line,
                              arena_strndup(w->arena, s + 9, strcspn(s + 9, "\"\n")));
        }
        if (!text[strcspn(text, "\n")])
            break;
    }
}

static void walk(Walk *w, const char *folder)
{
    DIR *dir = opendir(arena_printf(w->arena, "%s/%s", w->root, folder));
    cr_assert(dir, "%s cannot be read", folder);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        const char *path = arena_printf(w->arena, "%s/%s", folder, e->d_name);
        const char *dot = strrchr(e->d_name, '.');
        struct stat st;
        if (e->d_name[0] == '.' ||
            stat(arena_printf(w->arena, "%s/%s", w->root, path), &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            walk(w, path);
        else if (dot && strstr(".c.h.y.l", dot) && strlen(dot) == 2)
            check_file(w, path);
    }
    closedir(dir);
}

Test(layers, includes_follow_the_arrows)
{
    static const char *const folders[] = {"compiler", "grammar", "passes", "runtime"};
    Walk w = {.arena = arena_new(), .root = getenv("TFXC_ROOT")};
    cr_assert(w.root, "TFXC_ROOT is not set: run this by meson test");
    for (int i = 0; i < COUNT(folders); i++)
        walk(&w, folders[i]);
    cr_expect(w.files > 50 && w.includes > 100, "only %d files were found", w.files);
    arena_free(w.arena);
}
