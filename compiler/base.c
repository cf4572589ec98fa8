// base.c - memory, strings, vectors, maps, and the way out of a compiler bug.

#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// ---- what cannot go on --------------------------------------------------------------

// The innermost guard of this thread, and (for tests) how many allocations still succeed.
static _Thread_local Guard *innermost;
static _Thread_local long allocations_left = -1;

void guard_enter(Guard *g)
{
    g->outer = innermost;
    g->message[0] = '\0';
    g->out_of_memory = false;
    innermost = g;
}

void guard_drop(Guard *g)
{
    innermost = g->outer;
}

_Noreturn static void leave(const char *message, bool out_of_memory)
{
    Guard *g = innermost;
    if (g == NULL) {
        fprintf(stderr, "tfxc: %s\n", message);
        exit(70);
    }
    innermost = g->outer;
    snprintf(g->message, sizeof g->message, "%s", message);
    g->out_of_memory = out_of_memory;
    longjmp(g->env, 1);
}

_Noreturn void guard_again(const Guard *g)
{
    leave(g->message, g->out_of_memory);
}

_Noreturn void guard_pass_on(const Guard *g)
{
    leave(g->message, g->out_of_memory);
}

_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
{
    char message[256];
    const char *slash = strrchr(file, '/');
    int n =
        snprintf(message, sizeof message, "%s:%d: ", slash ? slash + 1 : file, line);
    size_t at = n < 0 ? 0 : (size_t)n;
    if (at < sizeof message) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(message + at, sizeof message - at, fmt, ap);
        va_end(ap);
    }
    leave(message, false);
}

_Noreturn static void out_of_memory(void)
{
    leave("out of memory", true);
}

// The one caller of the C library's allocator; memory is zeroed.
static void *get_memory(size_t n)
{
    void *p = calloc(1, n);
    if (p == NULL)
        out_of_memory();
    return p;
}

void arena_fail_after(long n)
{
    allocations_left = n > 0 ? n : -1;
}

// ---- arenas -------------------------------------------------------------------------

enum { ALIGN = 16, FIRST_CHUNK = 4096, LAST_CHUNK = 1 << 20 };

// A chunk's bytes follow its header.
typedef struct Chunk {
    struct Chunk *next;
    size_t used, size;
} Chunk;

struct Arena {
    Chunk *chunks;  // the first is the one being filled
    size_t next_size, bytes;
};

#define HEADER ((sizeof(Chunk) + ALIGN - 1) / ALIGN * ALIGN)

static char *chunk_bytes(Chunk *c)
{
    return (char *)c + HEADER;
}

Arena *arena_new(void)
{
    Arena *a = get_memory(sizeof *a);
    a->next_size = FIRST_CHUNK;
    return a;
}

void arena_free(Arena *a)
{
    if (a == NULL)
        return;
    for (Chunk *c = a->chunks, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

size_t arena_bytes(const Arena *a)
{
    return a->bytes;
}

// A chunk for one big item goes behind the one being filled, which keeps its room.
static Chunk *add_chunk(Arena *a, size_t n)
{
    bool big = n > a->next_size / 2;
    size_t size = big ? n : a->next_size;
    Chunk *c = get_memory(HEADER + size);
    c->size = size;
    if (big && a->chunks != NULL) {
        c->next = a->chunks->next;
        a->chunks->next = c;
    } else {
        c->next = a->chunks;
        a->chunks = c;
    }
    if (!big && a->next_size < LAST_CHUNK)
        a->next_size *= 2;
    return c;
}

void *arena_alloc(Arena *a, size_t n)
{
    if (allocations_left == 1) {
        allocations_left = -1;
        out_of_memory();
    }
    if (allocations_left > 0)
        allocations_left--;
    if (n > SIZE_MAX / 4)
        out_of_memory();
    size_t room = (n + ALIGN - 1) / ALIGN * ALIGN;
    if (room == 0)
        room = ALIGN;
    Chunk *c = a->chunks;
    if (c == NULL || c->size - c->used < room)
        c = add_chunk(a, room);
    char *p = chunk_bytes(c) + c->used;
    c->used += room;
    a->bytes += n;
    return p;
}

// Makes p, of `old` bytes, n bytes long; in place when it is the last of its chunk.
static void *arena_grow(Arena *a, void *p, size_t old, size_t n)
{
    Chunk *c = a->chunks;
    size_t room = (old + ALIGN - 1) / ALIGN * ALIGN;
    if (p != NULL && c != NULL && c->used >= room &&
        (char *)p == chunk_bytes(c) + (c->used - room) && n <= SIZE_MAX / 4) {
        size_t more = (n + ALIGN - 1) / ALIGN * ALIGN - room;
        if (c->size - c->used >= more) {
            c->used += more;
            a->bytes += n - old;
            return p;
        }
    }
    void *q = arena_alloc(a, n);
    if (p != NULL && old > 0)
        memcpy(q, p, old);
    return q;
}

char *arena_strndup(Arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    if (n > 0)
        memcpy(p, s, n);
    return p;
}

char *arena_strdup(Arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(Arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        bug("cannot format \"%s\"", fmt);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    return p;
}

char *arena_printf(Arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *p = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return p;
}

// ---- vectors ------------------------------------------------------------------------

void *vec_grow(Arena *a, void *p, int n, int *cap, size_t item_bytes)
{
    if (n > INT32_MAX / 2)
        out_of_memory();
    int more = n < 4 ? 8 : 2 * n;
    void *q = arena_grow(a, p, (size_t)n * item_bytes, (size_t)more * item_bytes);
    *cap = more;
    return q;
}

// ---- text being built ---------------------------------------------------------------

void text_init(Text *t, Arena *a)
{
    *t = (Text){.arena = a};
    t->cap = 64;
    t->p = arena_alloc(a, t->cap);
}

// Room for n more bytes and the NUL.
static void text_reserve(Text *t, size_t n)
{
    if (n > SIZE_MAX / 8 || t->n > SIZE_MAX / 8)
        out_of_memory();
    size_t need = t->n + n + 1;
    if (need <= t->cap)
        return;
    size_t cap = t->cap * 2 > need ? t->cap * 2 : need;
    t->p = arena_grow(t->arena, t->p, t->cap, cap);
    t->cap = cap;
}

void text_put(Text *t, const char *s, size_t n)
{
    text_reserve(t, n);
    if (n > 0)
        memcpy(t->p + t->n, s, n);
    t->n += n;
    t->p[t->n] = '\0';
}

void text_puts(Text *t, const char *s)
{
    text_put(t, s, strlen(s));
}

void text_vprintf(Text *t, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(t->p + t->n, t->cap - t->n, fmt, again);
    va_end(again);
    if (n < 0)
        bug("cannot format \"%s\"", fmt);
    if ((size_t)n >= t->cap - t->n) {
        text_reserve(t, (size_t)n);
        vsnprintf(t->p + t->n, t->cap - t->n, fmt, ap);
    }
    t->n += (size_t)n;
}

void text_json(Text *out, const char *s)
{
    text_puts(out, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            text_printf(out, "\\u%04x", c);
        else
            text_put(out, s, 1);
    }
    text_puts(out, "\"");
}

void text_printf(Text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(t, fmt, ap);
    va_end(ap);
}

// ---- maps ---------------------------------------------------------------------------

typedef struct Entry {
    const char *key;
    void *value;
    uint64_t hash;
} Entry;

struct Map {
    Arena *arena;
    VEC(Entry) entries;  // in order of insertion
    int *slot;           // open addressing: 1 + index of an entry, 0: free
    int nslots;          // a power of two, over 4/3 of the entries
};

Map *map_new(Arena *a)
{
    Map *m = NEW(a, Map);
    m->arena = a;
    return m;
}

// The slot where key stands or would stand; the table must not be empty.
static int map_slot(const Map *m, const char *key, uint64_t hash)
{
    int mask = m->nslots - 1;
    int i = (int)(hash & (uint64_t)mask);
    for (;; i = (i + 1) & mask) {
        if (m->slot[i] == 0)
            return i;
        const Entry *e = &m->entries.p[m->slot[i] - 1];
        if (e->hash == hash && strcmp(e->key, key) == 0)
            return i;
    }
}

static void map_rehash(Map *m)
{
    m->nslots = m->nslots == 0 ? 16 : 2 * m->nslots;
    m->slot = NEWN(m->arena, int, m->nslots);
    for (int k = 0; k < m->entries.n; k++) {
        const Entry *e = &m->entries.p[k];
        m->slot[map_slot(m, e->key, e->hash)] = k + 1;
    }
}

void *map_get(const Map *m, const char *key)
{
    if (m->nslots == 0)
        return NULL;
    int i = map_slot(m, key, hash_bytes(key, strlen(key)));
    return m->slot[i] == 0 ? NULL : m->entries.p[m->slot[i] - 1].value;
}

void map_set(Map *m, const char *key, void *value)
{
    if (4 * (m->entries.n + 1) > 3 * m->nslots)
        map_rehash(m);
    uint64_t hash = hash_bytes(key, strlen(key));
    int i = map_slot(m, key, hash);
    if (m->slot[i] != 0) {
        m->entries.p[m->slot[i] - 1].value = value;
        return;
    }
    Entry e = {arena_strdup(m->arena, key), value, hash};
    vec_push(m->arena, &m->entries, e);
    m->slot[i] = m->entries.n;
}

int map_count(const Map *m)
{
    return m->entries.n;
}

const char *map_key(const Map *m, int i)
{
    return m->entries.p[i].key;
}

void *map_value(const Map *m, int i)
{
    return m->entries.p[i].value;
}

// ---- strings ------------------------------------------------------------------------

enum { MAX_WORD = 96 };  // what is left of a word after common ends are cut

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int min3(int a, int b, int c)
{
    int m = a < b ? a : b;
    return m < c ? m : c;
}

// Edit distance in half steps: 2 for a letter inserted, dropped, changed or two swapped,
// 1 for one in the other case. INT32_MAX when the words are too long to tell.
static int distance(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);
    while (m > 0 && n > 0 && *a == *b)
        a++, b++, m--, n--;
    while (m > 0 && n > 0 && a[m - 1] == b[n - 1])
        m--, n--;
    if (m > MAX_WORD || n > MAX_WORD)
        return INT32_MAX;
    int rows[3][MAX_WORD + 1];
    for (size_t j = 0; j <= n; j++)
        rows[0][j] = 2 * (int)j;
    for (size_t i = 1; i <= m; i++) {
        int *now = rows[i % 3];
        const int *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        now[0] = 2 * (int)i;
        for (size_t j = 1; j <= n; j++) {
            char x = a[i - 1], y = b[j - 1];
            int change = x == y ? 0 : lower(x) == lower(y) ? 1 : 2;
            now[j] = min3(up[j] + 2, now[j - 1] + 2, up[j - 1] + change);
            if (i > 1 && j > 1 && x == b[j - 2] && a[i - 2] == y &&
                up2[j - 2] + 2 < now[j])
                now[j] = up2[j - 2] + 2;
        }
    }
    return rows[m % 3][n];
}

const char *nearest(const char *word, const char *const *candidates, int n)
{
    // A third of the letters may be wrong; of a word of one or two, only their case.
    size_t length = strlen(word);
    int best = length < 3 ? 2 : 2 * (int)(length < 3000 ? length / 3 : 1000) + 1;
    const char *found = NULL;
    for (int i = 0; i < n; i++) {
        int d = distance(word, candidates[i]);
        if (d > 0 && d < best) {
            best = d;
            found = candidates[i];
        }
    }
    return found;
}

uint64_t hash_bytes(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}
