#!/usr/bin/env python3
"""Does the reader that knows FORMAT.md alone agree with the library?

    check.py ECG_MODEL FILE...

For each file: both read it, and see the same layers, shapes, parameters, classes and provenance. For each of at most
8 KiB: the reader refuses every cut of it, and every byte of it changed in one bit.
"""
import json
import subprocess
import sys

import ecgm


def refuses(data):
    try:
        ecgm.read(data)
    except (ecgm.Damaged, ValueError):
        return True
    return False


def main(tool, paths):
    damaged = 0
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        ours = ecgm.read(data)
        theirs = json.loads(subprocess.run([tool, "show", "--json", "--", path], check=True, capture_output=True).stdout)
        assert theirs["architecture"] == ours["architecture"], path
        assert theirs["network"]["input"] == ours["input"], path
        keys = ("name", "output", "params", "state")
        assert [{k: layer[k] for k in keys} for layer in theirs["network"]["layers"]] == ours["layers"], path
        assert theirs["classes"] == ours["classes"], path
        assert theirs["meta"] == {k: v for k, v in reversed(ours["meta"])}, path
        assert theirs["format"] == ours["format"], path
        if len(data) > 8192:
            continue
        for n in range(len(data)):
            assert refuses(data[:n]), f"{path}: {n} bytes of it"
        for i in range(len(data)):
            changed = data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1:]
            assert refuses(changed), f"{path}: byte {i}"
        damaged += 2 * len(data)
    print(f"{len(paths)} files, {damaged} damaged ones refused")
    assert damaged > 1000


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
