// test_loop.c - loop IR: text both ways, what is legal, and that a plan which overlaps is
// told. tests/loops/*.txt are texts that print as they are; the words behind #! say what to
// do: `print`, or `plan` for what plan_check says.

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "compiler/emit.h"
#include "compiler/loop.h"
#include "compiler/stages.h"

static const char *rooted(Arena *a, const char *path)
{
    const char *root = getenv("TFXC_ROOT");
    return arena_printf(a, "%s/%s", root ? root : ".", path);
}

static Prog *parse(Arena *a, Diag *d, const char *text)
{
    size_t n = strlen(text);
    return loop_parse(a, d, text, n, diag_source(d, "case", text, n));
}

static const char *print(Arena *a, const Prog *p)
{
    Text t;
    text_init(&t, a);
    loop_print(p, &t);
    return t.p;
}

static const char *messages(Arena *a, const Diag *d)
{
    Text t;
    text_init(&t, a);
    diag_print(d, DIAG_TEXT, &t);
    return t.p;
}

// ---- texts -----------------------------------------------------------------------------

static void run_case(Arena *a, const Case *c, Text *got)
{
    Diag *d = diag_new(a);
    Prog *p = parse(a, d, c->input);
    if (!p)
        text_puts(got, messages(a, d));
    else if (strcmp(c->words, "print") == 0)
        loop_print(p, got);
    else if (plan_check(p, got))
        text_puts(got, "the plan holds\n");
}

Test(loop, cases)
{
    Arena *a = arena_new();
    Text report;
    text_init(&report, a);
    int count = 0, failed = cases_run("tests/loops", ".txt", run_case, &report, &count);
    cr_expect(failed == 0, "%d of %d cases failed\n%s", failed, count, report.p);
    cr_expect(count >= 10, "only %d cases", count);
    arena_free(a);
}

// ---- programs that were lowered --------------------------------------------------------

static void forget_place(LStmt *s, void *ctx)
{
    (void)ctx;
    s->loc = (Loc){0, 0};
}

// The C of a program without the places in the source that its comments name, which are
// others when the source is a text of loops.
static const char *emit(Arena *a, Diag *d, Prog *p)
{
    Layout *y = layout_make(a, p, d, "model.packed.safetensors");
    cr_assert(y != NULL, "%s", messages(a, d));
    for (int i = 0; i < p->funcs.n; i++)
        lstmts_walk(&p->funcs.p[i]->body, forget_place, NULL);
    for (int i = 0; i < p->entries.n; i++)
        p->entries.p[i]->entry->loc = (Loc){0, 0};
    for (int i = 0; i < p->module->scopes.n; i++)
        p->module->scopes.p[i]->loc = (Loc){0, 0};
    EmitOptions o = {.source = "model.tfx", .version = "test"};
    Text c;
    text_init(&c, a);
    emit_source(p, y, &o, &c);
    emit_header(p, y, &o, &c);
    return c.p;
}

typedef struct Setting {
    const char *option, *value;
} Setting;

static const Setting settings[] = {{"O", "1"}, {"O", "0"}, {"taps", NULL}};

static void put_setting(Settings *set, const Setting *s)
{
    OptionId id;
    const char *why;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strcmp(option_info[i].name, s->option) == 0 ||
            (option_info[i].letter && option_info[i].letter == *s->option && !s->option[1])) {
            id = (OptionId)i;
            cr_assert(settings_put(set, id, s->value, &why), "%s", why);
            return;
        }
    cr_assert(false, "no option %s", s->option);
}

// Text, program, text: the same text; the program from the text gives the same C.
static void check_model(const char *path, const Setting *setting, int *count)
{
    Arena *a = arena_new();
    Settings set;
    Job job;
    settings_init(&set, a);
    put_setting(&set, setting);
    job_init(&job, &set, a);
    if (job_build(&job, path) && job_lower(&job)) {
        const char *text = print(a, job.prog);
        Diag *d = diag_new(a);
        Prog *again = parse(a, d, text);
        cr_assert(again != NULL, "%s\n%s", path, messages(a, d));
        cr_expect_str_eq(print(a, again), text, "%s", path);
        Text why;
        text_init(&why, a);
        cr_expect(plan_check(again, &why), "%s: %s", path, why.p);
        const char *c = emit(a, job.diag, job.prog), *own = emit(a, d, again);
        cr_expect(strcmp(c, own) == 0, "%s: the C differs", path);
        ++*count;
    }
    job_close(&job);
    arena_free(a);
}

static void check_folder(const char *folder, int least)
{
    Arena *a = arena_new();
    const char *path = rooted(a, folder);
    DIR *dir = opendir(path);
    int count = 0;
    cr_assert(dir != NULL, "%s", path);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n < 4 || strcmp(e->d_name + n - 4, ".tfx") != 0)
            continue;
        for (int i = 0; i < COUNT(settings); i++)
            check_model(arena_printf(a, "%s/%s", path, e->d_name), &settings[i], &count);
    }
    closedir(dir);
    cr_expect(count >= least, "only %d programs from %s", count, folder);
    arena_free(a);
}

Test(loop, examples_read_back)
{
    check_folder("examples/01-tinytalk", COUNT(settings));
    check_folder("examples/02-digits", COUNT(settings));
    check_folder("examples/models", 4 * COUNT(settings));
}

Test(loop, small_models_read_back)
{
    check_folder("tests/ops", 100);
    check_folder("tests/sema", 0);
}
