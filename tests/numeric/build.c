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

void put_runner(Arena *a, StrList *argv, const Compiler *c)
{
    int i = argv->n;
    split_words(a, argv, c->runner ? c->runner : "");
    for (; i < argv->n; i++)
        if (argv->p[i][0] == '@')
            argv->p[i] =
                arena_printf(a, "%s/tests/numeric/%s", source_root(), argv->p[i] + 1);
}

bool runner_is_there(Arena *a, const char *runner)
{
    StrList argv = {0};
    Text out;
    text_init(&out, a);
    split_words(a, &argv, runner);
    argv.n = 1;
    vec_push(a, &argv, "--version");
    return spawn(a, &argv, &out) == 0;
}

// For another machine more than the compiler must be there: its C library, who runs it.
static bool machine_is_there(Arena *a, const Compiler *c, const char *root)
{
    StrList argv = {0}, runner = {0};
    Text out, by;
    text_init(&out, a);
    text_init(&by, a);
    put_runner(a, &runner, c);
    for (int i = 0; i < runner.n; i++)
        text_printf(&by, "'%s' ", runner.p[i]);
    split_words(a, &argv, "sh -ec");
    vec_push(
        a, &argv,
        arena_printf(a,
                     "P='%s/probe'\n"
                     "echo '#include <math.h>' >\"$P.c\"\n"
                     "echo '#include <stdlib.h>' >>\"$P.c\"\n"
                     "echo 'int main(int n, char **v) { "
                     "return n < 1 || atof(v[0]) > 1 || sin(n) > 2; }' >>\"$P.c\"\n"
                     "%s \"$P.c\" -lm -o \"$P\"\n%s \"$P\"",
                     root, c->command, by.p));
    return spawn(a, &argv, &out) == 0;
}

bool compiler_is_there(Arena *a, const Compiler *c, const char *root)
{
    StrList argv = {0};
    Text out;
    text_init(&out, a);
    split_words(a, &argv, c->command);
    argv.n = 1;
    vec_push(a, &argv, "-v");
    if (spawn(a, &argv, &out) != 0)
        return false;
    return !c->runner || machine_is_there(a, c, root);
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

// NAME.c, NAME_avx2.c and the like, and the glue, whose table gets a name of its own.
static const char *add_source(Arena *a, StrList *cmd, const Compiler *c, const Trial *t,
                              const char *source, const char *out)
{
    const char *base = strrchr(source, '/') + 1;
    bool is_glue = strcmp(base, "tfx_glue.c") == 0;
    return add_command(a, cmd, c, t->folder, source,
                       arena_printf(a, "%s/%s%s.o", out, is_glue ? t->name : "", base),
                       is_glue ? arena_printf(a, "-Dtfx_glue_table=glue_%s", t->name)
                               : "");
}

bool build_replay(Arena *a, const Compiler *c, const TrialList *trials,
                  const char *root, const char **program, Text *said)
{
    enum { MOST = 16 };  // files of a program
    StrList *cmd = NEWN(a, StrList, MOST * trials->n + 2), link = {0};
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
        for (int k = 0; k < t->sources.n; k++)
            vec_push(a, &link, add_source(a, &cmd[n++], c, t, t->sources.p[k], out));
    }
    if (run_commands(a, cmd, n, said) > 0)
        return false;
    split_words(a, &link, c->runner ? "-lm -o" : "-lm -lpthread -o");
    vec_push(a, &link, *program);
    return run_commands(a, &link, 1, said) == 0;
}
