// irtext.h - what the printer and the reader of textual graph IR share.
//
//     module "stories"
//     weights "model.safetensors"
//     dim T in 1..512
//     table up_rank by i in 0..5 = 41, 42, 46, 43, 44     // a size by turn of repeats
//     scope 1 "layer" block "Layer" path "model.layers.{i}" parent 0
//     weight "model.embed.weight" : f32[512, 64] stored [1, 0] @layer
//     state "model.layers.{i}.k" : f32[4, 512, 8] init 0 turns 5 by_cursor @layer
//
//     entry decode(tokens: i32[T]) at P advance T -> (logits) {
//         w = weight {path = "model.embed.weight"} : f32[512, 64]
//         x = gather(w, tokens) {axis = 0} : f32[T, 64] @layer
//         %0 = repeat i in 0..5 (x.1 = x) @layer {
//             %1 = map(x.1, x.1) : f32[T, 64] @layer do (%2, %3) {
//                 %4 = add(%2, %3) : f32
//                 yield %4
//             }
//             yield %1
//         }
//         y = item(%0) {i = 0} : f32[T, 64]
//         yield y
//     }
//
// A name of the source stands for itself; when it is taken, a number follows it: x.1 is
// the second x. A value without a name is %0, %1... in the order of the text. Names that
// are not identifiers stand in quotes. A linear without `do` has the plain epilogue.

#ifndef TFXC_IRTEXT_H
#define TFXC_IRTEXT_H

#include "ir.h"

enum { IR_MAX_DEPTH = 64, IR_MAX_SIZE_TEXT = 2000 };

// Labels of scopes: names from the root joined by '/', "hidden/layer"; "#7" after it when
// an earlier scope has the same. "" is the root, which is not printed.
const char **scope_labels(const Module *m, Arena *a);
bool is_identifier(const char *s);
// The shortest decimal that reads back as the same double; nan, inf, -inf.
void ir_put_number(Text *out, double x);
void ir_put_string(Text *out, const char *s);  // in quotes
void ir_put_name(Text *out, const char *s);    // as it is, or in quotes
// With the user's names of sizes: f32[T, ffn=384, "heads * head"=96].
void ir_put_type(Text *out, const Type *t);
// "@layer/attn", with the labels of scope_labels; nothing for the root.
void ir_put_scope(const Module *m, const char *const *label, const Scope *s, Text *out);
// irtext_head.c: everything in front of the entries: module, dims, tables, scopes, weights,
// states.
void ir_put_header(const Module *m, const char *const *label, Text *out);
void ir_print_header(const Module *m, Text *out);
void ir_print_body(const Graph *g, Text *out);  // { ... yield ... }

#endif
