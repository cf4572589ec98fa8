// tfxc.h - libtfxc: the compiler as a library, for C and C++.
//
//     tfxc *t = tfxc_new();
//     tfxc_set(t, "define", "T<=64");
//     int status = tfxc_compile(t, "model.tfx", "model.c");
//     fputs(tfxc_messages(t), stderr);
//     tfxc_free(t);
//
// A tfxc is one user of the compiler; different ones may be used by different threads at
// the same time, one by one thread at a time. No function exits, aborts or prints. Texts
// that functions give out belong to the tfxc and live until its next call but those that
// only ask (tfxc_messages, tfxc_errors), or tfxc_free.

#ifndef TFXC_H
#define TFXC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TFXC_VERSION "0.1.0"

// What a call returns; the program tfxc exits with the same numbers.
enum tfxc_status {
    TFXC_OK = 0,
    TFXC_REJECTED = 1,  // the input is at fault; tfxc_messages says how
    TFXC_USAGE =
        2,  // the call is at fault: an unknown option, a value that does not fit
    TFXC_INTERNAL = 70,  // a bug of the compiler; tfxc_messages says where
    TFXC_NO_MEMORY = 71
};

typedef struct tfxc tfxc;

// NULL when there is no memory. tfxc_free(NULL) is fine.
tfxc *tfxc_new(void);
void tfxc_free(tfxc *t);

// "0.1.0", of the library that is linked.
const char *tfxc_version(void);

// Sets an option by its long name without the dashes, as `tfxc --help` lists them:
// tfxc_set(t, "weights", "model.safetensors"), tfxc_set(t, "taps", NULL) for a flag.
// Options stay set for all later calls; those that may be repeated add up.
int tfxc_set(tfxc *t, const char *option, const char *value);

// From now on the `size` bytes of text stand for the file `name`, as model or as import.
// They are copied.
int tfxc_give(tfxc *t, const char *name, const char *text, size_t size);

// Reads the model and infers every shape.
int tfxc_check(tfxc *t, const char *model);

// Compiles the model to C: `output` and the files beside it, or with NULL files named
// after the model. Nothing is written unless the status is TFXC_OK.
int tfxc_compile(tfxc *t, const char *model, const char *output);

// The model at a stage, as text: "ast", "ir", "loops", "plan", "c", "dot" or "json".
int tfxc_emit(tfxc *t, const char *model, const char *stage, const char **text,
              size_t *size);

// The canonical form of a source text.
int tfxc_format(tfxc *t, const char *file, const char **text, size_t *size);

// What the last call had to say, "" if nothing: text with carets, or JSON lines after
// tfxc_set(t, "diagnostics", "json"). Never NULL.
const char *tfxc_messages(const tfxc *t);

// The number of errors in it.
int tfxc_errors(const tfxc *t);

#ifdef __cplusplus
}
#endif

#endif
