// st_header.h - what safetensors.c and its reader of headers share.

#ifndef TFXC_ST_HEADER_H
#define TFXC_ST_HEADER_H

#include "safetensors.h"

#include <jansson.h>

typedef struct Shard {
    const char *path;
    int fd;
    int64_t bytes;    // of the file
    int64_t payload;  // where the tensors begin
} Shard;

struct Checkpoint {
    Arena *arena;
    Diag *diag;
    Loc loc;
    const char *path, *index;  // index: of shards, or NULL
    VEC(Shard) shards;
    VEC(CkptTensor *) tensors;
    Map *by_name, *meta;
};

enum { MAX_HEADER = 100 * 1000 * 1000 };

// Opens one file, reads its header and adds its tensors. False after reporting.
bool st_read_shard(Checkpoint *ck, const char *path);
// Opens a file for reading and gives its size. -1 after reporting.
int st_open_file(Checkpoint *ck, const char *path, int64_t *bytes);
// n bytes at an offset; false with errno set, 0 when the file ended.
bool st_read_at(int fd, int64_t offset, int64_t n, void *out);

#endif
