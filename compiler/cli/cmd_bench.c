// cmd_bench.c - bench: how long an entry takes, and what in it.

#include "benchout.h"
#include "commands.h"

#include "compiler/stages.h"

#include <string.h>

static bool put_bench(Command *c, const Bench *b)
{
    const char *output = c->set->output;
    Text text, drawing;
    text_init(&text, c->arena);
    text_init(&drawing, c->arena);
    if (c->set->emit == STAGE_JSON)
        bench_json(b, &text);
    else
        bench_text(b, &text);
    if (c->set->svg) {
        bench_svg(b, &drawing);
        if (!job_write(c->job, c->set->svg, drawing.p, drawing.n))
            return false;
    }
    if (output && strcmp(output, "-") != 0)
        return job_write(c->job, output, text.p, text.n);
    text_put(&c->out, text.p, text.n);
    return true;
}

int cmd_bench(Command *c)
{
    Bench b;
    const char *path = only_word(c, "a model");
    if (!path)
        return EXIT_USAGE;
    if (c->set->emit != STAGE_ALL && c->set->emit != STAGE_JSON) {
        text_puts(&c->err, "bench prints a table, or with --emit=json JSON");
        return EXIT_USAGE;
    }
    if (!job_build(c->job, path) || !job_open_weights(c->job, true) ||
        !job_check_weights(c->job) || !job_optimize(c->job))
        return finish(c, EXIT_DIAGNOSTICS);
    Graph *g = choose_entry(c);
    if (g && bench_run(&b, c->job, g, c->set->threads))
        put_bench(c, &b);
    return finish(c, EXIT_OK);
}
