#!/usr/bin/env python3
"""Checks an ONNX file with the onnx checker, runs it node by node, and compares what it gives with what the library gave.

    onnx_run.py MODEL.onnx PIXELS PROBABILITIES [TOLERANCE]

PIXELS are bytes, picture after picture; PROBABILITIES are 32-bit floats. Prints the largest difference. Operators are
written down here from ONNX' own specification (operator set 13), sums in double precision; nothing of the library is used.
Where ONNX Runtime is installed, it runs the file too.
"""
import sys

import numpy as np
import onnx
from onnx import numpy_helper

try:
    import onnxruntime
except ImportError:
    onnxruntime = None


def windows(x, kernel, strides, dilations, pads, fill):
    """[N][C][H][W] to [N][C][kh][kw][oh][ow]."""
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=fill)
    oh, ow = ((x.shape[2 + k] - (kernel[k] - 1) * dilations[k] - 1) // strides[k] + 1 for k in (0, 1))
    out = np.empty(x.shape[:2] + tuple(kernel) + (oh, ow), x.dtype)
    for a in range(kernel[0]):
        for b in range(kernel[1]):
            r, c = a * dilations[0], b * dilations[1]
            out[:, :, a, b] = x[:, :, r:r + strides[0] * (oh - 1) + 1:strides[0], c:c + strides[1] * (ow - 1) + 1:strides[1]]
    return out


def geometry(at, kernel=None):
    kernel = at.get("kernel_shape", kernel)
    return kernel, at.get("strides", [1, 1]), at.get("dilations", [1, 1]), at.get("pads", [0, 0, 0, 0])


def conv(at, x, w, b=None):
    g = windows(x.astype(np.float64), *geometry(at, w.shape[2:]), 0)
    y = np.einsum("ncabhw,ocab->nohw", g, w.astype(np.float64), optimize=True)
    return (y if b is None else y + b.astype(np.float64)[None, :, None, None]).astype(np.float32)


def maxpool(at, x):
    return windows(x, *geometry(at), -np.inf).max((2, 3))


def avgpool(at, x):
    assert not at.get("count_include_pad", 0)
    n = windows(np.ones_like(x), *geometry(at), 0).sum((2, 3))
    return (windows(x.astype(np.float64), *geometry(at), 0).sum((2, 3)) / n).astype(np.float32)


def batchnorm(at, x, gamma, beta, mean, var):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    g, b, m, v = (t.astype(np.float64).reshape(shape) for t in (gamma, beta, mean, var))
    return ((x - m) / np.sqrt(v + at["epsilon"]) * g + b).astype(np.float32)


def softmax(at, x):
    x = x.astype(np.float64)
    e = np.exp(x - x.max(at.get("axis", -1), keepdims=True))
    return (e / e.sum(at.get("axis", -1), keepdims=True)).astype(np.float32)


def erf(x):
    from math import erf as one
    return np.vectorize(one, otypes=[np.float64])(x.astype(np.float64)).astype(np.float32)


def gemm(at, a, b, c=None):
    assert set(at) <= {"transB"}
    y = a.astype(np.float64) @ (b.T if at.get("transB") else b).astype(np.float64)
    return (y if c is None else y + c).astype(np.float32)


def reshape(_, x, shape):
    return x.reshape([x.shape[k] if n == 0 else n for k, n in enumerate(shape)])


TYPES = {onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.DOUBLE: np.float64}
OPS = {
    "Conv": conv,
    "MaxPool": maxpool,
    "AveragePool": avgpool,
    "BatchNormalization": batchnorm,
    "Softmax": softmax,
    "Gemm": gemm,
    "Reshape": reshape,
    "GlobalAveragePool": lambda at, x: x.astype(np.float64).mean((2, 3), keepdims=True).astype(np.float32),
    "GlobalMaxPool": lambda at, x: x.max((2, 3), keepdims=True),
    "Relu": lambda at, x: np.maximum(x, 0),
    "Elu": lambda at, x: np.where(x < 0, np.float32(at.get("alpha", 1.0)) * np.expm1(np.minimum(x, 0)), x),
    "LeakyRelu": lambda at, x: np.where(x < 0, np.float32(at.get("alpha", 0.01)) * x, x),
    "Sigmoid": lambda at, x: (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32),
    "Tanh": lambda at, x: np.tanh(x),
    "Erf": lambda at, x: erf(x),
    "Sqrt": lambda at, x: np.sqrt(x),
    "Identity": lambda at, x: x,
    "Dropout": lambda at, x, ratio: x,
    "Add": lambda at, a, b: a + b,
    "Sub": lambda at, a, b: a - b,
    "Mul": lambda at, a, b: a * b,
    "Div": lambda at, a, b: a / b,
    "MatMul": lambda at, a, b: (a.astype(np.float64) @ b.astype(np.float64)).astype(a.dtype),
    "Transpose": lambda at, x: x.transpose(at["perm"]),
    "Flatten": lambda at, x: x.reshape(int(np.prod(x.shape[:at.get("axis", 1)])), -1),
    "Cast": lambda at, x: x.astype(TYPES[at["to"]]),
    "ReduceMean": lambda at, x: x.mean(tuple(at["axes"]), keepdims=bool(at.get("keepdims", 1)), dtype=x.dtype),
}


def attribute(a):
    value = onnx.helper.get_attribute_value(a)
    return list(value) if a.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value


def run(graph, pixels):
    value = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    value[graph.input[0].name] = pixels
    for node in graph.node:
        y = OPS[node.op_type]({a.name: attribute(a) for a in node.attribute}, *(value[i] for i in node.input))
        assert y.dtype in (np.float32, np.float64), (node.name, y.dtype)
        value[node.output[0]] = y
    return value[graph.output[0].name]


def main():
    model = onnx.load(sys.argv[1])
    onnx.checker.check_model(model, full_check=True)
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    kind = model.graph.input[0].type.tensor_type.elem_type
    assert shape[0] == 0 and model.graph.input[0].type.tensor_type.shape.dim[0].dim_param, "the batch is not open"
    pixels = np.fromfile(sys.argv[2], np.uint8).reshape(-1, *shape[1:])
    want = np.fromfile(sys.argv[3], np.float32).reshape(len(pixels), -1)
    got = run(model.graph, pixels if kind == onnx.TensorProto.UINT8 else pixels.astype(np.float32))
    assert got.shape == want.shape, (got.shape, want.shape)
    worst = float(np.abs(got - want).max())
    if onnxruntime:
        session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
        other = session.run(None, {"pixels": pixels if kind == onnx.TensorProto.UINT8 else pixels.astype(np.float32)})[0]
        worst = max(worst, float(np.abs(other - want).max()))
    print(f"{worst:.2e}")
    return not (worst <= float(sys.argv[4] if len(sys.argv) > 4 else 1e-5) and len(pixels) > 0)


if __name__ == "__main__":
    sys.exit(main())
