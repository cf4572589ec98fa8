// test_oracle.c - every op of the oracle against values computed elsewhere.
//
// A case is the text of an entry's body; the expected numbers were computed by hand or with
// Python's math and cmath from the formulas of the papers, not with code of this project.

#include "tests/oracle.h"

TestSuite(oracle, .init = set_up, .fini = tear_down);

// An entry without parameters whose body is given.
static Module *read_body(const char *body)
{
    return read_module(arena_printf(
        arena, "module \"t\"\ndim T in 1..512\nentry e() -> (r) {\n%s\n}\n", body));
}

// Equal, both NaN, or apart by rounding in double.
typedef struct Case {
    const char *body, *want;
} Case;

static void expect_cases(const Case *c, int n)
{
    for (int i = 0; i < n; i++) {
        Module *m = read_body(c[i].body);
        Oracle *o = oracle_new(arena, m, (WeightSource){NULL, NULL});
        Tensor out;
        const char *why = NULL;
        int64_t dims[1] = {3};
        if (oracle_run(o, m->graphs.p[0], dims, NULL, &out, &why))
            expect_data(&out, c[i].want, c[i].body);
        else
            cr_expect_str_eq(why, c[i].want, "%s\nfails: %s", c[i].body, why);
        oracle_free(o);
    }
}

// x = f32[2, 3], row by row 1 to 6
#define X "x = const {shape = [2, 3], values = \"1,2,3,4,5,6\"} : f32[2, 3]\n"

Test(oracle, moves_elements)
{
    static const Case cases[] = {
        {X "y = transpose(x) {perm = [1, 0]} : f32[3, 2]\nyield y", "1,4,2,5,3,6"},
        {"x = const {shape = [1, 2, 3], values = \"1,2,3,4,5,6\"} : f32[1, 2, 3]\n"
         "y = transpose(x) {perm = [2, 0, 1]} : f32[3, 1, 2]\nyield y",
         "1,4,2,5,3,6"},
        {X "y = reshape(x) {shape = [3, 2]} : f32[3, 2]\nyield y", "1,2,3,4,5,6"},
        {"x = const {shape = [1], values = \"7\"} : f32[1]\n"
         "y = reshape(x) {shape = []} : f32\nyield y",
         "7"},
        {"x = const {shape = [3, 1], values = \"1,2,3\"} : f32[3, 1]\n"
         "y = expand(x) {shape = [2, 3, 2]} : f32[2, 3, 2]\nyield y",
         "1,1,2,2,3,3,1,1,2,2,3,3"},
        {"x = const {value = 4} : f32\ny = expand(x) {shape = [T]} : f32[T]\nyield y",
         "4,4,4"},
        {X "y = slice(x) {start = [1, 0], stop = [2, 3], step = [1, 2]} : f32[1, 2]\n"
           "yield y",
         "4,6"},
        {X "y = slice(x) {start = [2, 1], stop = [2, 3], step = [1, 1]} : f32[0, 2]\n"
           "yield y",
         ""},
        {X "a = const {shape = [2, 1], values = \"8,9\"} : f32[2, 1]\n"
           "y = set_slice(x, a) {start = [0, 1]} : f32[2, 3]\nyield y",
         "1,8,3,4,9,6"},
        {X "a = const {shape = [2, 1], values = \"8,9\"} : f32[2, 1]\n"
           "y = concat(a, x, a) {axis = 1} : f32[2, 5]\nyield y",
         "8,1,2,3,8,9,4,5,6,9"},
        {X "y = concat(x, x) {axis = 0} : f32[4, 3]\nyield y",
         "1,2,3,4,5,6,1,2,3,4,5,6"},
        {X "i = const {shape = [2, 2], values = \"2,0,1,1\"} : i32[2, 2]\n"
           "y = gather(x, i) {axis = 1} : f32[2, 2, 2]\nyield y",
         "3,1,2,2,6,4,5,5"},
        {X "i = const {value = 1} : i32\ny = gather(x, i) {axis = 0} : f32[3]\nyield y",
         "4,5,6"},
        {X "i = const {value = 2} : i32\ny = gather(x, i) {axis = 0} : f32[3]\nyield y",
         "index 2 is outside 0..1"},
        {X
         "i = const {value = -1} : i32\ny = gather(x, i) {axis = 0} : f32[3]\nyield y",
         "index -1 is outside 0..1"},
        {"y = iota {size = [2*T - 1]} : i32[2*T - 1]\nyield y", "0,1,2,3,4"},
        {"y = size {size = [T*T + 1]} : i32\nyield y", "10"},
    };
    expect_cases(cases, COUNT(cases));
}

Test(oracle, checks_what_sizes_left_open)
{
    static const Case cases[] = {
        {X
         "y = slice(x) {start = [0, 0], stop = [2, T + 1], step = [1, 1]} : f32[2, T + 1]\n"
         "yield y",
         "slice 0 : 4 of axis 1, which has size 3"},
        {X
         "a = expand(x) {shape = [T - 1, 2, 3]} : f32[T - 1, 2, 3]\n"
         "b = slice(a) {start = [T - 2, 0, 0], stop = [T - 1, 1, 3], step = [1, 1, 1]} "
         ": f32[1, 1, 3]\nyield b",
         "1,2,3"},
        {X "a = const {shape = [1, 1], values = \"8\"} : f32[1, 1]\n"
           "y = set_slice(x, a) {start = [T - 1, 0]} : f32[2, 3]\nyield y",
         "2 : 3 of axis 0 is written, which has size 2"},
        {"a = const {value = 7} : i32\nb = const {value = 2} : i32\n"
         "y = div(a, b) : i32\nyield y",
         "7 / 2 is not exact"},
        {"a = const {value = 7} : i32\nb = const {value = 0} : i32\n"
         "y = div(a, b) : i32\nyield y",
         "7 / 0 is not exact"},
        {"y = iota {size = [T - 4]} : i32[T - 4]\nyield y",
         "axis 0 of i32[T - 4] has size -1"},
        {"x = const {shape = [2], values = \"1\"} : f32[2]\nyield x",
         "a constant has 1 values, not 2"},
    };
    expect_cases(cases, COUNT(cases));
}

Test(oracle, reduces)
{
    static const Case cases[] = {
        {X "y = sum(x) {axes = [0]} : f32[3]\nyield y", "5,7,9"},
        {X "y = sum(x) {axes = [1], keep = 1} : f32[2, 1]\nyield y", "6,15"},
        {X "y = sum(x) {axes = [1, 0]} : f32\nyield y", "21"},
        {X "y = sum(x) {axes = []} : f32[2, 3]\nyield y", "1,2,3,4,5,6"},
        {X "y = mean(x) {axes = [1]} : f32[2]\nyield y", "2,5"},
        {X "y = mean(x) {axes = [0, 1], keep = 1} : f32[1, 1]\nyield y", "3.5"},
        {"x = const {shape = [2, 3], values = \"-1,-7,nan,0,-2,5\"} : f32[2, 3]\n"
         "y = reduce_max(x) {axes = [0]} : f32[3]\nyield y",
         "0,-2,nan"},
        {"x = const {shape = [2, 2], values = \"3,1,nan,2\"} : f32[2, 2]\n"
         "y = reduce_min(x) {axes = [1]} : f32[2]\nyield y",
         "1,nan"},
        {"x = const {shape = [2, 4], values = \"1,3,3,2,-5,-6,-5,-9\"} : f32[2, 4]\n"
         "y = argmax(x) {axis = 1} : i32[2]\nyield y",
         "1,0"},
        {X "y = argmax(x) {axis = 0, keep = 1} : i32[1, 3]\nyield y", "1,1,1"},
        {"x = const {shape = [1, 3, 1], values = \"1,2,3\"} : i32[1, 3, 1]\n"
         "y = sum(x) {axes = [1]} : i32[1, 1]\nyield y",
         "6"},
    };
    expect_cases(cases, COUNT(cases));
}

Test(oracle, normalises)
{
    static const Case cases[] = {
        {"x = const {shape = [2, 3], values = \"1,2,3,-1,0,4\"} : f32[2, 3]\n"
         "y = softmax(x) {axis = 1} : f32[2, 3]\nyield y",
         "0.09003057317038046, 0.24472847105479764, 0.6652409557748218, "
         "0.006573263185309083, 0.0178679818703045, 0.9755587549443865"},
        {"x = const {shape = [2, 3], values = \"1,2,3,-1,0,4\"} : f32[2, 3]\n"
         "y = softmax(x) {axis = 0} : f32[2, 3]\nyield y",
         "0.8807970779778823, 0.8807970779778823, 0.2689414213699951, "
         "0.11920292202211755, 0.11920292202211755, 0.7310585786300049"},
        {"x = const {shape = [3, 2], values = \"1e308,1e308,-inf,-inf,-inf,0\"} : f32[3, 2]\n"
         "y = softmax(x) {axis = 1} : f32[3, 2]\nyield y",
         "0.5,0.5,0,0,0,1"},
        {"x = const {shape = [2, 3], values = \"1,-2,3,0,0,0\"} : f32[2, 3]\n"
         "w = const {shape = [3], values = \"1,0.5,2\"} : f32[3]\n"
         "y = rms_norm(x, w) {eps = 1e-05} : f32[2, 3]\nyield y",
         "0.4629095539120194, -0.4629095539120194, 2.7774573234721163, 0, 0, 0"},
        {"x = const {shape = [2, 3], values = \"1,-2,3,4,4,4\"} : f32[2, 3]\n"
         "w = const {shape = [3], values = \"1,0.5,2\"} : f32[3]\n"
         "b = const {shape = [3], values = \"0,1,-1\"} : f32[3]\n"
         "y = layer_norm(x, w, b) {eps = 1e-05} : f32[2, 3]\nyield y",
         "0.16222122902678932, 0.35111508389284285, 1.27109720637505, 0, 1, -1"},
    };
    expect_cases(cases, COUNT(cases));
}

Test(oracle, multiplies_matrices)
{
    static const Case cases[] = {
        {X "w = transpose(x) {perm = [1, 0]} : f32[3, 2]\n"
           "y = matmul(x, w) : f32[2, 2]\nyield y",
         "14,32,32,77"},
        {X "r = const {shape = [2], values = \"1,-1\"} : f32[2]\n"
           "y = matmul(r, x) : f32[3]\nyield y",
         "-3,-3,-3"},
        {X "k = const {shape = [3], values = \"1,0,-1\"} : f32[3]\n"
           "y = matmul(x, k) : f32[2]\nyield y",
         "-2,-2"},
        {"a = const {shape = [3], values = \"1,2,3\"} : f32[3]\n"
         "y = matmul(a, a) : f32\nyield y",
         "14"},
        // [2, 1, 1, 2] @ [3, 2, 1]: leading axes [2, 1] and [3]
        {"a = const {shape = [2, 1, 1, 2], values = \"1,2,3,4\"} : f32[2, 1, 1, 2]\n"
         "b = const {shape = [3, 2, 1], values = \"1,1,0,1,10,0\"} : f32[3, 2, 1]\n"
         "y = matmul(a, b) : f32[2, 3, 1, 1]\nyield y",
         "3,2,10,7,4,30"},
        {X "w = const {shape = [2, 3], values = \"1,0,0,0,1,-1\"} : f32[2, 3]\n"
           "y = linear(x, w) : f32[2, 2]\nyield y",
         "1,-1,4,-1"},
        // relu(x w' + b) * gate
        {X "w = const {shape = [2, 3], values = \"1,0,0,0,1,-1\"} : f32[2, 3]\n"
           "b = const {shape = [2], values = \"-2,3\"} : f32[2]\n"
           "g = const {shape = [2, 1], values = \"10,100\"} : f32[2, 1]\n"
           "y = linear(x, w, b, g) : f32[2, 2] do (s, p, q) {\n"
           "t = add(s, p) : f32\nu = relu(t) : f32\nz = mul(u, q) : f32\nyield z\n}\n"
           "yield y",
         "0,20,200,200"},
        // 11 = 8 + 3: the chains of the dot product and what is left over
        {"i = iota {size = [11]} : i32[11]\nx = cast(i) {dtype = f32} : f32[11]\n"
         "w = reshape(x) {shape = [1, 11]} : f32[1, 11]\n"
         "y = linear(x, w) : f32[1]\nyield y",
         "385"},
    };
    expect_cases(cases, COUNT(cases));
}

Test(oracle, rotates_positions)
{
    static const Case cases[] = {
        {"x = const {shape = [2, 4], values = \"1,2,3,4,5,6,7,8\"} : f32[2, 4]\n"
         "y = rope(x) {from = [3], theta = 10000, layout = \"interleaved\"} : f32[2, 4]\n"
         "yield y",
         "-1.27223251272018, -1.8388649851410237, 2.87866810043698, 4.088186635603437, "
         "1.2725968675295092, -7.705874201721313, 6.674486073133772, 8.273526192594263"},
        {"x = const {shape = [2, 4], values = \"1,2,3,4,5,6,7,8\"} : f32[2, 4]\n"
         "y = rope(x) {from = [T], theta = 100, layout = \"half\"} : f32[2, 4]\nyield y",
         "-1.413352520780047, 0.7285921516058536, -2.828857481741469, 4.412386369825104, "
         "2.0293993628374376, 2.4110192255481064, -8.359517822584925, 9.704998005874984"},
        {"x = const {shape = [2, 1, 2], values = \"1,2,3,4\"} : f32[2, 1, 2]\n"
         "y = rope(x) {theta = 10000, layout = \"half\"} : f32[2, 1, 2]\nyield y",
         "1,2,3,4"},
    };
    expect_cases(cases, COUNT(cases));
}

#define QKV                                                                              \
    "q = const {shape = [4, 2, 2], values = \"1,0,0,1,2,-1,1,1,.5,.5,-1,2,0,0,3,1\"} : " \
    "f32[4, 2, 2]\n"                                                                     \
    "k = const {shape = [2, 3, 2], values = \"1,2,0,-1,1,1,.5,1,2,0,-1,1\"} : "          \
    "f32[2, 3, 2]\n"                                                                     \
    "v = const {shape = [2, 3, 1], values = \"1,2,3,-1,0,4\"} : f32[2, 3, 1]\n"

Test(oracle, attends)
{
    static const Case cases[] = {
        {QKV "y = attention(q, k, v) {scale = 0.5, mask = \"none\", from = [0]} : "
             "f32[4, 2, 1]\nyield y",
         "2.0, 1.784949573157912, 2.150955193571652, 1.7741104349160401, "
         "0.6201722149035829, 2.269374972903777, 1.0, -0.08431529759557149"},
        {QKV "y = attention(q, k, v) {scale = 0.5, mask = \"causal\", from = [1]} : "
             "f32[4, 2, 1]\nyield y",
         "1.3775406687981455, 1.784949573157912, 1.6224593312018547, 1.7741104349160401, "
         "-0.46879062662624377, 2.269374972903777, -0.5, -0.08431529759557149"},
        {QKV "b = const {shape = [2, 3], values = \"0,-1,.5,1,0,-inf\"} : f32[2, 3]\n"
             "y = attention(q, k, v, b) {scale = 0.5} : f32[4, 2, 1]\nyield y",
         "2.2258895650839596, 1.0758581800212437, 2.3973078215896133, 1.047425873177567, "
         "1.3853252172976855, -0.9399133498259924, 1.8546985886406269, "
         "-0.32082130082460697"},
        {QKV "b = const {shape = [1, 2, 1], values = \"-inf,0\"} : f32[1, 2, 1]\n"
             "y = attention(q, k, v, b) {scale = 0.5} : f32[4, 2, 1]\nyield y",
         "0, 1.784949573157912, 0, 1.7741104349160401, 0, 2.269374972903777, 0, "
         "-0.08431529759557149"},
        // two batches of one head, one key: the value itself
        {"q = const {shape = [2, 1, 1, 1], values = \"5,6\"} : f32[2, 1, 1, 1]\n"
         "v = const {shape = [2, 1, 1, 3], values = \"1,2,3,4,5,6\"} : f32[2, 1, 1, 3]\n"
         "y = attention(q, q, v) {scale = 1} : f32[2, 1, 1, 3]\nyield y",
         "1,2,3,4,5,6"},
    };
    expect_cases(cases, COUNT(cases));
}

#define V5 "x = const {shape = [5], values = \"-2,-0.5,0,0.5,3\"} : f32[5]\n"

Test(oracle, maps_elements)
{
    static const Case cases[] = {
        {V5 "y = gelu(x) : f32[5]\nyield y",
         "-0.04550026389635842, -0.15426876936299344, 0.0, 0.34573123063700656, "
         "2.99595030590511"},
        {V5 "y = gelu_tanh(x) : f32[5]\nyield y",
         "-0.04540230591222494, -0.15428599017485606, 0.0, 0.34571400982514394, "
         "2.996362607918227"},
        {V5 "y = silu(x) : f32[5]\nyield y",
         "-0.2384058440442351, -0.1887703343990727, 0.0, 0.3112296656009273, "
         "2.8577223804672998"},
        {V5 "y = softplus(x) : f32[5]\nyield y",
         "0.1269280110429725, 0.4740769841801067, 0.6931471805599453, 0.9740769841801067, "
         "3.048587351573742"},
        {V5 "y = quick_gelu(x) : f32[5]\nyield y",
         "-0.06434137685579186, -0.1496115633936199, 0.0, 0.35038843660638014, "
         "2.981928690292214"},
        {V5 "y = sigmoid(x) : f32[5]\nyield y",
         "0.11920292202211755, 0.3775406687981454, 0.5, 0.6224593312018546, "
         "0.9525741268224334"},
        {V5 "y = relu(x) : f32[5]\nyield y", "0,0,0,0.5,3"},
        {V5 "y = sqrt(x) : f32[5]\nyield y",
         "nan,nan,0,0.7071067811865476,1.7320508075688772"},
        {V5 "y = recip(x) : f32[5]\nyield y", "-0.5,-2,inf,2,0.3333333333333333"},
        {V5 "y = floor(x) : f32[5]\nyield y", "-2,-1,0,0,3"},
        {V5 "y = ceil(x) : f32[5]\nyield y", "-2,0,0,1,3"},
        {X "b = const {shape = [2, 1], values = \"10,20\"} : f32[2, 1]\n"
           "y = sub(b, x) : f32[2, 3]\nyield y",
         "9,8,7,16,15,14"},
        {X "b = const {shape = [3], values = \"2,0.5,0\"} : f32[3]\n"
           "y = pow(x, b) : f32[2, 3]\nyield y",
         "1,1.4142135623730951,1,16,2.23606797749979,1"},
        {"a = const {shape = [1, 2], values = \"1,2\"} : i32[1, 2]\n"
         "b = const {shape = [2, 1], values = \"6,-4\"} : i32[2, 1]\n"
         "y = div(b, a) : i32[2, 2]\nyield y",
         "6,3,-4,-2"},
        {X "s = const {value = 3} : f32\ny = max(s, x) : f32[2, 3]\nyield y",
         "3,3,3,4,5,6"},
        // a map of three operands of other shapes, a constant and a cast inside
        {X "b = const {shape = [3], values = \"1,0,2\"} : i32[3]\n"
           "s = const {value = 0.5} : f32\n"
           "y = map(x, b, s) : f32[2, 3] do (p, q, r) {\n"
           "two = const {value = 2} : f32\nt = mul(p, two) : f32\n"
           "f = cast(q) {dtype = f32} : f32\nu = add(t, f) : f32\n"
           "h = neg(two) : f32\nw = mul(r, h) : f32\nz = add(u, w) : f32\nyield z\n}\n"
           "yield y",
         "2,3,7,8,9,13"},
        // a body that does not look at its operand
        {X "y = map(x) : f32[2, 3] do (p) {\nc = const {value = 9} : f32\nyield c\n}\n"
           "yield y",
         "9,9,9,9,9,9"},
    };
    expect_cases(cases, COUNT(cases));
}

typedef struct Cast {
    DType to;
    double x, want;
} Cast;

Test(oracle, casts_round_and_truncate)
{
    static const Cast cases[] = {
        {DT_f32, 1.1, 1.100000023841858},
        {DT_f32, 1e-45, 1.401298464324817e-45},
        {DT_f32, 65519.9, 65519.8984375},
        {DT_f32, 1e40, HUGE_VAL},
        {DT_f16, 1.1, 1.099609375},
        {DT_f16, 1e-45, 0},
        {DT_f16, 3e-8, 5.960464477539063e-08},
        {DT_f16, 65519.9, 65504},
        {DT_f16, 65520, HUGE_VAL},
        {DT_f16, -2049, -2048},
        {DT_f16, 2051, 2052},
        {DT_f16, 6.1e-5, 6.097555160522461e-05},
        {DT_bf16, 1.00390625, 1},         // 1 + 2^-8: a tie, to even
        {DT_bf16, 1.01171875, 1.015625},  // 1 + 3 2^-8: a tie, to even
        {DT_bf16, 3.14159, 3.140625},
        {DT_bf16, -HUGE_VAL, -HUGE_VAL},
        {DT_i32, -2.9, -2},
        {DT_i32, 3e9, 2147483647},
        {DT_i32, NAN, 0},
        {DT_i8, -129, -128},
        {DT_u8, -1, 0},
        {DT_u8, 255.99, 255},
        {DT_u4, 17, 15},
        {DT_i4, -9, -8},
        {DT_bool, 0.25, 1},
        {DT_bool, 0, 0},
    };
    for (int i = 0; i < COUNT(cases); i++)
        cr_expect(cast_eval(cases[i].x, cases[i].to) == cases[i].want,
                  "%s %.17g: %.17g", dtype_info[cases[i].to].name, cases[i].x,
                  cast_eval(cases[i].x, cases[i].to));
    for (int i = 0; i < 1000; i++) {  // against the machine's own rounding
        double x = ldexp(1.0 / (i + 3.0), i % 300 - 150);
        cr_expect(cast_eval(x, DT_f32) == (double)(float)x, "%a", x);
    }
    cr_expect(isnan(cast_eval(NAN, DT_f16)));
}
