#!/usr/bin/python3
"""Decoding and resizing a folder of pictures: this library with threads, and Pillow with as many processes (Debian's
python3-pil), in the same run, one after the other.

    compare_load.py DIR [--load build/release/tests/bench/ecg-load] [--threads 2] [--size 64x64] [--rounds 5] [--json]

Gray pictures, bilinear. Both keep what they decode in memory; Pillow's processes are started before the clock and send
back a sum only. The sums of all values must be the same. Figures are medians over the rounds, the ratio is the median
of the ratios within a round. Processor time tells more than time where other programs are running.
"""
import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy
import PIL
from PIL import Image


def pillow(job):
    paths, size = job
    start = time.process_time()
    kept = numpy.empty((len(paths), *size), numpy.uint8)
    for i, path in enumerate(paths):
        with Image.open(path) as picture:
            kept[i] = picture.convert("L").resize((size[1], size[0]), Image.BILINEAR)
    return int(kept.sum(dtype=numpy.uint64)), time.process_time() - start


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("dir", type=Path)
    ap.add_argument("--load", default="build/release/tests/bench/ecg-load")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--size", default="64x64")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    size = tuple(map(int, a.size.split("x")))
    paths = sorted(str(p) for p in a.dir.rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        sys.exit(f"{a.dir}: no pictures")
    ours = subprocess.Popen([a.load, str(a.dir), "--threads", str(a.threads), "--size", a.size], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    jobs = [(paths[i::a.threads], size) for i in range(a.threads)]
    rows = []
    with multiprocessing.Pool(a.threads) as pool:
        pool.map(pillow, [(paths[:10], size)] * a.threads, chunksize=1)  # imports, and files into memory
        for round_ in range(a.rounds + 1):  # the first warms up
            ours.stdin.write("go\n")
            ours.stdin.flush()
            line = ours.stdout.readline().split()
            if len(line) != 4:
                sys.exit("ecg-load failed")
            start = time.perf_counter()
            answers = pool.map(pillow, jobs, chunksize=1)
            theirs, theirs_sum = time.perf_counter() - start, sum(x[0] for x in answers)
            if int(line[2]) != len(paths) or int(line[3]) != theirs_sum:
                sys.exit(f"different pictures: {line[2]} and {len(paths)}, sums {line[3]} and {theirs_sum}")
            if round_:
                rows.append((float(line[0]), theirs, float(line[1]), sum(x[1] for x in answers)))
    ours.stdin.close()
    ours.wait()
    n = len(paths)
    result = {
        "pictures": n, "size": a.size, "threads": a.threads, "pillow": PIL.__version__, "load": os.getloadavg()[0],
        "ecgcnn_per_second": n / statistics.median(r[0] for r in rows),
        "pillow_per_second": n / statistics.median(r[1] for r in rows),
        "ratio": statistics.median(r[1] / r[0] for r in rows),
        "cpu_ratio": statistics.median(r[3] / r[2] for r in rows),
    }
    if a.json:
        print(json.dumps(result))
    else:
        print(f"{n} pictures to {a.size}, {a.threads} threads: {result['ecgcnn_per_second']:.0f} a second; Pillow "
              f"{PIL.__version__} with {a.threads} processes {result['pillow_per_second']:.0f}; ratio "
              f"{result['ratio']:.2f}, of processor time {result['cpu_ratio']:.2f}")


if __name__ == "__main__":
    main()
