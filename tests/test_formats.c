// test_formats.c - weight formats: what is packed, read by the runtime's own addresses, is
// what the evaluator multiplies by; singular values; patterns of recipes.

#include <criterion/criterion.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "compiler/infile.h"
#include "compiler/recipe.h"
#include "compiler/svd.h"
#include "passes/format.h"
#include "runtime/kernels/gather.h"
#include "runtime/tfx.h"

// ---- packing into memory -----------------------------------------------------------------

typedef struct Packing {
    FormatSize size;
    float *w;
    unsigned char *bytes;
    int64_t n;
} Packing;

static const float *rows(void *ctx, int64_t first, int64_t n)
{
    Packing *p = ctx;
    cr_assert(n <= FORMAT_PANEL && first + n <= p->size.n);
    return p->w + first * p->size.k;
}

static bool put(void *ctx, const void *bytes, int64_t n)
{
    Packing *p = ctx;
    memcpy(p->bytes + p->n, bytes, (size_t)n);
    p->n += n;
    return true;
}

static uint64_t state;

static float number(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(state >> 33) / 1073741824.0 - 1);
}

static float unpacked(Format f, const Packing *p, int64_t n, int64_t k)
{
    const unsigned char *b = p->bytes;
    int64_t at = tfx_packed_at(p->size.n, p->size.k, n, k);
    uint16_t half;
    float x;
    memcpy(&half, b + (f == FORMAT_f16 || f == FORMAT_bf16 ? at * 2 : 0), 2);
    memcpy(&x, b + (f == FORMAT_f32 ? at * 4 : 0), 4);
    switch (f) {
    case FORMAT_f16:
        return tfx_from_f16(half);
    case FORMAT_bf16:
        return tfx_from_bf16(half);
    case FORMAT_bf16a16:
        return tfx_value_bf16a16(b, p->size.n, p->size.k, n, k);
    case FORMAT_int8:
        return tfx_value_i8(b, p->size.n, p->size.k, n, k);
    case FORMAT_int8g32:
    case FORMAT_int8g32a8:
        return tfx_value_i8g32(b, p->size.n, p->size.k, n, k);
    case FORMAT_int4g32:
    case FORMAT_int4g32a8:
        return tfx_value_i4g32(b, p->size.n, p->size.k, n, k);
    default:
        return x;
    }
}

// Of block48: the kept columns of the panel of n, from the first list on.
static float unpacked_block(const Packing *p, int64_t n, int64_t k)
{
    int64_t panels = (p->size.n + 47) / 48, panel = n / 48;
    const int32_t *first = (const int32_t *)(const void *)p->bytes,
                  *kept = first + panels + 1;
    int64_t at = ((panels + 1 + first[panels]) * 4 + 63) / 64 * 64;
    for (int32_t i = first[panel]; i < first[panel + 1]; i++) {
        float x;
        int64_t width = tfx_panel_width(p->size.n, n);
        int64_t block = at + first[panel] * 48 * 4 + (i - first[panel]) * width * 4;
        if (kept[i] != k)
            continue;
        memcpy(&x, p->bytes + block + n % 48 * 4, 4);
        return x;
    }
    return 0;
}

static double bound(Format f, double most)
{
    switch (f) {
    case FORMAT_f16:
        return most * 0x1p-11;
    case FORMAT_bf16:
    case FORMAT_bf16a16:
        return most * 0x1p-8;
    case FORMAT_int8:
    case FORMAT_int8g32:
    case FORMAT_int8g32a8:
        return most / 127 * 0.51;
    case FORMAT_int4g32:
    case FORMAT_int4g32a8:
        return most / 7 * 0.51;
    default:
        return 0;
    }
}

static void check_matrix(Arena *a, Format f, int64_t n, int64_t k, bool zeros)
{
    const FormatInfo *info = &format_info[f];
    Packing p = {.size = {n, k, format_blocks(n, k)}};
    double most = 0;
    p.w = NEWN(a, float, n *k);
    for (int64_t i = 0; i < n * k; i++) {
        p.w[i] = zeros && i % k % 3 ? 0 : number();
        most = fmax(most, fabs((double)p.w[i]));
    }
    int64_t bytes = info->bytes(&p.size);
    p.bytes = arena_alloc(a, (size_t)bytes + 64);
    FormatIo io = {rows, put, &p, a};
    cr_assert(info->pack(&p.size, &io));
    cr_assert(p.n <= bytes, "%s: %lld of %lld bytes", info->name, (long long)p.n,
              (long long)bytes);
    cr_assert(f == FORMAT_block48 || p.n == bytes);
    float *mean = NEWN(a, float, n *k);
    memcpy(mean, p.w, (size_t)(n * k) * sizeof *mean);
    info->mean(&p.size, mean);
    for (int64_t i = 0; i < n * k; i++) {
        float got = f == FORMAT_block48 ? unpacked_block(&p, i / k, i % k)
                                        : unpacked(f, &p, i / k, i % k);
        cr_assert(got == mean[i], "%s [%lld, %lld] at %lld, %lld: packed %g, meant %g",
                  info->name, (long long)n, (long long)k, (long long)(i / k),
                  (long long)(i % k), (double)got, (double)mean[i]);
        cr_assert(fabs((double)got - (double)p.w[i]) <= bound(f, most), "%s: %g for %g",
                  info->name, (double)got, (double)p.w[i]);
    }
}

Test(formats, packed_is_what_is_meant)
{
    static const int64_t ns[] = {1, 15, 16, 17, 48, 49, 100, 144};
    static const int64_t ks[] = {1, 3, 4, 5, 31, 32, 33, 64, 100};
    for (int f = FORMAT_plain + 1; f < FORMAT_COUNT; f++)
        for (int i = 0; i < COUNT(ns); i++)
            for (int j = 0; j < COUNT(ks); j++) {
                Arena *a = arena_new();
                check_matrix(a, (Format)f, ns[i], ks[j], false);
                check_matrix(a, (Format)f, ns[i], ks[j], true);
                arena_free(a);
            }
}

Test(formats, a_row_of_zeros_is_zeros)
{
    for (int f = FORMAT_plain + 1; f < FORMAT_COUNT; f++) {
        float w[64] = {0};
        FormatSize size = {2, 32, 32};
        format_info[f].mean(&size, w);
        for (int i = 0; i < COUNT(w); i++)
            cr_expect(w[i] == 0, "%s", format_info[f].name);
    }
}

Test(formats, bytes_are_those_of_the_contract)
{
    FormatSize w = {100, 70, format_blocks(100, 70)};
    cr_expect(format_info[FORMAT_int8].bytes(&w) == TFX_PACKED_I8(100, 70));
    cr_expect(format_info[FORMAT_int8g32].bytes(&w) == TFX_PACKED_I8G32(100, 70));
    cr_expect(format_info[FORMAT_int4g32].bytes(&w) == TFX_PACKED_I4G32(100, 70));
    cr_expect(format_info[FORMAT_int8g32a8].bytes(&w) == TFX_PACKED_I8G32(100, 70));
    cr_expect(format_info[FORMAT_int4g32a8].bytes(&w) == TFX_PACKED_I4G32(100, 70));
    cr_expect(format_info[FORMAT_f32].bytes(&w) == 4 * TFX_PACKED(100, 70));
    cr_expect(format_info[FORMAT_bf16].bytes(&w) == 2 * TFX_PACKED(100, 70));
    cr_expect(format_info[FORMAT_bf16a16].bytes(&w) == TFX_PACKED_BF16A16(100, 70));
}

// ---- singular values ----------------------------------------------------------------------

static void check_svd(int64_t n, int64_t k, int64_t rank)
{
    Arena *a = arena_new();
    Module *m = module_new(a, "m");
    double *w = NEWN(a, double, n *k), *s = NEWN(a, double, n + k), error = 0, tail = 0;
    for (int64_t i = 0; i < n * k; i++)
        w[i] = (double)number();
    svd_values(a, w, n, k, s);
    const Factors *f = svd_factors(m, a, w, n, k, rank);
    cr_expect(svd_factors(m, a, w, n, k, rank) == f,
              "kept, as left and right both ask");
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++) {
            double x = -w[i * k + j];
            for (int64_t r = 0; r < rank; r++)
                x += f->left[i * rank + r] * f->right[r * k + j];
            error += x * x;
        }
    for (int64_t r = rank; r < n && r < k; r++)
        tail += s[r] * s[r];
    cr_expect(fabs(sqrt(error) - sqrt(tail)) < 1e-10 * (s[0] + 1),
              "[%lld, %lld] of rank %lld: error %g, singular values left out %g",
              (long long)n, (long long)k, (long long)rank, sqrt(error), sqrt(tail));
    arena_free(a);
}

Test(svd, the_error_is_what_is_left_out)
{
    static const int64_t shapes[][2] = {{1, 1}, {1, 7},   {7, 1},
                                        {5, 3}, {40, 64}, {96, 17}};
    for (int i = 0; i < COUNT(shapes); i++) {
        int64_t n = shapes[i][0], k = shapes[i][1], most = n < k ? n : k;
        for (int64_t rank = 1; rank <= most; rank += most / 3 + 1)
            check_svd(n, k, rank);
        check_svd(n, k, most);
    }
}

// dgesdd finds values and vectors without squaring; what both leave out is the same.
static void check_lapack(int n, int k, int rank, double decay)
{
    Arena *a = arena_new();
    Module *m = module_new(a, "m");
    int most = n < k ? n : k;
    double *w = NEWN(a, double, n *k), *copy = NEWN(a, double, n *k);
    double *s = NEWN(a, double, most), *mine = NEWN(a, double, most);
    double *u = NEWN(a, double, n *most), *v = NEWN(a, double, most *k);
    for (int i = 0; i < n * k; i++)  // columns that fall by `decay` in all
        copy[i] = w[i] = (double)number() * pow(decay, (double)(i % k) / k);
    cr_assert(LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', n, k, copy, k, s, u, most, v, k) ==
              0);
    cr_assert(svd_values(a, w, n, k, mine));
    for (int i = 0; i < most; i++)
        cr_expect(fabs(mine[i] - s[i]) < 1e-13 * s[0] * s[0] / fmax(s[i], 1e-7 * s[0]),
                  "%d of [%d, %d]: %g, dgesdd %g", i, n, k, mine[i], s[i]);
    const Factors *f = svd_factors(m, a, w, n, k, rank);
    double worst = 0;  // of U S V' truncated
    for (int i = 0; i < n; i++)
        for (int j = 0; j < k; j++) {
            double x = 0;
            for (int r = 0; r < rank; r++)
                x += f->left[i * rank + r] * f->right[r * k + j] -
                     u[i * most + r] * s[r] * v[r * k + j];
            worst = fmax(worst, fabs(x));
        }
    cr_expect(worst < 1e-9 * s[0], "[%d, %d] of rank %d: %g from dgesdd", n, k, rank,
              worst);
    arena_free(a);
}

Test(svd, agrees_with_dgesdd)
{
    check_lapack(1, 9, 1, 1);
    check_lapack(9, 1, 1, 1);
    check_lapack(48, 64, 20, 1);
    check_lapack(130, 70, 35, 1);
    check_lapack(130, 70, 35, 1e-6);
    check_lapack(64, 256, 12, 1e-3);
}

Test(svd, of_zeros_is_zeros_and_of_nan_is_refused)
{
    Arena *a = arena_new();
    Module *m = module_new(a, "m");
    double w[12] = {0}, s[3] = {1, 1, 1};
    cr_assert(svd_values(a, w, 3, 4, s));
    cr_expect(s[0] == 0 && s[1] == 0 && s[2] == 0);
    const Factors *f = svd_factors(m, a, w, 3, 4, 2);
    for (int i = 0; i < 6; i++)
        cr_expect(f->left[i] == 0, "%g", f->left[i]);
    for (int i = 0; i < 8; i++)
        cr_expect(f->right[i] == 0, "%g", f->right[i]);
    w[7] = NAN;
    cr_expect_not(svd_values(a, w, 3, 4, s));
    cr_expect_null(svd_factors(m, a, w, 3, 4, 2));
    w[7] = INFINITY;
    cr_expect_null(svd_factors(m, a, w, 3, 4, 2));
    arena_free(a);
}

// Factors beyond what is kept take turns in one place.
Test(svd, of_many_large_matrices_are_each_right)
{
    enum { N = 900, R = 800 };  // 11 MB of factors each
    Arena *a = arena_new();
    Module *m = module_new(a, "m");
    double *w = NEWN(a, double, N *N);
    for (int turn = 0; turn < 9; turn++) {
        memset(w, 0, N * N * sizeof *w);
        for (int i = 0; i < N; i++)
            w[i * N + i] = 1 + (i + turn) % N;
        Arena *scratch = arena_new();
        const Factors *f = svd_factors(m, scratch, w, N, N, R);
        int largest = N - 1 - turn;
        double x = 0;
        for (int r = 0; r < R; r++)
            x += f->left[largest * R + r] * f->right[r * N + largest];
        cr_expect(fabs(x - N) < 1e-9 * N, "turn %d: %g", turn, x);
        arena_free(scratch);
    }
    cr_expect(arena_bytes(a) < (size_t)100 << 20, "%zu", arena_bytes(a));
    arena_free(a);
}

// ---- patterns -----------------------------------------------------------------------------

Test(patterns, match_members_and_what_is_in_them)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"layer.*.up", "layer.3.up.weight", true},
        {"layer.*.up", "layer.3.upper.weight", false},
        {"layer.*.{up,down}", "layer.11.down.weight", true},
        {"layer.*.{up,down}", "layer.11.gate.weight", false},
        {"layer.*.attn.*", "layer.0.attn.q_proj.weight", true},
        {"layer.*.*_proj", "layer.0.q_proj", true},
        {"**", "a", true},
        {"**.q_proj", "layer.0.attn.q_proj.weight", true},
        {"layer.**.weight", "layer.0.attn.q_proj.weight", true},
        {"layer.?", "layer.3.up", true},
        {"layer.?", "layer.13.up", false},
        {"layer", "layer.3.up", true},
        {"lay", "layer.3.up", false},
        {"*", "layer.3.up", true},
        {"{layer", "layer", false},
        {"", "layer", false},
        {"{a,b{c}", "b", false},
    };
    for (int i = 0; i < COUNT(cases); i++)
        cr_expect(pattern_match(cases[i].pattern, cases[i].path) == cases[i].matches,
                  "\"%s\" and %s", cases[i].pattern, cases[i].path);
}
