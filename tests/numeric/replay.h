// replay.h - recorded calls: what record.c writes and replay.c reads.
//
// A file of numbers in the byte order of this machine:
//
//     i32 REPLAY_MAGIC, ncalls; then for each call
//     i32 entry, reset (before it), status (expected)
//     i32 ndims; i32 dims[ndims]
//     i32 nin;   for each:  i64 bytes; the bytes as C has them
//     i32 nout;  for each:  i32 dtype; i64 n; f64 limit; f64 expected[n]

#ifndef TFXC_REPLAY_H
#define TFXC_REPLAY_H

enum { REPLAY_MAGIC = 0x74667831 };

// How a result lies in memory.
enum {
    REPLAY_F32,
    REPLAY_I8,
    REPLAY_U8,
    REPLAY_I32,
    REPLAY_I64,
    REPLAY_F16,
    REPLAY_BF16
};

#endif
