#!/usr/bin/env python3
"""ONNX files that PyTorch writes: imported, and the same probabilities as PyTorch's; and what cannot be is refused by name.

    onnx_torch.py TOOLS FOLDER
"""
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from PIL import Image

warnings.filterwarnings("ignore")
TOOLS, WORK = Path(sys.argv[1]), Path(sys.argv[2])
failed = passed = 0


class View(nn.Module):
    def forward(self, x):
        return x.view(x.size(0), -1)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean([2, 3])


class Scale(nn.Module):
    """What users put in front of their networks."""

    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, x):
        return (x / 255.0 - self.mean) / self.std


class Fork(nn.Module):
    def forward(self, x):
        return x + torch.relu(x)


def body(*tail, channels=1):
    return [nn.Conv2d(channels, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), *tail]


def nets():
    soft = nn.Softmax(dim=1)
    yield "plain", nn.Sequential(*body(nn.Flatten(), nn.Linear(6 * 12 * 10, 5), soft)), 1, {}
    yield "view", nn.Sequential(*body(View(), nn.Dropout(0.4), nn.Linear(6 * 12 * 10, 7), nn.ELU(0.5), nn.Linear(7, 5), soft)), 1, {}
    yield "mean", nn.Sequential(*body(nn.SiLU(), nn.Conv2d(6, 8, (3, 2), stride=(2, 1)), nn.GELU(), Mean(), nn.Linear(8, 5), soft)), 1, {}
    yield "adaptive", nn.Sequential(*body(nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5), nn.LogSoftmax(1))), 1, {}
    yield "norm", nn.Sequential(*body(nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.Flatten(), nn.BatchNorm1d(6 * 6 * 5), nn.Tanh(),
                                      nn.Linear(6 * 6 * 5, 4, bias=False), nn.Sigmoid(), nn.Linear(4, 5), soft)), 1, {}
    yield "scaled", nn.Sequential(Scale([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]), *body(nn.Flatten(), nn.Linear(6 * 12 * 10, 5), soft, channels=3)), 3, \
        {"rescale": "1"}
    yield "logits", nn.Sequential(*body(nn.Flatten(), nn.Linear(6 * 12 * 10, 5))), 1, {"args": ["--softmax"]}
    yield "gray", nn.Sequential(*body(nn.Flatten(), nn.Linear(6 * 12 * 10, 5), soft, channels=3)), 3, {"args": ["--gray"]}
    yield "forked", nn.Sequential(*body(Fork(), nn.Flatten(), nn.Linear(6 * 12 * 10, 5), soft)), 1, {"refused": "node .*: .* is read by 2 nodes"}
    yield "group", nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=2), nn.Flatten(), nn.Linear(4 * 20 * 16, 5), soft), 1, \
        {"refused": "Conv.*: groups of channels are not supported"}
    yield "upsampled", nn.Sequential(*body(nn.Upsample(scale_factor=2), nn.Flatten(), nn.Linear(6 * 24 * 20, 5), soft)), 1, \
        {"refused": "node [0-9]+ \\(Resize"}
    yield "counted", nn.Sequential(*body(nn.AvgPool2d(3, 2, 1), nn.Flatten(), nn.Linear(6 * 6 * 5, 5), soft)), 1, \
        {"refused": "AveragePool.*padding that counts|node [0-9]+ \\(Pad"}
    yield "unscaled", nn.Sequential(*body(nn.Flatten(), nn.Linear(6 * 12 * 10, 5), soft)), 1, {"rescale": None, "refused": "--rescale"}
    yield "open_end", nn.Sequential(*body(nn.Flatten(), nn.Linear(6 * 12 * 10, 5))), 1, {"refused": "does not end in a softmax"}


def check(name, ok, what=""):
    global failed, passed
    passed += bool(ok)
    failed += not ok
    if not ok:
        print(f"FAILED: {name}: {what}")


def tool(*args):
    return subprocess.run([TOOLS / args[0], *map(str, args[1:])], capture_output=True, text=True)


def one(name, net, channels, how, opset, pictures):
    path, model = WORK / f"{name}.onnx", WORK / f"{name}.ecgm"
    batch = {"pixels": {0: "batch"}, "out": {0: "batch"}} if opset != 11 else None
    torch.onnx.export(net, torch.zeros(1, channels, 24, 20), path, opset_version=opset, input_names=["pixels"], output_names=["out"],
                      dynamic_axes=batch)
    rescale = how.get("rescale", "1/255")
    r = tool("ecg-model", "import", path, "-o", model, "--class-names", "a,b,c,d,e", *(["--rescale", rescale] if rescale else []),
             *how.get("args", []))
    title = f"{name}, operator set {opset}"
    if "refused" in how:
        import re
        check(title, r.returncode == 1 and re.search(how["refused"], r.stderr) and r.stderr.startswith(f"ecg-model: {path}: "), r.stderr)
        return
    check(title, r.returncode == 0, r.stderr)
    if r.returncode:
        return
    gray = "--gray" in how.get("args", [])
    files = [f for f, a in pictures if a.ndim == (2 if channels == 1 or gray else 3)]
    got = [json.loads(line)["probabilities"] for line in tool("ecg-predict", "-m", model, "--json", *files).stdout.splitlines()]
    factor = 1.0 if rescale == "1" else 1 / 255
    for (f, a), probs in zip([p for p in pictures if p[0] in files], got):
        x = np.atleast_3d(a).astype(np.float32) * np.float32(factor)
        x = np.repeat(x, channels // x.shape[2], 2) if x.shape[2] < channels else x
        with torch.no_grad():
            y = net(torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1)[None])))[0]
        if name == "adaptive":
            y = y.exp()
        elif name == "logits":
            y = y.softmax(0)
        worst = np.abs(y.numpy() - [probs[c] for c in "abcde"]).max()
        check(f"{title}, {f.name}", worst <= 1e-5, f"differs by {worst:.2e}")
    check(title, len(got) == len(files) > 1, "predictions are missing")


def main():
    torch.manual_seed(3)
    random = np.random.default_rng(4)
    pictures = []
    for k in range(3):
        for shape in ((24, 20), (24, 20, 3)):
            a = random.integers(0, 256, shape, np.uint8)
            if k == 1:
                a[4:12, 3:] //= 8
            path = WORK / f"torch{k}_{len(shape)}.png"
            Image.fromarray(a).save(path)
            pictures.append((path, a))
    for name, net, channels, how in nets():
        for module in net.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 1.5)
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.5, 0.5)
        net.eval()
        for opset in (11, 13) if name in ("plain", "view", "mean") else (13,):
            one(name, net, channels, how, opset, pictures)
    print(f"passed {passed} of {passed + failed}")
    return failed > 0 or passed == 0


sys.exit(main())
