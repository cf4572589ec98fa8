// half.c - made by tfxc; do not edit.
//
// From half.tfx (14a4f9217b449e53) by tfxc. SPDX-License-Identifier: 0BSD
// weights 2176 bytes, state 0, scratch 384 and 0 for each further thread.

#include "half.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Model {
    size_t tokens;   // f32[20, 12]
    size_t up_bias;  // f32[24]
    size_t scale;    // f32[24]
    size_t up;       // f32[24, 12]
} Model;

// clang-format off
static const Model table = {
    .tokens = 640,
    .up_bias = 1152,
    .scale = 1280,
    .up = 1408,
};
// clang-format on

#define TFX_LINEAR              linear_bias_tanh_mul
#define TFX_WEIGHT              bf16
#define TFX_EXTRAS              2
#define TFX_EPILOGUE(a, e0, e1) (TFX_TANH(a + e0) * e1)
#include "tfx_rt.h"

static const void *weight(const half *m, size_t offset)
{
    return m->weights + offset;
}

// entry forward  half.tfx:14
static int forward(const half *m, const Model *w, char *scratch, ptrdiff_t T,
                   const int32_t *ids, float *out)
{
    const uint16_t *w_tokens = weight(m, w->tokens);  // bf16[20, 12]
    float *gather_ = (float *)scratch;                // f32[T, 12]
    const float *w_up_bias = weight(m, w->up_bias);   // f32[24]
    const float *w_scale = weight(m, w->scale);       // f32[24]
    const void *w_up = weight(m, w->up);              // bf16[24, 12], panels

    int status;
    // gather_: f32[T, 12]  half.tfx:15
    status = tfx_gather_rows_bf16(gather_, 12, w_tokens, ids, T, 20, 12);
    if (status)
        return status;
    // out: f32[T, 12] @ f32[24, 12]' -> f32[T, 24]  half.tfx:15
    linear_bias_tanh_mul(m->par, out, 24, gather_, 12, w_up, T, 24, 12, w_up_bias, 0,
                         w_scale, 0);
    return HALF_OK;
}

// How the packed file of this program begins.
static const char weights_head[] = "\170\002\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"612c19b5c4f611c0\",";

int half_init(half *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % HALF_ALIGN)
        return HALF_E_ALIGN;
    if (bytes != HALF_WEIGHTS_BYTES)
        return HALF_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return HALF_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return HALF_OK;
}

int half_check(const half *m)
{
    uint64_t sum = 0;
    if (!m)
        return HALF_E_ALIGN;
    for (size_t i = 640; i < HALF_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < HALF_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0xa6a91febf1746dfc))
        return HALF_E_WEIGHTS;
    return HALF_OK;
}

int half_forward(const half *m, void *scratch, int32_t T, const int32_t *ids,
                 float *out)
{
    if (!m)
        return HALF_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % HALF_ALIGN)
        return HALF_E_ALIGN;
    if (!ids || !out)
        return HALF_E_ALIGN;
    if (T < 1 || T > HALF_MAX_T)
        return HALF_E_RANGE;
    int status = forward(m, &table, (char *)scratch, T, ids, out);
    if (status)
        return status;
    return HALF_OK;
}

const char *half_strerror(int status)
{
    switch (status) {
    case HALF_OK:
        return "ok";
    case HALF_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case HALF_E_WEIGHTS:
        return "not the weights of this program";
    case HALF_E_INDEX:
        return "an index is out of range";
    case HALF_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
