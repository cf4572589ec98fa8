"""Writes the ONNX graph of a model for ONNX Runtime.

    python ort_graph.py MODEL WEIGHTS LENGTH FORMAT GRAPH OUT.onnx

MODEL is a row of onnxgraph.SHAPES, FORMAT f32 or int8 (dynamic, a scale per channel, of the
products with weights), GRAPH plain or fused (onnxruntime.transformers).
"""

import os
import sys

import onnx

import onnxgraph
from common import Weights


def fuse(model, kind, path):
    from onnxruntime.transformers import optimizer

    s = onnxgraph.SHAPES[kind]
    family = "vit" if kind in ("vit-b", "deit-s") else "bert"
    onnx.save(model, path)
    better = optimizer.optimize_model(path, family, num_heads=s["heads"], hidden_size=s["hidden"],
                                      opt_level=0)
    count = better.get_fused_operator_statistics()
    kept = {k: v for k, v in count.items() if v}
    print("fused:", kept, file=sys.stderr)
    if not kept.get("Attention") and not kept.get("MultiHeadAttention"):
        sys.exit("no attention was fused")
    if not any(o.domain == "com.microsoft" for o in better.model.opset_import):
        better.model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    return better.model


def quantize(model, before, after):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    onnx.save(model, before)
    quantize_dynamic(before, after, op_types_to_quantize=["MatMul", "Attention"],
                     per_channel=True, weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def main():
    kind, path, length, form, graph, out = sys.argv[1:7]
    work, part = out + ".work", out + ".part"
    try:
        model = onnxgraph.build(kind, Weights(path), int(length))
        if graph == "fused":
            model = fuse(model, kind, work)
        if form == "int8":
            quantize(model, work, part)
        else:
            onnx.save(model, part)
        os.replace(part, out)
    finally:
        for name in (work, part):
            if os.path.exists(name):
                os.unlink(name)


main()
