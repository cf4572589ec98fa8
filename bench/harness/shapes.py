"""What the models cost: operations and bytes, for the limit of a row."""

import statistics
from dataclasses import dataclass

ENCODERS = {"minilm": (384, 6, 1536), "bert-base": (768, 12, 3072), "vit-b": (768, 12, 3072),
            "deit-s": (384, 12, 1536)}  # hidden, layers, ffn
LLAMAS = {
    "llama-110m": dict(dim=768, layers=12, heads=12, kv_heads=12, ffn=2048, vocab=32000,
                       context=1024),
    "llama-1b": dict(dim=2048, layers=22, heads=32, kv_heads=4, ffn=5632, vocab=32000,
                     context=2048),
}


@dataclass
class Work:
    """Operations (2 a multiply-add) and the bytes of weights that one call reads."""

    linear: float = 0
    attention: float = 0
    bytes: float = 0
    unit: tuple = ("fma",)  # peaks that the linear part can have, whichever is higher
    hidden: int = 0

    def scale(self, form):
        """Takes the format's unit and bytes; bytes was the number of weights."""
        self.unit, self.bytes = form.unit, self.bytes * form.bytes

    def least_ns(self, peaks):
        top = {w: statistics.median(v) for w, v in peaks.items()}
        compute = self.attention / top["fma"] + self.linear / max(top[w] for w in self.unit)
        return max(compute, self.bytes / max(top["dram"], 1e-9))


def encoder_work(name, length):
    wide, layers, ffn = ENCODERS[name]
    weights = layers * (4 * wide * wide + 2 * wide * ffn)
    return Work(2 * length * weights, layers * 4 * length * length * wide, weights,
                hidden=wide)


def vit_work(name):
    w = encoder_work(name, 197)
    w.linear += 2 * 196 * 768 * w.hidden + 2 * 1000 * w.hidden
    return w


def llama_work(name, form, length):
    """Logits of the last token only. Causal: half of the scores."""
    s = LLAMAS[name]
    wide, head = s["dim"], s["dim"] // s["heads"]
    layer = 2 * wide * wide + 2 * wide * head * s["kv_heads"] + 3 * wide * s["ffn"]
    linear = 2 * length * s["layers"] * layer + 2 * wide * s["vocab"]
    scores = s["layers"] * 2 * length * length * wide
    w = Work(linear, scores, s["layers"] * layer + wide * s["vocab"])
    w.scale(form)
    return w
