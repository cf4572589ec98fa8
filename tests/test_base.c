// test_base.c - arenas, guards, vectors, text, maps, nearest.

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "compiler/base.h"
#include "compiler/dtype.h"

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(base, .init = set_up, .fini = tear_down);

Test(base, memory_is_zeroed_aligned_and_apart)
{
    size_t sizes[] = {0, 1, 15, 16, 17, 100, 5000, 70000, 3000000, 1};
    char *p[10];
    for (int i = 0; i < 10; i++) {
        p[i] = arena_alloc(arena, sizes[i]);
        cr_assert_eq((uintptr_t)p[i] % 16, 0);
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert_eq(p[i][k], 0);
        memset(p[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < 10; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert_eq(p[i][k], i + 1);
    cr_expect_eq(arena_bytes(arena),
                 0 + 1 + 15 + 16 + 17 + 100 + 5000 + 70000 + 3000000 + 1);
    arena_free(NULL);
}

Test(base, a_bug_returns_to_the_innermost_guard)
{
    Guard outer, inner;
    if (GUARD_SET(&outer)) {
        cr_expect(strstr(outer.message, "test_base.c:") == outer.message);
        cr_expect(strstr(outer.message, ": second 2") != NULL);
        cr_expect_not(outer.out_of_memory);
        return;
    }
    if (GUARD_SET(&inner)) {
        cr_expect(strstr(inner.message, ": first 1") != NULL);
        bug("second %d", 2);
    }
    bug("first %d", 1);
}

Test(base, a_dropped_guard_is_gone)
{
    Guard outer, inner;
    if (GUARD_SET(&outer))
        return;
    if (GUARD_SET(&inner))
        cr_assert_fail("inner guard was dropped");
    guard_drop(&inner);
    bug("to the outer one");
}

Test(base, a_bug_without_a_guard_exits_70, .exit_code = 70)
{
    bug("nobody listens");
}

Test(base, a_failing_allocation_is_out_of_memory)
{
    for (int n = 1; n <= 5; n++) {
        Guard g;
        volatile int done = 0;
        arena_fail_after(n);
        if (GUARD_SET(&g)) {
            cr_expect(g.out_of_memory);
            cr_expect_str_eq(g.message, "out of memory");
            cr_expect_eq(done, n - 1);
            continue;
        }
        for (int i = 0; i < 5; i++, done++)
            arena_alloc(arena, 8);
        cr_assert_fail("allocation %d did not fail", n);
    }
    Guard g;
    if (GUARD_SET(&g))
        return;
    arena_alloc(arena, SIZE_MAX - 100);
    cr_assert_fail("that much memory");
}

Test(base, vectors_and_texts_grow)
{
    VEC(int) a = {0}, b = {0};
    Text t;
    text_init(&t, arena);
    for (int i = 0; i < 10000; i++) {
        vec_push(arena, &a, i);
        if (i % 3 == 0)
            vec_push(arena, &b, -i);
        text_printf(&t, "%d,", i % 10);
    }
    for (int i = 0; i < 10000; i++)
        cr_assert(a.p[i] == i && t.p[2 * i] == '0' + i % 10);
    for (int i = 0; i < b.n; i++)
        cr_assert(b.p[i] == -3 * i);
    cr_expect_eq(t.n, 20000);
    cr_expect_eq(strlen(t.p), 20000);
    text_put(&t, "a\0b", 3);
    cr_expect_eq(t.n, 20003);
    cr_expect_str_eq(arena_printf(arena, "%s-%d", "x", 7), "x-7");
    cr_expect_str_eq(arena_strndup(arena, "abcdef", 3), "abc");
}

Test(base, maps_keep_the_order_of_insertion)
{
    Map *m = map_new(arena);
    static int value[2000];
    char key[32];
    cr_expect_null(map_get(m, "nothing"));
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "key %d", i * 7919 % 2000);
        map_set(m, key, &value[i]);
    }
    map_set(m, "key 0", NULL);
    map_set(m, "key 0", &value[5]);
    cr_expect_eq(map_count(m), 2000);
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "key %d", i * 7919 % 2000);
        cr_assert_str_eq(map_key(m, i), key);
        cr_assert_eq(map_value(m, i), i == 0 ? &value[5] : &value[i]);
        cr_assert_eq(map_get(m, key), map_value(m, i));
    }
}

Test(base, nearest_finds_what_was_meant)
{
    static const char *const names[] = {"softmax", "matmul",
                                        "relu",    "gelu",
                                        "hidden",  "encoder.layer.0.attention.weight",
                                        "T"};
    static const struct {
        const char *word, *meant;
    } cases[] = {
        {"sofmax", "softmax"},
        {"Softmax", "softmax"},
        {"matnul", "matmul"},
        {"mamtul", "matmul"},
        {"hiden", "hidden"},
        {"relo", "relu"},
        {"t", "T"},
        {"encoder.layer.0.atention.weight", "encoder.layer.0.attention.weight"},
        {"x", NULL},
        {"banana", NULL},
        {"", NULL},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        const char *got = nearest(cases[i].word, names, COUNT(names));
        cr_expect(got == cases[i].meant ||
                      (got && cases[i].meant && strcmp(got, cases[i].meant) == 0),
                  "%s: %s", cases[i].word, got ? got : "nothing");
    }
    char longest[2000];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    cr_expect_null(nearest(longest, names, COUNT(names)));
    cr_expect_null(nearest("word", NULL, 0));
}

Test(base, hash_depends_on_every_byte)
{
    unsigned char b[300] = {0};
    uint64_t h = hash_bytes(b, sizeof b);
    for (size_t i = 0; i < sizeof b; i++) {
        b[i] = 1;
        cr_expect_neq(hash_bytes(b, sizeof b), h);
        b[i] = 0;
    }
    cr_expect_eq(hash_bytes(b, sizeof b), h);
    cr_expect_neq(hash_bytes(b, 0), hash_bytes(b, 1));
}

Test(base, dtypes_are_found_by_both_names)
{
    DType d;
    cr_expect(dtype_find("bf16", &d) && d == DT_bf16);
    cr_expect(dtype_find_st("BF16", &d) && d == DT_bf16);
    cr_expect(dtype_find_st("BOOL", &d) && d == DT_bool);
    cr_expect_not(dtype_find("F32", &d));
    cr_expect_not(dtype_find_st("F8_E4M3", &d));
    cr_expect_eq(dtype_info[DT_i4].bits, 4);
    cr_expect_str_eq(dtype_info[DT_bool].name, "bool");
}
