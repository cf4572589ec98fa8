// tempfile.c - bytes as a file, for readers that take a path.

#include "tempfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// A fuzzer is one thread of one program; the name lives as long as it.
static char path[] = "/tmp/tfxc-fuzz-XXXXXX";
static int made;

static void remove_file(void)
{
    unlink(path);
}

const char *temp_file(const char *bytes, size_t n)
{
    if (!made) {
        int fd = mkstemp(path);
        if (fd < 0)
            abort();
        close(fd);
        atexit(remove_file);
        made = 1;
    }
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        abort();
    return path;
}
