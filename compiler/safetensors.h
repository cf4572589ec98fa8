// safetensors.h - reading checkpoints and writing them.
//
//     8 bytes  n, little-endian
//     n bytes  {"__metadata__": {..}, "name": {"dtype": "F32", "shape": [..],
//               "data_offsets": [begin, end]}, ..}
//     the tensors, without gaps
//
// A checkpoint is such a file, a Hugging Face index of several ("shards"), or a folder with
// one of them. Only headers are kept in memory; values are read when asked for, by pread.

#ifndef TFXC_SAFETENSORS_H
#define TFXC_SAFETENSORS_H

#include "convert.h"
#include "diag.h"

// ---- safetensors.c: reading ---------------------------------------------------------

typedef struct CkptTensor {
    const char *name;
    StType type;
    int rank;
    const int64_t *dim;
    int64_t count;          // of elements
    int64_t offset, bytes;  // in its file
    int shard;
} CkptTensor;

typedef struct Checkpoint Checkpoint;

// NULL after reporting everything that is wrong with the file, at loc. Ends in ckpt_close.
Checkpoint *ckpt_open(Arena *a, Diag *d, const char *path, Loc loc);
void ckpt_close(Checkpoint *ck);  // NULL is fine

const char *ckpt_path(const Checkpoint *ck);
int ckpt_count(const Checkpoint *ck);
const CkptTensor *ckpt_tensor(const Checkpoint *ck,
                              int i);  // in the order of the files
const CkptTensor *ckpt_find(const Checkpoint *ck, const char *name);  // NULL: not there
const char *ckpt_meta(const Checkpoint *ck, const char *key);         // NULL: not there
// The name in the checkpoint nearest to this one, or NULL.
const char *ckpt_nearest(const Checkpoint *ck, const char *name);
// Is this path one of the files of the checkpoint?
bool ckpt_has_file(const Checkpoint *ck, const char *path);

// n elements from the first-th on. False, after reporting, when the file cannot be read; of
// a type without numbers (F8, C64), only ckpt_read is true. Safe in several threads at once
// as long as nothing fails.
bool ckpt_read(Checkpoint *ck, const CkptTensor *t, int64_t first, int64_t n,
               void *raw);
bool ckpt_read_f32(Checkpoint *ck, const CkptTensor *t, int64_t first, int64_t n,
                   float *out);
bool ckpt_read_f64(Checkpoint *ck, const CkptTensor *t, int64_t first, int64_t n,
                   double *out);

// Where the first NaN or infinity of a tensor is, or -1. False: it could not be read.
bool ckpt_not_finite(Checkpoint *ck, const CkptTensor *t, int64_t *index);
// The smallest and greatest value of a tensor of integers (0 and 0 when it is empty).
bool ckpt_int_range(Checkpoint *ck, const CkptTensor *t, int64_t *lo, int64_t *hi);

// ---- stwriter.c: writing ------------------------------------------------------------

// Declare everything, begin, put the payload of all tensors in their order, end. The
// payload begins at a multiple of 64 bytes of the file. A tensor that is to be aligned is,
// by a filler "_pad.<n>" of U8 before it, as the format knows no gaps: whoever makes sizes
// multiples of 64 sees no fillers.
typedef struct StWriter StWriter;

StWriter *stw_new(Arena *a, Diag *d, const char *path);
void stw_meta(StWriter *w, const char *key, const char *value);
// Its number. Names differ; a byte count past int64 is reported by stw_begin.
int stw_tensor(StWriter *w, const char *name, StType type, int rank, const int64_t *dim,
               int64_t align);
int stw_bytes(StWriter *w, const char *name, int64_t n, int64_t align);  // U8 [n]

// Without beginning: what the file starts with, the 8 bytes of length included, and where
// tensor i lies. NULL and -1 after reporting when it cannot be.
const char *stw_header(StWriter *w, size_t *n);
int64_t stw_offset(StWriter *w, int i);  // from the start of the file
int64_t stw_size(StWriter *w);           // of the file

// False after reporting. `input`, when given, is not overwritten.
bool stw_begin(StWriter *w, const Checkpoint *input);
bool stw_put(StWriter *w, const void *bytes, int64_t n);  // fillers are not put
// Has all bytes, or a put has failed: false after reporting, and no file is left.
bool stw_end(StWriter *w);
void stw_drop(StWriter *w);  // gives up; leaves nothing behind, says nothing

#endif
