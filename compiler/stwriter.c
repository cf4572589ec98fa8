// stwriter.c - writing safetensors files, tensor after tensor, in constant memory.

#include "outfile.h"
#include "safetensors.h"

#include <inttypes.h>
#include <string.h>

typedef struct Item {
    const char *name;
    StType type;
    int rank;
    const int64_t *dim;
    int64_t begin, bytes;  // in the payload
    bool is_filler;
} Item;

struct StWriter {
    Arena *arena;
    Diag *diag;
    const char *path;
    Map *meta, *names;
    VEC(Item) items;   // fillers included
    VEC(int) tensors;  // number of a tensor -> its item
    int64_t payload;   // bytes of all items
    bool bad;          // reported: it cannot be written
    Text header;       // its p is NULL until it is made
    OutFile *out;
    int at;           // the item being written
    int64_t written;  // bytes of it
    bool failed;      // a put did
};

enum { LINE = 64 };  // the payload begins at a multiple of it

StWriter *stw_new(Arena *a, Diag *d, const char *path)
{
    StWriter *w = NEW(a, StWriter);
    w->arena = a;
    w->diag = d;
    w->path = path;
    w->meta = map_new(a);
    w->names = map_new(a);
    return w;
}

void stw_meta(StWriter *w, const char *key, const char *value)
{
    map_set(w->meta, key, arena_strdup(w->arena, value));
}

static void fail(StWriter *w, DiagCode code, const char *name, const char *what)
{
    diag_error(w->diag, (Loc){0, 0}, code, "cannot write tensor `%s` to `%s`: %s", name,
               w->path, what);
    w->bad = true;
}

static void add_item(StWriter *w, const char *name, StType type, int rank,
                     const int64_t *dim, bool is_filler)
{
    int64_t bytes = st_info[type].bytes, end;
    bool ok = true;
    for (int i = 0; i < rank; i++)
        ok = ok && dim[i] >= 0 && !__builtin_mul_overflow(bytes, dim[i], &bytes);
    if (!ok || __builtin_add_overflow(w->payload, bytes, &end) || end > INT64_MAX / 2) {
        fail(w, E0302, name, "its size does not fit into 63 bits");
        return;
    }
    if (map_get(w->names, name) != NULL || strcmp(name, "__metadata__") == 0)
        fail(w, E0630, name, "the name is taken");
    map_set(w->names, name, w);
    int64_t *kept = NEWN(w->arena, int64_t, rank);
    if (rank > 0)
        memcpy(kept, dim, (size_t)rank * sizeof *kept);
    Item item = {
        arena_strdup(w->arena, name), type, rank, kept, w->payload, bytes, is_filler};
    vec_push(w->arena, &w->items, item);
    w->payload = end;
}

int stw_tensor(StWriter *w, const char *name, StType type, int rank, const int64_t *dim,
               int64_t align)
{
    if (w->header.p != NULL || align < 1 || LINE % align != 0)
        bug("tensor %s at a multiple of %" PRId64, name, align);
    int64_t gap = (align - w->payload % align) % align;
    if (gap > 0)
        add_item(w, arena_printf(w->arena, "_pad.%d", w->items.n), ST_U8, 1, &gap,
                 true);
    vec_push(w->arena, &w->tensors, w->items.n);
    add_item(w, name, type, rank, dim, false);
    return w->tensors.n - 1;
}

int stw_bytes(StWriter *w, const char *name, int64_t n, int64_t align)
{
    return stw_tensor(w, name, ST_U8, 1, &n, align);
}

// ---- the header ---------------------------------------------------------------------

static void put_string(Text *t, const char *s)
{
    text_puts(t, "\"");
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_printf(t, "\\%c", c);
        else if (c < 0x20)
            text_printf(t, "\\u%04x", c);
        else
            text_put(t, s, 1);
    }
    text_puts(t, "\"");
}

static void put_item(Text *t, const Item *item)
{
    put_string(t, item->name);
    text_printf(t, ":{\"dtype\":\"%s\",\"shape\":[", st_info[item->type].name);
    for (int i = 0; i < item->rank; i++)
        text_printf(t, "%s%" PRId64, i > 0 ? "," : "", item->dim[i]);
    text_printf(t, "],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}", item->begin,
                item->begin + item->bytes);
}

static void make_header(StWriter *w)
{
    Text *t = &w->header;
    text_init(t, w->arena);
    text_put(t, "\0\0\0\0\0\0\0", 8);
    text_puts(t, "{");
    int nmeta = map_count(w->meta);
    if (nmeta > 0)
        text_puts(t, "\"__metadata__\":{");
    for (int i = 0; i < nmeta; i++) {
        text_puts(t, i > 0 ? "," : "");
        put_string(t, map_key(w->meta, i));
        text_puts(t, ":");
        put_string(t, map_value(w->meta, i));
    }
    if (nmeta > 0)
        text_puts(t, w->items.n > 0 ? "}," : "}");
    for (int i = 0; i < w->items.n; i++) {
        text_puts(t, i > 0 ? "," : "");
        put_item(t, &w->items.p[i]);
    }
    text_puts(t, "}");
    while (t->n % LINE != 0)
        text_puts(t, " ");
    for (int i = 0; i < 8; i++)
        t->p[i] = (char)((uint64_t)(t->n - 8) >> 8 * i & 0xff);
}

const char *stw_header(StWriter *w, size_t *n)
{
    if (w->bad)
        return NULL;
    if (w->header.p == NULL)
        make_header(w);
    *n = w->header.n;
    return w->header.p;
}

int64_t stw_offset(StWriter *w, int i)
{
    size_t n;
    if (stw_header(w, &n) == NULL)
        return -1;
    return (int64_t)n + w->items.p[w->tensors.p[i]].begin;
}

int64_t stw_size(StWriter *w)
{
    size_t n;
    return stw_header(w, &n) == NULL ? -1 : (int64_t)n + w->payload;
}

// ---- the payload --------------------------------------------------------------------

bool stw_begin(StWriter *w, const Checkpoint *input)
{
    size_t n;
    const char *header = stw_header(w, &n);
    if (header == NULL)
        return false;
    if (input != NULL && ckpt_has_file(input, w->path)) {
        diag_error(w->diag, (Loc){0, 0}, E0802, "`%s` is read by this run", w->path);
        diag_hint(w->diag, (Loc){0, 0}, "name another output");
        return false;
    }
    w->out = outfile_open(w->arena, w->diag, w->path);
    if (w->out != NULL)
        outfile_put(w->out, header, n);
    return w->out != NULL;
}

// Goes past items that are full, and fills fillers.
static void skip_full(StWriter *w)
{
    static const char zeros[LINE];
    for (; w->at < w->items.n; w->at++, w->written = 0) {
        const Item *item = &w->items.p[w->at];
        if (item->is_filler)
            outfile_put(w->out, zeros, (size_t)item->bytes);
        else if (w->written < item->bytes)
            return;
    }
}

bool stw_put(StWriter *w, const void *bytes, int64_t n)
{
    const char *p = bytes;
    bool ok = true;
    while (n > 0) {
        skip_full(w);
        if (w->at == w->items.n)
            bug("%" PRId64 " bytes too many for %s", n, w->path);
        int64_t left = w->items.p[w->at].bytes - w->written;
        int64_t k = n < left ? n : left;
        ok = outfile_put(w->out, p, (size_t)k);
        w->written += k;
        p += k;
        n -= k;
    }
    w->failed = w->failed || !ok;
    return ok;
}

bool stw_end(StWriter *w)
{
    skip_full(w);
    OutFile *out = w->out;
    w->out = NULL;
    if (w->at < w->items.n && !w->failed) {
        outfile_drop(out);
        bug("tensor %s of %s has not all its bytes", w->items.p[w->at].name, w->path);
    }
    return outfile_close(out);
}

void stw_drop(StWriter *w)
{
    if (w->out != NULL)
        outfile_drop(w->out);
    w->out = NULL;
}
