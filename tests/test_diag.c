// test_diag.c - messages as text, in colour and as JSON; places; codes.

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "compiler/diag.h"
#include "setup.h"

TestSuite(diag, .init = set_up, .fini = tear_down);

static uint32_t source(const char *name, const char *text)
{
    return diag_source(diag, name, text, strlen(text));
}

// The place of the first `word` in a source that begins at base.
static Loc find(uint32_t base, const char *text, const char *word)
{
    uint32_t at = (uint32_t)(strstr(text, word) - text);
    return (Loc){base + at, base + at + (uint32_t)strlen(word)};
}

static const char *print(DiagFormat format)
{
    Text t;
    text_init(&t, arena);
    diag_print(diag, format, &t);
    return t.p;
}

Test(diag, prints_as_the_header_draws_it)
{
    static const char text[] =
        "fn (x: f32[T, hidden], w: f32[768, 384]) {\n    h = x @ w\n";
    uint32_t base = source("model.tfx", text);
    diag_error(diag, find(base, text, "x @ w"), E0310,
               "matmul: inner sizes differ: %s @ %s", "f32[T, hidden=384]",
               "f32[768, 384]");
    diag_hint(diag, find(base, text, "w:"), "declare this f32[384, 768], or write w'");
    cr_expect_str_eq(print(DIAG_TEXT),
                     "model.tfx:2:9: error[E0310]: matmul: inner sizes differ: "
                     "f32[T, hidden=384] @ f32[768, 384]\n"
                     "    2 |     h = x @ w\n"
                     "      |         ^~~~~\n"
                     "model.tfx:1:24: hint: declare this f32[384, 768], or write w'\n");
    cr_expect_eq(diag_errors(diag), 1);
    cr_expect_eq(diag_count(diag), 2);
    cr_expect_eq(diag_message(diag, 1)->code, E0310);
}

Test(diag, orders_by_place_and_says_things_once)
{
    static const char a[] = "one two\nthree\n", b[] = "four\n";
    uint32_t pa = source("a.tfx", a), pb = source("b.tfx", b);
    diag_error(diag, (Loc){0, 0}, E0001, "no place");
    diag_error(diag, find(pb, b, "four"), E0201, "4");
    diag_error(diag, find(pa, a, "three"), E0201, "3");
    diag_hint(diag, (Loc){0, 0}, "about 3");
    diag_warning(diag, find(pa, a, "one"), E0201, "1");
    diag_error(diag, find(pa, a, "three"), E0201, "3");
    diag_hint(diag, (Loc){0, 0}, "about 3");
    diag_error(diag, find(pa, a, "two"), E0201, "2");
    cr_expect_str_eq(print(DIAG_TEXT), "a.tfx:1:1: warning[E0201]: 1\n"
                                       "    1 | one two\n"
                                       "      | ^~~\n"
                                       "a.tfx:1:5: error[E0201]: 2\n"
                                       "    1 | one two\n"
                                       "      |     ^~~\n"
                                       "a.tfx:2:1: error[E0201]: 3\n"
                                       "    2 | three\n"
                                       "      | ^~~~~\n"
                                       "a.tfx:2:1: hint: about 3\n"
                                       "b.tfx:1:1: error[E0201]: 4\n"
                                       "    1 | four\n"
                                       "      | ^~~~\n"
                                       "tfxc: error[E0001]: no place\n");
    cr_expect_eq(diag_errors(diag), 4);
}

typedef struct Caret {
    const char *text, *word, *want;
} Caret;

Test(diag, puts_the_caret_under_tabs_and_utf8)
{
    static const Caret cases[] = {
        {"\tab\tc", "c",
         "a:1:5: error[E0101]: m\n    1 |     ab  c\n      |         ^\n"},
        {"\xc3\xa9\xe4\xb8\xad x", "x",
         "a:1:4: error[E0101]: m\n    1 | \xc3\xa9\xe4\xb8\xad x\n      |     ^\n"},
        {"\xff\xc3 x", "x",
         "a:1:4: error[E0101]: m\n    1 | \xef\xbf\xbd\xef\xbf\xbd x\n      |    ^\n"},
        {"a\033[1m b\r\n", "b",
         "a:1:7: error[E0101]: m\n    1 | a?[1m b\n      |       ^\n"},
        {"one two\nthree", "two\nth",
         "a:1:5: error[E0101]: m\n    1 | one two\n"
         "      |     ^~~\n"},
        {"end\n", "\n", "a:1:4: error[E0101]: m\n    1 | end\n      |    ^\n"},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        diag = diag_new(arena);
        uint32_t base = source("a", cases[i].text);
        diag_error(diag, find(base, cases[i].text, cases[i].word), E0101, "m");
        cr_expect_str_eq(print(DIAG_TEXT), cases[i].want);
    }
}

Test(diag, places_at_the_ends_are_places)
{
    uint32_t empty = source("empty.tfx", ""), base = source("a.tfx", "x\n");
    diag_error(diag, (Loc){empty, empty}, E0101, "nothing here");
    diag_error(diag, (Loc){base + 2, base + 2}, E0101, "ends too early");
    diag_error(diag, (Loc){base + 100, base + 200}, E0101, "outside");
    diag_error(diag, (Loc){base + 1, base}, E0101, "backwards");
    cr_expect_str_eq(print(DIAG_TEXT),
                     "empty.tfx:1:1: error[E0101]: nothing here\n    1 |\n      | ^\n"
                     "a.tfx:1:2: error[E0101]: backwards\n    1 | x\n      |  ^\n"
                     "a.tfx:2:1: error[E0101]: ends too early\n    2 |\n      | ^\n"
                     "tfxc: error[E0101]: outside\n");
    cr_expect_null(diag_place(diag, (Loc){0, 0}).file);
    cr_expect_str_eq(diag_text(diag, (Loc){base, base + 1}, arena), "x");
    cr_expect_str_eq(diag_text(diag, (Loc){base, base + 999}, arena), "x\n");
    cr_expect_str_eq(diag_text(diag, (Loc){0, 0}, arena), "");
}

Test(diag, a_file_without_text_has_no_lines)
{
    uint32_t at = diag_source(diag, "model.safetensors", NULL, 0);
    diag_error(diag, (Loc){at, at}, E0601, "no tensor `\001x`");
    cr_expect_str_eq(print(DIAG_TEXT),
                     "model.safetensors: error[E0601]: no tensor `\\x01x`\n");
}

Test(diag, long_lines_are_shown_in_part)
{
    char *text = arena_alloc(arena, 100001);
    memset(text, 'a', 100000);
    text[70000] = 'b';
    uint32_t base = source("long", text);
    diag_error(diag, (Loc){base + 70000, base + 70001}, E0101, "m");
    const char *out = print(DIAG_TEXT);
    cr_expect_lt(strlen(out), 600);
    const char *line = strstr(out, "| ") + 2, *mark = strstr(line, "| ") + 2;
    cr_expect_eq(strchr(line, 'b') - line, strchr(mark, '^') - mark);
}

Test(diag, json_is_json)
{
    static const char text[] = "let \"q\" = \xc3\xa9 + 1\nmore\n";
    uint32_t base = source("a \"b\".tfx", text);
    diag_error(diag, find(base, text, "+ 1\nmo"), E0101, "say \"no\"\n\xff");
    diag_hint(diag, (Loc){0, 0}, "tab\there");
    diag_warning(diag, (Loc){0, 0}, E0001, "nowhere");
    char *out = arena_strdup(arena, print(DIAG_JSON));
    json_error_t why;
    char *end = strchr(out, '\n');
    *end = '\0';
    json_t *j = json_loads(out, 0, &why);
    cr_assert_not_null(j, "%s: %s", why.text, out);
    cr_expect_str_eq(json_string_value(json_object_get(j, "file")), "a \"b\".tfx");
    cr_expect_eq(json_integer_value(json_object_get(j, "line")), 1);
    cr_expect_eq(json_integer_value(json_object_get(j, "column")), 13);
    cr_expect_eq(json_integer_value(json_object_get(j, "end_line")), 2);
    cr_expect_eq(json_integer_value(json_object_get(j, "end_column")), 3);
    cr_expect_str_eq(json_string_value(json_object_get(j, "severity")), "error");
    cr_expect_str_eq(json_string_value(json_object_get(j, "code")), "E0101");
    cr_expect_str_eq(json_string_value(json_object_get(j, "message")),
                     "say \"no\"\n\xef\xbf\xbd");
    json_t *hint = json_array_get(json_object_get(j, "hints"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(hint, "message")), "tab\there");
    json_decref(j);
    j = json_loads(end + 1, 0, &why);
    cr_assert_not_null(j, "%s: %s", why.text, end + 1);
    cr_expect(json_is_null(json_object_get(j, "file")));
    json_decref(j);
}

Test(diag, colour_adds_nothing_but_escapes)
{
    static const char text[] = "let x\n";
    uint32_t base = source("a.tfx", text);
    diag_error(diag, find(base, text, "x"), E0101, "m");
    diag_hint(diag, (Loc){0, 0}, "h");
    const char *plain = print(DIAG_TEXT), *color = print(DIAG_COLOR);
    char *stripped = arena_alloc(arena, strlen(color) + 1), *to = stripped;
    for (const char *p = color; *p != '\0'; p++) {
        if (*p == '\033')
            p = strchr(p, 'm');
        else
            *to++ = *p;
    }
    cr_expect_str_eq(stripped, plain);
    cr_expect_str_neq(color, plain);
}

Test(diag, codes_are_found_and_explained)
{
    DiagCode c;
    cr_expect(diag_code_find("E0310", &c) && c == E0310);
    cr_expect(diag_code_find("e0601", &c) && c == E0601);
    cr_expect_not(diag_code_find("E9999", &c));
    cr_expect_not(diag_code_find("", &c));
    cr_expect_not(diag_code_find("0310", &c));
    for (int i = 0; i < DIAG_COUNT; i++) {
        const char *name = diag_code_name((DiagCode)i);
        cr_expect(strlen(name) == 5 && name[0] == 'E', "%s", name);
        cr_expect(strlen(diag_code_title((DiagCode)i)) > 5, "%s", name);
        cr_expect(strlen(diag_code_text((DiagCode)i)) > 20, "%s", name);
    }
}
