// test_ir.c - graph IR: types, building, asking, changing, text both ways, what is legal.
// What text can say is in tests/ir/*.txt; here is the rest.

#include <criterion/criterion.h>
#include <string.h>

#include "cases.h"
#include "compiler/ir.h"

static Arena *arena;
static Module *m;
static Graph *g;
static Builder b;

static void set_up(void)
{
    arena = arena_new();
    m = module_new(arena, "m");
    g = graph_new(m, "e");
    b = (Builder){.graph = g, .region = g->body, .at = -1, .scope = m->scopes.p[0]};
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(ir, .init = set_up, .fini = tear_down);

static Type type2(const Size *rows, int64_t columns)
{
    Type t = {.dtype = DT_f32, .rank = 2};
    t.dim[0].size = rows;
    t.dim[1].size = size_int(m->sizes, columns);
    return t;
}

static Value *param(const char *name, int64_t rows, int64_t columns)
{
    return build_param(g, g->body, name, type2(size_int(m->sizes, rows), columns));
}

static void result(Value *v)
{
    vec_push(arena, &g->body->yields, v);
    vec_push(arena, &g->result_names, "y");
}

static const char *breaches(void)
{
    Text why;
    text_init(&why, arena);
    bool fine = ir_verify(m, &why);
    cr_expect(fine == (why.n == 0));
    return why.p;
}

// ---- types -----------------------------------------------------------------------------

Test(ir, types_print_plain_and_as_the_user_spelled_them)
{
    DimVar *T = module_dim(m, "T", 1, 512, 1);
    Type t = type2(size_dim(m->sizes, T), 384);
    t.dim[0].name = "T";
    t.dim[1].name = "hidden";
    Text plain;
    text_init(&plain, arena);
    type_print(&t, &plain);
    cr_expect_str_eq(plain.p, "f32[T, 384]");
    cr_expect_str_eq(type_str(&t, arena), "f32[T, hidden=384]");
    t.dim[1].name = "384";
    cr_expect_str_eq(type_str(&t, arena), "f32[T, 384]");
    t = type_scalar(DT_i32);
    cr_expect_str_eq(type_str(&t, arena), "i32");
}

Test(ir, types_broadcast_from_the_last_axis_on)
{
    const Size *T = size_dim(m->sizes, module_dim(m, "T", 1, 9, 1));
    Type a = type2(T, 8), c = type2(size_int(m->sizes, 1), 8), out;
    Type row = {.dtype = DT_f32, .rank = 1, .dim = {{size_int(m->sizes, 8), NULL}}};
    cr_expect(type_broadcast(m->sizes, &row, &a, &out));
    cr_expect(type_same_shape(&out, &a));
    cr_expect(type_broadcast(m->sizes, &c, &a, &out));
    cr_expect(type_same_shape(&out, &a));
    c = type2(size_int(m->sizes, 3), 8);
    cr_expect(!type_broadcast(m->sizes, &a, &c, &out), "T is not 3");
    cr_expect(type_count(m->sizes, &a) == size_mul(m->sizes, size_int(m->sizes, 8), T));
}

// ---- building and asking ---------------------------------------------------------------

Test(ir, a_builder_inserts_where_it_stands)
{
    Value *x = param("x", 4, 8);
    Value *y = build1(&b, OP_exp, x);
    Builder before = b;
    before.at = 0;
    Value *p = build1(&before, OP_sin, x), *q = build1(&before, OP_cos, x);
    cr_expect(region_index(g->body, p) == 0);
    cr_expect(region_index(g->body, q) == 1);
    cr_expect(region_index(g->body, y) == 2);
    cr_expect(value_uses(g, x) == 3);
    result(y);
    cr_expect_str_eq(breaches(), "");
}

Test(ir, a_misfit_is_reported_and_leaves_nothing)
{
    Diag *d = diag_new(arena);
    b.diag = d;
    Value *x = param("x", 4, 8), *z = param("z", 4, 7);
    cr_expect(build2(&b, OP_add, x, z) == NULL);
    cr_expect(diag_errors(d) == 1);
    cr_expect(g->body->ops.n == 0);
}

Test(ir, a_misfit_of_a_pass_is_a_bug)
{
    Value *x = param("x", 4, 8), *z = param("z", 4, 7);
    Guard guard;
    if (GUARD_SET(&guard)) {
        cr_expect(strstr(guard.message, "do not broadcast"), "%s", guard.message);
        return;
    }
    build2(&b, OP_add, x, z);
    guard_drop(&guard);
    cr_assert(false, "nothing was said");
}

Test(ir, a_linear_has_an_epilogue_from_the_start)
{
    Weight *w = module_weight(m, "w", type2(size_int(m->sizes, 6), 8));
    Value *in[] = {param("x", 4, 8), build_weight(&b, w)};
    Value *y = build(&b, OP_linear, 2, in, 0, NULL);
    cr_assert(y->body && y->body->params.n == 1 && y->body->yields.n == 1);
    result(y);
    cr_expect_str_eq(breaches(), "");
}

Test(ir, a_repeat_carries_and_gives_items)
{
    Value *x = param("x", 4, 8);
    Value *r =
        build_repeat(&b, "i", size_int(m->sizes, 0), size_int(m->sizes, 3), 1, &x);
    Builder inside = b;
    inside.region = r->body;
    Value *y = build1(&inside, OP_exp, r->body->params.p[0]);
    vec_push(arena, &r->body->yields, y);
    result(build_item(&b, r, 0));
    cr_expect_str_eq(breaches(), "");
}

Test(ir, constants_are_weights_and_what_is_made_of_them)
{
    Weight *w = module_weight(m, "w", type2(size_int(m->sizes, 6), 8));
    const Size *T = size_dim(m->sizes, module_dim(m, "T", 1, 9, 1));
    Value *x = param("x", 6, 8), *v = build_weight(&b, w);
    Value *c = build_const(&b, DT_f32, 2), *sum = build2(&b, OP_add, v, c);
    cr_expect(value_is_const(v) && value_is_const(c) && value_is_const(sum));
    cr_expect(!value_is_const(build2(&b, OP_add, sum, x)));
    const Size *start[] = {size_sub(m->sizes, T, size_int(m->sizes, 1)),
                           size_int(m->sizes, 0)};
    const Size *stop[] = {T, size_int(m->sizes, 8)};
    int64_t step[] = {1, 1};
    Attr at[] = {attr_make_sizes("start", 2, start), attr_make_sizes("stop", 2, stop),
                 attr_make_ints("step", 2, step)};
    Value *row = build(&b, OP_slice, 1, &v, 3, at);
    cr_expect(!value_is_const(row), "which row is known at run time only");
    double two;
    cr_expect(value_is_scalar_const(c, &two) && two == 2);
    cr_expect(value_weight(m, v) == w);
}

Test(ir, shared_operands_do_not_take_for_ever)
{
    Weight *w = module_weight(m, "w", type2(size_int(m->sizes, 6), 8));
    Value *v = build_weight(&b, w);
    for (int i = 0; i < 200; i++)
        v = build2(&b, OP_add, v, v);
    value_is_const(v);
    result(v);
    cr_expect_str_eq(breaches(), "");
}

Test(ir, uses_are_replaced_everywhere)
{
    Value *x = param("x", 4, 8), *z = param("z", 4, 8);
    Value *r =
        build_repeat(&b, "i", size_int(m->sizes, 0), size_int(m->sizes, 3), 1, &x);
    Builder inside = b;
    inside.region = r->body;
    vec_push(arena, &r->body->yields, build2(&inside, OP_add, r->body->params.p[0], x));
    result(x);
    replace_uses(g, x, z);
    cr_expect(value_uses(g, x) == 0 && value_uses(g, z) == 3);
}

Test(ir, paths_take_their_turns)
{
    cr_expect_str_eq(path_at(arena, "a.{i}.b.{j}.{i}", "i", 12), "a.12.b.{j}.12");
    cr_expect_str_eq(path_at(arena, "{ii}.{", "i", 1), "{ii}.{");
}

Test(ir, attributes_are_copied_and_replaced)
{
    Value *x = param("x", 4, 8);
    int64_t perm[] = {1, 0};
    Attr at = attr_make_ints("perm", 2, perm);
    Value *t = build(&b, OP_transpose, 1, &x, 1, &at);
    perm[0] = 7;
    cr_expect(attr_find(t, "perm")->ints[0] == 1);
    attr_set(m, t, attr_make_int("axis", 3));
    attr_set(m, t, attr_make_int("axis", 4));
    cr_expect(t->nattr == 2 && attr_int(t, "axis", 0) == 4);
    cr_expect(attr_int(t, "none", -1) == -1);
}

// ---- what is legal, where text cannot say it -------------------------------------------

Test(ir, verify_sees_broken_links)
{
    Value *x = param("x", 4, 8), *y = build1(&b, OP_exp, x);
    result(y);
    y->type.dtype = DT_f16;
    cr_expect_str_eq(breaches(),
                     "e: #1 (exp): type is f16[4, 8], should be f32[4, 8]\n");
    y->type.dtype = DT_f32;
    y->id = x->id;
    cr_expect(strstr(breaches(), "id is not unique"));
    y->id = 1;
    y->region = NULL;
    cr_expect(strstr(breaches(), "stands in another region"));
    y->region = g->body;
    Scope stranger = {.name = "s", .id = 0};
    y->scope = &stranger;
    cr_expect(strstr(breaches(), "scope is not one of the module"));
    y->scope = m->scopes.p[0];
    attr_set(m, y, attr_make_int("axis", 1));
    cr_expect(strstr(breaches(), "no attribute `axis` is known"));
    y->nattr = 0;
    Value *strange = value_new(g, OP_sin, 1, &x, 0, NULL);
    y->in[0] = strange;
    cr_expect(strstr(breaches(), "operand 0 is not defined here"));
    y->in[0] = x;
    cr_expect_str_eq(breaches(), "");
}

// ---- the reader, on text that was damaged ----------------------------------------------

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// Changes some places of the text: bytes, digits, lengths.
static size_t damage(char *s, size_t n, uint64_t *r)
{
    static const char pieces[] = "(){}[],.:%@\"0123456789 \n=-abTx";
    for (int i = 0, times = 1 + (int)(next(r) % 4); i < times && n > 8; i++) {
        size_t at = next(r) % n, length = 1 + next(r) % 8;
        if (at + length > n)
            length = n - at;
        if (next(r) % 3 == 0) {
            memmove(s + at, s + at + length, n - at - length);
            n -= length;
        } else {
            s[at] = pieces[next(r) % (sizeof pieces - 1)];
        }
    }
    s[n] = '\0';
    return n;
}

static void read_damaged(Arena *a, const Case *c, Text *got)
{
    text_puts(got, c->expected);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t r = seed * 0x9e3779b97f4a7c15u;
        Arena *scratch = arena_new();
        char *s = arena_strdup(scratch, c->input);
        size_t n = damage(s, strlen(s), &r);
        Diag *d = diag_new(scratch);
        Module *read = ir_parse(scratch, d, s, n, diag_source(d, "case", s, n));
        cr_assert((read == NULL) == (diag_errors(d) > 0), "%s", s);
        Text once, twice;
        text_init(&once, scratch);
        text_init(&twice, scratch);
        if (read) {
            ir_print(read, &once);
            uint32_t base = diag_source(d, "again", once.p, once.n);
            read = ir_parse(scratch, d, once.p, once.n, base);
            cr_assert(read, "%s", once.p);
            ir_print(read, &twice);
            cr_assert_str_eq(once.p, twice.p);
        }
        arena_free(scratch);
    }
    (void)a;
}

Test(ir, damaged_text_is_refused_or_reads_back)
{
    Text report;
    text_init(&report, arena);
    int count = 0;
    cases_run("tests/ir", ".txt", read_damaged, &report, &count);
    cases_run("tests/passes", ".txt", read_damaged, &report, &count);
    cr_expect(count > 0);
}

Test(ir, nesting_has_a_limit)
{
    Text t;
    text_init(&t, arena);
    text_puts(&t, "module \"m\"\nentry e(x: f32) -> (y) {\n");
    for (int i = 0; i < 5000; i++)
        text_printf(&t, "r%d = repeat i in 0..1 (p%d = x) {\n", i, i);
    Diag *d = diag_new(arena);
    cr_expect(!ir_parse(arena, d, t.p, t.n, diag_source(d, "deep", t.p, t.n)));
    cr_expect(diag_message(d, 0)->code == E0905);
}
