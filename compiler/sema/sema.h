// sema.h - from the tree of a .tfx file to the graph IR.
//
// The front end runs the program at compile time: configs and block arguments are
// values, a call of a block's function is its body built again at that place, and a
// `for` over equal turns is built once as a `repeat` region. Every mistake is reported;
// a Module comes back only when there was none.

#ifndef TFXC_SEMA_H
#define TFXC_SEMA_H

#include "compiler/ir.h"
#include "grammar/ast.h"

typedef struct Override {  // one -D: "hidden=384", "T<=64"
    const char *name;      // a config or a dim
    const char *op;        // "=" or "<="
    const char *value;     // as written after the operator
} Override;

typedef struct SemaOptions {
    const Override *overrides;
    int noverrides;
    const char *name;  // module name and prefix; NULL: stem of the main file's name
    // Text of an import ("std/nn.tfx"), living as long as the Diag; false: there is
    // none.
    bool (*load)(void *ctx, const char *name, const char **text, size_t *n);
    void *ctx;
} SemaOptions;

// NULL after reporting. The graphs have passed every type rule, not yet ir_verify.
Module *tfx_build(Arena *a, Diag *d, const SemaOptions *o, File *main_file);

#endif
