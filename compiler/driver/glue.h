// glue.h - the door into an emitted program that was built as a shared object.
//
// `run` and `verify` write this header beside the emitted C and a small glue file that
// defines tfx_glue_table; cc.c builds them, load.c looks up the one symbol. Nothing of it
// is in what users get. The header stands alone: the compiler includes it too.

#ifndef TFX_GLUE_H
#define TFX_GLUE_H

#include <stddef.h>
#include <stdint.h>

enum { TFX_GLUE_ABI = 2 };

struct tfx_par;

// Where one state lies in the state region, turns put in: "layers.0.attn.k".
typedef struct tfx_glue_state {
    const char *path;
    size_t offset, bytes;
} tfx_glue_state;

// Gets every value that has a name in the source, as it is made: dense, row-major.
typedef void tfx_glue_tap(void *ctx, int value, const void *data);

// Is told which value the program computes from now on.
typedef void tfx_glue_mark(void *ctx, int value);
// roof.c: the most multiply-adds and bytes read from memory, in 10^9 a second.
typedef void tfx_glue_roof(const struct tfx_par *par, double *gflops, double *gbytes);

typedef struct tfx_glue {
    int abi;               // TFX_GLUE_ABI
    size_t state_bytes;    // 0: the program has no state
    size_t scratch_bytes;  // at the bounds, with one thread
    int nentries;
    const char *const *entries;  // by number of entry
    int nstates;
    const tfx_glue_state *states;
    void (*reset)(void *state);  // NULL without state

    // Initialises a model struct over the packed weights (64-byte aligned) and calls an
    // entry. dims[id] for every dim of the module by its index there; the cursor's is not
    // read. in[] are the entry's params in order, out[] its results.
    int (*run)(int entry, const void *weights, size_t bytes, void *state, void *scratch,
               const struct tfx_par *par, const int32_t *dims, const void *const *in,
               void *const *out);
    const char *(*strerror)(int status);
    void (*set_tap)(tfx_glue_tap *tap, void *ctx);     // NULL: not compiled with --taps
    void (*set_mark)(tfx_glue_mark *mark, void *ctx);  // NULL: not for tfxc bench
    // The level that run takes, "" if there is none by the name in $TFX_LEVEL; NULL: not
    // compiled with --dispatch.
    const char *(*level)(void);
} tfx_glue;

extern const tfx_glue tfx_glue_table;
tfx_glue_roof tfx_roof;

#endif
