"""ONNX Runtime as a server (bench/serve.h).

    python ort.py MODEL WEIGHTS LENGTH FORMAT GRAPH THREADS FOLDER

MODEL is a row of onnxgraph.SHAPES, FORMAT f32 or int8 (dynamic, a scale per channel),
GRAPH plain or fused (onnxruntime.transformers). Files that are needed on the way go to
FOLDER.
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime as ort

import onnxgraph
from common import Weights, floats, serve, tokens


def fuse(model, kind):
    from onnxruntime.transformers import optimizer

    s = onnxgraph.SHAPES[kind]
    family = "vit" if kind in ("vit-b", "deit-s") else "bert"
    path = os.path.join(sys.argv[7], f"{kind}-{os.getpid()}.onnx")
    onnx.save(model, path)
    try:
        better = optimizer.optimize_model(path, family, num_heads=s["heads"],
                                          hidden_size=s["hidden"], opt_level=0)
    finally:
        os.unlink(path)
    count = better.get_fused_operator_statistics()
    kept = {k: v for k, v in count.items() if v}
    print("fused:", kept, file=sys.stderr)
    if not kept.get("Attention") and not kept.get("MultiHeadAttention"):
        sys.exit("no attention was fused")
    return better.model


def quantize(model):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    here = os.path.join(sys.argv[7], f"int8-{os.getpid()}")
    try:
        onnx.save(model, here + ".in.onnx")
        quantize_dynamic(here + ".in.onnx", here + ".onnx", per_channel=True,
                         weight_type=QuantType.QInt8)
        return onnx.load(here + ".onnx")
    finally:
        for name in (here + ".in.onnx", here + ".onnx"):
            if os.path.exists(name):
                os.unlink(name)


def main():
    kind, path, length, form, graph, threads = sys.argv[1:7]
    model = onnxgraph.build(kind, Weights(path), int(length))
    if graph == "fused":
        model = fuse(model, kind)
    if form == "int8":
        model = quantize(model)

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = True
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options,
                                   providers=["CPUExecutionProvider"])
    del model
    if kind in ("vit-b", "deit-s"):
        name, x = "pixels", floats(3 * 224 * 224).reshape(1, 3, 224, 224)
    else:
        name, x = "ids", tokens(int(length), 30522).reshape(1, -1)
        if session.get_inputs()[0].type == "tensor(int32)":
            x = x.astype(np.int32)
    io = session.io_binding()
    io.bind_cpu_input(name, x)
    io.bind_output("y", "cpu")
    serve(lambda: session.run_with_iobinding(io), lambda: io.copy_outputs_to_cpu()[0])


main()
