// irread.c - reads textual graph IR; the form is described in irtext.h.
//
// One function a line of the form. A module is given back only if ir_verify accepts it.

#include <string.h>

#include "irread.h"

enum { MAX_TABLE = 1 << 16 };  // sizes by turn

// ---- the module ------------------------------------------------------------------------

static bool read_entry_params(Reader *r)
{
    if (!rd_expect(r, "("))
        return false;
    while (!rd_take(r, ")")) {
        rd_space(r);
        size_t start = r->at;
        const char *spelled, *source;
        Type t;
        if (r->g->body->params.n && !rd_expect(r, ","))
            return false;
        if (!rd_value_name(r, &spelled, &source) || !rd_expect(r, ":") ||
            !rd_type(r, &t))
            return false;
        Value *v = build_param(r->g, r->g->body, source, t);
        v->loc = rd_loc(r, start);
        if (!rd_define(r, start, spelled, v))
            return false;
    }
    return true;
}

static bool read_cursor(Reader *r)
{
    rd_space(r);
    size_t start = r->at;
    const char *name;
    if (!rd_name(r, &name))
        return false;
    for (int i = 0; i < r->m->dims.n; i++)
        if (strcmp(r->m->dims.p[i]->name, name) == 0)
            r->g->cursor = r->m->dims.p[i];
    if (r->g->cursor)
        return true;
    diag_error(r->d, rd_loc(r, start), E0902, "no dim `%s`", name);
    return false;
}

static bool read_entry(Reader *r, size_t start)
{
    const char *name;
    if (!rd_name(r, &name))
        return false;
    if (module_graph(r->m, name))
        return rd_fail(r, start, "there is an entry of this name");
    r->g = graph_new(r->m, name);
    r->names = map_new(r->a);
    if (!read_entry_params(r) || (rd_take(r, "at") && !read_cursor(r)) ||
        (rd_take(r, "advance") && !rd_size(r, &r->g->advance)) || !rd_expect(r, "->") ||
        !rd_expect(r, "("))
        return false;
    while (!rd_take(r, ")")) {
        const char *result;
        if ((r->g->result_names.n && !rd_expect(r, ",")) || !rd_name(r, &result))
            return false;
        vec_push(r->a, &r->g->result_names, result);
    }
    r->g->loc = rd_loc(r, start);
    return rd_region(r, r->g->body);
}

static bool read_dim(Reader *r, size_t start)
{
    const char *name;
    int64_t lo, hi, by = 1;
    if (!rd_name(r, &name) || !rd_expect(r, "in") || !rd_int(r, &lo) ||
        !rd_expect(r, "..") || !rd_int(r, &hi) || (rd_take(r, "by") && !rd_int(r, &by)))
        return false;
    if (lo < 0 || hi < lo || by < 1)
        return rd_fail(r, start, "bounds of a dim are 0 <= lo <= hi, by >= 1");
    if (module_has_name(r->m, name))
        return rd_fail(r, start, "there is a dim of this name");
    DimVar *d = module_dim(r->m, name, lo, hi, by);
    d->start = rd_loc(r, start).start;
    d->end = rd_loc(r, start).end;
    return true;
}

static bool read_table_ranges(Reader *r, size_t start, TurnVar *v)
{
    int64_t count = 1;
    do {
        TurnRange *t = &v->range[v->nranges];
        int64_t hi;
        if (v->nranges == MAX_TURN_RANGES)
            return rd_fail(r, start, "a table of too many repeats");
        if (!rd_name(r, &t->index) || !rd_expect(r, "in") || !rd_int(r, &t->lo) ||
            !rd_expect(r, "..") || !rd_int(r, &hi))
            return false;
        if (t->lo < 0 || hi <= t->lo || hi - t->lo > MAX_TABLE / count)
            return rd_fail(r, start, "turns out of range");
        t->n = hi - t->lo;
        count *= t->n;
        v->nranges++;
    } while (rd_take(r, ","));
    return true;
}

static bool read_table(Reader *r, size_t start)
{
    TurnVar v = {.nranges = 0};
    if (!rd_word(r, &v.name) || !rd_expect(r, "by") ||
        !read_table_ranges(r, start, &v) || !rd_expect(r, "="))
        return false;
    if (module_has_name(r->m, v.name))
        return rd_fail(r, start, "there is a dim or table of this name");
    const int64_t n = turn_var_count(&v);
    int64_t *value = NEWN(r->a, int64_t, n);
    for (int64_t i = 0; i < n; i++) {
        if ((i && !rd_expect(r, ",")) || !rd_int(r, &value[i]))
            return false;
        if (value[i] < 0 || value[i] > (int64_t)1 << 48)
            return rd_fail(r, start, "a size out of range");
    }
    module_table_new(r->m, v.name, v.nranges, v.range, value);
    return true;
}

static bool read_scope_line(Reader *r, size_t start)
{
    int id, above = 0;
    const char *name, *block = NULL, *path = NULL;
    if (!rd_small_int(r, r->m->scopes.n, &id) || !rd_string(r, &name) ||
        (rd_take(r, "block") && !rd_string(r, &block)) ||
        (rd_take(r, "path") && !rd_string(r, &path)) ||
        (rd_take(r, "parent") && !rd_small_int(r, id - 1, &above)))
        return false;
    if ((id == 0 && r->m->scopes.n > 1) || (id > 0 && id != r->m->scopes.n))
        return rd_fail(r, start, "scopes are numbered 0, 1, 2...");
    Scope *s = r->m->scopes.p[0];
    if (id > 0) {
        s = scope_new(r->m, r->m->scopes.p[above], *name ? name : NULL, block, path,
                      rd_loc(r, start));
    } else {
        s->name = *name ? name : NULL;
        s->block = block;
        s->path = path;
    }
    s->library = rd_take(r, "library");
    r->labels = NULL;
    return true;
}

static bool read_stored(Reader *r, Weight *w)
{
    size_t start = r->at;
    bool seen[MAX_RANK] = {false};
    if (!rd_expect(r, "["))
        return false;
    for (int k = 0; k < w->type.rank; k++) {
        if ((k && !rd_expect(r, ",")) ||
            !rd_small_int(r, w->type.rank - 1, &w->stored[k]))
            return false;
        if (seen[w->stored[k]])
            return rd_fail(r, start, "an axis is stored twice");
        seen[w->stored[k]] = true;
    }
    return rd_expect(r, "]");
}

static bool read_weight_line(Reader *r, size_t start)
{
    const char *path;
    Type t;
    if (!rd_string(r, &path) || !rd_expect(r, ":") || !rd_type(r, &t))
        return false;
    int before = r->m->weights_list.n;
    Weight *w = module_weight(r->m, path, t);
    if (r->m->weights_list.n == before)
        return rd_fail(r, start, "there is a weight of this path");
    if (rd_take(r, "stored") && !read_stored(r, w))
        return false;
    w->loc = rd_loc(r, start);
    return rd_scope(r, &w->scope);
}

static bool read_state_line(Reader *r, size_t start)
{
    const char *path;
    Type t;
    if (!rd_string(r, &path) || !rd_expect(r, ":") || !rd_type(r, &t))
        return false;
    int before = r->m->states.n;
    State *s = module_state(r->m, path, t);
    if (r->m->states.n == before)
        return rd_fail(r, start, "there is a state of this path");
    if ((rd_take(r, "init") && !rd_number(r, &s->init)) ||
        (rd_take(r, "turns") && !rd_int(r, &s->turns)))
        return false;
    if (s->turns < 1)
        return rd_fail(r, start, "a state has one turn or more");
    s->by_cursor = rd_take(r, "by_cursor");
    s->loc = rd_loc(r, start);
    return rd_scope(r, &s->scope);
}

static bool read_step_words(Reader *r, Step *s)
{
    for (;;) {
        const char *word = NULL;
        bool ok = true;
        if (rd_take(r, "except")) {
            ok = rd_string(r, &word);
            if (ok)
                vec_push(r->a, &s->except, word);
        } else if (rd_take(r, "rank")) {
            ok = rd_int(r, &s->rank);
        } else if (rd_take(r, "ratio")) {
            ok = rd_number(r, &s->ratio);
        } else if (rd_take(r, "energy")) {
            ok = rd_number(r, &s->energy);
        } else if (rd_take(r, "density")) {
            ok = rd_number(r, &s->density);
        } else if (rd_take(r, "shape")) {
            ok = rd_string(r, &s->shape);
        } else if (rd_take(r, "format")) {
            ok = rd_string(r, &s->format);
        } else {
            return true;
        }
        if (!ok)
            return false;
    }
}

static bool read_step_line(Reader *r, size_t start)
{
    const char *word;
    Step *s = NEW(r->a, Step);
    if (!rd_word(r, &word))
        return false;
    if (!step_find(word, &s->kind))
        return rd_fail(r, start, "no such step");
    if (!rd_string(r, &s->pattern) || !read_step_words(r, s))
        return false;
    double most = s->ratio > s->energy ? s->ratio : s->energy;
    most = most > s->density ? most : s->density;
    bool whole = s->kind == STEP_quantize ? s->format != NULL
                 : s->kind == STEP_sparse ? s->shape && s->density > 0
                                          : s->rank > 0 || most > 0;
    if (!whole || s->rank < 0 || !(most <= 1) || s->ratio < 0 || s->energy < 0)
        return rd_fail(r, start, "a step without its numbers");
    s->loc = s->pattern_loc = rd_loc(r, start);
    s->text = step_name(s->kind);
    vec_push(r->a, &r->m->steps, s);
    return true;
}

// *found: the line is one of a header.
static bool read_header_line(Reader *r, bool *found)
{
    rd_space(r);
    size_t start = r->at;
    *found = true;
    if (rd_take(r, "weights"))
        return rd_string(r, &r->m->weights);
    if (rd_take(r, "dim"))
        return read_dim(r, start);
    if (rd_take(r, "table"))
        return read_table(r, start);
    if (rd_take(r, "scope"))
        return read_scope_line(r, start);
    if (rd_take(r, "weight"))
        return read_weight_line(r, start);
    if (rd_take(r, "state"))
        return read_state_line(r, start);
    if (rd_take(r, "step"))
        return read_step_line(r, start);
    *found = false;
    return true;
}

bool rd_header(Reader *r)
{
    const char *name;
    if (!rd_expect(r, "module") || !rd_string(r, &name))
        return false;
    r->m = module_new(r->a, name);
    for (bool found = true; found;)
        if (!read_header_line(r, &found))
            return false;
    return true;
}

static bool read_module(Reader *r)
{
    if (!rd_header(r))
        return false;
    for (rd_space(r); r->at < r->n; rd_space(r)) {
        size_t start = r->at;
        if (!rd_take(r, "entry"))
            return rd_fail(r, start,
                           r->m->graphs.n
                               ? "expected `entry`"
                               : "expected dim, scope, weight, state or entry");
        if (!read_entry(r, start))
            return false;
    }
    return true;
}

static void report_breaches(Reader *r, const char *why)
{
    for (const char *s = why; *s;) {
        size_t n = strcspn(s, "\n");
        diag_error(r->d, (Loc){0, 0}, E0906, "%s", arena_strndup(r->a, s, n));
        s += n + (s[n] == '\n');
    }
}

Module *ir_parse(Arena *a, Diag *d, const char *text, size_t n, uint32_t base)
{
    Reader r = {.a = a, .d = d, .text = text, .n = n, .base = base};
    if (n > (size_t)1 << 28) {
        diag_error(d, (Loc){base, base + 1}, E0905, "text of over 256 MiB");
        return NULL;
    }
    if (!read_module(&r))
        return NULL;
    Text why;
    text_init(&why, a);
    if (ir_verify(r.m, &why))
        return r.m;
    report_breaches(&r, why.p);
    return NULL;
}
