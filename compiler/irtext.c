// irtext.c - prints graph IR as text; the form is described in irtext.h.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "irtext.h"

typedef struct Printer {
    Text *out;
    Arena *scratch;
    const Module *m;
    const char **scope;  // label by id
    const char **name;   // by Value.id; NULL: not met yet
    int nnames;
    Map *taken;
    int unnamed;
} Printer;

bool is_identifier(const char *s)
{
    if (!s || !*s || (*s >= '0' && *s <= '9') || strcmp(s, "yield") == 0)
        return false;
    for (; *s; s++) {
        char c = *s;
        if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z')))
            return false;
    }
    return true;
}

static const char *own_label(const Scope *s, const char *above, Arena *a)
{
    if (!is_identifier(s->name))
        return arena_printf(a, "%s%s#%d", above, *above ? "/" : "", s->id);
    return arena_printf(a, "%s%s%s", above, *above ? "/" : "", s->name);
}

const char **scope_labels(const Module *m, Arena *a)
{
    const char **label = NEWN(a, const char *, m->scopes.n + 1);
    Map *taken = map_new(a);
    for (int i = 0; i < m->scopes.n; i++) {
        const Scope *s = m->scopes.p[i];
        if (i == 0) {
            label[i] = "";
            continue;
        }
        const char *above = s->parent && s->parent->id < i ? label[s->parent->id] : "";
        label[i] = own_label(s, above, a);
        if (map_get(taken, label[i]))
            label[i] = arena_printf(a, "%s#%d", label[i], i);
        map_set(taken, label[i], m->scopes.p[i]);
    }
    return label;
}

// ---- small things ----------------------------------------------------------------------

void ir_put_string(Text *out, const char *s)
{
    text_puts(out, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_printf(out, "\\%c", c);
        else if (c == '\n')
            text_puts(out, "\\n");
        else if (c < 32 || c == 127)
            text_printf(out, "\\x%02x", c);
        else
            text_put(out, s, 1);
    }
    text_puts(out, "\"");
}

void ir_put_name(Text *out, const char *s)
{
    if (is_identifier(s))
        text_puts(out, s);
    else
        ir_put_string(out, s);
}

void ir_put_number(Text *out, double x)
{
    char s[40];
    if (isnan(x) || isinf(x)) {
        text_puts(out, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
        return;
    }
    for (int digits = fabs(x) < 1e9 && floor(x) == x ? 10 : 1; digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, x);
        if (strtod(s, NULL) == x)
            break;
    }
    text_puts(out, s);
}

void ir_put_type(Text *out, const Type *t)
{
    text_printf(out, "%s%s", dtype_info[t->dtype].name, t->rank > 0 ? "[" : "");
    for (int k = 0; k < t->rank; k++) {
        const char *size = size_str(t->dim[k].size, out->arena), *name = t->dim[k].name;
        text_puts(out, k ? ", " : "");
        if (name && size_is_int(t->dim[k].size, NULL) && strcmp(name, size) != 0) {
            ir_put_name(out, name);
            text_puts(out, "=");
        }
        text_puts(out, size);
    }
    text_puts(out, t->rank > 0 ? "]" : "");
}

static void put_attr(Text *out, const Attr *a)
{
    text_printf(out, "%s = ", a->name);
    switch (a->kind) {
    case AT_INT:
        text_printf(out, "%" PRId64, a->i);
        break;
    case AT_NUM:
        ir_put_number(out, a->num);
        break;
    case AT_STR:
        ir_put_string(out, a->str);
        break;
    case AT_SIZE:
        size_print(a->sizes[0], out);
        break;
    case AT_INTS:
    case AT_SIZES:
        text_puts(out, "[");
        for (int k = 0; k < a->n; k++) {
            text_puts(out, k ? ", " : "");
            if (a->kind == AT_INTS)
                text_printf(out, "%" PRId64, a->ints[k]);
            else
                size_print(a->sizes[k], out);
        }
        text_puts(out, "]");
        break;
    case AT_DTYPE:
        text_puts(out, dtype_info[a->dtype].name);
        break;
    }
}

static void put_attrs(Text *out, const Value *v)
{
    for (int i = 0; i < v->nattr; i++) {
        text_puts(out, i ? ", " : " {");
        put_attr(out, &v->attr[i]);
    }
    if (v->nattr)
        text_puts(out, "}");
}

void ir_put_scope(const Module *m, const char *const *label, const Scope *s, Text *out)
{
    if (s && s->id > 0 && s->id < m->scopes.n)
        text_printf(out, " @%s", label[s->id]);
}

static void put_scope(Printer *p, const Scope *s)
{
    ir_put_scope(p->m, p->scope, s, p->out);
}

static void indent(Printer *p, int depth)
{
    for (int i = 0; i < depth; i++)
        text_puts(p->out, "    ");
}

// ---- names of values -------------------------------------------------------------------

static const char *quoted(Printer *p, const char *s)
{
    Text t;
    text_init(&t, p->scratch);
    ir_put_name(&t, s);
    return t.p;
}

// Gives a value its name where the text defines it.
static const char *define(Printer *p, const Value *v)
{
    const char *name;
    if (!v->name || !*v->name) {
        name = arena_printf(p->scratch, "%%%d", p->unnamed++);
    } else {
        const char *plain = quoted(p, v->name);
        name = plain;
        for (int k = 1; map_get(p->taken, name); k++)
            name = arena_printf(p->scratch, "%s.%d", plain, k);
        map_set(p->taken, name, p);
    }
    if (v->id >= 0 && v->id < p->nnames)
        p->name[v->id] = name;
    return name;
}

static const char *use(Printer *p, const Value *v)
{
    if (v->id >= 0 && v->id < p->nnames && p->name[v->id])
        return p->name[v->id];
    return arena_printf(p->scratch, "%%?%d", v->id);  // of an illegal graph
}

static void put_uses(Printer *p, int n, Value *const *v)
{
    for (int i = 0; i < n; i++)
        text_printf(p->out, "%s%s", i ? ", " : "", use(p, v[i]));
}

// ---- values and regions ----------------------------------------------------------------

static bool is_plain_epilogue(const Value *v)
{
    return v->op == OP_linear && v->body->ops.n == 0 && v->body->yields.n == 1 &&
           v->body->params.n == v->nin - 1 && v->body->params.n > 0 &&
           v->body->yields.p[0] == v->body->params.p[0] && !v->body->params.p[0]->name;
}

static void put_region(Printer *p, const Region *r, int depth);

static void put_repeat(Printer *p, const Value *v, int depth)
{
    const Attr *range = attr_find(v, "range");
    text_printf(p->out, "repeat %s in ", quoted(p, attr_str(v, "index", "?")));
    if (range && range->kind == AT_SIZES && range->n == 2) {
        size_print(range->sizes[0], p->out);
        text_puts(p->out, "..");
        size_print(range->sizes[1], p->out);
    }
    text_puts(p->out, " (");
    for (int i = 0; v->body && i < v->body->params.n; i++) {
        const char *init = i < v->nin ? use(p, v->in[i]) : "?";
        text_puts(p->out, i ? ", " : "");
        text_printf(p->out, "%s = %s", define(p, v->body->params.p[i]), init);
    }
    text_puts(p->out, ")");
    put_scope(p, v->scope);
    text_puts(p->out, " ");
    if (v->body)
        put_region(p, v->body, depth);
}

static void put_value(Printer *p, const Value *v, int depth)
{
    // The operands' names must be looked up before v takes its own.
    Text in;
    text_init(&in, p->scratch);
    Text *out = p->out;
    p->out = &in;
    put_uses(p, v->nin, v->in);
    p->out = out;

    indent(p, depth);
    text_printf(out, "%s = ", define(p, v));
    if (v->op == OP_repeat) {
        put_repeat(p, v, depth);
        return;
    }
    text_puts(out, op_info[v->op].name);
    if (v->nin)
        text_printf(out, "(%s)", in.p);
    put_attrs(out, v);
    text_puts(out, " : ");
    type_print(&v->type, out);
    put_scope(p, v->scope);
    if (v->body && !is_plain_epilogue(v)) {
        text_puts(out, " do (");
        for (int i = 0; i < v->body->params.n; i++)
            text_printf(out, "%s%s", i ? ", " : "", define(p, v->body->params.p[i]));
        text_puts(out, ") ");
        put_region(p, v->body, depth);
    } else {
        text_puts(out, "\n");
    }
}

static void put_region(Printer *p, const Region *r, int depth)
{
    text_puts(p->out, "{\n");
    for (int i = 0; i < r->ops.n; i++)
        put_value(p, r->ops.p[i], depth + 1);
    indent(p, depth + 1);
    text_puts(p->out, r->yields.n ? "yield " : "yield");
    put_uses(p, r->yields.n, r->yields.p);
    text_puts(p->out, "\n");
    indent(p, depth);
    text_puts(p->out, "}\n");
}

static void begin_graph(Printer *p, const Graph *g)
{
    p->nnames = g->nvalues;
    p->name = NEWN(p->scratch, const char *, g->nvalues + 1);
    p->taken = map_new(p->scratch);
    p->unnamed = 0;
}

static void put_graph(Printer *p, const Graph *g)
{
    Text *out = p->out;
    begin_graph(p, g);
    text_puts(out, "entry ");
    ir_put_name(out, g->name);
    text_puts(out, "(");
    for (int i = 0; i < g->body->params.n; i++) {
        const Value *v = g->body->params.p[i];
        text_printf(out, "%s%s: ", i ? ", " : "", define(p, v));
        type_print(&v->type, out);
    }
    text_puts(out, ")");
    if (g->cursor) {
        text_puts(out, " at ");
        ir_put_name(out, g->cursor->name);
    }
    if (g->advance) {
        text_puts(out, " advance ");
        size_print(g->advance, out);
    }
    text_puts(out, " -> (");
    for (int i = 0; i < g->result_names.n; i++) {
        text_puts(out, i ? ", " : "");
        ir_put_name(out, g->result_names.p[i]);
    }
    text_puts(out, ") ");
    put_region(p, g->body, 0);
}

// ---- modules ---------------------------------------------------------------------------

typedef enum Part { ALL, HEADER, ENTRY, BODY } Part;

static void print(const Module *m, const Graph *g, Part part, Text *out)
{
    Arena *scratch = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_free(scratch);
        guard_again(&guard);
    }
    Printer p = {.out = out, .scratch = scratch, .m = m};
    p.scope = scope_labels(m, scratch);
    if (part == ALL || part == HEADER)
        ir_put_header(m, p.scope, out);
    for (int i = 0; part == ALL && i < m->graphs.n; i++) {
        text_puts(out, "\n");
        put_graph(&p, m->graphs.p[i]);
    }
    if (part == ENTRY)
        put_graph(&p, g);
    if (part == BODY) {
        begin_graph(&p, g);
        put_region(&p, g->body, 0);
    }
    guard_drop(&guard);
    arena_free(scratch);
}

void ir_print(const Module *m, Text *out)
{
    print(m, NULL, ALL, out);
}

void ir_print_graph(const Graph *g, Text *out)
{
    print(g->module, g, ENTRY, out);
}

void ir_print_header(const Module *m, Text *out)
{
    print(m, NULL, HEADER, out);
}

void ir_print_body(const Graph *g, Text *out)
{
    print(g->module, g, BODY, out);
}
