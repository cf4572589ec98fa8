// loopread_head.c - reads what stands in front of the functions of textual loop IR: the
// graph IR's header, constants, places of states, records, templates.

#include <string.h>

#include "loopread.h"

enum { MAX_BYTES_LOG = 48, MAX_INSTANCES = 1 << 16, MAX_RECORD_DEPTH = 8 };

bool rd_bytes(LoopReader *l, int64_t *out)
{
    rd_space(&l->r);
    size_t start = l->r.at;
    if (!rd_int(&l->r, out))
        return false;
    if (*out >= 0 && *out <= (int64_t)1 << MAX_BYTES_LOG)
        return true;
    return rd_fail(&l->r, start, "number of bytes out of range");
}

static bool unknown(LoopReader *l, size_t start, const char *what, const char *name)
{
    diag_error(l->r.d, rd_loc(&l->r, start), E0902, "no %s `%s`", what, name);
    return false;
}

static bool read_state(LoopReader *l, State **out)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const char *path;
    if (!rd_string(r, &path))
        return false;
    *out = NULL;
    for (int i = 0; i < r->m->states.n; i++)
        if (strcmp(r->m->states.p[i]->path, path) == 0)
            *out = r->m->states.p[i];
    return *out || unknown(l, start, "state", path);
}

static bool read_table_name(LoopReader *l, const TurnVar **out)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const char *name;
    if (!rd_word(r, &name))
        return false;
    *out = NULL;
    for (int i = 0; i < r->m->tables.n; i++)
        if (strcmp(r->m->tables.p[i]->name, name) == 0)
            *out = r->m->tables.p[i];
    return *out || unknown(l, start, "table", name);
}

// ---- program-wide lists ----------------------------------------------------------------

// Words up to the end of the line.
static bool read_words(LoopReader *l, Map *into)
{
    Reader *r = &l->r;
    while (rd_peek(r) == ' ' && r->at + 1 < r->n && rd_is_letter(r->text[r->at + 1])) {
        const char *word;
        if (!rd_word(r, &word))
            return false;
        map_set(into, word, l->p);
    }
    return true;
}

static bool read_memory(LoopReader *l)
{
    Reader *r = &l->r;
    Prog *p = l->p;
    return rd_expect(r, "weights") && rd_bytes(l, &p->weights_bytes) &&
           rd_expect(r, "state") && rd_bytes(l, &p->state_bytes) &&
           rd_expect(r, "scratch") && rd_bytes(l, &p->scratch_bytes) &&
           rd_expect(r, "work") && rd_bytes(l, &p->work_bytes) &&
           (!rd_take(r, "at") || rd_bytes(l, &p->work_at));
}

static bool read_constants(LoopReader *l, Graph **constants)
{
    Reader *r = &l->r;
    Graph *g = NEW(r->a, Graph);  // not one of the module's: no entry
    g->module = r->m;
    g->name = "constants";
    g->body = region_new(r->m, NULL);
    r->g = *constants = g;
    r->names = map_new(r->a);
    return rd_region(r, g->body);
}

// "panels 192 64" of dense elements, "int8 192 64", or nothing.
static bool read_panels(LoopReader *l, Packed *k)
{
    if (rd_take(&l->r, "panels"))
        k->format = format_dense(k->storage);
    for (int i = FORMAT_plain + 1; i < FORMAT_COUNT && !k->format; i++)
        if (rd_take(&l->r, format_info[i].name))
            k->format = (Format)i;
    if (!k->format)
        return true;
    if (!rd_bytes(l, &k->n) || !rd_bytes(l, &k->k))
        return false;
    k->kept = format_blocks(k->n, k->k);
    return !rd_take(&l->r, "kept") || rd_bytes(l, &k->kept);
}

static bool read_packed(LoopReader *l, const Graph *constants)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const char *word;
    int number;
    Packed *k = NEW(r->a, Packed);
    if (!rd_small_int(r, INT32_MAX, &number))
        return false;
    if (number != l->p->packed.n)
        return rd_fail(r, start, "packed constants are numbered 0, 1, 2...");
    if (!constants || number >= constants->body->yields.n)
        return rd_fail(r, start, "the constants yield no value for it");
    k->value = constants->body->yields.p[number];
    if (!rd_string(r, &k->name) || !rd_word(r, &word))
        return false;
    if (!dtype_find(word, &k->storage))
        return rd_fail(r, start, "expected an element type");
    if (!read_panels(l, k) || !rd_expect(r, "count") || !rd_bytes(l, &k->count))
        return false;
    vec_push(r->a, &l->p->packed, k);
    return true;
}

static bool read_place(LoopReader *l)
{
    Reader *r = &l->r;
    StatePlace s;
    State *state;
    if (!rd_string(r, &s.path) || !rd_expect(r, "of") || !read_state(l, &state) ||
        !rd_expect(r, "at") || !rd_bytes(l, &s.offset) || !rd_expect(r, "bytes") ||
        !rd_bytes(l, &s.bytes))
        return false;
    s.state = state;
    vec_push(r->a, &l->p->states, s);
    return true;
}

// ---- records ---------------------------------------------------------------------------

static bool read_record(LoopReader *l, Record *rec, int depth, int64_t instances);

static bool read_turns(LoopReader *l, Field *f)
{
    Reader *r = &l->r;
    int64_t hi;
    size_t start = r->at;
    if (!rd_name(r, &f->index) || !rd_expect(r, "in") || !rd_int(r, &f->lo) ||
        !rd_expect(r, "..") || !rd_int(r, &hi))
        return false;
    if (f->lo < 0 || hi <= f->lo || hi > MAX_INSTANCES)
        return rd_fail(r, start, "turns out of range");
    f->turns = hi - f->lo;
    return true;
}

static bool read_record_field(LoopReader *l, Field *f, int depth, int64_t instances)
{
    Reader *r = &l->r;
    size_t start = r->at;
    f->kind = FIELD_RECORD;
    f->record = NEW(r->a, Record);
    f->record->parent = f->owner;
    if (!rd_word(r, &f->record->type) || !rd_string(r, &f->record->path) ||
        (rd_take(r, "turns") && !read_turns(l, f)))
        return false;
    if (depth < MAX_RECORD_DEPTH && instances * f->turns <= MAX_INSTANCES)
        return read_record(l, f->record, depth + 1, instances * f->turns);
    diag_error(r->d, rd_loc(r, start), E0905,
               "more than %d records, or more than %d deep", MAX_INSTANCES,
               MAX_RECORD_DEPTH);
    return false;
}

static bool read_field(LoopReader *l, Record *rec, int depth, int64_t instances)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    Field *f = NEW(r->a, Field);
    f->owner = rec;
    f->turns = 1;
    vec_push(r->a, &rec->fields, f);
    if (!rd_word(r, &f->name) || !rd_expect(r, "="))
        return false;
    f->loc = rd_loc(r, start);
    if (rd_take(r, "record"))
        return read_record_field(l, f, depth, instances);
    if (rd_take(r, "packed")) {
        int number;
        if (!rd_small_int(r, l->p->packed.n - 1, &number))
            return false;
        f->kind = FIELD_WEIGHT;
        f->packed = l->p->packed.p[number];
        return true;
    }
    if (rd_take(r, "size")) {
        f->kind = FIELD_SIZE;
        return read_table_name(l, &f->size);
    }
    f->kind = FIELD_STATE;
    return rd_expect(r, "state") && read_state(l, &f->state);
}

static bool read_record(LoopReader *l, Record *rec, int depth, int64_t instances)
{
    if (!rd_expect(&l->r, "{"))
        return false;
    while (!rd_take(&l->r, "}"))
        if (!read_field(l, rec, depth, instances))
            return false;
    return true;
}

static bool read_root(LoopReader *l)
{
    if (l->p->root)
        return rd_fail(&l->r, l->r.at, "there is a record above");
    l->p->root = NEW(l->r.a, Record);
    return rd_word(&l->r, &l->p->root->type) && rd_string(&l->r, &l->p->root->path) &&
           read_record(l, l->p->root, 0, 1);
}

// ---- templates -------------------------------------------------------------------------

static bool read_template(LoopReader *l)
{
    static const char *const operands[] = {"a", "e0", "e1", "e2", "e3"};
    Reader *r = &l->r;
    Template *t = NEW(r->a, Template);
    rd_space(r);
    size_t start = r->at;
    const char *word;
    if (!rd_word(r, &t->name) || !rd_word(r, &word))
        return false;
    if (!format_find(word, &t->weight))
        return rd_fail(r, start, "expected an element type");
    if (!rd_expect(r, "extras") || !rd_small_int(r, COUNT(operands) - 1, &t->nextra))
        return false;
    if (rd_take(r, "heads") && !rd_small_int(r, MAX_HEADS, &t->heads))
        return false;
    t->rounds = rd_take(r, "rounded");
    if (!rd_expect(r, "="))
        return false;
    l->vars.n = 0;
    for (int i = 0; i <= t->nextra; i++) {
        Name n = {operands[i], DT_f32};
        vec_push(r->a, &l->vars, n);
    }
    t->key = "";
    vec_push(r->a, &l->p->templates, t);
    return rd_expr(l, false, &t->epilogue);
}

// ---- all of it -------------------------------------------------------------------------

static bool read_line(LoopReader *l, Graph **constants, bool *found)
{
    Reader *r = &l->r;
    *found = true;
    if (rd_take(r, "kernels"))
        return read_words(l, l->p->kernels);
    if (rd_take(r, "maps"))
        return read_words(l, l->p->maps);
    if (rd_take(r, "memory"))
        return read_memory(l);
    if (rd_take(r, "constants"))
        return read_constants(l, constants);
    if (rd_take(r, "packed"))
        return read_packed(l, *constants);
    if (rd_take(r, "place"))
        return read_place(l);
    if (rd_take(r, "record"))
        return read_root(l);
    if (rd_take(r, "template"))
        return read_template(l);
    *found = false;
    return true;
}

bool rd_loop_head(LoopReader *l)
{
    Reader *r = &l->r;
    Graph *constants = NULL;
    size_t start = r->at;
    if (!rd_header(r))
        return false;
    l->p->module = r->m;
    if (r->m->dims.n > 64)
        return rd_fail(r, start, "more than 64 dims");
    for (bool found = true; found;)
        if (!read_line(l, &constants, &found))
            return false;
    return l->p->root || rd_fail(r, r->at, "expected `record`");
}
