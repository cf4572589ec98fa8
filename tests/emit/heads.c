// heads.c - made by tfxc; do not edit.
//
// From heads.tfx (a6cb976b7bdc9627) by tfxc. SPDX-License-Identifier: 0BSD
// weights 3904 bytes, state 3136, scratch 14272 and 13504 for each further thread.

#include "heads.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

enum {
    WIDTH = 12,
    HEAD = 4,
};

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Model {
    size_t qkv_bias;  // f32[36]
    size_t qkv;       // f32[36, 12]
    size_t keys;      // f32[3, 32, 4], in the state
    size_t values;    // f32[3, 32, 4], in the state
    size_t o_bias;    // f32[12]
    size_t o;         // f32[12, 12]
} Model;

// clang-format off
static const Model table = {
    .qkv_bias = 576,
    .qkv = 768,
    .keys = 64,
    .values = 1600,
    .o_bias = 3072,
    .o = 3136,
};
// clang-format on

#define TFX_LINEAR          linear_bias_heads
#define TFX_WEIGHT          f32
#define TFX_EXTRAS          1
#define TFX_HEADS           2
#define TFX_EPILOGUE(a, e0) (a + e0)
#include "tfx_rt.h"

#define TFX_LINEAR          linear_bias
#define TFX_WEIGHT          f32
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (a + e0)
#include "tfx_rt.h"

static const void *weight(const heads *m, size_t offset)
{
    return m->weights + offset;
}

// entry next  heads.tfx:18
static void next(const heads *m, const Model *w, char *state, char *scratch, char *work,
                 ptrdiff_t T, ptrdiff_t P, const float *x, float *out)
{
    const float *w_qkv_bias = weight(m, w->qkv_bias);  // f32[36]
    const void *w_qkv = weight(m, w->qkv);             // f32[36, 12], panels
    float *keys = (float *)(state + w->keys);          // f32[3, 32, 4]
    float *values = (float *)(state + w->values);      // f32[3, 32, 4]
    float *qkv = (float *)scratch;                     // f32[T, 12]
    float *y = (float *)(scratch + 384);               // f32[T, 3, 4]
    const float *w_o_bias = weight(m, w->o_bias);      // f32[12]
    const void *w_o = weight(m, w->o);                 // f32[12, 12], panels

    // qkv: f32[T, 12] @ f32[36, 12]' -> f32[T, 36]
    linear_bias_heads(m->par, qkv, 12, x, WIDTH, w_qkv, T, 36, WIDTH, w_qkv_bias, 0,
                      keys + 4 * P, 128, 4, 3, HEAD, values + 4 * P, 128, 4, 3, HEAD);
    // y: f32[3, T, 4]  heads.tfx:21
    {
        const tfx_attn args = {
            .y = y,
            .q = qkv,
            .k = keys,
            .v = values,
            .y_head = 4,
            .y_row = 12,
            .q_head = 4,
            .q_row = 12,
            .k_head = 128,
            .k_row = 4,
            .v_head = 128,
            .v_row = 4,
            .batch = 1,
            .heads = 3,
            .groups = 3,
            .tq = T,
            .tk = T + P,
            .d = 4,
            .dv = HEAD,
            .scale = 0.5f,
            .causal = 1,
            .from = P,
            .scratch = (float *)work,
        };
        tfx_attention(m->par, &args);
    }
    // out: f32[T, 12] @ f32[12, 12]' -> f32[T, 12]  heads.tfx:28
    linear_bias(m->par, out, WIDTH, y, 12, w_o, T, WIDTH, WIDTH, w_o_bias, 0);
}

// How the packed file of this program begins.
static const char weights_head[] = "\070\002\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"6920d5746ad5eea0\",";

int heads_init(heads *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % HEADS_ALIGN)
        return HEADS_E_ALIGN;
    if (bytes != HEADS_WEIGHTS_BYTES)
        return HEADS_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return HEADS_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return HEADS_OK;
}

int heads_check(const heads *m)
{
    uint64_t sum = 0;
    if (!m)
        return HEADS_E_ALIGN;
    for (size_t i = 576; i < HEADS_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < HEADS_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return HEADS_E_WEIGHTS;
    return HEADS_OK;
}

int heads_reset(void *state)
{
    if (!state || (uintptr_t)state % HEADS_ALIGN)
        return HEADS_E_ALIGN;
    memset(state, 0, sizeof(int32_t));
    return HEADS_OK;
}

int heads_rewind(void *state, int32_t n)
{
    int32_t at;
    if (!state || (uintptr_t)state % HEADS_ALIGN)
        return HEADS_E_ALIGN;
    memcpy(&at, state, sizeof(at));
    if (n < 0 || n > at)
        return HEADS_E_RANGE;
    memcpy(state, &n, sizeof(n));
    return HEADS_OK;
}

int heads_next(const heads *m, void *state, void *scratch, int32_t T, const float *x,
               float *out)
{
    if (!m || !state || (uintptr_t)state % HEADS_ALIGN)
        return HEADS_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % HEADS_ALIGN)
        return HEADS_E_ALIGN;
    if (!x || !out)
        return HEADS_E_ALIGN;
    if (T < 1 || T > HEADS_MAX_T)
        return HEADS_E_RANGE;
    int32_t P;
    memcpy(&P, state, sizeof(P));
    if (P < 0 || P > HEADS_MAX_P - T)
        return HEADS_E_RANGE;
    next(m, &table, (char *)state, (char *)scratch, (char *)scratch + 768, T, P, x,
         out);
    P += T;
    memcpy(state, &P, sizeof(P));
    return HEADS_OK;
}

const char *heads_strerror(int status)
{
    switch (status) {
    case HEADS_OK:
        return "ok";
    case HEADS_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case HEADS_E_WEIGHTS:
        return "not the weights of this program";
    case HEADS_E_INDEX:
        return "an index is out of range";
    case HEADS_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
