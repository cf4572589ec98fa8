// attention.c - made by tfxc; do not edit.
//
// From attention.tfx (4a167399f77f4305) by tfxc. SPDX-License-Identifier: 0BSD
// weights 7088 bytes, state 6208, scratch 15040 and 13504 for each further thread.

#include "attention.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

enum {
    WIDTH = 12,
    HEADS = 3,
};

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Attention {
    size_t qkv;     // f32[36, 12]
    size_t keys;    // f32[32, 12], in the state
    size_t values;  // f32[32, 12], in the state
    size_t o;       // f32[12, 12]
} Attention;

typedef struct Layer {
    Attention attn;
    size_t norm;  // f32[12]
} Layer;

typedef struct Model {
    Layer layers[2];
} Model;

// clang-format off
static const Model table = {
    .layers = {
        {.attn = {.qkv = 832, .keys = 64, .values = 1600, .o = 3136}, .norm = 3904},
        {.attn = {.qkv = 3968, .keys = 3136, .values = 4672, .o = 6272}, .norm = 7040},
    },
};
// clang-format on

#define TFX_LINEAR      linear_heads
#define TFX_WEIGHT      f32
#define TFX_EXTRAS      0
#define TFX_HEADS       2
#define TFX_EPILOGUE(a) a
#include "tfx_rt.h"

#define TFX_LINEAR          linear_add
#define TFX_WEIGHT          f32
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (e0 + a)
#include "tfx_rt.h"

static const void *weight(const attention *m, size_t offset)
{
    return m->weights + offset;
}

// Attention layers.{i}.attn  attention.tfx:17
static void attn(const attention *m, const Attention *w, char *state, char *scratch,
                 char *work, ptrdiff_t T, ptrdiff_t P, const float *norm, float *x2)
{
    const void *w_qkv = weight(m, w->qkv);         // f32[36, width=12], panels
    float *keys = (float *)(state + w->keys);      // f32[32, width=12]
    float *values = (float *)(state + w->values);  // f32[32, width=12]
    float *qkv = (float *)scratch;                 // f32[T, 12]
    float *y = (float *)(scratch + 384);           // f32[T, heads=3, 4]
    const void *w_o = weight(m, w->o);             // f32[width=12, width=12], panels

    // qkv: f32[T, 12] @ f32[36, 12]' -> f32[T, 36]  attention.tfx:17
    linear_heads(m->par, qkv, 12, norm, WIDTH, w_qkv, T, 36, WIDTH, keys + 12 * P, 0,
                 12, 1, WIDTH, values + 12 * P, 0, 12, 1, WIDTH);
    // y: f32[3, T, 4]  attention.tfx:20
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
            .k_head = 4,
            .k_row = 12,
            .v_head = 4,
            .v_row = 12,
            .batch = 1,
            .heads = HEADS,
            .groups = HEADS,
            .tq = T,
            .tk = T + P,
            .d = 4,
            .dv = 4,
            .scale = 0.5f,
            .causal = 1,
            .from = P,
            .scratch = (float *)work,
        };
        tfx_attention(m->par, &args);
    }
    // x2: f32[T, 12] @ f32[12, 12]' -> f32[T, 12]  attention.tfx:27
    linear_add(m->par, x2, WIDTH, y, 12, w_o, T, WIDTH, WIDTH, x2, WIDTH);
}

// Layer layers.{i}  attention.tfx:35
static void layers(const attention *m, const Layer *w, char *state, char *scratch,
                   char *work, ptrdiff_t T, ptrdiff_t P, float *x2)
{
    const float *w_norm = weight(m, w->norm);  // f32[width=12]
    float *norm = (float *)(scratch + 768);    // f32[T, width=12]

    // norm: f32[T, 12]  attention.tfx:35
    tfx_rms_norm(m->par, norm, WIDTH, x2, WIDTH, w_norm, 1e-05f, T, WIDTH);
    attn(m, &w->attn, state, scratch, work, T, P, norm, x2);
}

// entry next  attention.tfx:41
static void next(const attention *m, const Model *w, char *state, char *scratch,
                 char *work, ptrdiff_t T, ptrdiff_t P, const float *x, float *out)
{
    float *x2 = (float *)(scratch + 1152);  // f32[T, width=12]

    for (ptrdiff_t i = 0; i < 12 * T; i++)
        x2[i] = x[i];
    for (ptrdiff_t i = 0; i < 2; i++)
        layers(m, &w->layers[i], state, scratch, work, T, P, x2);
    for (ptrdiff_t i = 0; i < 12 * T; i++)
        out[i] = x2[i];
}

// How the packed file of this program begins.
static const char weights_head[] = "\070\003\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"d757a2886012c2a1\",";

int attention_init(attention *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % ATTENTION_ALIGN)
        return ATTENTION_E_ALIGN;
    if (bytes != ATTENTION_WEIGHTS_BYTES)
        return ATTENTION_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return ATTENTION_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return ATTENTION_OK;
}

int attention_check(const attention *m)
{
    uint64_t sum = 0;
    if (!m)
        return ATTENTION_E_ALIGN;
    for (size_t i = 832; i < ATTENTION_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < ATTENTION_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return ATTENTION_E_WEIGHTS;
    return ATTENTION_OK;
}

int attention_reset(void *state)
{
    if (!state || (uintptr_t)state % ATTENTION_ALIGN)
        return ATTENTION_E_ALIGN;
    memset(state, 0, sizeof(int32_t));
    return ATTENTION_OK;
}

int attention_rewind(void *state, int32_t n)
{
    int32_t at;
    if (!state || (uintptr_t)state % ATTENTION_ALIGN)
        return ATTENTION_E_ALIGN;
    memcpy(&at, state, sizeof(at));
    if (n < 0 || n > at)
        return ATTENTION_E_RANGE;
    memcpy(state, &n, sizeof(n));
    return ATTENTION_OK;
}

int attention_next(const attention *m, void *state, void *scratch, int32_t T,
                   const float *x, float *out)
{
    if (!m || !state || (uintptr_t)state % ATTENTION_ALIGN)
        return ATTENTION_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % ATTENTION_ALIGN)
        return ATTENTION_E_ALIGN;
    if (!x || !out)
        return ATTENTION_E_ALIGN;
    if (T < 1 || T > ATTENTION_MAX_T)
        return ATTENTION_E_RANGE;
    int32_t P;
    memcpy(&P, state, sizeof(P));
    if (P < 0 || P > ATTENTION_MAX_P - T)
        return ATTENTION_E_RANGE;
    next(m, &table, (char *)state, (char *)scratch, (char *)scratch + 1536, T, P, x,
         out);
    P += T;
    memcpy(state, &P, sizeof(P));
    return ATTENTION_OK;
}

const char *attention_strerror(int status)
{
    switch (status) {
    case ATTENTION_OK:
        return "ok";
    case ATTENTION_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case ATTENTION_E_WEIGHTS:
        return "not the weights of this program";
    case ATTENTION_E_INDEX:
        return "an index is out of range";
    case ATTENTION_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
