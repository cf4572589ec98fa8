// trees.h - a parsed file as text, all of its tree, for tests that compare two.

#ifndef TESTS_TREES_H
#define TESTS_TREES_H

#include "grammar/parse.h"
#include "setup.h"

static void dump_stmts(Text *t, const StmtList *list);

static void dump(Text *t, const Expr *e)
{
    if (!e) {
        text_puts(t, " _");
        return;
    }
    text_printf(t, " (%d %s %lld %a %d %d", (int)e->kind, e->text ? e->text : "",
                (long long)e->integer, e->number, (int)e->dtype, (int)e->op);
    if (e->a)
        dump(t, e->a);
    if (e->b)
        dump(t, e->b);
    for (int i = 0; i < e->items.n; i++)
        dump(t, e->items.p[i]);
    for (int i = 0; i < e->args.n; i++) {
        text_printf(t, " %s=", e->args.p[i].name ? e->args.p[i].name : "");
        dump(t, e->args.p[i].value);
    }
    for (int i = 0; i < e->index.n; i++) {
        const Index *x = &e->index.p[i];
        text_printf(t, " [%d", (int)x->kind);
        dump(t, x->at);
        dump(t, x->start);
        dump(t, x->stop);
        dump(t, x->step);
    }
    dump_stmts(t, &e->body);
    text_puts(t, ")");
}

static void dump_names(Text *t, const NameList *list)
{
    for (int i = 0; i < list->n; i++)
        text_printf(t, " %s,", list->p[i].s);
}

static void dump_dims(Text *t, const DimList *list)
{
    text_puts(t, " [");
    for (int i = 0; i < list->n; i++)
        dump(t, list->p[i].size);
    text_puts(t, "]");
}

static void dump_type(Text *t, const TypeExpr *type)
{
    if (!type)
        return;
    text_printf(t, " :%d", (int)type->dtype);
    dump_dims(t, &type->dims);
}

static void dump_stmts(Text *t, const StmtList *list)
{
    for (int i = 0; i < list->n; i++) {
        const Stmt *s = list->p[i];
        text_printf(t, "\n{%d", (int)s->kind);
        dump_names(t, &s->targets);
        dump_type(t, s->type);
        dump(t, s->target);
        dump(t, s->value);
        dump(t, s->lo);
        dump(t, s->hi);
        dump(t, s->result);
        dump_stmts(t, &s->body);
        if (s->has_else)
            text_puts(t, " else");
        dump_stmts(t, &s->otherwise);
        text_puts(t, "}");
    }
}

static void dump_signature(Text *t, const ParamList *in, const ResultList *out)
{
    for (int i = 0; i < in->n; i++) {
        text_printf(t, " %s", in->p[i].name.s);
        dump_type(t, in->p[i].type);
    }
    for (int i = 0; i < out->n; i++) {
        text_printf(t, " -> %s", out->p[i].name.s ? out->p[i].name.s : "");
        dump_type(t, out->p[i].type);
    }
}

static const char *word(const char *s)
{
    return s ? s : "_";
}

static void dump_member(Text *t, const Member *m)
{
    text_printf(t, "\n  member %d", (int)m->kind);
    dump_names(t, &m->names);
    dump_type(t, m->type);
    dump_dims(t, &m->stored);
    dump(t, m->init);
    text_printf(t, " %s %s %s", word(m->block.s), word(m->index), word(m->path));
    for (int i = 0; i < m->args.n; i++) {
        text_printf(t, " %s=", word(m->args.p[i].name));
        dump(t, m->args.p[i].value);
    }
    dump(t, m->count);
    dump(t, m->cond);
    dump_names(t, &m->vars);
    text_printf(t, " %s", word(m->cursor.s));
    dump_signature(t, &m->params, &m->results);
    dump_stmts(t, &m->body);
}

static const char *tree(const File *f)
{
    Text t;
    text_init(&t, arena);
    for (int i = 0; i < f->items.n; i++) {
        const Item *item = f->items.p[i];
        text_printf(&t, "\nitem %d %s %s", (int)item->kind, word(item->name.s),
                    word(item->string));
        dump(&t, item->value);
        dump(&t, item->lo);
        dump(&t, item->hi);
        dump(&t, item->by);
        text_printf(&t, " %s", word(item->ragged_by.s));
        dump(&t, item->total);
        for (int k = 0; k < item->params.n; k++) {
            text_printf(&t, " %s=", item->params.p[k].name.s);
            dump(&t, item->params.p[k].value);
        }
        for (int k = 0; k < item->members.n; k++)
            dump_member(&t, item->members.p[k]);
        dump_signature(&t, &item->fn_params, &item->results);
        for (int k = 0; k < item->steps.n; k++)
            dump(&t, item->steps.p[k]);
    }
    return t.n > 0 ? t.p : "";
}

static File *parse(Diag *d, const char *text, size_t n)
{
    return tfx_parse(arena, d, "case.tfx", text, n,
                     diag_source(d, "case.tfx", text, n));
}

static const char *tree_of(const char *text, size_t n)
{
    Diag *d = diag_new(arena);
    const File *f = parse(d, text, n);
    cr_expect(diag_errors(d) == 0, "%.*s", (int)n, text);
    return tree(f);
}

#endif
