// cse - equal values become one.
//
//     a = exp(x)                                  a = exp(x)
//     b = exp(x)                         =>       c = add(a, a)
//     c = add(a, b)
//
// A value of a region around a repeat serves inside it too. What is only read or viewed
// (weights, constants, slices...) is merged within one scope: passing it from one
// function of the emitted C to another would cost more than it saves. What reads a state is
// left alone, since between two reads the state may be written.

#include "pass.h"

#include <stdlib.h>
#include <string.h>

typedef struct Table {
    Map *map;             // key of a value: the first such value
    struct Table *outer;  // of the region around
} Table;

static bool is_cheap(const Value *v)
{
    switch (v->op) {
    case OP_weight:
    case OP_const:
    case OP_size:
    case OP_turn:
    case OP_iota:
    case OP_transpose:
    case OP_reshape:
    case OP_expand:
    case OP_slice:
        return true;
    default:
        return false;
    }
}

static bool may_merge(const Value *v)
{
    switch (v->op) {
    case OP_param:
    case OP_state:
    case OP_set_slice:
    case OP_repeat:
        return false;
    default:
        break;
    }
    for (int i = 0; i < v->nin; i++)
        if (is_version(v->in[i]))
            return false;
    return true;
}

static void put_attr(Text *key, const Attr *a)
{
    text_printf(key, "|%s=", a->name);
    switch (a->kind) {
    case AT_INT:
        text_printf(key, "%lld", (long long)a->i);
        break;
    case AT_NUM: {
        uint64_t bits;
        memcpy(&bits, &a->num, sizeof bits);
        text_printf(key, "%llx", (unsigned long long)bits);
        break;
    }
    case AT_STR:
        text_printf(key, "%zu:%s", strlen(a->str), a->str);
        break;
    case AT_INTS:
        for (int k = 0; k < a->n; k++)
            text_printf(key, "%lld,", (long long)a->ints[k]);
        break;
    case AT_SIZE:
    case AT_SIZES:  // interned: the address is the size
        for (int k = 0; k < a->n; k++)
            text_printf(key, "%p,", (const void *)a->sizes[k]);
        break;
    case AT_DTYPE:
        text_printf(key, "%d", (int)a->dtype);
        break;
    }
}

static int local_number(const Region *body, const Value *v)
{
    for (int i = 0; i < body->params.n; i++)
        if (body->params.p[i] == v)
            return i;
    return body->params.n + region_index(body, v);
}

// Two values are equal if their keys are; operands by id, in bodies by place.
static void put_key(Text *key, const Value *v, const Region *body)
{
    text_printf(key, "%d:%d", (int)v->op, (int)v->type.dtype);
    for (int i = 0; i < v->nin; i++)
        text_printf(key, ",%d", body ? local_number(body, v->in[i]) : v->in[i]->id);
    for (int i = 0; i < v->nattr; i++)
        put_attr(key, &v->attr[i]);
    if (!v->body)
        return;
    text_puts(key, "{");
    for (int i = 0; i < v->body->ops.n; i++) {
        put_key(key, v->body->ops.p[i], v->body);
        text_puts(key, ";");
    }
    for (int i = 0; i < v->body->yields.n; i++)
        text_printf(key, "^%d", local_number(v->body, v->body->yields.p[i]));
    text_puts(key, "}");
}

static Value *find(const Table *t, const char *key)
{
    for (; t; t = t->outer) {
        Value *v = map_get(t->map, key);
        if (v)
            return v;
    }
    return NULL;
}

static bool merge_region(PassContext *c, Graph *g, Region *r, Table *outer)
{
    Table table = {map_new(c->scratch), outer};
    bool changed = false;
    for (int i = 0; i < r->ops.n;) {
        Value *v = r->ops.p[i++];
        if (v->op == OP_repeat)
            changed |= merge_region(c, g, v->body, &table);
        if (!may_merge(v))
            continue;
        Text key;
        text_init(&key, c->scratch);
        put_key(&key, v, NULL);
        if (is_cheap(v))
            text_printf(&key, "@%d", v->scope->id);
        Value *same = find(&table, key.p);
        if (!same) {
            map_set(table.map, key.p, v);
            continue;
        }
        replace_value(g, v, same);
        i--;
        changed = true;
    }
    return changed;
}

bool pass_cse(PassContext *c)
{
    bool changed = false;
    for (int i = 0; i < c->module->graphs.n; i++) {
        Graph *g = c->module->graphs.p[i];
        changed |= merge_region(c, g, g->body, NULL);
    }
    return changed;
}
