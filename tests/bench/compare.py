#!/usr/bin/python3
"""ecg-bench and PyTorch (Debian's python3-torch) on the same network, in the same run, one after the other.

    compare.py [--bench build/release/tests/bench/ecg-bench] [--net seed] [--size HxW] [--batch 32] [--threads 2]
               [--seconds 3] [--rounds 5] [--torch-coretype NAME] [--no-scaling] [--processor-time] [--json]

Every round runs each contestant once: this library, PyTorch with contiguous tensors, PyTorch channels last. Figures are
medians over the rounds, ratios medians of the ratios within a round. Single precision, Adam, cross-entropy, pictures
of noise that are already in memory. PyTorch trains with zero_grad(set_to_none), the kind of Adam (foreach or not) that a
short trial finds faster, activations in place, and predicts in inference_mode. Both run the same OpenBLAS kernels:
PyTorch is given those that ecg-bench runs, unless --torch-coretype names others. First, both take a few steps from
the same weights, and their losses must agree. On a machine that others use too, `--threads 1 --processor-time` gives
ratios of processor time, which suffer less.
"""
import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import torch_side  # noqa: E402

POOL_BATCHES = 8
FORMATS = ("contiguous", "channels_last")
KEYS = ("train", "infer", "latency")


# ---- PyTorch, in a process of its own that waits for "go" between rounds ----

def worker(a):
    import torch
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    clock = time.process_time if a.processor_time else time.perf_counter
    layout = torch.channels_last if a.worker == "channels_last" else torch.contiguous_format
    _, foreach = torch_side.faster_ways(torch, a.net, a.batch, [layout], a.trial_steps)
    net, (h, w, c), classes = torch_side.torch_net(a.net, torch.nn)
    net = net.to(memory_format=layout)
    xs = [torch.rand(a.batch, c, h, w).to(memory_format=layout) for _ in range(POOL_BATCHES)]
    ys = [torch.randint(classes, (a.batch,)) for _ in range(POOL_BATCHES)]
    ones = [xs[0][i:i + 1].clone(memory_format=layout) for i in range(a.batch)]
    loss_of = torch.nn.CrossEntropyLoss()
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7, foreach=foreach)

    def train(seconds):
        net.train()
        k, start = 0, clock()
        while True:
            adam.zero_grad(set_to_none=True)
            loss = loss_of(net(xs[k % POOL_BATCHES]), ys[k % POOL_BATCHES])
            loss.backward()
            adam.step()
            loss.item()  # ecg-bench gets the loss of each step too
            k += 1
            t = clock() - start
            if t >= seconds:
                return k * a.batch / t

    def infer(seconds):
        net.eval()
        k, start = 0, clock()
        while True:
            torch.softmax(net(xs[k % POOL_BATCHES]), 1)
            k += 1
            t = clock() - start
            if t >= seconds:
                return k * a.batch / t

    def latency(seconds):
        net.eval()
        each, start = [], clock()
        last = start
        while last - start < seconds:
            torch.softmax(net(ones[len(each) % a.batch]), 1)
            t = clock()
            each.append(1e3 * (t - last))
            last = t
        each.sort()
        return each[len(each) // 2], each[(len(each) * 99 + 99) // 100 - 1]

    def measure(key):
        """All that is wanted with the threads as they are, named with `key`."""
        with torch.inference_mode():
            infer(0.1)
            rows = {"infer" + key: infer(a.seconds)}
            if not key:
                rows["latency"], rows["p99"] = latency(a.seconds)
        train(0.1)
        return {**rows, "train" + key: train(a.seconds)}

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    train(0.3)
    print(json.dumps({"version": torch.__version__, "mkldnn": torch.backends.mkldnn.is_available(), "foreach": foreach,
                      "threads": torch.get_num_threads(), "peak_rss_train_mib": peak()}), flush=True)
    for line in sys.stdin:
        result = measure("")
        if a.threads > 1 and not a.no_scaling:
            torch.set_num_threads(1)
            result.update(measure("_one"))
            torch.set_num_threads(a.threads)
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
    out = subprocess.run([a.bench, "--net", a.net, *(["--size", a.size] if a.size else []), "--batch", str(a.batch),
                          "--threads", str(a.threads), "--seconds", str(seconds), "--rounds", str(rounds), "--json",
                          *(["--processor-time"] if a.processor_time else [])],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    r = json.loads(out)
    r.update(train=r["train_pictures_per_s"], infer=r["infer_pictures_per_s"], latency=r["latency_ms_p50"],
             p99=r["latency_ms_p99"])
    if "train_one_thread" in r:
        r.update(train_one=r["train_one_thread"], infer_one=r["infer_one_thread"])
    return r


def start_worker(a, layout, text, core):
    env = dict(os.environ)
    if a.torch_coretype or core:
        env["OPENBLAS_CORETYPE"] = a.torch_coretype or core
    return subprocess.Popen([sys.executable, __file__, "--worker", layout, "--net", text, "--batch", str(a.batch),
                             "--threads", str(a.threads), "--seconds", str(a.seconds), "--trial-steps",
                             str(a.trial_steps)] + ["--no-scaling"] * a.no_scaling
                            + ["--processor-time"] * a.processor_time,
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
    differ = None if a.no_check else json.loads(subprocess.run(
        [sys.executable, torch_side.__file__, first["net"], a.library], check=True, stdout=subprocess.PIPE).stdout)
    if differ and not (differ[0] < 1e-5 and differ[1] < 1e-2):
        sys.exit(f"compare.py: from the same weights the losses differ by {differ}: not the same network")
    workers, about = {}, {}
    for f in FORMATS:  # one after the other: each tries what is fastest
        workers[f] = start_worker(a, f, first["net"], first["blas_core"])
        about[f] = answer(workers[f])
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
              "seconds": a.seconds, "processor_time": a.processor_time, "build": first["build"], "torch": about[FORMATS[0]]["version"],
              "torch_mkldnn": about[FORMATS[0]]["mkldnn"], "losses_differ": differ,
              "torch_coretype": a.torch_coretype or first["blas_core"] or "as installed",
              "sgemm_gflops": mid(ours, "sgemm_gflops"),
              "train_percent_of_sgemm": mid(ours, "train_percent_of_sgemm"),
              "infer_percent_of_sgemm": mid(ours, "infer_percent_of_sgemm"),
              "train_percent_of_own_gemms": mid(ours, "train_percent_of_own_gemms"),
              "ecgcnn": {k: mid(ours, k) for k in (*KEYS, "p99", "trainer_mib", "peak_rss_train_mib")}}

    def scaling(rows):
        """All threads over one: the medians of the rounds' ratios."""
        return {k + "_scaling": statistics.median(r[k] / r[k + "_one"] for r in rows)
                for k in ("train", "infer") if all(k + "_one" in r for r in rows)}
    result["ecgcnn"].update(scaling(ours))
    for f in FORMATS:
        result[f] = {k: mid(theirs[f], k) for k in (*KEYS, "p99")}
        result[f].update(scaling(theirs[f]), adam_foreach=about[f]["foreach"])
        result[f]["peak_rss_train_mib"] = about[f]["peak_rss_train_mib"]
        for k in KEYS:  # above 1: this library is ahead
            pairs = [(o[k], t[k]) for o, t in zip(ours, theirs[f])]
            ratios = [t / o if k == "latency" else o / t for o, t in pairs]
            result[f][k + "_ratio"] = statistics.median(ratios)
            result[f][k + "_ratio_range"] = [min(ratios), max(ratios)]
    return result


def show_machine(m, processor_time=False):
    print(f"{m['cpu']}, {m['cores']} cores, {' '.join(m['isa'])}, {m['system']}, load {m['load_before']:.2f} before")
    if m["load_before"] > 0.5 and not processor_time:
        print("THE MACHINE WAS BUSY: contention hurts the contestants unequally, these ratios are not for publishing")


def show(r):
    show_machine(r["machine"], r["processor_time"])
    print(r["build"])
    print(f"PyTorch {r['torch']}, oneDNN {'yes' if r['torch_mkldnn'] else 'no'}, OpenBLAS kernels {r['torch_coretype']}")
    print(r["net"])
    differ = r["losses_differ"]
    print("losses from the same weights: " + ("differ by {:.0e} of themselves, after 3 steps by {:.0e}".format(*differ)
                                              if differ else "not compared"))
    print(f"batch {r['batch']}, {r['threads']} threads, {r['rounds']} interleaved rounds of {r['seconds']:g} s each"
          + (" of processor time" if r["processor_time"] else "") + "\n")
    print(f"{'':22}{'train/s':>9}{'x1':>6}{'infer/s':>9}{'x1':>6}{'p50 ms':>9}{'p99 ms':>9}{'peak MiB':>10}")
    for name, key in (("ecgcnn", "ecgcnn"), *((f"PyTorch {f}", f) for f in FORMATS)):
        row = r[key]
        x = ["{:6.2f}".format(row[k]) if k in row else "     -" for k in ("train_scaling", "infer_scaling")]
        print(f"{name:22}{row['train']:9.0f}{x[0]}{row['infer']:9.0f}{x[1]}{row['latency']:9.3f}{row['p99']:9.3f}"
              f"{row['peak_rss_train_mib']:10.0f}")
    print(f"x1: all threads over one\n\n{'times as fast as':22}{'training':>19}{'predicting':>19}{'one picture':>19}")
    for f in FORMATS:
        cells = ["{:.2f} ({:.2f}-{:.2f})".format(r[f][k + "_ratio"], *r[f][k + "_ratio_range"]) for k in KEYS]
        print(f"{'PyTorch ' + f:22}" + "".join(f" {c:>18}" for c in cells))
    print(f"\nSGEMM of a 2048 cube, all threads: {r['sgemm_gflops']:.0f} GFLOP/s; training does "
          f"{r['train_percent_of_sgemm']:.0f} % of it, predicting {r['infer_percent_of_sgemm']:.0f} %.\n"
          f"The products of a training step alone take {r['train_percent_of_own_gemms']:.0f} % of its time; the trainer's "
          f"own memory\nis {r['ecgcnn']['trainer_mib']:.1f} MiB.")


def main():
    root = Path(__file__).resolve().parents[2]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", default=str(root / "build/release/tests/bench/ecg-bench"))
    p.add_argument("--net", default="seed")
    p.add_argument("--library", default=str(root / "build/release/lib/libecgcnn.so"))
    p.add_argument("--size", help="what the network says, else 64x64")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seconds", type=float, default=3.0)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--torch-coretype")
    p.add_argument("--no-scaling", action="store_true", help="leave out one thread")
    p.add_argument("--processor-time", action="store_true", help="with --threads 1: not the clock's")
    p.add_argument("--no-check", action="store_true", help="do not compare losses first")
    p.add_argument("--trial-steps", type=int, default=10, help="steps of each trial of PyTorch's ways")
    p.add_argument("--json", action="store_true")
    p.add_argument("--worker", choices=FORMATS, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.processor_time and a.threads != 1:
        p.error("--processor-time needs --threads 1: threads that wait take time too")
    if a.worker:
        worker(a)
    elif a.json:
        json.dump(compare(a), sys.stdout, indent=1)
        print()
    else:
        show(compare(a))


if __name__ == "__main__":
    main()
