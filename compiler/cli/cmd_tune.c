// cmd_tune.c - tune: which choices are fastest here.

#include "commands.h"

#include "compiler/driver/tuner.h"
#include "compiler/stages.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// One line on a terminal, written over by the next.
static void show(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "\r\033[Ktune: %s", text);
    fflush(stderr);
}

static bool check_formats(Command *c)
{
    const StrList *list = &c->set->formats;
    const char *names[FORMAT_COUNT];
    Format f;
    int n = tune_formats(names);
    for (int i = 0; i < list->n; i++) {
        if (tune_format(list->p[i], &f))
            continue;
        text_printf(&c->err, "--formats: '%s' is none of ", list->p[i]);
        for (int k = 0; k < n; k++)
            text_printf(&c->err, "%s%s", k ? ", " : "", names[k]);
        return false;
    }
    if (list->n && c->set->tolerance < 0) {
        text_puts(&c->err, "--formats needs --tolerance, the error that is allowed");
        return false;
    }
    return true;
}

static bool put_tune(Command *c, const Tuner *t, const char *path)
{
    const char *output = c->set->output;
    Text text;
    text_init(&text, c->arena);
    tuner_write(t, &text);
    if (output && strcmp(output, "-") == 0) {
        text_put(&c->out, text.p, text.n);
        return true;
    }
    if (!output) {
        output = job_beside(c->job, ".tune");
        const char *slash = strrchr(output, '/');
        output = slash ? slash + 1 : output;
    }
    text_printf(&c->out, "%s: %d of %d choices of %s kept\n", output, t->kept,
                t->tries.n, path);
    return job_write(c->job, output, text.p, text.n);
}

int cmd_tune(Command *c)
{
    const char *path = only_word(c, "a model");
    if (!path || !check_formats(c))
        return EXIT_USAGE;
    if (!job_build(c->job, path))
        return finish(c, EXIT_DIAGNOSTICS);
    if (c->set->entry && !choose_entry(c))
        return finish(c, EXIT_DIAGNOSTICS);
    bool live = isatty(STDERR_FILENO);
    Tuner t = {.job = c->job,
               .path = path,
               .only = c->set->entry,
               .threads = c->set->threads,
               .seconds = c->set->seconds,
               .progress = live ? show : NULL};
    bool ok = tuner_run(&t);
    if (live)
        fputs("\r\033[K", stderr);
    if (ok)
        put_tune(c, &t, path);
    return finish(c, EXIT_OK);
}
