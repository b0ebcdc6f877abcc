#!/usr/bin/python3
"""Training from a folder of pictures to a model file, whole processes: ecg-train, and the same job in PyTorch
(Debian's python3-torch and python3-pil) with its usual DataLoader; in the same run, one after the other.

    compare_train.py DIR [--train build/release/tools/ecg-train] [--net seed] [--size 64x64] [--epochs 10] [--batch 32]
                     [--threads 2] [--workers 2] [--rounds 1] [--no-augment] [--json]

DIR has one folder per class. Both hold a tenth of each class back for validation after each epoch, train with Adam and
cross-entropy on gray pictures that the augmentation of the original project changes (--augment keras-seed: zoom of rows
and columns, shear, mirror), and write the best model. PyTorch's processes of the DataLoader decode with Pillow, resize,
warp (Image.transform, as torchvision's RandomAffine does) and are kept from epoch to epoch; it uses the layout of tensors
and the kind of Adam that a short trial finds faster. Both run with the same OPENBLAS_CORETYPE. Time is from the start of a
process to its end; the ratio is the median of the ratios within a round.
"""
import argparse
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import compare  # noqa: E402  (the machine)
import torch_side  # noqa: E402


# ---- PyTorch ----

def split_paths(root, seed):
    """Training and validation as lists of (path, class): a tenth of each class, shuffled."""
    rng, train, val = random.Random(seed), [], []
    for label, folder in enumerate(sorted(p for p in Path(root).iterdir() if p.is_dir())):
        paths = sorted(str(p) for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
        rng.shuffle(paths)
        held = round(0.1 * len(paths))
        val += [(p, label) for p in paths[:held]]
        train += [(p, label) for p in paths[held:]]
    return train, val


def affine(size, rng):
    """Coefficients of Image.transform for a draw of keras-seed: output column and row to those of the input."""
    h, w = size
    zoom_row, zoom_col = rng.uniform(0.8, 1.2), rng.uniform(0.8, 1.2)
    shear = math.radians(rng.uniform(-0.2, 0.2))
    mirror = -1 if rng.random() < 0.5 else 1
    a, b = zoom_col * math.cos(shear) * mirror, 0.0
    d, e = -zoom_row * math.sin(shear) * mirror, zoom_row
    cx, cy = w / 2, h / 2
    return a, b, cx - a * cx - b * cy, d, e, cy - d * cx - e * cy


def make_dataset(torch, numpy, image, samples, size, augment):
    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return len(samples)

        def __getitem__(self, i):
            path, label = samples[i]
            with image.open(path) as f:
                x = f.convert("L").resize((size[1], size[0]), image.BILINEAR)
            if augment:
                x = x.transform(x.size, image.AFFINE, affine(size, random), image.BILINEAR, fillcolor=255)
            x = torch.from_numpy(numpy.array(x, numpy.uint8))
            return x[None].to(torch.float32).div_(255), label

    return Pictures()


def worker(a):
    import numpy
    import torch
    from PIL import Image
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    random.seed(1)
    train, val = split_paths(a.dir, 1)
    layout, foreach = torch_side.faster_ways(torch, a.worker, a.batch, [torch.contiguous_format, torch.channels_last])
    net, shape, _ = torch_side.torch_net(a.worker, torch.nn)
    net = net.to(memory_format=layout)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7, foreach=foreach)
    cross = torch.nn.CrossEntropyLoss()

    def loader(samples, augment):
        return torch.utils.data.DataLoader(make_dataset(torch, numpy, Image, samples, shape[:2], augment), a.batch,
                                           shuffle=augment is not None, num_workers=a.workers,
                                           persistent_workers=a.workers > 0)
    train_loader, val_loader = loader(train, not a.no_augment), loader(val, None)
    best, result = math.inf, {}
    seconds = []
    for _ in range(a.epochs):
        start = time.perf_counter()
        net.train()
        for x, y in train_loader:
            adam.zero_grad(set_to_none=True)
            loss = cross(net(x.to(memory_format=layout)), y)
            loss.backward()
            adam.step()
        net.eval()
        right, total = 0, 0.0
        with torch.inference_mode():
            for x, y in val_loader:
                out = net(x.to(memory_format=layout))
                total += cross(out, y).item() * len(y)
                right += (out.argmax(1) == y).sum().item()
        if total / len(val) < best:
            best = total / len(val)
            result = {"val_loss": best, "val_accuracy": right / len(val)}
            torch.save(net.state_dict(), a.output)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({**result, "pictures": len(train), "epoch_seconds": statistics.median(seconds),
                      "layout": "channels_last" if layout == torch.channels_last else "contiguous",
                      "adam_foreach": foreach, "version": torch.__version__}))


# ---- the comparison ----

def run(command, env):
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True)
    took, after = time.perf_counter() - start, os.times()
    if done.returncode != 0:
        sys.exit(f"compare_train.py: {command[0]} failed")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {**json.loads(done.stdout.strip().splitlines()[-1]), "seconds": took, "cpu": cpu}


def network_text(a):
    """Of ecg-train, as the text that compare.py reads."""
    out = subprocess.run([a.train, str(a.dir), "--summary", "--json", "--net", a.net, "--size", a.size], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    net = json.loads(out)
    rows = ["input " + "x".join(map(str, net["input"]))]
    return "; ".join(rows + [f"{x['name']} {x['text']}".strip() for x in net["layers"]])


def same_kernels(train):
    """The environment that gives PyTorch the BLAS kernels that ecg-train picks for itself."""
    env = dict(os.environ)
    info = subprocess.run([train, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    core = re.search(r"OpenBLAS (\w+)", info)
    if core:
        env.setdefault("OPENBLAS_CORETYPE", core.group(1))
    return env, info.splitlines()[1]


def contest(a):
    text = network_text(a)
    env, build = same_kernels(a.train)
    load = os.getloadavg()[0]
    shared = ["--threads", str(a.threads), "--epochs", str(a.epochs), "--batch", str(a.batch)]
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        ours = [a.train, str(a.dir), "-o", tmp + "/m.ecgm", "--net", a.net, "--size", a.size, "--seed", "1", *shared,
                "--augment", "none" if a.no_augment else "keras-seed", "--quiet", "--json"]
        theirs = [sys.executable, __file__, str(a.dir), "--worker", text, "--workers", str(a.workers), *shared,
                  "--output", tmp + "/m.pt"] + ["--no-augment"] * a.no_augment
        for path in Path(a.dir).rglob("*.*"):  # files come from memory for both
            path.is_file() and path.read_bytes()
        for n in range(a.rounds):
            rows.append((run(ours, env), run(theirs, env)))
            print(f"round {n + 1} of {a.rounds}: {rows[-1][0]['seconds']:.1f} s and {rows[-1][1]['seconds']:.1f} s",
                  file=sys.stderr)
    ratios = [t["seconds"] / o["seconds"] for o, t in rows]
    first, torch = rows[0]

    def figures(side):
        picked = [r[side] for r in rows]
        return {"seconds": statistics.median(r["seconds"] for r in picked), "best": min(r["seconds"] for r in picked),
                "cpu_seconds": statistics.median(r["cpu"] for r in picked), "val_loss": picked[0]["val_loss"],
                "val_accuracy": picked[0]["val_accuracy"]}

    return {"machine": {**compare.machine(), "load_before": load}, "build": build, "net": text, "epochs": a.epochs,
            "batch": a.batch, "threads": a.threads, "workers": a.workers, "rounds": a.rounds,
            "augment": not a.no_augment, "pictures": torch["pictures"], "torch": torch["version"],
            "torch_layout": torch["layout"], "torch_adam_foreach": torch["adam_foreach"],
            "coretype": env.get("OPENBLAS_CORETYPE", ""), "ecgcnn": figures(0), "pytorch": figures(1),
            "pytorch_epoch_seconds": torch["epoch_seconds"], "ratio": statistics.median(ratios),
            "ratio_range": [min(ratios), max(ratios)],
            "cpu_ratio": statistics.median(t["cpu"] / o["cpu"] for o, t in rows)}


def show(r):
    compare.show_machine(r["machine"])
    print(f"{r['build']}; PyTorch {r['torch']}, {r['torch_layout']}, OPENBLAS_CORETYPE {r['coretype'] or 'as found'}")
    print(f"{r['net']}\n{r['pictures']} pictures to train on, {r['epochs']} epochs, batch {r['batch']}, {r['threads']} "
          f"threads, {r['workers']} processes of the DataLoader, {r['rounds']} rounds\n")
    print(f"{'':12}{'seconds':>10}{'best':>10}{'processor':>11}{'val loss':>10}{'val acc.':>10}")
    for name, key in (("ecg-train", "ecgcnn"), ("PyTorch", "pytorch")):
        x = r[key]
        print(f"{name:12}{x['seconds']:10.2f}{x['best']:10.2f}{x['cpu_seconds']:11.2f}{x['val_loss']:10.4f}"
              f"{x['val_accuracy']:10.4f}")
    print("\necg-train is {:.2f} times as fast ({:.2f} to {:.2f}); of processor time {:.2f}".format(
        r["ratio"], *r["ratio_range"], r["cpu_ratio"]))


def main():
    root = Path(__file__).resolve().parents[2]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("dir", type=Path)
    p.add_argument("--train", default=str(root / "build/release/tools/ecg-train"))
    p.add_argument("--net", default="seed")
    p.add_argument("--size", default="64x64")
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("--no-augment", action="store_true")
    p.add_argument("--json", action="store_true")
    p.add_argument("--worker", metavar="NET", help=argparse.SUPPRESS)
    p.add_argument("--output", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.worker:
        worker(a)
        return
    if not Path(a.train).exists():
        sys.exit(f"compare_train.py: no {a.train}; build preset release first")
    result = contest(a)
    if a.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    else:
        show(result)


if __name__ == "__main__":
    main()
