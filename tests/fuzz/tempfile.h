// tempfile.h - bytes as a file, for readers that take a path. One file a process.

#ifndef TFXC_TEMPFILE_H
#define TFXC_TEMPFILE_H

#include <stddef.h>

const char *temp_file(const char *bytes, size_t n);

#endif
