// commands.h - one function a verb: cmd_<verb> returns the exit status.

#ifndef TFXC_COMMANDS_H
#define TFXC_COMMANDS_H

#include "cli.h"
#include "compiler/job.h"

enum {
    EXIT_OK = 0,
    EXIT_DIAGNOSTICS = 1,
    EXIT_USAGE = 2,
    EXIT_MISMATCH = 3,
    EXIT_INTERNAL = 70
};

typedef struct Command {
    Job *job;
    const Settings *set;
    const Args *args;
    Arena *arena;
    Text out;  // for standard output
    Text err;  // for standard error: usage
} Command;

#define VERB(name, args, summary, more) int cmd_##name(Command *c);
#include "compiler/verbs.def"
#undef VERB

// The one word that the verb needs; NULL after saying what is missing or too much.
const char *only_word(Command *c, const char *what);
// --entry, or the only one; NULL after reporting. In cmd_run.c.
Graph *choose_entry(Command *c);
// EXIT_DIAGNOSTICS if errors were reported, else status.
int finish(const Command *c, int status);

#endif
