// main.c - reads digits drawn in ten shades of grey and says which they are.
//
//     digits digits.packed.safetensors digits.txt
//
// A picture is 28 lines of at most 28 characters; a file holds any number of them.
#include "digits.h"
#include "tfx_rt.h"
#include <stdio.h>
#include <string.h>

enum { SIDE = 28, CLASSES = 10 };
static const char shades[] = " .:-=+*#%@";  // paper to ink
static _Alignas(64) unsigned char scratch[DIGITS_SCRATCH_BYTES];
static int32_t pixels[DIGITS_MAX_B][SIDE][SIDE];
static char art[DIGITS_MAX_B][SIDE][128];

// The next pictures of the file, as many as fit in one call.
static int read_pictures(FILE *f)
{
    memset(pixels, 0, sizeof pixels);
    for (int b = 0; b < DIGITS_MAX_B; b++)
        for (int y = 0; y < SIDE; y++) {
            if (!fgets(art[b][y], sizeof art[b][y], f))
                return b;
            for (int x = 0; x < SIDE && art[b][y][x] && art[b][y][x] != '\n'; x++) {
                const char *shade = strchr(shades, art[b][y][x]);
                pixels[b][y][x] = shade ? (int32_t)(shade - shades) * 255 / 9 : 0;
            }
        }
    return DIGITS_MAX_B;
}

int main(int argc, char **argv)
{
    digits model;
    float logits[DIGITS_MAX_B][CLASSES];
    size_t bytes = 0;
    const void *weights = tfx_map_file(argc > 1 ? argv[1] : "", &bytes);
    FILE *f = argc > 2 ? fopen(argv[2], "r") : stdin;
    int status = weights ? digits_init(&model, weights, bytes) : DIGITS_E_WEIGHTS;
    for (int n; !status && f && (n = read_pictures(f)) > 0;) {
        status = digits_classify(&model, scratch, n, **pixels, *logits);
        for (int b = 0; b < n && !status; b++) {
            int best = 0;
            for (int c = 1; c < CLASSES; c++)
                best = logits[b][c] > logits[b][best] ? c : best;
            for (int y = 0; y < SIDE; y++)
                fputs(art[b][y], stdout);
            printf("this is a %d\n", best);
        }
    }
    if (status || !f)
        fprintf(stderr, "digits: %s\n",
                f ? digits_strerror(status) : "no such picture file");
    tfx_unmap_file(weights, bytes);
    return status || !f;
}
