// patches.c - made by tfxc; do not edit.
//
// From patches.tfx (cbce39b924ab0c1d) by tfxc. SPDX-License-Identifier: 0BSD
// weights 4016 bytes, state 0, scratch 960 and 0 for each further thread.

#include "patches.h"

#include <math.h>
#include <string.h>

#include "tfx_rt.h"

enum {
    WIDTH = 12,
};

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Model {
    size_t project_bias;  // f32[12]
    size_t project;       // f32[12, 48]
    size_t class_;        // f32[1, 12]
    size_t position;      // f32[5, 12]
} Model;

// clang-format off
static const Model table = {
    .project_bias = 576,
    .project = 640,
    .class_ = 3712,
    .position = 3776,
};
// clang-format on

#define TFX_LINEAR          linear_bias
#define TFX_WEIGHT          f32
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (a + e0)
#include "tfx_rt.h"

static const void *weight(const patches *m, size_t offset)
{
    return m->weights + offset;
}

// entry embed  patches.tfx:14
static void embed(const patches *m, const Model *w, char *scratch, const float *image,
                  float *out)
{
    float *x = (float *)scratch;                               // f32[4, 48]
    const float *w_project_bias = weight(m, w->project_bias);  // f32[12]
    const void *w_project = weight(m, w->project);             // f32[12, 48], panels
    float *project = (float *)(scratch + 768);                 // f32[4, 12]
    const float *w_class_ = weight(m, w->class_);              // f32[1, 12]
    float *concat_ = (float *)scratch;                         // f32[5, 12]
    const float *w_position = weight(m, w->position);          // f32[5, 12]

    // x: f32[4, 48]  patches.tfx:15
    for (ptrdiff_t i = 0; i < 2; i++)
        for (ptrdiff_t j = 0; j < 2; j++)
            for (ptrdiff_t h = 0; h < 3; h++)
                for (ptrdiff_t g = 0; g < 4; g++)
                    for (ptrdiff_t r = 0; r < 4; r++)
                        x[i * 96 + j * 48 + h * 16 + g * 4 + r] =
                            image[i * 32 + j * 4 + h * 64 + g * 8 + r];
    // project: f32[4, 48] @ f32[12, 48]' -> f32[4, 12]  patches.tfx:16
    linear_bias(m->par, project, WIDTH, x, 48, w_project, 4, WIDTH, 48, w_project_bias,
                0);
    // concat_: f32[5, 12]  patches.tfx:16
    for (ptrdiff_t i = 0; i < 12; i++)
        concat_[i] = w_class_[i];
    for (ptrdiff_t i = 0; i < 48; i++)
        concat_[12 + i] = project[i];
    // out: f32[5, 12]  patches.tfx:16
    for (ptrdiff_t i = 0; i < 60; i++)
        out[i] = concat_[i] + w_position[i];
}

// How the packed file of this program begins.
static const char weights_head[] = "\070\002\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"e6d72994adc4b57f\",";

int patches_init(patches *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % PATCHES_ALIGN)
        return PATCHES_E_ALIGN;
    if (bytes != PATCHES_WEIGHTS_BYTES)
        return PATCHES_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return PATCHES_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return PATCHES_OK;
}

int patches_check(const patches *m)
{
    uint64_t sum = 0;
    if (!m)
        return PATCHES_E_ALIGN;
    for (size_t i = 576; i < PATCHES_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < PATCHES_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return PATCHES_E_WEIGHTS;
    return PATCHES_OK;
}

int patches_embed(const patches *m, void *scratch, const float *image, float *out)
{
    if (!m)
        return PATCHES_E_ALIGN;
    if (!scratch || (uintptr_t)scratch % PATCHES_ALIGN)
        return PATCHES_E_ALIGN;
    if (!image || !out)
        return PATCHES_E_ALIGN;
    embed(m, &table, (char *)scratch, image, out);
    return PATCHES_OK;
}

const char *patches_strerror(int status)
{
    switch (status) {
    case PATCHES_OK:
        return "ok";
    case PATCHES_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case PATCHES_E_WEIGHTS:
        return "not the weights of this program";
    case PATCHES_E_INDEX:
        return "an index is out of range";
    case PATCHES_E_ALIGN:
        return "a pointer is missing or not aligned";
    default:
        return "unknown status";
    }
}
