#!/usr/bin/env python3
"""Grad-CAM of the library against PyTorch's gradients of the same network, to 1e-4.

    gradcam_torch.py TOOLS WORK      exit status 77: no PyTorch, or a sanitized library

Networks are trained for a moment, their weights read by tests/format/ecgm.py, which knows FORMAT.md and not the library, and
the picture goes through PyTorch in double precision: every layer with rows and columns, for every class.
"""
import ctypes
import shutil
import struct
import subprocess
import sys
from pathlib import Path

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from PIL import Image
except ImportError:
    print("SKIP: python3-torch or python3-pil is not installed")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "format"))
import ecgm  # noqa: E402

TOOLS, WORK = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
NETS = {
    "seed": "input 64x64x1; conv2d 32 3x3 relu; maxpool 2x2; conv2d 32 3x3 relu; maxpool 2x2; flatten; dense 32; dense 3; softmax",
    "batchnorm": "input 24x20x1; conv2d 8 3x3 pad=same; batchnorm momentum=0.5 relu; maxpool 2x2; conv2d 6 3x3; "
                 "batchnorm momentum=0.5; elu; dropout 0.3; global_avgpool; dense 3; softmax",
    "elu": "input 20x28x1; conv2d 5 5x3 stride=2x1 elu; avgpool 2x2; conv2d 7 3x3 pad=1 gelu; flatten; dense 9 tanh; dense 3; softmax",
    "padding": "input 21x17x3; conv2d 4 3x3 pad=1,2,0,1 stride=2 leaky_relu; maxpool 3x3 stride=2 pad=same; "
               "conv2d 5 3x3 pad=same dilation=2 silu; avgpool 3x3 stride=2 pad=same; flatten; dense 3; softmax",
    "pools": "input 18x18x1; conv2d 6 3x3 sigmoid; maxpool 2x2 stride=1; conv2d 4 2x2 bias=0 relu; global_maxpool; dense 3; softmax",
}
rng = np.random.default_rng(4)


# ---- the library ----

class Picture(ctypes.Structure):
    _fields_ = [("px", ctypes.c_void_p), ("w", ctypes.c_uint32), ("h", ctypes.c_uint32), ("c", ctypes.c_uint32),
                ("stride", ctypes.c_size_t)]


class Heat(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("cls", ctypes.c_uint32), ("probability", ctypes.c_float),
                ("layer", ctypes.c_uint32), ("most", ctypes.c_float), ("map_h", ctypes.c_uint32),
                ("map_w", ctypes.c_uint32), ("map", ctypes.POINTER(ctypes.c_float)), ("h", ctypes.c_uint32),
                ("w", ctypes.c_uint32), ("full", ctypes.POINTER(ctypes.c_float))]


LIBRARY = TOOLS.parent / "lib" / "libecgcnn.so"
if b"__asan_init" in LIBRARY.read_bytes():
    print("SKIP: a sanitized library cannot be loaded into Python")
    sys.exit(77)
lib = ctypes.CDLL(str(LIBRARY))


def load(path):
    model = ctypes.c_void_p()
    assert lib.ecg_model_load(ctypes.byref(model), str(path).encode(), None, None) == 0, path
    return model


def heat(model, px, layer, cls):
    """px[h][w][c]; layer 0: the default; cls None: the most likely."""
    px = np.ascontiguousarray(px)
    h, w, c = px.shape
    picture = Picture(px.ctypes.data, w, h, c, w * c)
    options = struct.pack("=8I", 32, 0, cls is not None, cls or 0, layer, 0, 0, 0)
    out = ctypes.POINTER(Heat)()
    status = lib.ecg_heat_new(ctypes.byref(out), model, ctypes.byref(picture), options, None)
    assert status == 0, f"ecg_heat_new: {status}"
    r = out.contents
    found = dict(cls=r.cls, layer=r.layer, most=r.most, probability=r.probability,
                 map=np.ctypeslib.as_array(r.map, (r.map_h, r.map_w)).copy(),
                 full=np.ctypeslib.as_array(r.full, (r.h, r.w)).copy())
    lib.ecg_heat_free(out)
    return found


# ---- the same network in PyTorch ----

def read(path):
    """Layers with attributes and weights, in order."""
    found = {tag: (start, payload) for tag, start, payload in ecgm.chunks(Path(path).read_bytes())}
    text = found["ARCH"][1].decode()
    _, layers = ecgm.parse(text)
    values, _ = ecgm.weights(found["WGTS"][1], found["WGTS"][0], layers)
    items = [i.split() for i in text.replace(";", "\n").split("\n") if i.split()][1:]
    attributes = [pair for words in items for pair in ecgm.parse_item(words)]
    out = []
    for (name, _, tensors), (again, a) in zip(layers, attributes):
        assert name == again
        out.append((name, a, {t.split(".")[-1]: torch.tensor(values[t], dtype=torch.float64).reshape(d) for t, d, _ in tensors}))
    return out


def pads(x, a, kernel, stride, dilation=(1, 1)):
    """left, right, top, bottom, as F.pad takes them."""
    sides = []
    for axis in (0, 1):
        size, reach = x.shape[2 + axis], (kernel[axis] - 1) * dilation[axis] + 1
        if a["pad"] == "same":
            windows = -(-size // stride[axis])
            total = max(0, (windows - 1) * stride[axis] + reach - size)
            sides.append((total // 2, total - total // 2))
        else:
            sides.append((0, 0) if a["pad"] == "valid" else a["pad"][2 * axis:2 * axis + 2])
    return (*sides[1], *sides[0])


def step(name, a, t, x):
    if name == "conv2d":
        p = pads(x, a, a["kernel"], a["stride"], a["dilation"])
        return F.conv2d(F.pad(x, p), t["kernel"].permute(3, 2, 0, 1), t.get("bias"), a["stride"], 0, a["dilation"])
    if name in ("maxpool", "avgpool"):
        stride = [s or k for s, k in zip(a["stride"], a["size"])]
        p = pads(x, a, a["size"], stride)
        if name == "maxpool":
            return F.max_pool2d(F.pad(x, p, value=-np.inf), a["size"], stride)
        sums = F.avg_pool2d(F.pad(x, p), a["size"], stride)
        return sums / F.avg_pool2d(F.pad(torch.ones_like(x), p), a["size"], stride)
    if name == "batchnorm":
        return F.batch_norm(x, t["mean"], t["variance"], t["gamma"], t["beta"], False, 0, a["eps"])
    if name == "dense":
        y = x.permute(0, 2, 3, 1).flatten(1) @ t["kernel"]
        return (y + t["bias"] if "bias" in t else y)[:, :, None, None]
    if name == "flatten":
        return x.permute(0, 2, 3, 1).flatten(1)[:, :, None, None]
    if name == "global_avgpool":
        return x.mean((2, 3), keepdim=True)
    if name == "global_maxpool":
        return x.amax((2, 3), keepdim=True)
    return {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "gelu": F.gelu, "silu": F.silu,
            "dropout": lambda v: v, "elu": lambda v: F.elu(v, a["alpha"]),
            "leaky_relu": lambda v: F.leaky_relu(v, a["slope"])}[name](x)


def cams(layers, px):
    """For each layer and class the map before relu; and the class's probability."""
    x = torch.tensor(px.astype(float) / 255).permute(2, 0, 1)[None].requires_grad_()
    outputs = []
    for name, a, t in layers[:-1]:
        x = step(name, a, t, x)
        outputs.append(x)
    logits = x.flatten()
    out = []
    for cls in range(len(logits)):
        grads = torch.autograd.grad(logits[cls], outputs, retain_graph=True)
        out.append([(g.mean((2, 3), keepdim=True) * y).sum(1)[0].detach() for g, y in zip(grads, outputs)])
    return out, torch.softmax(logits, 0).detach().numpy()


# ---- comparing ----

worst = compared = hot = 0
failed = []


def near(where, what, got, want, scale):
    global worst, compared
    off = float(np.max(np.abs(np.asarray(got, float) - np.asarray(want, float)))) / scale
    worst, compared = max(worst, off), compared + 1
    if not off <= 1e-4:
        failed.append(f"{where}: {what} is off by {off:.3g} of its range")


def compare(where, found, raw):
    global hot
    want = torch.relu(raw)
    scale = max(float(raw.abs().max()), 1e-12)
    near(where, "the map", found["map"] * found["most"], want, scale)
    most = float(want.max())
    if most < 0.01 * scale:  # next to nothing divided by itself
        return
    hot += 1
    near(where, "most", found["most"], most, most)
    near(where, "the map, divided", found["map"], want / most, 1)
    full = F.interpolate(want[None, None], found["full"].shape, mode="bilinear", align_corners=False)[0, 0]
    near(where, "the map, enlarged", found["full"], full / full.max(), 1)


def pictures(folder, h, w, c):
    for k in range(3):
        (folder / f"class{k}").mkdir(parents=True)
        for i in range(10):
            px = rng.integers(0, 256, (h, w, c))
            px[h * k // 3:h * (k + 1) // 3] //= 3
            Image.fromarray(px.astype(np.uint8) if c == 3 else px[..., 0].astype(np.uint8)).save(folder / f"class{k}/{i}.png")


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    for name, text in NETS.items():
        h, w, c = map(int, text.split(";")[0].split()[1].split("x"))
        data, path = WORK / name, WORK / f"{name}.ecgm"
        pictures(data, h, w, c)
        subprocess.run([TOOLS / "ecg-train", data, "-o", path, "--net", text, "--epochs", "2", "--batch", "8", "--val-split",
                        "0.2", "--lr", "0.01", "--color", "rgb" if c == 3 else "gray", "--no-calibrate", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        layers, model = read(path), load(path)
        for seed in range(3):
            px = np.random.default_rng(seed).integers(0, 256, (h, w, c)).astype(np.uint8)
            want, p = cams(layers, px)
            best = heat(model, px, 0, None)
            near(name, "probability", best["probability"], p[best["cls"]], 1)
            if best["cls"] != int(np.argmax(p)):
                failed.append(f"{name}: class {best['cls']} is explained, {int(np.argmax(p))} is the most likely")
            convs = [i for i, layer in enumerate(layers) if layer[0] == "conv2d"]
            if not convs[-1] + 1 < best["layer"] <= convs[-1] + 3:
                failed.append(f"{name}: layer {best['layer']} by default")
            compare(f"{name}, default", best, want[best["cls"]][best["layer"] - 1])
            for cls in range(3):
                for i, raw in enumerate(want[cls]):
                    if raw.numel() > 1:
                        compare(f"{name}, picture {seed}, layer {i + 1} ({layers[i][0]}), class {cls}",
                                heat(model, px, i + 1, cls), raw)
        lib.ecg_model_free(model)
    for line in failed[:20]:
        print("FAILED", line)
    print(f"{compared} figures of {hot} maps compared, {len(failed)} off; the largest difference is {worst:.2g}")
    return bool(failed) or hot < 100


if __name__ == "__main__":
    sys.exit(main())
