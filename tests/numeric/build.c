// build.c - compiling and linking emitted programs.

#define _POSIX_C_SOURCE 200809L

#include "build.h"

#include "compiler/driver/spawn.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *source_root(void)
{
    const char *root = getenv("TFXC_ROOT");
    return root && *root ? root : ".";
}

// ---- commands --------------------------------------------------------------------------

typedef struct Farm {
    pthread_mutex_t lock;
    const StrList *commands;
    int n, next, failed;
    Text *said;
} Farm;

static void *worker(void *arg)
{
    Farm *f = arg;
    for (;;) {
        pthread_mutex_lock(&f->lock);
        int at = f->next++;
        pthread_mutex_unlock(&f->lock);
        if (at >= f->n)
            return NULL;
        Arena *a = arena_new();
        Text out;
        text_init(&out, a);
        int status = spawn(a, &f->commands[at], &out);
        if (status != 0) {
            pthread_mutex_lock(&f->lock);
            f->failed++;
            for (int i = 0; i < f->commands[at].n; i++)
                text_printf(f->said, "%s%s", i ? " " : "", f->commands[at].p[i]);
            text_printf(f->said, "\n%s(status %d)\n", out.p, status);
            pthread_mutex_unlock(&f->lock);
        }
        arena_free(a);
    }
}

int run_commands(Arena *a, const StrList *commands, int n, Text *said)
{
    Farm f = {.commands = commands, .n = n, .said = said};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = cpus < 1 ? 1 : cpus > 16 ? 16 : (int)cpus;
    pthread_t *thread = NEWN(a, pthread_t, threads);
    pthread_mutex_init(&f.lock, NULL);
    int started = 0;
    while (started < threads - 1 &&
           pthread_create(&thread[started], NULL, worker, &f) == 0)
        started++;
    worker(&f);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&f.lock);
    return f.failed;
}

bool compiler_is_there(Arena *a, const char *command)
{
    StrList argv = {0};
    Text out;
    text_init(&out, a);
    split_words(a, &argv, command);
    argv.n = 1;
    vec_push(a, &argv, "-v");
    return spawn(a, &argv, &out) == 0;
}

// ---- programs --------------------------------------------------------------------------

static void write_models(Arena *a, const TrialList *trials, const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f)
        bug("cannot write %s", path);
    fputs("#include \"replay_models.h\"\n\n", f);
    for (int i = 0; i < trials->n; i++)
        fprintf(f, "extern const tfx_glue glue_%s;\n", trials->p[i].name);
    fputs("\nconst ReplayModel replay_models[] = {\n", f);
    for (int i = 0; i < trials->n; i++) {
        const Trial *t = &trials->p[i];
        fprintf(f, "    {\"%s\", &glue_%s, %lld, \"%s\", \"%s\"},\n", t->name, t->name,
                (long long)t->thread_bytes, t->weights, t->calls);
    }
    fputs("    {0}};\n", f);
    fclose(f);
    (void)a;
}

static const char *add_command(Arena *a, StrList *cmd, const Compiler *c,
                               const char *folder, const char *source,
                               const char *object, const char *more)
{
    split_words(a, cmd, c->command);
    split_words(a, cmd, "-std=c11 -w");
    split_words(a, cmd, more);
    vec_push(a, cmd, arena_printf(a, "-I%s", folder));
    vec_push(a, cmd, arena_printf(a, "-I%s/tests/numeric", source_root()));
    vec_push(a, cmd, "-c");
    vec_push(a, cmd, source);
    vec_push(a, cmd, "-o");
    vec_push(a, cmd, object);
    return object;
}

bool build_replay(Arena *a, const Compiler *c, const TrialList *trials,
                  const char *root, const char **program, Text *said)
{
    StrList *cmd = NEWN(a, StrList, 2 * trials->n + 2), link = {0};
    const char *out = arena_printf(a, "%s/%s", root, c->name);
    const char *first = trials->p[0].folder;
    int n = 0;
    mkdir(out, 0777);
    const char *models = arena_printf(a, "%s/models.c", out);
    write_models(a, trials, models);
    *program = arena_printf(a, "%s/replay", out);
    split_words(a, &link, c->command);
    vec_push(a, &link,
             add_command(a, &cmd[n++], c, first, models,
                         arena_printf(a, "%s/models.o", out), ""));
    const char *replay = arena_printf(a, "%s/tests/numeric/replay.c", source_root());
    vec_push(a, &link,
             add_command(a, &cmd[n++], c, first, replay,
                         arena_printf(a, "%s/replay.o", out), ""));
    for (int i = 0; i < trials->n; i++) {
        const Trial *t = &trials->p[i];
        vec_push(a, &link,
                 add_command(a, &cmd[n++], c, t->folder,
                             arena_printf(a, "%s/%s.c", t->folder, t->name),
                             arena_printf(a, "%s/%s.o", out, t->name), ""));
        vec_push(a, &link,
                 add_command(a, &cmd[n++], c, t->folder,
                             arena_printf(a, "%s/tfx_glue.c", t->folder),
                             arena_printf(a, "%s/%s_glue.o", out, t->name),
                             arena_printf(a, "-Dtfx_glue_table=glue_%s", t->name)));
    }
    if (run_commands(a, cmd, n, said) > 0)
        return false;
    split_words(a, &link, "-lm -lpthread -o");
    vec_push(a, &link, *program);
    return run_commands(a, &link, 1, said) == 0;
}
