// runtime_text.h - the runtime as text: tfx_rt.h, tfx_rt_q.h, tfx_rt_amx.h, tfx_cpu.h and
// tfx_rt.c.

#ifndef TFXC_RUNTIME_TEXT_H
#define TFXC_RUNTIME_TEXT_H

#include "base.h"

// tfx.h and the parts of kernels.def in their order, joined. It has no include guard of its
// own: model.c includes it again for each kernel template.
void runtime_header(Text *out);
// tfx_rt_q.h: the parts of compressed weights, for programs that have some.
void runtime_packed_header(Text *out);
// tfx_rt_amx.h: the parts for tiles of AMX, which tfx_rt.h includes where TFX_AMX is 1.
void runtime_tiles_header(Text *out);
// tfx_cpu.h: what --dispatch needs to know of compilers and processors.
void runtime_levels(Text *out);
// The optional part: a pool of threads, mapped files.
void runtime_source(Text *out);

#endif
