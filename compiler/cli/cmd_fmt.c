// cmd_fmt.c - fmt: sources in the canonical form.

#include "commands.h"

#include "compiler/outfile.h"
#include "grammar/parse.h"

#include <string.h>

// False after reporting; *same says that the file is canonical already.
static bool format_one(Command *c, const char *path, Text *out, bool *same)
{
    Source s;
    if (!job_read(c->job, path, &s))
        return false;
    const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    text_init(out, c->arena);
    if (!tfx_format(c->arena, c->job->diag, name, s.text, s.n, out))
        return false;
    *same = out->n == s.n && memcmp(out->p, s.text, s.n) == 0;
    return true;
}

int cmd_fmt(Command *c)
{
    const StrList *files = &c->args->words;
    bool to_file = c->set->output && strcmp(c->set->output, "-") != 0;
    int status = EXIT_OK;

    if (files->n == 0 || (files->n > 1 && c->set->output)) {
        text_puts(&c->err, files->n ? "fmt -o takes one file" : "fmt needs a file");
        return EXIT_USAGE;
    }
    for (int i = 0; i < files->n; i++) {
        Text text;
        bool same = false;
        const char *path = files->p[i];
        if (!format_one(c, path, &text, &same)) {
            status = EXIT_DIAGNOSTICS;
        } else if (c->set->fmt_check) {
            if (!same) {
                text_printf(&c->out, "%s: not in the canonical form\n", path);
                status = EXIT_DIAGNOSTICS;
            }
        } else if (c->set->in_place && strcmp(path, "-") != 0) {
            if (!same && !outfile_write(c->job->diag, path, text.p, text.n))
                status = EXIT_DIAGNOSTICS;
        } else if (to_file) {
            if (!outfile_write(c->job->diag, c->set->output, text.p, text.n))
                status = EXIT_DIAGNOSTICS;
        } else {
            text_put(&c->out, text.p, text.n);
        }
    }
    return finish(c, status);
}
