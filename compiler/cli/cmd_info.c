// cmd_info.c - explain, passes, ops: what the tables say.

#include "commands.h"

#include <string.h>

enum { WIDTH = 88 };

int cmd_explain(Command *c)
{
    const char *names[DIAG_COUNT];
    for (int i = 0; i < DIAG_COUNT; i++)
        names[i] = diag_code_name((DiagCode)i);
    if (c->args->words.n == 0) {
        for (int i = 0; i < DIAG_COUNT; i++)
            text_printf(&c->out, "%s  %s\n", names[i], diag_code_title((DiagCode)i));
        return EXIT_OK;
    }
    for (int i = 0; i < c->args->words.n; i++) {
        DiagCode code;
        const char *word = c->args->words.p[i];
        if (!diag_code_find(word, &code)) {
            const char *near = nearest(word, names, DIAG_COUNT);
            text_printf(&c->err, "there is no code '%s'", word);
            if (near)
                text_printf(&c->err, "; did you mean '%s'?", near);
            return EXIT_USAGE;
        }
        text_printf(&c->out, "%s%s: %s\n\n", i ? "\n" : "", diag_code_name(code),
                    diag_code_title(code));
        wrap_puts(&c->out, diag_code_text(code), 0, WIDTH);
    }
    return EXIT_OK;
}

static const char *op_kind(const OpInfo *o)
{
    static const char *const kinds[] = {"core", "map", "op"};
    return kinds[o->class];
}

static void print_op(Text *out, const OpInfo *o)
{
    text_printf(out, "%-12s %-5s ", o->name, op_kind(o));
    wrap_puts(out, o->doc, 19, WIDTH);
}

int cmd_ops(Command *c)
{
    const char *names[OP_COUNT];
    for (int i = 0; i < OP_COUNT; i++)
        names[i] = op_info[i].name;
    if (c->args->words.n == 0)
        for (int i = 0; i < OP_COUNT; i++)
            print_op(&c->out, &op_info[i]);
    for (int i = 0; i < c->args->words.n; i++) {
        Op op;
        const char *word = c->args->words.p[i];
        if (!op_find(word, &op)) {
            const char *near = nearest(word, names, OP_COUNT);
            text_printf(&c->err, "there is no op '%s'", word);
            if (near)
                text_printf(&c->err, "; did you mean '%s'?", near);
            return EXIT_USAGE;
        }
        print_op(&c->out, &op_info[op]);
        if (op_info[op].expr)
            text_printf(&c->out, "%19s%s\n", "", op_info[op].expr);
    }
    return EXIT_OK;
}
