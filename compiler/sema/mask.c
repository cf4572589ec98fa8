// mask.c - the words for what attention sees: none, causal, window, joined by `&`.
//
// Each is a band: query i, which stands at from + i, sees the keys from `before` ahead of it
// to `after` behind it. So is what is left where two overlap.

#include <string.h>

#include "internal.h"

static bool is_word(const Expr *e, const char *word)
{
    return e->kind == EX_NAME && strcmp(e->text, word) == 0;
}

// The i-th argument of window(...), least at least.
static bool window_size(Sema *s, const Expr *e, int i, int64_t least, int64_t *out)
{
    const Expr *value = e->args.p[i].value;
    if (!want_int(s, eval_expr(s, value), value->loc, "the size of a window", out))
        return false;
    if (*out > MASK_ALL)
        *out = MASK_ALL;
    if (*out >= least)
        return true;
    sema_error(s, value->loc, E0308, "a window of %lld, must be at least %lld",
               (long long)*out, (long long)least);
    return false;
}

// window(w): from + i - w < j <= from + i; window(l, r): from + i - l <= j <= from + i + r.
static bool read_window(Sema *s, const Expr *e, Mask *m)
{
    const int n = e->kind == EX_CALL ? e->args.n : 0;
    bool by_position = n == 1 || n == 2;
    for (int i = 0; i < n; i++)
        by_position = by_position && !e->args.p[i].name;
    if (!by_position) {
        sema_error(s, e->loc, E0404, "`window` takes one or two sizes by position");
        sema_hint(s, e->loc,
                  "window(w): the last w keys up to the query; window(l, r): l keys "
                  "before it and r after it");
        return false;
    }
    *m = (Mask){.after = 0};
    if (n == 2)
        return window_size(s, e, 0, 0, &m->before) &&
               window_size(s, e, 1, 0, &m->after);
    if (!window_size(s, e, 0, 1, &m->before))
        return false;
    m->before -= m->before < MASK_ALL;
    return true;
}

static bool refuse(Sema *s, const Expr *e)
{
    static const char *const later[] = {"block", "prefix", "segments", "dilated",
                                        "global"};
    static const char *const words[] = {"causal", "none", "window"};
    const Expr *head = e->kind == EX_CALL ? e->a : e;
    bool known = e->kind == EX_BINARY && e->op == BIN_OR;
    for (int k = 0; k < COUNT(later); k++)
        known |= is_word(head, later[k]);
    if (!known && e->kind == EX_NAME && env_find(s->at.env, e->text)) {
        Val v = eval_expr(s, e);
        if (v.kind == VAL_POISON)
            return false;
        known = v.kind == VAL_TENSOR;
    }
    const char *text = diag_text(s->out, e->loc, s->arena);
    if (known) {
        sema_error(s, e->loc, E0707, "mask `%s` is not in this version", text);
        sema_hint(s, e->loc,
                  "mask = causal, mask = window(w), or bias = a tensor of 0 and -1e30");
    } else {
        sema_error(s, e->loc, E0308, "there is no mask `%s`", text);
        hint_nearest(s, e->loc, head->kind == EX_NAME ? head->text : "", words,
                     COUNT(words));
    }
    return false;
}

bool mask_read(Sema *s, const Expr *e, Mask *m)
{
    Mask a, b;
    *m = (Mask){MASK_ALL, MASK_ALL};
    if (!e || is_word(e, "none"))
        return true;
    if (is_word(e, "causal")) {
        m->after = 0;
        return true;
    }
    if (is_word(e->kind == EX_CALL ? e->a : e, "window"))
        return read_window(s, e, m);
    if (e->kind != EX_BINARY || e->op != BIN_AND)
        return refuse(s, e);
    if (!mask_read(s, e->a, &a) || !mask_read(s, e->b, &b))
        return false;
    m->before = a.before < b.before ? a.before : b.before;
    m->after = a.after < b.after ? a.after : b.after;
    return true;
}

int mask_attrs(const Mask *m, Attr out[3])
{
    const bool all = m->before == MASK_ALL;
    const char *name = all && m->after == MASK_ALL ? "none"
                       : all && m->after == 0      ? "causal"
                                                   : "window";
    out[0] = attr_make_str("mask", name);
    out[1] = attr_make_int("before", m->before);
    out[2] = attr_make_int("after", m->after);
    return strcmp(name, "window") == 0 ? 3 : 1;
}
