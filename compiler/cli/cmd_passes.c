// cmd_passes.c - passes: the pipeline, as passes.def has it.

#include "commands.h"

#include "passes/pass.h"

int cmd_passes(Command *c)
{
    for (int i = 0; pass_row(i); i++) {
        const PassInfo *p = pass_row(i);
        text_printf(&c->out, "%-10s %-7s ", p->name,
                    p->kind == PASS_EXACT ? "exact" : "approx");
        wrap_puts(&c->out, p->doc, 19, 88);
    }
    return EXIT_OK;
}
