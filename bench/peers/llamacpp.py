"""llama.cpp as a server (bench/serve.h).

    python llamacpp.py MODEL.gguf LENGTH STEPS THREADS FLASH

A prompt of LENGTH tokens in one batch, or with STEPS > 0 so many tokens one by one, from
an empty cache; logits of the last token, as llama-bench measures. FLASH is 0 or 1.
"""

import ctypes
import sys

import llama_cpp as lib
import numpy as np

from common import serve, tokens


def main():
    path, length, steps, threads, flash = sys.argv[1], *map(int, sys.argv[2:6])
    keep = lib.llama_log_callback(lambda level, text, data: None)
    lib.llama_log_set(keep, ctypes.c_void_p(0))
    lib.llama_backend_init()
    mp = lib.llama_model_default_params()
    mp.n_gpu_layers = 0
    load = getattr(lib, "llama_model_load_from_file", None) or lib.llama_load_model_from_file
    model = load(path.encode(), mp)
    if not model:
        sys.exit("llama.cpp cannot load the model")
    cp = lib.llama_context_default_params()
    cp.n_ctx = max(length, steps, 256)
    cp.n_batch = cp.n_ubatch = max(length, 512)
    cp.n_threads = cp.n_threads_batch = threads
    if hasattr(cp, "flash_attn_type"):
        cp.flash_attn_type = flash
    else:
        cp.flash_attn = bool(flash)
    context = lib.llama_init_from_model(model, cp)
    if not context:
        sys.exit("llama.cpp has no context for this")
    vocab = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    memory = lib.llama_get_memory(context)
    ids = (ctypes.c_int32 * max(length, steps))(*tokens(max(length, steps), vocab).tolist())
    at = ctypes.addressof(ids)
    pointer = ctypes.POINTER(lib.llama_token)

    def decode(first, n):
        batch = lib.llama_batch_get_one(ctypes.cast(at + 4 * first, pointer), n)
        if lib.llama_decode(context, batch) != 0:
            sys.exit("llama_decode failed")

    def once():
        lib.llama_memory_clear(memory, False)
        if steps == 0:
            decode(0, length)
        for i in range(steps):
            decode(i, 1)
        lib.llama_synchronize(context)

    def logits():
        return np.ctypeslib.as_array(lib.llama_get_logits_ith(context, -1), shape=(vocab,))

    serve(once, logits)


main()
