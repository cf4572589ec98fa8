// loopread.c - reads textual loop IR: programs and functions; its form is described in
// loopread.h. A program is given back only if loop_check accepts it.

#include <ctype.h>
#include <string.h>

#include "loopread.h"

// ---- buffers ---------------------------------------------------------------------------

static const char *const kind_word[] = {"in",    "out",   "param",
                                        "local", "state", "weight"};

static bool read_field_name(LoopReader *l, Buf *b)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const Record *rec = l->f->record;
    const char *name;
    if (!rd_word(r, &name))
        return false;
    for (int i = 0; i < rec->fields.n; i++)
        if (strcmp(rec->fields.p[i]->name, name) == 0)
            b->field = rec->fields.p[i];
    if (b->field)
        return true;
    diag_error(r->d, rd_loc(r, start), E0902, "%s has no field `%s`", rec->type, name);
    return false;
}

// ` as logits`: the name of a parameter or result in the source.
static bool read_source_name(LoopReader *l, const char *in_c, const char **name)
{
    *name = in_c;
    if (!rd_take(&l->r, "as"))
        return true;
    if (!rd_name(&l->r, name))
        return false;
    if (!**name)
        *name = NULL;
    return true;
}

// A parameter or result of an entry is one of its graph too.
static bool read_signature(LoopReader *l, const Buf *b)
{
    Graph *g = l->f->entry;
    const char *name;
    if (!read_source_name(l, b->name, &name))
        return false;
    if (b->kind == BUF_IN) {
        build_param(g, g->body, name, b->shape);
        return true;
    }
    Value *v = value_new(g, OP_param, 0, NULL, 0, NULL);
    v->type = b->shape;
    vec_push(l->r.a, &g->body->yields, v);
    vec_push(l->r.a, &g->result_names, name ? name : "");
    return true;
}

static bool measure(LoopReader *l, Buf *b, size_t start)
{
    enum { MOST = 48 };  // as a power of two
    b->count = type_count(l->r.m->sizes, &b->shape);
    int64_t most = b->count ? size_max_value(b->count) : INT64_MAX;
    if (most >= 0 && most <= (int64_t)1 << MOST) {
        b->bytes = most * dtype_info[b->dtype].bits / 8;
        return true;
    }
    diag_error(l->r.d, rd_loc(&l->r, start), E0905, "buffer of over 2^%d elements",
               MOST);
    return false;
}

static bool read_buf(LoopReader *l, BufKind kind, size_t start)
{
    Reader *r = &l->r;
    Func *f = l->f;
    Buf *b = NEW(r->a, Buf);
    *b = (Buf){.kind = kind, .func = f, .offset = -1, .first = -1, .last = -1};
    if (!rd_word(r, &b->name) || !rd_expect(r, ":") || !rd_type(r, &b->shape))
        return false;
    b->dtype = b->shape.dtype;
    if (!measure(l, b, start))
        return false;
    if (map_get(l->bufs, b->name))
        return rd_fail(r, start, "name is already taken");
    map_set(l->bufs, b->name, b);
    map_set(f->taken, b->name, f);
    vec_push(r->a, &f->bufs, b);
    if (kind == BUF_IN || kind == BUF_OUT || kind == BUF_PARAM)
        vec_push(r->a, &f->params, b);
    if (kind == BUF_IN || kind == BUF_OUT)
        return f->entry ? read_signature(l, b)
                        : rd_fail(r, start, "only an entry has this");
    if (kind == BUF_LOCAL)
        return !rd_take(r, "at") || rd_bytes(l, &b->offset);
    if (kind == BUF_STATE || kind == BUF_WEIGHT)
        return rd_expect(r, "from") && read_field_name(l, b);
    return true;
}

static bool read_bufs(LoopReader *l)
{
    Reader *r = &l->r;
    for (;;) {
        rd_space(r);
        size_t start = r->at;
        int kind = 0;
        while (kind < COUNT(kind_word) && !rd_take(r, kind_word[kind]))
            kind++;
        rd_space(r);
        if (kind == COUNT(kind_word) || !rd_is_letter(rd_peek(r))) {
            r->at = start;  // a statement
            return true;
        }
        if (!read_buf(l, (BufKind)kind, start))
            return false;
    }
}

// ---- functions -------------------------------------------------------------------------

static bool read_cursor(LoopReader *l)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const char *name;
    if (!rd_name(r, &name))
        return false;
    for (int i = 0; i < r->m->dims.n; i++)
        if (strcmp(r->m->dims.p[i]->name, name) == 0)
            l->f->entry->cursor = r->m->dims.p[i];
    if (l->f->entry->cursor)
        return true;
    diag_error(r->d, rd_loc(r, start), E0902, "no dim `%s`", name);
    return false;
}

static bool read_entry_head(LoopReader *l, size_t start)
{
    Reader *r = &l->r;
    const char *name;
    if (!read_source_name(l, l->f->name, &name))
        return false;
    if (!name || module_graph(r->m, name))
        return rd_fail(r, start, "there is an entry of this name");
    l->f->entry = graph_new(r->m, name);
    l->f->entry->loc = rd_loc(r, start);
    vec_push(r->a, &l->p->entries, l->f);
    if (rd_take(r, "at") && !read_cursor(l))
        return false;
    if (rd_take(r, "advance"))
        return rd_expect(r, "{") && rd_size(r, &l->f->entry->advance) &&
               rd_expect(r, "}");
    return true;
}

// ` of layer.attn`: fields on the way from the root.
static bool read_record_path(LoopReader *l)
{
    Reader *r = &l->r;
    do {
        rd_space(r);
        size_t start = r->at;
        const Record *rec = l->f->record;
        const char *name;
        if (!rd_word(r, &name))
            return false;
        for (int i = 0; i < rec->fields.n; i++)
            if (rec->fields.p[i]->record && strcmp(rec->fields.p[i]->name, name) == 0)
                l->f->record = rec->fields.p[i]->record;
        if (l->f->record == rec) {
            diag_error(r->d, rd_loc(r, start), E0902, "%s has no record `%s`",
                       rec->type, name);
            return false;
        }
    } while (rd_take(r, "."));
    return true;
}

static bool read_turns(LoopReader *l)
{
    do {
        Name n = {NULL, DT_i64};
        if (!rd_word(&l->r, &n.name))
            return false;
        vec_push(l->r.a, &l->f->turns, n.name);
        vec_push(l->r.a, &l->vars, n);
    } while (rd_take(&l->r, ","));
    return true;
}

static Func *func_begin(LoopReader *l)
{
    static const char *const own[] = {"m",    "w",      "state",  "scratch",
                                      "work", "status", "weight", "table"};
    Func *f = NEW(l->r.a, Func);
    f->prog = l->p;
    f->record = l->p->root;
    f->taken = map_new(l->r.a);
    for (int i = 0; i < COUNT(own); i++)
        map_set(f->taken, own[i], f);
    for (int i = 0; i < l->r.m->dims.n; i++)
        map_set(f->taken, l->r.m->dims.p[i]->name, f);
    l->bufs = map_new(l->r.a);
    l->vars.n = 0;
    return f;
}

static bool read_func(LoopReader *l, bool entry, size_t start)
{
    Reader *r = &l->r;
    Func *f = l->f = func_begin(l);
    Scope *scope;
    if (!rd_word(r, &f->name))
        return false;
    if (map_get(l->funcs, f->name))
        return rd_fail(r, start, "there is a function of this name");
    if ((entry && !read_entry_head(l, start)) ||
        (rd_take(r, "of") && !read_record_path(l)) || !rd_scope(r, &scope) ||
        (rd_take(r, "turns") && !read_turns(l)) || !rd_expect(r, "frame") ||
        !rd_bytes(l, &f->frame_bytes) || !rd_expect(r, "{"))
        return false;
    f->scope = scope;
    f->uses_scratch = f->frame_bytes > 0;
    if (!read_bufs(l) || !rd_body(l, &f->body, 0))
        return false;
    map_set(l->funcs, f->name, f);
    vec_push(r->a, &l->p->funcs, f);
    return true;
}

// ---- programs --------------------------------------------------------------------------

static const char *upper_case(Arena *a, const char *s)
{
    char *u = arena_strdup(a, s);
    for (char *c = u; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return u;
}

static bool read_program(LoopReader *l)
{
    Reader *r = &l->r;
    Prog *p = l->p;
    if (!rd_expect(r, "program") || !rd_name(r, &p->prefix))
        return false;
    p->upper = upper_case(r->a, p->prefix);
    p->taps = rd_take(r, "taps");
    if (!rd_loop_head(l))
        return false;
    for (rd_space(r); r->at < r->n; rd_space(r)) {
        size_t start = r->at;
        bool entry = rd_take(r, "entry");
        if (!entry && !rd_take(r, "func"))
            return rd_fail(r, start, "expected `func` or `entry`");
        if (!read_func(l, entry, start))
            return false;
    }
    return true;
}

static void report_breaches(Reader *r, const char *why)
{
    for (const char *s = why; *s;) {
        size_t n = strcspn(s, "\n");
        diag_error(r->d, (Loc){0, 0}, E0907, "%s", arena_strndup(r->a, s, n));
        s += n + (s[n] == '\n');
    }
}

Prog *loop_parse(Arena *a, Diag *d, const char *text, size_t n, uint32_t base)
{
    Prog *p = NEW(a, Prog);
    LoopReader l = {.r = {.a = a, .d = d, .text = text, .n = n, .base = base}, .p = p};
    p->arena = a;
    p->diag = d;
    p->kernels = map_new(a);
    p->maps = map_new(a);
    l.funcs = map_new(a);
    if (n > (size_t)1 << 28) {
        diag_error(d, (Loc){base, base + 1}, E0905, "text of over 256 MiB");
        return NULL;
    }
    if (!read_program(&l))
        return NULL;
    Text why;
    text_init(&why, a);
    lower_needs(p);
    if (loop_check(p, &why))
        return p;
    report_breaches(&l.r, why.p);
    return NULL;
}
