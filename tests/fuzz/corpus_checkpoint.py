#!/usr/bin/env python3
"""Writes corpus/checkpoint from lib/format/FORMAT.md alone: checkpoints of the training in fuzz_checkpoint.c, whole and cut.

    corpus_checkpoint.py                  write them
    corpus_checkpoint.py --check PROGRAM  PROGRAM (fuzz_checkpoint of an ordinary build) must take those that are whole and
                                          refuse the others, and they must be those in the corpus
"""
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

NET = b"input 2x2x1; flatten; dense 3; batchnorm; relu; dense 2; softmax"
# name, dimensions, state, values
TENSORS = [
    ("2.dense.kernel", [4, 3], 0, [0.1 * k - 0.5 for k in range(12)]),
    ("2.dense.bias", [3], 0, [0.0, 0.25, -0.25]),
    ("3.batchnorm.gamma", [3], 0, [1.0, 1.5, 0.5]),
    ("3.batchnorm.beta", [3], 0, [0.0, 0.5, 1.0]),
    ("3.batchnorm.mean", [3], 1, [0.0, 0.125, -1.0]),
    ("3.batchnorm.variance", [3], 1, [1.0, 2.0, 0.0]),
    ("5.dense.kernel", [3, 2], 0, [0.5, -0.5, 1.0, 0.25, -0.125, 0.75]),
    ("5.dense.bias", [2], 0, [0.0, 0.0]),
]
FACTS = """seed 0|epochs 1000000|batch 4|shards 4|optimizer adam|lr 0.001|beta1 0.9|beta2 0.999|epsilon 1e-07|momentum 0
nesterov 0|weight_decay 0|l2 0|clip_norm 0|clip_value 0|schedule constant|every 10|gamma 0.1|lr_min 0|warmup 0
label_smoothing 0|class_weights none|weighted_mean 0|early_stop 0""".replace("\n", "|").split("|")


def chunk(tag, payload):
    head = tag + struct.pack("<Q", len(payload)) + payload
    return head + struct.pack("<I", zlib.crc32(head))


def pad16(values):
    return values + [0.0] * (-len(values) % 16)


def flat(scale, states):
    """The data of WGTS, or its trained part, as floats."""
    out = []
    for state in (0, 1) if states else (0,):
        for _, _, s, values in TENSORS:
            if s == state:
                out += pad16([scale * v for v in values])
    return out


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def strings(pairs):
    return struct.pack("<I", len(pairs)) + b"".join(k + b"\0" + v + b"\0" for k, v in pairs)


def wgts(at):
    data = flat(1.0, True)
    rows, offsets, n = b"", {}, 0
    for state in (0, 1):
        for name, _, s, values in TENSORS:
            if s == state:
                offsets[name] = n
                n += len(pad16(values))
    for name, dims, state, values in TENSORS:
        rows += struct.pack("<48sI4IIQQ", name.encode(), len(dims), *(dims + [0] * (4 - len(dims))), state,
                            offsets[name], len(values))
    pad = -(at + 12 + 16 + len(rows)) % 64
    return chunk(b"WGTS", struct.pack("<IIQ", len(TENSORS), pad, len(data)) + rows + bytes(pad) + floats(data))


def trst(samples, epochs, steps):
    if samples:
        return struct.pack("<IfQQQQQddQQ", 1, 0.001, 10, 3, steps, samples, 3, 2.5, 0.25, epochs, 2)
    return struct.pack("<IfQQQQQddQQ", 1, 0.0, 10, 3, steps, 0, 0, 0.0, 0.0, epochs, 2)


def checkpoint(samples, rows, best):
    out = b"\x8aECGM\r\n\x1a"
    out += chunk(b"HEAD", struct.pack("<HHfIIIIQ", 1, 0, -118.625, 6, 2, len(TENSORS), 0, len(flat(1.0, True))))
    out += chunk(b"ARCH", NET)
    out += chunk(b"PREP", struct.pack("<5If4f4f", 2, 2, 1, 0, 2, 1 / 255, 0, 0, 0, 0, 1, 1, 1, 1))
    out += chunk(b"CLAS", struct.pack("<I", 2) + b"A\0B\0")
    out += wgts(len(out))
    out += chunk(b"meta", strings([(b"checkpoint", b"for fuzzing")]))
    out += chunk(b"fact", strings([tuple(f.encode().split(b" ")) for f in FACTS]))
    out += chunk(b"trst", trst(samples, len(rows), 3 * len(rows) + (samples + 3) // 4))
    out += chunk(b"hist", b"".join(struct.pack("<5dfI", *row) for row in rows))
    out += chunk(b"optm", floats(flat(0.01, False)) + floats([abs(v) for v in flat(0.001, False)]))
    if best:
        out += chunk(b"best", floats(flat(0.5, True)))
    return out + chunk(b"IEND", b"")


def main():
    rows = [(0.75, 0.5, 0.5, 1 / 3, 0.1, 0.001, 1), (0.7, 0.6, 0.625, 2 / 3, 0.1, 0.001, 0)]
    files = {
        "first_epoch": checkpoint(8, [], False),
        "third_epoch": checkpoint(4, rows, True),
        "validation_next": checkpoint(10, rows[:1], True),
        "between_epochs": checkpoint(0, rows, True),
    }
    whole = set(files)
    third = files["third_epoch"]
    files["cut"] = third[:-100]
    files["no_best"] = checkpoint(4, rows, False)
    files["wrong_best"] = checkpoint(4, [rows[0], rows[1][:6] + (1,)], True)
    files["half_batch"] = checkpoint(7, rows, True)
    folder = Path(__file__).resolve().parent / "corpus/checkpoint"
    if len(sys.argv) != 3:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / f"{name}.ckpt").write_bytes(data)
        return
    for name, data in files.items():
        path = folder / f"{name}.ckpt"
        if path.read_bytes() != data:
            sys.exit(f"{path} is not what this program writes")
        done = subprocess.run([sys.argv[2], str(path)], stdout=subprocess.PIPE, text=True, check=True,
                              env={**os.environ, "FUZZ_TELL": "1"})
        first = done.stdout.splitlines()[1]  # the empty input comes first
        if not first.endswith("taken" if name in whole else "refused"):
            sys.exit(f"{name}: {first}, which is wrong")
        print(f"{name}: {first}")


main()
