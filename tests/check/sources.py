#!/usr/bin/env python3
"""Each lib/<room>/<x>.c has tests/unit/test_<x>.c or test_<room>_<x>.c, or a line in tests/check/covered.txt that names
the test which covers it.

    sources.py [ROOT]
"""
import fnmatch
import sys
from pathlib import Path

ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]


def main():
    errors, rows = [], []
    tests = {p.name for p in (ROOT / "tests/unit").glob("test_*.c")}
    for n, line in enumerate((ROOT / "tests/check/covered.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split()
        if len(words) != 2 or words[1] not in tests:
            errors.append(f"covered.txt:{n}: expected a source and a test that exists: {line}")
        rows.append((n, words[0]))
    sources = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "lib").glob("*/*.c"))
    used = set()
    for source in sources:
        room, stem = source.split("/")[1], Path(source).stem
        if {f"test_{stem}.c", f"test_{room}_{stem}.c"} & tests:
            continue
        lines = {n for n, pattern in rows if fnmatch.fnmatchcase(source, pattern)}
        used |= lines
        if not lines:
            errors.append(f"{source}: no tests/unit/test_{stem}.c, and not in covered.txt")
    errors += [f"covered.txt:{n}: {pattern} covers nothing that lacks a test" for n, pattern in rows if n not in used]
    for e in errors:
        print(e)
    print(f"sources: {len(sources)}, {len(tests)} unit tests, {len(errors)} problems")
    return bool(errors) or not sources


if __name__ == "__main__":
    sys.exit(main())
