#!/usr/bin/python3
"""How well training by many ranks would scale, on paper; and how far that is from what 1 to 4 ranks do here.

    scaling.py [--net NAME]... [--batch 32] [--reduce fast|exact] [--network NAME]... [--per-node 1] [--measured FILE]
               [--assume NET=RATE]... [--build build/release] [--json]
    scaling.py --compare [--tools DIR] [--build build/release] [--json]

The table: efficiency of 1 to 1,024 ranks of one thread, each with --batch pictures of every batch (so the whole batch
grows with the ranks), that is the step of one rank alone over the step of N. A step is

    per-step work + pictures * work of one picture + the part of the sums that computing does not hide

The first two come from ecg-bench at two batch sizes, processor time of one thread (--measured keeps them in a file and
takes them from it). Gradients are 4 bytes a parameter. `fast`: buckets of 4 MiB begin to be summed when the layers before
them, counted from the last, are done; the network carries one after the other. A sum takes the least of three ways:

    ring                2 (N - 1) a + 2 m (N - 1) / N / b + m (N - 1) / N * g
    recursive halving   2 log2(N) a + 2 m (N - 1) / N / b + m (N - 1) / N * g
    recursive doubling    log2(N) (a + m / b + m * g)

with latency a, bandwidth b, and g, the time to add a byte's worth of floats (1 / 4 GB/s). `exact` hides nothing: each rank
gets the inputs and output gradients of dense layers of the whole batch, computes those layers' gradients whole, and sends
the others the gradients of its shards (16, or as many as ranks). Batch normalisation is of the whole batch in both. With --per-node ranks share the node's link, and memory
inside it.

--compare: ecg-train-mpi with 1 to 4 ranks and `seed` on synthetic beats of 64x64, a whole batch of 32, steps timed by the
epochs' seconds, the least of all epochs of --rounds runs. The prediction begins with the step of one rank, less the pictures
that it gives away. What a step costs beside computing is measured with a network that computes next to nothing, bytes are
added at the speed of memory, and where ranks are more than cores, cores are shared. Both are printed side by side. On a
machine that others use, the measured times are theirs too.
"""
import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# Latency in seconds from program to program, and bytes a second.
NETWORKS = {"10GbE": (25e-6, 1.1e9), "100GbE": (8e-6, 11e9), "InfiniBand HDR": (1.5e-6, 23e9), "shared memory": (1e-6, 8e9)}
ADD = 1 / 4e9
ADAM = 28 / 8e9  # seven floats of memory a parameter
BUCKET = 4 << 20
RANKS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
TINY = "input 64x64x1; maxpool 16x16; flatten; dense 2; dense 7; softmax"


def output(command, **more):
    return subprocess.run([str(c) for c in command], check=True, text=True, stdout=subprocess.PIPE, **more).stdout


# ---- what is known of a network ----
def describe(a, net, data):
    """Layers with parameters, values and the share of the backward pass, and the step's two times."""
    layers = json.loads(output([f"{a.build}/tools/ecg-train", data, "--net", net, "--summary", "--json", "-q"]))["layers"]
    figures = {}
    for batch in (a.batch, max(1, a.batch // 4)):
        line = output([f"{a.build}/tests/bench/ecg-bench", "--net", net, "--batch", batch, "--threads", 1, "--seconds",
                       a.seconds, "--rounds", 3, "--processor-time", "--json"])
        figures[batch] = json.loads(line)
    whole, part = figures[a.batch], figures[max(1, a.batch // 4)]
    t = [f["batch"] / f["train_pictures_per_s"] for f in (whole, part)]
    picture = (t[0] - t[1]) / (whole["batch"] - part["batch"])
    picture = min(max(picture, 0.2 * t[0] / a.batch), t[0] / a.batch)
    forward = sum(row["forward_us"] for row in whole["layers"])
    backward = [row["backward_us"] for row in whole["layers"]]
    shapes = [1] + [math.prod(row["output"]) for row in layers]
    return {"net": net, "batch": a.batch, "picture": picture, "step": t[0] - a.batch * picture,
            "backward_share": sum(backward) / max(forward + sum(backward), 1e-9),
            "layers": [{"name": row["name"], "params": row["params"], "in": shapes[i], "out": shapes[i + 1],
                        "share": backward[i] / max(sum(backward), 1e-9)} for i, row in enumerate(layers)]}


def assume(a, net, rate, data):
    """The same from pictures a second of one thread: time goes where multiplications are, two thirds of it backward."""
    rows = json.loads(output([f"{a.build}/tools/ecg-train", data, "--net", net, "--summary", "--json", "-q"]))["layers"]
    shapes, macs = [1] + [math.prod(row["output"]) for row in rows], sum(row["macs"] for row in rows)
    step = sum(row["params"] for row in rows) * ADAM
    return {"net": net, "batch": a.batch, "picture": max(1 / rate - step / a.batch, 0.1 / rate), "step": step,
            "backward_share": 2 / 3,
            "layers": [{"name": row["name"], "params": row["params"], "in": shapes[i], "out": shapes[i + 1],
                        "share": row["macs"] / macs} for i, row in enumerate(rows)]}


# ---- the model ----
def least_sum(n, size, latency, bandwidth):
    if n == 1:
        return 0.0
    moved, steps = size * (n - 1) / n, math.ceil(math.log2(n))
    return min(2 * (n - 1) * latency + 2 * moved / bandwidth + moved * ADD,
               2 * steps * latency + 2 * moved / bandwidth + moved * ADD,
               steps * (latency + size / bandwidth + size * ADD))


def summed(n, size, network, per_node):
    """Inside the nodes, between them, and back."""
    inside = min(n, per_node)
    nodes = math.ceil(n / inside)
    latency, bandwidth = NETWORKS["shared memory"]
    return least_sum(inside, size, latency, bandwidth) + least_sum(nodes, size, *network)


def gathered(n, size, network):
    return 0.0 if n == 1 else math.ceil(math.log2(n)) * network[0] + size * (n - 1) / n / network[1]


def statistics(d, n, network):
    """Batch normalisation looks at the whole batch: sums of all shards go to all ranks, twice forward and twice back."""
    return sum(4 * gathered(n, max(16, n) * 4 * layer["params"], network) for layer in d["layers"]
               if layer["name"] == "batchnorm")


def fast_step(d, n, batch, network, per_node):
    compute = batch * d["picture"]
    forward = compute * (1 - d["backward_share"])
    at, ready, free = forward, 0, 0.0
    buckets = []
    for layer in reversed(d["layers"]):
        at += compute * d["backward_share"] * layer["share"]
        ready += 4 * layer["params"]
        if ready >= BUCKET:
            buckets.append((at, ready))
            ready = 0
    if ready or not buckets:
        buckets.append((compute, ready))
    for begins, size in buckets:
        free = max(free, begins) + summed(n, size, network, per_node)
    return max(compute, free) + statistics(d, n, network) + d["step"]


def exact_step(d, n, batch, network):
    compute, traffic, own = batch * d["picture"], 0.0, 0
    whole = batch * n
    for layer in d["layers"]:
        if layer["name"] == "dense":
            # The gradient of weights is half of a dense layer's backward pass, here of the whole batch.
            compute += (n - 1) * batch * d["picture"] * d["backward_share"] * layer["share"] / 2
            traffic += gathered(n, 4 * whole * layer["in"], network) + gathered(n, 4 * whole * layer["out"], network)
        else:
            own += 4 * layer["params"]
    shards = max(16, n)
    traffic += (n - 1) * network[0] + shards / n * own * (n - 1) / n / network[1] if n > 1 else 0.0
    return compute + traffic + gathered(n, own, network) + statistics(d, n, network) + d["step"]


def step(d, n, batch, network, how, per_node=1):
    return fast_step(d, n, batch, network, per_node) if how == "fast" else exact_step(d, n, batch, network)


def predict(a, described):
    rows = []
    for d in described:
        for name in a.network:
            alone = step(d, 1, a.batch, NETWORKS[name], a.reduce, a.per_node)
            rows.append({"net": d["net"], "network": name, "ranks": RANKS, "efficiency": [
                round(alone / step(d, n, a.batch, NETWORKS[name], a.reduce, a.per_node), 4) for n in RANKS]})
    return rows


def print_table(a, described, rows):
    for d in described:
        size = 4 * sum(layer["params"] for layer in d["layers"])
        print(f"{d['net']}: {size / 1e6:.2f} MB of gradient, {1e3 * (a.batch * d['picture'] + d['step']):.1f} ms a step of "
              f"{a.batch} pictures ({1e3 * d['step']:.2f} of them per step)")
    print(f"\nefficiency in %, {a.batch} pictures a rank, --reduce {a.reduce}, {a.per_node} a node")
    print(f"{'net':<10}{'network':<16}" + "".join(f"{n:>6}" for n in RANKS))
    for row in rows:
        print(f"{row['net']:<10}{row['network']:<16}" + "".join(f"{100 * e:6.1f}" for e in row["efficiency"]))


# ---- against what is measured ----
def seconds_a_step(a, n, net, data, tmp, pictures):
    history = tmp / "h.csv"
    history.unlink(missing_ok=True)
    command = ["mpirun", "--oversubscribe", "-np", n, f"{a.tools}/ecg-train-mpi", data, "-o", tmp / "m.ecgm", "--net", net,
               "--val-split", "0.02", "--epochs", a.epochs, "--batch", "32", "--threads", "1", "--reduce", a.reduce,
               "--history", history, "--no-gate", "--no-calibrate", "-q"]
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    output(command, env=environment, stderr=subprocess.DEVNULL)
    rows = list(csv.DictReader(history.open()))
    return min(float(row["seconds"]) for row in rows) / math.ceil(0.98 * pictures / 32)


def compare(a, d, data, tmp, pictures):
    cores = len(os.sched_getaffinity(0))
    size = 4 * sum(layer["params"] for layer in d["layers"])
    least = {n: [math.inf, math.inf] for n in (1, 2, 3, 4)}
    for _ in range(a.rounds):  # in turn, so that what else the machine does is shared out
        for n, best in least.items():
            for i, net in enumerate((TINY, "seed")):
                best[i] = min(best[i], seconds_a_step(a, n, net, data, tmp, pictures))
    alone, whole, rows = least[1][1], 32 * d["picture"] + d["step"], []
    for n, (tiny, measured) in least.items():
        shared = max(1.0, n / cores)
        predicted = alone * (32 / n * d["picture"] + d["step"]) / whole * shared + max(0.0, tiny - least[1][0])
        predicted += least_sum(n, size, *NETWORKS["shared memory"]) * shared
        rows.append({"ranks": n, "cores": cores, "beside_computing": max(0.0, tiny - least[1][0]), "measured": measured,
                     "predicted": predicted, "ratio": round(predicted / measured, 3)})
    return rows


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--net", action="append")
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--reduce", choices=["fast", "exact"], default="fast")
    ap.add_argument("--network", action="append", choices=list(NETWORKS))
    ap.add_argument("--per-node", type=int, default=1)
    ap.add_argument("--measured", type=Path)
    ap.add_argument("--assume", action="append", default=[], metavar="NET=RATE", help="pictures a second of one thread, "
                    "instead of measuring; jun2018 needs 5 GiB and minutes")
    ap.add_argument("--seconds", type=float, default=1.0, help="of each measurement of ecg-bench")
    ap.add_argument("--build", default="build/release")
    ap.add_argument("--compare", action="store_true")
    ap.add_argument("--tools", help="folder with ecg-train-mpi; BUILD/tools")
    ap.add_argument("--epochs", type=int, default=3)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    a.net = a.net or (["seed"] if a.compare else ["seed", "default", "jun2018"])
    a.network = a.network or list(NETWORKS)
    a.tools = a.tools or f"{a.build}/tools"
    pictures = 1000
    with tempfile.TemporaryDirectory(prefix="scaling-") as tmp:
        tmp = Path(tmp)
        data = tmp / "beats"
        known = {}
        if a.measured and a.measured.exists():
            known = {d["net"]: d for d in map(json.loads, a.measured.read_text().splitlines()) if d["batch"] == a.batch}
        if a.compare or any(net not in known for net in a.net):
            output([f"{a.build}/tools/ecg-beats", "synth", "-o", data, "-n", pictures, "--size", "64x64", "--test-fraction",
                    "0", "-q"])
        rates = dict(item.split("=") for item in a.assume)
        described = [known.get(net) or (assume(a, net, float(rates[net]), data) if net in rates else describe(a, net, data))
                     for net in a.net]
        if a.measured:
            a.measured.write_text("".join(json.dumps(d) + "\n" for d in {**known, **{d["net"]: d for d in described}}.values()))
        if a.compare:
            rows = compare(a, described[0], data, tmp, pictures)
            for row in rows:
                print(json.dumps(row) if a.json else
                      f"{row['ranks']} ranks on {row['cores']} cores: {1e3 * row['predicted']:.1f} ms a step predicted, "
                      f"{1e3 * row['measured']:.1f} measured, ratio {row['ratio']:.2f}")
            return 0
        rows = predict(a, described)
        if a.json:
            print("\n".join(map(json.dumps, rows)))
        else:
            print_table(a, described, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
