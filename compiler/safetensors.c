// safetensors.c - checkpoints: one file, an index of shards, or a folder; reading values.

#define _POSIX_C_SOURCE 200809L

#include "safetensors.h"
#include "outfile.h"
#include "st_header.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- an index of shards -------------------------------------------------------------

static const char *beside(Arena *a, const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    int dir = slash == NULL ? 0 : (int)(slash + 1 - path);
    return arena_printf(a, "%.*s%s", dir, path, name);
}

static json_t *read_json(Checkpoint *ck, const char *path)
{
    int64_t bytes;
    int fd = st_open_file(ck, path, &bytes);
    if (fd < 0)
        return NULL;
    json_t *root = NULL;
    json_error_t why = {.text = "it is too long"};
    if (bytes <= MAX_HEADER) {
        char *text = arena_alloc(ck->arena, (size_t)bytes + 1);
        if (st_read_at(fd, 0, bytes, text))
            root = json_loadb(text, (size_t)bytes, JSON_REJECT_DUPLICATES, &why);
    }
    close(fd);
    if (root == NULL)
        diag_error(ck->diag, ck->loc, E0631, "`%s`: not JSON: %s", path, why.text);
    return root;
}

// Each tensor must be where the index says; each shard is read once.
static bool check_entry(Checkpoint *ck, const char *path, const char *name,
                        json_t *value, Map *shards, bool *bad_shard)
{
    const char *file = json_string_value(value);
    if (file == NULL || file[0] == '\0' || strchr(file, '/') != NULL) {
        diag_error(ck->diag, ck->loc, E0631,
                   "`%s`: tensor `%s` is not in a file of the same folder", path, name);
        return false;
    }
    if (map_get(shards, file) == NULL) {
        map_set(shards, file, ck);
        if (!st_read_shard(ck, beside(ck->arena, path, file))) {
            *bad_shard = true;
            return false;
        }
    }
    const CkptTensor *t = ckpt_find(ck, name);
    const char *there = t == NULL ? "" : ck->shards.p[t->shard].path;
    if (*bad_shard || (t != NULL && strcmp(beside(ck->arena, path, file), there) == 0))
        return true;
    diag_error(ck->diag, ck->loc, E0632, "`%s`: tensor `%s` is not in `%s`", path, name,
               file);
    return false;
}

static bool read_index(Checkpoint *ck, const char *path)
{
    ck->index = path;
    json_t *root = read_json(ck, path);
    if (root == NULL)
        return false;
    json_t *map = json_object_get(root, "weight_map"), *value;
    const char *name;
    Map *shards = map_new(ck->arena);
    bool ok = json_is_object(map), bad_shard = false;
    if (!ok)
        diag_error(ck->diag, ck->loc, E0631, "`%s`: no object `weight_map`", path);
    Guard g;
    if (GUARD_SET(&g)) {
        json_decref(root);
        guard_pass_on(&g);
    }
    json_object_foreach(map, name, value)
    {
        if (!check_entry(ck, path, name, value, shards, &bad_shard))
            ok = false;
    }
    guard_drop(&g);
    json_decref(root);
    return ok;
}

// ---- opening ------------------------------------------------------------------------

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static bool open_folder(Checkpoint *ck, const char *path)
{
    const char *slash = ends_in(path, "/") ? "" : "/";
    const char *names[] = {"model.safetensors", "model.safetensors.index.json"};
    struct stat st;
    for (int i = 0; i < COUNT(names); i++) {
        const char *file = arena_printf(ck->arena, "%s%s%s", path, slash, names[i]);
        if (stat(file, &st) == 0)
            return i == 0 ? st_read_shard(ck, file) : read_index(ck, file);
    }
    diag_error(
        ck->diag, ck->loc, E0620,
        "folder `%s` has no model.safetensors and no model.safetensors.index.json",
        path);
    return false;
}

Checkpoint *ckpt_open(Arena *a, Diag *d, const char *path, Loc loc)
{
    Checkpoint *ck = NEW(a, Checkpoint);
    ck->arena = a;
    ck->diag = d;
    ck->loc = loc;
    ck->path = arena_strdup(a, path);
    ck->by_name = map_new(a);
    ck->meta = map_new(a);
    struct stat st;
    bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode), ok;
    Guard g;
    if (GUARD_SET(&g)) {
        ckpt_close(ck);
        guard_pass_on(&g);
    }
    if (is_folder)
        ok = open_folder(ck, path);
    else if (ends_in(path, ".json"))
        ok = read_index(ck, ck->path);
    else
        ok = st_read_shard(ck, path);
    guard_drop(&g);
    if (ok)
        return ck;
    ckpt_close(ck);
    return NULL;
}

void ckpt_close(Checkpoint *ck)
{
    for (int i = 0; ck != NULL && i < ck->shards.n; i++) {
        if (ck->shards.p[i].fd >= 0)
            close(ck->shards.p[i].fd);
        ck->shards.p[i].fd = -1;
    }
}

// ---- asking -------------------------------------------------------------------------

const char *ckpt_path(const Checkpoint *ck)
{
    return ck->path;
}

int ckpt_count(const Checkpoint *ck)
{
    return ck->tensors.n;
}

const CkptTensor *ckpt_tensor(const Checkpoint *ck, int i)
{
    return ck->tensors.p[i];
}

const CkptTensor *ckpt_find(const Checkpoint *ck, const char *name)
{
    return map_get(ck->by_name, name);
}

const char *ckpt_meta(const Checkpoint *ck, const char *key)
{
    return map_get(ck->meta, key);
}

const char *ckpt_nearest(const Checkpoint *ck, const char *name)
{
    int n = map_count(ck->by_name);
    const char **names = NEWN(ck->arena, const char *, n);
    for (int i = 0; i < n; i++)
        names[i] = map_key(ck->by_name, i);
    return nearest(name, names, n);
}

bool ckpt_has_file(const Checkpoint *ck, const char *path)
{
    bool has = file_is_same(ck->index != NULL ? ck->index : ck->path, path);
    for (int i = 0; i < ck->shards.n && !has; i++)
        has = file_is_same(ck->shards.p[i].path, path);
    return has;
}

// ---- values -------------------------------------------------------------------------

bool ckpt_read(Checkpoint *ck, const CkptTensor *t, int64_t first, int64_t n, void *raw)
{
    if (first < 0 || n < 0 || n > t->count || first > t->count - n)
        bug("%" PRId64 " elements from %" PRId64 " on of %s", n, first, t->name);
    int64_t bytes = st_info[t->type].bytes;
    const Shard *s = &ck->shards.p[t->shard];
    if (st_read_at(s->fd, t->offset + first * bytes, n * bytes, raw))
        return true;
    diag_error(ck->diag, ck->loc, E0633, "`%s`: tensor `%s`: %s", s->path, t->name,
               errno != 0 ? strerror(errno) : "the file has become shorter");
    return false;
}

enum {
    TILE = 1 << 15
};  // bytes read at once to be converted: stays in the first cache

typedef void Use(void *ctx, const unsigned char *raw, int64_t from, int64_t n);

// Calls use on tiles of n elements from the first-th on; `from` counts from 0.
static bool each_tile(Checkpoint *ck, const CkptTensor *t, int64_t first, int64_t n,
                      Use *use, void *ctx)
{
    unsigned char raw[TILE];
    int64_t most = TILE / st_info[t->type].bytes;
    for (int64_t from = 0; from < n; from += most) {
        int64_t k = n - from < most ? n - from : most;
        if (!ckpt_read(ck, t, first + from, k, raw))
            return false;
        use(ctx, raw, from, k);
    }
    return true;
}

typedef struct Convert {
    StType type;
    float *f32;
    double *f64;
} Convert;

static void convert_tile(void *ctx, const unsigned char *raw, int64_t from, int64_t n)
{
    const Convert *c = ctx;
    if (c->f32 != NULL)
        convert_to_f32(c->type, raw, n, c->f32 + from);
    else
        convert_to_f64(c->type, raw, n, c->f64 + from);
}

static bool has_numbers(Checkpoint *ck, const CkptTensor *t)
{
    if (st_info[t->type].kind != SK_OTHER)
        return true;
    diag_error(ck->diag, ck->loc, E0603,
               "tensor `%s` is %s, which is not read as numbers", t->name,
               st_info[t->type].name);
    return false;
}

bool ckpt_read_f32(Checkpoint *ck, const CkptTensor *t, int64_t first, int64_t n,
                   float *out)
{
    Convert c = {t->type, out, NULL};
    if (t->type == ST_F32 && ckpt_read(ck, t, first, n, out)) {
        convert_in_place_f32(out, n);
        return true;
    }
    return t->type != ST_F32 && has_numbers(ck, t) &&
           each_tile(ck, t, first, n, convert_tile, &c);
}

bool ckpt_read_f64(Checkpoint *ck, const CkptTensor *t, int64_t first, int64_t n,
                   double *out)
{
    Convert c = {t->type, NULL, out};
    return has_numbers(ck, t) && each_tile(ck, t, first, n, convert_tile, &c);
}

typedef struct Scan {
    StType type;
    int64_t index;
    int64_t lo, hi;
} Scan;

static void scan_tile(void *ctx, const unsigned char *raw, int64_t from, int64_t n)
{
    Scan *s = ctx;
    int64_t i = s->index >= 0 ? -1 : first_not_finite(s->type, raw, n);
    if (i >= 0)
        s->index = from + i;
}

bool ckpt_not_finite(Checkpoint *ck, const CkptTensor *t, int64_t *index)
{
    Scan s = {.type = t->type, .index = -1};
    bool ok = st_info[t->type].kind != SK_FLOAT ||
              each_tile(ck, t, 0, t->count, scan_tile, &s);
    *index = s.index;
    return ok;
}

static void range_tile(void *ctx, const unsigned char *raw, int64_t from, int64_t n)
{
    Scan *s = ctx;
    int64_t lo, hi;
    int_range(s->type, raw, n, &lo, &hi);
    s->lo = from == 0 || lo < s->lo ? lo : s->lo;
    s->hi = from == 0 || hi > s->hi ? hi : s->hi;
}

bool ckpt_int_range(Checkpoint *ck, const CkptTensor *t, int64_t *lo, int64_t *hi)
{
    Scan s = {.type = t->type};
    bool ok = each_tile(ck, t, 0, t->count, range_tile, &s);
    *lo = s.lo;
    *hi = s.hi;
    return ok;
}
