// build.h - compiling and linking emitted programs, several compilers at a time.

#ifndef TFXC_NUMERIC_BUILD_H
#define TFXC_NUMERIC_BUILD_H

#include "record.h"

// One compiler with its flags: "gcc -O1", for compiling and linking.
typedef struct Compiler {
    const char *name;  // a folder of that name under root takes the objects
    const char *command;
    // Of its programs: "qemu-aarch64"; NULL: this machine. @ stands for tests/numeric/.
    const char *runner;
} Compiler;

// Adds the words of the runner.
void put_runner(Arena *a, StrList *argv, const Compiler *c);
// Whether the first word of a runner is a program.
bool runner_is_there(Arena *a, const char *runner);

// Whether a program can be compiled, and run; root is for files.
bool compiler_is_there(Arena *a, const Compiler *c, const char *root);

// Compiles the programs with replay.c and links them into *program. False with what was
// said.
bool build_replay(Arena *a, const Compiler *c, const TrialList *trials,
                  const char *root, const char **program, Text *said);

// Runs commands, as many at a time as there are processors. Returns how many failed, what
// those printed in *said.
int run_commands(Arena *a, const StrList *commands, int n, Text *said);

// The folder of the sources: $TFXC_ROOT or where we are.
const char *source_root(void);

#endif
