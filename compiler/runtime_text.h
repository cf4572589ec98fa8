// runtime_text.h - tfx_rt.h: tfx.h and the parts of the runtime that a program needs.

#ifndef TFXC_RUNTIME_TEXT_H
#define TFXC_RUNTIME_TEXT_H

#include "base.h"

// Joins the parts (names of rows of runtime/kernels.def) and all they need, in the order
// of the rows. Text, not files: everything is inside the compiler.
void runtime_join(const Map *parts, Text *out);

#endif
