// infile.h - reading a whole file.

#ifndef TFXC_INFILE_H
#define TFXC_INFILE_H

#include "base.h"

enum { MAX_TEXT_BYTES = 1 << 28 };  // places are 32 bits, several sources share them

// Reads path, or standard input for "-". The text ends in a NUL that *n does not count.
// False with a sentence in *why, in the words of the system.
bool file_read(Arena *a, const char *path, const char **text, size_t *n,
               const char **why);

#endif
