// astprint.h - the tree of a source as text, for --emit=ast.

#ifndef TFXC_ASTPRINT_H
#define TFXC_ASTPRINT_H

#include "grammar/ast.h"

// One node a line, children indented below it, expressions as (op a b).
void ast_print(const File *f, Text *out);

#endif
