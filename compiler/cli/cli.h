// cli.h - the program around the library: arguments, help, and one function a verb.

#ifndef TFXC_CLI_H
#define TFXC_CLI_H

#include "compiler/settings.h"

typedef struct Args {
    Verb verb;
    StrList words;  // what is no option, the verb left out
} Args;

// args.c: takes argv apart. False with a sentence in *why when it makes no sense.
bool args_parse(Settings *s, Args *args, int argc, char **argv, const char **why);

// help.c
void help_print(Text *out);                     // the program
void help_verb(Text *out, Verb v);              // one verb
void help_man(Text *out, const char *version);  // docs/tfxc.1
// Text broken at blanks into lines of at most `width`, all but the first indented.
void wrap_puts(Text *out, const char *text, int indent, int width);

#endif
