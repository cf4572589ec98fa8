// syntax.c - what a syntax error says: "unexpected ';'; expected a number or '('".
//
// Bison knows every token that could stand at the place. Most come in flocks: what
// begins an expression, a statement, a member. A flock is named once; operators, which
// may follow any operand, are not worth saying beside what closes the bracket.

#include <string.h>

#include "parser.h"
#include "tfx.tab.h"

// ---- words --------------------------------------------------------------------------

static const char *const hard[] = {"fn",   "let",  "return", "for",   "if",
                                   "else", "exit", "scan",   "yield", "stored"};

static const char *const soft[] = {"tfx",   "config", "dim",    "weights",   "import",
                                   "block", "entry",  "state",  "const",     "in",
                                   "when",  "from",   "ragged", "at",        "by",
                                   "total", "extern", "op",     "tokenizer", "recipe"};

static const char *const operators[] = {"'+'", "'-'", "'*'", "'/'", "'@'",   "**",
                                        "'<'", "'>'", "<=",  ">=",  "==",    "!=",
                                        "'&'", "'|'", "'['", "'.'", "'\\''", "'('"};

static const char *const starts_expr[] = {
    "name", "integer", "number", "string", "dtype", "'('", "'['", "'-'", "scan"};

static const char *const starts_stmt[] = {"let",   "return", "for",  "if",
                                          "yield", "exit",   "name", "';'"};

static const char *const starts_member[] = {"fn",  "state", "const",  "entry", "name",
                                            "';'", "if",    "stored", "'='",   "'['"};

static const char *const starts_item[] = {
    "tfx",    "config", "dim",       "weights", "import",     "block",
    "extern", "';'",    "tokenizer", "recipe",  "end of file"};

static bool one_of(const char *s, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(s, list[i]) == 0)
            return true;
    return false;
}

#define IS(s, list) one_of((s), (list), COUNT(list))

static bool has(const Unexpected *u, const char *token)
{
    return one_of(token, u->expected, u->n);
}

// ---- what was expected --------------------------------------------------------------

typedef struct Wish {
    const char *what[8];
    int n;
} Wish;

static void wish(Wish *w, const char *what)
{
    if (w->n < COUNT(w->what))
        w->what[w->n++] = what;
}

static void drop(Unexpected *u, const char *const *list, int n)
{
    int kept = 0;
    for (int i = 0; i < u->n; i++)
        if (!one_of(u->expected[i], list, n))
            u->expected[kept++] = u->expected[i];
    u->n = kept;
}

#define DROP(u, list) drop((u), (list), COUNT(list))

static const char *token_name(Arena *a, const char *s)
{
    static const char *const kinds[][2] = {
        {"name", "a name"},     {"integer", "an integer"},
        {"number", "a number"}, {"string", "a string"},
        {"dtype", "a dtype"},   {"end of file", "end of file"}};
    for (int i = 0; i < COUNT(kinds); i++)
        if (strcmp(s, kinds[i][0]) == 0)
            return kinds[i][1];
    if (strcmp(s, "'\\''") == 0)
        return "\"'\"";
    return s[0] == '\'' ? s : arena_printf(a, "'%s'", s);
}

// Empties u->expected into at most eight wishes.
static Wish wishes(Parser *p, Unexpected *u)
{
    static const char *const close[] = {"'}'"};
    Wish w = {0};
    bool any_name = has(u, "name");
    bool in_expr = has(u, "'*'");
    if (has(u, "let") && has(u, "return") && any_name) {
        wish(&w, "a statement");
        DROP(u, starts_stmt);
    } else if (has(u, "fn") && any_name) {
        wish(&w, "a member");
        DROP(u, starts_member);
    } else if (has(u, "block") && has(u, "config") && !any_name) {
        wish(&w, "an item (config, dim, weights, import, block, ...)");
        DROP(u, starts_item);
    } else if (has(u, "integer") && has(u, "'('") && any_name) {
        wish(&w, "an expression");
        DROP(u, starts_expr);
    }
    if (any_name)
        DROP(u, soft);
    if (in_expr) {
        DROP(u, operators);
        if (w.n + u->n == 0)
            wish(&w, "an operator");
    }
    // After an operand a statement may begin, but what is meant is rarely that.
    if (in_expr && w.n == 1 && u->n == 1 && IS(u->expected[0], close))
        w = (Wish){{"a new statement"}, 1};
    for (int i = 0; i < u->n; i++)
        wish(&w, token_name(p->arena, u->expected[i]));
    return w;
}

// ---- what to do about it ------------------------------------------------------------

static const char *const advice[][3] = {
    // at       after    say
    {"'&'", "&", "'and' is written &"},
    {"'|'", "|", "'or' is written |"},
    {"'\\''", NULL, "strings are written with \""},
};

static char before(const Parser *p, Loc loc)
{
    for (uint32_t i = loc.start - p->base; i > 0; i--)
        if (!strchr(" \t\r\n", p->text[i - 1]))
            return p->text[i - 1];
    return '\0';
}

static void advise(Parser *p, const Unexpected *u)
{
    static const char *const inside[] = {"fn", "let",   "return", "for",
                                         "if", "yield", "exit",   "'}'"};
    static const char *const compares[] = {"'<'", "'>'", "<=", ">=", "==", "!="};
    bool wants_name = has(u, "name") && !has(u, "let"), in_members = has(u, "fn");
    if (wants_name && IS(u->token, hard) && (in_members || !starts_line(p, u->loc))) {
        diag_hint(p->diag, u->loc, "'%s' is a keyword everywhere and cannot be a name",
                  u->token);
        return;
    }
    if (has(u, "config") && !has(u, "name") && IS(u->token, inside) &&
        p->block_end.end > 0) {
        diag_hint(p->diag, p->block_end,
                  "the block ends here; is this '}' one too many?");
        return;
    }
    if (strcmp(u->token, "'='") == 0 && has(u, "'{'")) {
        diag_hint(p->diag, u->loc, "== compares");
        return;
    }
    if (IS(u->token, compares)) {
        diag_hint(p->diag, u->loc, "comparisons do not chain: (a < b) & (b < c)");
        return;
    }
    char c = before(p, u->loc);
    for (int i = 0; i < COUNT(advice); i++) {
        const char *after = advice[i][1];
        if (strcmp(u->token, advice[i][0]) == 0 && (!after || after[0] == c)) {
            diag_hint(p->diag, u->loc, "%s", advice[i][2]);
            return;
        }
    }
}

// A bracket that should have been closed by now. The token itself may have closed it.
static void name_open_bracket(Parser *p, const Unexpected *u, const bool want[3])
{
    static const char open[] = "([{";
    if (p->opens == 0)
        return;
    const Bracket *b = &p->open[p->opens - 1];
    const char *at = strchr(open, b->kind);
    bool far = diag_place(p->diag, b->loc).line != diag_place(p->diag, u->loc).line;
    bool at_end = strcmp(u->token, "end of file") == 0;
    if (at && want[at - open] && (at_end || (far && b->kind != '{')))
        diag_hint(p->diag, b->loc, "this '%c' is not closed", b->kind);
}

// ---- the message --------------------------------------------------------------------

static const char *unexpected(Parser *p, const Unexpected *u)
{
    static const char *const spelled[] = {"name", "integer", "number", "dtype"};
    if (u->loc.end > u->loc.start && (IS(u->token, spelled) || IS(u->token, soft))) {
        int n = (int)(u->loc.end - u->loc.start);
        bool is_name = strcmp(u->token, "name") == 0;
        return arena_printf(p->arena, "%s'%.*s%s'", is_name ? "name " : "",
                            n > 40 ? 40 : n, p->text + (u->loc.start - p->base),
                            n > 40 ? "..." : "");
    }
    return strcmp(u->token, "string") == 0 ? "string" : token_name(p->arena, u->token);
}

void syntax_error(Parser *p, const Unexpected *given)
{
    Unexpected u = *given;
    bool close[3] = {has(&u, "')'"), has(&u, "']'"), has(&u, "'}'")};
    const char **all = NEWN(p->arena, const char *, u.n + 1);
    memcpy(all, u.expected, (size_t)u.n * sizeof *all);
    Wish w = wishes(p, &u);
    Text t;
    text_init(&t, p->arena);
    text_printf(&t, "unexpected %s", unexpected(p, given));
    for (int i = 0; i < w.n; i++) {
        const char *sep = i == 0 ? "; expected " : i == w.n - 1 ? " or " : ", ";
        text_printf(&t, "%s%s", sep, w.what[i]);
    }
    diag_error(p->diag, given->loc, E0101, "%s", t.p);
    name_open_bracket(p, given, close);
    advise(p, &(Unexpected){given->token, given->loc, all, given->n});
    parser_skip(p, given->loc);
}
