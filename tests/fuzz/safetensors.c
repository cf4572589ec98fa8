// safetensors.c - fuzzes the reader of weight files; every tensor is read.

#include "compiler/safetensors.h"
#include "fuzz.h"
#include "tempfile.h"

void fuzz_one(Arena *a, const char *text, size_t n)
{
    Diag *d = diag_new(a);
    Checkpoint *ck = ckpt_open(a, d, temp_file(text, n), (Loc){0, 0});
    fuzz_expect((ck == NULL) == (diag_errors(d) > 0), "an error, or a checkpoint", "");
    for (int i = 0; ck && i < ckpt_count(ck); i++) {
        const CkptTensor *t = ckpt_tensor(ck, i);
        double x[8];
        int64_t k = t->count < 8 ? t->count : 8;
        ckpt_read_f64(ck, t, t->count - k, k, x);
        fuzz_expect(ckpt_find(ck, t->name) != NULL, "a tensor has no name", "");
    }
    ckpt_close(ck);
}
