#!/usr/bin/env python3
"""ecg-serve under load: 64 connections that post pictures, one after the other, without a pause. Beside it, in the same run
and with as many threads, ecg-predict on a list of files.

    load.py TOOLS WORK MAKE_PICTURES LOAD_CLIENT [--seconds 3] [--model FILE] [--pictures DIR] [--threads 2] [--wrk]

Pictures: a folder of them; $ECG_SHARED/data/beat-images where it is; else drawn ones. Without --model the reference network
with random weights is used: what it answers is of no matter here. --wrk: wrk makes the load instead of our own client.
No error may come and memory stays as it was. Against a share of ecg-predict's speed and against p99 only runs of a minute
(ECG_FULL=1, or --seconds 60) are held: shorter ones, and busy machines, say little.
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from served import Server, make_model, sanitized  # noqa: E402

CONNECTIONS, SHARE, TAIL = 64, 0.60, 20

LUA = """
local requests, n = {}, 0
init = function()
  for path in io.lines("pictures.txt") do
    local f = assert(io.open(path, "rb")); local body = f:read("*a"); f:close()
    requests[#requests + 1] = wrk.format("POST", "/api/v1/predict", {["Content-Type"] = "image/png"}, body)
  end
end
request = function() n = n % #requests + 1; return requests[n] end
done = function(s, latency)
  local e = s.errors
  io.write(string.format('{"answers":%d,"errors":%d,"seconds":%.3f,"per_second":%.1f,"p50_ms":%.3f,"p99_ms":%.3f}\\n',
    s.requests, e.connect + e.read + e.write + e.status + e.timeout, s.duration / 1e6, s.requests / (s.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


def choose_pictures(folder, made):
    if not folder and os.environ.get("ECG_SHARED"):
        folder = os.path.join(os.environ["ECG_SHARED"], "data/beat-images")
    found = [os.path.join(d, f) for d, _, files in os.walk(folder or "") for f in files if f.endswith(".png")]
    return random.Random(1).sample(sorted(found), min(400, len(found))) if found else made


def predict_rate(tools, model, pictures, threads, seconds):
    """Pictures a second of ecg-predict, over a list long enough for so many seconds."""
    count = len(pictures)
    while True:
        files = [pictures[i % len(pictures)] for i in range(count)]
        began = time.monotonic()
        subprocess.run([f"{tools}/ecg-predict", "-m", model, "--threads", str(threads), *files], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took = time.monotonic() - began
        if took >= seconds or count >= 20000:
            return count / took
        count = min(20000, max(2 * count, int(count * seconds / took * 1.1)))


def client(server, pictures, seconds, args):
    if not args.wrk:
        result = subprocess.run([args.load_client, str(server.port), str(CONNECTIONS), str(seconds), *pictures],
                                stdout=subprocess.PIPE)
        return json.loads(result.stdout)
    with open("load.lua", "w") as f:
        f.write(LUA)
    with open("pictures.txt", "w") as f:
        f.writelines(p + "\n" for p in pictures)
    said = subprocess.run(["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", "load.lua",
                           f"http://{server.host}"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(re.search(r"^\{.*\}$", said, re.M).group(0))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tools", "work", "make_pictures", "load_client"):
        ap.add_argument(name)
    ap.add_argument("--seconds", type=int, default=60 if os.environ.get("ECG_FULL") else 3)
    ap.add_argument("--model")
    ap.add_argument("--pictures")
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--wrk", action="store_true")
    args = ap.parse_args()
    for name in ("tools", "make_pictures", "load_client", "model", "pictures"):
        if getattr(args, name):
            setattr(args, name, os.path.abspath(getattr(args, name)))
    if not os.path.exists(f"{args.tools}/ecg-serve"):
        print("SKIP: ecg-serve is not built")
        return 77
    if args.wrk and not shutil.which("wrk"):
        print("SKIP: no wrk here")
        return 77
    slow = sanitized(f"{args.tools}/ecg-serve")
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(args.work)
    os.chdir(args.work)
    made = make_model(args.tools, args.make_pictures, net="seed", size="64x64")
    model = args.model or "m.ecgm"
    pictures = choose_pictures(args.pictures, made)

    server = Server(args.tools, "--threads", str(args.threads), "--max-connections", "128", "--quiet", model=model)
    client(server, pictures, 1, args)  # buffers grow to what they need
    before = [predict_rate(args.tools, model, pictures, args.threads, min(10, args.seconds / 3))]
    memory = [server.rss()]
    r = client(server, pictures, args.seconds, args)
    memory.append(server.rss())
    before.append(predict_rate(args.tools, model, pictures, args.threads, min(10, args.seconds / 3)))
    code = server.stop()

    rate = sum(before) / 2
    share, tail = r["per_second"] / rate, r["p99_ms"] / max(r["p50_ms"], 1e-9)
    print(f"{len(pictures)} pictures, {args.threads} threads, {CONNECTIONS} connections, {'wrk' if args.wrk else 'own client'}")
    print(f"ecg-predict  {before[0]:.0f} and {before[1]:.0f} pictures/s, before and after")
    print(f"ecg-serve    {r['per_second']:.0f} pictures/s in {r['seconds']:.1f} s, {100 * share:.0f} % of ecg-predict; "
          f"p50 {r['p50_ms']:.2f} ms, p99 {r['p99_ms']:.2f} ms ({tail:.1f} times)")
    print(f"errors       {r['errors']} of {r['answers'] + r['errors']}")
    print(f"memory       {memory[0]} KiB before, {memory[1]} KiB after")
    failures = []
    if r["errors"] or not r["answers"]:
        failures.append("errors")
    if not slow and memory[1] > memory[0] + 4096:
        failures.append("memory grew")
    if code != 0:
        failures.append(f"the server ended with {code}")
    if args.seconds >= 60:
        if share < SHARE:
            failures.append(f"less than {SHARE:.0%} of ecg-predict")
        if tail > TAIL:
            failures.append(f"p99 is more than {TAIL} times p50")
    for f in failures:
        print("FAILED:", f)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
