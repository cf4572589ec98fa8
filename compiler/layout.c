// layout.c - the tensors of the packed file, in the order of the records, and its header.

#include "compiler/layout.h"

#include <string.h>

// ---- names --------------------------------------------------------------------------

static const char *with_turns(Arena *a, const char *path, int nturns, const Turn *turns)
{
    for (int i = 0; i < nturns; i++)
        path = path_at(a, path, turns[i].index, turns[i].turn);
    return path;
}

// ---- one tensor ---------------------------------------------------------------------

static void place(Layout *y, const Packed *k, int nturns, const Turn *turns)
{
    Arena *a = y->arena;
    const char *name = with_turns(a, k->name, nturns, turns);
    const char *key = arena_printf(a, "%p:%s", (const void *)k, name);
    if (map_get(y->by_name, key))
        return;
    const char *unique = name;
    for (int i = 2; map_get(y->by_name, unique); i++)
        unique = arena_printf(a, "%s.%d", name, i);
    Placed *t = NEW(a, Placed);
    t->packed = k;
    t->name = unique;
    t->nturns = nturns;
    memcpy(t->turn, turns, sizeof(*turns) * (size_t)nturns);
    t->size = packed_size(k, nturns, turns);
    t->count = packed_count(k, nturns, turns);
    int64_t dim[MAX_RANK] = {t->count};
    int rank = 1;
    if (k->format == FORMAT_plain) {
        rank = k->value->type.rank;
        for (int i = 0; i < rank; i++)
            dim[i] = size_eval_at(k->value->type.dim[i].size, NULL, nturns, turns);
    }
    t->number = stw_tensor(y->writer, unique, st_of(k->storage), rank, dim, 64);
    t->bytes = t->count * dtype_info[k->storage].bits / 8;
    map_set(y->by_name, key, t);
    map_set(y->by_name, unique, t);
    vec_push(a, &y->tensors, t);
}

static void place_record(Layout *y, const Record *r, int nturns, Turn *turns)
{
    for (int i = 0; i < r->fields.n; i++) {
        const Field *f = r->fields.p[i];
        if (f->kind == FIELD_WEIGHT)
            place(y, f->packed, nturns, turns);
        if (f->kind != FIELD_RECORD)
            continue;
        if (!f->index) {
            place_record(y, f->record, nturns, turns);
            continue;
        }
        if (nturns == MAX_TURNS)
            bug("repeats nested deeper than %d", MAX_TURNS);
        for (int64_t k = 0; k < f->turns; k++) {
            turns[nturns] = (Turn){f->index, f->lo + k};
            place_record(y, f->record, nturns + 1, turns);
        }
    }
}

const Placed *layout_of(const Layout *y, const Packed *k, int nturns, const Turn *turns)
{
    const char *name = with_turns(y->arena, k->name, nturns, turns);
    const Placed *t =
        map_get(y->by_name, arena_printf(y->arena, "%p:%s", (const void *)k, name));
    if (!t)
        bug("%s has no place in the packed file", name);
    return t;
}

// ---- the file -----------------------------------------------------------------------

// What tells one plan from another: every tensor's name, format, type and size.
static uint64_t plan_hash(const Layout *y)
{
    Text t;
    text_init(&t, y->arena);
    text_printf(&t, "tfxc 1 %s\n", y->prog->prefix);
    for (int i = 0; i < y->tensors.n; i++) {
        const Placed *p = y->tensors.p[i];
        text_printf(&t, "%s %s %s %lld %lld %lld\n", p->name,
                    format_info[p->packed->format].name,
                    dtype_info[p->packed->storage].name, (long long)p->count,
                    (long long)p->size.n, (long long)p->size.k);
    }
    return hash_bytes(t.p, t.n);
}

static const char *panels(const Layout *y)
{
    Text t;
    text_init(&t, y->arena);
    for (int i = 0; i < y->tensors.n; i++) {
        const Placed *p = y->tensors.p[i];
        if (p->packed->format != FORMAT_plain)
            text_printf(&t, "%s%s:%s:%lldx%lld", t.n ? " " : "", p->name,
                        format_info[p->packed->format].name, (long long)p->size.n,
                        (long long)p->size.k);
    }
    return t.p;
}

Layout *layout_make(Arena *a, Prog *p, Diag *d, const char *path)
{
    Layout *y = NEW(a, Layout);
    y->arena = a;
    y->prog = p;
    y->by_name = map_new(a);
    p->weights_bytes = 0;
    y->writer = stw_new(a, d, path);
    Turn turns[MAX_TURNS];
    place_record(y, p->root, 0, turns);
    stw_meta(y->writer, "plan",
             arena_printf(a, "%016llx", (unsigned long long)plan_hash(y)));
    stw_meta(y->writer, "format", "tfxc packed 2, panels of 48 columns");
    stw_meta(y->writer, "panels", panels(y));
    y->header = stw_header(y->writer, &y->header_bytes);
    if (!y->header)
        return NULL;
    for (int i = 0; i < y->tensors.n; i++) {
        y->tensors.p[i]->offset = stw_offset(y->writer, y->tensors.p[i]->number);
        p->weights_bytes += y->tensors.p[i]->bytes;
    }
    y->file_bytes = stw_size(y->writer);
    const char *plan = strstr(y->header + 8, "\"plan\":");
    size_t end = plan ? (size_t)(plan - y->header) + 26 : y->header_bytes;
    y->check_bytes = end < y->header_bytes ? end : y->header_bytes;
    return y;
}
