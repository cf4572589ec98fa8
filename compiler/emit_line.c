// emit_line.c - lines of C, indented, and wrapped at 88 columns as clang-format wraps them.

#include "compiler/emit.h"

#include <string.h>

void emit_pad(Text *t, int n)
{
    for (int i = 0; i < n; i++)
        text_puts(t, " ");
}

// Where a line that may be this long ends: behind the last comma of the outermost bracket
// that fits. depth: of brackets that are open already. 0: nowhere.
static size_t break_at(const char *s, size_t room, int depth)
{
    size_t best = 0;
    for (size_t i = 0; s[i] && i < room; i++) {
        depth += s[i] == '(' || s[i] == '[' || s[i] == '{';
        depth -= s[i] == ')' || s[i] == ']' || s[i] == '}';
        if (s[i] == ',' && s[i + 1] == ' ' && depth <= 1)
            best = i + 2;
    }
    return best;
}

// A call or a head of a function that is too long goes on under its first argument.
void emit_wrapped(Emit *e, const char *line)
{
    int indent = e->indent * 4;
    const char *open = strchr(line, '(');
    int hang = open ? indent + (int)(open - line) + 1 : indent + 4;
    size_t room = (size_t)(EMIT_COLUMNS - indent);
    emit_pad(e->out, indent);
    for (int depth = 0; strlen(line) > room; depth = 1) {
        size_t at = break_at(line, room, depth);
        if (at == 0)
            break;
        text_put(e->out, line, at - 1);
        text_puts(e->out, "\n");
        emit_pad(e->out, hang);
        room = (size_t)(EMIT_COLUMNS - hang);
        line += at;
    }
    text_puts(e->out, line);
    text_puts(e->out, "\n");
}

void emit_line(Emit *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *line = arena_vprintf(e->p->arena, fmt, ap);
    va_end(ap);
    if (*line)
        emit_wrapped(e, line);
    else
        text_puts(e->out, "\n");
}
