// variant.c - the kernels of one build: compiled once per VARIANT with its own flags.

#include "tests/kernels/variant.h"

#include "runtime/kernels/attention.h"
#include "runtime/kernels/gather.h"
#include "runtime/kernels/matmul.h"
#include "runtime/kernels/rope.h"
#include "runtime/kernels/rounded.h"
#include "runtime/kernels/rows.h"

#define TFX_LINEAR linear_f32
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_bf16
#define TFX_WEIGHT bf16
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_f16
#define TFX_WEIGHT f16
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_add
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) ((a) + (e0))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_gelu
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) (((a) + (e0)) * TFX_NDTR((a) + (e0)))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_four
#define TFX_EXTRAS 4
#define TFX_EPILOGUE(a, e0, e1, e2, e3)                                                \
    (TFX_MAX(a, TFX_MIN(e0, 9.0f)) * (e1) + TFX_TANH(e2) - (e3))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_add_heads
#define TFX_EXTRAS          1
#define TFX_HEADS           1
#define TFX_EPILOGUE(a, e0) ((a) + (e0))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i8_heads
#define TFX_WEIGHT i8
#define TFX_HEADS  2
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i8
#define TFX_WEIGHT i8
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_i8_add
#define TFX_WEIGHT          i8
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) ((a) + (e0))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR  linear_f32_rounded
#define TFX_ROUNDED 1
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_i8_add_rounded
#define TFX_WEIGHT          i8
#define TFX_EXTRAS          1
#define TFX_ROUNDED         1
#define TFX_EPILOGUE(a, e0) ((a) + (e0))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i8g32
#define TFX_WEIGHT i8g32
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i4g32
#define TFX_WEIGHT i4g32
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_i4g32_add
#define TFX_WEIGHT          i4g32
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) ((a) + (e0))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i8g32a8
#define TFX_WEIGHT i8g32a8
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_i4g32a8
#define TFX_WEIGHT i4g32a8
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_i4g32a8_add
#define TFX_WEIGHT          i4g32a8
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) ((a) + (e0))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_bf16a16
#define TFX_WEIGHT bf16a16
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_bf16a16_add
#define TFX_WEIGHT          bf16a16
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) ((a) + (e0))
#include "runtime/kernels/linear.h"

#define TFX_LINEAR linear_block48
#define TFX_WEIGHT block48
#include "runtime/kernels/linear.h"

#define TFX_LINEAR          linear_block48_add
#define TFX_WEIGHT          block48
#define TFX_EXTRAS          1
#define TFX_EPILOGUE(a, e0) ((a) + (e0))
#include "runtime/kernels/linear.h"

#define MAP(name)                                                                      \
    static void map_##name(float *y, const float *x, ptrdiff_t n, int by_vectors)      \
    {                                                                                  \
        ptrdiff_t i = 0;                                                               \
        for (; by_vectors && i + TFX_LANES <= n; i += TFX_LANES)                       \
            tfx_store(y + i, tfx_##name##_v(tfx_load(x + i)));                         \
        for (; i < n; i++)                                                             \
            y[i] = tfx_##name##f(x[i]);                                                \
    }
MAP(exp)
MAP(log)
MAP(tanh)
MAP(erf)
MAP(ndtr)
MAP(sin)
MAP(cos)
MAP(floor)
MAP(sqrt)

#define LOAD(FMT)                                                                      \
    static void load_##FMT(float *y, const void *p, ptrdiff_t n)                       \
    {                                                                                  \
        for (ptrdiff_t i = 0; i < n; i += TFX_LANES)                                   \
            tfx_store(y + i, tfx_load_##FMT((const tfx_stored_##FMT *)p + i));         \
    }
LOAD(f32)
LOAD(bf16)
LOAD(f16)

#define NAME_(v)  #v
#define NAME(v)   NAME_(v)
#define TABLE_(v) kernels_##v
#define TABLE(v)  TABLE_(v)

const Kernels TABLE(VARIANT) = {
    .name = NAME(VARIANT),
    .lanes = TFX_LANES,
    .has_fma = TFX_FMA,
#if TFX_AMX
    .tile_rows = TFX_SPLIT_MIN,
    .pieces = TFX_AMX_PIECES,
#endif
    .map = {map_exp, map_log, map_tanh, map_erf, map_ndtr, map_sin, map_cos, map_floor,
            map_sqrt},
    .pow = tfx_powf,
    .from_bf16 = tfx_from_bf16,
    .from_f16 = tfx_from_f16,
    .to_bf16 = tfx_to_bf16,
    .to_f16 = tfx_to_f16,
    .load = {load_f32, load_bf16, load_f16},
    .linear = {linear_f32, linear_bf16, linear_f16},
    .linear_add = linear_add,
    .linear_gelu = linear_gelu,
    .linear_four = linear_four,
    .linear_add_heads = linear_add_heads,
    .linear_i8_heads = linear_i8_heads,
    .linear_i8 = linear_i8,
    .linear_i8_add = linear_i8_add,
    .linear_f32_rounded = linear_f32_rounded,
    .linear_i8_add_rounded = linear_i8_add_rounded,
    .round_rows = tfx_round_rows,
    .linear_i8g32 = linear_i8g32,
    .linear_i4g32 = linear_i4g32,
    .linear_i4g32_add = linear_i4g32_add,
    .linear_i8g32a8 = linear_i8g32a8,
    .linear_i4g32a8 = linear_i4g32a8,
    .linear_i4g32a8_add = linear_i4g32a8_add,
    .linear_bf16a16 = linear_bf16a16,
    .linear_bf16a16_add = linear_bf16a16_add,
    .linear_block48 = linear_block48,
    .linear_block48_add = linear_block48_add,
    .gather_bf16a16 = tfx_gather_panel_bf16a16,
    .gather_i8 = tfx_gather_panel_i8,
    .gather_i8g32 = tfx_gather_panel_i8g32,
    .gather_i4g32 = tfx_gather_panel_i4g32,
    .gather_i8g32a8 = tfx_gather_panel_i8g32a8,
    .gather_i4g32a8 = tfx_gather_panel_i4g32a8,
    .gather_panel = {tfx_gather_panel_f32, tfx_gather_panel_bf16, tfx_gather_panel_f16},
    .gather_rows = {tfx_gather_rows_f32, tfx_gather_rows_bf16, tfx_gather_rows_f16},
    .rms_norm = tfx_rms_norm,
    .layer_norm = tfx_layer_norm,
    .rms_norm_rounded = tfx_rms_norm_rounded,
    .layer_norm_rounded = tfx_layer_norm_rounded,
    .softmax = tfx_softmax,
    .rope = tfx_rope,
    .attention = tfx_attention,
    .matmul = tfx_matmul,
};
