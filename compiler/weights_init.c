// weights_init.c - random weights for any module, a tile at a time.
//
// An element depends on the seed, the tensor's name and its index alone: splitmix64 of a
// counter, its four 16-bit quarters added up (a sum of four uniform numbers is close to
// normal), scaled to
//     rank >= 2          standard deviation 1 / sqrt(in), in = product of all axes but the first
//     rank 0 or 1        1 + 0.02 x, or 0.02 x when the name says bias, mean or shift

#include "weights.h"

#include <math.h>
#include <string.h>

enum { TILE = 4096 };

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// x[i] = base + scale * (about normal), for the elements from the first-th on.
static void fill(uint64_t key, uint64_t first, float base, float scale, float x[TILE])
{
    // Four uniform numbers below 65536 have mean 131070 and deviation 65536 / sqrt(3).
    float step = scale * (1.7320508f / 65536.0f);
    uint64_t counter = key + first * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < TILE; i++) {
        uint64_t z = mix(counter += 0x9e3779b97f4a7c15u);
        uint64_t pair = (z & 0x0000ffff0000ffffu) + (z >> 16 & 0x0000ffff0000ffffu);
        int32_t sum = (int32_t)((pair & 0xffffffffu) + (pair >> 32));
        x[i] = base + step * (float)(sum - 131070);
    }
}

typedef struct Plan {
    WeightName at;
    StType type;
    int64_t dim[MAX_RANK];  // in the order of the file
    int64_t count;
    float base, scale;
} Plan;

static bool says(const char *name, const char *word)
{
    return strstr(name, word) != NULL;
}

static void choose_scale(Plan *p)
{
    const Type *t = &p->at.weight->type;
    const char *name = p->at.name;
    double in = 1;
    int64_t n = 1;
    for (int k = 1; k < t->rank; k++)
        in *= size_is_int(t->dim[k].size, &n) ? (double)n : 1.0;
    if (t->rank >= 2) {
        p->scale = (float)(1 / sqrt(in > 1 ? in : 1));
        return;
    }
    p->scale = 0.02f;
    p->base = says(name, "bias") || says(name, "mean") || says(name, "shift") ? 0 : 1;
}

static bool plan_one(Diag *d, const WeightName *at, DType floats, Plan *p)
{
    const Weight *w = at->weight;
    DType dtype = w->type.dtype;
    if (floats != DT_COUNT && dtype_info[dtype].kind == DK_FLOAT)
        dtype = floats;
    *p = (Plan){.at = *at, .type = st_of(dtype), .count = 1};
    if (p->type == ST_COUNT) {
        diag_error(d, w->loc, E0712,
                   "weight `%s` is %s, which a checkpoint cannot hold", at->name,
                   dtype_info[dtype].name);
        return false;
    }
    for (int k = 0; k < w->type.rank; k++) {
        if (!size_is_int(w->type.dim[w->stored[k]].size, &p->dim[k]))
            bug("weight %s has a shape of run-time sizes", w->path);
        if (__builtin_mul_overflow(p->count, p->dim[k], &p->count)) {
            diag_error(d, w->loc, E0302, "weight `%s` does not fit into 63 bits",
                       at->name);
            return false;
        }
    }
    choose_scale(p);
    return true;
}

// Two weights may name one tensor if they say the same about it.
static bool agrees(Diag *d, const Plan *old, const Plan *new)
{
    bool same = old->type == new->type &&
                old->at.weight->type.rank == new->at.weight->type.rank;
    for (int k = 0; same && k < new->at.weight->type.rank; k++)
        same = old->dim[k] == new->dim[k];
    if (!same)
        diag_error(d, new->at.weight->loc, E0610,
                   "weight `%s` is declared with two shapes or element types",
                   new->at.name);
    return same;
}

typedef struct Plans {
    VEC(Plan *) list;
} Plans;

static bool plan_all(Module *m, Arena *a, DType floats, Diag *d, Plans *plans)
{
    WeightNames names;
    if (!weights_names(m, a, d, &names))
        return false;
    Map *seen = map_new(a);
    bool ok = true;
    for (int i = 0; i < names.list.n; i++) {
        Plan *p = NEW(a, Plan);
        if (!plan_one(d, &names.list.p[i], floats, p)) {
            ok = false;
            continue;
        }
        const Plan *old = map_get(seen, p->at.name);
        if (old != NULL) {
            ok = agrees(d, old, p) && ok;
            continue;
        }
        map_set(seen, p->at.name, p);
        vec_push(a, &plans->list, p);
    }
    return ok;
}

static bool write_one(StWriter *w, const Plan *p, uint64_t seed)
{
    float x[TILE] = {0};
    _Alignas(8) unsigned char raw[8 * TILE];
    uint64_t key = mix(seed ^ hash_bytes(p->at.name, strlen(p->at.name)));
    bool is_float = st_info[p->type].kind == SK_FLOAT;
    bool ok = true;
    for (int64_t at = 0; at < p->count && ok; at += TILE) {
        int64_t n = p->count - at < TILE ? p->count - at : TILE;
        if (is_float)
            fill(key, (uint64_t)at, p->base, p->scale, x);
        convert_from_f32(p->type, x, TILE, raw);
        ok = stw_put(w, raw, n * st_info[p->type].bytes);
    }
    return ok;
}

bool weights_init(Module *m, const char *path, uint64_t seed, DType floats, Diag *d)
{
    Plans plans = {0};
    if (!plan_all(m, m->arena, floats, d, &plans))
        return false;
    StWriter *w = stw_new(m->arena, d, path);
    stw_meta(w, "format", "pt");
    // The widest first, so that every tensor is aligned to its elements without fillers.
    VEC(const Plan *) order = {0};
    for (int bytes = 8; bytes >= 1; bytes /= 2) {
        for (int i = 0; i < plans.list.n; i++) {
            const Plan *p = plans.list.p[i];
            if (st_info[p->type].bytes != bytes)
                continue;
            vec_push(m->arena, &order, p);
            stw_tensor(w, p->at.name, p->type, p->at.weight->type.rank, p->dim, 1);
        }
    }
    if (!stw_begin(w, NULL))
        return false;
    bool ok = true;
    for (int i = 0; i < order.n && ok; i++)
        ok = write_one(w, order.p[i], mix(seed));
    return stw_end(w);  // which reports it when a put failed
}
