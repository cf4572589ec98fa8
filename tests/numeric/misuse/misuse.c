// misuse.c - an emitted program that is used wrongly answers with a status code.
//
// Linked with cell, plain and other: three emitted programs of one folder. other is plain
// under another name, with a packed file of the same length. Regions are heap blocks of
// their exact size, for a sanitizer to see a step beside them.
//
//     misuse CELL.packed PLAIN.packed OTHER.packed

#define _POSIX_C_SOURCE 200809L

#include "cell.h"
#include "other.h"
#include "plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks, failures;

static void expect_at(int line, const char *what, int got, int want)
{
    checks++;
    if (got == want)
        return;
    failures++;
    printf("misuse.c:%d: %s is %d, expected %d\n", line, what, got, want);
}

#define EXPECT(call, want) expect_at(__LINE__, #call, call, want)

// ---- regions ---------------------------------------------------------------------------

static unsigned char *region(size_t bytes)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes ? bytes : 1) != 0)
        exit(2);
    memset(p, 0, bytes);
    return p;
}

// The file in a block that may be shorter or longer than it.
static unsigned char *read_file(const char *path, size_t bytes)
{
    unsigned char *p = region(bytes);
    FILE *f = fopen(path, "rb");
    if (!f || fread(p, 1, bytes, f) == 0) {
        printf("cannot read %s\n", path);
        exit(2);
    }
    fclose(f);
    return p;
}

// ---- weights ---------------------------------------------------------------------------

static void wrong_lengths(const char *path)
{
    static const long off_by[] = {-1, 1, -64, 64};
    cell m;
    for (int i = 0; i < 4; i++) {
        size_t bytes = (size_t)((long)CELL_WEIGHTS_BYTES + off_by[i]);
        unsigned char *w = read_file(path, bytes);
        EXPECT(cell_init(&m, w, bytes), CELL_E_WEIGHTS);
        free(w);
    }
    unsigned char *one = region(1);
    EXPECT(cell_init(&m, one, 0), CELL_E_WEIGHTS);
    EXPECT(cell_init(&m, one, 1), CELL_E_WEIGHTS);
    EXPECT(cell_init(&m, one, (size_t)-1), CELL_E_WEIGHTS);
    free(one);
}

static void wrong_places(const char *path)
{
    cell m;
    unsigned char *w = read_file(path, CELL_WEIGHTS_BYTES);
    unsigned char *beside = region(CELL_WEIGHTS_BYTES + 64);
    EXPECT(cell_init(NULL, w, CELL_WEIGHTS_BYTES), CELL_E_ALIGN);
    EXPECT(cell_init(&m, NULL, CELL_WEIGHTS_BYTES), CELL_E_ALIGN);
    for (size_t by = 1; by < 64; by++) {
        memcpy(beside + by, w, CELL_WEIGHTS_BYTES);
        EXPECT(cell_init(&m, beside + by, CELL_WEIGHTS_BYTES), CELL_E_ALIGN);
    }
    EXPECT(cell_init(&m, w, CELL_WEIGHTS_BYTES), CELL_OK);
    EXPECT(cell_check(NULL), CELL_E_ALIGN);
    free(w);
    free(beside);
}

// Where the payload begins: behind a length of 8 bytes and so much text.
static size_t payload_of(const unsigned char *w)
{
    return 8 + (size_t)w[0] + ((size_t)w[1] << 8);
}

static void flipped_bits(const char *path)
{
    cell m;
    unsigned char *w = read_file(path, CELL_WEIGHTS_BYTES);
    static const char plan[] = "\"plan\":\"0123456789abcdef\"";
    size_t head = 8;
    while (memcmp(w + head, plan, 8) != 0)
        head++;
    head += sizeof(plan) - 1;
    for (size_t i = 0; i < head; i++)
        for (int bit = 0; bit < 8; bit++) {
            w[i] ^= (unsigned char)(1 << bit);
            EXPECT(cell_init(&m, w, CELL_WEIGHTS_BYTES), CELL_E_WEIGHTS);
            w[i] ^= (unsigned char)(1 << bit);
        }
    EXPECT(cell_init(&m, w, CELL_WEIGHTS_BYTES), CELL_OK);
    EXPECT(cell_check(&m), CELL_OK);
    for (size_t i = payload_of(w); i < CELL_WEIGHTS_BYTES; i++)
        for (int bit = 0; bit < 8; bit++) {
            w[i] ^= (unsigned char)(1 << bit);
            EXPECT(cell_check(&m), CELL_E_WEIGHTS);
            w[i] ^= (unsigned char)(1 << bit);
        }
    EXPECT(cell_check(&m), CELL_OK);
    free(w);
}

static void wrong_model(char **path)
{
    plain p;
    other o;
    cell c;
    unsigned char *of_plain = read_file(path[2], PLAIN_WEIGHTS_BYTES);
    unsigned char *of_other = read_file(path[3], OTHER_WEIGHTS_BYTES);
    EXPECT(PLAIN_WEIGHTS_BYTES == OTHER_WEIGHTS_BYTES, 1);
    EXPECT(plain_init(&p, of_plain, PLAIN_WEIGHTS_BYTES), PLAIN_OK);
    EXPECT(plain_init(&p, of_other, OTHER_WEIGHTS_BYTES), PLAIN_E_WEIGHTS);
    EXPECT(other_init(&o, of_other, OTHER_WEIGHTS_BYTES), OTHER_OK);
    EXPECT(other_init(&o, of_plain, PLAIN_WEIGHTS_BYTES), OTHER_E_WEIGHTS);
    EXPECT(cell_init(&c, of_plain, PLAIN_WEIGHTS_BYTES), CELL_E_WEIGHTS);
    free(of_plain);
    free(of_other);
}

// ---- calls -----------------------------------------------------------------------------

typedef struct Calls {
    cell m;
    unsigned char *weights, *state, *scratch;
} Calls;

static void set_cursor(Calls *c, int32_t at)
{
    memcpy(c->state, &at, sizeof(at));
}

static int cursor(const Calls *c)
{
    int32_t at;
    memcpy(&at, c->state, sizeof(at));
    return at;
}

// One call with blocks for n ids and 3 n results; negative lengths have none.
static int next_of(Calls *c, int32_t T, int32_t id, float *results)
{
    size_t n = T > 0 && T < 1000 ? (size_t)T : 0;
    int32_t *ids = (int32_t *)(void *)region(n * sizeof(int32_t));
    float *out = (float *)(void *)region(3 * n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)(i % 11);
    if (n)
        ids[n - 1] = id;
    int status = cell_next(&c->m, c->state, c->scratch, T, ids, out);
    if (results)
        memcpy(results, out, 3 * n * sizeof(float));
    free(ids);
    free(out);
    return status;
}

static void wrong_sizes(Calls *c)
{
    static const int32_t lengths[] = {0,  -1, -2, INT32_MIN, 1,         3,
                                      10, 12, 9,  7,         INT32_MAX, INT32_MAX - 1};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
        EXPECT(next_of(c, lengths[i], 0, NULL), CELL_E_RANGE);
    EXPECT(cursor(c), 0);
    EXPECT(next_of(c, 8, 0, NULL), CELL_OK);
    EXPECT(next_of(c, 4, 0, NULL), CELL_E_RANGE);
    EXPECT(cursor(c), 8);
    EXPECT(next_of(c, 2, 0, NULL), CELL_OK);
    EXPECT(next_of(c, 2, 0, NULL), CELL_E_RANGE);
    EXPECT(cursor(c), 10);
}

static void spoilt_cursor(Calls *c)
{
    static const int32_t at[] = {-1, INT32_MIN, INT32_MAX, INT32_MAX - 1, INT32_MIN + 1,
                                 11, 10,        9};
    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
        set_cursor(c, at[i]);
        EXPECT(next_of(c, 2, 0, NULL), CELL_E_RANGE);
        EXPECT(cursor(c), at[i]);
        if (at[i] < 0)
            EXPECT(cell_rewind(c->state, 0), CELL_E_RANGE);
    }
    EXPECT(cell_reset(c->state), CELL_OK);
    EXPECT(cursor(c), 0);
}

static void rewinding(Calls *c)
{
    float once[12], again[12];
    EXPECT(cell_rewind(c->state, 0), CELL_OK);
    EXPECT(cell_rewind(c->state, 1), CELL_E_RANGE);
    EXPECT(next_of(c, 2, 7, NULL), CELL_OK);
    EXPECT(next_of(c, 4, 5, once), CELL_OK);
    EXPECT(cell_rewind(c->state, -1), CELL_E_RANGE);
    EXPECT(cell_rewind(c->state, INT32_MIN), CELL_E_RANGE);
    EXPECT(cell_rewind(c->state, 7), CELL_E_RANGE);
    EXPECT(cell_rewind(c->state, INT32_MAX), CELL_E_RANGE);
    EXPECT(cursor(c), 6);
    EXPECT(cell_rewind(c->state, 6), CELL_OK);
    EXPECT(cell_rewind(c->state, 2), CELL_OK);
    EXPECT(cursor(c), 2);
    EXPECT(next_of(c, 4, 5, again), CELL_OK);
    EXPECT(memcmp(once, again, sizeof(once)), 0);
    EXPECT(cell_reset(c->state), CELL_OK);
}

static void wrong_ids(Calls *c)
{
    static const int32_t ids[] = {-1, 11, 12, INT32_MIN, INT32_MAX};
    float out[3];
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        EXPECT(next_of(c, 4, ids[i], NULL), CELL_E_INDEX);
        EXPECT(cursor(c), 0);
        EXPECT(cell_row(&c->m, c->scratch, &ids[i], out), CELL_E_INDEX);
    }
    EXPECT(next_of(c, 4, 10, NULL), CELL_OK);
    EXPECT(cell_reset(c->state), CELL_OK);
}

static void wrong_regions(Calls *c)
{
    static const int32_t ids[2] = {1, 2};
    float out[6];
    unsigned char *s = c->state, *work = c->scratch;
    EXPECT(cell_next(NULL, s, work, 2, ids, out), CELL_E_ALIGN);
    EXPECT(cell_next(&c->m, NULL, work, 2, ids, out), CELL_E_ALIGN);
    EXPECT(cell_next(&c->m, s, NULL, 2, ids, out), CELL_E_ALIGN);
    EXPECT(cell_next(&c->m, s, work, 2, NULL, out), CELL_E_ALIGN);
    EXPECT(cell_next(&c->m, s, work, 2, ids, NULL), CELL_E_ALIGN);
    EXPECT(cell_row(NULL, work, ids, out), CELL_E_ALIGN);
    EXPECT(cell_row(&c->m, NULL, ids, out), CELL_E_ALIGN);
    EXPECT(cell_reset(NULL), CELL_E_ALIGN);
    EXPECT(cell_rewind(NULL, 0), CELL_E_ALIGN);
    for (size_t by = 1; by < 64; by++) {
        EXPECT(cell_next(&c->m, s + by, work, 2, ids, out), CELL_E_ALIGN);
        EXPECT(cell_next(&c->m, s, work + by, 2, ids, out), CELL_E_ALIGN);
        EXPECT(cell_row(&c->m, work + by, ids, out), CELL_E_ALIGN);
        EXPECT(cell_reset(s + by), CELL_E_ALIGN);
        EXPECT(cell_rewind(s + by, 0), CELL_E_ALIGN);
    }
    EXPECT(cursor(c), 0);
}

static void stateless(const char *path)
{
    plain m;
    float x[30] = {0}, y[30];
    unsigned char *w = read_file(path, PLAIN_WEIGHTS_BYTES);
    unsigned char *work = region(PLAIN_SCRATCH_BYTES);
    EXPECT(plain_init(&m, w, PLAIN_WEIGHTS_BYTES), PLAIN_OK);
    EXPECT(plain_f(&m, work, 0, x, y), PLAIN_E_RANGE);
    EXPECT(plain_f(&m, work, -1, x, y), PLAIN_E_RANGE);
    EXPECT(plain_f(&m, work, 6, x, y), PLAIN_E_RANGE);
    EXPECT(plain_f(&m, work, INT32_MAX, x, y), PLAIN_E_RANGE);
    EXPECT(plain_f(NULL, work, 1, x, y), PLAIN_E_ALIGN);
    EXPECT(plain_f(&m, NULL, 1, x, y), PLAIN_E_ALIGN);
    EXPECT(plain_f(&m, work, 1, NULL, y), PLAIN_E_ALIGN);
    EXPECT(plain_f(&m, work, 1, x, NULL), PLAIN_E_ALIGN);
    EXPECT(plain_f(&m, work + 4, 1, x, y), PLAIN_E_ALIGN);
    EXPECT(plain_f(&m, work, 1, x, y), PLAIN_OK);
    EXPECT(plain_f(&m, work, 5, x, y), PLAIN_OK);
    free(w);
    free(work);
}

// ---- texts -----------------------------------------------------------------------------

static void texts(void)
{
    static const int unknown[] = {-1, 5, 6, 100, INT32_MAX, INT32_MIN};
    const char *none = cell_strerror(INT32_MAX);
    for (int i = CELL_OK; i <= CELL_E_ALIGN; i++) {
        EXPECT(cell_strerror(i)[0] != '\0', 1);
        EXPECT(strcmp(cell_strerror(i), none) != 0, 1);
        for (int k = CELL_OK; k < i; k++)
            EXPECT(strcmp(cell_strerror(i), cell_strerror(k)) != 0, 1);
    }
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
        EXPECT(strcmp(cell_strerror(unknown[i]), none), 0);
}

int main(int argc, char **argv)
{
    Calls c;
    if (argc != 4)
        return 2;
    wrong_lengths(argv[1]);
    wrong_places(argv[1]);
    flipped_bits(argv[1]);
    wrong_model(argv);
    c.weights = read_file(argv[1], CELL_WEIGHTS_BYTES);
    c.state = region(CELL_STATE_BYTES);
    c.scratch = region(CELL_SCRATCH_BYTES);
    EXPECT(cell_init(&c.m, c.weights, CELL_WEIGHTS_BYTES), CELL_OK);
    EXPECT(cell_reset(c.state), CELL_OK);
    wrong_sizes(&c);
    spoilt_cursor(&c);
    rewinding(&c);
    wrong_ids(&c);
    wrong_regions(&c);
    stateless(argv[2]);
    texts();
    free(c.weights);
    free(c.state);
    free(c.scratch);
    printf("%d checks, %d failures\n", checks, failures);
    return failures > 0;
}
