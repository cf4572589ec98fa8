// ranks.c - made by tfxc; do not edit.
//
// From ranks.tfx (cb2a346ed3422365) by tfxc. SPDX-License-Identifier: 0BSD
// weights 9728 bytes, state 0, scratch 1728 and 0 for each further thread.

#include "ranks.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

#include "tfx_rt_q.h"

enum {
    WIDTH = 12,
};

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region. And sizes, where they differ from row to row.

typedef struct Layer {
    size_t norm;        // f32[12]
    size_t up_right;    // f32[up_rank, 12]
    size_t up_left;     // f32[24, up_rank]
    size_t down;        // f32[12, 24]
    ptrdiff_t up_rank;  // of this row
} Layer;

typedef struct Model {
    Layer layer[3];
} Model;

// clang-format off
static const Model table = {
    .layer = {
        {.norm = 1472, .up_right = 1536, .up_left = 1856, .down = 2240, .up_rank = 3},
        {.norm = 4608, .up_right = 4672, .up_left = 4992, .down = 5376, .up_rank = 1},
        {.norm = 7744, .up_right = 7808, .up_left = 8128, .down = 8512, .up_rank = 3},
    },
};
// clang-format on

#define TFX_LINEAR      linear_rounded
#define TFX_WEIGHT      i8
#define TFX_EXTRAS      0
#define TFX_ROUNDED     1
#define TFX_EPILOGUE(a) a
#include "tfx_rt.h"

#define TFX_LINEAR      linear_relu
#define TFX_WEIGHT      i8
#define TFX_EXTRAS      0
#define TFX_EPILOGUE(a) TFX_MAX(a, 0.0f)
#include "tfx_rt.h"

#define TFX_LINEAR          linear_add
#define TFX_WEIGHT          block48
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (e0 + a)
#include "tfx_rt.h"

static const void *weight(const ranks *m, size_t offset)
{
    return m->weights + offset;
}

// Layer layer.{i}  ranks.tfx:16
static void layer(const ranks *m, const Layer *w, char *scratch, ptrdiff_t T, float *x2)
{
    const float *w_norm = weight(m, w->norm);            // f32[12]
    float *norm_rounded = (float *)scratch;              // f32[17*T]
    const void *w_up_right = weight(m, w->up_right);     // int8[up_rank, 12], panels
    float *up_right = (float *)(scratch + 576);          // f32[T, up_rank]
    float *up_right_rounded = (float *)(scratch + 768);  // f32[17*T]
    const void *w_up_left = weight(m, w->up_left);       // int8[24, up_rank], panels
    float *up_left = (float *)scratch;                   // f32[T, 24]
    const void *w_down = weight(m, w->down);             // block48[12, 24], panels

    // norm_rounded: f32[T, 12]  ranks.tfx:16
    tfx_rms_norm_rounded(m->par, NULL, 0, x2, WIDTH, w_norm, 1e-05f, T, WIDTH,
                         norm_rounded);
    // up_right: f32[T, 12] @ f32[up_rank, 12]' -> f32[T, up_rank]  ranks.tfx:16
    linear_rounded(m->par, up_right, w->up_rank, norm_rounded, 0, w_up_right, T,
                   w->up_rank, WIDTH, NULL, up_right_rounded);
    // up_left: f32[T, up_rank] @ f32[24, up_rank]' -> f32[T, 24]  ranks.tfx:16
    linear_relu(m->par, up_left, 2 * WIDTH, up_right_rounded, 0, w_up_left, T,
                2 * WIDTH, w->up_rank, NULL);
    // x2: f32[T, 24] @ f32[12, 24]' -> f32[T, 12]  ranks.tfx:16
    linear_add(m->par, x2, WIDTH, up_left, 2 * WIDTH, w_down, T, WIDTH, 2 * WIDTH, NULL,
               x2, WIDTH);
}

// entry run  ranks.tfx:21
static void run(const ranks *m, const Model *w, char *scratch, ptrdiff_t T,
                const float *x, float *out)
{
    float *x2 = (float *)(scratch + 1344);  // f32[T, width=12]

    for (ptrdiff_t i = 0; i < 12 * T; i++)
        x2[i] = x[i];
    for (ptrdiff_t i = 0; i < 3; i++)
        layer(m, &w->layer[i], scratch, T, x2);
    for (ptrdiff_t i = 0; i < 12 * T; i++)
        out[i] = x2[i];
}

// How the packed file of this program begins.
static const char weights_head[] = "\270\005\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"07f74a88e071e4bf\",";

int ranks_init(ranks *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % RANKS_ALIGN)
        return RANKS_E_ALIGN;
    if (bytes != RANKS_WEIGHTS_BYTES)
        return RANKS_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return RANKS_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return RANKS_OK;
}

int ranks_check(const ranks *m)
{
    uint64_t sum = 0;
    if (!m)
        return RANKS_E_ALIGN;
    for (size_t i = 1472; i < RANKS_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < RANKS_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return RANKS_E_WEIGHTS;
    return RANKS_OK;
}

int ranks_run(const ranks *m, void *scratch, int32_t T, const float *x, float *out)
{
    if (!m)
        return RANKS_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % RANKS_ALIGN)
        return RANKS_E_ALIGN;
    if (!x || !out)
        return RANKS_E_ALIGN;
    if (T < 1 || T > RANKS_MAX_T)
        return RANKS_E_RANGE;
    run(m, &table, (char *)scratch, T, x, out);
    return RANKS_OK;
}

const char *ranks_strerror(int status)
{
    switch (status) {
    case RANKS_OK:
        return "ok";
    case RANKS_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case RANKS_E_WEIGHTS:
        return "not the weights of this program";
    case RANKS_E_INDEX:
        return "an index is out of range";
    case RANKS_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
