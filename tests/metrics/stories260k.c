// stories260k.c - the stories model: greedy text, perplexity, decode against forward.
//
//     stories260k PACKED DATA
//
// DATA/models/stories260K/README.md says what is expected and where it comes from.

#include "stories260k.h"
#include "st.h"

enum { VOCAB = 512, CONTEXT = 512 };

typedef struct Run {
    stories260k m;
    void *state, *scratch;
    float *logits;  // [CONTEXT, VOCAB]
} Run;

static void forward(Run *r, int n, const int32_t *tokens)
{
    stories260k_reset(r->state);
    CALL(stories260k_strerror,
         stories260k_forward(&r->m, r->state, r->scratch, n, tokens, r->logits));
}

static void decode(Run *r, int n, const int32_t *tokens)
{
    CALL(stories260k_strerror,
         stories260k_decode(&r->m, r->state, r->scratch, n, tokens, r->logits));
}

// The likeliest token after the prompt, n times.
static void greedy(Run *r, int prompt, const int32_t *tokens, int n, int32_t *out)
{
    stories260k_reset(r->state);
    decode(r, prompt, tokens);
    for (int i = 0; i < n; i++) {
        out[i] = argmax(r->logits, VOCAB);
        if (i + 1 < n)
            decode(r, 1, out + i);
    }
}

// tok512.bin: i32, then per token f32 score, i32 length, the piece. No leading space
// after BOS, <0xNN> is a byte.
static size_t text_of(const char *folder, const int32_t *ids, int n, char *text)
{
    size_t bytes, at = 4, written = 0;
    const char *file = read_whole(path_of(folder, "tok512.bin"), &bytes);
    const char *piece[VOCAB];
    int32_t length[VOCAB];
    for (int i = 0; i < VOCAB; i++) {
        if (bytes - at < 8)
            fail("tok512.bin", "too short");
        memcpy(&length[i], file + at + 4, 4);
        at += 8;
        if (length[i] < 0 || (size_t)length[i] > bytes - at)
            fail("tok512.bin", "too short");
        piece[i] = file + at;
        at += (size_t)length[i];
    }
    for (int i = 0; i < n; i++) {
        const char *p = piece[ids[i]];
        size_t size = (size_t)length[ids[i]];
        if (size == 6 && memcmp(p, "<0x", 3) == 0) {
            text[written++] = (char)strtol(p + 3, NULL, 16);
            continue;
        }
        size_t skip = i == 0 && size && *p == ' ';
        memcpy(text + written, p + skip, size - skip);
        written += size - skip;
    }
    return written;
}

static int same_text(const char *folder, const int32_t *ids, int n)
{
    static char text[200 * 8];  // no piece is longer than 7
    size_t wanted;
    const char *expected =
        read_whole(path_of(folder, "expected_greedy_200.txt"), &wanted);
    size_t bytes = text_of(folder, ids, n, text);
    int same = 0;
    while ((size_t)same < wanted && (size_t)same < bytes &&
           text[same] == expected[same])
        same++;
    return all_of("stories260K greedy text, bytes", bytes == wanted ? same : -1,
                  (int)wanted);
}

static int same_greedy(Run *r, const st_file *golden, const char *folder)
{
    int right = 0, all = 0, ok = 1;
    for (int c = 0; c < 3; c++) {
        char in[32], out[32];
        int32_t said[200];
        int prompt, n;
        snprintf(in, sizeof in, "input.greedy%d.tokens", c);
        snprintf(out, sizeof out, "output.greedy%d.tokens", c);
        const int32_t *tokens = st_i32(golden, in, &prompt);
        const int32_t *wanted = st_i32(golden, out, &n);
        if (n > 200)
            fail(out, "more than 200 tokens");
        greedy(r, prompt, tokens, n, said);
        for (int i = 0; i < n; i++)
            right += said[i] == wanted[i];
        all += n;
        if (c == 0)
            ok = same_text(folder, said, n);
    }
    return all_of("stories260K greedy tokens", right, all) & ok;
}

// -ln softmax(logits)[token]
static double surprise(const float *logits, int32_t token)
{
    double top = (double)logits[argmax(logits, VOCAB)], sum = 0;
    for (int i = 0; i < VOCAB; i++)
        sum += exp((double)logits[i] - top);
    return log(sum) + top - (double)logits[token];
}

// Each document alone, every token after its BOS predicted.
static int perplexity(Run *r, const st_file *golden)
{
    int docs, all, at = 0, predicted = 0;
    const int32_t *lengths = st_i32(golden, "input.nll.doc_lengths", &docs);
    const int32_t *tokens = st_i32(golden, "input.nll.tokens", &all);
    double sum = 0;
    for (int d = 0; d < docs; d++) {
        if (lengths[d] < 1 || lengths[d] > CONTEXT || lengths[d] > all - at)
            fail("input.nll.doc_lengths", "does not fit the tokens");
        forward(r, lengths[d], tokens + at);
        for (int t = 0; t + 1 < lengths[d]; t++)
            sum += surprise(r->logits + t * VOCAB, tokens[at + t + 1]);
        predicted += lengths[d] - 1;
        at += lengths[d];
    }
    return near("stories260K perplexity", exp(sum / predicted), 3.60163, 1e-4);
}

// One token at a time through the cache, against all at once; relative to the largest.
static int decode_is_forward(Run *r, const st_file *golden)
{
    int n;
    const int32_t *tokens = st_i32(golden, "input.case6.tokens", &n);
    float *whole = region((size_t)n * VOCAB * sizeof *whole);
    forward(r, n, tokens);
    memcpy(whole, r->logits, (size_t)n * VOCAB * sizeof *whole);
    stories260k_reset(r->state);
    double worst = 0, largest = 1;
    for (int t = 0; t < n; t++) {
        decode(r, 1, tokens + t);
        for (int i = 0; i < VOCAB; i++) {
            double want = (double)whole[t * VOCAB + i];
            double off = fabs((double)r->logits[i] - want);
            if (off > worst || isnan(off))  // and a NaN stays
                worst = off;
            largest = fmax(largest, fabs(want));
        }
    }
    return near("stories260K decode - forward", worst / largest, 0, 1e-5);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage", "stories260k PACKED DATA");
    const char *folder = path_of(argv[2], "models/stories260K");
    st_file golden = st_open(path_of(folder, "golden.safetensors"));
    Run r = {.state = region(STORIES260K_STATE_BYTES),
             .scratch = region(STORIES260K_SCRATCH_BYTES),
             .logits = region(sizeof(float) * CONTEXT * VOCAB)};
    size_t bytes;
    const void *weights = read_whole(argv[1], &bytes);
    CALL(stories260k_strerror, stories260k_init(&r.m, weights, bytes));
    int ok = same_greedy(&r, &golden, folder);
    ok &= perplexity(&r, &golden);
    ok &= decode_is_forward(&r, &golden);
    return ok ? 0 : 1;
}
