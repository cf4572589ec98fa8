// small.c - made by tfxc; do not edit.
//
// From small.tfx (eeea44c360b4ea75) by tfxc. SPDX-License-Identifier: 0BSD
// weights 79680 bytes, state 0, scratch 7168 and 0 for each further thread.

#include "small.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

#include "tfx_rt_q.h"

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Layer {
    size_t norm;       // f32[64]
    size_t up_right;   // f32[16, 64]
    size_t up_left;    // f32[96, 16]
    size_t gate_bias;  // f32[64]
    size_t gate;       // f32[64, 64]
    size_t down;       // f32[64, 96]
} Layer;

typedef struct Model {
    Layer layer[3];
    size_t head_bias;  // f32[10]
    size_t head;       // f32[10, 64]
} Model;

// clang-format off
static const Model table = {
    .layer = {
        {.norm = 2112, .up_right = 2368, .up_left = 3520, .gate_bias = 5824, .gate = 6080, .down = 8384},
        {.norm = 27264, .up_right = 27520, .up_left = 28672, .gate_bias = 30976, .gate = 31232, .down = 33536},
        {.norm = 52416, .up_right = 52672, .up_left = 53824, .gate_bias = 56128, .gate = 56384, .down = 58688},
    },
    .head_bias = 77568,
    .head = 77632,
};
// clang-format on

// clang-format off
#define SILU(a) ((a) / (1.0f + TFX_EXP(-(a))))
// clang-format on

#define TFX_LINEAR      linear_rounded
#define TFX_WEIGHT      i8
#define TFX_EXTRAS      0
#define TFX_ROUNDED     1
#define TFX_EPILOGUE(a) a
#include "tfx_rt.h"

#define TFX_LINEAR      linear_silu
#define TFX_WEIGHT      i8
#define TFX_EXTRAS      0
#define TFX_EPILOGUE(a) SILU(a)
#include "tfx_rt.h"

#define TFX_LINEAR          linear_bias
#define TFX_WEIGHT          i4g32
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (a + e0)
#include "tfx_rt.h"

#define TFX_LINEAR              linear_mul_add
#define TFX_WEIGHT              block48
#define TFX_EXTRAS              2
#define TFX_EPILOGUE(a, e0, e1) (e1 + a * e0)
#include "tfx_rt.h"

#define TFX_LINEAR          linear_bias_2
#define TFX_WEIGHT          f16
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (a + e0)
#include "tfx_rt.h"

static const void *weight(const small *m, size_t offset)
{
    return m->weights + offset;
}

// Layer layer.{i}  small.tfx:16
static void layer(const small *m, const Layer *w, char *scratch, ptrdiff_t T, float *h)
{
    const float *w_norm = weight(m, w->norm);             // f32[64]
    float *norm_rounded = (float *)scratch;               // f32[17*T]
    const void *w_up_right = weight(m, w->up_right);      // int8[16, 64], panels
    float *up_right = (float *)(scratch + 576);           // f32[T, 16]
    float *up_right_rounded = (float *)(scratch + 3072);  // f32[17*T]
    const void *w_up_left = weight(m, w->up_left);        // int8[96, 16], panels
    float *up_left = (float *)scratch;                    // f32[T, 96]
    const float *w_gate_bias = weight(m, w->gate_bias);   // f32[64]
    const void *w_gate = weight(m, w->gate);              // int4g32[64, 64], panels
    float *gate = (float *)(scratch + 3072);              // f32[T, 64]
    const void *w_down = weight(m, w->down);              // block48[64, 96], panels

    // norm_rounded: f32[T, 64]  small.tfx:17
    tfx_rms_norm_rounded(m->par, NULL, 0, h, 64, w_norm, 1e-05f, T, 64, norm_rounded);
    // up_right: f32[T, 64] @ f32[16, 64]' -> f32[T, 16]  small.tfx:17
    linear_rounded(m->par, up_right, 16, norm_rounded, 0, w_up_right, T, 16, 64, NULL,
                   up_right_rounded);
    // up_left: f32[T, 16] @ f32[96, 16]' -> f32[T, 96]  small.tfx:17
    linear_silu(m->par, up_left, 96, up_right_rounded, 0, w_up_left, T, 96, 16, NULL);
    // gate: f32[T, 64] @ f32[64, 64]' -> f32[T, 64]  small.tfx:18
    linear_bias(m->par, gate, 64, h, 64, w_gate, T, 64, 64, w_gate_bias, 0);
    // h: f32[T, 96] @ f32[64, 96]' -> f32[T, 64]  small.tfx:17
    linear_mul_add(m->par, h, 64, up_left, 96, w_down, T, 64, 96, NULL, gate, 64, h,
                   64);
}

// entry forward  small.tfx:26
static void forward(const small *m, const Model *w, char *scratch, ptrdiff_t T,
                    const float *x, float *out)
{
    float *h = (float *)(scratch + 5120);                // f32[T, 64]
    const float *w_head_bias = weight(m, w->head_bias);  // f32[10]
    const void *w_head = weight(m, w->head);             // f16[10, 64], panels

    for (ptrdiff_t i = 0; i < 64 * T; i++)
        h[i] = x[i];
    for (ptrdiff_t i = 0; i < 3; i++)
        layer(m, &w->layer[i], scratch, T, h);
    // out: f32[T, 64] @ f32[10, 64]' -> f32[T, 10]  small.tfx:29
    linear_bias_2(m->par, out, 10, h, 64, w_head, T, 10, 64, w_head_bias, 0);
}

// How the packed file of this program begins.
static const char weights_head[] = "\070\010\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"abbfd6bb93d19f77\",";

int small_init(small *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % SMALL_ALIGN)
        return SMALL_E_ALIGN;
    if (bytes != SMALL_WEIGHTS_BYTES)
        return SMALL_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return SMALL_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return SMALL_OK;
}

int small_check(const small *m)
{
    uint64_t sum = 0;
    if (!m)
        return SMALL_E_ALIGN;
    for (size_t i = 2112; i < SMALL_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < SMALL_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return SMALL_E_WEIGHTS;
    return SMALL_OK;
}

int small_forward(const small *m, void *scratch, int32_t T, const float *x, float *out)
{
    if (!m)
        return SMALL_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % SMALL_ALIGN)
        return SMALL_E_ALIGN;
    if (!x || !out)
        return SMALL_E_ALIGN;
    if (T < 1 || T > SMALL_MAX_T)
        return SMALL_E_RANGE;
    forward(m, &table, (char *)scratch, T, x, out);
    return SMALL_OK;
}

const char *small_strerror(int status)
{
    switch (status) {
    case SMALL_OK:
        return "ok";
    case SMALL_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case SMALL_E_WEIGHTS:
        return "not the weights of this program";
    case SMALL_E_INDEX:
        return "an index is out of range";
    case SMALL_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
