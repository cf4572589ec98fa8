// irread.h - the reader of textual graph IR, shared by its three files.
//
// Every rd_ function reads one thing and returns false after the first error was reported.

#ifndef TFXC_IRREAD_H
#define TFXC_IRREAD_H

#include "irtext.h"

typedef struct Reader {
    Arena *a;
    Diag *d;
    const char *text;
    size_t n, at;
    uint32_t base;
    Module *m;
    Graph *g;
    Map *names;   // of the values of g, as spelled
    Map *labels;  // of scopes; NULL: not made yet
    int depth;
} Reader;

// ---- irlex.c: characters, numbers, sizes, types ----------------------------------------

Loc rd_loc(const Reader *r, size_t start);                // from start to here
bool rd_fail(Reader *r, size_t start, const char *what);  // reports; false
char rd_peek(const Reader *r);                            // NUL at the end
void rd_space(Reader *r);                                 // and comments
bool rd_is_letter(char c);
bool rd_is_digit(char c);
bool rd_take(Reader *r, const char *s);  // a word or sign, if next
bool rd_expect(Reader *r, const char *s);
bool rd_word(Reader *r, const char **out);    // an identifier
bool rd_string(Reader *r, const char **out);  // in quotes
bool rd_name(Reader *r, const char **out);    // either
bool rd_int(Reader *r, int64_t *out);
bool rd_small_int(Reader *r, int64_t hi, int *out);  // 0..hi
bool rd_number(Reader *r, double *out);
bool rd_size(Reader *r, const Size **out);
bool rd_type(Reader *r, Type *t);  // sizes may have names: f32[T, ffn=384]

// ---- irvalue.c: attributes, values, regions --------------------------------------------

// The name of a value: %3, x, x.2, "any text", "any text".2. What it is called in the
// source goes to *source: NULL, or the name without its number.
bool rd_value_name(Reader *r, const char **spelled, const char **source);
bool rd_define(Reader *r, size_t start, const char *spelled, Value *v);
bool rd_scope(Reader *r, Scope **out);  // `@hidden/layer`, or nothing: the root
bool rd_region(Reader *r, Region *body);

// ---- irread.c: what stands in front of the entries -------------------------------------

bool rd_header(Reader *r);  // makes r->m; stops at what is no line of a header

#endif
