// dot.c - the graph as a drawing for Graphviz: one cluster an entry, one a repeat.

#include "describe.h"

#include <string.h>

typedef struct Drawing {
    Text *out;
    int graph;
    int clusters;
} Drawing;

static void label_puts(Text *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_puts(out, "\\");
        text_put(out, s, 1);
    }
}

static const char *fill_of(const Value *v)
{
    switch (v->op) {
    case OP_param:
        return "#d5e8d4";
    case OP_weight:
    case OP_const:
        return "#eeeeee";
    case OP_state:
    case OP_set_slice:
        return "#ffe6cc";
    case OP_matmul:
    case OP_linear:
    case OP_attention:
        return "#dae8fc";
    default:
        return "#ffffff";
    }
}

static void draw_value(Drawing *d, const Value *v)
{
    const char *path = attr_str(v, "path", NULL);
    text_printf(d->out, "  g%dv%d [label=\"%s", d->graph, v->id, op_info[v->op].name);
    if (path) {
        text_puts(d->out, "\\n");
        label_puts(d->out, path);
    } else if (v->name) {
        text_puts(d->out, " ");
        label_puts(d->out, v->name);
    }
    if (v->type.rank >= 0) {
        text_puts(d->out, "\\n");
        type_print(&v->type, d->out);
    }
    text_printf(d->out, "\", style=filled, fillcolor=\"%s\"];\n", fill_of(v));
    for (int i = 0; i < v->nin; i++)
        text_printf(d->out, "  g%dv%d -> g%dv%d;\n", d->graph, v->in[i]->id, d->graph,
                    v->id);
}

static void draw_region(Drawing *d, const Region *r)
{
    for (int i = 0; i < r->params.n; i++)
        draw_value(d, r->params.p[i]);
    for (int i = 0; i < r->ops.n; i++) {
        const Value *v = r->ops.p[i];
        draw_value(d, v);
        if (v->op != OP_repeat)
            continue;
        text_printf(d->out, "  subgraph cluster_%d {\n  label=\"repeat %s\";\n",
                    d->clusters++, attr_str(v, "index", ""));
        draw_region(d, v->body);
        text_puts(d->out, "  }\n");
        for (int k = 0; k < v->body->yields.n; k++)
            text_printf(d->out, "  g%dv%d -> g%dv%d [style=dashed];\n", d->graph,
                        v->body->yields.p[k]->id, d->graph, v->id);
    }
}

void describe_dot(const Module *m, Text *out)
{
    Drawing d = {out, 0, 0};
    text_puts(out, "digraph \"");
    label_puts(out, m->name);
    text_puts(out, "\" {\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n");
    for (; d.graph < m->graphs.n; d.graph++) {
        const Graph *g = m->graphs.p[d.graph];
        text_printf(out, "  subgraph cluster_%d {\n  label=\"", d.clusters++);
        label_puts(out, g->name);
        text_puts(out, "\";\n");
        draw_region(&d, g->body);
        for (int i = 0; i < g->body->yields.n; i++) {
            text_printf(out, "  g%dr%d [shape=oval, label=\"", d.graph, i);
            label_puts(out, g->result_names.p[i]);
            text_printf(out, "\"];\n  g%dv%d -> g%dr%d;\n", d.graph,
                        g->body->yields.p[i]->id, d.graph, i);
        }
        text_puts(out, "  }\n");
    }
    text_puts(out, "}\n");
}
