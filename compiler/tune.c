// tune.c - tune files, read and written.

#include "tune.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

const TuneInfo tune_info[TUNE_COUNT] = {
#define TUNE(name, macro, standard, lo, hi, by, tried, of, doc)                        \
    {#name, #macro, standard, lo, hi, by, tried, of, doc},
#define TUNE_PASS(name)
#include "tune.def"
#undef TUNE
#undef TUNE_PASS
};

const char *const tune_pass[TUNE_PASSES] = {
#define TUNE(name, macro, standard, lo, hi, by, tried, of, doc)
#define TUNE_PASS(name) #name,
#include "tune.def"
#undef TUNE
#undef TUNE_PASS
};

uint64_t tune_model_hash(const Module *m)
{
    Arena *a = arena_new();
    Text t;
    text_init(&t, a);
    for (int i = 0; i < m->weights_list.n; i++) {
        const Weight *w = m->weights_list.p[i];
        text_printf(&t, "%s %s", w->path, dtype_info[w->type.dtype].name);
        for (int k = 0; k < w->type.rank; k++)
            text_printf(&t, " %" PRId64, size_max_value(w->type.dim[k].size));
        text_puts(&t, "\n");
    }
    for (int i = 0; i < m->graphs.n; i++)
        text_printf(&t, "%s\n", m->graphs.p[i]->name);
    uint64_t hash = hash_bytes(t.p, t.n);
    arena_free(a);
    return hash;
}

// Of blocks that are left out, which ones depends on the values: no choice of a tune file.
int tune_formats(const char **names)
{
    int n = 0;
    for (int i = FORMAT_plain + 1; i < FORMAT_COUNT; i++)
        if (i != FORMAT_block48)
            names[n++] = format_info[i].name;
    return n;
}

bool tune_format(const char *name, Format *f)
{
    return format_find(name, f) && *f != FORMAT_block48;
}

// ---- words -----------------------------------------------------------------------------

enum { MAX_WORDS = 4 };  // of a line that says something

typedef struct Word {
    const char *text;
    Loc loc;
    bool quoted;
} Word;

typedef struct Reader {
    Arena *arena;
    Diag *diag;
    const Module *m;
    const char *text;
    size_t n, at;
    uint32_t base;
    Word word[MAX_WORDS + 1];  // of the line; one more tells that there are too many
    int nwords;
    Tune *t;
    bool has_model, seen[TUNE_COUNT];
} Reader;

static Loc loc_of(const Reader *r, size_t from, size_t to)
{
    return (Loc){r->base + (uint32_t)from, r->base + (uint32_t)to};
}

static bool fail(const Reader *r, Loc loc, DiagCode code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

static bool fail(const Reader *r, Loc loc, DiagCode code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_error(r->diag, loc, code, "%s", arena_vprintf(r->arena, fmt, ap));
    va_end(ap);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_word(const Reader *r, size_t at)
{
    char c = at < r->n ? r->text[at] : '\n';
    return is_blank(c) || c == '\n' || c == '#' || c == '"';
}

static bool take_word(Reader *r)
{
    size_t from = r->at, start = from, end;
    bool quoted = r->text[from] == '"';
    if (quoted) {
        start++;
        for (end = start; end < r->n && r->text[end] != '"' && r->text[end] != '\n';)
            end++;
        if (end == r->n || r->text[end] != '"')
            return fail(r, loc_of(r, from, end), E0652, "a text is not closed");
        r->at = end + 1;
    } else {
        for (end = start; !ends_word(r, end);)
            end++;
        r->at = end;
    }
    Word w = {arena_strndup(r->arena, r->text + start, end - start),
              loc_of(r, from, r->at), quoted};
    if (strlen(w.text) != end - start)
        return fail(r, w.loc, E0652, "a NUL byte");
    if (r->nwords <= MAX_WORDS)
        r->word[r->nwords++] = w;
    return true;
}

// The words of the next line that has some; false at the end, or after reporting.
static bool next_line(Reader *r)
{
    r->nwords = 0;
    while (r->at < r->n) {
        char c = r->text[r->at];
        if (c == '\n') {
            r->at++;
            if (r->nwords)
                return true;
        } else if (c == '#') {
            while (r->at < r->n && r->text[r->at] != '\n')
                r->at++;
        } else if (is_blank(c)) {
            r->at++;
        } else if (!take_word(r)) {
            return false;
        }
    }
    return r->nwords > 0;
}

static bool has_words(const Reader *r, int n, const char *form)
{
    if (r->nwords == n)
        return true;
    Loc last = r->word[r->nwords - 1].loc;
    return fail(r, r->nwords > n ? r->word[n].loc : last, E0652, "a line here is `%s`",
                form);
}

// ---- lines -----------------------------------------------------------------------------

static bool read_head(Reader *r)
{
    bool any = next_line(r);
    const Word *w = r->word;
    Loc loc = any ? w[0].loc : loc_of(r, 0, 0);
    if (diag_errors(r->diag))
        return false;
    if (!any || r->nwords != 3 || strcmp(w[0].text, "tfxc") != 0 ||
        strcmp(w[1].text, "tune") != 0)
        return fail(r, loc, E0650, "a tune file begins with `tfxc tune 1`");
    if (strcmp(w[2].text, "1") != 0)
        return fail(r, w[2].loc, E0650,
                    "version %s of tune files; this tfxc reads version 1", w[2].text);
    return true;
}

static bool read_model(Reader *r)
{
    const Word *w = r->word;
    if (!has_words(r, 3, "model NAME HASH"))
        return false;
    uint64_t hash = tune_model_hash(r->m);
    const char *own = arena_printf(r->arena, "%016" PRIx64, hash);
    if (r->has_model)
        return fail(r, w[0].loc, E0654, "`model` is said twice");
    r->has_model = !strcmp(w[2].text, own);
    if (r->has_model)
        return true;
    fail(r, loc_join(w[1].loc, w[2].loc), E0653,
         "these choices are of another model, `%s`", w[1].text);
    diag_hint(r->diag, (Loc){0, 0},
              "the weights or entries of %s differ (its hash is %s): tune it again",
              r->m->name, own);
    return false;
}

static bool read_value(Reader *r, TuneKey k)
{
    const TuneInfo *i = &tune_info[k];
    const Word *w = r->word;
    if (!has_words(r, 2, arena_printf(r->arena, "%s NUMBER", i->name)))
        return false;
    if (r->seen[k])
        return fail(r, w[0].loc, E0654, "`%s` is said twice", i->name);
    int64_t v = 0;
    size_t digits = strspn(w[1].text, "0123456789");
    for (size_t c = 0; c < digits && digits <= 9; c++)
        v = v * 10 + (w[1].text[c] - '0');
    if (w[1].text[digits] || w[1].quoted || v < i->lo || v > i->hi || v % i->by) {
        const char *by =
            i->by > 1 ? arena_printf(r->arena, ", a multiple of %" PRId64, i->by) : "";
        return fail(r, w[1].loc, E0652, "%s is %" PRId64 " to %" PRId64 "%s", i->name,
                    i->lo, i->hi, by);
    }
    r->seen[k] = true;
    r->t->value[k] = v;
    return true;
}

static bool read_pass(Reader *r)
{
    const Word *w = r->word;
    if (!has_words(r, 3, "pass NAME off"))
        return false;
    if (strcmp(w[2].text, "off") != 0)
        return fail(r, w[2].loc, E0652, "a pass is only `off`, not `%s`", w[2].text);
    for (int i = 0; i < TUNE_PASSES; i++)
        if (!strcmp(tune_pass[i], w[1].text)) {
            if (r->t->off[i])
                return fail(r, w[1].loc, E0654, "`pass %s` is said twice", w[1].text);
            r->t->off[i] = true;
            return true;
        }
    fail(r, w[1].loc, E0651, "`%s` is no pass that can be left out here", w[1].text);
    const char *near = nearest(w[1].text, tune_pass, TUNE_PASSES);
    if (near)
        diag_hint(r->diag, (Loc){0, 0}, "did you mean `%s`?", near);
    return false;
}

static bool read_quantize(Reader *r)
{
    const Word *w = r->word;
    const char *names[FORMAT_COUNT];
    Format f;
    if (!has_words(r, 3, "quantize \"PATTERN\" FORMAT"))
        return false;
    if (!w[1].quoted || !*w[1].text)
        return fail(r, w[1].loc, E0652, "a pattern stands in quotes, not `%s`",
                    w[1].text);
    if (!tune_format(w[2].text, &f)) {
        fail(r, w[2].loc, E0652, "`%s` is no format that weights are rounded to",
             w[2].text);
        const char *near = nearest(w[2].text, names, tune_formats(names));
        if (near)
            diag_hint(r->diag, (Loc){0, 0}, "did you mean `%s`?", near);
        return false;
    }
    Step *s = NEW(r->arena, Step);
    *s = (Step){.kind = STEP_quantize,
                .loc = loc_join(w[0].loc, w[2].loc),
                .text = arena_printf(r->arena, "quantize(\"%s\", %s)", w[1].text,
                                     format_info[f].name),
                .pattern = w[1].text,
                .pattern_loc = w[1].loc,
                .format = format_info[f].name};
    vec_push(r->arena, &r->t->steps, s);
    return true;
}

static bool unknown_key(const Reader *r)
{
    const char *names[TUNE_COUNT + 3] = {"model", "pass", "quantize"};
    const Word *w = r->word;
    for (int i = 0; i < TUNE_COUNT; i++)
        names[i + 3] = tune_info[i].name;
    fail(r, w[0].loc, E0651, "a tune file has no `%s`", w[0].text);
    const char *near = nearest(w[0].text, names, TUNE_COUNT + 3);
    if (near)
        diag_hint(r->diag, (Loc){0, 0}, "did you mean `%s`?", near);
    return false;
}

static bool read_line(Reader *r)
{
    const char *key = r->word[0].text;
    if (!strcmp(key, "model"))
        return read_model(r);
    if (!r->has_model)
        return fail(r, r->word[0].loc, E0650,
                    "behind the first line stands `model NAME HASH`, not `%s`", key);
    if (!strcmp(key, "pass"))
        return read_pass(r);
    if (!strcmp(key, "quantize"))
        return read_quantize(r);
    for (int i = 0; i < TUNE_COUNT; i++)
        if (!strcmp(key, tune_info[i].name))
            return read_value(r, (TuneKey)i);
    return unknown_key(r);
}

bool tune_read(Arena *a, Diag *d, const Module *m, const char *text, size_t n,
               uint32_t base, Tune *t)
{
    int errors = diag_errors(d);
    Reader *r = NEW(a, Reader);
    *r = (Reader){
        .arena = a, .diag = d, .m = m, .text = text, .n = n, .base = base, .t = t};
    *t = (Tune){.file = t->file};
    if (!read_head(r))
        return false;
    while (next_line(r))
        if (!read_line(r) && !r->has_model)
            return false;  // of another model, or none: the rest would mislead
    if (diag_errors(d) == errors && !r->has_model)
        fail(r, loc_of(r, n, n), E0650, "no line `model NAME HASH`");
    return diag_errors(d) == errors;
}

// A name is for the reader; what would end the word is left out.
static void put_name(const char *name, Text *out)
{
    text_puts(out, "\"");
    for (; *name; name++)
        if (*name != '"' && (unsigned char)*name >= ' ')
            text_put(out, name, 1);
    text_puts(out, "\"");
}

void tune_write(const Tune *t, const Module *m, Text *out)
{
    text_printf(out, "tfxc tune %d\nmodel ", TUNE_VERSION);
    put_name(m->name, out);
    text_printf(out, " %016" PRIx64 "\n", tune_model_hash(m));
    for (int i = 0; i < TUNE_COUNT; i++)
        if (t->value[i])
            text_printf(out, "%s %" PRId64 "\n", tune_info[i].name, t->value[i]);
    for (int i = 0; i < TUNE_PASSES; i++)
        if (t->off[i])
            text_printf(out, "pass %s off\n", tune_pass[i]);
    for (int i = 0; i < t->steps.n; i++)
        text_printf(out, "quantize \"%s\" %s\n", t->steps.p[i]->pattern,
                    t->steps.p[i]->format);
}

const char *tune_defines(const Tune *t, Arena *a)
{
    Text out;
    text_init(&out, a);
    for (int i = 0; i < TUNE_COUNT; i++)
        if (t->value[i])
            text_printf(&out, "#define %s %" PRId64 "\n", tune_info[i].macro,
                        t->value[i]);
    return out.p;
}
