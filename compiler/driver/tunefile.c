// tunefile.c - the file that tfxc tune leaves: choices, and what was measured as comments.

#include "tuner.h"

#include <stdio.h>
#include <string.h>

// What the system calls the processor.
static const char *processor(Arena *a)
{
    char line[512];
    const char *name = "a processor without a name";
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, "model name", 10) && strchr(line, ':')) {
            const char *at = strchr(line, ':') + 1;
            at += strspn(at, " \t");
            name = arena_strndup(a, at, strcspn(at, "\r\n"));
            break;
        }
    if (f)
        fclose(f);
    return name;
}

static void put_tries(const Tuner *t, Text *out)
{
    if (t->tries.n)
        text_puts(out, "\n# tried, with the time against that of the best before it\n");
    for (int i = 0; i < t->tries.n; i++) {
        const TuneTry *x = &t->tries.p[i];
        if (x->refused)
            text_printf(out, "#       -  %s: %s\n", x->what, x->refused);
        else
            text_printf(out, "#   %5.3f  %s%s\n", x->ratio, x->what,
                        x->kept ? ", kept" : "");
    }
    if (t->left_out.n)
        text_puts(out, "\n# left out\n");
    for (int i = 0; i < t->left_out.n; i++)
        text_printf(out, "#   predicted %.2g of the time  %s\n", t->left_out.p[i].ratio,
                    t->left_out.p[i].what);
    if (t->left)
        text_printf(out, "# %d more could not be tried in %.0f seconds\n", t->left,
                    t->seconds);
}

void tuner_write(const Tuner *t, Text *out)
{
    tune_write(&t->best, t->job->module, out);
    text_printf(out, "\n# measured on %s, %d thread%s\n", processor(t->job->arena),
                t->threads, t->threads == 1 ? "" : "s");
    for (int i = 0; i < t->times.n; i++) {
        const TuneTime *x = &t->times.p[i];
        text_printf(out, "# %s%s%s: %.4g ms, untuned %.4g ms\n", x->entry,
                    *x->dims ? " " : "", x->dims, x->tuned_ns / 1e6,
                    x->untuned_ns / 1e6);
    }
    text_printf(out, "# largest difference of an output: %.2g of its largest value\n",
                t->error);
    put_tries(t, out);
}
