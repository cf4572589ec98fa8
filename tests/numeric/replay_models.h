// replay_models.h - the emitted programs that are linked into a replay.

#ifndef TFXC_REPLAY_MODELS_H
#define TFXC_REPLAY_MODELS_H

#include "tfx_glue.h"

typedef struct ReplayModel {
    const char *name;
    const tfx_glue *glue;
    size_t thread_bytes;          // more scratch for each further thread
    const char *weights, *calls;  // files
} ReplayModel;

extern const ReplayModel replay_models[];  // ends with a name of NULL

#endif
