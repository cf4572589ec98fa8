// nano_sort.c - nano-sort sorts all 729 strings of six letters A, B, C.
//
//     nano_sort PACKED DATA
//
// Six tokens go in; the likeliest token after the last is appended, six times.

#include "nano_sort.h"
#include "st.h"

enum { LETTERS = 3, LENGTH = 6, WIDTH = 48 };

// One more token for each of n strings of length t; seq is [n, 2 LENGTH].
static void step(const nano_sort *m, void *scratch, int n, int t, int32_t *seq)
{
    static int32_t tokens[NANO_SORT_MAX_B * 2 * LENGTH];
    static float logits[NANO_SORT_MAX_B * 2 * LENGTH * LETTERS];
    static float block[3][NANO_SORT_MAX_B * 2 * LENGTH * WIDTH];  // not looked at
    for (int i = 0; i < n; i++)
        memcpy(tokens + i * t, seq + i * 2 * LENGTH, (size_t)t * sizeof *tokens);
    CALL(nano_sort_strerror, nano_sort_forward(m, scratch, n, t, tokens, logits,
                                               block[0], block[1], block[2]));
    for (int i = 0; i < n; i++)
        seq[i * 2 * LENGTH + t] = argmax(logits + (i * t + t - 1) * LETTERS, LETTERS);
}

static int is_sorted(const int32_t *in, const int32_t *out)
{
    int count[LETTERS] = {0}, right = 1;
    for (int i = 0; i < LENGTH; i++) {
        count[in[i]]++;
        count[out[i]]--;
        right &= i == 0 || out[i - 1] <= out[i];
    }
    for (int i = 0; i < LETTERS; i++)
        right &= count[i] == 0;
    return right;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage", "nano_sort PACKED DATA");
    st_file golden = st_open(path_of(argv[2], "models/nano-sort/golden.safetensors"));
    nano_sort m;
    size_t bytes;
    const void *weights = read_whole(argv[1], &bytes);
    CALL(nano_sort_strerror, nano_sort_init(&m, weights, bytes));
    void *scratch = region(NANO_SORT_SCRATCH_BYTES);

    int all, same = 0, sorted = 0;
    const int32_t *in = st_i32(&golden, "input.greedy.tokens", &all);
    const int32_t *wanted = st_i32(&golden, "output.greedy.tokens", &all);
    all /= LENGTH;
    for (int at = 0; at < all; at += NANO_SORT_MAX_B) {
        int32_t seq[NANO_SORT_MAX_B * 2 * LENGTH];
        int n = all - at < NANO_SORT_MAX_B ? all - at : NANO_SORT_MAX_B;
        const size_t row = LENGTH * sizeof *seq;
        for (int i = 0; i < n; i++)
            memcpy(seq + i * 2 * LENGTH, in + (at + i) * LENGTH, row);
        for (int t = LENGTH; t < 2 * LENGTH; t++)
            step(&m, scratch, n, t, seq);
        for (int i = 0; i < n; i++) {
            const int32_t *out = seq + i * 2 * LENGTH + LENGTH;
            sorted += is_sorted(out - LENGTH, out);
            same += memcmp(out, wanted + (at + i) * LENGTH, row) == 0;
        }
    }
    int ok = all_of("nano-sort sorted", sorted, all);
    ok &= all_of("nano-sort greedy as golden", same, all);
    return ok ? 0 : 1;
}
