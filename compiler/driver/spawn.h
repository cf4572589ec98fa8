// spawn.h - other programs, and a folder for what they leave.

#ifndef TFXC_SPAWN_H
#define TFXC_SPAWN_H

#include "compiler/settings.h"

// Runs argv[0] from PATH with no standard input; what it prints goes to *out. The exit
// status, 128 + n for a signal, or -1 with a sentence in *out when it could not start.
int spawn(Arena *a, const StrList *argv, Text *out);

// Adds the words of s, split at blanks: "ccache gcc -m32" is three.
void split_words(Arena *a, StrList *list, const char *s);

// A new folder under $TMPDIR (or /tmp); NULL with a sentence in *why.
const char *temp_folder(Arena *a, const char **why);
// Removes it with the files in it.
void temp_remove(Arena *a, const char *folder);

#endif
