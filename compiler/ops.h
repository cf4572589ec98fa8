// ops.h - what an op row needs beside its row: type rule, oracle, lowering.
//
// A MAP row needs nothing: its expression is its oracle and its code. An OP row has a file
// ops/<name>.c with three functions, found by name through the row:
//
//     bool infer_<name>(Infer *c, Value *v)   sets v->type, or reports and returns false
//     void eval_<name>(Eval *e, const Value *v, Tensor *y)     in double
//     void lower_<name>(Lower *l, const Value *v)              to loop IR
//
// A CORE row is structure; ir.c, oracle.c and lower.c treat it themselves.

#ifndef TFXC_OPS_H
#define TFXC_OPS_H

#include "ir.h"
#include "oracle.h"

// ---- type rules ----------------------------------------------------------------------------

typedef struct Infer {
    Module *module;
    Sizes *sizes;
    Diag *diag;  // NULL: a misfit is a bug of a pass
    Loc loc;
} Infer;

// Reports a misfit (as an error at c->loc, or as a bug) and returns false.
bool misfit(Infer *c, DiagCode code, const char *fmt, ...) PRINTF_LIKE(3, 4);
// A hint to the misfit before it.
void misfit_hint(Infer *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *spell(Infer *c, const Value *v);  // its type as the user spelled it
// An axis attribute, 0 <= axis < rank; false after a misfit.
bool infer_axis(Infer *c, const Value *v, const char *attr, int rank, int *axis);

typedef struct Lower Lower;

#define OP(name, arity, doc)                                                           \
    bool infer_##name(Infer *c, Value *v);                                             \
    void eval_##name(Eval *e, const Value *v, Tensor *y);                              \
    void lower_##name(Lower *l, const Value *v);
#define CORE(name, arity, doc)
#define MAP1(name, expr, doc)
#define MAP2(name, expr, doc)
#include "ops.def"
#undef OP
#undef CORE
#undef MAP1
#undef MAP2

bool infer_type(Infer *c, Value *v);  // by the row: CORE, MAP and OP alike

#endif
