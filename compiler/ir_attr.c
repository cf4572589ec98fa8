// ir_attr.c - attributes of values: making, finding, and which op has which.

#include <string.h>

#include "ir.h"

Attr attr_make_int(const char *name, int64_t i)
{
    return (Attr){.name = name, .kind = AT_INT, .i = i};
}

Attr attr_make_num(const char *name, double v)
{
    return (Attr){.name = name, .kind = AT_NUM, .num = v};
}

Attr attr_make_str(const char *name, const char *s)
{
    return (Attr){.name = name, .kind = AT_STR, .str = s};
}

Attr attr_make_ints(const char *name, int n, const int64_t *v)
{
    return (Attr){.name = name, .kind = AT_INTS, .n = n, .ints = v};
}

Attr attr_make_size(Arena *a, const char *name, const Size *v)
{
    const Size **p = NEW(a, const Size *);
    *p = v;
    return (Attr){.name = name, .kind = AT_SIZE, .n = 1, .sizes = p};
}

Attr attr_make_sizes(const char *name, int n, const Size *const *v)
{
    return (Attr){.name = name, .kind = AT_SIZES, .n = n, .sizes = v};
}

Attr attr_make_dtype(const char *name, DType d)
{
    return (Attr){.name = name, .kind = AT_DTYPE, .dtype = d};
}

const Attr *attr_find(const Value *v, const char *name)
{
    for (int i = 0; i < v->nattr; i++)
        if (strcmp(v->attr[i].name, name) == 0)
            return &v->attr[i];
    return NULL;
}

int64_t attr_int(const Value *v, const char *name, int64_t otherwise)
{
    const Attr *a = attr_find(v, name);
    return a && a->kind == AT_INT ? a->i : otherwise;
}

double attr_num(const Value *v, const char *name, double otherwise)
{
    const Attr *a = attr_find(v, name);
    return a && a->kind == AT_NUM ? a->num : otherwise;
}

const Size *attr_size(const Value *v, const char *name)
{
    const Attr *a = attr_find(v, name);
    return a && a->kind == AT_SIZE ? a->sizes[0] : NULL;
}

const char *attr_str(const Value *v, const char *name, const char *otherwise)
{
    const Attr *a = attr_find(v, name);
    return a && a->kind == AT_STR ? a->str : otherwise;
}

Attr attr_copy(Arena *a, Attr at)
{
    at.name = arena_strdup(a, at.name);
    if (at.kind == AT_STR) {
        at.str = arena_strdup(a, at.str);
    } else if (at.kind == AT_INTS) {
        int64_t *p = NEWN(a, int64_t, at.n);
        if (at.n)
            memcpy(p, at.ints, (size_t)at.n * sizeof(*p));
        at.ints = p;
    } else if (at.kind == AT_SIZES || at.kind == AT_SIZE) {
        const Size **p = NEWN(a, const Size *, at.n);
        if (at.n)
            memcpy(p, at.sizes, (size_t)at.n * sizeof(*p));
        at.sizes = p;
    }
    return at;
}

bool attr_equal(const Attr *a, const Attr *b)
{
    if (strcmp(a->name, b->name) != 0 || a->kind != b->kind)
        return false;
    switch (a->kind) {
    case AT_INT:
        return a->i == b->i;
    case AT_NUM:
        return same_bits(a->num, b->num);
    case AT_STR:
        return strcmp(a->str, b->str) == 0;
    case AT_INTS:
        return a->n == b->n &&
               (a->n == 0 ||
                memcmp(a->ints, b->ints, (size_t)a->n * sizeof(*a->ints)) == 0);
    case AT_SIZE:
    case AT_SIZES:
        for (int k = 0; k < a->n && a->n == b->n; k++)
            if (a->sizes[k] != b->sizes[k])
                return false;
        return a->n == b->n;
    case AT_DTYPE:
        return a->dtype == b->dtype;
    }
    return false;
}

void attr_set(Module *m, Value *v, Attr a)
{
    a = attr_copy(m->arena, a);
    for (int i = 0; i < v->nattr; i++)
        if (strcmp(v->attr[i].name, a.name) == 0) {
            v->attr[i] = a;
            return;
        }
    Attr *p = NEWN(m->arena, Attr, v->nattr + 1);
    if (v->nattr)
        memcpy(p, v->attr, (size_t)v->nattr * sizeof(*p));
    p[v->nattr++] = a;
    v->attr = p;
}

// ---- which op has which ----------------------------------------------------------------

static const AttrRow rows[] = {
#define ATTR(op, name, kind, count, need) {OP_##op, #name, AT_##kind, count, need},
#include "attrs.def"
#undef ATTR
};

const AttrRow *attr_row(Op op, int i)
{
    for (int k = 0; k < COUNT(rows); k++)
        if (rows[k].op == op && i-- == 0)
            return &rows[k];
    return NULL;
}

const AttrRow *attr_row_find(Op op, const char *name)
{
    for (int k = 0; k < COUNT(rows); k++)
        if (rows[k].op == op && strcmp(rows[k].name, name) == 0)
            return &rows[k];
    return NULL;
}
