// st_header.c - reading and judging the header of a safetensors file.

#define _POSIX_C_SOURCE 200809L

#include "st_header.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ST_RANK = 64, MOST_ERRORS = 20 };

// ---- files --------------------------------------------------------------------------

int st_open_file(Checkpoint *ck, const char *path, int64_t *bytes)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const bool is_open = fd >= 0 && fstat(fd, &st) == 0;
    const char *why = NULL;
    if (!is_open)
        why = strerror(errno);
    else if (S_ISDIR(st.st_mode))
        why = "it is a directory";
    else if (!S_ISREG(st.st_mode))
        why = "it is not a regular file";
    if (is_open && why == NULL) {
        *bytes = (int64_t)st.st_size;
        return fd;
    }
    diag_error(ck->diag, ck->loc, E0620, "cannot read `%s`: %s", path, why);
    if (fd >= 0)
        close(fd);
    return -1;
}

bool st_read_at(int fd, int64_t offset, int64_t n, void *out)
{
    char *p = out;
    while (n > 0) {
        size_t most = n < (1 << 30) ? (size_t)n : (size_t)1 << 30;
        ssize_t k = pread(fd, p, most, (off_t)offset);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            errno = k == 0 ? 0 : errno;
            return false;
        }
        p += k;
        offset += k;
        n -= k;
    }
    return true;
}

// ---- what is no safetensors file ----------------------------------------------------

typedef struct Magic {
    const char *bytes;
    size_t n;
    const char *hint;
} Magic;

static const Magic magics[] = {
    {"GGUF", 4, "this is a GGUF file; tfxc reads safetensors"},
    {"PK\003\004", 4, "this looks like a PyTorch checkpoint; save it with safetensors"},
    {"\200\002", 2, "this looks like a pickled checkpoint; save it with safetensors"},
    {"\200\004", 2, "this looks like a pickled checkpoint; save it with safetensors"},
    {"\x89HDF\r\n", 6, "this is an HDF5 file; tfxc reads safetensors"},
    {"\x93NUMPY", 6, "this is a NumPy array; tfxc reads safetensors"},
    {"\037\213", 2, "this is compressed with gzip; unpack it"},
    {"\x28\xb5\x2f\xfd", 4, "this is compressed with zstd; unpack it"},
    {"version https://git-lfs", 23,
     "this is a pointer of Git LFS, not the weights; run `git lfs pull`"},
    {"{", 1, "this looks like JSON; an index of shards is named *.index.json"},
};

static bool wrong_file(Checkpoint *ck, const Shard *s, DiagCode code, const char *text)
{
    char head[24] = {0};
    int64_t n = s->bytes < 23 ? s->bytes : 23;
    diag_error(ck->diag, ck->loc, code, "`%s`: %s", s->path, text);
    for (int i = 0; i < COUNT(magics) && st_read_at(s->fd, 0, n, head); i++) {
        if ((size_t)n >= magics[i].n &&
            memcmp(head, magics[i].bytes, magics[i].n) == 0) {
            diag_hint(ck->diag, ck->loc, "%s", magics[i].hint);
            break;
        }
    }
    return false;
}

// The header as text; *n its bytes. NULL after reporting.
static const char *header_text(Checkpoint *ck, Shard *s, Arena *scratch, size_t *n)
{
    unsigned char le[8];
    if (s->bytes == 0)
        return wrong_file(ck, s, E0621, "the file is empty"), NULL;
    if (s->bytes < 8)
        return wrong_file(ck, s, E0621,
                          arena_printf(scratch,
                                       "%" PRId64 " bytes are too few for a "
                                       "safetensors file",
                                       s->bytes)),
               NULL;
    uint64_t length = 0;
    if (!st_read_at(s->fd, 0, 8, le))
        return wrong_file(ck, s, E0633, strerror(errno)), NULL;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | le[i];
    if (length > (uint64_t)s->bytes - 8)
        return wrong_file(ck, s, E0622,
                          arena_printf(scratch,
                                       "the header should have %" PRIu64
                                       " bytes, but the file has %" PRId64,
                                       length, s->bytes)),
               NULL;
    if (length > MAX_HEADER)
        return wrong_file(ck, s, E0623,
                          arena_printf(scratch,
                                       "the header has %" PRIu64
                                       " bytes; 100000000 are allowed",
                                       length)),
               NULL;
    *n = (size_t)length;
    s->payload = 8 + (int64_t)length;
    char *text = arena_alloc(scratch, *n + 1);
    if (!st_read_at(s->fd, 8, (int64_t)length, text))
        return wrong_file(ck, s, E0633, errno ? strerror(errno) : "the file shrank"),
               NULL;
    return text;
}

// ---- one tensor of the header -------------------------------------------------------

typedef struct Header {
    Checkpoint *ck;
    const Shard *shard;
    int index;  // of the shard
    int errors;
    int64_t payload_bytes;
    VEC(CkptTensor *) found;
} Header;

PRINTF_LIKE(4, 5)
static bool wrong(Header *h, DiagCode code, const char *name, const char *fmt, ...)
{
    if (++h->errors > MOST_ERRORS)
        return false;
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(h->ck->arena, fmt, ap);
    va_end(ap);
    diag_error(h->ck->diag, h->ck->loc, code, "`%s`: tensor `%s`: %s", h->shard->path,
               name, text);
    return false;
}

// A member of the entry that is an array of n integers >= 0 (n < 0: any number).
static bool get_array(Header *h, const char *name, json_t *entry, const char *key,
                      int n, int64_t *out, int *count)
{
    json_t *list = json_object_get(entry, key);
    if (!json_is_array(list))
        return wrong(h, E0625, name, "no list `%s`", key);
    size_t size = json_array_size(list);
    if (n >= 0 ? size != (size_t)n : size > MAX_ST_RANK)
        return wrong(h, E0625, name, "`%s` has %zu numbers", key, size);
    for (size_t i = 0; i < size; i++) {
        json_t *x = json_array_get(list, i);
        if (!json_is_integer(x) || json_integer_value(x) < 0)
            return wrong(h, E0625, name, "`%s` holds something else than sizes", key);
        out[i] = (int64_t)json_integer_value(x);
    }
    *count = (int)size;
    return true;
}

static bool read_entry(Header *h, const char *name, json_t *entry)
{
    int64_t dim[MAX_ST_RANK] = {0}, at[2] = {0}, bytes;
    int two;
    CkptTensor t = {.count = 1, .shard = h->index};
    if (!json_is_object(entry))
        return wrong(h, E0625, name, "its entry is not an object");
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (dtype == NULL)
        return wrong(h, E0625, name, "no string `dtype`");
    if (!st_find(dtype, &t.type))
        return wrong(h, E0626, name, "element type `%s` is not known", dtype);
    if (!get_array(h, name, entry, "shape", -1, dim, &t.rank) ||
        !get_array(h, name, entry, "data_offsets", 2, at, &two))
        return false;
    for (int i = 0; i < t.rank; i++) {
        if (__builtin_mul_overflow(t.count, dim[i], &t.count))
            return wrong(h, E0627, name, "its size does not fit into 63 bits");
    }
    if (__builtin_mul_overflow(t.count, st_info[t.type].bytes, &bytes))
        return wrong(h, E0627, name, "its size does not fit into 63 bits");
    if (at[0] > at[1] || at[1] - at[0] != bytes)
        return wrong(h, E0628, name,
                     "offsets %" PRId64 " to %" PRId64 ", but %" PRId64
                     " elements of %s "
                     "have %" PRId64 " bytes",
                     at[0], at[1], t.count, dtype, bytes);
    if (at[1] > h->payload_bytes)
        return wrong(h, E0622, name,
                     "it ends at byte %" PRId64
                     " of the data, but the file has %" PRId64,
                     at[1], h->payload_bytes);
    t.offset = h->shard->payload + at[0];
    t.bytes = bytes;
    Arena *a = h->ck->arena;
    int64_t *kept = NEWN(a, int64_t, t.rank);
    if (t.rank > 0)
        memcpy(kept, dim, (size_t)t.rank * sizeof *kept);
    t.dim = kept;
    t.name = arena_strdup(a, name);
    CkptTensor *p = NEW(a, CkptTensor);
    *p = t;
    vec_push(a, &h->found, p);
    return true;
}

static void read_meta(Header *h, json_t *meta)
{
    const char *key;
    json_t *value;
    Checkpoint *ck = h->ck;
    bool ok = json_is_object(meta);
    json_object_foreach(meta, key, value)
    {
        ok = ok && json_is_string(value);
        if (ok)
            map_set(ck->meta, key, arena_strdup(ck->arena, json_string_value(value)));
    }
    if (!ok)
        wrong(h, E0625, "__metadata__", "it is not an object of strings");
}

// ---- all of them --------------------------------------------------------------------

// Merge sort by offset; tmp has the same room.
static void sort_tensors(CkptTensor **t, CkptTensor **tmp, int n)
{
    if (n < 2)
        return;
    int half = n / 2, i = 0, j = half;
    sort_tensors(t, tmp, half);
    sort_tensors(t + half, tmp, n - half);
    for (int k = 0; k < n; k++) {
        bool left =
            j == n || (i < half &&
                       (t[i]->offset < t[j]->offset ||
                        (t[i]->offset == t[j]->offset && t[i]->bytes <= t[j]->bytes)));
        tmp[k] = left ? t[i++] : t[j++];
    }
    memcpy(t, tmp, (size_t)n * sizeof(CkptTensor *));
}

// Together the tensors must be the payload, without gaps and without overlap.
static void check_layout(Header *h)
{
    int64_t at = h->shard->payload;
    int n = h->found.n;
    CkptTensor **t = h->found.p;
    if (n > 1)
        sort_tensors(t, NEWN(h->ck->arena, CkptTensor *, n), n);
    for (int i = 0; i < n; i++) {
        if (t[i]->offset < at)
            wrong(h, E0629, t[i]->name, "it overlaps tensor `%s`", t[i - 1]->name);
        else if (t[i]->offset > at)
            wrong(h, E0629, t[i]->name,
                  "%" PRId64 " bytes before it belong to no tensor", t[i]->offset - at);
        if (t[i]->offset + t[i]->bytes > at)
            at = t[i]->offset + t[i]->bytes;
    }
    if (at < h->shard->bytes && h->errors++ == 0)
        diag_error(h->ck->diag, h->ck->loc, E0629,
                   "`%s`: %" PRId64 " bytes after the last tensor belong to no tensor",
                   h->shard->path, h->shard->bytes - at);
}

static void keep_tensors(Header *h)
{
    Checkpoint *ck = h->ck;
    for (int i = 0; i < h->found.n; i++) {
        CkptTensor *t = h->found.p[i];
        const CkptTensor *other = map_get(ck->by_name, t->name);
        if (other != NULL) {
            wrong(h, E0630, t->name, "`%s` has a tensor of this name too",
                  ck->shards.p[other->shard].path);
            continue;
        }
        vec_push(ck->arena, &ck->tensors, t);
        map_set(ck->by_name, t->name, t);
    }
}

static bool read_header(Checkpoint *ck, Shard *s, int index, json_t *root)
{
    const char *name;
    json_t *entry;
    Header h = {ck, s, index, 0, s->bytes - s->payload, {0}};
    json_object_foreach(root, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            read_meta(&h, entry);
        else
            read_entry(&h, name, entry);
    }
    if (h.errors == 0)
        check_layout(&h);
    if (h.errors == 0)
        keep_tensors(&h);
    if (h.errors > MOST_ERRORS)
        diag_hint(ck->diag, ck->loc, "and %d more", h.errors - MOST_ERRORS);
    return h.errors == 0;
}

static json_t *parse_header(Checkpoint *ck, const Shard *s, const char *text, size_t n)
{
    json_error_t why;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL && json_error_code(&why) == json_error_duplicate_key) {
        diag_error(ck->diag, ck->loc, E0630, "`%s`: header: %s", s->path, why.text);
    } else if (root == NULL) {
        wrong_file(ck, s, E0624,
                   arena_printf(ck->arena, "the header is not JSON: byte %d: %s",
                                why.position, why.text));
    } else if (!json_is_object(root)) {
        wrong_file(ck, s, E0624, "the header is not a JSON object");
        json_decref(root);
        root = NULL;
    }
    return root;
}

bool st_read_shard(Checkpoint *ck, const char *path)
{
    Shard shard = {arena_strdup(ck->arena, path), -1, 0, 0};
    shard.fd = st_open_file(ck, path, &shard.bytes);
    if (shard.fd < 0)
        return false;
    int index = ck->shards.n;
    Guard g;
    json_t *volatile root = NULL;
    Arena *volatile scratch = NULL;
    if (GUARD_SET(&g)) {
        json_decref(root);
        arena_free(scratch);
        guard_pass_on(&g);
    }
    vec_push(ck->arena, &ck->shards, shard);  // from here on ckpt_close closes it
    Shard *s = &ck->shards.p[index];
    size_t n = 0;
    scratch = arena_new();
    const char *text = header_text(ck, s, scratch, &n);
    root = text == NULL ? NULL : parse_header(ck, s, text, n);
    bool ok = root != NULL && read_header(ck, s, index, root);
    guard_drop(&g);
    json_decref(root);
    arena_free(scratch);
    return ok;
}
