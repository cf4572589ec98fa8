// parse.c - text to tree: the scanner's wrapper between flex and bison, and tfx_parse.
//
// The wrapper knows which brackets are open. So it can
//
//   - refuse nesting before any stack overflows,
//   - close braces that a `block`, `fn` or `entry` shows to have been forgotten,
//   - skip, after a mistake, to the next token that begins something.

#include <string.h>

#include "parser.h"
#include "tfx.tab.h"

// ---- places -------------------------------------------------------------------------

bool starts_line(const Parser *p, Loc loc)
{
    for (uint32_t i = loc.start - p->base; i > 0; i--) {
        char c = p->text[i - 1];
        if (c == '\n')
            return true;
        if (c != ' ' && c != '\t' && c != '\r')
            return false;
    }
    return true;
}

// A name or string follows on the same line: `block Name`, not the name `block`.
static bool names_something(const Parser *p, Loc loc)
{
    size_t i = loc.end - p->base;
    while (i < p->n && (p->text[i] == ' ' || p->text[i] == '\t'))
        i++;
    char c = i < p->n ? p->text[i] : '\0';
    bool letter = c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return i > loc.end - p->base && (letter || c == '"');
}

// ---- stopping -----------------------------------------------------------------------

void parser_stop(Parser *p)
{
    p->stopped = true;
}

void parser_too_deep(Parser *p, Loc loc)
{
    if (!p->stopped) {
        diag_error(p->diag, loc, E0104, "nested too deeply");
        diag_hint(p->diag, loc,
                  "bind parts of it with let, or make a fn or block of them");
    }
    parser_stop(p);
}

// ---- brackets -----------------------------------------------------------------------

static int braces(const Parser *p)
{
    int n = 0;
    for (int i = 0; i < p->opens; i++)
        n += p->open[i].kind == '{';
    return n;
}

static int innermost(const Parser *p)
{
    return p->opens > 0 ? p->open[p->opens - 1].kind : 0;
}

static void drop_parens(Parser *p)
{
    while (p->opens > 0 && p->open[p->opens - 1].kind != '{')
        p->opens--;
}

static void track(Parser *p, int token, Loc loc)
{
    switch (token) {
    case '{':
        if (p->skipping)
            drop_parens(p);
        // fall through
    case '(':
    case '[':
        if (p->opens == MAX_NESTING)
            parser_too_deep(p, loc);
        else
            p->open[p->opens++] = (Bracket){token, loc};
        break;
    case '}':
        drop_parens(p);
        p->unopened = p->opens == 0;
        if (p->opens > 0)
            p->opens--;
        if (p->opens == 0 && !p->unopened)
            p->block_end = loc;
        break;
    case ')':
    case ']':
        if (innermost(p) == (token == ')' ? '(' : '['))
            p->opens--;
        break;
    default:
        break;
    }
}

// How many braces are open that should have been closed before this token.
static int forgotten(const Parser *p, int token, Loc loc)
{
    int most;
    if (token == T_FN)
        most = 1;
    else if (token == T_ENTRY && starts_line(p, loc) && names_something(p, loc))
        most = 1;
    else if (token == T_BLOCK && starts_line(p, loc) && names_something(p, loc))
        most = 0;
    else
        return 0;
    int n = braces(p) - most;
    return n > 0 ? n : 0;
}

// ---- tokens -------------------------------------------------------------------------

// Can reading go on here after a mistake?
static bool resumes(const Parser *p, int token, Loc loc)
{
    bool fresh = starts_line(p, loc);
    if (token == T_YYEOF)
        return true;
    if (p->skip_items) {
        bool item = token == T_BLOCK || token == T_CONFIG || token == T_DIM ||
                    token == T_WEIGHTS || token == T_IMPORT || token == T_EXTERN ||
                    token == T_TOKENIZER || token == T_RECIPE;
        return (item && fresh && names_something(p, loc)) ||
               (token == '{' && p->header == T_BLOCK);
    }
    switch (token) {
    case T_LET:
    case T_RETURN:
    case T_FOR:
    case T_IF:
    case T_YIELD:
    case T_EXIT:
    case T_FN:
    case '{':
    case '}':
    case ';':
        return true;
    default:
        return fresh && (p->opens == 0 || innermost(p) == '{');
    }
}

void parser_skip(Parser *p, Loc loc)
{
    p->skip_items = p->last == '}' ? p->unopened : braces(p) - (p->last == '{') == 0;
    p->skipping = !resumes(p, p->last, loc);
}

static int read_token(Parser *p, TFX_YYSTYPE *value, Loc *loc)
{
    if (p->closing > 0) {
        p->closing--;
        *loc = (Loc){p->held_loc.start, p->held_loc.start};
        track(p, '}', *loc);
        return '}';
    }
    int token = p->held;
    if (token) {
        *loc = p->held_loc;
        value->T_ID = p->held_text;
        p->held = 0;
    } else {
        token = tfx_scan(value, loc, p->scanner);
        int n = forgotten(p, token, *loc);
        if (n > 0) {
            const char *word = token == T_FN      ? "fn"
                               : token == T_ENTRY ? "entry"
                                                  : "block";
            if (innermost(p) == '{') {
                diag_error(p->diag, *loc, E0112, "a '}' is missing before this %s",
                           word);
                diag_hint(p->diag, p->open[p->opens - 1].loc, "this '{' is not closed");
            }
            p->held = token;
            p->held_loc = *loc;
            p->held_text = token == T_FN ? NULL : value->T_ID;
            p->closing = n;
            return read_token(p, value, loc);
        }
    }
    if (token == T_YYEOF)
        *loc = (Loc){p->base + (uint32_t)p->n, p->base + (uint32_t)p->n};
    track(p, token, *loc);
    if (!p->first)
        p->first = token;
    if (token == T_BLOCK || token == T_FN || token == T_ENTRY || token == T_RECIPE)
        p->header = token;
    return token;
}

int tfx_yylex(TFX_YYSTYPE *value, Loc *loc, Parser *p)
{
    for (;;) {
        int token = read_token(p, value, loc);
        p->last = p->stopped ? T_YYEOF : token;
        if (p->stopped || !p->skipping)
            return p->last;
        if (resumes(p, token, *loc)) {
            p->skipping = false;
            if (p->skip_items)
                p->opens = token == '{';
            else if (token != '{' && token != ';')
                drop_parens(p);
            return token;
        }
    }
}

// ---- the whole ----------------------------------------------------------------------

File *tfx_parse(Arena *a, Diag *d, const char *name, const char *text, size_t n,
                uint32_t base)
{
    File *file = NEW(a, File);
    file->name = arena_strdup(a, name);
    file->base = base;
    if (n >= 1U << 30) {
        diag_error(d, (Loc){base, base + 1}, E0111, "the source is too large");
        return file;
    }
    Parser *p = NEW(a, Parser);
    p->arena = a;
    p->diag = d;
    p->file = file;
    p->text = text;
    p->n = n;
    p->base = p->at = base;
    scanner_open(p);
    tfx_yyparse(p);
    scanner_close(p);
    if (!p->versioned && !p->stopped && p->first != T_TFX) {
        Loc first = {base, base + (n > 0)};
        diag_error(d, first, E0102, "the file does not say its language version");
        diag_hint(d, first, "begin it with: tfx 1;");
    }
    return file;
}
