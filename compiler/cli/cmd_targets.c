// cmd_targets.c - targets: what C can be made for, as targets.def has it.

#include "commands.h"

int cmd_targets(Command *c)
{
    for (int i = 0; target_row(i); i++) {
        const Target *t = target_row(i);
        text_printf(&c->out, "%-10s%s %-8s ", t->name, target_is_level(t) ? "*" : " ",
                    t->machine);
        wrap_puts(&c->out, t->doc, 21, 88);
        if (*t->flags) {
            text_puts(&c->out, "                     ");
            wrap_puts(&c->out, t->flags, 21, 88);
        }
    }
    return EXIT_OK;
}
