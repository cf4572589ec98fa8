// emit_names.c - sizes by the names the model gives them: one enum, used in the calls.
//
// Types keep how the user spelled a size ("ffn", "heads * head"). A name that means one
// number all over the program becomes an enumerator, and the calls of kernels say FFN where
// the lowering passed on that axis.

#include "compiler/emit.h"

#include <ctype.h>
#include <string.h>

static bool is_word(const char *s)
{
    for (const char *c = s; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return isalpha((unsigned char)*s) != 0;
}

static const char *enum_name(Emit *e, const char *word)
{
    char *u = arena_strdup(e->p->arena, word);
    for (char *c = u; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return u;
}

static bool is_type(const Record *r, const char *name)
{
    bool is = !strcmp(r->type, name);
    for (int i = 0; i < r->fields.n && !is; i++)
        is = r->fields.p[i]->kind == FIELD_RECORD &&
             is_type(r->fields.p[i]->record, name);
    return is;
}

static bool is_taken(const Emit *e, const char *upper)
{
    static const char *const macros[] = {"NULL", "NAN", "INFINITY", "EOF"};
    for (int i = 0; i < COUNT(macros); i++)
        if (!strcmp(upper, macros[i]))
            return true;
    for (int i = 0; i < e->p->module->dims.n; i++)
        if (!strcmp(upper, e->p->module->dims.p[i]->name))
            return true;
    if (prefix_owns(e->p->prefix, upper) || prefix_owns(e->p->upper, upper))
        return true;
    return is_type(e->p->root, upper) || map_get(e->p->maps, upper) != NULL;
}

typedef struct Named {
    int64_t value;
    bool clear, used;  // one value all over; said in some call
} Named;

static void note_type(Emit *e, const Type *t)
{
    for (int k = 0; k < t->rank; k++) {
        int64_t v = 0;
        const char *name = t->dim[k].name;
        if (!name || !is_word(name) || !size_is_int(t->dim[k].size, &v))
            continue;
        const char *upper = enum_name(e, name);
        Named *n = map_get(e->names, upper);
        if (!n) {
            n = NEW(e->p->arena, Named);
            *n = (Named){v, !is_taken(e, upper) && v > 0 && v <= INT32_MAX, false};
            map_set(e->names, upper, n);
        } else if (n->value != v) {
            n->clear = false;
        }
    }
}

void emit_names_collect(Emit *e)
{
    e->names = map_new(e->p->arena);
    for (int i = 0; i < e->p->funcs.n; i++)
        for (int k = 0; k < e->p->funcs.p[i]->bufs.n; k++)
            note_type(e, &e->p->funcs.p[i]->bufs.p[k]->shape);
}

// "heads * head" as "HEADS * HEAD"; NULL when a word of it has no enumerator.
static const char *spelled(Emit *e, const char *name)
{
    Text t;
    text_init(&t, e->p->arena);
    for (const char *s = name; *s;) {
        if (*s == ' ' || *s == '*') {
            text_put(&t, s++, 1);
            continue;
        }
        const char *start = s;
        while (isalnum((unsigned char)*s) || *s == '_')
            s++;
        if (s == start)
            return NULL;  // +, brackets: the number says it better
        const char *word = arena_strndup(e->p->arena, start, (size_t)(s - start));
        if (isdigit((unsigned char)*word)) {
            text_puts(&t, word);
            continue;
        }
        Named *n = map_get(e->names, enum_name(e, word));
        if (!n || !n->clear)
            return NULL;
        text_puts(&t, enum_name(e, word));
    }
    return t.p;
}

static void mark_used(Emit *e, const char *text)
{
    for (int i = 0; i < map_count(e->names); i++) {
        const char *name = map_key(e->names, i);
        size_t n = strlen(name);
        for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
            bool begins =
                at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
            bool ends = !isalnum((unsigned char)at[n]) && at[n] != '_';
            if (begins && ends)
                ((Named *)map_value(e->names, i))->used = true;
        }
    }
}

const char *emit_dim_name(Emit *e, const char *name)
{
    const char *text = e->names && name ? spelled(e, name) : NULL;
    if (text)
        mark_used(e, text);
    return text;
}

void emit_names_enum(Emit *e, Text *out)
{
    bool any = false;
    for (int i = 0; i < map_count(e->names); i++)
        any = any || ((Named *)map_value(e->names, i))->used;
    if (!any)
        return;
    text_puts(out, "enum {\n");
    for (int i = 0; i < map_count(e->names); i++) {
        const Named *n = map_value(e->names, i);
        if (n->used)
            text_printf(out, "    %s = %lld,\n", map_key(e->names, i),
                        (long long)n->value);
    }
    text_puts(out, "};\n\n");
}
