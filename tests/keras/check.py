#!/usr/bin/env python3
"""ecg-model import against NumPy: files of every form and every kind of layer, written here with random weights; and files
that must be refused with one clear line.

    check.py TOOLS WORK [TEXT]      TEXT: only files with it in their name. Exit status 77: there is no h5py
"""
import json
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

try:
    import h5py  # noqa: F401
    import numpy as np
except ImportError as e:
    print(f"SKIP: {e}")
    sys.exit(77)

import oracle
import refused
import write

FAILED = []
PASSED = 0


def check(ok, what):
    global PASSED
    PASSED += bool(ok)
    if not ok:
        FAILED.append(what)
        print(f"FAILED: {what}")


def png(path, px):
    h, w, c = px.shape
    raw = b"".join(b"\0" + row.tobytes() for row in px)

    def chunk(tag, data):
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    head = struct.pack(">IIBBBBB", w, h, 8, {1: 0, 3: 2, 4: 6}[c], 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) +
                     chunk(b"IEND", b""))


def run(*command):
    r = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    return r.returncode, r.stdout, r.stderr


def predict(tools, model, pictures):
    code, out, err = run(tools / "ecg-predict", "-m", model, "--json", *pictures)
    if code:
        raise RuntimeError(err)
    return np.array([list(json.loads(line)["probabilities"].values()) for line in out.splitlines()])


def pictures(work, shape, gray=False):
    """Random pictures of that shape, in files too; `gray`: three equal channels."""
    rng = np.random.default_rng(shape[0] * 100 + shape[1])
    px = rng.integers(0, 256, (5, *shape), dtype=np.uint8)
    if gray:
        px = np.repeat(px[..., :1], shape[2], axis=3)
    paths = []
    for i, p in enumerate(px):
        paths.append(work / f"{shape[0]}x{shape[1]}x{shape[2]}{'g' if gray else ''}-{i}.png")
        png(paths[-1], p)
    return px, paths


def expected(net, config, px, rescale):
    """In double precision, with the weights and the factor as single precision holds them."""
    y = oracle.forward(config, net.weights, px * float(np.float32(rescale)))
    last = net.layers[-1][2].get("activation")
    if y.shape[1] == 1:
        y = np.hstack([1 - y, y])
    elif last == "linear":
        y = oracle.softmax(y)
    return y


def check_good(tools, work, only):
    worst = 0.0
    for path, net, config in write.write_good(str(work)):
        if only not in path:
            continue
        name, model = Path(path).name, work / "model.ecgm"
        folded = any(k == "Rescaling" for k, _, _ in net.layers)
        rescale = 1.0 if folded else 1 / 255
        options = [] if folded else ["--rescale", "1/255"]
        if name.startswith("logits"):
            options.append("--softmax")
        gray = net.shape[2] == 3 and not name.startswith("channels") and ("fixed." in name or "keras." in name)
        modes = [False] + [True] * gray
        for gray in modes:
            model.unlink(missing_ok=True)
            code, out, err = run(tools / "ecg-model", "import", path, "-o", model, *options, *["--gray"] * gray)
            check(code == 0, f"{name} {'--gray ' * gray}is imported: {err.strip()}")
            if code:
                continue
            px, paths = pictures(work, net.shape, gray)
            got = predict(tools, model, paths)
            want = expected(net, config, px, rescale)
            difference = np.abs(got - want).max()
            worst = max(worst, difference)
            # The kernel of a gray model is rounded once, as everything that is computed in single precision.
            check(difference <= (2e-6 if gray else 1e-6), f"{name} {'--gray ' * gray}answers as Keras: off by {difference:g}")
    print(f"largest difference of a probability: {worst:g}")


def check_refused(tools, work, only):
    model = work / "refused.ecgm"
    model.unlink(missing_ok=True)
    for path, pattern in refused.write_refused(str(work)):
        if only not in path:
            continue
        name = Path(path).name
        code, out, err = run(tools / "ecg-model", "import", path, "-o", model, "--rescale", "1")
        lines = err.splitlines()
        check(code == 1 and len(lines) == 1 and not out, f"{name} is refused with one line: {code} {out}{err}")
        check(re.search(pattern, err) and name in err, f"{name}: {err.strip()!r} lacks {pattern!r}")
        check(not model.exists(), f"{name}: no model is left")
    for option, pattern in ((["--gray"], "tells channels apart|--gray is for three"),):
        code, out, err = run(tools / "ecg-model", "import", work / "jun-fixed.h5", "-o", model, "--rescale", "1", *option)
        check(code == 1 and re.search(pattern, err), f"jun {option}: {err}")
    net = refused.plain()
    config = write.sequential2(net, True)
    config["config"]["layers"][1]["config"]["dtype"] = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    write.write_h5(str(work / "mixed.h5"), net, config, None)
    code, out, err = run(tools / "ecg-model", "import", work / "mixed.h5", "-o", work / "mixed.ecgm", "--rescale", "1")
    check(code == 0 and "computed in mixed_float16 there" in err, f"mixed.h5: {err}")
    code, out, err = run(tools / "ecg-model", "import", work / "channels-fixed.h5", "-o", model, "--gray")
    check(code == 1 and "other numbers for each channel" in err, f"channels --gray: {err}")


def main():
    tools, work = Path(sys.argv[1]), Path(sys.argv[2])
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    work.mkdir(parents=True, exist_ok=True)
    check_good(tools, work, only)
    check_refused(tools, work, only)
    print(f"passed {PASSED} of {PASSED + len(FAILED)}")
    return bool(FAILED) or PASSED == 0


if __name__ == "__main__":
    sys.exit(main())
