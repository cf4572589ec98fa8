// fmt_lay.c - the canonical layout of tokens.
//
// A logical line is what stands between two beginnings: `let a = f(x)`, `} else {`,
// `fn (..) -> .. {`. It is laid flat if it fits; otherwise the outermost, longest
// brackets of a line that is too long are broken, then its items, until every line fits
// or nothing is left. A body that stood on one line and has one statement stays there if
// it fits.

#include <string.h>

#include "fmt.h"
#include "tfx.tab.h"

typedef struct Line {
    int indent;
    const char *code;
    const char *comment;
    bool blank;      // a blank line before it
    int type, path;  // columns of a member's type and of its '='; 0: not aligned
} Line;

typedef struct Lay {
    Format *f;
    VEC(Line) lines;
    Text code;   // the line being laid out
    int indent;  // of it
    bool blank;  // before it
    int depth;   // open bodies
} Lay;

static Tok *tok(const Lay *l, int i)
{
    return &l->f->toks.p[i];
}

static bool is_one(int kind, const char *set)
{
    return kind > 0 && kind < 128 && strchr(set, kind) != NULL;
}

static int width(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += (*s & 0xC0) != 0x80;
    return n;
}

// ---- blanks between tokens ----------------------------------------------------------

static bool is_unary(const Lay *l, int i)
{
    return tok(l, i)->kind == '-' &&
           (tok(l, i)->starts || i == 0 || !tok(l, i - 1)->operand);
}

static bool is_slice(const Lay *l, int i)
{
    int open = tok(l, i)->parent;
    return tok(l, i)->kind == ':' && open >= 0 && tok(l, open)->kind == '[';
}

// A bound of more than one token wants room around the ':'.
static bool is_wide_slice(const Lay *l, int i)
{
    int open = tok(l, i)->parent, from = i, to = i, most = 0, run = 0;
    while (from > open + 1 &&
           !(tok(l, from - 1)->kind == ',' && tok(l, from - 1)->parent == open))
        from--;
    while (to < tok(l, open)->match &&
           !(tok(l, to)->kind == ',' && tok(l, to)->parent == open))
        to++;
    for (int k = from; k < to; k++) {
        bool is_colon = tok(l, k)->kind == ':' && tok(l, k)->parent == open;
        run = is_colon ? 0 : run + !is_unary(l, k);
        most = run > most ? run : most;
    }
    return most > 1;
}

static bool slice_blank(const Lay *l, int colon, int other)
{
    int open = tok(l, colon)->parent;
    if (!is_wide_slice(l, colon) || other == open || other == tok(l, open)->match)
        return false;
    return !is_slice(l, other);
}

static bool open_blank(const Lay *l, int i)
{
    const Tok *prev = tok(l, i - 1);
    if (tok(l, i)->kind == '(' && prev->kind == ']' &&
        tok(l, prev->match - 1)->kind == T_FN)
        return true;
    return !prev->operand;
}

static bool blank_between(const Lay *l, int i)
{
    int a = tok(l, i - 1)->kind, b = tok(l, i)->kind;
    if (is_slice(l, i - 1))
        return b == ',' ? false : slice_blank(l, i - 1, i);
    if (is_slice(l, i))
        return a == ',' || slice_blank(l, i, i - 1);
    if (is_one(a, "([.") || is_one(b, ")],:.'"))
        return false;
    if (a == T_RANGE || b == T_RANGE || is_unary(l, i - 1))
        return false;
    if (is_one(b, "(["))
        return open_blank(l, i);
    return !(a == '{' && b == '}');
}

// ---- laying out one logical line ----------------------------------------------------

static void flush(Lay *l, const char *comment)
{
    if (l->code.n == 0 && !comment)
        return;
    Line line = {.indent = l->indent, .comment = comment, .blank = l->blank};
    line.code = arena_strndup(l->f->arena, l->code.n > 0 ? l->code.p : "", l->code.n);
    vec_push(l->f->arena, &l->lines, line);
    text_init(&l->code, l->f->arena);
    l->blank = false;
}

// Comments on lines of their own, then the blank line before what follows them.
static void comments(Lay *l, const Tok *t, bool first)
{
    for (int i = 0; i < t->before.n; i++) {
        l->blank = t->before.p[i].blank && !(first && i == 0);
        flush(l, t->before.p[i].s);
    }
    l->blank = t->blank && !(first && t->before.n == 0);
}

static void put_token(Lay *l, int i, int from)
{
    Tok *t = tok(l, i);
    if (l->code.n > 0 && i > from && blank_between(l, i))
        text_puts(&l->code, " ");
    t->line = l->lines.n;
    t->column = (int)l->code.n;
    text_puts(&l->code, t->s);
    if (i == 1 && tok(l, 0)->kind == T_TFX)
        text_puts(&l->code, ";");
}

static void put_line(Lay *l, int from, int to)
{
    int base = l->indent, nest = 0;
    for (int i = from; i < to; i++) {
        Tok *t = tok(l, i);
        bool closes = t->match >= from && t->match < i && tok(l, t->match)->broken;
        if (closes) {
            flush(l, NULL);
            nest--;
        }
        if (i > from) {
            bool inside = nest > 0 || closes;
            if (t->before.n > 0)
                flush(l, NULL);
            if (l->code.n == 0)
                l->indent = base + FMT_INDENT * (inside ? nest : 1);
            for (int k = 0; k < t->before.n; k++)
                flush(l, t->before.p[k].s);
        }
        put_token(l, i, from);
        bool breaks = t->kind == ',' && t->parent >= from &&
                      tok(l, t->parent)->broken == BROKEN_UP;
        if (t->broken && t->match > i) {
            nest++;
            breaks = true;
        }
        if (breaks || t->after)
            flush(l, t->after);
    }
    flush(l, NULL);
    l->indent = base;
}

// ---- breaking what is too long ------------------------------------------------------

static bool too_long(const Line *line)
{
    return line->indent + width(line->code) > FMT_WIDTH;
}

// Brackets on this line worth breaking: calls, lists, parameters; not shapes and
// indexes.
static int find_break(const Lay *l, int from, int to, int line)
{
    int best = -1, best_size = 0;
    for (int i = from; i < to; i++) {
        const Tok *t = tok(l, i);
        if (t->line == line && t->column == 0 && t->parent >= from &&
            tok(l, t->parent)->broken == BROKEN)
            return t->parent;
        bool here = t->line == line && t->match > i + 1 && t->match < to &&
                    tok(l, t->match)->line == line && !t->broken;
        if (!here || !(t->kind == '(' || (t->kind == '[' && !tok(l, i - 1)->operand)))
            continue;
        int size = tok(l, t->match)->column - t->column;
        if (size > best_size) {
            best = i;
            best_size = size;
        }
        i = t->match;  // what is inside is broken when this was not enough
    }
    return best;
}

static int flat_width(Lay *l, int from, int to)
{
    Text kept = l->code;
    int n = 0;
    text_init(&l->code, l->f->arena);
    for (int i = from; i < to; i++)
        put_token(l, i, from);
    if (l->code.n > 0)
        n = width(l->code.p);
    l->code = kept;
    return n;
}

static void fit_line(Lay *l, int from, int to)
{
    int first = l->lines.n;
    bool blank = l->blank;
    for (;;) {
        int at = -1;
        put_line(l, from, to);
        for (int i = first; i < l->lines.n && at < 0; i++)
            if (too_long(&l->lines.p[i]))
                at = find_break(l, from, to, i);
        if (at < 0)
            return;
        tok(l, at)->broken++;
        l->lines.n = first;
        l->blank = blank;
    }
}

// Brackets around comments are broken.
static void break_at_comments(Lay *l, int from, int to)
{
    for (int i = from; i < to; i++) {
        if (!(i > from && tok(l, i)->before.n > 0) && !(tok(l, i)->after && i + 1 < to))
            continue;
        int open =
            is_one(tok(l, i)->kind, "([") && tok(l, i)->after ? i : tok(l, i)->parent;
        for (; open >= from; open = tok(l, open)->parent)
            if (is_one(tok(l, open)->kind, "([") && tok(l, open)->match < to)
                tok(l, open)->broken = BROKEN_UP;
    }
}

// ---- members: types and paths in columns --------------------------------------------

static void mark_columns(Lay *l, int from, int to, int first)
{
    if (!tok(l, from)->member || l->lines.n != first + 1)
        return;
    Line *line = &l->lines.p[first];
    int around = tok(l, from)->parent;
    for (int i = from; i < to; i++) {
        if (tok(l, i)->parent != around)
            continue;
        if (tok(l, i)->kind == ':' && line->type == 0)
            line->type = tok(l, i + 1)->column;
        if (tok(l, i)->kind == '=' && line->path == 0)
            line->path = tok(l, i)->column;
    }
}

static int run_end(const Lay *l, int i)
{
    int k = i + 1;
    while (k < l->lines.n && l->lines.p[k].type > 0 && !l->lines.p[k].blank &&
           l->lines.p[k].indent == l->lines.p[i].indent)
        k++;
    return k;
}

static int column(const char *s, int at)
{
    int n = 0;
    for (int i = 0; i < at; i++)
        n += (s[i] & 0xC0) != 0x80;
    return n;
}

// Where the columns of lines [i, end) come to stand; false: a line would be too long.
static bool columns(const Lay *l, int i, int end, int *type, int *path)
{
    *type = *path = 0;
    for (int k = i; k < end; k++)
        *type = l->lines.p[k].type > *type ? l->lines.p[k].type : *type;
    for (int k = i; k < end; k++) {
        const Line *x = &l->lines.p[k];
        int at = *type + x->path - x->type;
        if (x->path > 0)
            *path = at > *path ? at : *path;
    }
    for (int k = i; k < end; k++) {
        const Line *x = &l->lines.p[k];
        int rest = width(x->code) - column(x->code, x->path > 0 ? x->path : x->type);
        if (x->indent + rest + (x->path > 0 ? *path : *type) > FMT_WIDTH)
            return false;
    }
    return true;
}

static void align_members(Lay *l)
{
    for (int i = 0, end, type, path; i < l->lines.n; i = end) {
        end = i + 1;
        if (l->lines.p[i].type == 0)
            continue;
        end = run_end(l, i);
        if (!columns(l, i, end, &type, &path))
            continue;
        for (int k = i; k < end; k++) {
            Line *x = &l->lines.p[k];
            int stop = x->path > 0 ? x->path : (int)strlen(x->code);
            Text t;
            text_init(&t, l->f->arena);
            text_printf(&t, "%.*s%*s%.*s", x->type, x->code, type - x->type, "",
                        stop - x->type, x->code + x->type);
            if (x->path > 0)
                text_printf(&t, "%*s%s", path - (type + x->path - x->type), "",
                            x->code + x->path);
            x->code = t.p;
        }
    }
}

// ---- the whole ----------------------------------------------------------------------

static bool on_one_source_line(const Lay *l, int open)
{
    uint32_t a = tok(l, open)->loc.start, b = tok(l, tok(l, open)->match)->loc.start;
    return memchr(l->f->text + (a - l->f->base), '\n', b - a) == NULL;
}

static bool can_be_inline(const Lay *l, int open)
{
    int statements = 0, close = tok(l, open)->match;
    for (int i = open; i < close; i++) {
        const Tok *t = tok(l, i);
        if (t->after || (i > open && (t->before.n > 0 || t->kind == '{')))
            return false;
        statements += t->starts && i > open;
    }
    if (tok(l, close)->before.n > 0)
        return false;
    return close == open + 1 || (statements <= 1 && on_one_source_line(l, open));
}

// Decides for the body at `open` and for the else's after it, together.
static void decide_inline(Lay *l, int from, int open)
{
    bool all = true;
    int last = open, to;
    for (int k = open;;) {
        all = all && can_be_inline(l, k);
        int close = tok(l, k)->match;
        for (to = close + 1; !tok(l, to)->starts && !is_one(tok(l, to)->kind, "{}");
             to++)
            ;
        last = k;
        if (tok(l, close + 1)->kind != T_ELSE || tok(l, to)->kind != '{')
            break;
        k = to;
    }
    to = tok(l, last)->match + 1;
    all = all && FMT_INDENT * l->depth + flat_width(l, from, to) <= FMT_WIDTH;
    for (int k = open; k <= last; k++)
        if (tok(l, k)->kind == '{' && tok(l, k)->on_line == INLINE_ASK)
            tok(l, k)->on_line = all ? INLINE_YES : INLINE_NO;
}

// One past the end of the logical line that begins at `from`.
static int line_end(Lay *l, int from)
{
    int i = from;
    for (bool inside = false;; i++) {
        const Tok *t = tok(l, i);
        if (t->kind == '{') {
            if (t->on_line == INLINE_ASK)
                decide_inline(l, from, i);
            if (t->on_line == INLINE_NO)
                return i + 1;
            inside = true;
        } else if (t->kind == '}' && inside) {
            inside = false;
        } else if (i > from && !inside && (t->kind == '}' || t->starts)) {
            return i;
        }
    }
}

static void print_lines(const Lay *l, Text *out)
{
    for (int i = 0, pad = 0, end = 0; i < l->lines.n; i++) {
        const Line *x = &l->lines.p[i];
        if (i >= end) {  // comments behind adjacent lines stand in a column
            pad = 0;
            for (end = i; end < l->lines.n; end++) {
                const Line *y = &l->lines.p[end];
                if (!y->comment || !y->code[0] || y->indent != x->indent ||
                    (end > i && y->blank))
                    break;
                pad = width(y->code) > pad ? width(y->code) : pad;
            }
        }
        text_printf(out, "%s%*s%s", x->blank ? "\n" : "", x->indent, "", x->code);
        if (x->comment && x->code[0])
            text_printf(out, "%*s", pad + 2 - width(x->code), "");
        text_printf(out, "%s\n", x->comment ? x->comment : "");
    }
}

void format_lay_out(Format *f, Text *out)
{
    Lay *l = NEW(f->arena, Lay);
    l->f = f;
    text_init(&l->code, f->arena);
    bool first = true;  // nothing before it in its body: no blank line
    for (int i = 0, end; i < f->toks.n; i = end) {
        const Tok *t = tok(l, i);
        bool closes = t->kind == '}';
        l->indent = FMT_INDENT * l->depth;
        comments(l, t, first);
        if (t->kind == T_YYEOF)
            break;
        l->depth -= closes;
        l->indent = FMT_INDENT * l->depth;
        l->blank &= !closes;
        end = line_end(l, i);
        int at = l->lines.n;
        break_at_comments(l, i, end);
        fit_line(l, i, end);
        mark_columns(l, i, end, at);
        first = tok(l, end - 1)->kind == '{';
        l->depth += first;
    }
    align_members(l);
    print_lines(l, out);
}
