#!/bin/bash
# Makes tests/fuzz/corpus/onnx: files of ecg-model export, and of PyTorch.
#
#     tests/fuzz/corpus_onnx.sh BUILD     (a build folder: build/release)
set -eu
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd) corpus=$PWD/tests/fuzz/corpus/onnx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$corpus" "$work/pictures"
"$build/tests/cli/make_pictures" "$work/pictures" 1 >"$work/log"
"$build/tests/cli/make_models" "$work" "$(find "$work/pictures" -name '*.png' | sort | head -n 1)" >"$work/log"
for name in layers vectors order flat avg; do
    "$build/tools/ecg-model" export "$work/$name.ecgm" -o "$work/$name.onnx" -q
    cp "$work/$name.onnx" "$corpus/$name"
done
/usr/bin/python3 - "$corpus" <<'PY'
import sys
import torch
import torch.nn as nn


class View(nn.Module):
    def forward(self, x):
        return x.view(x.size(0), -1)


torch.manual_seed(1)
nets = {
    "torch_view": nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.GELU(), nn.MaxPool2d(2), View(), nn.Linear(40, 3),
                                nn.SiLU(), nn.Linear(3, 2), nn.Softmax(1)),
    "torch_pool": nn.Sequential(nn.Conv2d(1, 2, 2, bias=False), nn.ELU(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2),
                                nn.LogSoftmax(1)),
}
for name, net in nets.items():
    torch.onnx.export(net.eval(), torch.zeros(1, 1, 8, 10), f"{sys.argv[1]}/{name}", opset_version=13, input_names=["x"],
                      dynamic_axes={"x": {0: "n", 2: "h", 3: "w"}} if name == "torch_pool" else {"x": {0: "n"}})
PY
