// test_grammar.c - the parser's messages, its limits, and the canonical format.
//
// tests/errors/syntax-*.tfx are a source, then every message about it, one a line after
// //! tests/fmt/*.tfx are a source, a line //!, then its canonical form. UPDATE=1
// rewrites what follows the first //! of each.

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trees.h"

TestSuite(grammar, .init = set_up, .fini = tear_down);

// ---- files --------------------------------------------------------------------------

static const char *path_of(const char *folder, const char *name)
{
    const char *root = getenv("TFXC_ROOT");
    return arena_printf(arena, "%s/%s/%s", root ? root : ".", folder, name);
}

static Text read_file(const char *path)
{
    Text t;
    text_init(&t, arena);
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s", path);
    char buf[4096];
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
        text_put(&t, buf, n);
    fclose(f);
    return t;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef VEC(char *) NamesOfFiles;

static NamesOfFiles files(const char *folder, const char *prefix)
{
    NamesOfFiles list = {0};
    DIR *d = opendir(path_of(folder, ""));
    cr_assert(d, "%s", folder);
    for (struct dirent *e; (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && n > 4 &&
            strcmp(e->d_name + n - 4, ".tfx") == 0)
            vec_push(arena, &list, arena_strdup(arena, e->d_name));
    }
    closedir(d);
    if (list.n > 0)
        qsort(list.p, (size_t)list.n, sizeof *list.p, by_name);
    return list;
}

// Where the line //! begins; the end if there is none.
static size_t find_mark(const Text *t)
{
    const char *at = strncmp(t->p, "//!", 3) == 0 ? t->p : strstr(t->p, "\n//!");
    return !at ? t->n : at == t->p ? 0 : (size_t)(at + 1 - t->p);
}

static void update(const char *path, const Text *t, size_t source, const char *mark,
                   const char *rest)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f, "%s", path);
    fwrite(t->p, 1, source, f);
    bool ended = source == 0 || t->p[source - 1] == '\n';
    fprintf(f, "%s%s%s", ended ? "" : "\n", mark, rest);
    fclose(f);
}

// ---- messages -----------------------------------------------------------------------

static const char *messages(const char *text, size_t n)
{
    Diag *d = diag_new(arena);
    parse(d, text, n);
    Text t;
    text_init(&t, arena);
    for (int i = 0; i < diag_count(d); i++) {
        const Message *m = diag_message(d, i);
        Place at = diag_place(d, m->loc);
        const char *what = m->severity == SEV_HINT      ? "hint"
                           : m->severity == SEV_WARNING ? "warning "
                                                        : "error ";
        text_printf(&t, "//! %d:%d %s%s: %s\n", at.line, at.column, what,
                    m->severity == SEV_HINT ? "" : diag_code_name(m->code), m->text);
    }
    return t.n > 0 ? t.p : "";
}

Test(grammar, says_what_the_error_cases_say)
{
    NamesOfFiles list = files("tests/errors", "syntax-");
    cr_assert(list.n > 0);
    for (int i = 0; i < list.n; i++) {
        const char *path = path_of("tests/errors", list.p[i]);
        Text t = read_file(path);
        size_t source = find_mark(&t);
        const char *got = messages(t.p, source);
        if (getenv("UPDATE"))
            update(path, &t, source, "", got);
        else
            cr_expect(strcmp(got, t.p + source) == 0, "%s:\n%s", list.p[i], got);
    }
}

// ---- format -------------------------------------------------------------------------

static const char *format(const char *text, size_t n)
{
    Diag *d = diag_new(arena);
    Text out;
    text_init(&out, arena);
    cr_expect(tfx_format(arena, d, "case.tfx", text, n, &out));
    return out.n > 0 ? out.p : "";
}

static void check_format(const char *name, const char *text, size_t n)
{
    const char *once = format(text, n);
    const char *twice = format(once, strlen(once));
    cr_expect(strcmp(once, twice) == 0, "%s: formatted twice:\n%s", name, twice);
    cr_expect(strcmp(tree_of(text, n), tree_of(once, strlen(once))) == 0,
              "%s: another tree:\n%s", name, once);
}

Test(grammar, formats_the_cases_as_they_say)
{
    NamesOfFiles list = files("tests/fmt", "");
    cr_assert(list.n > 0);
    for (int i = 0; i < list.n; i++) {
        const char *path = path_of("tests/fmt", list.p[i]);
        Text t = read_file(path);
        size_t source = find_mark(&t);
        const char *want = source < t.n ? t.p + source + 4 : "";
        const char *got = format(t.p, source);
        if (getenv("UPDATE"))
            update(path, &t, source, "//!\n", got);
        else
            cr_expect(strcmp(got, want) == 0, "%s:\n%s", list.p[i], got);
        check_format(list.p[i], t.p, source);
    }
}

Test(grammar, the_models_and_the_library_are_canonical)
{
    static const char *const folders[] = {"grammar/std", "examples/models"};
    for (int k = 0; k < COUNT(folders); k++) {
        NamesOfFiles list = files(folders[k], "");
        cr_assert(list.n > 0);
        for (int i = 0; i < list.n; i++) {
            Text t = read_file(path_of(folders[k], list.p[i]));
            cr_expect(strcmp(format(t.p, t.n), t.p) == 0, "%s", list.p[i]);
            check_format(list.p[i], t.p, t.n);
        }
    }
}

Test(grammar, the_reference_shows_canonical_text)
{
    Text t = read_file(path_of("docs", "language.md"));
    char *at = strstr(t.p, "```\ntfx 1;");
    cr_assert(at);
    at += 4;
    size_t n = (size_t)(strstr(at, "```") - at);
    cr_expect(strcmp(format(at, n), arena_strndup(arena, at, n)) == 0);
}

// ---- trees --------------------------------------------------------------------------

// The tree of `config a = expr`.
static const Expr *expr(const char *text)
{
    const char *s = arena_printf(arena, "tfx 1; config a = %s", text);
    Diag *d = diag_new(arena);
    const File *f = parse(d, s, strlen(s));
    cr_assert(diag_errors(d) == 0 && f->items.n == 1, "%s", text);
    return f->items.p[0]->value;
}

static bool same(const char *a, const char *b)
{
    Text s, t;
    text_init(&s, arena);
    text_init(&t, arena);
    dump(&s, expr(a));
    dump(&t, expr(b));
    return strcmp(s.p, t.p) == 0;
}

Test(grammar, binds_operators_as_the_reference_says)
{
    cr_expect(same("a | b & c < d + e * -f ** g.h'",
                   "a | (b & (c < (d + (e * (-(f ** ((g.h)')))))))"));
    cr_expect(same("a - b - c", "(a - b) - c"));
    cr_expect(same("a @ b / c * d", "((a @ b) / c) * d"));
    cr_expect(same("a ** b ** c", "a ** (b ** c)"));
    cr_expect(same("a * -1e-5", "a * (-1e-5)"));
    cr_expect(same("f(x)(y)[i]'", "(((f(x))(y))[i])'"));
    cr_expect(!same("(a, b)", "[a, b]"));
    cr_expect(!same("-a ** b", "(-a) ** b"));
}

Test(grammar, reads_numbers_and_strings)
{
    cr_expect(expr("9223372036854775807")->integer == INT64_MAX);
    cr_expect(expr("2.5e-3")->number == 2.5e-3);
    cr_expect(expr("1e5")->kind == EX_FLOAT);
    cr_expect(expr("25%")->number == 0.25);
    cr_expect_str_eq(expr("1e-05")->text, "1e-05");
    cr_expect_str_eq(expr("\"a\\n\\t\\\"\\\\\\u{e9}\\u{1F600}\"")->text,
                     "a\n\t\"\\\xC3\xA9\xF0\x9F\x98\x80");
    cr_expect_str_eq(expr("\"\"")->text, "");
}

Test(grammar, every_soft_keyword_is_a_name)
{
    static const char *const soft[] = {
        "tfx",   "config", "dim",    "weights", "import",    "block",  "entry",
        "state", "const",  "in",     "when",    "from",      "ragged", "at",
        "by",    "total",  "extern", "op",      "tokenizer", "recipe"};
    for (int i = 0; i < COUNT(soft); i++) {
        const char *w = soft[i];
        const char *s = arena_printf(
            arena,
            "tfx 1; config %s = 1 dim %s in 0..%s block %s(%s) { %s: f32[%s] %s[%s < 2]: %s "
            "fn %s(%s: f32) -> %s: f32 { let %s = %s let dim %s in 1..2 %s = %s.%s "
            "for %s in %s { %s[%s] = %s(%s = %s) } return scan %s in %s from %s = %s { "
            "yield %s } } }",
            w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w,
            w, w, w, w, w, w);
        check_format(w, s, strlen(s));
    }
}

Test(grammar, places_are_those_of_the_text)
{
    static const char text[] = "tfx 1; config a = f(x) + 12";
    Diag *d = diag_new(arena);
    diag_source(d, "before.tfx", "12345", 5);
    const Expr *e = parse(d, text, strlen(text))->items.p[0]->value;
    cr_expect_str_eq(diag_text(d, e->loc, arena), "f(x) + 12");
    cr_expect_str_eq(diag_text(d, e->op_loc, arena), "+");
    cr_expect_str_eq(diag_text(d, e->a->loc, arena), "f(x)");
    cr_expect_str_eq(diag_text(d, e->b->loc, arena), "12");
    cr_expect(diag_place(d, e->b->loc).column == 26);
}

// ---- limits -------------------------------------------------------------------------

static int errors_of(const char *before, const char *part, int times, const char *after)
{
    Text t;
    text_init(&t, arena);
    text_puts(&t, before);
    for (int i = 0; i < times; i++)
        text_puts(&t, part);
    text_puts(&t, after);
    Diag *d = diag_new(arena);
    parse(d, t.p, t.n);
    for (int i = 0; i < diag_count(d); i++)
        cr_expect(diag_message(d, i)->code == E0104, "%s", diag_message(d, i)->text);
    return diag_errors(d);
}

Test(grammar, nesting_too_deep_is_one_message)
{
    static const char a[] = "tfx 1; config a = ";
    static const char b[] = "tfx 1; block A { fn (x: f32) -> f32 { ";
    static const char *const parts[] = {"(",     "[",         "f(",
                                        "x[",    "1 + ",      "-",
                                        "2 ** ", "f(a, b = ", "scan a in b from c = "};
    for (int i = 0; i < COUNT(parts); i++)
        cr_expect(errors_of(a, parts[i], 100000, "1") == 1, "%s", parts[i]);
    cr_expect(errors_of(a, "a'", 1, "") == 0);
    cr_expect(errors_of("tfx 1; config a = b", "'", 100000, "") == 1);
    cr_expect(errors_of("tfx 1; config a = b", ".c", 100000, "") == 1);
    cr_expect(errors_of("tfx 1; config a = b", "(c)", 100000, "") == 1);
    cr_expect(errors_of(b, "if a { } else ", 100000, "{ } return x } }") == 1);
    cr_expect(errors_of(b, "if a { ", 100000, "") == 1);
    cr_expect(errors_of(b, "for a in b { ", 100000, "") == 1);
}

Test(grammar, long_is_not_deep)
{
    cr_expect(errors_of("tfx 1; config a = [0", ", 1", 100000, "]") == 0);
    cr_expect(errors_of("tfx 1; config a = 1", " config b = (((2)))", 20000, "") == 0);
    cr_expect(errors_of("tfx 1; block A { fn (x: f32) -> f32 { ", "x = x + 1 ", 50000,
                        "return x } }") == 0);
    cr_expect(errors_of("tfx 1; config a = 0", " + 1", 480, "") == 0);
}

// ---- whatever comes -----------------------------------------------------------------

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

// Cuts, doubled and swapped pieces of a model: never a crash; what still parses
// formats.
Test(grammar, survives_mutations, .timeout = 60)
{
    uint32_t seed = 1;
    NamesOfFiles list = files("tests/fmt", "");
    for (int i = 0; i < list.n; i++) {
        Arena *outer = arena;
        Text t = read_file(path_of("tests/fmt", list.p[i]));
        for (int k = 0; k < 300; k++) {
            arena = arena_new();
            char *s = arena_strndup(arena, t.p, t.n);
            size_t at = next(&seed) % t.n, n = next(&seed) % 12;
            size_t from = next(&seed) % t.n;
            n = at + n > t.n ? t.n - at : n;
            n = from + n > t.n ? t.n - from : n;
            memmove(s + at, s + from, n);
            size_t len = k % 3 == 0 ? at : t.n;
            Diag *d = diag_new(arena);
            parse(d, s, len);
            if (diag_errors(d) == 0)
                check_format(list.p[i], s, len);
            arena_free(arena);
        }
        arena = outer;
    }
}

// The same words with other blanks and comments between them.
static const char *scramble(const char *text, uint32_t *seed)
{
    static const char *const blanks[] = {
        " ", "  ", "\n", "\n\n", " // c\n", "\n\n// d\n\n", "\t", "\n// e\n// f\n"};
    Text t;
    text_init(&t, arena);
    for (const char *s = text; *s;) {
        size_t n = strspn(s, " \n");
        if (n > 0) {
            const char *with = blanks[next(seed) % COUNT(blanks)];
            text_puts(&t, next(seed) % 4 == 0 ? with : *s == '\n' ? "\n" : " ");
        } else if (*s == '"') {
            n = strcspn(s + 1, "\"") + 2;
            text_put(&t, s, n);
        } else if (s[0] == '/' && s[1] == '/') {
            n = strcspn(s, "\n") + 1;
            text_put(&t, s, n);
        } else {
            n = 1;
            text_put(&t, s, 1);
        }
        s += n;
    }
    return t.p;
}

Test(grammar, any_layout_has_the_same_tree_and_formats, .timeout = 60)
{
    uint32_t seed = 7;
    NamesOfFiles list = files("tests/fmt", "");
    for (int i = 0; i < list.n; i++) {
        Arena *outer = arena;
        Text t = read_file(path_of("tests/fmt", list.p[i]));
        t.p[find_mark(&t)] = '\0';
        const char *want = tree_of(t.p, strlen(t.p));
        for (int k = 0; k < 100; k++) {
            arena = arena_new();
            const char *s = scramble(t.p, &seed);
            cr_expect(strcmp(tree_of(s, strlen(s)), want) == 0, "%s", s);
            check_format(list.p[i], s, strlen(s));
            arena_free(arena);
        }
        arena = outer;
    }
}

Test(grammar, running_out_of_memory_comes_back_to_the_guard)
{
    Text t = read_file(path_of("tests/fmt", "statements.tfx"));
    volatile bool failed = true;
    for (long n = 1; failed; n += n / 8 + 1) {
        Arena *a = arena_new();
        Guard g;
        arena_fail_after(n);
        if (GUARD_SET(&g)) {
            cr_expect(g.out_of_memory);
        } else {
            Diag *d = diag_new(a);
            Text out;
            text_init(&out, a);
            tfx_format(a, d, "case.tfx", t.p, t.n, &out);
            guard_drop(&g);
            failed = false;
        }
        arena_fail_after(0);
        arena_free(a);
    }
}
