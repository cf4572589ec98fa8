// embed.h - texts carried inside the program: the standard blocks and the runtime.
//
// make.c writes them out as C while the project is built. Names are the paths in the
// source tree without their first folder: "std/nn.tfx", "tfx.h", "kernels/gemm.h".

#ifndef TFXC_EMBED_H
#define TFXC_EMBED_H

#include <stddef.h>

typedef struct Embedded {
    const char *name;
    const char *text;  // ends in a NUL that `size` does not count
    size_t size;
} Embedded;

extern const Embedded embedded[];  // in the order of their names
extern const int embedded_count;

const Embedded *embedded_find(const char *name);  // NULL: there is none

#endif
