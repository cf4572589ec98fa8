// main.c - the program tfxc: arguments in, one verb, exit status out.

#define _POSIX_C_SOURCE 200809L

#include "compiler/cli/commands.h"
#include "tfxc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int Run(Command *c);

static Run *const runs[VERB_COUNT] = {
#define VERB(name, args, summary, more) cmd_##name,
#include "verbs.def"
#undef VERB
};

static DiagFormat format_of(const Settings *s)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (s->json)
        return DIAG_JSON;
    if (s->color == COLOR_NEVER)
        return DIAG_TEXT;
    if (s->color == COLOR_ALWAYS)
        return DIAG_COLOR;
    if ((no_color && *no_color) || !term || strcmp(term, "dumb") == 0)
        return DIAG_TEXT;
    return isatty(STDERR_FILENO) ? DIAG_COLOR : DIAG_TEXT;
}

static bool put_all(FILE *f, const Text *t)
{
    return fwrite(t->p, 1, t->n, f) == t->n && fflush(f) == 0;
}

static int usage_error(const char *why)
{
    fprintf(stderr, "tfxc: error: %s\n", why);
    return EXIT_USAGE;
}

// One line of standard error for what takes longer than a moment, written over.
typedef struct Progress {
    double said;  // when, in seconds
    bool on_screen;
} Progress;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void say(void *ctx, const char *text)
{
    Progress *p = ctx;
    double t = now();
    if (t - p->said < 0.3)
        return;
    fprintf(stderr, "\r\033[K%.76s", text);
    fflush(stderr);
    *p = (Progress){t, true};
}

static int run_verb(Command *c)
{
    Text messages;
    Progress progress = {now(), false};
    if (!c->set->json && isatty(STDERR_FILENO))
        diag_on_progress(c->job->diag, say, &progress);
    int status = runs[c->args->verb](c);
    diag_on_progress(c->job->diag, NULL, NULL);
    if (progress.on_screen)
        fputs("\r\033[K", stderr);

    text_init(&messages, c->arena);
    diag_print(c->job->diag, format_of(c->set), &messages);
    bool told = put_all(stderr, &c->job->notes) && put_all(stderr, &messages);
    if (c->err.n > 0)
        status = usage_error(c->err.p);
    if (!put_all(stdout, &c->out) || !told) {
        perror("tfxc: standard output");
        status = status == EXIT_OK ? EXIT_DIAGNOSTICS : status;
    }
    return status;
}

static int run(Arena *a, int argc, char **argv)
{
    Settings set;
    Args args = {.verb = VERB_compile};
    Job job;
    const char *why = NULL;

    settings_init(&set, a);
    if (!args_parse(&set, &args, argc, argv, &why))
        return usage_error(why);
    job_init(&job, &set, a);
    Command c = {.job = &job, .set = &set, .args = &args, .arena = a};
    text_init(&c.out, a);
    text_init(&c.err, a);

    if (set.version) {
        printf("tfxc %s\n", TFXC_VERSION);
        return fflush(stdout) == 0 ? EXIT_OK : EXIT_DIAGNOSTICS;
    }
    if (set.help) {
        if (args.verb == VERB_compile)
            help_print(&c.out);
        else
            help_verb(&c.out, args.verb);
        return put_all(stdout, &c.out) ? EXIT_OK : EXIT_DIAGNOSTICS;
    }
    return run_verb(&c);
}

int main(int argc, char **argv)
{
    Guard g;
    Arena *volatile arena = NULL;
    volatile int status = EXIT_INTERNAL;

    signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of fwrite,
    signal(SIGXFSZ, SIG_IGN);  // and so is a full quota
    if (GUARD_SET(&g)) {
        if (g.out_of_memory)
            fprintf(stderr, "tfxc: out of memory\n");
        else
            fprintf(stderr,
                    "tfxc: internal error: %s\n"
                    "tfxc: this is a bug of tfxc %s; please report it with the model\n",
                    g.message, TFXC_VERSION);
    } else {
        arena = arena_new();
        status = run(arena, argc, argv);
        guard_drop(&g);
    }
    arena_free(arena);
    return status;
}
