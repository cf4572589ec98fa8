// cmd_init.c - init: random weights that fit a model.

#include "commands.h"

#include "compiler/weights.h"

#include <string.h>

int cmd_init(Command *c)
{
    const char *path = only_word(c, "a model");
    if (!path)
        return EXIT_USAGE;
    if (!c->set->output || strcmp(c->set->output, "-") == 0) {
        text_puts(&c->err, "init needs -o WEIGHTS.safetensors");
        return EXIT_USAGE;
    }
    if (job_build(c->job, path))
        weights_init(c->job->module, c->set->output, c->set->seed, c->set->dtype,
                     c->job->diag);
    return finish(c, EXIT_OK);
}
