"""ONNX graphs of the benchmark's models, node for node as an exporter writes them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPES = {
    "minilm": dict(hidden=384, heads=12, layers=6, ffn=1536, vocab=30522),
    "bert-base": dict(hidden=768, heads=12, layers=12, ffn=3072, vocab=30522),
    "vit-b": dict(hidden=768, heads=12, layers=12, ffn=3072, classes=1000),
    "deit-s": dict(hidden=384, heads=6, layers=12, ffn=1536, classes=1000),
}


class Builder:
    def __init__(self, weights):
        self.w = weights
        self.nodes, self.inits, self.known = [], [], {}

    def const(self, value, name=None):
        name = name or f"const_{len(self.known)}"
        if name not in self.known:
            self.known[name] = True
            self.inits.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name):
        return self.const(self.w[name], name)

    def op(self, kind, *inputs, **attrs):
        out = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=f"n_{out}", **attrs))
        return out

    def linear(self, x, w, b, name):
        """w is [out, in], as a checkpoint has it; ONNX multiplies by [in, out]."""
        y = self.op("MatMul", x, self.const(np.asarray(w).T, name + ".kernel"))
        return self.op("Add", self.const(b, name + ".bias"), y)

    def layer_norm(self, x, name, eps):
        return self.op("LayerNormalization", x, self.weight(name + ".weight"),
                       self.weight(name + ".bias"), axis=-1, epsilon=eps)

    def gelu(self, x):
        e = self.op("Erf", self.op("Div", x, self.const(np.float32(2**0.5), "sqrt2")))
        e = self.op("Mul", x, self.op("Add", e, self.const(np.float32(1), "one")))
        return self.op("Mul", e, self.const(np.float32(0.5), "half"))

    def heads(self, x, s, perm):
        shape = np.array([1, -1, s["heads"], s["hidden"] // s["heads"]], np.int64)
        return self.op("Transpose", self.op("Reshape", x, self.const(shape, "split")), perm=perm)

    def attention(self, x, s, parts, proj):
        """parts: (weight, bias, name) of query, key and value."""
        q, k, v = (self.linear(x, *p) for p in parts)
        q = self.heads(q, s, [0, 2, 1, 3])
        k = self.heads(k, s, [0, 2, 3, 1])
        v = self.heads(v, s, [0, 2, 1, 3])
        root = np.float32((s["hidden"] // s["heads"]) ** 0.5)
        p = self.op("Div", self.op("MatMul", q, k), self.const(root, "root"))
        y = self.op("MatMul", self.op("Softmax", p, axis=-1), v)
        y = self.op("Transpose", y, perm=[0, 2, 1, 3])
        join = self.const(np.array([1, -1, s["hidden"]], np.int64), "join")
        return self.linear(self.op("Reshape", y, join), *proj)

    def model(self, inputs, output, shape):
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
        self.nodes[-1].output[0] = "y"
        assert output == self.nodes[-1].name[2:]
        graph = helper.make_graph(self.nodes, "bench", inputs, [y], self.inits)
        m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        m.ir_version = 8
        return m


def encoder(kind, w, length):
    s, b = SHAPES[kind], Builder(w)
    wide = s["hidden"]

    def pair(name):
        return w[name + ".weight"], w[name + ".bias"], name

    x = b.op("Gather", b.weight("embeddings.word_embeddings.weight"), "ids")
    x = b.op("Add", x, b.const(w["embeddings.token_type_embeddings.weight"][:1], "types"))
    x = b.op("Add", x, b.const(w["embeddings.position_embeddings.weight"][:length], "places"))
    x = b.layer_norm(x, "embeddings.LayerNorm", 1e-12)
    for i in range(s["layers"]):
        at = f"encoder.layer.{i}."
        parts = [pair(at + f"attention.self.{n}") for n in ("query", "key", "value")]
        a = b.attention(x, s, parts, pair(at + "attention.output.dense"))
        a = b.layer_norm(b.op("Add", a, x), at + "attention.output.LayerNorm", 1e-12)
        h = b.gelu(b.linear(a, *pair(at + "intermediate.dense")))
        h = b.linear(h, *pair(at + "output.dense"))
        x = b.layer_norm(b.op("Add", h, a), at + "output.LayerNorm", 1e-12)
    shape = [1, length, wide]
    if kind == "minilm":
        x = b.op("ReduceMean", x, axes=[1], keepdims=0)
        norm = b.op("Clip", b.op("ReduceL2", x, axes=[1], keepdims=1),
                    b.const(np.float32(1e-12), "least"))
        x = b.op("Div", x, norm)
        shape = [1, wide]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, length])
    return b.model([ids], x, shape)


def vit(kind, w):
    s, b = SHAPES[kind], Builder(w)
    wide = s["hidden"]
    x = b.op("Conv", "pixels", b.weight("patch_embed.proj.weight"),
             b.weight("patch_embed.proj.bias"), kernel_shape=[16, 16], strides=[16, 16])
    x = b.op("Reshape", x, b.const(np.array([1, wide, -1], np.int64), "flat"))
    x = b.op("Transpose", x, perm=[0, 2, 1])
    x = b.op("Concat", b.weight("cls_token"), x, axis=1)
    x = b.op("Add", x, b.weight("pos_embed"))
    for i in range(s["layers"]):
        at = f"blocks.{i}."
        qkv, bias = w[at + "attn.qkv.weight"], w[at + "attn.qkv.bias"]
        parts = [(qkv[j * wide:(j + 1) * wide], bias[j * wide:(j + 1) * wide], at + f"qkv{j}")
                 for j in range(3)]
        h = b.layer_norm(x, at + "norm1", 1e-6)
        h = b.attention(h, s, parts, (w[at + "attn.proj.weight"], w[at + "attn.proj.bias"],
                                      at + "proj"))
        x = b.op("Add", h, x)
        h = b.layer_norm(x, at + "norm2", 1e-6)
        h = b.gelu(b.linear(h, w[at + "mlp.fc1.weight"], w[at + "mlp.fc1.bias"], at + "fc1"))
        h = b.linear(h, w[at + "mlp.fc2.weight"], w[at + "mlp.fc2.bias"], at + "fc2")
        x = b.op("Add", h, x)
    x = b.op("Gather", x, b.const(np.array(0, np.int64), "zero"), axis=1)
    x = b.layer_norm(x, "norm", 1e-6)
    x = b.linear(x, w["head.weight"], w["head.bias"], "head")
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, 224, 224])
    return b.model([pixels], x, [1, s["classes"]])


def build(kind, weights, length):
    return vit(kind, weights) if kind in ("vit-b", "deit-s") else encoder(kind, weights, length)
