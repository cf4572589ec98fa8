// mlp.c - made by tfxc; do not edit.
//
// From mlp.tfx (a23fd477f335d6d3) by tfxc. SPDX-License-Identifier: 0BSD
// weights 2880 bytes, state 0, scratch 1280 and 0 for each further thread.

#include "mlp.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Model {
    size_t up_bias;  // f32[20]
    size_t up;       // f32[20, 8]
    size_t down;     // f32[8, 20]
} Model;

// clang-format off
static const Model table = {
    .up_bias = 448,
    .up = 576,
    .down = 1600,
};
// clang-format on

// clang-format off
#define GELU(a) ((a) * TFX_NDTR((a)))
// clang-format on

#define TFX_LINEAR          linear_bias_gelu
#define TFX_WEIGHT          f32
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) GELU(a + e0)
#include "tfx_rt.h"

#define TFX_LINEAR          linear_add
#define TFX_WEIGHT          f32
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (e0 + a)
#include "tfx_rt.h"

static const void *weight(const mlp *m, size_t offset)
{
    return m->weights + offset;
}

// entry forward  mlp.tfx:13
static void forward(const mlp *m, const Model *w, char *scratch, ptrdiff_t T,
                    const float *x, float *out)
{
    const float *w_up_bias = weight(m, w->up_bias);  // f32[20]
    const void *w_up = weight(m, w->up);             // f32[20, 8], panels
    float *up = (float *)scratch;                    // f32[T, 20]
    const void *w_down = weight(m, w->down);         // f32[8, 20], panels

    // up: f32[T, 8] @ f32[20, 8]' -> f32[T, 20]  mlp.tfx:13
    linear_bias_gelu(m->par, up, 20, x, 8, w_up, T, 20, 8, w_up_bias, 0);
    // out: f32[T, 20] @ f32[8, 20]' -> f32[T, 8]  mlp.tfx:13
    linear_add(m->par, out, 8, up, 20, w_down, T, 8, 20, x, 8);
}

// How the packed file of this program begins.
static const char weights_head[] = "\270\001\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"b239ed7515af6ce2\",";

int mlp_init(mlp *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % MLP_ALIGN)
        return MLP_E_ALIGN;
    if (bytes != MLP_WEIGHTS_BYTES)
        return MLP_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return MLP_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return MLP_OK;
}

int mlp_check(const mlp *m)
{
    uint64_t sum = 0;
    if (!m)
        return MLP_E_ALIGN;
    for (size_t i = 448; i < MLP_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < MLP_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return MLP_E_WEIGHTS;
    return MLP_OK;
}

int mlp_forward(const mlp *m, void *scratch, int32_t T, const float *x, float *out)
{
    if (!m)
        return MLP_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % MLP_ALIGN)
        return MLP_E_ALIGN;
    if (!x || !out)
        return MLP_E_ALIGN;
    if (T < 1 || T > MLP_MAX_T)
        return MLP_E_RANGE;
    forward(m, &table, (char *)scratch, T, x, out);
    return MLP_OK;
}

const char *mlp_strerror(int status)
{
    switch (status) {
    case MLP_OK:
        return "ok";
    case MLP_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case MLP_E_WEIGHTS:
        return "not the weights of this program";
    case MLP_E_INDEX:
        return "an index is out of range";
    case MLP_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
