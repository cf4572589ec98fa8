// tempfile.c - bytes as a file, for readers that take a path.

#include "tempfile.h"

#include <stdlib.h>
#include <unistd.h>

// A fuzzer is one thread of one program; the name lives as long as it.
static char path[] = "/tmp/tfxc-fuzz-XXXXXX";
static int fd = -1;

static void remove_file(void)
{
    unlink(path);
}

const char *temp_file(const char *bytes, size_t n)
{
    if (fd < 0) {
        fd = mkstemp(path);
        if (fd < 0)
            abort();
        atexit(remove_file);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, n, 0) != (ssize_t)n)
        abort();
    return path;
}
