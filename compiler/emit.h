// emit.h - loop IR to C: the only place that prints C.

#ifndef TFXC_EMIT_H
#define TFXC_EMIT_H

#include "layout.h"
#include "target.h"

typedef struct EmitOptions {
    const char *source;  // base name of the model file
    const char *header;  // what model.c includes; NULL: <prefix>.h
    uint64_t source_hash;
    const char *version;  // of tfxc
    const char *file;     // model.c itself
    const char *stem;     // of the output files, "model" of model.c; NULL: the prefix
    bool embed;           // weights are in <stem>_weights.c
    bool dispatch;        // compiled once for each level
    bool tiles;           // for targets that may have AMX
    const Target *target;
    const char *tune;     // base name of the tune file, or NULL
    const char *defines;  // "#define ..." lines that go before the runtime, or NULL
} EmitOptions;

void emit_source(Prog *p, const Layout *y, const EmitOptions *o, Text *out);  // model.c
void emit_header(Prog *p, const Layout *y, const EmitOptions *o, Text *out);  // model.h
// model_<level>.c
void emit_level_source(Prog *p, const EmitOptions *o, const Target *t, Text *out);
bool emit_has_level(const Prog *p, const Target *t);  // with --dispatch
bool emit_has_compressed(const Prog *p);              // needs tfx_rt_q.h
// For the driver: every entry by one signature.
void emit_glue(Prog *p, bool dispatch, Text *out);

// ---- shared by emit_*.c -------------------------------------------------------------------

typedef struct Emit {
    Prog *p;
    const Layout *layout;
    const EmitOptions *options;
    Text *out;
    Map *funcs;  // text of a function -> the Func that was printed
    Func *func;  // being printed; NULL: an epilogue
    int indent;
    Map *names;  // sizes by name
} Emit;

// Precedence of what is around: an operand that binds less gets parentheses.
enum { PREC_SUM = 1, PREC_PRODUCT, PREC_UNARY, PREC_POSTFIX };
void emit_expr(Emit *e, const LExpr *x, int prec, Text *out);
void emit_size(Emit *e, const Size *s, int prec, Text *out);
void emit_number(double v, DType d, Text *out);
// A shape in a comment, sizes by turn as the record calls them.
const char *emit_shape(Emit *e, const Record *r, const char *text);
enum { EMIT_COLUMNS = 88 };
void emit_pad(Text *t, int n);
void emit_wrapped(Emit *e, const char *line);
void emit_line(Emit *e, const char *fmt, ...)
    PRINTF_LIKE(2, 3);                  // indented and wrapped
const char *emit_c_type(const Buf *b);  // of an element in memory
const char *emit_var_type(DType d);     // of a variable
void emit_body(Emit *e, const LStmts *body);
void emit_names_collect(Emit *e);
// A size as the user spelled it, in enumerators; NULL: the number says it better.
const char *emit_dim_name(Emit *e, const char *name);
void emit_names_enum(Emit *e, Text *out);  // of those that were said
void emit_maps(Emit *e);                   // the MAP rows used, as functions and macros
void emit_templates(Emit *e);              // the kernel templates
void emit_records(Emit *e);                // struct types and the table
void emit_func(Emit *e, Func *f);
void emit_levels(Emit *e);  // with --dispatch
void emit_api(Emit *e);     // init, check, reset, rewind, entries, strerror
const char *emit_func_params(Emit *e, const Func *f);
const char *emit_entry_decl(const Prog *p, const Func *f, Arena *a);
bool has_cursor(const Prog *p);
const DimVar *entry_cursor(const Func *f);
bool entry_uses_state(const Func *f);
bool entry_has_dim(const Func *f, const DimVar *d);
const char *emit_upper(const Prog *p, const char *s);  // "max_t": "MAX_T"
const char *emit_stem(const Prog *p, const EmitOptions *o);
void emit_decl(Emit *e, const char *decl, const char *end);
void emit_provenance(Emit *e, const char *what);  // the comment a file begins with
bool emit_can_rewind(const Prog *p);
const char *status_name(const Prog *p, const char *what);

#endif
