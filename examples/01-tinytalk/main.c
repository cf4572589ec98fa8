// main.c - goes on in the manner of Shakespeare, one character at a time:
//     tinytalk tinytalk.packed.safetensors [PROMPT [TEMPERATURE [SEED]]]
// Temperature 0 always takes the likeliest character.
#include "tfx_rt.h"
#include "tinytalk.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char vocab[] =  // the id of a character is its place
    "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
enum { VOCAB = sizeof vocab - 1 };
static _Alignas(64) unsigned char state[TINYTALK_STATE_BYTES];
static _Alignas(64) unsigned char scratch[TINYTALK_SCRATCH_BYTES];

static int32_t pick(const float *logits, double temperature, uint32_t *seed)
{
    int32_t best = 0, i = 0;
    for (int32_t c = 1; c < VOCAB; c++)
        best = logits[c] > logits[best] ? c : best;
    double t = fmax(temperature, 1e-6), p[VOCAB], sum = 0;
    for (int32_t c = 0; c < VOCAB; c++)
        sum += p[c] = exp((double)(logits[c] - logits[best]) / t);
    *seed = *seed * 1664525u + 1013904223u;
    for (double r = sum * *seed / 4294967296.0; i < VOCAB - 1 && r >= p[i];)
        r -= p[i++];
    return i;
}

int main(int argc, char **argv)
{
    const char *prompt = argc > 2 && *argv[2] ? argv[2] : "ROMEO:";
    double temperature = argc > 3 ? atof(argv[3]) : 0.7;
    uint32_t seed = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 1;
    int32_t tokens[TINYTALK_MAX_T], n = 0, fed = 0;
    float logits[VOCAB];
    tinytalk model;
    size_t bytes = 0;
    const void *weights = tfx_map_file(argc > 1 ? argv[1] : "", &bytes);
    int status = weights ? tinytalk_init(&model, weights, bytes) : TINYTALK_E_WEIGHTS;
    for (; prompt[n] && n < TINYTALK_MAX_T; n++) {
        const char *at = strchr(vocab, prompt[n]);
        tokens[n] = at ? (int32_t)(at - vocab) : 1;  // a space for what it cannot say
        putchar(vocab[tokens[n]]);
    }
    clock_t began = clock();
    for (tinytalk_reset(state); !status && n < TINYTALK_MAX_T; fed = n - 1) {
        status = tinytalk_decode(&model, state, scratch, n - fed, tokens + fed, logits);
        tokens[n] = status ? 0 : pick(logits, temperature, &seed);
        putchar(vocab[tokens[n++]]);
    }
    puts("");
    double rate = fed * (double)CLOCKS_PER_SEC / (double)(clock() - began + 1);
    fprintf(stderr, "%s, %.0f tokens/s\n", tinytalk_strerror(status), rate);
    tfx_unmap_file(weights, bytes);
    return status != 0;
}
