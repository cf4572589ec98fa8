// weights.c - the weights a module asks for, and a checkpoint held against them.

#include "weights.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_NAMES = 1000 * 1000, MAX_GUESSES = 20 };

// ---- names --------------------------------------------------------------------------

typedef struct Uses {
    const Module *module;
    Arena *arena;
    VEC(Value *) values;  // every OP_weight
} Uses;

static void note_use(Value *v, void *ctx)
{
    Uses *u = ctx;
    if (v->op == OP_weight)
        vec_push(u->arena, &u->values, v);
}

typedef struct Expansion {
    Arena *arena;
    const Weight *weight;
    WeightNames *names;
    Map *seen;  // of this weight
} Expansion;

// Adds the names of a path at all turns of the repeats around r.
static bool expand(Expansion *x, const char *path, const Region *r)
{
    const Value *v = NULL;
    const char *index = NULL;
    for (; r != NULL; r = v != NULL ? v->region : NULL) {
        v = r->owner;
        if (v == NULL || v->op != OP_repeat)
            continue;
        index = attr_str(v, "index", "");
        if (strstr(path, arena_printf(x->arena, "{%s}", index)) != NULL)
            break;
    }
    if (r == NULL) {
        if (map_get(x->seen, path) != NULL)
            return true;
        map_set(x->seen, path, x);
        WeightName name = {x->weight, path};
        vec_push(x->arena, &x->names->list, name);
        return x->names->list.n <= MAX_NAMES;
    }
    const Attr *range = attr_find(v, "range");
    int64_t lo, hi;
    if (range == NULL || range->n != 2 || !size_is_int(range->sizes[0], &lo) ||
        !size_is_int(range->sizes[1], &hi))
        bug("weight %s in a repeat without constant turns", path);
    for (int64_t i = lo; i < hi; i++) {
        if (!expand(x, path_at(x->arena, path, index, i), v->region))
            return false;
    }
    return true;
}

bool weights_names(Module *m, Arena *a, Diag *d, WeightNames *names)
{
    Uses u = {m, a, {0}};
    for (int i = 0; i < m->graphs.n; i++)
        graph_walk(m->graphs.p[i], note_use, &u);
    memset(names, 0, sizeof *names);
    for (int i = 0; i < m->weights_list.n; i++) {
        const Weight *w = m->weights_list.p[i];
        Expansion x = {a, w, names, map_new(a)};
        for (int k = 0; k < u.values.n; k++) {
            const Value *v = u.values.p[k];
            if (value_weight(m, v) != w || expand(&x, w->path, v->region))
                continue;
            diag_error(d, w->loc, E0607, "the model has more than %d weights",
                       MAX_NAMES);
            return false;
        }
    }
    return true;
}

// ---- what does not fit --------------------------------------------------------------

// What is wrong with one weight, at the first turn where it is, and at how many others.
typedef struct Trouble {
    const char *text;
    int more;
} Trouble;

enum { NOT_THERE, SHAPE, TYPE, NOT_FINITE, NOT_FITTING, TROUBLES };

static const DiagCode trouble_code[TROUBLES] = {E0601, E0602, E0603, E0604, E0605};

typedef struct Check {
    Module *module;
    Checkpoint *ck;
    Diag *diag;
    Arena *arena;
    const WeightName *at;
    const CkptTensor *first_misshaped;
    const char *first_missing;
    Trouble trouble[TROUBLES];
    int guesses;
} Check;

PRINTF_LIKE(3, 4) static void note(Check *c, int kind, const char *fmt, ...)
{
    Trouble *t = &c->trouble[kind];
    if (t->text != NULL) {
        t->more++;
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    t->text = arena_vprintf(c->arena, fmt, ap);
    va_end(ap);
}

// "[2, 3]"
static const char *dims_text(Arena *a, int n, const int64_t *dim)
{
    Text t;
    text_init(&t, a);
    for (int i = 0; i < n; i++)
        text_printf(&t, "%s%" PRId64, i > 0 ? ", " : "[", dim[i]);
    text_puts(&t, n > 0 ? "]" : "[]");
    return t.p;
}

static bool file_shape(const Weight *w, int64_t *dim)
{
    for (int k = 0; k < w->type.rank; k++) {
        if (!size_is_int(w->type.dim[w->stored[k]].size, &dim[k]))
            return false;
    }
    return true;
}

static bool check_shape(Check *c, const CkptTensor *t)
{
    const Weight *w = c->at->weight;
    int64_t want[MAX_RANK];
    bool ordered = true;
    if (!file_shape(w, want))
        bug("weight %s has a shape of run-time sizes", w->path);
    bool same = t->rank == w->type.rank;
    for (int k = 0; k < w->type.rank; k++) {
        same = same && t->dim[k] == want[k];
        ordered = ordered && w->stored[k] == k;
    }
    if (same)
        return true;
    const char *stored = "";
    if (!ordered)
        stored = arena_printf(c->arena, ", stored %s",
                              dims_text(c->arena, w->type.rank, want));
    if (c->first_misshaped == NULL)
        c->first_misshaped = t;
    note(c, SHAPE, "weight `%s` is %s in the file, %s%s here", t->name,
         dims_text(c->arena, t->rank, t->dim), type_str(&w->type, c->arena), stored);
    return false;
}

static bool check_type(Check *c, const CkptTensor *t)
{
    DType d = c->at->weight->type.dtype;
    static const StKind wanted[] = {
        [DK_FLOAT] = SK_FLOAT, [DK_INT] = SK_INT, [DK_BOOL] = SK_BOOL};
    if (st_info[t->type].kind == wanted[dtype_info[d].kind])
        return true;
    note(c, TYPE, "weight `%s` is %s in the file, %s here", t->name,
         st_info[t->type].name, dtype_info[d].name);
    return false;
}

// The first element that f16 cannot hold, or -1; of finite elements.
static bool past_f16(Check *c, const CkptTensor *t, int64_t *index)
{
    float x[4096];
    *index = -1;
    for (int64_t at = 0; at < t->count && *index < 0; at += COUNT(x)) {
        int64_t n = t->count - at < COUNT(x) ? t->count - at : COUNT(x);
        if (!ckpt_read_f32(c->ck, t, at, n, x))
            return false;
        for (int64_t i = 0; i < n && *index < 0; i++) {
            if (x[i] >= 65520.0f || x[i] <= -65520.0f)
                *index = at + i;
        }
    }
    return true;
}

static void check_floats(Check *c, const CkptTensor *t)
{
    int64_t i;
    double v = 0;
    if (!ckpt_not_finite(c->ck, t, &i))
        return;
    if (i >= 0) {
        if (!ckpt_read_f64(c->ck, t, i, 1, &v))
            return;
        const char *what = v > 0 ? "infinite" : v < 0 ? "minus infinite" : "NaN";
        note(c, NOT_FINITE, "weight `%s` is %s at element %" PRId64, t->name, what, i);
        return;
    }
    bool narrow = c->at->weight->type.dtype == DT_f16 && t->type != ST_F16;
    if (narrow && past_f16(c, t, &i) && i >= 0 && ckpt_read_f64(c->ck, t, i, 1, &v))
        note(c, NOT_FITTING,
             "weight `%s` is %g at element %" PRId64 ", too large for f16", t->name, v,
             i);
}

static void check_ints(Check *c, const CkptTensor *t)
{
    DType d = c->at->weight->type.dtype;
    bool is_signed = dtype_info[d].name[0] == 'i';
    int bits = dtype_info[d].bits;
    int64_t most = (int64_t)(UINT64_MAX >> (64 - bits + is_signed)), lo, hi;
    int64_t least = is_signed ? -most - 1 : 0;
    if (st_info[t->type].dtype == d || !ckpt_int_range(c->ck, t, &lo, &hi))
        return;
    if (lo < least || hi > most)
        note(c, NOT_FITTING,
             "weight `%s` holds values from %" PRId64 " to %" PRId64
             ", which %s cannot",
             t->name, lo, hi, dtype_info[d].name);
}

static void check_one(Check *c)
{
    const CkptTensor *t = ckpt_find(c->ck, c->at->name);
    if (t == NULL) {
        if (c->first_missing == NULL)
            c->first_missing = c->at->name;
        note(c, NOT_THERE, "weight `%s` is not in `%s`", c->at->name, ckpt_path(c->ck));
        return;
    }
    bool fits = check_shape(c, t);
    if (!check_type(c, t) || !fits)
        return;
    if (st_info[t->type].kind == SK_FLOAT)
        check_floats(c, t);
    else if (st_info[t->type].kind == SK_INT)
        check_ints(c, t);
}

// ---- hints --------------------------------------------------------------------------

// If s is "<something>.end", the length of "<something>."; else 0.
static size_t prefix_before(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n > k && s[n - k - 1] == '.' && strcmp(s + n - k, end) == 0 ? n - k : 0;
}

static void guess_name(Check *c, Loc loc)
{
    const char *name = c->first_missing;
    if (++c->guesses > MAX_GUESSES)
        return;
    for (int i = 0; i < ckpt_count(c->ck); i++) {
        const char *there = ckpt_tensor(c->ck, i)->name;
        size_t more = prefix_before(there, name), less = prefix_before(name, there);
        if (more > 0)
            diag_hint(c->diag, loc, "the file has `%s`, with `%.*s` before it", there,
                      (int)more, there);
        else if (less > 0)
            diag_hint(c->diag, loc, "the file has `%s`, without `%.*s` before it",
                      there, (int)less, name);
        if (more > 0 || less > 0)
            return;
    }
    const char *near = ckpt_nearest(c->ck, name);
    if (near != NULL)
        diag_hint(c->diag, loc, "did you mean `%s`?", near);
}

// A matrix that lies the other way round in the file is the most common misfit.
static void guess_order(Check *c, Loc loc)
{
    const Weight *w = c->at->weight;
    const CkptTensor *t = c->first_misshaped;
    int64_t want[MAX_RANK];
    if (t->rank == 2 && w->type.rank == 2 && file_shape(w, want) &&
        t->dim[0] == want[1] && t->dim[1] == want[0])
        diag_hint(c->diag, loc,
                  "the file has the axes the other way round: `stored [...]` says so");
}

static void report_weight(Check *c)
{
    const Weight *w = c->at->weight;
    for (int k = 0; k < TROUBLES; k++) {
        const Trouble *t = &c->trouble[k];
        if (t->text == NULL)
            continue;
        diag_error(c->diag, w->loc, trouble_code[k], "%s", t->text);
        if (k == NOT_THERE)
            guess_name(c, w->loc);
        if (k == SHAPE)
            guess_order(c, w->loc);
        if (t->more > 0)
            diag_hint(c->diag, w->loc, "likewise %d more of `%s`", t->more, w->path);
    }
    memset(c->trouble, 0, sizeof c->trouble);
    c->first_missing = NULL;
    c->first_misshaped = NULL;
}

void weights_check(Module *m, Checkpoint *ck, Diag *d)
{
    WeightNames names;
    if (!weights_names(m, m->arena, d, &names))
        return;
    Check c = {.module = m, .ck = ck, .diag = d, .arena = m->arena};
    for (int i = 0; i < names.list.n; i++) {
        c.at = &names.list.p[i];
        check_one(&c);
        if (i + 1 == names.list.n || names.list.p[i + 1].weight != c.at->weight)
            report_weight(&c);
    }
}

void weights_unused(Module *m, Checkpoint *ck, Diag *d)
{
    WeightNames names;
    if (!weights_names(m, m->arena, d, &names))
        return;
    Map *used = map_new(m->arena);
    for (int i = 0; i < names.list.n; i++)
        map_set(used, names.list.p[i].name, ck);
    Text list;
    text_init(&list, m->arena);
    int n = 0;
    for (int i = 0; i < ckpt_count(ck); i++) {
        const char *name = ckpt_tensor(ck, i)->name;
        if (map_get(used, name) == NULL && n++ < 5)
            text_printf(&list, "%s`%s`", n > 1 ? ", " : "", name);
    }
    if (n > 5)
        text_printf(&list, " and %d more", n - 5);
    if (n > 0)
        diag_warning(d, (Loc){0, 0}, E0606, "%d of %d tensors of `%s` are not used: %s",
                     n, ckpt_count(ck), ckpt_path(ck), list.p);
}

// ---- how they are stored ------------------------------------------------------------

// Is name the path with a number for every "{index}"?
static bool is_turn_of(const char *name, const char *path)
{
    while (*path != '\0') {
        if (*path != '{') {
            if (*name++ != *path++)
                return false;
            continue;
        }
        size_t digits = strspn(name, "0123456789");
        path += strcspn(path, "}");
        path += *path == '}';
        name += digits;
        if (digits == 0)
            return false;
    }
    return *name == '\0';
}

DType weights_storage(const Checkpoint *ck, const char *path)
{
    DType all = DT_COUNT;
    for (int i = 0; i < ckpt_count(ck); i++) {
        const CkptTensor *t = ckpt_tensor(ck, i);
        if (!is_turn_of(t->name, path))
            continue;
        DType d = st_info[t->type].dtype;
        if (d == DT_COUNT || (all != DT_COUNT && d != all))
            return DT_COUNT;
        all = d;
    }
    return all;
}

// ---- for the oracle -----------------------------------------------------------------

static bool read_source(void *ctx, const char *name, int64_t n, double *out)
{
    const CkptTensor *t = ckpt_find(ctx, name);
    return t != NULL && t->count == n && ckpt_read_f64(ctx, t, 0, n, out);
}

WeightSource weights_source(Checkpoint *ck)
{
    return (WeightSource){read_source, ck};
}
