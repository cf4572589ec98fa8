// test_safetensors.c - checkpoints good and bad, the writer, output files.

#define _XOPEN_SOURCE 700

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/outfile.h"
#include "compiler/safetensors.h"

static Arena *arena;
static Diag *diag;
static char dir[64];

static void set_up(void)
{
    arena = arena_new();
    diag = diag_new(arena);
    strcpy(dir, "/tmp/test_safetensors.XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
}

static void tear_down(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    cr_assert_eq(system(command), 0);
    arena_free(arena);
}

TestSuite(safetensors, .init = set_up, .fini = tear_down);

static const char *in_dir(const char *name)
{
    return arena_printf(arena, "%s/%s", dir, name);
}

static void write_raw(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

// A file of this header and so many bytes of data; adds to the length field what is asked.
static const char *make_file(const char *name, const char *header, size_t data,
                             int64_t add)
{
    Text t;
    text_init(&t, arena);
    uint64_t n = strlen(header) + (uint64_t)add;
    for (int i = 0; i < 8; i++) {
        char c = (char)(n >> 8 * i);
        text_put(&t, &c, 1);
    }
    text_puts(&t, header);
    for (size_t i = 0; i < data; i++)
        text_put(&t, "", 1);
    write_raw(in_dir(name), t.p, t.n);
    return in_dir(name);
}

static const char *said(void)
{
    Text t;
    text_init(&t, arena);
    diag_print(diag, DIAG_TEXT, &t);
    return t.p;
}

static void expect_bad(const char *path, DiagCode code)
{
    diag = diag_new(arena);
    Checkpoint *ck = ckpt_open(arena, diag, path, (Loc){0, 0});
    cr_expect_null(ck, "%s was taken", path);
    ckpt_close(ck);
    cr_assert_geq(diag_errors(diag), 1, "%s", path);
    cr_expect_eq(diag_message(diag, 0)->code, code, "%s: %s", diag_code_name(code),
                 said());
}

// ---- writing and reading back -------------------------------------------------------

static const char *write_sample(const char *name)
{
    StWriter *w = stw_new(arena, diag, in_dir(name));
    float a[6] = {1, -2, 3.5f, 0, 5, 6};
    uint16_t h[3] = {0x3c00, 0xc000, 0x0001};
    int64_t big[2] = {1LL << 40, -1};
    stw_meta(w, "format", "pt");
    stw_meta(w, "odd \"key\"", "line\nbreak");
    int ia = stw_tensor(w, "a.weight", ST_F32, 2, (int64_t[]){2, 3}, 64);
    int ih = stw_tensor(w, "h \"q\" \xc3\xa9", ST_F16, 1, (int64_t[]){3}, 64);
    stw_tensor(w, "empty", ST_F32, 2, (int64_t[]){0, 7}, 1);
    int ib = stw_tensor(w, "big", ST_I64, 1, (int64_t[]){2}, 64);
    stw_tensor(w, "scalar", ST_BOOL, 0, NULL, 1);
    stw_bytes(w, "raw", 5, 1);
    cr_expect(stw_offset(w, ia) % 64 == 0 && stw_offset(w, ih) % 64 == 0 &&
              stw_offset(w, ib) % 64 == 0);
    cr_assert(stw_begin(w, NULL), "%s", said());
    cr_expect(stw_put(w, a, sizeof a));
    cr_expect(stw_put(w, h, 2));
    cr_expect(stw_put(w, h + 1, 4));
    cr_expect(stw_put(w, big, sizeof big));
    cr_expect(stw_put(w, "\1hello", 6));
    int64_t size = stw_size(w);
    cr_assert(stw_end(w), "%s", said());
    struct stat st;
    cr_assert_eq(stat(in_dir(name), &st), 0);
    cr_expect_eq((int64_t)st.st_size, size);
    return in_dir(name);
}

Test(safetensors, what_is_written_is_read)
{
    const char *path = write_sample("a.safetensors");
    Checkpoint *ck = ckpt_open(arena, diag, path, (Loc){0, 0});
    cr_assert_not_null(ck, "%s", said());
    const CkptTensor *t = ckpt_find(ck, "a.weight");
    cr_assert_not_null(t);
    cr_expect(t->type == ST_F32 && t->rank == 2 && t->dim[0] == 2 && t->dim[1] == 3);
    cr_expect_eq(t->offset % 64, 0);
    float f[6];
    double d[6];
    cr_assert(ckpt_read_f32(ck, t, 1, 4, f));
    cr_expect(f[0] == -2 && f[3] == 5);
    t = ckpt_find(ck, "h \"q\" \xc3\xa9");
    cr_assert_not_null(t);
    cr_assert(ckpt_read_f64(ck, t, 0, 3, d));
    cr_expect(d[0] == 1 && d[1] == -2 && d[2] == 0x1p-24);
    cr_assert(ckpt_read_f32(ck, t, 0, 3, f));
    cr_expect(f[0] == 1 && f[1] == -2 && f[2] == 0x1p-24f);
    t = ckpt_find(ck, "big");
    cr_assert(ckpt_read_f64(ck, t, 0, 2, d));
    cr_expect(d[0] == 0x1p40 && d[1] == -1);
    int64_t lo, hi, at;
    cr_expect(ckpt_int_range(ck, t, &lo, &hi) && lo == -1 && hi == 1LL << 40);
    cr_expect(ckpt_not_finite(ck, ckpt_find(ck, "a.weight"), &at) && at == -1);
    t = ckpt_find(ck, "empty");
    cr_expect(t->count == 0 && ckpt_read_f32(ck, t, 0, 0, f));
    t = ckpt_find(ck, "scalar");
    cr_expect(t->rank == 0 && t->count == 1 && ckpt_read_f64(ck, t, 0, 1, d) &&
              d[0] == 1);
    char raw[5];
    cr_expect(ckpt_read(ck, ckpt_find(ck, "raw"), 0, 5, raw) &&
              !memcmp(raw, "hello", 5));
    cr_expect_str_eq(ckpt_meta(ck, "odd \"key\""), "line\nbreak");
    cr_expect_null(ckpt_meta(ck, "none"));
    cr_expect_null(ckpt_find(ck, "b"));
    cr_expect_str_eq(ckpt_nearest(ck, "a.weigth"), "a.weight");
    cr_expect(ckpt_has_file(ck, path));
    cr_expect_not(ckpt_has_file(ck, dir));
    ckpt_close(ck);
    ck = ckpt_open(arena, diag, dir, (Loc){0, 0});
    cr_expect_null(ck);
    cr_assert_eq(rename(path, in_dir("model.safetensors")), 0);
    ck = ckpt_open(arena, diag, dir, (Loc){0, 0});
    cr_expect_not_null(ck);
    ckpt_close(ck);
}

Test(safetensors, a_file_that_shrinks_is_reported)
{
    const char *path = write_sample("a.safetensors");
    Checkpoint *ck = ckpt_open(arena, diag, path, (Loc){0, 0});
    cr_assert_not_null(ck);
    cr_assert_eq(truncate(path, 100), 0);
    float f[6];
    cr_expect_not(ckpt_read_f32(ck, ckpt_find(ck, "a.weight"), 0, 6, f));
    cr_expect_eq(diag_message(diag, 0)->code, E0633);
    ckpt_close(ck);
}

Test(safetensors, bad_files_are_named_and_never_crash)
{
    static const struct {
        const char *header;
        size_t data;
        int64_t add;
        DiagCode code;
    } cases[] = {
        {"{}", 0, 1, E0622},
        {"{}", 0, INT64_MIN, E0622},
        {"{}", 0, -1 - 2, E0622},
        {"{", 0, 0, E0624},
        {"[]", 0, 0, E0624},
        {"", 0, 0, E0624},
        {"{}x", 0, 0, E0624},
        {"{}", 1, 0, E0629},
        {"{\"a\":1}", 0, 0, E0625},
        {"{\"a\":{}}", 0, 0, E0625},
        {"{\"a\":{\"dtype\":\"F32\"}}", 0, 0, E0625},
        {"{\"a\":{\"dtype\":3,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, 0, E0625},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, 0,
         E0625},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, 0,
         E0625},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, 0, E0625},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,5]}}", 4, 0,
         E0625},
        {"{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, 0,
         E0626},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],"
         "\"data_offsets\":[0,4]}}",
         4, 0, E0627},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],"
         "\"data_offsets\":[0,4]}}",
         4, 0, E0627},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],"
         "\"data_offsets\":[0,4]}}",
         4, 0, E0624},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, 0,
         E0628},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, 0,
         E0628},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, 0,
         E0622},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":"
         "[9223372036854775803,9223372036854775807]}}",
         4, 0, E0622},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, 0,
         E0629},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}",
         6, 0, E0629},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, 0, E0630},
        {"{\"__metadata__\":{\"a\":1}}", 0, 0, E0625},
        {"{\"__metadata__\":[]}", 0, 0, E0625},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        const char *name = arena_printf(arena, "bad%d", i);
        make_file(name, cases[i].header, cases[i].data, cases[i].add);
        expect_bad(in_dir(name), cases[i].code);
    }
    write_raw(in_dir("empty"), "", 0);
    expect_bad(in_dir("empty"), E0621);
    write_raw(in_dir("short"), "1234567", 7);
    expect_bad(in_dir("short"), E0621);
    write_raw(in_dir("gguf"), "GGUF\3\0\0\0\0\0\0\0", 12);
    expect_bad(in_dir("gguf"), E0622);
    cr_expect_not_null(strstr(said(), "hint: this is a GGUF file"));
    expect_bad(in_dir("not there"), E0620);
    expect_bad(dir, E0620);
    expect_bad("/dev/zero", E0620);
    expect_bad("", E0620);
    int fd = open(in_dir("long"), O_WRONLY | O_CREAT, 0600);
    cr_assert(write(fd, "\1\341\365\5\0\0\0\0", 8) == 8 &&
              ftruncate(fd, 200000000) == 0);
    close(fd);
    expect_bad(in_dir("long"), E0623);
}

Test(safetensors, a_broken_header_never_crashes)
{
    const char *path = write_sample("a.safetensors");
    static char bytes[4096], copy[4096];
    FILE *f = fopen(path, "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    uint64_t seed = 7;
    for (int turn = 0; turn < 3000; turn++) {
        memcpy(copy, bytes, n);
        for (int k = 0; k < 1 + turn % 3; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            copy[(seed >> 33) % (turn % 2 ? n : 300)] = (char)(seed >> 56);
        }
        Arena *own = arena_new();
        write_raw(in_dir("b"), copy, turn % 5 == 0 ? (size_t)(seed >> 40) % n : n);
        Diag *d = diag_new(own);
        Checkpoint *ck = ckpt_open(own, d, in_dir("b"), (Loc){0, 0});
        cr_assert((ck != NULL) == (diag_errors(d) == 0));
        for (int i = 0; ck != NULL && i < ckpt_count(ck); i++) {
            const CkptTensor *t = ckpt_tensor(ck, i);
            double *x = NEWN(own, double, t->count + 1);
            if (st_info[t->type].kind != SK_OTHER)
                cr_assert(ckpt_read_f64(ck, t, 0, t->count, x));
        }
        ckpt_close(ck);
        arena_free(own);
    }
}

Test(safetensors, memory_may_end_anywhere)
{
    const char *path = write_sample("model.safetensors");
    for (int n = 1; n < 60; n++) {
        Arena *own = arena_new();
        Diag *d = diag_new(own);
        Guard g;
        arena_fail_after(n);
        if (GUARD_SET(&g)) {
            arena_free(own);
            continue;
        }
        Checkpoint *ck = ckpt_open(own, d, path, (Loc){0, 0});
        arena_fail_after(0);
        guard_drop(&g);
        ckpt_close(ck);
        arena_free(own);
    }
}

// ---- shards -------------------------------------------------------------------------

#define ONE(name)                                                                      \
    "{\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"

static void write_index(const char *map)
{
    const char *text = arena_printf(arena, "{\"metadata\":{},\"weight_map\":%s}", map);
    write_raw(in_dir("model.safetensors.index.json"), text, strlen(text));
}

Test(safetensors, shards_are_one_checkpoint)
{
    const char *index = in_dir("model.safetensors.index.json");
    make_file("1.safetensors", ONE("a"), 4, 0);
    make_file("2.safetensors", ONE("b"), 4, 0);
    make_file("3.safetensors", ONE("a"), 4, 0);
    write_index("{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}");
    const char *paths[] = {dir, index};
    for (int i = 0; i < 2; i++) {
        Checkpoint *ck = ckpt_open(arena, diag, paths[i], (Loc){0, 0});
        cr_assert_not_null(ck, "%s", said());
        float x = 1;
        cr_expect(ckpt_count(ck) == 2 &&
                  ckpt_read_f32(ck, ckpt_find(ck, "b"), 0, 1, &x));
        cr_expect_eq(x, 0);
        cr_expect(ckpt_has_file(ck, in_dir("2.safetensors")) &&
                  ckpt_has_file(ck, index));
        ckpt_close(ck);
    }
    write_index("{\"a\":\"1.safetensors\",\"b\":\"1.safetensors\"}");
    expect_bad(index, E0632);
    write_index("{\"a\":\"1.safetensors\",\"c\":\"3.safetensors\"}");
    expect_bad(index, E0630);
    write_index("{\"a\":\"4.safetensors\"}");
    expect_bad(index, E0620);
    write_index("{\"a\":\"../1.safetensors\"}");
    expect_bad(index, E0631);
    write_index("[]");
    expect_bad(index, E0631);
    write_raw(index, "{\"weight_map\":", 14);
    expect_bad(index, E0631);
}

// ---- output files -------------------------------------------------------------------

static int count_files(void)
{
    FILE *p = popen(arena_printf(arena, "ls -A %s | wc -l", dir), "r");
    int n = -1;
    cr_assert_eq(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

Test(safetensors, output_replaces_whole_files)
{
    cr_expect(outfile_write(diag, in_dir("a.txt"), "one", 3));
    cr_assert_eq(chmod(in_dir("a.txt"), 0640), 0);
    cr_assert_eq(symlink("a.txt", in_dir("link")), 0);
    cr_expect(outfile_write(diag, in_dir("link"), "two!", 4));
    struct stat st;
    cr_expect(lstat(in_dir("link"), &st) == 0 && S_ISLNK(st.st_mode));
    cr_expect(stat(in_dir("a.txt"), &st) == 0 && st.st_size == 4);
    cr_expect_eq(st.st_mode & 0777, 0640);
    cr_expect(outfile_write(diag, "/dev/null", "x", 1));
    cr_expect_eq(count_files(), 2);
    cr_expect_eq(diag_count(diag), 0);
    cr_expect(file_is_same(in_dir("link"), in_dir("a.txt")));
    OutFile *f = outfile_open(arena, diag, in_dir("b.txt"));
    outfile_put(f, "x", 1);
    outfile_drop(f);
    cr_expect_eq(count_files(), 2);
}

Test(safetensors, output_that_fails_leaves_nothing)
{
    cr_expect_not(outfile_write(diag, "/dev/full", "x", 1));
    cr_expect_not(outfile_write(diag, dir, "x", 1));
    cr_expect_not(outfile_write(diag, in_dir("none/a.txt"), "x", 1));
    cr_expect_not(outfile_write(diag, in_dir("a/"), "x", 1));
    cr_expect_not(outfile_write(diag, "", "x", 1));
    cr_expect_eq(diag_errors(diag), 5);
    for (int i = 0; i < diag_count(diag); i++)
        cr_expect_eq(diag_message(diag, i)->code, E0801);
    signal(SIGXFSZ, SIG_IGN);
    cr_expect(outfile_write(diag, in_dir("a.txt"), "keep", 4));
    struct rlimit limit = {100000, 100000};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    char *big = arena_alloc(arena, 200000);
    cr_expect_not(outfile_write(diag, in_dir("a.txt"), big, 200000));
    StWriter *w = stw_new(arena, diag, in_dir("a.txt"));
    stw_bytes(w, "x", 200000, 64);
    cr_assert(stw_begin(w, NULL));
    stw_put(w, big, 200000);
    cr_expect_not(stw_end(w));
    cr_expect_eq(count_files(), 1);
    struct stat st;
    cr_expect(stat(in_dir("a.txt"), &st) == 0 && st.st_size == 4);
}

Test(safetensors, an_input_is_not_overwritten)
{
    const char *path = write_sample("a.safetensors");
    cr_assert_eq(link(path, in_dir("b.safetensors")), 0);
    Checkpoint *ck = ckpt_open(arena, diag, path, (Loc){0, 0});
    StWriter *w = stw_new(arena, diag, in_dir("b.safetensors"));
    stw_bytes(w, "x", 1, 64);
    cr_expect_not(stw_begin(w, ck));
    cr_expect_eq(diag_message(diag, 0)->code, E0802);
    stw_drop(w);
    ckpt_close(ck);
}

Test(safetensors, names_and_sizes_that_cannot_be_are_reported)
{
    StWriter *w = stw_new(arena, diag, in_dir("x"));
    stw_bytes(w, "a", 1, 1);
    stw_bytes(w, "a", 1, 1);
    stw_bytes(w, "__metadata__", 1, 1);
    stw_tensor(w, "huge", ST_F64, 2, (int64_t[]){INT64_MAX, 2}, 1);
    cr_expect_not(stw_begin(w, NULL));
    cr_expect_eq(diag_errors(diag), 3);
    size_t n;
    cr_expect_null(stw_header(w, &n));
    cr_expect_eq(count_files(), 0);
}
