// dispatch.c - made by tfxc; do not edit.
//
// From dispatch.tfx (e29dc396738b0fff) by tfxc. SPDX-License-Identifier: 0BSD
// weights 1472 bytes, state 5184, scratch 0 and 0 for each further thread.

#include "dispatch.h"

#include <math.h>
#include <string.h>

#ifndef TFX_AMX
#    define TFX_AMX 1  // where the compiler's flags have it, too
#endif
#include "tfx_cpu.h"
#include "tfx_rt.h"

// Offsets in bytes: of weights from the start of the packed file, of states from the
// start of the state region.

typedef struct Model {
    size_t up_bias;  // f32[20]
    size_t up;       // f32[20, 8]
    size_t last;     // f32[64, 20], in the state
} Model;

// clang-format off
static const Model table = {
    .up_bias = 320,
    .up = 448,
    .last = 64,
};
// clang-format on

#define TFX_LINEAR          linear_bias
#define TFX_WEIGHT          f32
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (a + e0)
#include "tfx_rt.h"

static const void *weight(const dispatch *m, size_t offset)
{
    return m->weights + offset;
}

// entry forward  dispatch.tfx:15
static void forward(const dispatch *m, const Model *w, char *state, ptrdiff_t T,
                    ptrdiff_t P, const float *x, float *out)
{
    const float *w_up_bias = weight(m, w->up_bias);  // f32[20]
    const void *w_up = weight(m, w->up);             // f32[20, 8], panels
    float *last = (float *)(state + w->last);        // f32[64, 20]

    // last: f32[T, 8] @ f32[20, 8]' -> f32[T, 20]  dispatch.tfx:16
    linear_bias(m->par, last + 20 * P, 20, x, 8, w_up, T, 20, 8, w_up_bias, 0);
    // out: f32[T, 20]  dispatch.tfx:17
    for (ptrdiff_t i = 0; i < 20 * T; i++)
        out[i] = tfx_maxf(last[20 * P + i], 0.0f);
}

// entry scale  dispatch.tfx:19
static void scale(ptrdiff_t T, const float *x, float *out)
{
    // out: f32[T, 8]  dispatch.tfx:19
    for (ptrdiff_t i = 0; i < 8 * T; i++)
        out[i] = 2.0f * x[i];
}

// The entries at one level. This file is compiled for each: by itself for the least,
// and by dispatch_avx2.c and the like, which define TFX_LEVEL.
typedef void dispatch_forward_fn(const dispatch *m, const Model *w, char *state,
                                 ptrdiff_t T, ptrdiff_t P, const float *x, float *out);
typedef void dispatch_scale_fn(ptrdiff_t T, const float *x, float *out);

struct dispatch_level {
    const char *name;
    dispatch_forward_fn *forward;
    dispatch_scale_fn *scale;
};

extern const struct dispatch_level dispatch_level_avx2;
extern const struct dispatch_level dispatch_level_avx512;
extern const struct dispatch_level dispatch_level_amx;

#ifndef TFX_LEVEL

static const struct dispatch_level level_base = {
    .name = "base",
    .forward = forward,
    .scale = scale,
};

// The best first.
static const struct {
    int cpu;  // what it needs of tfx_cpu()
    const struct dispatch_level *level;
} levels[] = {
#    if TFX_LEVEL_amx
    {TFX_CPU_amx, &dispatch_level_amx},
#    endif
#    if TFX_LEVEL_avx512
    {TFX_CPU_avx512, &dispatch_level_avx512},
#    endif
#    if TFX_LEVEL_avx2
    {TFX_CPU_avx2, &dispatch_level_avx2},
#    endif
    {0, &level_base},
};

int dispatch_set_level(dispatch *m, const char *name)
{
    int cpu = tfx_cpu();
    if (!m)
        return DISPATCH_E_ALIGN;
    for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
        const struct dispatch_level *level = levels[i].level;
        if ((levels[i].cpu & ~cpu) == 0 && (!name || tfx_is_name(name, level->name))) {
            m->level = level;
            return DISPATCH_OK;
        }
    }
    return DISPATCH_E_LEVEL;
}

const char *dispatch_level_name(const dispatch *m)
{
    return m->level->name;
}

// How the packed file of this program begins.
static const char weights_head[] = "\070\001\000\000\000\000\000\000"
                                   "{\"__metadata__\":{\"plan\":\"6535a06b24d94e96\",";

int dispatch_init(dispatch *m, const void *weights, size_t bytes)
{
    if (!m || !weights || (uintptr_t)weights % DISPATCH_ALIGN)
        return DISPATCH_E_ALIGN;
    if (bytes != DISPATCH_WEIGHTS_BYTES)
        return DISPATCH_E_WEIGHTS;
    if (memcmp(weights, weights_head, sizeof(weights_head) - 1) != 0)
        return DISPATCH_E_WEIGHTS;
    m->weights = (const unsigned char *)weights;
    m->par = NULL;
    return dispatch_set_level(m, NULL);
}

int dispatch_check(const dispatch *m)
{
    uint64_t sum = 0;
    if (!m)
        return DISPATCH_E_ALIGN;
    for (size_t i = 320; i < DISPATCH_WEIGHTS_BYTES; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < DISPATCH_WEIGHTS_BYTES; k++)
            word |= (uint64_t)m->weights[i + k] << 8 * k;
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    if (sum != UINT64_C(0x0000000000000000))
        return DISPATCH_E_WEIGHTS;
    return DISPATCH_OK;
}

int dispatch_reset(void *state)
{
    if (!state || (uintptr_t)state % DISPATCH_ALIGN)
        return DISPATCH_E_ALIGN;
    memset(state, 0, sizeof(int32_t));
    return DISPATCH_OK;
}

int dispatch_rewind(void *state, int32_t n)
{
    int32_t at;
    if (!state || (uintptr_t)state % DISPATCH_ALIGN)
        return DISPATCH_E_ALIGN;
    memcpy(&at, state, sizeof(at));
    if (n < 0 || n > at)
        return DISPATCH_E_RANGE;
    memcpy(state, &n, sizeof(n));
    return DISPATCH_OK;
}

int dispatch_forward(const dispatch *m, void *state, void *scratch, int32_t T,
                     const float *x, float *out)
{
    if (!m || !state || (uintptr_t)state % DISPATCH_ALIGN)
        return DISPATCH_E_ALIGN;
    (void)scratch;
    if (!x || !out)
        return DISPATCH_E_ALIGN;
    if (T < 1 || T > DISPATCH_MAX_T)
        return DISPATCH_E_RANGE;
    int32_t P;
    memcpy(&P, state, sizeof(P));
    if (P < 0 || P > DISPATCH_MAX_P - T)
        return DISPATCH_E_RANGE;
    m->level->forward(m, &table, (char *)state, T, P, x, out);
    P += T;
    memcpy(state, &P, sizeof(P));
    return DISPATCH_OK;
}

int dispatch_scale(const dispatch *m, void *scratch, int32_t T, const float *x,
                   float *out)
{
    if (!m)
        return DISPATCH_E_ALIGN;
    (void)scratch;
    if (!x || !out)
        return DISPATCH_E_ALIGN;
    if (T < 1 || T > DISPATCH_MAX_T)
        return DISPATCH_E_RANGE;
    m->level->scale(T, x, out);
    return DISPATCH_OK;
}

const char *dispatch_strerror(int status)
{
    switch (status) {
    case DISPATCH_OK:
        return "ok";
    case DISPATCH_E_RANGE:
        return "a size or the cursor is out of its bounds";
    case DISPATCH_E_WEIGHTS:
        return "not the weights of this program";
    case DISPATCH_E_INDEX:
        return "an index is out of range";
    case DISPATCH_E_ALIGN:
        return "a pointer is missing or not aligned";
    case DISPATCH_E_LEVEL:
        return "machine or program have no such level";
    default:
        return "unknown status";
    }
}

#endif
