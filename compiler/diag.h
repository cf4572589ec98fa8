// diag.h - sources, places in them, and what is said about them.
//
// All sources of a run stand in one line of bytes; a Loc is two offsets into it, so it
// needs no file. Lines and columns are computed when a message is printed:
//
//     model.tfx:2:9: error[E0310]: matmul: inner sizes differ: f32[T, hidden=384] @ f32[768, 384]
//         2 |     h = x @ w
//           |         ^~~~~
//     model.tfx:1:24: hint: declare this f32[384, 768], or write w'
//
// A message is short, factual, lower case, without a full stop, in the user's words. What
// to do goes into a hint. Each code is a row of diags.def with a text for `tfxc explain`.

#ifndef TFXC_DIAG_H
#define TFXC_DIAG_H

#include "base.h"

typedef struct Loc {
    uint32_t start, end;  // [start, end) in the line of all sources; {0,0}: nowhere
} Loc;

typedef enum DiagCode {
#define DIAG(code, title, text) code,
#include "diags.def"
#undef DIAG
    DIAG_COUNT
} DiagCode;

typedef enum Severity { SEV_ERROR, SEV_WARNING, SEV_HINT } Severity;

typedef struct Message {
    Severity severity;
    DiagCode code;  // a hint has the code of what it belongs to
    Loc loc;
    const char *text;
} Message;

typedef struct Diag Diag;

Diag *diag_new(Arena *a);

// Adds a source; the text must live as long as the Diag. Returns its first offset (>= 1).
// A name is what messages print: "model.tfx", "std/nn.tfx", "model.safetensors".
uint32_t diag_source(Diag *d, const char *name, const char *text, size_t n);

void diag_error(Diag *d, Loc loc, DiagCode code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void diag_warning(Diag *d, Loc loc, DiagCode code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
// Belongs to the message before it.
void diag_hint(Diag *d, Loc loc, const char *fmt, ...) PRINTF_LIKE(3, 4);

// What is being done, for whoever waits: `say` gets it at once, no message is kept. Without
// diag_on_progress nothing is said.
void diag_on_progress(Diag *d, void (*say)(void *ctx, const char *text), void *ctx);
void diag_progress(Diag *d, const char *fmt, ...) PRINTF_LIKE(2, 3);

int diag_errors(const Diag *d);
int diag_count(const Diag *d);
const Message *diag_message(const Diag *d, int i);

// Where a place is: file name, line and column from 1, columns in code points.
typedef struct Place {
    const char *file;
    int line, column;
} Place;

Place diag_place(const Diag *d, Loc loc);  // file NULL: nowhere
// The source between start and end.
const char *diag_text(const Diag *d, Loc loc, Arena *a);

typedef enum DiagFormat { DIAG_TEXT, DIAG_COLOR, DIAG_JSON } DiagFormat;

// All messages, in the order of their places within a file, errors of no place last.
void diag_print(const Diag *d, DiagFormat format, Text *out);

const char *diag_code_name(DiagCode c);  // "E0310"
const char *diag_code_title(DiagCode c);
const char *diag_code_text(DiagCode c);
bool diag_code_find(const char *name, DiagCode *c);  // "E0310" or "e0310"

static inline Loc loc_join(Loc a, Loc b)
{
    if (a.end == 0)
        return b;
    if (b.end == 0)
        return a;
    return (Loc){a.start < b.start ? a.start : b.start, a.end > b.end ? a.end : b.end};
}

#endif
