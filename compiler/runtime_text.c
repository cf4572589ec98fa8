// runtime_text.c - tfx_rt.h: tfx.h and the parts of the runtime that a program needs.

#include "runtime_text.h"

#include "compiler/embed/embed.h"

#include <string.h>

typedef struct Part {
    const char *name, *file, *needs;
} Part;

static const Part parts_table[] = {
#define KERNEL(name, file, needs, doc) {#name, file, needs},
#define TEMPLATE(name, file, needs, doc) {#name, file, needs},
#include "runtime/kernels.def"
#undef KERNEL
#undef TEMPLATE
};

enum { PARTS = COUNT(parts_table) };

static const char *text_of(const char *file)
{
    const Embedded *e = embedded_find(file);
    if (!e)
        bug("%s is not embedded", file);
    return e->text;
}

// The text without its lines `#include "..."`: what they name stands above.
static void put_part(Text *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        n += text[n] == '\n';
        const char *s = text + strspn(text, " \t");
        bool is_include = strncmp(s, "#include \"", 10) == 0 ||
                          (*s == '#' && strncmp(s + 1 + strspn(s + 1, " "),
                                                "include \"", 9) == 0);
        if (!is_include)
            text_put(out, text, n);
        text += n;
    }
}

static void mark(bool *wanted, const char *name, size_t n)
{
    for (int i = 0; i < PARTS; i++) {
        const Part *p = &parts_table[i];
        if (strlen(p->name) != n || memcmp(p->name, name, n) != 0)
            continue;
        if (wanted[i])
            return;
        wanted[i] = true;
        for (const char *s = p->needs; *s; s += strspn(s, " ")) {
            size_t k = strcspn(s, " ");
            mark(wanted, s, k);
            s += k;
        }
        return;
    }
    bug("the runtime has no part %.*s", (int)n, name);
}

void runtime_join(const Map *parts, Text *out)
{
    bool wanted[PARTS] = {false};
    for (int i = 0; i < map_count(parts); i++)
        mark(wanted, map_key(parts, i), strlen(map_key(parts, i)));
    put_part(out, text_of("tfx.h"));
    for (int i = 0; i < PARTS; i++)
        if (wanted[i]) {
            text_puts(out, "\n");
            put_part(out, text_of(parts_table[i].file));
        }
}
