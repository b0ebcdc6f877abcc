#!/usr/bin/env python3
"""Writes v1_0.ecgm from lib/format/FORMAT.md alone, without the library: a sample that every version must read.

usage: make.py FILE
"""
import struct
import sys
import zlib

ARCH = "input 4x3x1; conv2d 2 3x3 pad=same relu; batchnorm; flatten; dense 3; softmax"
# name, dimensions, state; in the order of the layers
TENSORS = [
    ("1.conv2d.kernel", (3, 3, 1, 2), 0),
    ("1.conv2d.bias", (2,), 0),
    ("3.batchnorm.gamma", (2,), 0),
    ("3.batchnorm.beta", (2,), 0),
    ("3.batchnorm.mean", (2,), 1),
    ("3.batchnorm.variance", (2,), 1),
    ("5.dense.kernel", (24, 3), 0),
    ("5.dense.bias", (3,), 0),
]
CLASSES = ["Normal", "Left bundle branch block", "Ventr\u00edculo"]
META = [("made by", "make.py"), ("epochs", "0"), ("note", "")]


def count(dims):
    n = 1
    for d in dims:
        n *= d
    return n


def value(row, i):
    """Exact in a float; variances stay positive."""
    return (16 * row + i % 13 + 1) / 64


def strings(entries):
    return struct.pack("<I", len(entries)) + b"".join(
        s.encode() + b"\0" for e in entries for s in (e if isinstance(e, tuple) else (e,)))


def main(path):
    out = b"\x8aECGM\r\n\x1a"

    def chunk(tag, payload):
        nonlocal out
        body = tag + struct.pack("<Q", len(payload)) + payload
        out += body + struct.pack("<I", zlib.crc32(body))

    offset, data = {}, b""
    for state in (0, 1):
        for row, (name, dims, is_state) in enumerate(TENSORS):
            if is_state == state:
                offset[name] = len(data) // 4
                data += struct.pack(f"<{count(dims)}f", *(value(row, i) for i in range(count(dims))))
                data += bytes(-len(data) % 64)

    chunk(b"HEAD", struct.pack("<HHfIIIIQ", 1, 0, -118.625, 6, len(CLASSES), len(TENSORS), 0, len(data) // 4))
    chunk(b"ARCH", ARCH.encode())
    chunk(b"PREP", struct.pack("<5I9f", 4, 3, 1, 0, 2, 1 / 256, 0.5, 0, 0, 0, 0.25, 1, 1, 1))
    chunk(b"CLAS", strings(CLASSES))
    table = b""
    for name, dims, state in TENSORS:
        full = dims + (0,) * (4 - len(dims))
        table += struct.pack("<48sI4IIQQ", name.encode(), len(dims), *full, state, offset[name], count(dims))
    pad = -(len(out) + 12 + 16 + len(table)) % 64
    chunk(b"WGTS", struct.pack("<IIQ", len(TENSORS), pad, len(data) // 4) + table + bytes(pad) + data)
    chunk(b"meta", strings(META))
    chunk(b"IEND", b"")
    with open(path, "wb") as f:
        f.write(out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
