// describe.h - a module in other words: a table for people, JSON, a drawing.

#ifndef TFXC_DESCRIBE_H
#define TFXC_DESCRIBE_H

#include "ir.h"

// What an entry computes at the bounds of all dims.
typedef struct Work {
    double multiply_adds;  // of matmul, linear and attention
    int64_t ops;           // values, turns of repeats counted once
} Work;

Work graph_work(const Graph *g);

void describe_text(Module *m, Arena *a, Diag *d, Text *out);  // tfxc report
// --emit=json, one object without its end: a caller may have more members.
void describe_json(Module *m, Arena *a, Diag *d, Text *out);
void describe_json_end(Text *out);
void describe_dot(const Module *m, Text *out);  // --emit=dot, for Graphviz

// "entry decode(tokens: i32[T]) at P -> logits: f32[vocab=512]"
void describe_entry(const Graph *g, Text *out);

#endif
