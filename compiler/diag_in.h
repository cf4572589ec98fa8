// diag_in.h - what diag.c and diag_print.c share.

#ifndef TFXC_DIAG_IN_H
#define TFXC_DIAG_IN_H

#include "diag.h"

typedef struct Source {
    const char *name, *text;  // text NULL: a file without lines, such as a checkpoint
    uint32_t start;           // offset of its first byte in the line of all sources
    uint32_t n;
    VEC(uint32_t) lines;  // where lines begin, from the source's start
} Source;

struct Diag {
    Arena *arena;
    VEC(Source) sources;
    VEC(Message) messages;
    Map *said;      // what was said, as text, so that it is said once
    uint32_t next;  // offset of the next source
    int errors;
    void (*say)(void *ctx, const char *text);  // progress; NULL: nobody listens
    void *say_ctx;
    bool drop_hints;  // the message they would belong to was said before
};

// The source an offset stands in, or NULL.
const Source *diag_source_at(const Diag *d, uint32_t offset);
// The line (from 0) of a byte of a source.
int diag_line_of(const Source *s, uint32_t at);
// Decodes one code point; a byte that is not UTF-8 stands for itself as U+FFFD.
uint32_t diag_next_point(const char *text, uint32_t n, uint32_t *at);
// Line and column (from 1) of an offset within s or just behind it.
void diag_find_column(const Source *s, uint32_t offset, int *line, int *column);

#endif
