"""Formats of goals.tsv as data: how ours and the peers get them, and what is compared."""

from dataclasses import dataclass


@dataclass
class Format:
    """How the programs of a row get their format."""

    stored: str          # type of the checkpoint that ours is made from
    step: str            # step of a recipe for ours, {} being what it names; "": none
    unit: tuple          # peaks that the linear part can have
    bytes: float         # of a weight as it is read, scales included
    feature: str = ""    # of the processor, without which the row is n/a
    built: bool = True   # tfxc has it; the others print "not built"


EIGHT, SIXTEEN = ("amx8", "vnni", "fma"), ("amx16", "bf16", "fma")
FORMATS = {
    "f32": Format("f32", "", ("fma",), 4),
    "f16": Format("f16", "", ("fma",), 2),
    "bf16": Format("bf16", "", ("fma",), 2),
    "int8": Format("f32", "quantize({}, int8)", EIGHT, 1, "avx512_vnni"),
    "int8-row": Format("f32", "quantize({}, int8)", EIGHT, 1, "avx512_vnni"),
    "int8-group32": Format("f32", "quantize({}, int8, per = group(32), activations = int8)",
                           EIGHT, 34 / 32, "avx512_vnni"),
    "int4-group32": Format("f32", "quantize({}, int4, activations = int8)", EIGHT, 18 / 32,
                           "avx512_vnni"),
    "bf16-compute": Format("bf16", "quantize({}, bf16, activations = bf16)", SIXTEEN, 2,
                           "avx512_bf16"),
}

# What a recipe names, by kind of model. ONNX Runtime quantizes products with weights, so in
# encoders tables stay f32 on both sides; in Llamas both sides quantize every matrix.
LAYERS, ALL = '"layer.*"', '"**"'

# Sparse and low-rank rows by id: the step, and by how much it lessens the multiply-adds.
SMALLER = {
    "sparse-50": ('sparse("**", density = 0.5)', 2.0),
    "sparse-80": ('sparse("**", density = 0.2)', 5.0),
    "sparse-90": ('sparse("**", density = 0.1)', 10.0),
    "lowrank-192": ('lowrank("**", rank = 192)', 768 * 3072 / (192 * (768 + 3072))),
}

# How far results may lie from the peer's, as a part of the largest value. f32: other orders
# of sums. llama.cpp keeps its cache in f16 and, with q8_0 and q4_0, rounds activations to
# int8 by blocks of 32, as ours does or by rows. ONNX Runtime's int8
# rounds activations with one scale for all tokens, ours with one for each.
TOLERANCES = {"f32": 2e-4, "ours": 2e-4, "llama.cpp": 2e-2, "llama.cpp-f16": 2e-2,
              "llama.cpp-q8_0": 0.2, "llama.cpp-q4_0": 0.2, "onnxruntime-int8": 0.1,
              "gemv-int8": 2e-2}


def recipe(name, what):
    """The recipe that gives ours a format; None: the checkpoint has it."""
    step = FORMATS[name].step
    return step.format(what) if step else None
