// irtext_head.c - prints what stands before the entries of graph IR as text: one line each of
// dims, tables, scopes, weights, states and steps.

#include <inttypes.h>

#include "irtext.h"

static void put_scope_line(Text *out, const Scope *s)
{
    text_printf(out, "scope %d ", s->id);
    ir_put_string(out, s->name ? s->name : "");
    if (s->block) {
        text_puts(out, " block ");
        ir_put_string(out, s->block);
    }
    if (s->path) {
        text_puts(out, " path ");
        ir_put_string(out, s->path);
    }
    if (s->parent)
        text_printf(out, " parent %d", s->parent->id);
    text_puts(out, s->library ? " library\n" : "\n");
}

static void put_weight_line(Text *out, const Module *m, const char *const *label,
                            const Weight *w)
{
    bool same = true;
    text_puts(out, "weight ");
    ir_put_string(out, w->path);
    text_puts(out, " : ");
    type_print(&w->type, out);
    for (int k = 0; k < w->type.rank; k++)
        same = same && w->stored[k] == k;
    for (int k = 0; k < w->type.rank && !same; k++)
        text_printf(out, "%s%d", k ? ", " : " stored [", w->stored[k]);
    text_puts(out, same ? "" : "]");
    ir_put_scope(m, label, w->scope, out);
    text_puts(out, "\n");
}

static void put_state_line(Text *out, const Module *m, const char *const *label,
                           const State *s)
{
    text_puts(out, "state ");
    ir_put_string(out, s->path);
    text_puts(out, " : ");
    type_print(&s->type, out);
    text_puts(out, " init ");
    ir_put_number(out, s->init);
    text_printf(out, " turns %" PRId64 "%s", s->turns,
                s->by_cursor ? " by_cursor" : "");
    ir_put_scope(m, label, s->scope, out);
    text_puts(out, "\n");
}

// A step that no pass has done yet.
static void put_step_line(Text *out, const Step *s)
{
    text_printf(out, "step %s ", step_name(s->kind));
    ir_put_string(out, s->pattern);
    for (int i = 0; i < s->except.n; i++) {
        text_puts(out, " except ");
        ir_put_string(out, s->except.p[i]);
    }
    if (s->rank)
        text_printf(out, " rank %" PRId64, s->rank);
    const struct {
        const char *name;
        double x;
    } parts[] = {{"ratio", s->ratio}, {"energy", s->energy}, {"density", s->density}};
    for (int i = 0; i < COUNT(parts); i++)
        if (parts[i].x > 0) {
            text_printf(out, " %s ", parts[i].name);
            ir_put_number(out, parts[i].x);
        }
    if (s->shape || s->format) {
        text_puts(out, s->shape ? " shape " : " format ");
        ir_put_string(out, s->shape ? s->shape : s->format);
    }
    text_puts(out, "\n");
}

// table up_rank by i in 0..5 = 41, 42, 46, 43, 44
static void put_table_line(Text *out, const TurnVar *v)
{
    const int64_t n = turn_var_count(v);
    text_printf(out, "table %s", v->name);
    for (int i = 0; i < v->nranges; i++) {
        const TurnRange *r = &v->range[i];
        text_puts(out, i ? ", " : " by ");
        ir_put_name(out, r->index);
        text_printf(out, " in %" PRId64 "..%" PRId64, r->lo, r->lo + r->n);
    }
    for (int64_t i = 0; i < n; i++)
        text_printf(out, "%s%" PRId64, i ? ", " : " = ", v->value[i]);
    text_puts(out, "\n");
}

void ir_put_header(const Module *m, const char *const *label, Text *out)
{
    text_puts(out, "module ");
    ir_put_string(out, m->name);
    text_puts(out, "\n");
    if (m->weights) {
        text_puts(out, "weights ");
        ir_put_string(out, m->weights);
        text_puts(out, "\n");
    }
    for (int i = 0; i < m->dims.n; i++) {
        const DimVar *d = m->dims.p[i];
        text_puts(out, "dim ");
        ir_put_name(out, d->name);
        text_printf(out, " in %" PRId64 "..%" PRId64, d->lo, d->hi);
        if (d->by != 1)
            text_printf(out, " by %" PRId64, d->by);
        text_puts(out, "\n");
    }
    for (int i = 0; i < m->tables.n; i++)
        put_table_line(out, m->tables.p[i]);
    for (int i = 0; i < m->scopes.n; i++) {
        const Scope *s = m->scopes.p[i];
        if (i > 0 || s->name || s->block || s->path)
            put_scope_line(out, s);
    }
    for (int i = 0; i < m->weights_list.n; i++)
        put_weight_line(out, m, label, m->weights_list.p[i]);
    for (int i = 0; i < m->states.n; i++)
        put_state_line(out, m, label, m->states.p[i]);
    for (int i = 0; i < m->steps.n; i++)
        if (!m->steps.p[i]->is_done)
            put_step_line(out, m->steps.p[i]);
}
