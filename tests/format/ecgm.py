#!/usr/bin/env python3
"""A reader of .ecgm files from lib/format/FORMAT.md alone: no library, no packages.

    ecgm.py FILE...     print each as one line of JSON; exit 1 at the first that is not as described
"""
import json
import math
import struct
import sys
import zlib

SIGNATURE = b"\x8aECGM\r\n\x1a"
ACTIVATIONS = {"relu", "sigmoid", "tanh", "gelu", "silu", "softmax", "elu", "leaky_relu"}
ALIASES = {"maxpool2d": "maxpool", "avgpool2d": "avgpool", "global_avgpool2d": "global_avgpool",
           "global_maxpool2d": "global_maxpool"}
# attribute: (kind, least, most, default), positional ones first
CONV = {"filters": ("uint", 1, 65536, None), "kernel": ("pair", 1, 64, None), "stride": ("pair", 1, 64, "1"),
        "pad": ("pad", 0, 4096, "valid"), "dilation": ("pair", 1, 64, "1"), "bias": ("uint", 0, 1, "1"),
        "init": ("name", 0, 0, "glorot_uniform"), "l2": ("real", 0, 1e6, "0")}
POOL = {"size": ("pair", 1, 255, "2"), "stride": ("pair", 0, 255, "0"), "pad": ("pad", 0, 254, "valid")}
LAYERS = {
    "conv2d": (2, CONV),
    "dense": (1, {"units": ("uint", 1, 1048576, None), "bias": ("uint", 0, 1, "1"),
                  "init": ("name", 0, 0, "glorot_uniform"), "l2": ("real", 0, 1e6, "0")}),
    "batchnorm": (0, {"eps": ("real", 1e-12, 1, "0.001"), "momentum": ("real", 0, 1, "0.99")}),
    "maxpool": (1, POOL), "avgpool": (1, POOL), "global_maxpool": (0, {}), "global_avgpool": (0, {}),
    "flatten": (0, {}), "dropout": (1, {"rate": ("real", 0, 0.999, None)}),
    "relu": (0, {}), "sigmoid": (0, {}), "tanh": (0, {}), "gelu": (0, {}), "silu": (0, {}), "softmax": (0, {}),
    "elu": (1, {"alpha": ("real", 0, 1e6, "1")}), "leaky_relu": (1, {"slope": ("real", 0, 1, "0.3")}),
}


CHUNKS = ("HEAD", "ARCH", "PREP", "STDZ", "CLAS", "RULE", "GATE", "WGTS", "meta", "IEND")


class Damaged(Exception):
    pass


def need(condition, message):
    if not condition:
        raise Damaged(message)


# ---- chunks ----

def chunks(data):
    need(data[:8] == SIGNATURE, "signature")
    at, tag = 8, b""
    while tag != b"IEND":
        need(len(data) - at >= 16, f"byte {at}: the file ends")
        tag = data[at:at + 4]
        need(tag.isalpha() and tag.isascii(), f"byte {at}: no tag: {tag!r}")
        length, = struct.unpack_from("<Q", data, at + 4)
        need(length <= len(data) - at - 16, f"byte {at}: {tag!r} claims {length} bytes")
        end = at + 12 + length
        crc, = struct.unpack_from("<I", data, end)
        need(crc == zlib.crc32(data[at:end]), f"byte {at}: checksum of {tag!r}")
        yield tag.decode(), at + 12, data[at + 12:end]
        at = end + 4
    need(at == len(data), f"byte {at}: bytes after the last chunk")


def strings(payload, each):
    need(len(payload) >= 4, "strings")
    count, = struct.unpack_from("<I", payload)
    parts = payload[4:].split(b"\0")
    need(parts.pop() == b"" and len(parts) == count * each, "count of strings")
    return parts


# ---- the text of the network ----

def number(text, low, high):
    need(text.isdecimal() and text.isascii() and low <= int(text) <= high, f"{text} is not {low}..{high}")
    return int(text)


def pair(text, low, high):
    parts = text.split("x")
    need(len(parts) in (1, 2), text)
    return tuple(number(p, low, high) for p in (parts * 2)[:2])


def value(kind, text, low, high):
    if kind == "uint":
        return number(text, low, high)
    if kind == "pair":
        return pair(text, low, high)
    if kind == "pad":
        if text in ("valid", "same"):
            return text
        if "," in text:
            sides = [number(p, low, high) for p in text.split(",")]
            need(len(sides) == 4, text)
            return tuple(sides)
        h, w = pair(text, low, high)
        return (h, h, w, w)
    if kind == "real":
        need(low <= float(text) <= high, text)
        return float(text)
    return text


def parse_item(words):
    name = ALIASES.get(words[0], words[0])
    need(name in LAYERS, f"no layer {words[0]}")
    positional, table = LAYERS[name]
    names, given, place, activation = list(table), {}, 0, None
    for word in words[1:]:
        need(activation is None, f"{word} after the activation")
        if word in ACTIVATIONS and name in ("conv2d", "dense", "batchnorm"):
            activation = word
            continue
        if "=" in word:
            key, _, text = word.partition("=")
        else:
            need(place < positional, f"{name}: {word}")
            key, text = names[place], word
            place += 1
        need(key in table and key not in given, f"{name}: {key}")
        given[key] = value(table[key][0], text, *table[key][1:3])
    for key, (kind, low, high, default) in table.items():
        if key not in given:
            need(default is not None, f"{name}: {key} is missing")
            given[key] = value(kind, default, low, high)
    return [(name, given)] + ([(activation, {k: value(v[0], v[3], *v[1:3])
                                             for k, v in LAYERS[activation][1].items()})] if activation else [])


def windows(size, kernel, stride, dilation, pad, axis):
    reach = (kernel - 1) * dilation + 1
    if pad == "same":
        return -(-size // stride)
    room = size - reach + (0 if pad == "valid" else pad[2 * axis] + pad[2 * axis + 1])
    need(room >= 0, "a window does not fit")
    return room // stride + 1


def plan(name, a, shape):
    """Shape after the layer, and its tensors: name, dimensions, state."""
    h, w, c = shape
    if name == "conv2d":
        out = tuple(windows(shape[i], a["kernel"][i], a["stride"][i], a["dilation"][i], a["pad"], i) for i in (0, 1))
        tensors = [("kernel", (*a["kernel"], c, a["filters"]), 0)]
        return (*out, a["filters"]), tensors + [("bias", (a["filters"],), 0)] * a["bias"]
    if name == "dense":
        tensors = [("kernel", (h * w * c, a["units"]), 0)]
        return (1, 1, a["units"]), tensors + [("bias", (a["units"],), 0)] * a["bias"]
    if name == "batchnorm":
        return shape, [("gamma", (c,), 0), ("beta", (c,), 0), ("mean", (c,), 1), ("variance", (c,), 1)]
    if name in ("maxpool", "avgpool"):
        stride = [s or k for s, k in zip(a["stride"], a["size"])]
        if isinstance(a["pad"], tuple):
            need(all(p < a["size"][i // 2] for i, p in enumerate(a["pad"])), "pad is not less than size")
        return (*(windows(shape[i], a["size"][i], stride[i], 1, a["pad"], i) for i in (0, 1)), c), []
    if name.startswith("global_"):
        return (1, 1, c), []
    if name == "flatten":
        return (1, 1, h * w * c), []
    return shape, []


def parse(text):
    """Input shape, and for each layer: name, output shape, tensors."""
    lines = "\n".join(line.partition("#")[0] for line in text.split("\n")).replace(";", "\n").split("\n")
    items = [line.split() for line in lines if line.split()]
    need(items and items[0][0] == "input" and len(items[0]) == 2, "no input")
    sides = items[0][1].split("x")
    need(len(sides) == 3, "shape of the input")
    shape = start = tuple(number(s, 1, m) for s, m in zip(sides, (4096, 4096, 4)))
    layers = []
    for words in items[1:]:
        for name, attributes in parse_item(words):
            shape, tensors = plan(name, attributes, shape)
            layers.append((name, shape, [(f"{len(layers) + 1}.{name}.{t}", d, s) for t, d, s in tensors]))
    need(0 < len(layers) <= 1024, "layers")
    need(layers[-1][0] == "softmax" and shape[:2] == (1, 1), "does not end in softmax")
    return start, layers


# ---- the whole ----

def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


def rule(payload):
    need(len(payload) == 24, "length of RULE")
    temperature, threshold, chosen, wanted, _, apart = struct.unpack("<ffIfII", payload)
    need(0.05 <= temperature <= 20.0000001 and 0 <= threshold <= 1 and 0 <= wanted <= 1, "numbers of RULE")
    need(chosen <= 3 and apart <= 1, "words of RULE")


def gate(payload, shape, layers):
    need(len(payload) >= 32, "length of GATE")
    version, looks, n, classes, pictures, _, zero = struct.unpack_from("<7I", payload)
    last = max((i for i, layer in enumerate(layers) if layer[0] == "dense"), default=len(layers) - 1)
    features = math.prod(layers[last - 1][1] if last else shape)
    need((version, looks, n, zero) == (1, 24, min(features, 256), 0), "head of GATE")
    need(classes == layers[-1][1][2] and pictures > 0, "counts of GATE")
    need(len(payload) == 28 + 4 * (1 + 2 * looks + n * (n + 1) // 2 + classes * n), "length of GATE")
    v = floats(payload[28:])
    need(all(map(math.isfinite, v)) and v[0] > 0, "numbers of GATE")
    need(all(a < b for a, b in zip(v[1:1 + looks], v[1 + looks:])), "intervals of GATE")
    need(all(v[1 + 2 * looks + i * (i + 1) // 2 + i] > 0 for i in range(n)), "diagonal of GATE")


def weights(payload, start, layers):
    tensors = [t for layer in layers for t in layer[2]]
    offset, at = {}, 0
    for state in (0, 1):
        for name, dims, is_state in tensors:
            if is_state == state:
                offset[name] = at
                at += -(-math.prod(dims) // 16) * 16
    pad = -(start + 16 + 88 * len(tensors)) % 64
    table = struct.pack("<IIQ", len(tensors), pad, at)
    for name, dims, state in tensors:
        full = (*dims, 0, 0, 0)[:4]
        table += struct.pack("<48sI4IIQQ", name.encode(), len(dims), *full, state, offset[name], math.prod(dims))
    table += bytes(pad)
    need(payload[:len(table)] == table, "table of tensors")
    need(len(payload) == len(table) + 4 * at, "length of WGTS")
    data, covered, out = payload[len(table):], [], {}
    for name, dims, _ in tensors:
        first, end = 4 * offset[name], 4 * (offset[name] + math.prod(dims))
        values = floats(data[first:end])
        need(all(map(math.isfinite, values)), f"{name}: not finite")
        need(not name.endswith(".variance") or min(values) >= 0, f"{name}: below 0")
        need(not any(data[end:-(-end // 64) * 64]), f"{name}: bytes after it")
        out[name] = values
    return out, at


def read(data):
    found, order = {}, []
    for tag, start, payload in chunks(data):
        if tag in CHUNKS:
            need(tag not in found, f"{tag} stands twice")
            found[tag] = start, payload
            order.append(tag)
        else:
            need(tag[0].islower() and order, f"chunk {tag}")
    want = [t for t in CHUNKS if t in found or t not in ("STDZ", "RULE", "GATE", "meta")]
    need(order == want, f"order of chunks: {order}")
    head = found["HEAD"][1]
    need(len(head) == 32, "length of HEAD")
    major, minor, marker, n_layers, n_classes, n_tensors, zero, n_floats = struct.unpack("<HHfIIIIQ", head)
    need(major == 1 and marker == -118.625 and zero == 0, "HEAD")
    text = found["ARCH"][1]
    need(len(text) <= 65536 and b"\0" not in text and text.startswith(b"input "), "ARCH")
    text = text.decode()
    shape, layers = parse(text)
    need(len(found["PREP"][1]) == 56, "length of PREP")
    prep = struct.unpack("<5I9f", found["PREP"][1])
    need(prep[:3] == shape and prep[2] in (1, 3, 4) and prep[3] <= 1 and prep[4] <= 5, "PREP")
    need(all(map(math.isfinite, prep[5:])) and min(prep[10:]) > 0, "numbers of PREP")
    if "STDZ" in found:
        payload = found["STDZ"][1]
        need(len(payload) >= 8, "length of STDZ")
        flags, n = struct.unpack_from("<II", payload)
        need(flags in (0, 1, 3) and n in (0, math.prod(shape)) and n <= 4096 and flags + n > 0, "STDZ")
        need(len(payload) == 8 + 4 * n * n and all(map(math.isfinite, floats(payload[8:]))), "matrix of STDZ")
    classes = strings(found["CLAS"][1], 1)
    need(len(classes) == n_classes == layers[-1][1][2] <= 65536, "number of classes")
    need(len(set(classes)) == len(classes) and all(1 <= len(c) <= 255 for c in classes), "names of classes")
    if "RULE" in found:
        rule(found["RULE"][1])
    if "GATE" in found:
        gate(found["GATE"][1], shape, layers)
    values, all_floats = weights(found["WGTS"][1], found["WGTS"][0], layers)
    need((n_layers, n_tensors, n_floats) == (len(layers), len(values), all_floats), "counts of HEAD")
    meta = strings(found["meta"][1], 2) if "meta" in found else []
    need(len(found["IEND"][1]) == 0, "IEND is not empty")
    return {
        "format": f"{major}.{minor}", "architecture": text, "input": list(shape),
        "layers": [{"name": name, "output": list(out), "params": sum(math.prod(d) for _, d, s in ts if not s),
                    "state": sum(math.prod(d) for _, d, s in ts if s)} for name, out, ts in layers],
        "classes": [c.decode(errors="replace") for c in classes],
        "meta": [[k.decode(errors="replace"), v.decode(errors="replace")] for k, v in zip(meta[::2], meta[1::2])],
        "tensors": {name: sum(v) for name, v in values.items()},
    }


def main(paths):
    for path in paths:
        with open(path, "rb") as f:
            try:
                print(json.dumps(dict(file=path, **read(f.read()))))
            except (Damaged, ValueError) as e:
                sys.exit(f"{path}: {e}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
