// test_api.c - libtfxc through its public header alone.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/tfxc.h"

static const char model[] =
    "tfx 1;\n"
    "config d = 4\n"
    "dim T in 1..8\n"
    "block M {\n"
    "    w: f32[d, 8]\n"
    "    entry f(x: f32[T, 8]) -> y: f32[T, d] { return x @ w' }\n"
    "}\n";

static tfxc *with_model(void)
{
    tfxc *t = tfxc_new();
    cr_assert(t);
    cr_assert(tfxc_give(t, "net.tfx", model, strlen(model)) == TFXC_OK);
    return t;
}

Test(api, checks_a_text_in_memory)
{
    tfxc *t = with_model();
    cr_expect(tfxc_check(t, "net.tfx") == TFXC_OK, "%s", tfxc_messages(t));
    cr_expect_str_eq(tfxc_messages(t), "");
    cr_expect(tfxc_errors(t) == 0);
    tfxc_free(t);
}

Test(api, says_what_is_wrong_and_goes_on)
{
    static const char bad[] =
        "tfx 1;\nblock M { entry f(x: f32[2]) -> f32[3] { return x } }\n";
    tfxc *t = with_model();
    tfxc_give(t, "bad.tfx", bad, strlen(bad));
    for (int i = 0; i < 3; i++) {
        cr_expect(tfxc_check(t, "bad.tfx") == TFXC_REJECTED);
        cr_expect(tfxc_errors(t) > 0);
        cr_expect(strstr(tfxc_messages(t), "bad.tfx:2:"), "%s", tfxc_messages(t));
        cr_expect(tfxc_check(t, "net.tfx") == TFXC_OK);
    }
    tfxc_set(t, "diagnostics", "json");
    cr_expect(tfxc_check(t, "bad.tfx") == TFXC_REJECTED);
    cr_expect(tfxc_messages(t)[0] == '{');
    tfxc_free(t);
}

Test(api, options_are_those_of_the_command_line)
{
    const char *text;
    size_t n;
    tfxc *t = with_model();
    cr_expect(tfxc_set(t, "define", "d=16") == TFXC_OK);
    cr_expect(tfxc_emit(t, "net.tfx", "ir", &text, &n) == TFXC_OK, "%s",
              tfxc_messages(t));
    cr_expect(n == strlen(text) && strstr(text, "f32[16, 8]"), "%s", text);
    cr_expect(tfxc_emit(t, "net.tfx", "json", &text, &n) == TFXC_OK && text[0] == '{');
    cr_expect(tfxc_emit(t, "net.tfx", "all", &text, &n) == TFXC_USAGE);
    cr_expect(tfxc_emit(t, "net.tfx", "nonsense", &text, &n) == TFXC_USAGE && n == 0);
    cr_expect(tfxc_emit(t, "net.tfx", NULL, &text, &n) == TFXC_USAGE);
    cr_expect(tfxc_set(t, "nonsense", "1") == TFXC_USAGE);
    cr_expect(strstr(tfxc_messages(t), "nonsense"));
    cr_expect(tfxc_set(t, "atol", "-1") == TFXC_USAGE);
    cr_expect(tfxc_set(t, "taps", NULL) == TFXC_OK);
    cr_expect(tfxc_set(t, NULL, NULL) == TFXC_USAGE);
    tfxc_free(t);
}

Test(api, a_missing_file_is_a_diagnostic)
{
    tfxc *t = tfxc_new();
    cr_expect(tfxc_check(t, "no/such.tfx") == TFXC_REJECTED);
    cr_expect(strstr(tfxc_messages(t), "E0001"), "%s", tfxc_messages(t));
    cr_expect(tfxc_check(t, NULL) == TFXC_USAGE);
    tfxc_free(t);
    tfxc_free(NULL);
}

Test(api, formats_to_a_fixed_point)
{
    const char *text;
    size_t n;
    tfxc *t = with_model();
    cr_assert(tfxc_format(t, "net.tfx", &text, &n) == TFXC_OK, "%s", tfxc_messages(t));
    char *once = malloc(n + 1);
    cr_assert(once);
    memcpy(once, text, n + 1);
    tfxc_give(t, "again.tfx", once, n);
    cr_assert(tfxc_format(t, "again.tfx", &text, &n) == TFXC_OK);
    cr_expect_str_eq(text, once);
    free(once);
    tfxc_free(t);
}

Test(api, compile_without_weights_is_refused)
{
    tfxc *t = with_model();
    cr_expect(tfxc_compile(t, "net.tfx", "/nonexistent/net.c") == TFXC_REJECTED);
    cr_expect(strstr(tfxc_messages(t), "E0003"), "%s", tfxc_messages(t));
    cr_expect_str_eq(tfxc_version(), TFXC_VERSION);
    tfxc_free(t);
}
