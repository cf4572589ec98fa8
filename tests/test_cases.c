// test_cases.c - the case files of graph IR and of passes.
//
// The words of a case are a list of passes as --passes takes it; `none` only reads and
// prints. Text that is not legal graph IR gives its diagnostics. What is printed must read
// back as the same text.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "passes/pass.h"

static void print_messages(const Diag *d, Text *out)
{
    diag_print(d, DIAG_TEXT, out);
}

static void check_round_trip(Arena *a, const Text *printed)
{
    Diag *d = diag_new(a);
    uint32_t base = diag_source(d, "printed", printed->p, printed->n);
    Module *m = ir_parse(a, d, printed->p, printed->n, base);
    Text again;
    text_init(&again, a);
    if (m)
        ir_print(m, &again);
    else
        print_messages(d, &again);
    cr_expect_str_eq(again.p, printed->p, "what was printed does not read back");
}

static void run_ir(Arena *a, const Case *c, Text *got)
{
    Diag *d = diag_new(a);
    size_t n = strlen(c->input);
    uint32_t base = diag_source(d, "case", c->input, n);
    Module *m = ir_parse(a, d, c->input, n, base);
    PassOptions o = {.list = c->words};
    if (!m || !passes_run(m, &o, d)) {
        print_messages(d, got);
        return;
    }
    ir_print(m, got);
    check_round_trip(a, got);
}

static void run_folder(const char *folder, int least)
{
    Arena *a = arena_new();
    Text report;
    text_init(&report, a);
    int count = 0, failed = cases_run(folder, ".txt", run_ir, &report, &count);
    cr_expect(failed == 0, "%d of %d cases failed\n%s", failed, count, report.p);
    cr_expect(count >= least, "only %d cases in %s", count, folder);
    arena_free(a);
}

Test(cases, of_graph_ir)
{
    run_folder("tests/ir", 10);
}

Test(cases, of_passes)
{
    run_folder("tests/passes", 30);
}

Test(cases, cover_every_pass)
{
    Arena *a = arena_new();
    const char *root = getenv("TFXC_ROOT");
    for (int i = 0; pass_row(i); i++) {
        size_t n;
        const char *path = arena_printf(a, "%s/tests/passes/%s.txt", root ? root : ".",
                                        pass_row(i)->name);
        cr_expect(cases_read(a, path, &n) != NULL, "pass %s has no %s",
                  pass_row(i)->name, path);
    }
    arena_free(a);
}
