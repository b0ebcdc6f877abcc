#!/usr/bin/python3
"""Does the cost of training grow with the number of pictures, and no faster? ecg-train on a quarter, a half and all of a
folder's pictures, in turn; pictures per second of an epoch, and the most memory the process had.

    linear.py DIR [--train build/release/tools/ecg-train] [--net seed] [--size 64x64] [--epochs 3] [--threads 2]
              [--rounds 3] [--cache SIZE] [--json]

DIR has one folder per class. Exits with 1 where the rate differs by more than 10 % between the sizes, or memory grows by
more than the decoded pictures (rows x columns bytes each; no more than --cache SIZE, as ecg-train takes it) and 1 KiB a
picture for its name and place.
"""
import argparse
import csv
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def link_part(source, to, step):
    """Every step-th picture of each class, as links. Returns how many."""
    n = 0
    for folder in sorted(p for p in source.iterdir() if p.is_dir()):
        (to / folder.name).mkdir(parents=True)
        for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))[::step]:
            (to / folder.name / path.name).symlink_to(path.resolve())
            n += 1
    return n


def run(a, folder, tmp):
    """Pictures per second of each epoch, validation included, and peak memory in bytes."""
    command = [a.train, folder, "-o", tmp / "m.ecgm", "--net", a.net, "--size", a.size, "--epochs", str(a.epochs),
               "--threads", str(a.threads), "--history", tmp / "h.csv", "-q", "--json"]
    process = subprocess.Popen(command + (["--cache", a.cache] if a.cache else []), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit("linear.py: ecg-train failed")
    with open(tmp / "h.csv", encoding="utf-8") as f:
        return [float(row["seconds"]) for row in csv.DictReader(f)], used.ru_maxrss * 1024


def measure(a):
    h, w = map(int, a.size.split("x"))
    cache = re.fullmatch(r"(\d+)([KMGT]?)", a.cache or "1000T")
    if not cache:
        sys.exit("linear.py: --cache takes a number and K, M, G or T")
    cache = int(cache[1]) * UNITS[cache[2]]
    rows = [{"step": step, "seconds": [], "peak": 0} for step in (4, 2, 1)]
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        for row in rows:
            row["pictures"] = link_part(a.dir, tmp / str(row["step"]), row["step"])
        for _ in range(a.rounds):
            for row in rows:
                seconds, peak = run(a, tmp / str(row["step"]), tmp)
                row["seconds"] += seconds
                row["peak"] = max(row["peak"], peak)
    for row in rows:
        row["rate"] = row["pictures"] / statistics.median(row["seconds"])
        row["kept"] = min(cache, row["pictures"] * h * w)
    first, last = rows[0], rows[-1]
    rates = [row["rate"] for row in rows]
    grown = last["peak"] - first["peak"]
    allowed = last["kept"] - first["kept"] + 1024 * (last["pictures"] - first["pictures"]) + (1 << 20)
    return {"rows": rows, "spread": max(rates) / min(rates) - 1, "grown_bytes": grown, "allowed_bytes": allowed,
            "linear": max(rates) / min(rates) <= 1.1, "bounded": grown <= allowed, "load": os.getloadavg()[0]}


def main():
    root = Path(__file__).resolve().parents[2]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("dir", type=Path)
    p.add_argument("--train", default=str(root / "build/release/tools/ecg-train"))
    p.add_argument("--net", default="seed")
    p.add_argument("--size", default="64x64")
    p.add_argument("--epochs", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--cache")
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    r = measure(a)
    if a.json:
        print(json.dumps(r))
    else:
        print(f"{'pictures':>9}{'pictures/s':>12}{'peak MiB':>10}{'kept MiB':>10}")
        for row in r["rows"]:
            print(f"{row['pictures']:9}{row['rate']:12.0f}{row['peak'] / 2**20:10.1f}{row['kept'] / 2**20:10.1f}")
        print(f"rates differ by {100 * r['spread']:.1f} % (10 allowed); memory grew by {r['grown_bytes'] / 2**20:.1f} MiB "
              f"({r['allowed_bytes'] / 2**20:.1f} allowed); load {r['load']:.1f}")
    sys.exit(0 if r["linear"] and r["bounded"] else 1)


if __name__ == "__main__":
    main()
