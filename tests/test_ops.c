// test_ops.c - the table of ops, and what the type rules accept, reject and say.
//
// A case is the body of an entry with operands of many shapes at hand; a type rule is right
// when the type after the colon is what it gives, wrong with the message stated.

#include <criterion/criterion.h>
#include <string.h>

#include "compiler/ops.h"
#include "setup.h"

TestSuite(ops, .init = set_up, .fini = tear_down);

Test(ops, are_found_by_name)
{
    for (int i = 0; i < OP_COUNT; i++) {
        Op op;
        cr_expect(op_find(op_info[i].name, &op) && (int)op == i, "%s", op_info[i].name);
        cr_expect((op_info[i].class == OPC_MAP) == (op_info[i].expr != NULL));
        cr_expect(op_info[i].doc[0] != '\0');
    }
    Op op;
    cr_expect_not(op_find("conv", &op));
    cr_expect_not(op_find("", &op));
    cr_expect_str_eq(op_info[OP_silu].expr, "a / (1 + EXP(-a))");
    cr_expect_eq(op_info[OP_layer_norm].arity, 3);
    cr_expect_eq(op_info[OP_concat].arity, -1);
}

// x and its kin of floats, i of integers; w is transposed with respect to v
static Module *read_with_operands(const char *body)
{
    const char *text = arena_printf(
        arena,
        "module \"t\"\ndim P in 0..512\ndim T in 1..512\n"
        "weight \"up.weight\" : f32[768, 384]\nstate \"k\" : f32[4, 512, 8]\n"
        "entry e(x: f32[T, 384], y: f32[384, T], b: f32[384], s: f32, h: f16[T, 384], "
        "i: i32[T], n: i32, q: f32[8, T, 8], k: f32[4, P + T, 8], v: f32[4, P + T, 6], "
        "z: f32[T, 5]) -> (r) {\nw = weight {path = \"up.weight\"} : f32[768, 384]\n%s\n"
        "yield r\n}\n",
        body);
    uint32_t base = diag_source(diag, "test", text, strlen(text));
    return ir_parse(arena, diag, text, strlen(text), base);
}

Test(ops, have_the_types_of_their_rules)
{
    static const char *const good[] = {
        "r = add(x, b) : f32[T, 384]",
        "r = mul(s, x) : f32[T, 384]",
        "r = max(i, n) : i32[T]",
        "r = exp(h) : f16[T, 384]",
        "r = cast(i) {dtype = bf16} : bf16[T]",
        "r = iota {size = [P + T]} : i32[P + T]",
        "r = transpose(q) {perm = [1, 0, 2]} : f32[T, 8, 8]",
        "r = reshape(x) {shape = [T, 12, 32]} : f32[T, 12, 32]",
        "r = reshape(x) {shape = [384*T]} : f32[384*T]",
        "r = reshape(x) {shape = [2, 1, 192, T]} : f32[2, 1, 192, T]",
        "r = expand(b) {shape = [P, T, 384]} : f32[P, T, 384]",
        "r = expand(s) {shape = []} : f32",
        "r = slice(x) {start = [T - 1, 0], stop = [T, 384], step = [1, 2]} : f32[1, 192]",
        "r = slice(x) {start = [0, 0], stop = [T, 10], step = [2, 3]} : "
        "f32[ceil_div(T, 2), 4]",
        "c = state {path = \"k\"} : f32[4, 512, 8]\n"
        "u = slice(k) {start = [0, P, 0], stop = [4, P + T, 8], step = [1, 1, 1]} : "
        "f32[4, T, 8]\n"
        "r = set_slice(c, u) {start = [0, P, 0]} : f32[4, 512, 8]",
        "r = concat(x, z) {axis = 1} : f32[T, 389]",
        "r = gather(x, i) {axis = 1} : f32[T, T]",
        "r = gather(w, n) {axis = 0} : f32[384]",
        "r = sum(q) {axes = [0, 2]} : f32[T]",
        "r = mean(x) {axes = [0], keep = 1} : f32[1, 384]",
        "r = argmax(x) {axis = 1} : i32[T]",
        "r = softmax(h) {axis = 0} : f16[T, 384]",
        "r = rms_norm(x, b) {eps = 1e-05} : f32[T, 384]",
        "r = layer_norm(b, b, b) {eps = 0} : f32[384]",
        "r = matmul(x, y) : f32[T, T]",
        "r = matmul(b, y) : f32[T]",
        "r = matmul(w, b) : f32[768]",
        "r = linear(x, w) : f32[T, 768]",
        "r = linear(b, w) : f32[768]",
        "r = linear(x, w, s) : f32[T, 768] do (a, c) {\nd = add(a, c) : f32\nyield d\n}",
        "r = linear(x, w) : bf16[T, 768] do (a) {\n"
        "d = cast(a) {dtype = bf16} : bf16\nyield d\n}",
        "r = rope(q) {from = [P], theta = 10000, layout = \"half\"} : f32[8, T, 8]",
        "r = attention(q, k, v) {scale = 1, mask = \"causal\", from = [P]} : f32[8, T, 6]",
        "r = attention(q, k, v, s) {scale = 1} : f32[8, T, 6]",
        "r = map(s, i) : i32[T] do (a, c) {\nyield c\n}",
    };
    for (int i = 0; i < COUNT(good); i++) {
        Module *m = read_with_operands(good[i]);
        int n = diag_count(diag);
        cr_expect(m != NULL, "%s\n%s", good[i],
                  n ? diag_message(diag, n - 1)->text : "");
    }
}

typedef struct Misfit {
    const char *body;
    DiagCode code;
    const char *text, *hint;
} Misfit;

#define LAYOUT                                                                         \
    "the last three axes are heads, tokens, features: rearrange first, as in "         \
    "\"t (h d) -> h t d\""

static const Misfit misfits[] = {
    {"r = add(x, y) : f32", E0301,
     "add: shapes do not broadcast: f32[T, 384] and f32[384, T]",
     "y' has a shape that broadcasts"},
    {"r = add(x, h) : f32", E0303,
     "add: element types differ: f32[T, 384] and f16[T, 384]",
     "convert one of them: cast(..., f32)"},
    {"r = sqrt(i) : f32", E0304, "sqrt needs floats: i32[T]",
     "cast first: sqrt(cast(..., f32))"},
    {"c = cast(i) {dtype = bool} : bool[T]\nr = neg(c) : f32", E0304,
     "neg needs numbers: bool[T]", NULL},
    {"r = transpose(x) {perm = [0, 0]} : f32", E0312,
     "transpose: not an order of the 2 axes of f32[T, 384]", NULL},
    {"r = transpose(x) {perm = [0, 2]} : f32", E0312,
     "transpose: not an order of the 2 axes of f32[T, 384]", NULL},
    {"r = reshape(x) {shape = [T, 12, 33]} : f32", E0311,
     "reshape: f32[T, 384] has 384*T elements, f32[T, 12, 33] has 396*T", NULL},
    {"r = reshape(x) {shape = [1, 1, 1, 1, 1, 1, 1, 384, T]} : f32", E0309,
     "reshape: 9 axes, at most 8", NULL},
    {"r = expand(x) {shape = [384, 384]} : f32", E0313,
     "expand: f32[T, 384] does not broadcast to f32[384, 384]", NULL},
    {"r = expand(x) {shape = [384]} : f32", E0313,
     "expand: f32[T, 384] does not broadcast to f32[384]", NULL},
    {"r = slice(x) {start = [0, 0], stop = [T, 600], step = [1, 1]} : f32", E0314,
     "slice 0 : 600 is outside axis 1 of f32[T, 384]", NULL},
    {"r = slice(x) {start = [0, 5], stop = [T, 4], step = [1, 1]} : f32", E0314,
     "slice 5 : 4 is outside axis 1 of f32[T, 384]", NULL},
    {"r = slice(x) {start = [0, -1], stop = [T + 1, 4], step = [1, 1]} : f32", E0314,
     "slice 0 : T + 1 is outside axis 0 of f32[T, 384]", NULL},
    {"r = slice(x) {start = [0, 0], stop = [T, 4], step = [1, 0]} : f32", E0308,
     "slice: a step of 0, must be at least 1", NULL},
    {"r = slice(x) {start = [0], stop = [T, 4], step = [1, 1]} : f32", E0308,
     "slice: `start` has 1 size, not 2", NULL},
    {"r = set_slice(z, x) {start = [0, 0]} : f32", E0316,
     "f32[T, 384] does not fit into f32[T, 5] at 0 of axis 1", NULL},
    {"r = set_slice(x, b) {start = [0, 0]} : f32", E0307,
     "f32[384] cannot be written into f32[T, 384]: other axes", NULL},
    {"r = concat(x, z) {axis = 0} : f32", E0317,
     "concat: sizes beside axis 0 differ: f32[T, 384] and f32[T, 5]", NULL},
    {"r = concat(x, b) {axis = 0} : f32", E0317,
     "concat: sizes beside axis 0 differ: f32[T, 384] and f32[384]", NULL},
    {"r = gather(x, b) {axis = 0} : f32", E0318,
     "gather: indices are not integers: f32[384]", "cast them first: cast(..., i32)"},
    {"r = gather(i, x) {axis = 0} : f32", E0318,
     "gather: indices are not integers: f32[T, 384]",
     "the table comes first: gather(table, ids)"},
    {"r = gather(x, i) {axis = 2} : f32", E0305, "gather: axis 2 of f32[T, 384]", NULL},
    {"r = sum(x) {axes = [2]} : f32", E0305, "sum: axis 2 of f32[T, 384]", NULL},
    {"r = sum(x) {axes = [1, 1]} : f32", E0305, "sum: axis 1 is named twice", NULL},
    {"r = mean(i) {axes = [0]} : f32", E0304, "mean needs floats: i32[T]",
     "cast first: cast(..., f32)"},
    {"r = argmax(s) {axis = 0} : i32", E0307, "argmax needs at least 1 axis: f32",
     NULL},
    {"r = softmax(x) {axis = -1} : f32", E0305, "softmax: axis -1 of f32[T, 384]",
     NULL},
    {"r = rms_norm(z, b) {eps = 1e-05} : f32", E0319,
     "rms_norm: weight has another size than the last axis: f32[384] of f32[T, 5]",
     NULL},
    {"r = layer_norm(x, b, y) {eps = 1e-05} : f32", E0319,
     "layer_norm: bias has another size than the last axis: f32[384, T] of f32[T, 384]",
     NULL},
    {"r = rms_norm(x, b) {eps = -1} : f32", E0308,
     "rms_norm: eps is -1, must not be negative", NULL},
    {"r = matmul(x, w) : f32", E0310,
     "matmul: inner sizes differ: f32[T, 384] @ f32[768, 384]",
     "w' has the right shape"},
    {"t = transpose(y) {perm = [1, 0]} : f32[T, 384]\nr = matmul(x, t) : f32", E0310,
     "matmul: inner sizes differ: f32[T, 384] @ f32[T, 384]",
     "y has the right shape without the '"},
    {"%9 = add(y, y) : f32[384, T]\nr = matmul(%9, y) : f32", E0310,
     "matmul: inner sizes differ: f32[384, T] @ f32[384, T]", "y' has the right shape"},
    {"r = matmul(x, z) : f32", E0310,
     "matmul: inner sizes differ: f32[T, 384] @ f32[T, 5]", "x' has the right shape"},
    {"r = matmul(z, b) : f32", E0310,
     "matmul: inner sizes differ: f32[T, 5] @ f32[384]", NULL},
    {"u = expand(y) {shape = [2, 384, T]} : f32[2, 384, T]\n"
     "t = expand(x) {shape = [3, T, 384]} : f32[3, T, 384]\nr = matmul(t, u) : f32",
     E0301, "matmul: leading axes do not broadcast: f32[3, T, 384] @ f32[2, 384, T]",
     NULL},
    {"r = linear(x, z) : f32", E0320,
     "linear: the weight does not fit: f32[T, 384] and f32[T, 5]", NULL},
    {"r = linear(x, y) : f32", E0320,
     "linear: the weight does not fit: f32[T, 384] and f32[384, T]",
     "it has the right shape if transposed: [out, in]"},
    {"r = linear(x, w, x) : f32", E0301,
     "linear: f32[T, 384] does not broadcast to f32[T, 768]", NULL},
    {"r = rope(z) {theta = 10000, layout = \"half\"} : f32", E0321,
     "rope: the last axis is not of an even, known size: f32[T, 5]", NULL},
    {"r = rope(x) {theta = 10000, layout = \"pairs\"} : f32", E0308,
     "rope: layout \"pairs\" is neither \"interleaved\" nor \"half\"", NULL},
    {"r = rope(x) {theta = 0, layout = \"half\"} : f32", E0308,
     "rope: theta is 0, must be above 0", NULL},
    {"r = attention(q, k, q) {scale = 1} : f32", E0322,
     "attention: there are not as many keys as values: q f32[8, T, 8], k f32[4, P + T, 8], "
     "v f32[8, T, 8]",
     LAYOUT},
    {"r = attention(q, v, v) {scale = 1} : f32", E0322,
     "attention: queries and keys have other feature sizes: q f32[8, T, 8], "
     "k f32[4, P + T, 6], v f32[4, P + T, 6]",
     LAYOUT},
    {"r = attention(k, q, q) {scale = 1} : f32", E0323,
     "attention: query heads are no multiple of key heads: q f32[4, P + T, 8], "
     "k f32[8, T, 8]",
     NULL},
    {"r = attention(q, k, v, x) {scale = 1} : f32", E0324,
     "attention: the bias f32[T, 384] does not broadcast to the scores f32[8, T, P + T]",
     NULL},
    {"r = attention(q, k, v) {scale = 1, mask = \"block\"} : f32", E0308,
     "attention: mask \"block\" is not \"none\", \"causal\" or \"window\"", NULL},
    {"r = attention(q, k, v) {scale = 1, mask = \"window\", before = 3} : f32", E0308,
     "attention: a window has `before` and `after`, 0 to 536870912", NULL},
    {"r = attention(x, k, v) {scale = 1} : f32", E0307,
     "attention needs at least 3 axes: f32[T, 384]", LAYOUT},
    {"r = map(x, y) : f32 do (a, c) {\nyield a\n}", E0301,
     "map: shapes do not broadcast: f32[T, 384] and f32[384, T]", NULL},
};

Test(ops, say_what_does_not_fit)
{
    for (int i = 0; i < COUNT(misfits); i++) {
        const Misfit *f = &misfits[i];
        int before = diag_count(diag);
        Module *m = read_with_operands(f->body);
        cr_expect(m == NULL, "accepted: %s", f->body);
        if (m || !f->text || diag_count(diag) == before)
            continue;
        const Message *error = diag_message(diag, before);
        cr_expect_str_eq(error->text, f->text, "%s\nsays: %s", f->body, error->text);
        cr_expect_eq(error->code, f->code, "%s: %s", f->body,
                     diag_code_name(error->code));
        const char *hint =
            diag_count(diag) > before + 1 ? diag_message(diag, before + 1)->text : NULL;
        cr_expect((!hint && !f->hint) ||
                      (hint && f->hint && strcmp(hint, f->hint) == 0),
                  "%s\nhints: %s", f->body, hint ? hint : "nothing");
    }
}

// Names of sizes come from the source only, so these are built.
Test(ops, spell_shapes_as_the_user_did)
{
    Module *m = module_new(arena, "t");
    Graph *g = graph_new(m, "e");
    DimVar *T = module_dim(m, "T", 1, 512, 1);
    Type x = {
        DT_f32, 2, {{size_dim(m->sizes, T), "T"}, {size_int(m->sizes, 384), "hidden"}}};
    Type w = {
        DT_f32, 2, {{size_int(m->sizes, 768), NULL}, {size_int(m->sizes, 384), NULL}}};
    Builder b = {.graph = g, .region = g->body, .at = -1, .loc = {1, 2}, .diag = diag};
    diag_source(diag, "model.tfx", "x @ w", 5);
    Value *in[] = {build_param(g, g->body, "x", x), build_param(g, g->body, "w", w)};
    cr_expect(build(&b, OP_matmul, 2, in, 0, NULL) == NULL);
    cr_assert_eq(diag_count(diag), 2);
    cr_expect_str_eq(diag_message(diag, 0)->text,
                     "matmul: inner sizes differ: f32[T, hidden=384] @ f32[768, 384]");
    cr_expect_eq(diag_message(diag, 0)->loc.end, 2);
    cr_expect_eq(diag_message(diag, 1)->severity, SEV_HINT);

    // names survive what does not change a size
    int64_t swap[] = {1, 0};
    Attr perm = attr_make_ints("perm", 2, swap);
    Value *y = build(&b, OP_transpose, 1, in, 1, &perm);
    cr_expect_str_eq(type_str(&y->type, arena), "f32[hidden=384, T]");
    in[1] = y;
    y = build(&b, OP_matmul, 2, in, 0, NULL);
    cr_expect_str_eq(type_str(&y->type, arena), "f32[T, T]");
}

Test(ops, misfits_of_passes_are_bugs)
{
    Module *m = module_new(arena, "t");
    Graph *g = graph_new(m, "e");
    Builder b = {.graph = g, .region = g->body, .at = -1};
    Value *x = build_param(g, g->body, "x", type_scalar(DT_i32));
    Guard guard;
    if (GUARD_SET(&guard)) {
        cr_expect(strstr(guard.message, "exp needs floats: i32") != NULL, "%s",
                  guard.message);
        return;
    }
    build1(&b, OP_exp, x);
    cr_assert_fail("accepted");
}

Test(ops, constants_take_their_type_from_their_builder)
{
    Module *m = module_new(arena, "t");
    Graph *g = graph_new(m, "e");
    Builder b = {.graph = g, .region = g->body, .at = -1, .diag = diag};
    int64_t shape[] = {2, 1};
    Attr attrs[] = {attr_make_ints("shape", 2, shape), attr_make_str("values", "1,2"),
                    attr_make_dtype("dtype", DT_i64)};
    Value *c = build(&b, OP_const, 0, NULL, 3, attrs);
    cr_assert(c != NULL);
    cr_expect_str_eq(type_str(&c->type, arena), "i64[2, 1]");
    cr_expect(build(&b, OP_const, 0, NULL, 1, attrs) == NULL);
    cr_expect_str_eq(diag_message(diag, 0)->text, "const: `values` is missing");
    cr_expect(build(&b, OP_const, 0, NULL, 0, NULL) == NULL);
    Value *r =
        build_repeat(&b, "i", size_int(m->sizes, 0), size_int(m->sizes, 3), 1, &c);
    Value *i = build_item(&b, r, 0);
    cr_expect_str_eq(type_str(&i->type, arena), "i64[2, 1]");
    cr_expect(build_item(&b, r, 1) == NULL);
    cr_expect(build_item(&b, c, 0) == NULL);
    cr_expect(build1(&b, OP_neg, r) == NULL);
    cr_expect_str_eq(diag_message(diag, diag_count(diag) - 1)->text,
                     "neg: operand 0 is all results of a repeat at once");
}
