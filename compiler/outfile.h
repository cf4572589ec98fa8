// outfile.h - writing a file so that it is whole or not there at all.
//
// Bytes go to a temporary file in the same directory, which takes the name of the output
// when everything is written; on any failure it is removed and what stood there before
// stands there still. "-" is standard output; a device or pipe is written directly.
// A write past a file-size limit is reported only if SIGXFSZ is ignored (main's work).

#ifndef TFXC_OUTFILE_H
#define TFXC_OUTFILE_H

#include "diag.h"

typedef struct OutFile OutFile;

// NULL after reporting. Every OutFile ends in outfile_close or outfile_drop.
OutFile *outfile_open(Arena *a, Diag *d, const char *path);
// False once anything has gone wrong; outfile_close reports it.
bool outfile_put(OutFile *f, const void *bytes, size_t n);
bool outfile_close(OutFile *f);  // false after reporting
void outfile_drop(OutFile *f);   // leaves nothing behind, says nothing

// All of it: false after reporting.
bool outfile_write(Diag *d, const char *path, const char *text, size_t n);

// Are both names of one existing file (device and inode)?
bool file_is_same(const char *a, const char *b);

#endif
