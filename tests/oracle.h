// oracle.h - what the tests of the oracle share: a module from text, tensors against text.

#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/ops.h"
#include "setup.h"

static Module *read_module(const char *text)
{
    uint32_t base = diag_source(diag, "test", text, strlen(text));
    Module *m = ir_parse(arena, diag, text, strlen(text), base);
    if (!m) {
        Text t;
        text_init(&t, arena);
        diag_print(diag, DIAG_TEXT, &t);
        cr_assert_fail("%s\nin\n%s", t.p, text);
    }
    return m;
}

static bool is_near(double x, double y)
{
    if (isnan(x) || isnan(y))
        return isnan(x) && isnan(y);
    return x == y || fabs(x - y) <= 1e-12 * fmax(1, fabs(y));
}

static void expect_data(const Tensor *t, const char *want, const char *what)
{
    const char *p = want;
    for (int64_t i = 0; i < t->n; i++) {
        char *end;
        double w = strtod(p, &end);
        cr_assert(end != p, "%s: %lld elements are too many", what, (long long)t->n);
        cr_expect(is_near(t->data[i], w), "%s: element %lld is %.17g, not %.17g", what,
                  (long long)i, t->data[i], w);
        p = end + strspn(end, ", ");
    }
    cr_expect(*p == '\0', "%s: %lld elements are too few", what, (long long)t->n);
}

#endif
