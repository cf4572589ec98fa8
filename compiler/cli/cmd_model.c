// cmd_model.c - compile, check and report: verbs that stop before anything is run.

#include "commands.h"

#include "compiler/describe.h"
#include "compiler/stages.h"

#include <string.h>

const char *only_word(Command *c, const char *what)
{
    const StrList *w = &c->args->words;
    if (w->n == 1)
        return w->p[0];
    if (w->n == 0)
        text_printf(&c->err, "%s needs %s (see tfxc %s --help)",
                    verb_info[c->args->verb].name, what, verb_info[c->args->verb].name);
    else
        text_printf(&c->err, "%s takes one file, not also '%s'",
                    verb_info[c->args->verb].name, w->p[1]);
    return NULL;
}

int finish(const Command *c, int status)
{
    return diag_errors(c->job->diag) > 0 ? EXIT_DIAGNOSTICS : status;
}

// --passes=help asks for the list wherever it is given.
static bool wants_pass_list(const Command *c)
{
    return c->set->passes && strcmp(c->set->passes, "help") == 0;
}

int cmd_check(Command *c)
{
    if (wants_pass_list(c))
        return cmd_passes(c);
    const char *path = only_word(c, "a model");
    if (!path)
        return EXIT_USAGE;
    if (job_build(c->job, path) && job_open_weights(c->job, false) &&
        job_check_weights(c->job))
        job_optimize(c->job);
    return finish(c, EXIT_OK);
}

static bool put_out(Command *c, const Text *text)
{
    const char *output = c->set->output;
    if (!output || strcmp(output, "-") == 0) {
        text_put(&c->out, text->p, text->n);
        return true;
    }
    return job_write(c->job, output, text->p, text->n);
}

int cmd_report(Command *c)
{
    Text text;
    const char *path = only_word(c, "a model");
    if (!path)
        return EXIT_USAGE;
    if (c->set->emit != STAGE_ALL && c->set->emit != STAGE_JSON) {
        text_puts(&c->err, "report prints a table, or with --emit=json JSON");
        return EXIT_USAGE;
    }
    text_init(&text, c->arena);
    if (job_report(c->job, path, &text))
        put_out(c, &text);
    return finish(c, EXIT_OK);
}

int cmd_compile(Command *c)
{
    Text text;
    if (wants_pass_list(c))
        return cmd_passes(c);
    if (c->args->words.n == 0) {
        text_puts(&c->err, "no model given (see tfxc --help)");
        return EXIT_USAGE;
    }
    const char *path = only_word(c, "a model");
    if (!path)
        return EXIT_USAGE;
    if (c->set->emit == STAGE_ALL) {
        if (c->set->output && strcmp(c->set->output, "-") == 0) {
            text_init(&text, c->arena);
            if (job_text(c->job, path, STAGE_C, &text))
                text_put(&c->out, text.p, text.n);
        } else {
            job_compile(c->job, path);
        }
        return finish(c, EXIT_OK);
    }
    text_init(&text, c->arena);
    if (job_text(c->job, path, c->set->emit, &text))
        put_out(c, &text);
    return finish(c, EXIT_OK);
}
