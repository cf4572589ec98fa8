// peak.c - runs a command and writes what it took: wall seconds, processor seconds, and
// the peak of its memory in MB.
//
//     gcc -std=c11 -O2 -o peak bench/peak.c
//     ./peak OUT COMMAND ARGUMENT...      OUT: one line "1.40 0.52 7"
//
// The memory is that of the largest process: the command, or one it waited for.

#define _GNU_SOURCE  // wait4

#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: peak OUT COMMAND ARGUMENT...\n");
        return 2;
    }
    double start = wall();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    struct rusage used;
    if (child < 0 || wait4(child, &status, 0, &used) < 0) {
        perror("peak");
        return 127;
    }
    FILE *f = fopen(argv[1], "w");
    if (f == NULL) {
        perror(argv[1]);
        return 127;
    }
    fprintf(f, "%.2f %.2f %ld\n", wall() - start,
            seconds(used.ru_utime) + seconds(used.ru_stime),
            (used.ru_maxrss + 999) / 1000);
    if (fclose(f) != 0)
        return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
