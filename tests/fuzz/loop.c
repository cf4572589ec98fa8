// loop.c - fuzzes the reader of loop IR, its printer, the plan's checker, and emission.

#include "compiler/emit.h"
#include "fuzz.h"

#include <string.h>

static Prog *read(Arena *a, Diag *d, const char *text, size_t n)
{
    return loop_parse(a, d, text, n, diag_source(d, "fuzz", text, n));
}

void fuzz_one(Arena *a, const char *text, size_t n)
{
    Diag *d = diag_new(a);
    Text once, twice, why, c;
    text_init(&once, a);
    text_init(&twice, a);
    text_init(&why, a);
    text_init(&c, a);
    Prog *p = read(a, d, text, n);
    fuzz_expect((p == NULL) == (diag_errors(d) > 0), "an error, or a program", "");
    if (!p)
        return;
    loop_print(p, &once);
    Prog *again = read(a, d, once.p, once.n);
    fuzz_expect(again != NULL, "what was printed does not read back", once.p);
    loop_print(again, &twice);
    fuzz_expect(strcmp(once.p, twice.p) == 0, "it prints otherwise", once.p);
    plan_check(p, &why);
    plan_print(p, &why);
}
