// blocks.c - block-sparse weights by tiles of AMX: sums within the error that tfx.h states.

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/variant.h"

// k columns, of which a panel keeps those that `keeps` says.
typedef struct Case {
    ptrdiff_t m, n, k;
    int percent;  // kept
} Case;

static const Case cases[] = {{32, 48, 64, 50},   {33, 49, 65, 50},   {47, 16, 7, 100},
                             {48, 33, 300, 90},  {64, 96, 96, 100},  {65, 145, 97, 30},
                             {128, 48, 640, 5},  {129, 64, 193, 60}, {140, 20, 1, 100},
                             {200, 100, 33, 40}, {96, 17, 128, 0},   {257, 50, 31, 70},
                             {160, 240, 250, 20}};
enum { CASES = sizeof cases / sizeof *cases };

static int keeps(const Case *c, ptrdiff_t panel, ptrdiff_t i)
{
    return (panel * 31 + i * 37) % 101 * 100 < c->percent * 101;
}

// value [n,k] and its blocks.
static void *pack(const Case *c, const float *value)
{
    ptrdiff_t panels = (c->n + 47) / 48, all = 0;
    int32_t *head = calloc((size_t)(panels + 1 + panels * c->k + 16) * 4 +
                               (size_t)(panels * 48 * c->k) * 4,
                           1);
    for (ptrdiff_t p = 0; p < panels; p++) {
        for (ptrdiff_t i = 0; i < c->k; i++)
            if (keeps(c, p, i))
                head[panels + 1 + all++] = (int32_t)i;
        head[p + 1] = (int32_t)all;
    }
    float *w = (float *)head + TFX_PADDED(panels + 1 + all, 16);
    for (ptrdiff_t p = 0; p < panels; p++)
        for (int32_t b = head[p]; b < head[p + 1]; b++) {
            for (ptrdiff_t j = p * 48; j < c->n && j < p * 48 + 48; j++)
                w[j - p * 48] = value[j * c->k + head[panels + 1 + b]];
            w += tfx_panel_width(c->n, p * 48);
        }
    return head;
}

static void check(const Kernels *v, const Case *c)
{
    const ptrdiff_t ldx = c->k + 3, ldy = c->n + 5;
    float *value = random_floats(7, c->n * c->k, 1.0);
    float *x = random_floats(1, c->m * ldx, 2.0),
          *y = random_floats(2, c->m * ldy, 1.0),
          *z = random_floats(2, c->m * ldy, 1.0);
    float *work =
        malloc(sizeof(float) * (size_t)TFX_LINEAR_BLOCK48_SCRATCH(c->m, c->k) + 1);
    void *w = pack(c, value);
    v->linear_block48(NULL, y, ldy, x, ldx, w, c->m, c->n, c->k, work);
    for (ptrdiff_t i = 0; i < c->m; i++) {
        for (ptrdiff_t j = 0; j < c->n; j++) {
            double sum = 0.0, size = 0.0;
            for (ptrdiff_t l = 0; l < c->k; l++)
                if (keeps(c, j / 48, l)) {
                    double a = (double)x[i * ldx + l] * (double)value[j * c->k + l];
                    sum += a;
                    size += fabs(a);
                }
            double error = fabs((double)y[i * ldy + j] - sum);
            cr_assert(error <= ((double)c->k * 0x1p-24 + 0x1p-14) * size,
                      "%s %td x %td x %td at %td,%td: error %g", v->name, c->m, c->n,
                      c->k, i, j, error);
        }
        cr_assert(memcmp(y + i * ldy + c->n, z + i * ldy + c->n, 20) == 0);
    }
    // tiles of two pieces round otherwise than FMA does: so it was tiles
    v->linear_block48(NULL, z, ldy, x, ldx, w, c->m, c->n, c->k, NULL);
    if (v->pieces == 2 && c->k >= 64 && c->percent > 0)
        cr_assert(memcmp(y, z, sizeof(float) * (size_t)(c->m * ldy)) != 0,
                  "%s case %td", v->name, c - cases);
    // with an operand more, in any number of threads
    for (int threads = 1; threads < 4; threads++) {
        tfx_par par = {backwards, &threads, threads};
        v->linear_block48_add(&par, z, ldy, x, ldx, w, c->m, c->n, c->k, work, y, ldy);
        for (ptrdiff_t i = 0; i < c->m; i++)
            for (ptrdiff_t j = 0; j < c->n; j++) {
                float e = y[i * ldy + j] + y[i * ldy + j];
                cr_assert(memcmp(z + i * ldy + j, &e, 4) == 0);
            }
    }
    free(w);
    free(work);
    free(value);
    free(x);
    free(y);
    free(z);
}

Test(blocks, by_tiles_are_sums_within_the_stated_error)
{
    for (const Kernels *const *v = variants(); *v; v++)
        for (int i = 0; i < CASES; i++)
            check(*v, cases + i);
}
