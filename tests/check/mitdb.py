#!/usr/bin/env python3
"""A second reader of MIT annotation files, written apart from the library, to count with.

    mitdb.py FILE...    a line for each code that occurs: code, how often, sum of its samples
"""
import sys
from collections import Counter
from pathlib import Path


def annotations(data):
    """(sample, code) of each annotation; SKIP adds to the time, NUM, SUB, CHN and AUX are passed over."""
    i = time = 0
    while True:
        word = int.from_bytes(data[i:i + 2], "little")
        i += 2
        if word == 0:
            return
        code, interval = divmod(word, 1024)
        if code == 59:
            time += int.from_bytes(data[i + 2:i + 4] + data[i:i + 2], "little", signed=True)
            i += 4
        elif code == 63:
            i += interval + interval % 2
        elif code < 50:
            time += interval
            yield time, code


def main(paths):
    counts, sums = Counter(), Counter()
    for path in paths:
        for sample, code in annotations(Path(path).read_bytes()):
            counts[code] += 1
            sums[code] += sample
    for code in sorted(counts):
        print(code, counts[code], sums[code])


if __name__ == "__main__":
    main(sys.argv[1:])
