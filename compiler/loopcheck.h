// loopcheck.h - the verifier of loop IR: what its files share.

#ifndef TFXC_LOOPCHECK_H
#define TFXC_LOOPCHECK_H

#include "loop.h"

typedef struct Var {
    const char *name;
    DType dtype;
    bool fixed;  // a loop variable, a `let`, a turn
} Var;

typedef struct Check {
    const Prog *p;
    const Func *f;  // NULL: not in a function
    Map *bufs;      // of f, by address
    VEC(Var) vars;  // in scope, innermost last
    Arena *scratch;
    Text *why;
    int breaches;
} Check;

void breach(Check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool is_buf_of(const Check *c, const Buf *b);
const Var *var_find(const Check *c, const char *name);

// loopcheck_expr.c
void check_expr(Check *c, const LExpr *e);
void check_index(Check *c, const LExpr *e, const char *what);  // an i64 expression
// loopcheck_stmt.c
void check_body(Check *c, const LStmts *body);
// loopcheck_record.c: packed constants, records, places, templates
void check_tables(Check *c);
// Sizes by turn are of the turns that the record is an instance of.
void check_turns(Check *c, const Record *r, const Size *s);

#endif
