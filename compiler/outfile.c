// outfile.c - writing a file so that it is whole or not there at all.

#define _XOPEN_SOURCE 700

#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Written in whole buffers: a large page for each, so that the cache of the file system can
// hold packed weights in large pages, and a program that maps them misses fewer addresses.
enum { BUFFER = 2 << 20, TRIES = 1000 };

struct OutFile {
    Diag *diag;
    const char *said;  // the path as the user wrote it
    const char *path;  // where it goes, links followed
    const char *temp;  // NULL: written directly
    int fd, error;     // error: errno of the first failure
    char *buffer;
    size_t buffered;
};

static bool report(Diag *d, const char *path, int error)
{
    const char *what = strcmp(path, "-") == 0 ? "standard output" : path;
    diag_error(d, (Loc){0, 0}, E0801, "cannot write `%s`: %s", what, strerror(error));
    if (error == ENOENT)
        diag_hint(d, (Loc){0, 0}, "its directory does not exist");
    if (error == EISDIR)
        diag_hint(d, (Loc){0, 0}, "name a file in it");
    if (error == EFBIG)
        diag_hint(d, (Loc){0, 0}, "the file passes a size limit (ulimit -f)");
    return false;
}

// Follows links to where the output really goes; a path of nothing yet is its own end.
static const char *resolve(Arena *a, const char *path)
{
    char real[PATH_MAX];
    return arena_strdup(a, realpath(path, real) == NULL ? path : real);
}

// Opens a new file beside path; its mode is that of what it replaces.
static void open_temp(OutFile *f, Arena *a, const struct stat *old)
{
    const char *slash = strrchr(f->path, '/');
    int dir = slash == NULL ? 0 : (int)(slash + 1 - f->path);
    for (int i = 0; i < TRIES && f->fd < 0; i++) {
        f->temp =
            arena_printf(a, "%.*s.tfxc-%ld-%d.tmp", dir, f->path, (long)getpid(), i);
        f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd < 0 && errno != EEXIST)
            break;
    }
    if (f->fd < 0)
        f->error = errno;
    else if (old != NULL)
        (void)fchmod(f->fd, old->st_mode & 0777);
}

static int look_at(OutFile *f, struct stat *st, bool *exists)
{
    *exists = stat(f->path, st) == 0;
    if (!*exists)
        return errno == ENOENT ? 0 : errno;
    if (S_ISDIR(st->st_mode))
        return EISDIR;
    return access(f->path, W_OK) == 0 ? 0 : errno;
}

OutFile *outfile_open(Arena *a, Diag *d, const char *path)
{
    OutFile *f = NEW(a, OutFile);
    *f = (OutFile){.diag = d, .said = path, .fd = -1};
    f->buffer = arena_alloc(a, BUFFER);
    if (strcmp(path, "-") == 0) {
        f->fd = STDOUT_FILENO;
        return f;
    }
    struct stat st;
    bool exists;
    size_t n = strlen(path);
    f->path = resolve(a, path);
    if (n == 0)
        f->error = ENOENT;
    else if (path[n - 1] == '/')
        f->error = EISDIR;
    else
        f->error = look_at(f, &st, &exists);
    if (f->error == 0 && exists && !S_ISREG(st.st_mode)) {
        f->fd = open(f->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        f->error = f->fd < 0 ? errno : 0;
    } else if (f->error == 0) {
        open_temp(f, a, exists ? &st : NULL);
    }
    if (f->error == 0)
        return f;
    report(d, path, f->error);
    return NULL;
}

static void write_all(OutFile *f, const char *p, size_t n)
{
    while (n > 0 && f->error == 0) {
        ssize_t k = write(f->fd, p, n);
        if (k < 0 && errno != EINTR)
            f->error = errno;
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        }
    }
}

static void flush(OutFile *f)
{
    size_t n = f->buffered;
    f->buffered = 0;
    write_all(f, f->buffer, n);
}

bool outfile_put(OutFile *f, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        size_t k = n < BUFFER - f->buffered ? n : BUFFER - f->buffered;
        memcpy(f->buffer + f->buffered, p, k);
        f->buffered += k;
        p += k;
        n -= k;
        if (f->buffered == BUFFER)
            flush(f);
    }
    return f->error == 0;
}

static void close_fd(OutFile *f)
{
    if (f->fd >= 0 && f->fd != STDOUT_FILENO && close(f->fd) != 0 && f->error == 0 &&
        errno != EINTR)
        f->error = errno;
    f->fd = -1;
}

bool outfile_close(OutFile *f)
{
    flush(f);
    close_fd(f);
    if (f->temp != NULL && f->error == 0 && rename(f->temp, f->path) != 0)
        f->error = errno;
    if (f->error == 0)
        return true;
    if (f->temp != NULL)
        unlink(f->temp);
    return report(f->diag, f->said, f->error);
}

void outfile_drop(OutFile *f)
{
    close_fd(f);
    if (f->temp != NULL)
        unlink(f->temp);
}

bool outfile_write(Diag *d, const char *path, const char *text, size_t n)
{
    Arena *scratch = arena_new();
    OutFile *f = outfile_open(scratch, d, path);
    bool ok = f != NULL;
    if (ok) {
        outfile_put(f, text, n);
        ok = outfile_close(f);
    }
    arena_free(scratch);
    return ok;
}

bool file_is_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}
