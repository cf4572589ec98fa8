"""What the peers in Python share: the protocol of bench/serve.h, inputs, safetensors."""

import json
import statistics
import sys
import time

import numpy as np


def serve(once, result):
    """Answers commands until "quit": once() is what is measured, result() its floats."""
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "check":
            once()
            np.asarray(result(), dtype=np.float32).tofile(rest)
            print("ok", flush=True)
        elif word == "run":
            took = []
            for _ in range(int(rest)):
                start = time.perf_counter_ns()
                once()
                took.append(time.perf_counter_ns() - start)
            print(f"{statistics.median(took):.0f}", flush=True)
        else:
            return


def tokens(n, vocab):
    return (np.arange(n, dtype=np.int64) * 7919 + 13) % vocab


def floats(n, start=0):
    """The numbers of input_value() in bench/serve.h."""
    with np.errstate(over="ignore"):
        s = (np.arange(n, dtype=np.uint32) + np.uint32(start + 1)) * np.uint32(2654435761)
        s ^= s >> np.uint32(15)
        s *= np.uint32(2246822519)
        s ^= s >> np.uint32(13)
    return (s >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


class Weights:
    """A safetensors file, mapped: w["name"] is an array of f32, or of its own type."""

    def __init__(self, path):
        with open(path, "rb") as f:
            size = int.from_bytes(f.read(8), "little")
            self.head = json.loads(f.read(size))
        self.head.pop("__metadata__", None)
        self.base = 8 + size
        self.path = path

    def __getitem__(self, name):
        t = self.head[name]
        dtype = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}[t["dtype"]]
        count = int(np.prod(t["shape"], dtype=np.int64))
        x = np.memmap(self.path, dtype=dtype, mode="r", shape=(count,),
                      offset=self.base + t["data_offsets"][0])
        if t["dtype"] == "BF16":
            x = (x.astype(np.uint32) << 16).view(np.float32)
        return x.reshape(t["shape"])

    def __contains__(self, name):
        return name in self.head
