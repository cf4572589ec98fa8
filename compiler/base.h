// base.h - memory, strings, vectors, maps, and the way out of a compiler bug.
//
// Two lifetimes: what belongs to a compilation lives in its Arena and goes with it; a
// scratch Arena lives as long as one pass. Nothing is freed singly, and nothing that lives
// long points into what lives shortly. arena_alloc is the only caller of malloc.

#ifndef TFXC_BASE_H
#define TFXC_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#    define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#else
#    define PRINTF_LIKE(f, a)
#endif

// Equal as bits: -0 is not 0, a NaN is itself.
static inline bool same_bits(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

// ---- base.c: what cannot go on ------------------------------------------------------

// A Guard marks an API boundary. `if (GUARD_SET(&g)) { ...failed... }` runs the protected
// code in the else branch; bug() and running out of memory return to the innermost guard
// of the thread with g.message set. guard_drop must be called on the normal way out.
typedef struct Guard {
    jmp_buf env;
    struct Guard *outer;
    char message[256];  // "irtext.c:120: no such op"
    bool out_of_memory;
} Guard;

void guard_enter(Guard *g);
void guard_drop(Guard *g);
// After cleaning up in a guard's failed branch: on to the next outer guard.
_Noreturn void guard_pass_on(const Guard *g);
// Goes on to the next guard with what g has caught, after its owner has cleaned up.
_Noreturn void guard_again(const Guard *g);
#define GUARD_SET(g) (guard_enter(g), setjmp((g)->env))

// A broken invariant of the compiler, never of the user's input. Does not return.
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

// ---- base.c: arenas -----------------------------------------------------------------

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *a);              // NULL is fine
void *arena_alloc(Arena *a, size_t n);  // zeroed, aligned to 16; never NULL
char *arena_strndup(Arena *a, const char *s, size_t n);
char *arena_strdup(Arena *a, const char *s);
char *arena_printf(Arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(Arena *a, const char *fmt, va_list ap);
size_t arena_bytes(const Arena *a);  // asked for so far

#define NEW(a, T)     ((T *)arena_alloc((a), sizeof(T)))
#define NEWN(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

// Makes the n-th allocation from now fail (tests); 0 turns that off.
void arena_fail_after(long n);

// ---- vectors: VEC(Value *) ops; vec_push(arena, &ops, v); ops.p[i], ops.n -----------

#define VEC(T)                                                                         \
    struct {                                                                           \
        T *p;                                                                          \
        int n, cap;                                                                    \
    }

void *vec_grow(Arena *a, void *p, int n, int *cap, size_t item_bytes);

#define vec_push(a, v, x)                                                              \
    ((v)->n == (v)->cap                                                                \
         ? (void)((v)->p = vec_grow((a), (v)->p, (v)->n, &(v)->cap, sizeof(*(v)->p)))  \
         : (void)0,                                                                    \
     (v)->p[(v)->n++] = (x))

// ---- text being built ---------------------------------------------------------------

typedef struct Text {
    Arena *arena;
    char *p;  // always ends in a NUL
    size_t n, cap;
} Text;

void text_init(Text *t, Arena *a);
void text_put(Text *t, const char *s, size_t n);
void text_puts(Text *t, const char *s);
void text_json(Text *out, const char *s);  // quoted, escaped
void text_printf(Text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_vprintf(Text *t, const char *fmt, va_list ap);

// ---- maps from strings to pointers, in order of insertion ---------------------------

typedef struct Map Map;

Map *map_new(Arena *a);
void *map_get(const Map *m, const char *key);        // NULL: not there
void map_set(Map *m, const char *key, void *value);  // the key is copied
int map_count(const Map *m);
const char *map_key(const Map *m, int i);  // i-th inserted
void *map_value(const Map *m, int i);

// ---- strings ------------------------------------------------------------------------

// Of n candidates the one nearest to word by edit distance, or NULL when none is near
// enough to be worth a "did you mean".
const char *nearest(const char *word, const char *const *candidates, int n);

uint64_t hash_bytes(const void *p, size_t n);  // XXH3, 64 bits

#endif
