// loopread.h - textual loop IR: its form, and what its printer and reader share.
//
//     program stories
//     module "stories"                       // to the states: as in graph IR, irtext.h
//     dim T in 1..512
//     weight "layers.{i}.up" : f32[172, 64]
//     state "layers.{i}.k" : f32[4, 512, 8] init 0 turns 5 by_cursor
//
//     kernels linear rope                    // parts of the runtime
//     maps silu                              // MAP rows called by name
//     memory weights 0 state 81920 scratch 442368 work 20480 at 421888
//
//     constants {                            // graph IR; yields the packed constants
//         %0 = weight {path = "layers.{i}.up"} : f32[172, 64]
//         yield %0
//     }
//     packed 0 "layers.{i}.up" f32 panels 172 64 count 11264
//     place "layers.0.k" of "layers.{i}.k" at 64 bytes 65536
//
//     record Model "" {
//         layer = record Layer "layers.{i}" turns i in 0..5 {
//             up = packed 0
//             k = state "layers.{i}.k"
//             up_rank = size up_rank         // of a table by i
//         }
//     }
//
//     template linear_silu f32 extras 0 = silu(a)
//
//     func layer of layer @hidden/layer frame 0 {
//         param x: f32[T, hidden=64]
//         weight w_up: f32[172, 64] from up
//         local up: f32[T, 172] at 0
//         note up "f32[T, 64] @ f32[172, 64]' -> f32[T, 172]"
//         kernel linear_silu(@par, out up[0], 172, in x[0], {hidden=64}, ...)
//     }
//     entry decode at P advance T frame 442368 {
//         in tokens: i32[T]
//         out out_logits: f32[512] as logits
//         turns i in 0 .. 5 {
//             call layer(x) record layer[i] at 131072
//         }
//     }
//
// A function names its record by the fields on the way from the root. Callees stand before
// their callers, so there is no recursion. `as` is a name in the source that differs from
// the one in C. A packed constant has its greatest sizes over the turns. Expressions are in
// full brackets; a size or an integer with the user's name is in braces; 2:i32 is an i32,
// 1e4:f64 a double, #inf infinity. What follows from the rest is not said: which buffers are
// written, what a function needs of its caller.

#ifndef TFXC_LOOPREAD_H
#define TFXC_LOOPREAD_H

#include "irread.h"
#include "loop.h"

enum { LOOP_MAX_DEPTH = 12, LOOP_MAX_EXPR_DEPTH = 200 };

// ---- loopconst.c: the constants of a program as one graph -------------------------------

// Its yields are p->packed in order; everything new lies in a.
Graph *loop_constants(const Prog *p, Arena *a);

// ---- looptext_body.c -------------------------------------------------------------------

void loop_indent(Text *out, int depth);
void loop_put_expr(const LExpr *e, Text *out);
void loop_put_body(const LStmts *body, int depth, Text *out);

// ---- the reader, over the one of graph IR ----------------------------------------------

typedef struct Name {
    const char *name;
    DType dtype;
} Name;

typedef struct LoopReader {
    Reader r;
    Prog *p;
    Map *funcs;      // by name
    Func *f;         // being read; NULL: a template
    Map *bufs;       // of f, by name
    VEC(Name) vars;  // in scope, innermost last
    int depth;
} LoopReader;

// loopread_expr.c
bool rd_expr(LoopReader *l, bool argument,
             LExpr **out);              // of a kernel: may be a double
bool rd_buf(LoopReader *l, Buf **out);  // the name of a buffer of l->f
// loopread_body.c
bool rd_body(LoopReader *l, LStmts *body, int depth);  // up to and with the }
// loopread_head.c: all in front of the functions
bool rd_loop_head(LoopReader *l);
bool rd_bytes(LoopReader *l, int64_t *out);  // 0 to 2^48

#endif
