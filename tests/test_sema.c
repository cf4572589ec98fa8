// test_sema.c - the front end: its messages, the graphs it makes, and what they compute.
//
// The case files are .tfx sources. The words after #! are
//
//     check      every diagnostic, as printed
//     ir         the graph IR
//     run        the results of every entry, by the oracle: element i of the k-th parameter
//                is (i + k) % 7 - 3 (of integers (i + k) % 3), of a weight (i % 5 - 2) / 4
//
// and then overrides as -D takes them: T=3, n<=8.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "compiler/oracle.h"
#include "compiler/sema/sema.h"
#include "grammar/parse.h"

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(sema, .init = set_up, .fini = tear_down);

// ---- building ----------------------------------------------------------------------------

static bool load(void *ctx, const char *name, const char **text, size_t *n)
{
    const char *root = getenv("TFXC_ROOT");
    *text =
        cases_read(ctx, arena_printf(ctx, "%s/grammar/%s", root ? root : ".", name), n);
    return *text != NULL;
}

static Module *build_text(Arena *a, Diag *d, const char *text, const Override *o, int n)
{
    uint32_t base = diag_source(d, "model.tfx", text, strlen(text));
    SemaOptions options = {.overrides = o, .noverrides = n, .load = load, .ctx = a};
    return tfx_build(a, d, &options,
                     tfx_parse(a, d, "model.tfx", text, strlen(text), base));
}

static Override read_override(Arena *a, const char *word, size_t n)
{
    char *text = arena_strndup(a, word, n);
    char *sign = text + strcspn(text, "<=");
    Override o = {.name = text, .op = *sign == '<' ? "<=" : "="};
    o.value = *sign ? arena_strdup(a, sign + strlen(o.op)) : "";
    *sign = '\0';
    return o;
}

// ---- running -----------------------------------------------------------------------------

static bool read_weight(void *ctx, const char *name, int64_t n, double *out)
{
    (void)ctx;
    (void)name;
    for (int64_t i = 0; i < n; i++)
        out[i] = (double)(i % 5 - 2) / 4;
    return true;
}

static Tensor make_input(Arena *a, const Type *t, int k, const int64_t *dims)
{
    Tensor x = {.dtype = t->dtype, .rank = t->rank, .n = 1};
    for (int i = 0; i < t->rank; i++) {
        x.dim[i] = size_eval(t->dim[i].size, dims);
        x.n *= x.dim[i];
    }
    x.data = NEWN(a, double, x.n + 1);
    bool ints = dtype_info[t->dtype].kind == DK_INT;
    for (int64_t i = 0; i < x.n; i++)
        x.data[i] = (double)(ints ? (i + k) % 3 : (i + k) % 7 - 3);
    return x;
}

static void print_result(const char *name, const Tensor *t, Text *out)
{
    text_printf(out, "%s", name);
    for (int i = 0; i < t->rank; i++)
        text_printf(out, "%s%lld", i ? ", " : "[", (long long)t->dim[i]);
    text_puts(out, t->rank ? "] =" : " =");
    for (int64_t i = 0; i < t->n; i++)
        text_printf(out, " %.6g", t->data[i] == 0 ? 0.0 : t->data[i]);
    text_puts(out, "\n");
}

static void run_module(Arena *a, Module *m, Text *out)
{
    Oracle *o = oracle_new(a, m, (WeightSource){.read = read_weight});
    oracle_reset(o);
    for (int g = 0; g < m->graphs.n; g++) {
        Graph *graph = m->graphs.p[g];
        const Region *r = graph->body;
        int64_t *dims = NEWN(a, int64_t, m->dims.n + 1);
        Tensor *in = NEWN(a, Tensor, r->params.n + 1);
        Tensor *result = NEWN(a, Tensor, r->yields.n + 1);
        const char *why = "";
        for (int i = 0; i < m->dims.n; i++)
            dims[i] = m->dims.p[i]->hi;
        for (int i = 0; i < r->params.n; i++)
            in[i] = make_input(a, &r->params.p[i]->type, i, dims);
        if (!oracle_run(o, graph, dims, in, result, &why))
            text_printf(out, "%s: %s\n", graph->name, why);
        else
            for (int i = 0; i < r->yields.n; i++)
                print_result(graph->result_names.p[i], &result[i], out);
    }
    oracle_free(o);
}

// ---- case files --------------------------------------------------------------------------

static void run_sema(Arena *a, const Case *c, Text *got)
{
    Diag *d = diag_new(a);
    Override o[8];
    int n = 0;
    size_t verb = strcspn(c->words, " ");
    for (const char *p = c->words + verb; *p && n < COUNT(o);) {
        p += strspn(p, " ");
        size_t len = strcspn(p, " ");
        if (len)
            o[n++] = read_override(a, p, len);
        p += len;
    }
    Module *m = build_text(a, d, c->input, o, n);
    Text why;
    text_init(&why, a);
    diag_print(d, DIAG_TEXT, got);
    if (!m)
        return;
    cr_expect(ir_verify(m, &why), "%s:%d: %s", c->path, c->line, why.p);
    if (strncmp(c->words, "ir", verb) == 0)
        ir_print(m, got);
    else if (strncmp(c->words, "run", verb) == 0)
        run_module(a, m, got);
}

static void run_folder(const char *folder, int least)
{
    Text report;
    text_init(&report, arena);
    int count = 0, failed = cases_run(folder, ".tfx", run_sema, &report, &count);
    cr_expect(failed == 0, "%d of %d cases failed\n%s", failed, count, report.p);
    cr_expect(count >= least, "only %d cases in %s", count, folder);
}

Test(sema, says_what_is_wrong)
{
    run_folder("tests/errors/sema", 90);
}

Test(sema, builds_the_graph_that_is_meant)
{
    run_folder("tests/sema", 20);
}

// ---- what text cannot say ----------------------------------------------------------------

Test(sema, stops_at_a_file_that_does_not_parse)
{
    Diag *d = diag_new(arena);
    cr_expect_null(build_text(arena, d, "tfx 1; config = 3", NULL, 0));
    cr_expect(diag_errors(d) > 0);
}

static const char *const small =
    "tfx 1;\n"
    "dim T in 1..4\n"
    "import \"std/nn.tfx\"\n"
    "block A(d) {\n"
    "    lin: Linear(d, d)\n"
    "    fn (x: f32[T, d]) -> f32[T, d] { return gelu(lin(x)) }\n"
    "}\n"
    "block M {\n"
    "    a[i < 3]: A(4)\n"
    "    entry run(x: f32[T, 4]) -> f32[T, 4] {\n"
    "        for l in a { x = l(x) }\n"
    "        return rearrange(x, \"t (a b) -> t (b a)\", a = 2)\n"
    "    }\n"
    "}\n";

Test(sema, values_know_where_they_stand_and_what_they_are_called)
{
    Diag *d = diag_new(arena);
    Module *m = build_text(arena, d, small, NULL, 0);
    cr_assert_not_null(m);
    cr_expect_str_eq(m->name, "model");
    const Region *r = m->graphs.p[0]->body;
    const Value *rep = r->ops.p[0];
    cr_assert_eq(rep->op, OP_repeat);
    cr_expect_str_eq(rep->body->params.p[0]->name, "x");
    const Value *last = rep->body->yields.p[0];
    cr_expect_eq(last->op, OP_gelu);
    cr_expect_str_eq(last->scope->name, "a");
    cr_expect_str_eq(last->scope->block, "A");
    cr_expect_str_eq(last->scope->path, "a.{i}");
    cr_expect_str_eq(diag_text(d, last->loc, arena), "gelu(lin(x))");
    cr_expect_not(last->scope->library);
    const Weight *w = m->weights_list.p[0];
    cr_expect_str_eq(w->path, "a.{i}.lin.weight");
    cr_expect(w->scope->library);
}

// Any mutilated source gives messages or a legal module, never a crash.
Test(sema, survives_missing_words)
{
    size_t n = strlen(small);
    for (size_t at = 0; at < n; at++) {
        Arena *a = arena_new();
        Diag *d = diag_new(a);
        char *text = arena_strdup(a, small);
        memmove(text + at, text + at + 1, n - at);
        Module *m = build_text(a, d, text, NULL, 0);
        Text why;
        text_init(&why, a);
        cr_expect((m != NULL) == (diag_errors(d) == 0), "without byte %zu", at);
        cr_expect(!m || ir_verify(m, &why), "without byte %zu: %s", at, why.p);
        arena_free(a);
    }
}
