#!/usr/bin/env python3
"""What the library shows to the outside, and what it takes from it.

    symbols.py --write              make lib/ecgcnn.map from the public headers
    symbols.py LIBRARY.so [STATIC.a INFER.a]
                                    headers == map == exported; nothing that prints or ends the process is called;
                                    with the archives: no training code in INFER.a
    symbols.py --no-training FILE   a linked program (or archive) carries no training code
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "lib" / "ecgcnn.map"
NODE = "ECGCNN_0.1"

# The library never prints, ends the process or touches what belongs to the whole of it.
FORBIDDEN = {
    "printf", "vprintf", "puts", "putchar", "putc", "fputc", "perror", "__printf_chk", "__vprintf_chk", "psignal",
    "stdout", "stderr", "stdin", "exit", "_exit", "_Exit", "quick_exit", "abort", "__assert_fail", "err", "errx",
    "rand", "srand", "random", "srandom", "setlocale", "setenv", "putenv", "signal", "system", "fork", "chdir",
}
# Names that only training has.
TRAINING = re.compile(r"^(ecg__\w+_grad|ecg_trainer_\w+|ecg__(adam|adamw|sgd|rmsprop|optim\w*|loss\w*|grads?\w*|trainer\w*)|"
                      r"\w*_?backward\w*)$")


def run(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


def declared():
    """Functions that the headers mark with ECG_API."""
    names = set()
    for header in sorted((ROOT / "include" / "ecgcnn").glob("*.h")):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)
        for part in text.split("ECG_API")[1:]:
            m = re.match(r"[\w\s*]*?\b(ecg_\w+)\s*[(;\[]", part)
            if not m:
                sys.exit(f"{header.name}: cannot read the declaration: ECG_API{part[:80]!r}")
            names.add(m.group(1))
    return names


def mapped():
    text = re.sub(r"/\*.*?\*/", " ", MAP.read_text(), flags=re.S)
    m = re.search(r"global:(.*?)local:", text, re.S)
    return {n.strip() for n in m.group(1).split(";") if n.strip()}


def write_map():
    lines = "".join(f"        {n};\n" for n in sorted(declared()))
    MAP.write_text("/* Made from the public headers by tests/check/symbols.py --write. */\n"
                   f"{NODE} {{\n    global:\n{lines}    local:\n        *;\n}};\n")


def nm(flag, path):
    """Symbol names; without their version, but with their origin removed."""
    out = set()
    for line in run("nm", *flag, str(path)).splitlines():
        parts = line.split()
        if len(parts) >= 2 and not line.endswith(":"):
            out.add(parts[-1].split("@")[0])
    return out


def exported(path):
    return {n for n in nm(["-D", "--defined-only"], path) if n != NODE}


def compare(left, right, left_name, right_name):
    return ([f"{n}: {left_name}, but not {right_name}" for n in sorted(left - right)] +
            [f"{n}: {right_name}, but not {left_name}" for n in sorted(right - left)])


def training(path):
    return sorted(n for n in nm([], path) if TRAINING.match(n))


def main():
    args = sys.argv[1:]
    if args == ["--write"]:
        write_map()
        return 0
    errors = []
    if args[:1] == ["--no-training"] and len(args) == 2:
        names = nm([], args[1])
        errors += [f"{args[1]}: {n} belongs to training" for n in training(args[1])]
        if "ecg_model_load" not in names:
            errors.append(f"{args[1]}: has no symbol ecg_model_load, so nothing was checked")
    elif len(args) in (1, 3):
        api, listed, shown = declared(), mapped(), exported(args[0])
        errors += compare(api, listed, "in the headers", "in lib/ecgcnn.map (tests/check/symbols.py --write)")
        errors += compare(api, shown, "in the headers", f"exported by {args[0]}")
        errors += [f"{args[0]} calls {n}" for n in sorted(nm(["-D", "-u"], args[0]) & FORBIDDEN)]
        if not api:
            errors.append("no function found in the headers")
        if len(args) == 3:
            errors += [f"{args[2]}: {n} belongs to training" for n in training(args[2])]
            if not any(n.endswith("_grad") for n in training(args[1])):
                errors.append(f"{args[1]}: no backward table found, so the pattern finds nothing")
        print(f"symbols: {len(api)} in the headers, {len(listed)} in the map, {len(shown)} exported")
    else:
        sys.exit(__doc__)
    for e in errors:
        print(e)
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
