// loopcheck.c - the verifier of loop IR: programs, functions and their buffers.
//
// It trusts nothing but pointers: a program from a text or with a bug in its lowering is
// told apart from a legal one before anything is planned or printed as C.

#include <string.h>

#include "loopcheck.h"

enum { MAX_BREACHES = 20 };

void breach(Check *c, const char *fmt, ...)
{
    if (c->breaches++ >= MAX_BREACHES)
        return;
    if (c->f)
        text_printf(c->why, "%s: ", c->f->name);
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(c->why, fmt, ap);
    va_end(ap);
    text_puts(c->why, "\n");
}

static const char *address(Check *c, const void *p)
{
    return arena_printf(c->scratch, "%p", p);
}

bool is_buf_of(const Check *c, const Buf *b)
{
    return b && map_get(c->bufs, address((Check *)c, b)) != NULL;
}

const Var *var_find(const Check *c, const char *name)
{
    for (int i = c->vars.n - 1; i >= 0; i--)
        if (!strcmp(c->vars.p[i].name, name))
            return &c->vars.p[i];
    return NULL;
}

// ---- buffers ---------------------------------------------------------------------------

// A field of the function's own record, of the kind that the buffer needs.
static void check_field(Check *c, const Buf *b)
{
    const Field *f = b->field;
    bool mine = false;
    for (int i = 0; f && i < c->f->record->fields.n; i++)
        mine = mine || c->f->record->fields.p[i] == f;
    if (!mine)
        breach(c, "%s is from no field of %s", b->name, c->f->record->type);
    else if (f->kind != (b->kind == BUF_STATE ? FIELD_STATE : FIELD_WEIGHT))
        breach(c, "%s is from %s, which is no %s", b->name, f->name,
               b->kind == BUF_STATE ? "state" : "packed constant");
    else if (f->kind == FIELD_WEIGHT && f->packed->storage != b->dtype)
        breach(c, "%s is %s, its constant is stored as %s", b->name,
               dtype_info[b->dtype].name, dtype_info[f->packed->storage].name);
    else if (f->kind == FIELD_STATE && !type_equal(&f->state->type, &b->shape))
        breach(c, "%s is %s, its state %s", b->name, type_str(&b->shape, c->scratch),
               type_str(&f->state->type, c->scratch));
    else if (f->kind == FIELD_WEIGHT &&
             !type_same_shape(&f->packed->value->type, &b->shape))
        breach(c, "%s is %s, its constant %s", b->name, type_str(&b->shape, c->scratch),
               type_str(&f->packed->value->type, c->scratch));
}

static void check_buf(Check *c, const Buf *b)
{
    bool of_entry = b->kind == BUF_IN || b->kind == BUF_OUT;
    for (int k = 0; k < b->shape.rank; k++)
        check_turns(c, c->f->record, b->shape.dim[k].size);
    if (b->func != c->f)
        breach(c, "%s belongs to another function", b->name);
    if (b->dtype != b->shape.dtype || !b->count)
        breach(c, "%s is not of its type", b->name);
    if (of_entry && !c->f->entry)
        breach(c, "%s is a parameter of an entry", b->name);
    if (b->kind == BUF_PARAM && c->f->entry)
        breach(c, "%s is a parameter of an inner function", b->name);
    if (b->kind == BUF_STATE || b->kind == BUF_WEIGHT)
        check_field(c, b);
    else if (b->field)
        breach(c, "%s is from a field, but no state or weight", b->name);
}

static void check_bufs(Check *c)
{
    const Func *f = c->f;
    Map *names = map_new(c->scratch);
    int params = 0;
    c->bufs = map_new(c->scratch);
    for (int i = 0; i < c->p->module->dims.n; i++)
        map_set(names, c->p->module->dims.p[i]->name, c);
    for (int i = 0; i < f->turns.n; i++)
        map_set(names, f->turns.p[i], c);
    for (int i = 0; i < f->bufs.n; i++) {
        Buf *b = f->bufs.p[i];
        if (map_get(names, b->name))
            breach(c, "two things are called %s", b->name);
        map_set(names, b->name, b);
        map_set(c->bufs, address(c, b), b);
        check_buf(c, b);
        bool param = b->kind == BUF_IN || b->kind == BUF_OUT || b->kind == BUF_PARAM;
        params += param;
        if (param && (params > f->params.n || f->params.p[params - 1] != b))
            breach(c, "%s is not in the list of parameters", b->name);
    }
    if (params != f->params.n)
        breach(c, "%d parameters, %d of them buffers", f->params.n, params);
}

// ---- functions -------------------------------------------------------------------------

static void check_entry(Check *c)
{
    const Graph *g = c->f->entry;
    int in = 0, out = 0;
    for (int i = 0; i < c->f->params.n; i++) {
        const Buf *b = c->f->params.p[i];
        const Value *v = NULL;
        if (b->kind == BUF_IN && in < g->body->params.n)
            v = g->body->params.p[in++];
        else if (b->kind == BUF_OUT && out < g->body->yields.n)
            v = g->body->yields.p[out++];
        if (!v || !type_equal(&v->type, &b->shape))
            breach(c, "%s is not as the entry has it", b->name);
    }
    if (in != g->body->params.n || out != g->body->yields.n)
        breach(c, "it has not all parameters and results of the entry");
    if (c->f->record != c->p->root)
        breach(c, "an entry is of the root record");
    if (c->f->turns.n)
        breach(c, "an entry is in no turn");
    if ((g->cursor != NULL) != (g->advance != NULL))
        breach(c, "a cursor without its advance, or the other way round");
}

static void check_func(Check *c)
{
    c->vars.n = 0;
    for (int i = 0; i < c->f->turns.n; i++) {
        Var turn = {c->f->turns.p[i], DT_i64, true};
        vec_push(c->scratch, &c->vars, turn);
    }
    if (c->f->frame_bytes < 0)
        breach(c, "a frame of %lld bytes", (long long)c->f->frame_bytes);
    check_bufs(c);
    if (c->f->entry)
        check_entry(c);
    check_body(c, &c->f->body);
}

static void check_funcs(Check *c)
{
    Map *names = map_new(c->scratch);
    int entries = 0;
    for (int i = 0; i < c->p->funcs.n; i++) {
        Func *f = c->p->funcs.p[i];
        c->f = NULL;
        if (map_get(names, f->name))
            breach(c, "two functions are called %s", f->name);
        if (f->entry && (entries >= c->p->entries.n || c->p->entries.p[entries] != f))
            breach(c, "%s is not in the list of entries", f->name);
        entries += f->entry && entries < c->p->entries.n;
        map_set(names, f->name, f);
        c->f = f;
        check_func(c);
    }
    c->f = NULL;
    if (entries != c->p->entries.n)
        breach(c, "an entry has no function");
}

bool loop_check(const Prog *p, Text *why)
{
    Arena *scratch = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_free(scratch);
        guard_again(&guard);
    }
    Check c = {.p = p, .scratch = scratch, .why = why};
    check_tables(&c);
    check_funcs(&c);
    if (c.breaches > MAX_BREACHES)
        text_printf(why, "and %d more\n", c.breaches - MAX_BREACHES);
    guard_drop(&guard);
    arena_free(scratch);
    return c.breaches == 0;
}
