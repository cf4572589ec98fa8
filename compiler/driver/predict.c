// predict.c - format_cost of the linears of a program.

#include "predict.h"

#include "compiler/lower.h"

#include <string.h>

const Packed *packed_value(const Prog *p, const Value *v, bool in_panels)
{
    for (int i = 0; i < p->packed.n; i++)
        if (p->packed.p[i]->value == v &&
            (!in_panels || p->packed.p[i]->format != FORMAT_plain))
            return p->packed.p[i];
    if (!value_is_const(v))
        return NULL;
    const char *key = const_key(p->arena, v);  // packed once for several
    for (int i = 0; i < p->packed.n; i++)
        if ((!in_panels || p->packed.p[i]->format != FORMAT_plain) &&
            !strcmp(const_key(p->arena, p->packed.p[i]->value), key))
            return p->packed.p[i];
    return NULL;
}

const Packed *packed_of(const Prog *p, const Value *linear)
{
    return linear->op == OP_linear ? packed_value(p, linear->in[1], true) : NULL;
}

// Functions in capitals, but those of an instruction or two.
static int functions_in(const char *expr)
{
    static const char *const cheap[] = {"SQRT(", "FLOOR(", "ABS(", "MIN(", "MAX("};
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    int n = 0;
    while (*(expr += strcspn(expr, capitals))) {
        size_t length = strspn(expr, capitals);
        bool is_cheap = expr[length] != '(';
        for (int i = 0; i < COUNT(cheap); i++)
            is_cheap = is_cheap || !strncmp(expr, cheap[i], length + 1);
        n += !is_cheap;
        expr += length;
    }
    return n;
}

double predict_linear(const Value *linear, const Packed *w, Format f,
                      const int64_t *dims, const Rates *r)
{
    const FormatSize size = {w->n, w->k, w->kept};
    int64_t rows = 1;
    int functions = 0;
    for (int i = 0; i + 1 < linear->type.rank; i++)
        rows *= size_eval(linear->type.dim[i].size, dims);
    for (int i = 0; linear->body && i < linear->body->ops.n; i++) {
        const OpInfo *op = &op_info[linear->body->ops.p[i]->op];
        functions += op->class == OPC_MAP ? functions_in(op->expr) : 0;
    }
    return format_info[f].cost(&size, rows, &r->of[f]) +
           functions * (double)rows * (double)w->n * r->function;
}

double calls_of(const Value *v, const int64_t *dims)
{
    double calls = 1;
    for (const Value *o = v->region->owner; o; o = o->region->owner) {
        const Attr *range = attr_find(o, "range");
        if (o->op == OP_repeat && range)
            calls *= (double)(size_eval(range->sizes[1], dims) -
                              size_eval(range->sizes[0], dims));
    }
    return calls;
}

typedef struct Reads {
    const Prog *p;
    const int64_t *dims;
    bool *formats;
    double weights;
} Reads;

static void note_read(Value *v, void *ctx)
{
    Reads *r = ctx;
    const Packed *w = packed_of(r->p, v);
    if (!w)
        return;
    r->formats[w->format] = true;
    r->weights += (double)w->n * (double)w->k * calls_of(v, r->dims);
}

int64_t predict_reads(const Prog *p, Graph *g, const int64_t *dims,
                      bool formats[FORMAT_COUNT])
{
    Reads r = {p, dims, formats, 0};
    graph_walk(g, note_read, &r);
    return (int64_t)r.weights;
}
