#!/usr/bin/env python3
"""The binary interface against that of the last release, tests/golden/abi/VERSION.txt: functions with their types, structs
with sizes and offsets, values of enumerators, the SONAME. What is new is allowed, what is gone or changed is not, unless the
SONAME is another. A struct that begins with `uint32_t size` may get longer: the library looks at that number.

    abi.py LIBRARY.so               compare; exit status 77 on a machine that the release was not described on
    abi.py --self-test              what is no longer compatible is found
    abi.py --write LIBRARY.so       describe this version, when it is released (or as long as it is not)

Needs a C compiler and readelf: the compiler's description of the headers for debuggers is what is read.
"""
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASELINES = ROOT / "tests" / "golden" / "abi"
sys.path.insert(0, str(Path(__file__).resolve().parent))
import symbols  # noqa: E402


def debug_entries(library_names):
    """(depth, tag, attributes) of everything the headers declare, by offset."""
    with tempfile.TemporaryDirectory() as tmp:
        source, obj = Path(tmp) / "abi.c", Path(tmp) / "abi.o"
        source.write_text("#include <ecgcnn/ecgcnn.h>\n" +
                          "".join(f"__typeof__({n}) *abi_{n};\n" for n in sorted(library_names)))
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-g", "-gdwarf-4", "-fno-eliminate-unused-debug-types",
                        f"-I{ROOT / 'include'}", "-c", str(source), "-o", str(obj)], check=True)
        text = subprocess.run(["readelf", "--debug-dump=info", "--wide", str(obj)], check=True, capture_output=True,
                              text=True).stdout
    entries, order, current = {}, [], None
    for line in text.splitlines():
        m = re.match(r" *<(\d+)><([0-9a-f]+)>: Abbrev Number: \d+ \((DW_TAG_\w+)\)", line)
        if m:
            current = {"depth": int(m.group(1)), "at": int(m.group(2), 16), "tag": m.group(3)[7:], "children": []}
            entries[current["at"]] = current
            order.append(current)
            continue
        m = re.match(r" *<[0-9a-f]+> +DW_AT_(\w+) *: (.*)", line)
        if m and current is not None:
            # "(strp) (offset: 0xf9c): ptrdiff_t", "(indirect string, offset: 0xf9c): ptrdiff_t", "(data1) 8", "8"
            value = re.sub(r"^(\(\w+\) )?(\([^)]*offset: [^)]*\): )?", "", m.group(2)).strip()
            current[m.group(1)] = value
    stack = []
    for e in order:
        del stack[e["depth"]:]
        if stack:
            stack[-1]["children"].append(e)
        stack.append(e)
    return entries, order


class Types:
    def __init__(self, entries):
        self.entries = entries

    def target(self, e):
        m = re.match(r"<0x([0-9a-f]+)>", e.get("type", ""))
        return self.entries[int(m.group(1), 16)] if m else None

    def name(self, e):
        if e is None:
            return "void"
        if e["tag"] in ("base_type", "typedef"):
            return e["name"]
        if e["tag"] in ("structure_type", "union_type", "enumeration_type"):
            return f"{e['tag'].split('_')[0]} {e.get('name', '?')}"
        inner = self.target(e)
        if e["tag"] == "pointer_type":
            return self.name(inner) + (" *" if inner is None or inner["tag"] != "subroutine_type" else "*")
        if e["tag"] in ("const_type", "volatile_type", "restrict_type"):
            return f"{self.name(inner)} {e['tag'][:-5]}"
        if e["tag"] == "array_type":
            bounds = [c.get("upper_bound") for c in e["children"] if c["tag"] == "subrange_type"]
            return self.name(inner) + "".join(f"[{'' if b is None else int(b, 0) + 1}]" for b in bounds)
        if e["tag"] == "subroutine_type":
            args = [self.name(self.target(c)) for c in e["children"] if c["tag"] == "formal_parameter"]
            args += ["..." for c in e["children"] if c["tag"] == "unspecified_parameters"]
            return f"{self.name(inner)} ({', '.join(args) or 'void'})"
        sys.exit(f"abi.py: a {e['tag']} is new to this script")


def soname(library):
    text = subprocess.run(["readelf", "--dynamic", "--wide", library], check=True, capture_output=True, text=True).stdout
    return re.search(r"Library soname: \[(.*)\]", text).group(1)


def describe(library):
    """The interface as lines: kind, name, what it is."""
    entries, order = debug_entries(symbols.declared())
    types = Types(entries)
    out = {("machine", ""): platform.machine(), ("soname", ""): soname(library)}
    for e in order:
        name = e.get("name", "")
        if e["tag"] == "variable" and name.startswith("abi_ecg_"):
            out["function", name[4:]] = types.name(types.target(types.target(e)))
        elif e["tag"] == "typedef" and name.startswith("ecg_"):
            target = types.target(e)
            if target and target["tag"] not in ("structure_type", "enumeration_type"):
                out["type", name] = types.name(target)
        elif e["tag"] == "structure_type" and name.startswith("ecg_") and "byte_size" in e:
            out["struct", name] = e["byte_size"]
            for member in e["children"]:
                if member["tag"] == "member":
                    at = member["data_member_location"].split()[0]
                    out["field", f"{name}.{member['name']}"] = f"{at} {types.name(types.target(member))}"
        elif e["tag"] == "enumerator" and name.startswith("ECG_"):
            out["enumerator", name] = e["const_value"]
    return out


def read(path):
    out = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            kind, name, what = line.split("\t")
            out[kind, name] = what
    return out


def compare(old, new):
    """What programs that were built with `old` would stumble over."""
    problems = []
    if old["soname", ""] != new["soname", ""]:
        return problems
    for (kind, name), was in old.items():
        now = new.get((kind, name))
        if now == was:
            continue
        if now is None:
            problems.append(f"{kind} {name} is gone; it was: {was}")
        elif kind == "struct" and old.get(("field", f"{name}.size")) == "0 uint32_t" and int(now) > int(was):
            pass # grown at its end, as its fields show
        else:
            problems.append(f"{kind} {name}: {was} became {now}")
    # A field put between others does not move them where there was a gap.
    for (kind, name), what in new.items():
        owner = name.split(".")[0]
        if kind == "field" and (kind, name) not in old and ("struct", owner) in old:
            if int(what.split()[0]) < int(old["struct", owner]) and ("field", f"{owner}.size") not in old:
                problems.append(f"field {name} is new inside a struct of fixed size")
    return problems


def baseline():
    files = sorted(BASELINES.glob("*.txt"), key=lambda p: [int(n) for n in p.stem.split(".")])
    if not files:
        sys.exit("abi.py: no release is described")
    return files[-1]


def version():
    text = (ROOT / "include/ecgcnn/version.h").read_text()
    return ".".join(re.search(rf"ECG_VERSION_{n} (\d+)", text).group(1) for n in ("MAJOR", "MINOR", "PATCH"))


def self_test():
    old = read(baseline())
    first = {kind: next(key for key in old if key[0] == kind) for kind in ("function", "struct", "field", "enumerator", "type")}
    sized = ("struct", "ecg_session_options")
    fixed = ("struct", "ecg_shape")
    wrong = []

    def case(change, found, what):
        new = dict(old)
        change(new)
        if bool(compare(old, new)) != found:
            wrong.append(what)

    case(lambda n: None, False, "the same")
    for kind, key in first.items():
        case(lambda n, key=key: n.pop(key), True, f"a {kind} that is gone")
        case(lambda n, key=key: n.update({key: "1" if kind == "struct" else "other"}), True, f"a {kind} that is another")
    case(lambda n: n.update({("function", "ecg_new"): "void (void)"}), False, "a new function")
    case(lambda n: n.update({sized: str(int(old[sized]) + 8)}), False, "a struct with a size that has grown")
    case(lambda n: n.update({sized: str(int(old[sized]) - 4)}), True, "a struct with a size that has shrunk")
    case(lambda n: n.update({fixed: str(int(old[fixed]) + 4)}), True, "a struct without a size that has grown")
    case(lambda n: [n.pop(first["function"]), n.update({("soname", ""): "other"})], False, "another SONAME")
    for w in wrong:
        print(f"not as expected: {w}")
    print(f"abi: self-test with {len(old)} lines, {len(wrong)} problems")
    return bool(wrong)


def main():
    args = sys.argv[1:]
    if args == ["--self-test"]:
        return self_test()
    if len(args) == 2 and args[0] == "--write":
        out = describe(args[1])
        BASELINES.mkdir(parents=True, exist_ok=True)
        path = BASELINES / f"{version()}.txt"
        path.write_text("# Made by tests/check/abi.py --write.\n" +
                        "".join(f"{k}\t{n}\t{w}\n" for (k, n), w in sorted(out.items())))
        print(f"{path.relative_to(ROOT)}: {len(out)} lines")
        return 0
    if len(args) != 1 or args[0].startswith("-"):
        sys.exit(__doc__)
    path = baseline()
    old, new = read(path), describe(args[0])
    if old["machine", ""] != new["machine", ""]:
        print(f"{path.name} was made on {old['machine', '']}, this is {new['machine', '']}")
        return 77
    problems = compare(old, new)
    for p in problems:
        print(p)
    print(f"abi: {len(new)} lines, {len(new.keys() - old.keys())} of them new since {path.stem}, {len(problems)} problems")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
