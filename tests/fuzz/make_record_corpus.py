#!/usr/bin/env python3
"""Writes the starting inputs of the targets for recordings into corpus/. The same bytes every time.

    make_record_corpus.py
"""
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent / "corpus"


def put(target, name, data):
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


HEADERS = {
    "plain": "r 2 360 6\nr.dat 212 200 11 1024 995 29832 0 MLII\nr.dat 212 200 11 1024 1011 19589 0 V1\n# 69 M\n",
    "short": "r 1\nr.dat 16\n",
    "full": "r 2 360/1000(5.5) 4 12:30:00 25/04/1989\nr.dat 16x2:1+3 200(1024)/mV 12 0 1 -2 0 ECG lead I\n"
            "r.dat 16x1 1e2(-5)/uV 16 0 0 0 0 ABP\n",
    "segments": "r/3 2 360 30\ns 10\n~ 10\ns 10\n",
    "layout": "r/4 2 250 30\ns 0\ns 10\n~ 10\ns 10\n",
    "files": "r 3 100 5\na.dat 8 100 10 0 7 0 0\nb/c.dat 310\n~ 0 200 12 0 0 0 0 none\n",
}


def headers():
    for name, text in HEADERS.items():
        put("wfdb_header", name, text)


def signals():
    data = bytes((i * 37 + 11) % 256 for i in range(96))
    for fmt in (8, 16, 24, 32, 61, 80, 160, 212, 310, 311):
        text = f"r 2 100 5\nr.dat {fmt} 200(3)/mV 12 0 5 0 0 I\nr.dat {fmt}:1 200/uV 12 0 7 0 0 II\n"
        put("wfdb_signal", f"f{fmt}", text.encode() + b"\0\0" + data)
    put("wfdb_signal", "x", b"r 2 100 4\nr.dat 212x3 200\nr.dat 212x1 100\n\0\0" + data)
    put("wfdb_signal", "open", b"r 1 100\nr.dat 8+3 200\n\0\0" + data)
    segment = b"s 1 100 5\nr.dat 16 200 12 0 0 0 0 I\n"
    put("wfdb_signal", "segments", b"r/3 1 100 15\ns 5\n~ 5\ns 5\n\0" + segment + b"\0" + data)
    layout = b"r/3 1 100 10\ns 0\n~ 5\ns 5\n\0" + segment + b"\0" + data
    put("wfdb_signal", "layout", layout)


def annotations():
    def word(code, interval=0):
        return struct.pack("<H", code << 10 | interval)

    skip = word(59) + struct.pack("<HH", 1, 500)
    note = b"## time resolution: 250"
    aux = word(63, 3) + b"(N\0\0"
    put("annotations", "beats", word(28, 18) + aux + word(1, 59) + word(5, 300) + word(8, 250) + word(0))
    put("annotations", "fields", skip + word(14, 5) + word(61, 1) + word(62, 1) + word(60, 2) + word(1, 9) + word(0))
    put("annotations", "rate", word(22) + word(63, len(note)) + note + b"\0" + word(1, 100) + word(0))
    define = b"## annotation type definitions", b"42 x Ectopic beat", b"## end of definitions"
    text = b"".join(word(22) + word(63, len(d)) + d + b"\0" * (len(d) % 2) for d in define)
    put("annotations", "custom", text + word(42, 7) + word(0))
    put("annotations", "back", word(1, 500) + word(59) + struct.pack("<HH", 0xffff, 0xff00) + word(2) + word(0))


def edf(kind, labels, samples, records, seconds, size=2):
    n = len(labels)
    head = (b"0       " if size == 2 else b"\xffBIOSEMI") + b"X".ljust(80) + b"Y".ljust(80) + b"01.02.0312.30.00"
    head += str(256 * (n + 1)).encode().ljust(8) + kind.ljust(44) + str(records).encode().ljust(8)
    head += str(seconds).encode().ljust(8) + str(n).encode().ljust(4)
    top = str((1 << (8 * size - 1)) - 1).encode()
    low = str(-(1 << (8 * size - 1))).encode()
    for width, values in ((16, labels), (80, [b""] * n), (8, [b"mV"] * n), (8, [b"-5"] * n), (8, [b"5.5"] * n),
                          (8, [low] * n), (8, [top] * n), (80, [b""] * n),
                          (8, [str(s).encode() for s in samples]), (32, [b""] * n)):
        head += b"".join(v.ljust(width) for v in values)
    total = sum(samples) * max(records, 2) * size
    return head + bytes((i * 29 + 5) % 256 for i in range(total))


def edfs():
    put("edf", "plain", edf(b"", [b"ECG I", b"ECG II"], [4, 4], 3, 1))
    put("edf", "rates", edf(b"EDF+C", [b"ECG I", b"Resp", b"EDF Annotations"], [6, 2, 3], 2, "0.5"))
    put("edf", "gaps", edf(b"EDF+D", [b"ECG I"], [4], 2, 1))
    put("edf", "open", edf(b"", [b"ECG I"], [4], -1, 1))
    put("edf", "bdf", edf(b"24BIT", [b"A1"], [4], 2, 1, 3))


def tables():
    put("record_csv", "times", "time,MLII,V1\ns,mV,mV\n0.000,0.1,-0.2\n0.004,-,0.3\n0.008,0.5,nan\n")
    put("record_csv", "rdsamp", "'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n'0:00.000',-0.145\n'0:00.003',-0.145\n")
    put("record_csv", "plain", "# rate 360\n1 2\n3 4\n5 6\n")
    put("record_csv", "tabs", "# fs=100 Hz\nsample #\tI\n0\t1e-3\n1\t2.5\n2\t\n")
    put("record_csv", "semicolon", "t;a;b\n0;1;2\n0.5;3;4\n1;5;6")


for make in (headers, signals, annotations, edfs, tables):
    make()
