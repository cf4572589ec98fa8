// override.c - -D name=value and -D name<=value.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "override.h"

static const Loc nowhere;

static Val parse_value(Sema *s, const char *t);

static Val parse_list(Sema *s, const char *t)
{
    VEC(Val) items = {0};
    char *copy = arena_strndup(s->arena, t + 1, strlen(t) - 2);
    for (char *p = copy; *p;) {
        size_t n = strcspn(p, ",");
        char *item = arena_strndup(s->arena, p, n);
        item += strspn(item, " ");
        for (size_t k = strlen(item); k > 0 && item[k - 1] == ' '; k--)
            item[k - 1] = '\0';
        vec_push(s->arena, &items, parse_value(s, item));
        p += n + (p[n] == ',');
    }
    return val_list(s, VAL_LIST, items.p, items.n);
}

// What stands after the sign: 12, 0.5, true, [1, 2], "text" or text.
static Val parse_value(Sema *s, const char *t)
{
    size_t n = strlen(t);
    char *end;
    if (strcmp(t, "true") == 0 || strcmp(t, "false") == 0)
        return val_bool(*t == 't');
    if (n >= 2 && t[0] == '[' && t[n - 1] == ']')
        return parse_list(s, t);
    if (n >= 2 && t[0] == '"' && t[n - 1] == '"')
        return val_string(arena_strndup(s->arena, t + 1, n - 2));
    errno = 0;
    long long i = strtoll(t, &end, 10);
    if (n > 0 && *end == '\0' && errno == 0)
        return val_int(s, i);
    double d = strtod(t, &end);
    if (n > 0 && *end == '\0')
        return val_float(d);
    return val_string(t);
}

static void mark(Sema *s, const char *name)
{
    map_set(s->overridden, name, s->overridden);
}

void override_config(Sema *s, const Item *item, Val *v)
{
    const char *name = item->name.s;
    for (int i = 0; i < s->options->noverrides; i++) {
        const Override *o = &s->options->overrides[i];
        if (strcmp(o->name, name) != 0)
            continue;
        mark(s, name);
        if (strcmp(o->op, "=") != 0) {
            sema_error(s, item->name.loc, E0204,
                       "-D %s%s%s: %s is a config, it has no bound", o->name, o->op,
                       o->value, name);
            sema_hint(s, item->name.loc, "write -D %s=%s", name, o->value);
            continue;
        }
        Val w = parse_value(s, o->value);
        int64_t n;
        if (v->kind == VAL_FLOAT && w.kind == VAL_SIZE && size_is_int(w.size, &n))
            w = val_float((double)n);
        if (v->kind == VAL_STRING && w.kind != VAL_STRING)
            w = val_string(o->value);
        if (w.kind != v->kind && v->kind != VAL_POISON) {
            sema_error(s, item->name.loc, E0204, "-D %s=%s: %s is %s here", name,
                       o->value, name, val_str(s, *v));
            continue;
        }
        *v = w;
    }
}

static bool number_text(const char *t, int64_t *v)
{
    char *end;
    errno = 0;
    *v = strtoll(t, &end, 10);
    return *t != '\0' && *end == '\0' && errno == 0;
}

void override_dim(Sema *s, const Item *item, int64_t *lo, int64_t *hi, int64_t by)
{
    const char *name = item->name.s;
    for (int i = 0; i < s->options->noverrides; i++) {
        const Override *o = &s->options->overrides[i];
        int64_t v;
        if (strcmp(o->name, name) != 0)
            continue;
        mark(s, name);
        if (!number_text(o->value, &v)) {
            sema_error(s, item->name.loc, E0204,
                       "-D %s%s%s: the bound of a dim is an integer", name, o->op,
                       o->value);
        } else if (v < *lo || v > *hi || (strcmp(o->op, "=") == 0 && v % by != 0)) {
            sema_error(s, item->name.loc, E0204,
                       "-D %s%s%s: %s runs in %lld..%lld by %lld", name, o->op,
                       o->value, name, (long long)*lo, (long long)*hi, (long long)by);
        } else {
            *hi = v;
            if (strcmp(o->op, "=") == 0)
                *lo = v;
        }
    }
}

void globals_check_overrides(Sema *s)
{
    Map *names = map_new(s->arena);
    global_names(s->main, s->arena, names);
    VEC(const char *) known = {0};
    for (int i = 0; i < map_count(names); i++) {
        const Global *g = map_value(names, i);
        if (g->item->kind == IT_CONFIG || g->item->kind == IT_DIM)
            vec_push(s->arena, &known, map_key(names, i));
    }
    for (int i = 0; i < s->options->noverrides; i++) {
        const Override *o = &s->options->overrides[i];
        if (map_get(s->overridden, o->name))
            continue;
        sema_error(s, nowhere, E0204, "-D %s%s%s: there is no config or dim `%s`",
                   o->name, o->op, o->value, o->name);
        hint_nearest(s, nowhere, o->name, known.p, known.n);
    }
}
