// tied.c - made by tfxc; do not edit.
//
// From tied.tfx (9315f3b7b0e87a69) by tfxc. SPDX-License-Identifier: 0BSD
// weights 3632 bytes, state 0, scratch 1984 and 0 for each further thread.

#include "tied.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

enum {
    VOCAB = 50,
    WIDTH = 12,
};

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Model {
    size_t tokens;     // f32[50, 12]
    size_t norm;       // f32[12]
    size_t norm_bias;  // f32[12]
} Model;

// clang-format off
static const Model table = {
    .tokens = 448,
    .norm = 3520,
    .norm_bias = 3584,
};
// clang-format on

#define TFX_LINEAR      linear
#define TFX_WEIGHT      f32
#define TFX_EXTRAS      0
#define TFX_EPILOGUE(a) a
#include "tfx_rt.h"

static const void *weight(const tied *m, size_t offset)
{
    return m->weights + offset;
}

// entry logits  tied.tfx:15
static int logits(const tied *m, const Model *w, char *scratch, ptrdiff_t T,
                  const int32_t *ids, float *out)
{
    const void *w_tokens = weight(m, w->tokens);         // f32[50, 12], panels
    float *gather_ = (float *)scratch;                   // f32[T, 12]
    const float *w_norm = weight(m, w->norm);            // f32[12]
    const float *w_norm_bias = weight(m, w->norm_bias);  // f32[12]

    int status;
    // gather_: f32[T, 12]  tied.tfx:15
    status = tfx_gather_panel_f32(gather_, WIDTH, w_tokens, ids, T, VOCAB, WIDTH);
    if (status)
        return status;
    // gather_: f32[T, 12]  tied.tfx:15
    tfx_layer_norm(m->par, gather_, WIDTH, gather_, WIDTH, w_norm, w_norm_bias, 1e-05f,
                   T, WIDTH);
    // out: f32[T, 12] @ f32[50, 12]' -> f32[T, 50]  tied.tfx:15
    linear(m->par, out, VOCAB, gather_, WIDTH, w_tokens, T, VOCAB, WIDTH);
    return TIED_OK;
}

// entry best  tied.tfx:16
static int best(const tied *m, const Model *w, char *scratch, ptrdiff_t T,
                const int32_t *ids, int32_t *out)
{
    const void *w_tokens = weight(m, w->tokens);         // f32[50, 12], panels
    float *gather_ = (float *)(scratch + 1600);          // f32[T, 12]
    const float *w_norm = weight(m, w->norm);            // f32[12]
    const float *w_norm_bias = weight(m, w->norm_bias);  // f32[12]
    float *tokens = (float *)scratch;                    // f32[T, 50]

    int status;
    // gather_: f32[T, 12]  tied.tfx:16
    status = tfx_gather_panel_f32(gather_, WIDTH, w_tokens, ids, T, VOCAB, WIDTH);
    if (status)
        return status;
    // gather_: f32[T, 12]  tied.tfx:16
    tfx_layer_norm(m->par, gather_, WIDTH, gather_, WIDTH, w_norm, w_norm_bias, 1e-05f,
                   T, WIDTH);
    // tokens: f32[T, 12] @ f32[50, 12]' -> f32[T, 50]  tied.tfx:16
    linear(m->par, tokens, VOCAB, gather_, WIDTH, w_tokens, T, VOCAB, WIDTH);
    // out: i32  tied.tfx:16
    tfx_argmax_f32(out, tokens + 50 * T - 50, 1, 50);
    return TIED_OK;
}

// How the packed file of this program begins.
static const char weights_head[] = "\270\001\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"4dd82e0f19731f87\",";

int tied_init(tied *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % TIED_ALIGN)
        return TIED_E_ALIGN;
    if (bytes != TIED_WEIGHTS_BYTES)
        return TIED_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return TIED_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return TIED_OK;
}

int tied_check(const tied *m)
{
    uint64_t sum = 0;
    if (!m)
        return TIED_E_ALIGN;
    for (size_t i = 448; i < TIED_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < TIED_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return TIED_E_WEIGHTS;
    return TIED_OK;
}

int tied_logits(const tied *m, void *scratch, int32_t T, const int32_t *ids, float *out)
{
    if (!m)
        return TIED_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % TIED_ALIGN)
        return TIED_E_ALIGN;
    if (!ids || !out)
        return TIED_E_ALIGN;
    if (T < 1 || T > TIED_MAX_T)
        return TIED_E_RANGE;
    int status = logits(m, &table, (char *)scratch, T, ids, out);
    if (status)
        return status;
    return TIED_OK;
}

int tied_best(const tied *m, void *scratch, int32_t T, const int32_t *ids, int32_t *out)
{
    if (!m)
        return TIED_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % TIED_ALIGN)
        return TIED_E_ALIGN;
    if (!ids || !out)
        return TIED_E_ALIGN;
    if (T < 1 || T > TIED_MAX_T)
        return TIED_E_RANGE;
    int status = best(m, &table, (char *)scratch, T, ids, out);
    if (status)
        return status;
    return TIED_OK;
}

const char *tied_strerror(int status)
{
    switch (status) {
    case TIED_OK:
        return "ok";
    case TIED_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case TIED_E_WEIGHTS:
        return "not the weights of this program";
    case TIED_E_INDEX:
        return "an index is out of range";
    case TIED_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
