"""Keras' arithmetic in NumPy: reads .h5 and .keras files with h5py and runs the chain of layers in them."""
import io
import json
import math
import re
import zipfile

import h5py
import numpy as np


def text(v):
    return v.decode() if isinstance(v, bytes) else v


def attribute_list(group, name):
    if name in group.attrs:
        return [text(v) for v in group.attrs[name]]
    out, part = [], 0
    while f"{name}{part}" in group.attrs:
        out += [text(v) for v in group.attrs[f"{name}{part}"]]
        part += 1
    return out


def load_h5(path):
    """The configuration, and the weights by layer name."""
    with h5py.File(path, "r") as f:
        config = json.loads(text(f.attrs["model_config"]))
        root = f["model_weights"]
        weights = {}
        for layer in attribute_list(root, "layer_names"):
            names = attribute_list(root[layer], "weight_names")
            weights[layer] = [np.array(root[layer][n]) for n in names]
    return config, weights


def snake(name):
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def load_keras(path):
    with zipfile.ZipFile(path) as z:
        config = json.loads(z.read("config.json"))
        f = h5py.File(io.BytesIO(z.read("model.weights.h5")), "r")
    seen, weights = {}, {}
    for layer in chain(config):
        base = snake(layer["class_name"])
        n = seen.get(base, 0)
        seen[base] = n + 1
        key = base + (f"_{n}" if n else "")
        for place in (f"layers/{key}/vars", f"layers\\{key}/vars", f"_layer_checkpoint_dependencies/{key}/vars"):
            if place in f:
                weights[layer["config"]["name"]] = [np.array(f[place][str(i)]) for i in range(len(f[place]))]
    return config, weights


def chain(config):
    """Layers in order, without the input."""
    c = config["config"]
    layers = c if isinstance(c, list) else c["layers"]
    if config["class_name"] != "Sequential":
        by_source, by_name = {}, {}
        for entry in layers:
            by_name[entry["name"]] = entry
            nodes = entry["inbound_nodes"]
            if nodes:
                node = nodes[0]
                source = node[0][0] if isinstance(node, list) else node["args"][0]["config"]["keras_history"][0]
                by_source[source] = entry
            else:
                at = entry
        layers = [at]
        while layers[-1]["name"] in by_source:
            layers.append(by_source[layers[-1]["name"]])
    return [e for e in layers if e["class_name"] != "InputLayer"]


def same_pads(n, k, s, d=1):
    reach = (k - 1) * d + 1
    out = -(-n // s)
    total = max((out - 1) * s + reach - n, 0)
    return total // 2, total - total // 2


def pair(v):
    return list(v) if isinstance(v, (list, tuple)) else [v, v]


def windows(x, kernel, stride, dilation=(1, 1)):
    """[n][oh][ow][kh][kw][c] of a padded picture."""
    n, h, w, c = x.shape
    (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
    oh = (h - (kh - 1) * dh - 1) // sh + 1
    ow = (w - (kw - 1) * dw - 1) // sw + 1
    b, r, q, k = x.strides
    return np.lib.stride_tricks.as_strided(
        x, (n, oh, ow, kh, kw, c), (b, r * sh, q * sw, r * dh, q * dw, k), writeable=False)


def conv2d(x, kernel, bias, cfg):
    size, stride = kernel.shape[:2], pair(cfg.get("strides") or 1)
    dilation = pair(cfg.get("dilation_rate") or 1)
    if cfg["padding"] == "same":
        pads = [same_pads(x.shape[1 + i], size[i], stride[i], dilation[i]) for i in range(2)]
        x = np.pad(x, ((0, 0), pads[0], pads[1], (0, 0)))
    cols = windows(np.ascontiguousarray(x), size, stride, dilation)
    n, oh, ow = cols.shape[:3]
    y = cols.reshape(n * oh * ow, -1) @ kernel.reshape(-1, kernel.shape[3])
    y = y.reshape(n, oh, ow, -1)
    return y if bias is None else y + bias


def pool(x, cfg, how):
    size = pair(cfg.get("pool_size") or 2)
    stride = pair(cfg.get("strides") or size)
    if cfg["padding"] == "same":
        pads = [same_pads(x.shape[1 + i], size[i], stride[i]) for i in range(2)]
        x = np.pad(x, ((0, 0), pads[0], pads[1], (0, 0)), constant_values=np.nan)
    cols = windows(np.ascontiguousarray(x), size, stride)
    return (np.nanmax if how == "max" else np.nanmean)(cols, axis=(3, 4)).astype(x.dtype)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


erf = np.vectorize(math.erf)
ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x >= 0, x, x * x.dtype.type(0.2)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softmax": softmax,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "gelu": lambda x: (x * 0.5 * (1 + erf(x / math.sqrt(2)))).astype(x.dtype),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
}


def activate(x, a):
    if a is None:
        return x
    if isinstance(a, str):
        return ACTIVATIONS[a](x)
    if isinstance(a["config"], str):
        return ACTIVATIONS[a["config"]](x)
    return layer_forward(x, a["class_name"], a["config"], [])


def layer_forward(x, kind, cfg, w):
    t = x.dtype.type
    w = [v.astype(x.dtype) for v in w]
    if kind == "Conv2D":
        return activate(conv2d(x, w[0], w[1] if cfg.get("use_bias", True) else None, cfg), cfg.get("activation"))
    if kind == "Dense":
        y = x @ w[0]
        return activate(y + w[1] if cfg.get("use_bias", True) else y, cfg.get("activation"))
    if kind == "BatchNormalization":
        w = list(w)
        gamma = w.pop(0) if cfg.get("scale", True) else t(1)
        beta = w.pop(0) if cfg.get("center", True) else t(0)
        mean, variance = w
        return (x - mean) * (gamma / np.sqrt(variance + t(cfg.get("epsilon", 1e-3)))) + beta
    if kind == "MaxPooling2D":
        return pool(x, cfg, "max")
    if kind == "AveragePooling2D":
        return pool(x, cfg, "mean")
    if kind in ("GlobalMaxPooling2D", "GlobalAveragePooling2D"):
        f = np.max if "Max" in kind else np.mean
        return f(x, axis=(1, 2), keepdims=cfg.get("keepdims", False))
    if kind == "ZeroPadding2D":
        p = cfg["padding"]
        p = [pair(v) for v in pair(p)]
        return np.pad(x, ((0, 0), p[0], p[1], (0, 0)))
    if kind == "Flatten":
        return x.reshape(len(x), -1)
    if kind == "Rescaling":
        return x * np.asarray(cfg["scale"], x.dtype) + np.asarray(cfg["offset"], x.dtype)
    if kind == "Activation":
        return activate(x, cfg["activation"])
    if kind == "Softmax":
        return softmax(x)
    if kind == "ReLU":
        return np.where(x >= 0, x, x * t(cfg.get("negative_slope") or 0))
    if kind == "LeakyReLU":
        slope = cfg["alpha"] if "alpha" in cfg else cfg.get("negative_slope", 0.3)
        return np.where(x >= 0, x, x * t(slope))
    if kind == "ELU":
        return np.where(x > 0, x, t(cfg.get("alpha", 1.0)) * np.expm1(np.minimum(x, 0)))
    if kind in ("Dropout", "SpatialDropout2D", "RandomFlip", "GaussianNoise", "Identity"):
        return x
    raise ValueError(f"the oracle does not know {kind}")


def forward(config, weights, x):
    """x[n][h][w][c], already times the rescale factor; what the last layer gives, in x's precision."""
    for layer in chain(config):
        cfg = layer["config"]
        x = layer_forward(x, layer["class_name"], cfg, weights.get(cfg["name"], []))
    return x
