// complete.c - nothing is registered without its doc, its test and its case.
//
// Each .def is read again here, as rows; a row that lacks something is named.

#define _POSIX_C_SOURCE 200809L

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/embed/embed.h"
#include "compiler/infile.h"
#include "compiler/loop.h"
#include "compiler/ops.h"
#include "compiler/settings.h"
#include "compiler/target.h"
#include "compiler/tune.h"
#include "passes/format.h"
#include "passes/pass.h"

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(complete, .init = set_up, .fini = tear_down);

static const char *path_of(const char *path)
{
    const char *root = getenv("TFXC_ROOT");
    cr_assert(root, "TFXC_ROOT is not set: run this by meson test");
    return arena_printf(arena, "%s/%s", root, path);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path_of(path), &st) == 0;
}

// All texts below a folder of the project, one behind the other.
static void gather(const char *folder, Text *out)
{
    DIR *dir = opendir(path_of(folder));
    cr_assert(dir, "%s cannot be read", folder);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        const char *text, *why, *path = arena_printf(arena, "%s/%s", folder, e->d_name);
        struct stat st;
        size_t n;
        if (e->d_name[0] == '.' || stat(path_of(path), &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            gather(path, out);
        } else if (st.st_size < 1 << 20 && strcmp(e->d_name, "complete.c") != 0 &&
                   file_read(arena, path_of(path), &text, &n, &why)) {
            text_puts(out, text);
            text_puts(out, "\n");
        }
    }
    closedir(dir);
}

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    for (const char *s = text; (s = strstr(s, word)) != NULL; s += n)
        if ((s == text || !strchr(letters, s[-1])) && (!s[n] || !strchr(letters, s[n])))
            return true;
    return false;
}

static void check_doc(const char *what, const char *name, const char *doc)
{
    cr_expect(doc && strlen(doc) >= 2, "%s %s has no doc", what, name);
    cr_expect(!doc || !*doc || doc[strlen(doc) - 1] != ' ',
              "%s %s: a blank ends its doc", what, name);
}

Test(complete, every_op_has_its_doc_file_and_test)
{
    Text tests;
    text_init(&tests, arena);
    gather("tests", &tests);
    for (int i = 0; i < OP_COUNT; i++) {
        const OpInfo *o = &op_info[i];
        check_doc("op", o->name, o->doc);
        if (o->class == OPC_OP)
            cr_expect(is_file(arena_printf(arena, "compiler/ops/%s.c", o->name)),
                      "op %s has no file", o->name);
        if (o->class == OPC_MAP)
            cr_expect(o->expr && *o->expr, "op %s has no expression", o->name);
        else
            cr_expect(has_word(tests.p, o->name), "op %s is in no test", o->name);
    }
}

Test(complete, every_pass_has_its_doc_file_and_cases)
{
    for (int i = 0; pass_row(i); i++) {
        const PassInfo *p = pass_row(i);
        check_doc("pass", p->name, p->doc);
        cr_expect(is_file(arena_printf(arena, "passes/%s.c", p->name)),
                  "pass %s has no file", p->name);
        cr_expect(is_file(arena_printf(arena, "tests/passes/%s.txt", p->name)),
                  "pass %s has no cases", p->name);
    }
}

// Each rate counts, and bytes are those of the format.
static void check_cost(const FormatInfo *f)
{
    const FormatSize w = {96, 64, format_blocks(96, 64)};
    const FormatRates rates[] = {
        {.weight = {1, 1, 1}}, {.wait = {1, 1, 1}}, {.x = 1}, {.y = 1}};
    cr_assert(f->cost, "format %s has no cost", f->name);
    const double least[] = {96 * 64, (double)f->bytes(&w), 64, 96};
    for (int i = 0; i < COUNT(rates); i++)
        cr_expect(f->cost(&w, 1, &rates[i]) >= least[i], "format %s: rate %d: %g",
                  f->name, i, f->cost(&w, 1, &rates[i]));
}

Test(complete, every_format_has_its_doc_file_cost_and_test)
{
    Text tests, page;
    text_init(&tests, arena);
    text_init(&page, arena);
    gather("tests", &tests);
    gather("docs", &page);
    for (int i = FORMAT_plain + 1; i < FORMAT_COUNT; i++) {
        const FormatInfo *f = &format_info[i];
        check_doc("format", f->name, f->doc);
        cr_expect(is_file(arena_printf(arena, "passes/formats/%s.c", f->name)),
                  "format %s has no file", f->name);
        cr_expect(f->bytes && f->pack && f->mean, "format %s has no meaning", f->name);
        check_cost(f);
        cr_expect(has_word(tests.p, f->name), "format %s is in no test", f->name);
        cr_expect(strstr(page.p, arena_printf(arena, "`%s`", f->name)),
                  "docs/ says nothing of the format %s", f->name);
    }
}

Test(complete, every_target_has_its_doc_and_every_level_its_test_of_the_processor)
{
    Text page, tests;
    const char *cpu = embedded_find("cpu.h")->text;
    text_init(&page, arena);
    text_init(&tests, arena);
    gather("docs", &page);
    gather("tests/cli", &tests);
    for (int i = 0; target_row(i); i++) {
        const Target *t = target_row(i);
        check_doc("target", t->name, t->doc);
        cr_expect(has_word(tests.p, t->name), "target %s is in no case", t->name);
        if (!target_is_level(t))
            continue;
        cr_expect(strstr(page.p, arena_printf(arena, "| `%s` |", t->name)),
                  "docs/ says nothing of the level %s", t->name);
        cr_expect(strstr(cpu, arena_printf(arena, "define TFX_LEVEL_%s ", t->name)) &&
                      strstr(cpu, arena_printf(arena, "TFX_CPU_%s = ", t->name)),
                  "runtime/cpu.h does not know the level %s", t->name);
        cr_expect(!*t->over || target_find(t->over), "level %s is over no level",
                  t->name);
    }
}

Test(complete, every_code_is_explained_and_tested)
{
    static const char *const costly[] = {"E0111"};  // a source of 2^30 bytes
    Text tests;
    text_init(&tests, arena);
    gather("tests", &tests);
    for (int i = 0; i < DIAG_COUNT; i++) {
        const char *name = diag_code_name((DiagCode)i);
        const char *title = diag_code_title((DiagCode)i);
        const char *text = diag_code_text((DiagCode)i);
        check_doc("code", name, title);
        cr_expect(title[strlen(title) - 1] != '.', "%s: the title ends in a full stop",
                  name);
        cr_expect(strlen(text) > 30 && text[strlen(text) - 1] == '.',
                  "%s: the explanation is no sentence", name);
        bool is_costly = false;
        for (int k = 0; k < COUNT(costly); k++)
            is_costly = is_costly || strcmp(name, costly[k]) == 0;
        cr_expect(is_costly || strstr(tests.p, name), "no test expects %s (%s)", name,
                  title);
    }
}

Test(complete, every_verb_and_option_has_help_and_a_case)
{
    Text cases, page;
    text_init(&cases, arena);
    text_init(&page, arena);
    gather("tests/cli", &cases);
    for (int i = 1; i < VERB_COUNT; i++) {
        check_doc("verb", verb_info[i].name, verb_info[i].summary);
        cr_expect(strstr(cases.p, arena_printf(arena, "tfxc %s", verb_info[i].name)),
                  "no case calls %s", verb_info[i].name);
    }
    for (int i = 0; i < OPTION_COUNT; i++) {
        const OptionInfo *o = &option_info[i];
        check_doc("option", o->name, o->help);
        bool used =
            strstr(cases.p, arena_printf(arena, "--%s", o->name)) != NULL ||
            (o->letter && strstr(cases.p, arena_printf(arena, " -%c", o->letter)));
        if (i == OPTION_depend || i == OPTION_depend_file)
            used = strstr(cases.p, i == OPTION_depend ? "-MD" : "-MF") != NULL;
        cr_expect(used, "no case uses --%s", o->name);
    }
}

Test(complete, every_choice_of_tune_is_a_macro_with_its_default_and_doc)
{
    Text runtime, page;
    text_init(&runtime, arena);
    text_init(&page, arena);
    gather("runtime", &runtime);
    gather("docs", &page);
    for (int i = 0; i < TUNE_COUNT; i++) {
        const TuneInfo *t = &tune_info[i];
        check_doc("choice", t->name, t->doc);
        cr_expect(strstr(runtime.p, arena_printf(arena, "ifndef %s", t->macro)) &&
                      strstr(runtime.p, arena_printf(arena, "define %s %lld\n",
                                                     t->macro, (long long)t->standard)),
                  "the runtime has no default %lld for %s", (long long)t->standard,
                  t->macro);
        cr_expect(strstr(page.p, arena_printf(arena, "`%s N` | %s | %lld |", t->name,
                                              t->doc, (long long)t->standard)),
                  "docs/tune.md does not say what %s is", t->name);
        for (const char *s = t->tried; *s; s += strspn(s, " ")) {
            char *end;
            long long v = strtoll(s, &end, 10);
            cr_expect(end > s && v >= t->lo && v <= t->hi && v % t->by == 0 &&
                          v != t->standard,
                      "%s: %lld is tried", t->name, v);
            s = end;
        }
    }
    for (int i = 0; i < TUNE_PASSES; i++)
        cr_expect(strstr(page.p, arena_printf(arena, "`%s`", tune_pass[i])),
                  "docs/tune.md does not say that %s may be left out", tune_pass[i]);
}

Test(complete, every_part_of_the_runtime_is_embedded_and_tested)
{
    static const char *const parts[][4] = {
#define KERNEL(name, file, needs, doc)   {#name, file, needs, ""},
#define PACKED(name, file, needs, doc)   {#name, file, needs, "packed"},
#define TILES(name, file, needs, doc)    {#name, file, needs, "tiles"},
#define TEMPLATE(name, file, needs, doc) {#name, file, needs, "packed"},
#include "runtime/kernels.def"
#undef KERNEL
#undef PACKED
#undef TILES
#undef TEMPLATE
    };
    Text tests;
    text_init(&tests, arena);
    gather("tests/kernels", &tests);
    int tiles = 0;  // the first part of them, where tfx_rt.h includes the others too
    while (strcmp(parts[tiles][3], "tiles") != 0)
        tiles++;
    for (int i = 0; i < COUNT(parts); i++)
        for (int k = 0; k < COUNT(parts); k++) {
            bool above = k < i && (k < tiles || strcmp(parts[i][3], "tiles") != 0 ||
                                   !strcmp(parts[k][3], "tiles"));
            cr_expect(above || !has_word(parts[i][2], parts[k][0]),
                      "kernel part %s needs %s, which comes after it", parts[i][0],
                      parts[k][0]);
        }
    for (int i = 0; i < COUNT(parts); i++) {
        const Embedded *e = embedded_find(parts[i][1]);
        cr_expect(e && e->size == strlen(e->text), "%s is not embedded", parts[i][1]);
        bool used = has_word(tests.p, parts[i][0]);  // itself, or in one that needs it
        for (int k = 0; k < COUNT(parts); k++)
            used = used || (has_word(parts[k][2], parts[i][0]) &&
                            has_word(tests.p, parts[k][0]));
        cr_expect(used, "kernel part %s is in no test", parts[i][0]);
    }
    cr_expect(embedded_find("tfx.h") && embedded_find("std/nn.tfx"));
    cr_expect(!embedded_find("nothing.h"));
}

// A program called like a function that linear.h makes would not compile.
Test(complete, functions_of_the_linear_template_are_no_names_of_programs)
{
    const Embedded *e = embedded_find("kernels/linear.h");
    int n = 0;
    cr_assert(e);
    for (const char *at = e->text; (at = strstr(at, "(TFX_LINEAR,")) != NULL; at++) {
        at += strlen("(TFX_LINEAR,");
        at += strspn(at, " \n");
        const char *name = arena_printf(arena, "linear%.*s", (int)strcspn(at, ")"), at);
        Module m = {.name = name};
        cr_expect(strcmp(c_prefix(arena, &m), name) != 0, "%s is free to be taken",
                  name);
        n++;
    }
    cr_expect(n > 5, "only %d functions", n);
}
