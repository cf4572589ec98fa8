// vit_mnist.c - vit-mnist on the 10,000 t10k images: accuracy and every prediction.
//
//     vit_mnist PACKED DATA

#include "vit_mnist.h"
#include "st.h"

#include <zlib.h>

enum { IMAGES = 10000, PIXELS = 28 * 28, CLASSES = 10 };

// The content of an idx file after its header, as many bytes as asked for.
static unsigned char *read_idx(const char *path, unsigned header, unsigned bytes)
{
    unsigned char *data = region(header + bytes);
    gzFile f = gzopen(path, "rb");
    if (!f)
        fail(path, "cannot be opened");
    if (gzread(f, data, header + bytes) != (int)(header + bytes))
        fail(path, "too short");
    gzclose(f);
    return data + header;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage", "vit_mnist PACKED DATA");
    st_file golden = st_open(path_of(argv[2], "models/vit-mnist/golden.safetensors"));
    const char *mnist = path_of(argv[2], "datasets/mnist");
    const unsigned char *pixels =
        read_idx(path_of(mnist, "t10k-images-idx3-ubyte.gz"), 16, IMAGES * PIXELS);
    const unsigned char *labels =
        read_idx(path_of(mnist, "t10k-labels-idx1-ubyte.gz"), 8, IMAGES);
    vit_mnist m;
    size_t bytes;
    const void *weights = read_whole(argv[1], &bytes);
    CALL(vit_mnist_strerror, vit_mnist_init(&m, weights, bytes));
    void *scratch = region(VIT_MNIST_SCRATCH_BYTES);

    int all, right = 0, same = 0;
    const int32_t *wanted = st_i32(&golden, "output.eval.predictions", &all);
    if (all != IMAGES)
        fail("output.eval.predictions", "not 10,000");
    for (int at = 0; at < IMAGES; at += VIT_MNIST_MAX_B) {
        static int32_t batch[VIT_MNIST_MAX_B * PIXELS];
        static float logits[VIT_MNIST_MAX_B * CLASSES];
        int n = IMAGES - at < VIT_MNIST_MAX_B ? IMAGES - at : VIT_MNIST_MAX_B;
        for (int i = 0; i < n * PIXELS; i++)
            batch[i] = pixels[at * PIXELS + i];
        CALL(vit_mnist_strerror, vit_mnist_classify(&m, scratch, n, batch, logits));
        for (int i = 0; i < n; i++) {
            int digit = argmax(logits + i * CLASSES, CLASSES);
            right += digit == labels[at + i];
            same += digit == wanted[at + i];
        }
    }
    int ok = near("vit-mnist accuracy", (double)right / all, 0.9794, 1e-9);
    ok &= all_of("vit-mnist predictions as golden", same, IMAGES);
    return ok ? 0 : 1;
}
