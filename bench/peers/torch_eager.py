"""PyTorch as a server (bench/serve.h), for information: nobody's goal depends on it.

    python torch_eager.py MODEL WEIGHTS LENGTH MODE THREADS

MODEL is minilm or bert-base, MODE eager (softmax written out), sdpa or compile.
"""

import sys

import torch
import torch.nn.functional as F

import onnxgraph
from common import Weights, serve, tokens


def layer(w, at, s, x, mode):
    heads, wide = s["heads"], s["hidden"] // s["heads"]

    def linear(name, y):
        return F.linear(y, w[at + name + ".weight"], w[at + name + ".bias"])

    def norm(name, y):
        return F.layer_norm(y, y.shape[-1:], w[at + name + ".weight"], w[at + name + ".bias"],
                            1e-12)

    q, k, v = (linear(f"attention.self.{n}", x).view(1, -1, heads, wide).transpose(1, 2)
               for n in ("query", "key", "value"))
    if mode == "eager":
        y = torch.softmax(q @ k.transpose(-1, -2) / wide**0.5, -1) @ v
    else:
        y = F.scaled_dot_product_attention(q, k, v)
    y = linear("attention.output.dense", y.transpose(1, 2).reshape(1, -1, s["hidden"]))
    a = norm("attention.output.LayerNorm", y + x)
    h = linear("output.dense", F.gelu(linear("intermediate.dense", a)))
    return norm("output.LayerNorm", h + a)


def main():
    kind, path, length, mode, threads = sys.argv[1:6]
    torch.set_num_threads(int(threads))
    s, files = onnxgraph.SHAPES[kind], Weights(path)
    w = {name: torch.tensor(files[name]) for name in files.head}
    ids = torch.tensor(tokens(int(length), s["vocab"])).view(1, -1)

    def forward(ids):
        x = w["embeddings.word_embeddings.weight"][ids]
        x = x + w["embeddings.token_type_embeddings.weight"][0]
        x = x + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = F.layer_norm(x, x.shape[-1:], w["embeddings.LayerNorm.weight"],
                         w["embeddings.LayerNorm.bias"], 1e-12)
        for i in range(s["layers"]):
            x = layer(w, f"encoder.layer.{i}.", s, x, mode)
        return F.normalize(x.mean(1), dim=-1) if kind == "minilm" else x

    call = torch.compile(forward) if mode == "compile" else forward
    got = []

    def once():
        got[:] = [call(ids)]

    with torch.inference_mode():
        once()
        serve(once, lambda: got[0].numpy())


main()
