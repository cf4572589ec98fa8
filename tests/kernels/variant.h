// variant.h - the kernels as one build of them offers: the same table from every build.

#ifndef VARIANT_H
#define VARIANT_H

#include "runtime/tfx.h"

typedef void Map1(float *y, const float *x, ptrdiff_t n, int by_vectors);
typedef void Linear(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                    ptrdiff_t ldx, const void *w, ptrdiff_t m, ptrdiff_t n,
                    ptrdiff_t k);
typedef void Linear1(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                     ptrdiff_t ldx, const void *w, ptrdiff_t m, ptrdiff_t n,
                     ptrdiff_t k, const float *e0, ptrdiff_t ld0);
typedef void Linear4(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                     ptrdiff_t ldx, const void *w, ptrdiff_t m, ptrdiff_t n,
                     ptrdiff_t k, const float *e0, ptrdiff_t ld0, const float *e1,
                     ptrdiff_t ld1, const float *e2, ptrdiff_t ld2, const float *e3,
                     ptrdiff_t ld3);
typedef void LinearWork(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                        ptrdiff_t ldx, const void *w, ptrdiff_t m, ptrdiff_t n,
                        ptrdiff_t k, float *work);
typedef void LinearWork1(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                         ptrdiff_t ldx, const void *w, ptrdiff_t m, ptrdiff_t n,
                         ptrdiff_t k, float *work, const float *e0, ptrdiff_t ld0);
typedef int Gather(float *y, ptrdiff_t ldy, const void *w, const int32_t *ids,
                   ptrdiff_t m, ptrdiff_t n, ptrdiff_t k);

enum { F32, BF16, F16, FORMATS };
enum { EXP, LOG, TANH, ERF, NDTR, SIN, COS, FLOOR, SQRT, MAP1S };

typedef struct Kernels {
    const char *name;  // "avx2", "scalar", ...
    int lanes, has_fma;
    int tile_rows;  // rows from which floats are multiplied in pieces, by tiles; 0: never
    int pieces;     // how many
    Map1 *map[MAP1S];
    float (*pow)(float x, float y);
    float (*from_bf16)(uint16_t a);
    float (*from_f16)(uint16_t a);
    uint16_t (*to_bf16)(float a);
    uint16_t (*to_f16)(float a);
    void (*load[FORMATS])(float *y, const void *p, ptrdiff_t n);  // n whole vectors
    Linear *linear[FORMATS];
    Linear1 *linear_add;   // a + e0
    Linear1 *linear_gelu;  // gelu(a + e0)
    Linear4 *linear_four;  // max(a, e0) * e1 + tanh(e2) - e3
    void (*linear_add_heads)(const tfx_par *par, float *y, ptrdiff_t ldy,
                             const float *x, ptrdiff_t ldx, const void *w, ptrdiff_t m,
                             ptrdiff_t n, ptrdiff_t k, const float *e0, ptrdiff_t ld0,
                             float *y0, ptrdiff_t head0, ptrdiff_t row0, ptrdiff_t n0,
                             ptrdiff_t d0);
    void (*linear_i8_heads)(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                            ptrdiff_t ldx, const void *w, ptrdiff_t m, ptrdiff_t n,
                            ptrdiff_t k, float *work, float *y0, ptrdiff_t head0,
                            ptrdiff_t row0, ptrdiff_t n0, ptrdiff_t d0, float *y1,
                            ptrdiff_t head1, ptrdiff_t row1, ptrdiff_t n1,
                            ptrdiff_t d1);
    LinearWork *linear_bf16a16, *linear_i8, *linear_i8g32a8, *linear_i4g32a8;
    LinearWork1 *linear_bf16a16_add, *linear_i8_add, *linear_i4g32a8_add;
    LinearWork *linear_f32_rounded;  // not work: rounded
    void (*linear_i8_add_rounded)(const tfx_par *par, float *y, ptrdiff_t ldy,
                                  const float *x, ptrdiff_t ldx, const void *w,
                                  ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float *work,
                                  const float *e0, ptrdiff_t ld0, float *rounded);
    void (*round_rows)(const tfx_par *par, float *work, const float *x, ptrdiff_t ldx,
                       ptrdiff_t m, ptrdiff_t k);
    LinearWork *linear_block48;  // work may be NULL
    LinearWork1 *linear_block48_add;
    Linear *linear_i8g32, *linear_i4g32;
    Linear1 *linear_i4g32_add;
    Gather *gather_panel[FORMATS];
    Gather *gather_bf16a16;
    Gather *gather_i8, *gather_i8g32, *gather_i4g32, *gather_i8g32a8, *gather_i4g32a8;
    Gather *gather_rows[FORMATS];
    void (*rms_norm)(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                     ptrdiff_t ldx, const float *w, float eps, ptrdiff_t m,
                     ptrdiff_t d);
    void (*layer_norm)(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                       ptrdiff_t ldx, const float *w, const float *b, float eps,
                       ptrdiff_t m, ptrdiff_t d);
    void (*rms_norm_rounded)(const tfx_par *par, float *y, ptrdiff_t ldy,
                             const float *x, ptrdiff_t ldx, const float *w, float eps,
                             ptrdiff_t m, ptrdiff_t d, float *rounded);
    void (*layer_norm_rounded)(const tfx_par *par, float *y, ptrdiff_t ldy,
                               const float *x, ptrdiff_t ldx, const float *w,
                               const float *b, float eps, ptrdiff_t m, ptrdiff_t d,
                               float *rounded);
    void (*softmax)(const tfx_par *par, float *y, ptrdiff_t ldy, const float *x,
                    ptrdiff_t ldx, ptrdiff_t m, ptrdiff_t d);
    void (*rope)(const tfx_par *par, float *y, ptrdiff_t y_head, ptrdiff_t y_row,
                 const float *x, ptrdiff_t x_head, ptrdiff_t x_row, ptrdiff_t heads,
                 ptrdiff_t t, ptrdiff_t d, ptrdiff_t from, double theta, int layout);
    void (*attention)(const tfx_par *par, const tfx_attn *a);
    void (*matmul)(const tfx_par *par, const tfx_mm *p);
} Kernels;

// One build each: plain C, and the instruction sets of the machine. NULL-terminated list
// of those this machine can run.
extern const Kernels kernels_scalar, kernels_base, kernels_avx2, kernels_avx512,
    kernels_vnni, kernels_amx, kernels_amx3, kernels_nofma;
const Kernels *const *variants(void);

// ---- what the tests share ------------------------------------------------------------

double uniform(uint64_t *state);  // in [-1, 1)
float *random_floats(uint64_t seed, ptrdiff_t n, double scale);

// Distance of y from the exact result in ulp of a float of that size.
double ulps(float y, double exact);

// Threads that run the tasks of a par last to first, one after the other.
void backwards(void *ctx, void (*task)(void *arg, int index, int thread), void *arg,
               int ntasks);

#endif
