// spawn.c - other programs, and a folder for what they leave.

#define _POSIX_C_SOURCE 200809L

#include "spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void split_words(Arena *a, StrList *list, const char *s)
{
    static const char blanks[] = " \t\n";
    for (s += strspn(s, blanks); *s; s += strspn(s, blanks)) {
        size_t n = strcspn(s, blanks);
        vec_push(a, list, arena_strndup(a, s, n));
        s += n;
    }
}

static void read_all(int fd, Text *out)
{
    char piece[4096];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n > 0)
            text_put(out, piece, (size_t)n);
        else if (n == 0 || errno != EINTR)
            return;
    }
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int spawn(Arena *a, const StrList *argv, Text *out)
{
    int fd[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    char **args = NEWN(a, char *, argv->n + 1);

    for (int i = 0; i < argv->n; i++)
        args[i] = arena_strdup(a, argv->p[i]);
    if (argv->n == 0 || pipe(fd) != 0) {
        text_printf(out, "cannot start a program: %s\n", strerror(errno));
        return -1;
    }
    fcntl(fd[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fd[1], 1);
    posix_spawn_file_actions_adddup2(&actions, fd[1], 2);
    posix_spawn_file_actions_addclose(&actions, fd[1]);
    int failed = posix_spawnp(&pid, args[0], &actions, NULL, args, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fd[1]);
    if (failed) {
        close(fd[0]);
        text_printf(out, "%s: %s\n", args[0], strerror(failed));
        return -1;
    }
    read_all(fd[0], out);
    close(fd[0]);
    return wait_for(pid);
}

const char *temp_folder(Arena *a, const char **why)
{
    const char *root = getenv("TMPDIR");
    char *path = arena_printf(a, "%s/tfxc-XXXXXX", root && *root ? root : "/tmp");
    if (mkdtemp(path))
        return path;
    *why = arena_printf(a, "%s: %s", path, strerror(errno));
    return NULL;
}

void temp_remove(Arena *a, const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir) {
        for (struct dirent *e; (e = readdir(dir)) != NULL;)
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                unlink(arena_printf(a, "%s/%s", folder, e->d_name));
        closedir(dir);
    }
    rmdir(folder);
}
