// rounded.c - made by tfxc; do not edit.
//
// From rounded.tfx (8696d0d0a6707524) by tfxc. SPDX-License-Identifier: 0BSD
// weights 1792 bytes, state 0, scratch 1088 and 0 for each further thread.

#include "rounded.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

#include "tfx_rt_q.h"

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Model {
    size_t gate;  // f32[16, 8]
    size_t up;    // f32[16, 8]
    size_t norm;  // f32[16]
    size_t down;  // f32[8, 16]
    size_t out;   // f32[8, 8]
} Model;

// clang-format off
static const Model table = {
    .gate = 576,
    .up = 832,
    .norm = 1088,
    .down = 1152,
    .out = 1536,
};
// clang-format on

// clang-format off
#define SILU(a) ((a) / (1.0f + TFX_EXP(-(a))))
// clang-format on

#define TFX_LINEAR      linear_silu
#define TFX_WEIGHT      i8
#define TFX_EXTRAS      0
#define TFX_EPILOGUE(a) SILU(a)
#include "tfx_rt.h"

#define TFX_LINEAR          linear_mul
#define TFX_WEIGHT          i8
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (e0 * a)
#include "tfx_rt.h"

#define TFX_LINEAR      linear_relu_rounded
#define TFX_WEIGHT      i8
#define TFX_EXTRAS      0
#define TFX_ROUNDED     1
#define TFX_EPILOGUE(a) TFX_MAX(a, 0.0f)
#include "tfx_rt.h"

#define TFX_LINEAR          linear_add
#define TFX_WEIGHT          i8
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (e0 + a)
#include "tfx_rt.h"

static const void *weight(const rounded *m, size_t offset)
{
    return m->weights + offset;
}

// entry forward  rounded.tfx:16
static void forward(const rounded *m, const Model *w, char *scratch, ptrdiff_t T,
                    const float *x, float *out_y)
{
    const void *w_gate = weight(m, w->gate);   // int8[16, 8], panels
    float *gate = (float *)(scratch + 576);    // f32[T, 16]
    float *x_rounded = (float *)scratch;       // f32[17*T]
    const void *w_up = weight(m, w->up);       // int8[16, 8], panels
    const float *w_norm = weight(m, w->norm);  // f32[16]
    float *norm_rounded = (float *)scratch;    // f32[17*T]
    const void *w_down = weight(m, w->down);   // int8[8, 16], panels
    float *down = (float *)(scratch + 576);    // f32[T, 8]
    float *down_rounded = (float *)scratch;    // f32[17*T]
    const void *w_out = weight(m, w->out);     // int8[8, 8], panels

    // gate: f32[T, 8] @ f32[16, 8]' -> f32[T, 16]  rounded.tfx:17
    linear_silu(m->par, gate, 16, x, 8, w_gate, T, 16, 8, x_rounded);
    // gate: f32[T, 8] @ f32[16, 8]' -> f32[T, 16]  rounded.tfx:17
    linear_mul(m->par, gate, 16, x_rounded, 0, w_up, T, 16, 8, NULL, gate, 16);
    // norm_rounded: f32[T, 16]  rounded.tfx:18
    tfx_rms_norm_rounded(m->par, NULL, 0, gate, 16, w_norm, 1e-05f, T, 16,
                         norm_rounded);
    // down: f32[T, 16] @ f32[8, 16]' -> f32[T, 8]  rounded.tfx:18
    linear_relu_rounded(m->par, down, 8, norm_rounded, 0, w_down, T, 8, 16, NULL,
                        down_rounded);
    // out_y: f32[T, 8] @ f32[8, 8]' -> f32[T, 8]  rounded.tfx:18
    linear_add(m->par, out_y, 8, down_rounded, 0, w_out, T, 8, 8, NULL, x, 8);
}

// How the packed file of this program begins.
static const char weights_head[] = "\070\002\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"527742b6096e77f9\",";

int rounded_init(rounded *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % ROUNDED_ALIGN)
        return ROUNDED_E_ALIGN;
    if (bytes != ROUNDED_WEIGHTS_BYTES)
        return ROUNDED_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return ROUNDED_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return ROUNDED_OK;
}

int rounded_check(const rounded *m)
{
    uint64_t sum = 0;
    if (!m)
        return ROUNDED_E_ALIGN;
    for (size_t i = 576; i < ROUNDED_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < ROUNDED_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return ROUNDED_E_WEIGHTS;
    return ROUNDED_OK;
}

int rounded_forward(const rounded *m, void *scratch, int32_t T, const float *x,
                    float *out_y)
{
    if (!m)
        return ROUNDED_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % ROUNDED_ALIGN)
        return ROUNDED_E_ALIGN;
    if (!x || !out_y)
        return ROUNDED_E_ALIGN;
    if (T < 1 || T > ROUNDED_MAX_T)
        return ROUNDED_E_RANGE;
    forward(m, &table, (char *)scratch, T, x, out_y);
    return ROUNDED_OK;
}

const char *rounded_strerror(int status)
{
    switch (status) {
    case ROUNDED_OK:
        return "ok";
    case ROUNDED_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case ROUNDED_E_WEIGHTS:
        return "not the weights of this program";
    case ROUNDED_E_INDEX:
        return "an index is out of range";
    case ROUNDED_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
