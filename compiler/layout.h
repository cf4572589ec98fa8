// layout.h - where each packed constant of each instance lies in the packed weights file.
//
// The packed file is a valid safetensors file. Its tensors stand in the order of the
// program's records, layer by layer, each at a multiple of 64 bytes, so that the file can
// be mapped and used as it is.

#ifndef TFXC_LAYOUT_H
#define TFXC_LAYOUT_H

#include "loop.h"
#include "oracle.h"
#include "safetensors.h"

enum { MAX_TURNS = 8 };

typedef struct Placed {
    const Packed *packed;
    const char *name;  // turns put in
    int nturns;
    Turn turn[MAX_TURNS];
    FormatSize size;        // of a matrix, in these turns
    int64_t count;          // elements stored
    int number;             // in the writer
    int64_t offset, bytes;  // from the start of the file
} Placed;

typedef struct Layout {
    Arena *arena;
    Prog *prog;
    VEC(Placed *) tensors;
    Map *by_name;
    StWriter *writer;
    const char *header;  // everything before the payload
    size_t header_bytes;
    int64_t file_bytes;
    size_t check_bytes;  // so many leading bytes tell this plan from any other
    uint64_t sum;        // of the payload, after packing
    bool summed;
} Layout;

// path: where pack_commit will put the file. NULL after reporting.
Layout *layout_make(Arena *a, Prog *p, Diag *d, const char *path);
// The tensor of a weight field in the instance that the turns name.
const Placed *layout_of(const Layout *y, const Packed *k, int nturns,
                        const Turn *turns);

// Writes the packed file, a tile at a time. False after reporting.
// Under a temporary name until pack_commit; pack_drop leaves nothing behind.
bool pack_begin(Layout *y, Checkpoint *ck, Diag *d);
bool pack_commit(Layout *y);
void pack_drop(Layout *y);
// The same bytes, header first, into any sink: a C file with the weights in it.
typedef bool PackSink(void *ctx, const void *bytes, size_t n);
bool pack_to(Layout *y, Checkpoint *ck, Diag *d, PackSink *sink, void *ctx);

// The hash of the payload that emitted code checks: 8 bytes a step, little-endian.
uint64_t pack_sum(uint64_t sum, const void *bytes, size_t n);

#endif
