// fmt.c - a source text as tokens with their comments, for the canonical layout.
//
// The tree says where items, members and statements begin; everything else the layout
// needs is in the tokens: so nothing that was written is lost, and what is laid out
// parses to the same tree. `;` and trailing commas go, comments and blank lines between
// lines stay.

#include "fmt.h"

#include <string.h>

#include "tfx.tab.h"

#define NO_TOKEN (-1)

static Tok *tok(Format *f, int i)
{
    return &f->toks.p[i];
}

static int kind_at(Format *f, int i)
{
    return i >= 0 && i < f->toks.n ? f->toks.p[i].kind : 0;
}

// ---- reading ------------------------------------------------------------------------

// Comments between two tokens: the first may stand behind `prev`, on its line.
static void read_gap(Format *f, Tok *prev, Tok *t, uint32_t from, uint32_t to)
{
    const char *s = f->text + (from - f->base), *end = f->text + (to - f->base);
    int newlines = 0;
    while (s < end) {
        if (s[0] != '/') {
            newlines += *s++ == '\n';
            continue;
        }
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        stop = stop ? stop : end;
        const char *last = stop;
        while (last > s && strchr(" \t\r\f\v", last[-1]))
            last--;
        const char *comment = arena_strndup(f->arena, s, (size_t)(last - s));
        if (newlines == 0 && prev && !prev->after)
            prev->after = comment;
        else
            vec_push(f->arena, &t->before, ((Comment){comment, newlines > 1}));
        s = stop;
        newlines = 0;
    }
    t->blank = newlines > 1;
}

static void read_tokens(Format *f, const char *text, size_t n)
{
    Parser *p = NEW(f->arena, Parser);
    p->arena = f->arena;
    p->diag = diag_new(f->arena);  // it has all been said
    p->text = text;
    p->n = n;
    p->base = p->at = f->base;
    scanner_open(p);
    uint32_t from = f->base;
    for (int kind = ' '; kind != T_YYEOF;) {
        TFX_YYSTYPE value;
        Tok t = {.match = NO_TOKEN, .parent = NO_TOKEN};
        t.kind = kind = tfx_scan(&value, &t.loc, p->scanner);
        if (kind == T_YYEOF)
            t.loc.start = t.loc.end = f->base + (uint32_t)n;
        Tok *prev = f->toks.n > 0 ? tok(f, f->toks.n - 1) : NULL;
        read_gap(f, prev, &t, from, t.loc.start);
        from = t.loc.end;
        t.s = arena_strndup(f->arena, text + (t.loc.start - f->base),
                            t.loc.end - t.loc.start);
        vec_push(f->arena, &f->toks, t);
    }
    scanner_close(p);
}

// ---- brackets, and what is not kept -------------------------------------------------

static void match_brackets(Format *f)
{
    int open = NO_TOKEN;
    for (int i = 0; i < f->toks.n; i++) {
        Tok *t = tok(f, i);
        t->match = NO_TOKEN;
        if (strchr(")]}", t->kind) && t->kind != 0 && open != NO_TOKEN) {
            t->match = open;
            tok(f, open)->match = i;
            open = tok(f, open)->parent;
        }
        t->parent = open;
        if (strchr("([{", t->kind) && t->kind != 0)
            open = i;
    }
}

// A tuple of one keeps its comma.
static bool is_trailing(Format *f, int i)
{
    int next = kind_at(f, i + 1), open = tok(f, i)->parent;
    if (tok(f, i)->kind != ',' || (next != ')' && next != ']'))
        return false;
    for (int k = open + 1; k < i; k++)
        if (tok(f, k)->kind == ',' && tok(f, k)->parent == open)
            return true;
    return kind_at(f, open) == '[' || (open > 0 && tok(f, open - 1)->operand);
}

static bool is_operand(const Tok *t)
{
    switch (t->kind) {
    case T_INT:
    case T_FLOAT:
    case T_STRING:
    case T_DTYPE:
    case T_ID:
    case ')':
    case ']':
    case '\'':
        return true;
    default:
        return t->kind >= T_TFX && t->kind <= T_RECIPE && !t->keyword;
    }
}

// What was said at a token that goes is said at its neighbours.
static void hand_over(Format *f, const Tok *gone, Tok *prev, Tok *next)
{
    CommentList all = gone->before;
    if (gone->after && prev && !prev->after && gone->before.n == 0)
        prev->after = gone->after;
    else if (gone->after)
        vec_push(f->arena, &all, ((Comment){gone->after, false}));
    next->blank |= gone->blank && gone->after == NULL && next->before.n == 0;
    for (int k = 0; k < next->before.n; k++)
        vec_push(f->arena, &all, next->before.p[k]);
    next->before = all;
}

static void drop(Format *f)
{
    for (int i = 0; i < f->toks.n; i++)
        tok(f, i)->dropped = tok(f, i)->kind == ';' || is_trailing(f, i);
    int kept = 0;
    for (int i = 0; i < f->toks.n; i++) {
        if (!tok(f, i)->dropped)
            *tok(f, kept++) = *tok(f, i);
        else
            hand_over(f, tok(f, i), kept > 0 ? tok(f, kept - 1) : NULL, tok(f, i + 1));
    }
    f->toks.n = kept;
    match_brackets(f);
}

// ---- where lines begin --------------------------------------------------------------

static Tok *tok_at(Format *f, Loc loc)
{
    int lo = 0, hi = f->toks.n - 1;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (tok(f, mid)->loc.start < loc.start)
            lo = mid + 1;
        else
            hi = mid;
    }
    return tok(f, lo);
}

static void mark_expr(Format *f, const Expr *e);

static void mark_stmts(Format *f, const StmtList *list, bool is_else)
{
    for (int i = 0; i < list->n; i++) {
        const Stmt *s = list->p[i];
        Tok *t = tok_at(f, s->loc);
        bool else_if = is_else && t > f->toks.p && t[-1].kind == T_ELSE;
        t->starts |= !else_if;
        mark_expr(f, s->value);
        mark_expr(f, s->lo);
        mark_expr(f, s->hi);
        mark_expr(f, s->result);
        mark_stmts(f, &s->body, false);
        mark_stmts(f, &s->otherwise, true);
    }
}

// Only scans have statements in them.
static void mark_expr(Format *f, const Expr *e)
{
    if (!e)
        return;
    mark_expr(f, e->a);
    mark_expr(f, e->b);
    for (int i = 0; i < e->items.n; i++)
        mark_expr(f, e->items.p[i]);
    for (int i = 0; i < e->args.n; i++)
        mark_expr(f, e->args.p[i].value);
    for (int i = 0; i < e->index.n; i++) {
        mark_expr(f, e->index.p[i].at);
        mark_expr(f, e->index.p[i].start);
        mark_expr(f, e->index.p[i].stop);
        mark_expr(f, e->index.p[i].step);
    }
    mark_stmts(f, &e->body, false);
}

static void mark_members(Format *f, const Item *item)
{
    for (int i = 0; i < item->members.n; i++) {
        const Member *m = item->members.p[i];
        Tok *t = tok_at(f, m->loc);
        t->starts = true;
        t->member = m->kind == MB_WEIGHT || m->kind == MB_BLOCK;
        t->keyword = !t->member && t->kind != T_FN;
        mark_expr(f, m->init);
        mark_stmts(f, &m->body, false);
    }
}

static void mark_items(Format *f, const File *file)
{
    for (int i = 0; i < file->items.n; i++) {
        const Item *item = file->items.p[i];
        Tok *t = tok_at(f, item->loc);
        if (item->kind == IT_CONFIG && t > f->toks.p && t[-1].kind == T_CONFIG)
            t--;
        if (item->kind != IT_CONFIG || t->kind == T_CONFIG)
            t->starts = t->keyword = true;
        mark_expr(f, item->value);
        mark_members(f, item);
        for (int k = 0; k < item->steps.n; k++)
            tok_at(f, item->steps.p[k]->loc)->starts = true;
    }
    tok(f, 0)->starts = tok(f, f->toks.n - 1)->starts = true;
    tok(f, 0)->keyword = true;
}

// `in`, `from`, `at`... follow an operand; `dim` of `let dim n in`, `op` and `when`
// follow their keyword. Two operands never stand side by side otherwise.
static void mark_keywords(Format *f)
{
    for (int i = 0; i < f->toks.n; i++) {
        Tok *t = tok(f, i), *prev = i > 0 ? t - 1 : NULL;
        if (t->kind >= T_TFX && t->kind <= T_RECIPE && prev && !t->starts) {
            bool name_follows = i + 2 < f->toks.n && is_operand(t + 1);
            t->keyword |=
                prev->operand || (t->kind == T_WHEN && prev->kind == T_EXIT) ||
                (t->kind == T_OP && prev->kind == T_EXTERN && prev->keyword) ||
                (t->kind == T_BY && prev->kind == T_RAGGED && prev->keyword) ||
                (t->kind == T_DIM && prev->kind == T_LET && name_follows);
        }
        t->operand = is_operand(t);
    }
}

// ---- the whole ----------------------------------------------------------------------

bool tfx_format(Arena *a, Diag *d, const char *name, const char *text, size_t n,
                Text *out)
{
    int errors = diag_errors(d);
    uint32_t base = diag_source(d, name, text, n);
    const File *file = tfx_parse(a, d, name, text, n, base);
    if (diag_errors(d) > errors)
        return false;
    Format *f = NEW(a, Format);
    f->arena = a;
    f->text = text;
    f->base = base;
    read_tokens(f, text, n);
    mark_items(f, file);
    mark_keywords(f);
    match_brackets(f);
    drop(f);
    format_lay_out(f, out);
    return true;
}
