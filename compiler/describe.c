// describe.c - a module as a table for people, and as JSON.

#include "describe.h"

#include "weights.h"

#include <inttypes.h>
#include <string.h>

void describe_entry(const Graph *g, Text *out)
{
    text_printf(out, "entry %s(", g->name);
    for (int i = 0; i < g->body->params.n; i++) {
        const Value *p = g->body->params.p[i];
        text_printf(out, "%s%s: ", i ? ", " : "", p->name);
        type_spell(&p->type, out);
    }
    text_puts(out, ")");
    if (g->cursor)
        text_printf(out, " at %s", g->cursor->name);
    text_puts(out, " -> ");
    for (int i = 0; i < g->body->yields.n; i++) {
        text_printf(out, "%s%s: ", i ? ", " : "", g->result_names.p[i]);
        type_spell(&g->body->yields.p[i]->type, out);
    }
}

// ---- what it costs -----------------------------------------------------------------------

static double elements(const Type *t)
{
    double n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= (double)size_max_value(t->dim[i].size);
    return n;
}

static double axis(const Value *v, int from_end)
{
    return (double)size_max_value(v->type.dim[v->type.rank - from_end].size);
}

static double multiply_adds(const Value *v)
{
    switch (v->op) {
    case OP_matmul:
    case OP_linear:
        return elements(&v->type) * axis(v->in[0], 1);
    case OP_attention:  // q k' and p v
        return elements(&v->in[0]->type) * axis(v->in[1], 2) +
               elements(&v->type) * axis(v->in[1], 2);
    default:
        return 0;
    }
}

static int64_t turns_of(const Value *repeat)
{
    const Attr *range = attr_find(repeat, "range");
    if (!range || range->n != 2)
        return 1;
    return size_max_value(range->sizes[1]) - size_min_value(range->sizes[0]);
}

static void add_work(const Region *r, double turns, Work *w)
{
    for (int i = 0; i < r->ops.n; i++) {
        const Value *v = r->ops.p[i];
        w->ops++;
        w->multiply_adds += turns * multiply_adds(v);
        if (v->op == OP_repeat)
            add_work(v->body, turns * (double)turns_of(v), w);
    }
}

Work graph_work(const Graph *g)
{
    Work w = {0, 0};
    add_work(g->body, 1, &w);
    return w;
}

// ---- the table -----------------------------------------------------------------------------

// 1234567 multiply-adds: "1.23M multiply-adds".
static const char *scaled(Arena *a, double x, const char *unit)
{
    static const char *const prefix[] = {"", "k", "M", "G", "T", "P"};
    int p = 0;
    for (; x >= 1000 && p + 1 < COUNT(prefix); p++)
        x /= 1000;
    return arena_printf(a, p ? "%.3g%s %s" : "%.0f%s %s", x, prefix[p], unit);
}

static double state_bytes(const State *s)
{
    return elements(&s->type) * dtype_info[s->type.dtype].bits / 8 * (double)s->turns;
}

static void table_weights(Module *m, Arena *a, Diag *diag, Text *out)
{
    WeightNames names = {{0}};
    double bytes[DT_COUNT] = {0}, count[DT_COUNT] = {0};
    int n[DT_COUNT] = {0};

    weights_names(m, a, diag, &names);
    for (int i = 0; i < names.list.n; i++) {
        const Type *t = &names.list.p[i].weight->type;
        n[t->dtype]++;
        count[t->dtype] += elements(t);
        bytes[t->dtype] += elements(t) * dtype_info[t->dtype].bits / 8;
    }
    text_printf(out, "\nweights   %s\n", m->weights ? m->weights : "(no file named)");
    for (int d = 0; d < DT_COUNT; d++)
        if (n[d])
            text_printf(out, "  %-6s  %d tensors, %s, %s\n", dtype_info[d].name, n[d],
                        scaled(a, count[d], "parameters"), scaled(a, bytes[d], "B"));
}

void describe_text(Module *m, Arena *a, Diag *diag, Text *out)
{
    text_printf(out, "model     %s\n", m->name);
    for (int i = 0; i < m->dims.n; i++) {
        const DimVar *d = m->dims.p[i];
        text_printf(out, "  dim     %s in %" PRId64 "..%" PRId64, d->name, d->lo,
                    d->hi);
        if (d->by != 1)
            text_printf(out, " by %" PRId64, d->by);
        text_puts(out, "\n");
    }
    table_weights(m, a, diag, out);
    if (m->states.n)
        text_puts(out, "\nstates\n");
    for (int i = 0; i < m->states.n; i++) {
        const State *s = m->states.p[i];
        text_printf(out, "  %s: ", s->path);
        type_spell(&s->type, out);
        if (s->turns > 1)
            text_printf(out, " x %" PRId64, s->turns);
        text_printf(out, "  %s\n", scaled(a, state_bytes(s), "B"));
    }
    text_puts(out, "\nentries\n");
    for (int i = 0; i < m->graphs.n; i++) {
        Work w = graph_work(m->graphs.p[i]);
        text_puts(out, "  ");
        describe_entry(m->graphs.p[i], out);
        text_printf(out, "\n      %" PRId64 " ops, %s at the bounds\n", w.ops,
                    scaled(a, w.multiply_adds, "multiply-adds"));
    }
}

// ---- JSON ------------------------------------------------------------------------------------

static void json_shape(const Type *t, Arena *a, Text *out)
{
    text_printf(out, "\"dtype\": \"%s\", \"shape\": [", dtype_info[t->dtype].name);
    for (int i = 0; i < t->rank; i++) {
        int64_t n;
        text_puts(out, i ? ", " : "");
        if (size_is_int(t->dim[i].size, &n))
            text_printf(out, "%" PRId64, n);
        else
            text_json(out, size_str(t->dim[i].size, a));
    }
    text_puts(out, "]");
}

static void json_typed(const char *name, const Type *t, Arena *a, Text *out)
{
    text_puts(out, "{\"name\": ");
    text_json(out, name);
    text_puts(out, ", ");
    json_shape(t, a, out);
    text_puts(out, "}");
}

static void json_entry(const Graph *g, Arena *a, Text *out)
{
    text_puts(out, "    {\"name\": ");
    text_json(out, g->name);
    text_puts(out, ", \"cursor\": ");
    if (g->cursor)
        text_json(out, g->cursor->name);
    else
        text_puts(out, "null");
    text_puts(out, ",\n     \"params\": [");
    for (int i = 0; i < g->body->params.n; i++) {
        const Value *p = g->body->params.p[i];
        text_puts(out, i ? ", " : "");
        json_typed(p->name, &p->type, a, out);
    }
    text_puts(out, "],\n     \"results\": [");
    for (int i = 0; i < g->body->yields.n; i++) {
        text_puts(out, i ? ", " : "");
        json_typed(g->result_names.p[i], &g->body->yields.p[i]->type, a, out);
    }
    Work w = graph_work(g);
    text_printf(out, "],\n     \"ops\": %" PRId64 ", \"multiply_adds\": %.0f}", w.ops,
                w.multiply_adds);
}

static void json_weights(Module *m, Arena *a, Diag *diag, Text *out)
{
    WeightNames names = {{0}};
    weights_names(m, a, diag, &names);
    text_puts(out, "  \"weights\": [");
    for (int i = 0; i < names.list.n; i++) {
        const Weight *w = names.list.p[i].weight;
        text_printf(out, "%s\n    {\"name\": ", i ? "," : "");
        text_json(out, names.list.p[i].name);
        text_printf(out, ", \"dtype\": \"%s\", \"shape\": [",
                    dtype_info[w->type.dtype].name);
        for (int k = 0; k < w->type.rank; k++)  // in the order of the file
            text_printf(out, "%s%" PRId64, k ? ", " : "",
                        size_max_value(w->type.dim[w->stored[k]].size));
        text_puts(out, "]}");
    }
    text_puts(out, "],\n");
}

void describe_json(Module *m, Arena *a, Diag *diag, Text *out)
{
    text_puts(out, "{\n  \"name\": ");
    text_json(out, m->name);
    text_puts(out, ",\n  \"dims\": [");
    for (int i = 0; i < m->dims.n; i++) {
        const DimVar *d = m->dims.p[i];
        text_printf(out, "%s\n    {\"name\": ", i ? "," : "");
        text_json(out, d->name);
        text_printf(out,
                    ", \"lo\": %" PRId64 ", \"hi\": %" PRId64 ", \"by\": %" PRId64 "}",
                    d->lo, d->hi, d->by);
    }
    text_puts(out, "],\n  \"weights_file\": ");
    if (m->weights)
        text_json(out, m->weights);
    else
        text_puts(out, "null");
    text_puts(out, ",\n");
    json_weights(m, a, diag, out);
    text_puts(out, "  \"states\": [");
    for (int i = 0; i < m->states.n; i++) {
        const State *s = m->states.p[i];
        text_printf(out, "%s\n    {\"path\": ", i ? "," : "");
        text_json(out, s->path);
        text_puts(out, ", ");
        json_shape(&s->type, a, out);
        text_printf(out, ", \"turns\": %" PRId64 ", \"bytes\": %.0f}", s->turns,
                    state_bytes(s));
    }
    text_puts(out, "],\n  \"entries\": [\n");
    for (int i = 0; i < m->graphs.n; i++) {
        text_puts(out, i ? ",\n" : "");
        json_entry(m->graphs.p[i], a, out);
    }
    text_puts(out, "]");
}

void describe_json_end(Text *out)
{
    text_puts(out, "\n}\n");
}
