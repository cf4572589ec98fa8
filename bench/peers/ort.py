"""ONNX Runtime as a server (bench/serve.h).

    python ort.py MODEL GRAPH.onnx LENGTH THREADS

MODEL is a row of onnxgraph.SHAPES, GRAPH.onnx what ort_graph.py wrote of it.
"""

import sys

import numpy as np
import onnxruntime as ort

from common import floats, serve, tokens


def main():
    kind, path, length, threads = sys.argv[1:5]
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = True
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
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
