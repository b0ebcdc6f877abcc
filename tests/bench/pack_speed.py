#!/usr/bin/python3
"""Is training from a pack as fast as from memory, and does its memory not grow with the number of pictures?

    pack_speed.py [PACK] [--count 1000000] [--part files|pixels] [--net seed] [--size 64x64] [--steps 100] [--rounds 6]
                  [--build build/release] [--memory] [--json]

Without PACK, one of --count synthetic beats is drawn by `ecg-beats synth --pack` into a temporary folder (4 KiB a beat of
64x64 pixels). Steps on pictures taken at random from all of it, read from the pack each time, and the same steps on
pictures in memory, in turn; processor time of one thread, since other programs may run. The first pass over the pack, in
which checksums are compared, is not timed. Exits with 1 where a pack costs more than 10 % above memory (median of the
ratios within a round).

--memory starts ecg-train on a tenth and on all of the beats, with room for few pictures in memory (--cache), and looks at
the most anonymous memory it had in an epoch, or in --seconds of it; what pages of files the system keeps is not counted. Exits with 1 where it grows by more than 16 bytes a picture.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def draw(a, folder, count):
    subprocess.run([f"{a.build}/tools/ecg-beats", "synth", "-o", folder, "--pack", a.part, "-n", str(count), "--patients",
                    str(max(2, count // 200)), "--test-fraction", "0", "--size", a.size, "-q", "--json"], check=True,
                   stdout=subprocess.DEVNULL)
    return folder / "train"


def speed(a, pack):
    height, width = map(int, a.size.split("x"))
    mib = a.count * height * width // 2**20 + 64
    program = f"{a.build}/tests/bench/bench_pack"
    rows = subprocess.run([program, pack, "--net", a.net, "--size", a.size, "--steps", str(a.steps), "--rounds",
                           str(a.rounds), "--cache", str(mib)], check=True, text=True, stdout=subprocess.PIPE).stdout
    pairs = [tuple(map(float, line.split())) for line in rows.splitlines()][1:]  # the first warms up
    pictures = 32 * a.steps
    return {"memory_pictures_per_s": round(pictures / statistics.median(p[0] for p in pairs)),
            "pack_pictures_per_s": round(pictures / statistics.median(p[1] for p in pairs)),
            "pack_over_memory": round(statistics.median(p[1] / p[0] for p in pairs), 4)}


def anonymous(a, pack, tmp):
    """Bytes of anonymous memory at most, and what the process was doing at last."""
    command = [f"{a.build}/tools/ecg-train", pack, "-o", tmp / "m.ecgm", "--net", a.net, "--size", a.size, "--epochs", "1",
               "--threads", "2", "--cache", "8M", "--history", tmp / "h.csv", "--no-gate", "--no-calibrate", "-q"]
    most, start = 0, time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and time.monotonic() - start < a.seconds:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        for line in status.splitlines():
            if line.startswith("RssAnon:"):
                most = max(most, int(line.split()[1]) * 1024)
        time.sleep(0.02)
    ended = process.poll()
    process.kill()
    said = process.communicate()[1]
    if ended not in (None, 0):
        sys.exit(f"ecg-train: {said}")
    return most


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("pack", nargs="?", type=Path)
    ap.add_argument("--count", type=int, default=1000000)
    ap.add_argument("--part", choices=["files", "pixels"], default="pixels")
    ap.add_argument("--net", default="seed")
    ap.add_argument("--size", default="64x64")
    ap.add_argument("--steps", type=int, default=100)
    ap.add_argument("--rounds", type=int, default=6)
    ap.add_argument("--seconds", type=float, default=300, help="most that ecg-train runs for --memory; the first pass over all pictures must be done by then")
    ap.add_argument("--build", default="build/release")
    ap.add_argument("--memory", action="store_true")
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    with tempfile.TemporaryDirectory(prefix="pack-speed-") as tmp:
        tmp = Path(tmp)
        pack = a.pack or draw(a, tmp / "all", a.count)
        index = subprocess.run([f"{a.build}/tools/ecg-beats", "pack", "--list", pack], text=True, check=True,
                               stdout=subprocess.PIPE).stdout
        a.count = index.count("\n") - 1
        result = {"pictures": a.count, **speed(a, pack)}
        bad = result["pack_over_memory"] > 1.1
        if a.memory:
            few = anonymous(a, draw(a, tmp / "tenth", a.count // 10), tmp)
            many = anonymous(a, pack, tmp)
            result["anonymous_mib"] = [round(few / 2**20, 1), round(many / 2**20, 1)]
            result["bytes_a_picture"] = round((many - few) / (a.count - a.count // 10), 2)
            bad |= result["bytes_a_picture"] > 16
    print(json.dumps(result) if a.json else "\n".join(f"{k}: {v}" for k, v in result.items()))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
