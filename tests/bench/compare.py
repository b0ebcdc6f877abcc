#!/usr/bin/python3
"""ecg-bench and PyTorch (Debian's python3-torch) on the same network, in the same run, one after the other.

    compare.py [--bench build/release/tests/bench/ecg-bench] [--net seed] [--size 64x64] [--batch 32] [--threads 2]
               [--seconds 3] [--rounds 5] [--torch-coretype NAME] [--json]

Every round runs each contestant once: this library, PyTorch with contiguous tensors, PyTorch channels last. Figures are
medians over the rounds, ratios medians of the ratios within a round. Single precision, Adam, cross-entropy, pictures
of noise that are already in memory. OpenBLAS picks its kernels as each program finds it: ecg-bench starts itself again
where others are faster, PyTorch runs as installed unless --torch-coretype says otherwise.
"""
import argparse
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

POOL_BATCHES = 8
FORMATS = ("contiguous", "channels_last")
KEYS = ("train", "infer", "latency")


# ---- PyTorch, in a process of its own that waits for "go" between rounds ----

def torch_net(text, nn):
    """The network of ecg-bench's canonical text; only what it is made of is known here."""
    items = [item.split() for item in re.split(r"[;\n]", text) if item.split()]
    assert items[0][0] == "input", text
    h, w, c = map(int, items[0][1].split("x"))
    shape, flat, layers = [h, w, c], None, []

    def pair(word):
        a, _, b = word.partition("x")
        return int(a), int(b or a)

    for name, *words in items[1:]:
        options = dict(x.split("=", 1) for x in words if "=" in x)
        words = [x for x in words if "=" not in x]
        relu = "relu" in words
        words = [x for x in words if x != "relu"]
        known = {"conv2d": {"pad", "stride"}, "maxpool": {"stride"}}.get(name, set())
        if set(options) - known:
            sys.exit(f"compare.py does not know {options} of {name}")
        if name == "conv2d" and len(words) == 2:
            n, (kh, kw) = int(words[0]), pair(words[1])
            sh, sw = pair(options.get("stride", "1"))
            same = options.get("pad", "valid") == "same"
            if same and (sh, sw) != (1, 1):
                sys.exit("compare.py does not know a padded convolution with strides")
            layers.append(nn.Conv2d(shape[2], n, (kh, kw), (sh, sw), "same" if same else 0))
            if not same:
                shape[0], shape[1] = (shape[0] - kh) // sh + 1, (shape[1] - kw) // sw + 1
            shape[2] = n
        elif name == "maxpool" and len(words) <= 1:
            words = words or ["2x2"]
            kh, kw = pair(words[0])
            sh, sw = pair(options.get("stride", words[0]))
            layers.append(nn.MaxPool2d((kh, kw), (sh, sw)))
            shape[0], shape[1] = (shape[0] - kh) // sh + 1, (shape[1] - kw) // sw + 1
        elif name == "flatten" and not words:
            layers.append(nn.Flatten())
            flat = shape[0] * shape[1] * shape[2]
        elif name == "dense" and len(words) == 1:
            layers.append(nn.Linear(flat, int(words[0])))
            flat = int(words[0])
        elif name == "dropout" and len(words) == 1:
            layers.append(nn.Dropout(float(words[0])))
        elif name == "softmax" and not words:
            continue  # part of the loss in training; added for inference
        elif name == "relu" and not words:
            relu = True
        else:
            sys.exit(f"compare.py does not know: {name} {' '.join(words)}")
        if relu:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers), (h, w, c), flat


def worker(a):
    import torch
    from torch import nn
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    net, (h, w, c), classes = torch_net(a.net, nn)
    layout = torch.channels_last if a.worker == "channels_last" else torch.contiguous_format
    net = net.to(memory_format=layout)
    xs = [torch.rand(a.batch, c, h, w).to(memory_format=layout) for _ in range(POOL_BATCHES)]
    ys = [torch.randint(classes, (a.batch,)) for _ in range(POOL_BATCHES)]
    ones = [xs[0][i:i + 1].clone(memory_format=layout) for i in range(a.batch)]
    loss_of = nn.CrossEntropyLoss()
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7)

    def train(seconds):
        net.train()
        k, start = 0, time.perf_counter()
        while True:
            adam.zero_grad(set_to_none=True)
            loss = loss_of(net(xs[k % POOL_BATCHES]), ys[k % POOL_BATCHES])
            loss.backward()
            adam.step()
            loss.item()  # ecg-bench gets the loss of each step too
            k += 1
            t = time.perf_counter() - start
            if t >= seconds:
                return k * a.batch / t

    def infer(seconds):
        net.eval()
        k, start = 0, time.perf_counter()
        while True:
            torch.softmax(net(xs[k % POOL_BATCHES]), 1)
            k += 1
            t = time.perf_counter() - start
            if t >= seconds:
                return k * a.batch / t

    def latency(seconds):
        net.eval()
        each, start = [], time.perf_counter()
        last = start
        while last - start < seconds:
            torch.softmax(net(ones[len(each) % a.batch]), 1)
            t = time.perf_counter()
            each.append(1e3 * (t - last))
            last = t
        return statistics.median(each)

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    train(0.3)
    peak_train = peak()
    with torch.inference_mode():
        infer(0.2)
    print(json.dumps({"version": torch.__version__, "mkldnn": torch.backends.mkldnn.is_available(),
                      "threads": torch.get_num_threads(), "peak_rss_train_mib": peak_train}), flush=True)
    for line in sys.stdin:
        result = {"train": train(a.seconds)}
        with torch.inference_mode():
            result["infer"] = infer(a.seconds)
            result["latency"] = latency(a.seconds)
        print(json.dumps(result), flush=True)


# ---- the comparison ----

def machine():
    model, flags = "", set()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            model = value.strip()
        elif key.strip() == "flags":
            flags = set(value.split())
    isa = [f for f in ("avx2", "fma", "avx512f", "avx512_vnni", "amx_tile") if f in flags]
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "") if sys.version_info >= (3, 10) else ""
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "isa": isa, "system": release,
            "load_before": os.getloadavg()[0]}


def bench(a, seconds, rounds):
    out = subprocess.run([a.bench, "--net", a.net, "--size", a.size, "--batch", str(a.batch), "--threads",
                          str(a.threads), "--seconds", str(seconds), "--rounds", str(rounds), "--json"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    r = json.loads(out)
    r.update(train=r["train_pictures_per_s"], infer=r["infer_pictures_per_s"], latency=r["latency_ms_p50"])
    return r


def start_worker(a, layout, text):
    env = dict(os.environ)
    if a.torch_coretype:
        env["OPENBLAS_CORETYPE"] = a.torch_coretype
    return subprocess.Popen([sys.executable, __file__, "--worker", layout, "--net", text, "--batch", str(a.batch),
                             "--threads", str(a.threads), "--seconds", str(a.seconds)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


def answer(process):
    line = process.stdout.readline()
    if not line:
        sys.exit(f"compare.py: PyTorch ended (status {process.wait()})")
    return json.loads(line)


def compare(a):
    if not Path(a.bench).exists():
        sys.exit(f"compare.py: no {a.bench}; build preset release first")
    info = machine()
    first = bench(a, 0.1, 1)
    workers = {f: start_worker(a, f, first["net"]) for f in FORMATS}
    about = {f: answer(p) for f, p in workers.items()}
    ours, theirs = [], {f: [] for f in FORMATS}
    for n in range(a.rounds):
        ours.append(bench(a, a.seconds, 1))
        for f, p in workers.items():
            p.stdin.write("go\n")
            p.stdin.flush()
            theirs[f].append(answer(p))
        print(f"round {n + 1} of {a.rounds}", file=sys.stderr)
    for p in workers.values():
        p.stdin.close()
        p.wait()

    def mid(rows, key):
        return statistics.median(r[key] for r in rows)

    result = {"machine": info, "net": first["net"], "batch": a.batch, "threads": a.threads, "rounds": a.rounds,
              "seconds": a.seconds, "build": first["build"], "torch": about[FORMATS[0]]["version"],
              "torch_mkldnn": about[FORMATS[0]]["mkldnn"], "torch_coretype": a.torch_coretype or "as installed",
              "sgemm_gflops": mid(ours, "sgemm_gflops"),
              "train_percent_of_sgemm": mid(ours, "train_percent_of_sgemm"),
              "infer_percent_of_sgemm": mid(ours, "infer_percent_of_sgemm"),
              "ecgcnn": {k: mid(ours, k) for k in (*KEYS, "trainer_mib", "peak_rss_train_mib")}}
    for f in FORMATS:
        result[f] = {k: mid(theirs[f], k) for k in KEYS}
        result[f]["peak_rss_train_mib"] = about[f]["peak_rss_train_mib"]
        for k in KEYS:  # above 1: this library is ahead
            pairs = [(o[k], t[k]) for o, t in zip(ours, theirs[f])]
            ratios = [t / o if k == "latency" else o / t for o, t in pairs]
            result[f][k + "_ratio"] = statistics.median(ratios)
            result[f][k + "_ratio_range"] = [min(ratios), max(ratios)]
    return result


def show_machine(m):
    print(f"{m['cpu']}, {m['cores']} cores, {' '.join(m['isa'])}, {m['system']}, load {m['load_before']:.2f} before")
    if m["load_before"] > 0.5:
        print("THE MACHINE WAS BUSY: contention hurts the contestants unequally, these ratios are not for publishing")


def show(r):
    show_machine(r["machine"])
    print(r["build"])
    print(f"PyTorch {r['torch']}, oneDNN {'yes' if r['torch_mkldnn'] else 'no'}, OpenBLAS kernels {r['torch_coretype']}")
    print(r["net"])
    print(f"batch {r['batch']}, {r['threads']} threads, {r['rounds']} interleaved rounds of {r['seconds']:g} s each\n")
    print(f"{'':28}{'train/s':>10}{'infer/s':>10}{'p50 ms':>10}{'peak MiB':>10}")
    for name, key in (("ecgcnn", "ecgcnn"), *((f"PyTorch {f}", f) for f in FORMATS)):
        row = r[key]
        print(f"{name:28}{row['train']:10.0f}{row['infer']:10.0f}{row['latency']:10.3f}{row['peak_rss_train_mib']:10.0f}")
    for f in FORMATS:
        cells = "".join(f"{r[f][k + '_ratio']:9.2f}x" for k in KEYS)
        spread = ", ".join("{:.2f} to {:.2f}".format(*r[f][k + "_ratio_range"]) for k in KEYS)
        print(f"{'ahead of ' + f:28}{cells}   ({spread})")
    print(f"\nSGEMM of a 2048 cube, all threads: {r['sgemm_gflops']:.0f} GFLOP/s; training does "
          f"{r['train_percent_of_sgemm']:.0f} % of it, inference {r['infer_percent_of_sgemm']:.0f} %; "
          f"the trainer's own memory is {r['ecgcnn']['trainer_mib']:.1f} MiB")


def main():
    root = Path(__file__).resolve().parents[2]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", default=str(root / "build/release/tests/bench/ecg-bench"))
    p.add_argument("--net", default="seed")
    p.add_argument("--size", default="64x64")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seconds", type=float, default=3.0)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--torch-coretype")
    p.add_argument("--json", action="store_true")
    p.add_argument("--worker", choices=FORMATS, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.worker:
        worker(a)
    elif a.json:
        json.dump(compare(a), sys.stdout, indent=1)
        print()
    else:
        show(compare(a))


if __name__ == "__main__":
    main()
