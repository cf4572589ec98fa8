// path.c - names of tensors in the checkpoint.
//
// A template is the text after `=`, or the member's name. {name} is the member's own
// name, {i} the turn of its array, {x} a compile-time integer or text of the block.
// Templates nest with dots; one that begins with a slash stands for itself.

#include <string.h>

#include "path.h"

static Loc inside(const Member *m, size_t at, size_t n)
{
    uint32_t start = m->path_loc.start + 1 + (uint32_t)at;  // after the quote
    if (!m->path || m->path_loc.end - m->path_loc.start != strlen(m->path) + 2)
        return m->path_loc;  // it has escapes
    return (Loc){start, start + (uint32_t)n};
}

static bool put_value(Sema *s, Instance *in, const Member *m, const char *word, Loc loc,
                      Text *out)
{
    Context was = s->at;
    s->at = block_context(in);
    int before = diag_errors(s->diag);
    Val v = lookup_name(s, word, loc);
    s->at = was;
    int64_t n;
    if (v.kind == VAL_STRING) {
        text_puts(out, v.string);
    } else if (v.kind == VAL_SIZE && size_is_int(v.size, &n)) {
        text_printf(out, "%lld", (long long)n);
    } else {
        if (diag_errors(s->diag) == before && v.kind != VAL_POISON) {
            sema_error(s, loc, E0409, "{%s} is %s, not an integer or a text", word,
                       val_str(s, v));
            if (m->index)
                sema_hint(s, loc, "the turn of this array is {%s}", m->index);
        }
        return false;
    }
    return true;
}

static bool put_template(Sema *s, Instance *in, const Member *m, int which,
                         const char *index, const char *t, Text *out)
{
    bool turned = false;
    for (const char *p = t; *p;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (*p == '{' && !end) {
            sema_error(s, inside(m, (size_t)(p - t), 1), E0409, "{ without }");
            return false;
        }
        if (!end) {
            text_put(out, p++, 1);
            continue;
        }
        Loc loc = inside(m, (size_t)(p - t), (size_t)(end + 1 - p));
        const char *word = arena_strndup(s->arena, p + 1, (size_t)(end - p - 1));
        if (index && strcmp(word, m->index) == 0) {
            text_puts(out, index);
            turned = true;
        } else if (strcmp(word, "name") == 0) {
            text_puts(out, m->names.p[which].s);
        } else if (!put_value(s, in, m, word, loc, out)) {
            return false;
        }
        p = end + 1;
    }
    if (index && !turned) {
        sema_error(s, m->path_loc, E0409, "all elements of `%s` have the same path",
                   m->names.p[which].s);
        sema_hint(s, m->path_loc, "put {%s} where the number of the element stands",
                  m->index);
        return false;
    }
    return true;
}

const char *member_name(Sema *s, const Instance *in, const Member *m, int which,
                        const char *index)
{
    return arena_printf(s->arena, "%s%s%s%s%s", in->member, *in->member ? "." : "",
                        m->names.p[which].s, index ? "." : "", index ? index : "");
}

const char *member_path(Sema *s, Instance *in, const Member *m, int which,
                        const char *index)
{
    const char *t = m->path;
    Text out;
    text_init(&out, s->arena);
    if (!t)
        t = index ? arena_printf(s->arena, "{name}.{%s}", m->index) : "{name}";
    bool absolute = *t == '/';
    if (!absolute && *in->path) {
        text_puts(&out, in->path);
        if (*t)
            text_puts(&out, ".");
    }
    size_t before = out.n;
    if (!put_template(s, in, m, which, index, t, &out))
        return NULL;
    return absolute ? out.p + before + 1 : out.p;
}
