"""What a row without a peer must give, in double.

    python reference.py gemm OUT WEIGHTS M N K
    python reference.py attention OUT HEADS LENGTH HEAD
"""

import sys

import numpy as np

from common import Weights, floats


def gemm(weights, m, n, k):
    w = Weights(weights)["weight"]
    x = floats(m * k).reshape(m, k).astype(np.float64)
    y = np.empty((m, n))
    for at in range(0, n, 1024):  # the weights in double would not fit everywhere
        y[:, at:at + 1024] = x @ np.asarray(w[at:at + 1024], np.float64).T
    return y


def attention(heads, length, head):
    q, k, v = floats(3 * heads * length * head).astype(np.float64).reshape(3, heads, length, head)
    s = q @ k.swapaxes(1, 2) / np.sqrt(head)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


kind, out = sys.argv[1:3]
if kind == "gemm":
    y = gemm(sys.argv[3], *map(int, sys.argv[4:7]))
else:
    y = attention(*map(int, sys.argv[3:6]))
y.astype(np.float32).tofile(out)
