// ir_type.c - types: comparing, broadcasting, spelling.

#include <string.h>

#include "ir.h"

Type type_scalar(DType d)
{
    Type t = {.dtype = d};
    return t;
}

bool type_same_shape(const Type *a, const Type *b)
{
    if (a->rank != b->rank)
        return false;
    for (int k = 0; k < a->rank; k++)
        if (a->dim[k].size != b->dim[k].size)  // interned: equal is the same
            return false;
    return true;
}

bool type_equal(const Type *a, const Type *b)
{
    return a->dtype == b->dtype && type_same_shape(a, b);
}

const Size *type_count(Sizes *s, const Type *t)
{
    const Size *n = size_int(s, 1);
    for (int k = 0; k < t->rank; k++)
        n = size_mul(s, n, t->dim[k].size);
    return n;
}

// One axis of a broadcast; of two equal sizes the one with a name is kept.
static bool broadcast_dim(Dim a, Dim b, Dim *out)
{
    if (a.size == b.size)
        *out = a.name ? a : b;
    else if (size_is(a.size, 1))
        *out = b;
    else if (size_is(b.size, 1))
        *out = a;
    else
        return false;
    return true;
}

bool type_broadcast(Sizes *s, const Type *a, const Type *b, Type *out)
{
    (void)s;
    int rank = a->rank > b->rank ? a->rank : b->rank;
    if (a->rank < 0 || b->rank < 0)
        return false;
    Type t = {.dtype = a->dtype, .rank = rank};
    for (int k = 0; k < rank; k++) {
        int ka = k - (rank - a->rank), kb = k - (rank - b->rank);
        if (ka < 0)
            t.dim[k] = b->dim[kb];
        else if (kb < 0)
            t.dim[k] = a->dim[ka];
        else if (!broadcast_dim(a->dim[ka], b->dim[kb], &t.dim[k]))
            return false;
    }
    *out = t;
    return true;
}

static void print_type(const Type *t, bool names, Text *out)
{
    if (t->rank < 0) {
        text_puts(out, "tuple");
        return;
    }
    text_puts(out, dtype_info[t->dtype].name);
    if (t->rank == 0)
        return;
    for (int k = 0; k < t->rank; k++) {
        const Dim *d = &t->dim[k];
        text_puts(out, k ? ", " : "[");
        if (!d->size) {
            text_puts(out, "?");
            continue;
        }
        if (names && d->name && size_is_int(d->size, NULL)) {
            const char *plain = size_str(d->size, out->arena);
            if (strcmp(plain, d->name) != 0)
                text_printf(out, "%s=", d->name);
        }
        size_print(d->size, out);
    }
    text_puts(out, "]");
}

void type_print(const Type *t, Text *out)
{
    print_type(t, false, out);
}

void type_spell(const Type *t, Text *out)
{
    print_type(t, true, out);
}

const char *type_str(const Type *t, Arena *a)
{
    Text out;
    text_init(&out, a);
    type_spell(t, &out);
    return out.p;
}
