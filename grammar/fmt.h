// fmt.h - between the files of the formatter: fmt.c reads, fmt_lay.c lays out.

#ifndef TFXC_FMT_H
#define TFXC_FMT_H

#include "parser.h"

enum { FMT_WIDTH = 88, FMT_INDENT = 4 };

typedef struct Comment {
    const char *s;  // from // on
    bool blank;     // a blank line before it
} Comment;
typedef VEC(Comment) CommentList;

typedef enum Inline { INLINE_ASK, INLINE_YES, INLINE_NO } Inline;

// Brackets: flat, what is in them on a line of its own, or each item on one.
typedef enum Broken { FLAT, BROKEN, BROKEN_UP } Broken;

typedef struct Tok {
    int kind;
    Loc loc;
    const char *s;
    int match;     // the other bracket; -1: none
    int parent;    // the open bracket around it; -1: none
    bool starts;   // an item, member, statement or step begins here
    bool member;   // a weight or block member, whose columns are aligned
    bool keyword;  // a soft keyword in its own sense
    bool operand;  // an expression may end here
    bool dropped;
    bool blank;          // a blank line before it, after its comments
    CommentList before;  // comments on lines of their own
    const char *after;   // the comment behind it on its line
    Inline on_line;      // '{': its body stays on the line
    Broken broken;       // '(' '['
    int line, column;    // where it was laid out
} Tok;

typedef struct Format {
    Arena *arena;
    const char *text;
    uint32_t base;
    VEC(Tok) toks;  // the last is the end of the file
} Format;

void format_lay_out(Format *f, Text *out);

#endif
