// arena_brackets.c - arena-brackets tells balanced strings: accuracy on 2,000 of them.
//
//     arena_brackets PACKED DATA

#include "arena_brackets.h"
#include "st.h"

enum { LENGTH = 42, CLASSES = 2 };

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage", "arena_brackets PACKED DATA");
    st_file golden =
        st_open(path_of(argv[2], "models/arena-brackets/golden.safetensors"));
    arena_brackets m;
    size_t bytes;
    const void *weights = read_whole(argv[1], &bytes);
    CALL(arena_brackets_strerror, arena_brackets_init(&m, weights, bytes));
    void *scratch = region(ARENA_BRACKETS_SCRATCH_BYTES);

    int all, size, right = 0;
    double worst = 0, largest = 1;
    const int32_t *labels = st_i32(&golden, "input.eval.labels", &all);
    const int32_t *tokens = st_i32(&golden, "input.eval.tokens", &size);
    const float *wanted = st_f32(&golden, "output.eval.logits", &size);
    for (int at = 0; at < all; at += ARENA_BRACKETS_MAX_B) {
        static float logits[ARENA_BRACKETS_MAX_B * CLASSES];
        static float everywhere[ARENA_BRACKETS_MAX_B * LENGTH * CLASSES];
        int n = all - at < ARENA_BRACKETS_MAX_B ? all - at : ARENA_BRACKETS_MAX_B;
        CALL(arena_brackets_strerror,
             arena_brackets_classify(&m, scratch, n, LENGTH, tokens + at * LENGTH,
                                     logits, everywhere));
        for (int i = 0; i < n; i++)
            right += argmax(logits + i * CLASSES, CLASSES) == labels[at + i];
        for (int i = 0; i < n * CLASSES; i++) {
            double want = (double)wanted[at * CLASSES + i];
            double off = fabs((double)logits[i] - want);
            if (off > worst || isnan(off))  // and a NaN stays
                worst = off;
            largest = fmax(largest, fabs(want));
        }
    }
    int ok = near("arena-brackets accuracy", (double)right / all, 1.0, 0);
    ok &= near("arena-brackets logits - golden", worst / largest, 0, 2e-5);
    return ok ? 0 : 1;
}
