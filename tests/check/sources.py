#!/usr/bin/env python3
"""Each lib/<room>/<x>.c has tests/unit/test_<x>.c, or a line with the reason in tests/check/untested.txt."""
import sys
from pathlib import Path

ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]


def main():
    errors, excused = [], {}
    for line in (ROOT / "tests/check/untested.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            excused[name] = reason.strip()
            if not reason.strip():
                errors.append(f"untested.txt: {name} has no reason")
    sources = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "lib").glob("*/*.c"))
    tests = {p.name for p in (ROOT / "tests/unit").glob("test_*.c")}
    for source in sources:
        test = f"test_{Path(source).name}"
        if source in excused:
            if test in tests:
                errors.append(f"untested.txt: {source} has a test, {test}")
        elif test not in tests:
            errors.append(f"{source}: no tests/unit/{test}")
    errors += [f"untested.txt: {name} does not exist" for name in excused if name not in sources]
    for e in errors:
        print(e)
    print(f"sources: {len(sources)}, {len(excused)} excused, {len(errors)} problems")
    return bool(errors) or not sources


if __name__ == "__main__":
    sys.exit(main())
