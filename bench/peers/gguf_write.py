"""Writes the weights of a Llama as GGUF, as llama.cpp's converter does.

    python gguf_write.py IN.safetensors OUT.gguf f32|f16|q8_0|q4_0 HEADS KV_HEADS CONTEXT

Every matrix takes the type given, also embeddings and head; norms stay f32. q4_0 gets the
weights that tfxc's int4 has: two grids of 4 bits differ so much that after twelve layers of
random weights results could not be compared.
"""

import sys

import gguf
import numpy as np

from common import Weights

TYPES = {
    "f32": gguf.GGMLQuantizationType.F32,
    "f16": gguf.GGMLQuantizationType.F16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
    "q4_0": gguf.GGMLQuantizationType.Q4_0,
}
NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def interleave(w, heads):
    """Rows of a projection from halves to the pairs that llama.cpp rotates."""
    half = w.shape[0] // heads // 2
    return w.reshape(heads, 2, half, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def q4_0(w):
    """Blocks of 32: a half as scale, largest / 7, and nibbles of q + 8, -7 <= q <= 7."""
    out = []
    for part in np.array_split(w, max(1, w.size >> 23)):
        x = part.reshape(-1, 32).astype(np.float32)
        scale = (np.abs(x).max(axis=1, keepdims=True) / 7).astype(np.float16)
        wide = scale.astype(np.float32)
        q = np.rint(x / np.where(wide == 0, 1, wide)).clip(-7, 7).astype(np.int8) + 8
        q = q.astype(np.uint8)
        raw = np.concatenate([scale.view(np.uint8), q[:, :16] | q[:, 16:] << 4], axis=1)
        out.append(raw.reshape(part.shape[0], -1))
    return np.concatenate(out)


def main():
    source, target, form, heads, kv_heads, context = sys.argv[1:7]
    w = Weights(source)
    embed = w["model.embed_tokens.weight"]
    ffn = w["model.layers.0.mlp.gate_proj.weight"].shape[0]
    layers = sum(n.endswith("mlp.gate_proj.weight") for n in w.head)

    out = gguf.GGUFWriter(target, "llama")
    out.add_name("bench")
    out.add_context_length(int(context))
    out.add_embedding_length(embed.shape[1])
    out.add_block_count(layers)
    out.add_feed_forward_length(ffn)
    out.add_head_count(int(heads))
    out.add_head_count_kv(int(kv_heads))
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_freq_base(10000.0)
    out.add_rope_dimension_count(embed.shape[1] // int(heads))
    out.add_vocab_size(embed.shape[0])
    out.add_tokenizer_model("no_vocab")

    def put(name, x):
        if x.ndim == 1 or form == "f32":
            out.add_tensor(name, np.ascontiguousarray(x, dtype=np.float32))
        else:
            x = np.ascontiguousarray(x, np.float32)
            raw = q4_0(x) if form == "q4_0" else gguf.quants.quantize(x, TYPES[form])
            out.add_tensor(name, raw, raw_dtype=TYPES[form])

    put("token_embd.weight", embed)
    put("output_norm.weight", w["model.norm.weight"])
    if "lm_head.weight" in w:
        put("output.weight", w["lm_head.weight"])
    for i in range(layers):
        for theirs, name in NAMES.items():
            x = w[f"model.layers.{i}.{theirs}.weight"]
            if name in ("attn_q", "attn_k"):
                x = interleave(x, int(heads if name == "attn_q" else kv_heads))
            put(f"blk.{i}.{name}.weight", x)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


main()
