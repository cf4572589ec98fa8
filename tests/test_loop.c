// test_loop.c - loop IR: text both ways, and what is legal. tests/loops/*.txt are texts that
// print as they are; the words behind #! say what to do: `print`, or `plan` for what
// plan_check says.

#include <dirent.h>

#include "compiler/emit.h"
#include "compiler/stages.h"
#include "looptexts.h"

static const char *print(Arena *a, const Prog *p)
{
    Text t;
    text_init(&t, a);
    loop_print(p, &t);
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
    cr_expect(count >= 11, "only %d cases", count);
    arena_free(a);
}

// ---- what is illegal -------------------------------------------------------------------

// Each breaks one rule of the program in tests/loops/small.txt.
static const Edit edits[] = {
    {"two functions of one name", "func layer of", "func forward of",
     "there is a function of this name"},
    {"two buffers of one name", "    local exp_: f32[T, width=4] at 384",
     "    local x: f32[T, width=4] at 384", "name is already taken"},
    {"a buffer called like a dim", "local up: f32[T, \"2 * width\"=8] at 0\n    state",
     "local T: f32[T, \"2 * width\"=8] at 0\n    local up: f32[T, 8] at 0\n    state",
     "layer: two things are called T"},
    {"a variable called like a buffer", "let t: f32 = (up[k]",
     "let up: f32 = 1.0\n        let t: f32 = (up[k]",
     "layer: two things are called up"},
    {"a loop called like a turn", "for k in 0 .. 4 {",
     "for i in 0 .. 4 {\n    }\n    for k in 0 .. 4 {",
     "layer: two things are called i"},
    {"a buffer of another function", "x[k] = f32(tokens", "up[k] = f32(tokens",
     "no buffer `up`"},
    {"an index that is a float", "exp_[k])", "exp_[acc])",
     "forward: an index of type f32, not i64"},
    {"an index that is an i32", "exp_[k])", "exp_[most])",
     "forward: an index of type i32, not i64"},
    {"a bound that is a float", "for k in 0 .. 4 {", "for k in 0 .. 4.5 {",
     "layer: a bound of type f32, not i64"},
    {"a load from panels", "let t: f32 = (up[k]", "let t: f32 = (w_up[k]",
     "layer: w_up lies in panels, which only kernels read"},
    {"a store of another type", "x[k] = f32(tokens[(k / 4)])", "x[k] = tokens[(k / 4)]",
     "forward: x is f32, what it gets is i32"},
    {"a store to a parameter of the entry", "x[k] = f32(tokens[(k / 4)])",
     "tokens[k] = 1:i32", "forward: tokens is not to be written"},
    {"a kernel that writes weights", "out exp_[0], {width=4}, in x[0]",
     "out w_n[0], {width=4}, in x[0]",
     "forward: tfx_rms_norm writes w_n, which is not to be written"},
    {"a let that changes", "x[k] = (t + (t * #inf))", "t = (t + (t * #inf))",
     "layer: t never changes"},
    {"a variable of another type", "var most: i32 = 0:i32", "var most: i32 = 0",
     "forward: most is i32, what it gets is i64"},
    {"a variable that is set to another type", "acc = MAX(acc, exp_[k])", "acc = most",
     "forward: acc is f32, what it gets is i32"},
    {"operands of two types", "(up[k] * f32(i))", "(up[k] * i)", "layer: f32 * i64"},
    {"the remainder of floats", "(up[k] * f32(i))", "(up[k] % f32(i))",
     "layer: f32 % f32"},
    {"a function that is none", "MAX(acc, exp_[k])", "MOST(acc, exp_[k])",
     "forward: no function `MOST`"},
    {"a MAP row that is not said", "MAX(acc, exp_[k])", "gelu(acc)",
     "forward: no function `gelu`"},
    {"too few operands", "MAX(acc, exp_[k])", "MAX(acc)",
     "forward: MAX takes 2 operands, not 1"},
    {"operands of a function of two types", "MAX(acc, exp_[k])", "MAX(acc, most)",
     "forward: MAX of f32 and i32"},
    {"a kernel that is none", "kernel tfx_rms_norm", "kernel rms_norm",
     "forward: no kernel or template `rms_norm`"},
    {"a template with too few arguments", ", in x[0], 0)\n    for", ")\n    for",
     "layer: linear_silu takes 11 arguments, not 9"},
    {"a template with a wrong argument", "in w_up[0], {T}, 8", "in w_up[0], @null, 8",
     "layer: argument 7 of linear_silu is of the wrong kind"},
    {"a template with weights that are no panels", "in x[0], {width=4}, in w_up[0]",
     "in x[0], {width=4}, in up[0]", "layer: linear_silu takes f32 panels, up is none"},
    {"a template of other weights", "linear_silu f32", "linear_silu bf16",
     "layer: linear_silu takes bf16 panels, w_up is none"},
    {"an epilogue with an operand too many", "silu((a + e0))", "silu((a + e1))",
     "no variable `e1`"},
    {"an epilogue of integers", "silu((a + e0))", "i32(a)", "an epilogue gives f32"},
    {"a struct without @par", "tfx_matmul(@par, y", "tfx_matmul(z = 1, y",
     "forward: tfx_matmul takes @par before its struct"},
    {"a field of a struct without a name", "bias = @null", "@null",
     "forward: argument 6 of tfx_matmul has no name in tfx_mm"},
    {"a field of a struct given twice", "w = in exp_", "x = in exp_",
     "forward: tfx_matmul is given x twice"},
    {"a double in arithmetic", "= -(1.5)", "= -(1.5:f64)",
     "a double is an argument of a kernel only"},
    {"too few buffers for a call", "call layer(x)", "call layer()",
     "forward: layer takes 1 buffers, not 0"},
    {"a buffer of another type for a call", "call layer(x)", "call layer(tokens)",
     "forward: layer takes f32 x, not i32 tokens"},
    {"a buffer that is too small for a call", "call layer(x)", "call layer(out_total)",
     "forward: layer is given out_total, which is smaller than its x"},
    {"weights for a call that writes", "call layer(x) record layer[i]",
     "call layer(w_n) record layer[i]",
     "forward: layer writes w_n, which is not to be written"},
    {"a call without its record", "call layer(x) record layer[i]", "call layer(x)",
     "forward: layer is of another record"},
    {"a call of a record that is none", "record layer[i] at", "record n at",
     "Model has no record `n`"},
    {"a turn that is a float", "record layer[i]", "record layer[1.0]",
     "forward: a turn of type f32, not i64"},
    {"a call in no turn", "turns i in 0 .. 2 {\n        call layer(x) record layer[i]",
     "turns j in 0 .. 2 {\n        call layer(x) record layer[j]",
     "forward: layer needs the turn i"},
    {"a call of itself", "last[k] = -t", "call layer(x) at 0",
     "no function `layer` above"},
    {"a tap in a program without taps", "last[k] = -t", "tap x[k] value 3",
     "layer: a tap in a program without taps"},
    {"a field that is none", "from up", "from down", "Mlp has no field `down`"},
    {"weights from a state", "from up", "from last",
     "layer: w_up is from last, which is no packed constant"},
    {"weights stored as another type", "layer.{i}.up.weight\" f32 panels",
     "layer.{i}.up.weight\" bf16 panels",
     "layer: w_up is f32, its constant is stored as bf16"},
    {"weights of another shape", "w_n: f32[width=4]", "w_n: f32[5]",
     "forward: w_n is f32[5], its constant f32[4]"},
    {"a state of another shape", "last: f32[4] from", "last: f32[3] from",
     "layer: last is f32[3], its state f32[4]"},
    {"a result of an inner function", "param x: f32", "out x: f32",
     "only an entry has this"},
    {"a parameter of an inner function in an entry",
     "local exp_: f32[T, width=4] at 384", "param exp_: f32[T, width=4]",
     "forward: exp_ is a parameter of an inner function"},
    {"an advance without a cursor", "forward at P advance", "forward advance",
     "forward: a cursor without its advance, or the other way round"},
    {"two fields of one name", "last = state", "up = packed 1\n        last = state",
     "Mlp has two fields called up"},
    {"two records of one type", "    n = packed 0",
     "    one = record Mlp \"one\" {\n    }\n    n = packed 0",
     "two records of type Mlp differ"},
    {"a count that is wrong", "panels 8 4 count 64", "panels 8 4 count 32",
     "`layer.{i}.up.weight` has 64 elements, not 32"},
    {"panels of another shape", "panels 8 4", "panels 4 8",
     "`layer.{i}.up.weight` is f32[8, 4], not panels of [4, 8]"},
    {"states that overlap", "at 128 bytes", "at 72 bytes",
     "layer.0.last and layer.1.last overlap"},
    {"a state outside its region", "at 128 bytes", "at 180 bytes",
     "layer.1.last lies outside the state region"},
    {"a state that does not fit", "at 128 bytes 16", "at 128 bytes 12",
     "layer.1.last does not fit into 12 bytes"},
    {"a MAP row that is none", "maps silu", "maps silu sillu", "no MAP row `sillu`"},
    {"two templates of one name", "template linear_silu",
     "template linear_silu f32 extras 0 = a\ntemplate linear_silu",
     "two templates are called linear_silu"},
};

// And of that in tests/loops/ranks.txt.
static const Edit edits_of_ranks[] = {
    {"a size that the record has not", "        up_rank = size up_rank\n", "",
     "layer: up_rank is in no field of the record"},
    {"a field of a table that is none", "size up_rank", "size down_rank",
     "no table `down_rank`"},
    {"a table of other turns", "by i in 0..3 = 1, 4, 2", "by i in 0..2 = 1, 4",
     "Layer has not the turns `i` of up_rank"},
    {"a table by another index", "by i in 0..3", "by j in 0..3",
     "Layer has not the turns `j` of up_rank"},
    {"a size by turn in an entry", "for i in 0 .. {8*T}", "for i in 0 .. {up_rank}",
     "f: up_rank is in no field of the record"},
    {"a buffer by turn in an entry", "local x2: f32[T, 8] at 0",
     "local x2: f32[T, 8] at 0\n    local t: f32[up_rank] at 0",
     "f: Model has not the turns `i` of up_rank"},
    {"an epilogue by turn", "(e0 + TANH(a))", "(e0 + f32({up_rank}))",
     "up_rank is in no field of the record"},
    {"panels that are not the greatest", "f32 panels 4 8 count", "f32 panels 2 8 count",
     "`layer.{i}.up_right` is f32[up_rank, 8], not panels of [2, 8]"},
    {"a count that is not the greatest", "panels 8 4 count 64", "panels 8 4 count 32",
     "`layer.{i}.up_left` has 64 elements, not 32"},
    {"blocks that are not kept", "panels 8 4 count 64", "panels 8 4 kept 2 count 64",
     "`layer.{i}.up_left` has 4 blocks, not 2"},
    {"two tables of one name", "table up_rank",
     "table up_rank by i in 0..1 = 1\ntable up_rank",
     "there is a dim or table of this name"},
    {"a table called like a dim", "table up_rank",
     "table T by i in 0..1 = 1\ntable up_rank", "there is a dim or table of this name"},
    {"a table with too few sizes", "= 1, 4, 2", "= 1, 4", "expected `,`"},
    {"a table of no turns", "by i in 0..3 = 1, 4, 2",
     "by i in 0..0 =", "turns out of range"},
    {"a table of too many turns", "by i in 0..3", "by i in 0..99999999",
     "turns out of range"},
    {"a size below 0", "= 1, 4, 2", "= 1, -4, 2", "a size out of range"},
};

// Of rounded.txt: rows that are rounded for the next product.
static const Edit rounded_edits[] = {
    {"rounded rows without a place", "last down_rounded[0]", "@null",
     "forward: argument 11 of linear_relu_rounded is of the wrong kind"},
    {"rounded rows that are written too early", "last down_rounded[0]",
     "out down_rounded[0]",
     "forward: argument 11 of linear_relu_rounded is written at the wrong time"},
    {"y written too late", "out gate[0], 16, in x[0]", "last gate[0], 16, in x[0]",
     "forward: argument 2 of linear_silu is written at the wrong time"},
    {"no rounded rows of a template that makes them", ", last down_rounded[0]", "",
     "forward: linear_relu_rounded takes 11 arguments, not 10"},
    {"neither x nor its rounded rows", "in down_rounded[0], 0", "@null, 0",
     "forward: argument 4 of linear_add is of the wrong kind"},
    {"rows that are rounded by groups and have no room", "linear_add int8",
     "linear_add int8g32a8", "forward: argument 10 of linear_add is of the wrong kind"},
};

// Of heads.txt: columns that go elsewhere.
static const Edit edits_of_heads[] = {
    {"a range without its place", ", out values[{4*P}], 128, 4, 2, 4", "",
     "next: linear_heads takes 19 arguments, not 14"},
    {"a range that is no place", "out values[{4*P}]", "@null",
     "next: argument 15 of linear_heads is of the wrong kind"},
    {"a place that is a weight", "out values[{4*P}]", "out w_kv[0]",
     "next: linear_heads writes w_kv, which is not to be written"},
    {"a range written too late", "out values[{4*P}]", "last values[{4*P}]",
     "next: argument 15 of linear_heads is written at the wrong time"},
    {"no y of a product without heads", "out out[0], 8, in x[0]", "@null, 8, in x[0]",
     "next: argument 2 of linear_add is of the wrong kind"},
    {"columns that go nowhere", "{T}, 16, 8, out keys", "{T}, 24, 8, out keys",
     "next: linear_heads has 8 columns left and no y"},
    {"heads beyond the columns", "128, 4, 2, 4)", "128, 4, 3, 4)",
     "next: linear_heads has not so many columns as its heads take"},
    {"heads of no column", "128, 4, 2, 4)", "128, 4, 2, 0)",
     "next: linear_heads has not so many columns as its heads take"},
    {"rounded rows of which some are elsewhere", "heads 2", "heads 2 rounded",
     "rows of which columns go elsewhere are not rounded"},
    {"too many ranges", "heads 2", "heads 3", "number out of range"},
};

// How many of them have the code E0907.
static int check_edits(Arena *a, const char *text, const Edit *list, int n)
{
    int illegal = 0;
    for (int i = 0; i < n; i++) {
        const Edit *e = &list[i];
        Diag *d = diag_new(a);
        Prog *p = parse(a, d, edited(a, text, e->from, e->to));
        cr_expect(p == NULL, "%s: was accepted", e->claim);
        bool said = false;
        for (int k = 0; k < diag_count(d); k++) {
            said = said || strcmp(diag_message(d, k)->text, e->message) == 0;
            illegal += diag_message(d, k)->code == E0907;
        }
        cr_expect(said, "%s: not `%s` but\n%s", e->claim, e->message, messages(a, d));
    }
    return illegal;
}

Test(loop, every_rule_is_checked)
{
    Arena *a = arena_new();
    cr_expect(check_edits(a, small_program(a), edits, COUNT(edits)) > 0,
              "none of them has the code E0907");
    arena_free(a);
}

Test(loop, rounded_rows_are_checked)
{
    Arena *a = arena_new();
    check_edits(a, program_of(a, "rounded"), rounded_edits, COUNT(rounded_edits));
    arena_free(a);
}

Test(loop, columns_by_heads_are_checked)
{
    Arena *a = arena_new();
    check_edits(a, program_of(a, "heads"), edits_of_heads, COUNT(edits_of_heads));
    arena_free(a);
}

Test(loop, sizes_by_turn_are_checked)
{
    Arena *a = arena_new();
    int illegal =
        check_edits(a, program_of(a, "ranks"), edits_of_ranks, COUNT(edits_of_ranks));
    cr_expect(illegal > 0, "none of them has the code E0907");
    arena_free(a);
}

// What no text can say.
Test(loop, a_call_of_itself_is_illegal)
{
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    Prog *p = parse(a, d, small_program(a));
    cr_assert(p != NULL, "%s", messages(a, d));
    for (int i = 0; i < p->funcs.n; i++)
        for (int k = 0; k < p->funcs.p[i]->body.n; k++) {
            LStmt *s = p->funcs.p[i]->body.p[k];
            if (s->kind == LS_FOR && s->body.p[0]->kind == LS_CALL)
                s->body.p[0]->callee = p->funcs.p[i];
        }
    Text why;
    text_init(&why, a);
    cr_expect(!loop_check(p, &why));
    cr_expect(strstr(why.p, "forward: forward does not stand before its caller") !=
                  NULL,
              "%s", why.p);
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

static const Setting settings[] = {
    {"O", "1"},
    {"O", "0"},
    {"taps", NULL},
    {"recipe", "quantize(\"**\", int8)"},  // of a model without a matrix: no program
    {"recipe", "lowrank(\"**\", ratio = 0.4) quantize(\"**\", int4)"},
    {"recipe", "sparse(\"**\", density = 0.5)"},
};

static void put_setting(Settings *set, const Setting *s)
{
    OptionId id;
    const char *why;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strcmp(option_info[i].name, s->option) == 0 ||
            (option_info[i].letter && option_info[i].letter == *s->option &&
             !s->option[1])) {
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
            check_model(arena_printf(a, "%s/%s", path, e->d_name), &settings[i],
                        &count);
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
