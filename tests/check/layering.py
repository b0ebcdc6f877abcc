#!/usr/bin/env python3
"""Every #include "room/..." in lib/ against the table of rooms; tools and examples see public headers only.

    layering.py [ROOT]      check a tree, 0 when clean
    layering.py --self-test plant violations in a scratch tree and expect each to be found
"""
import re
import sys
import tempfile
from pathlib import Path

# What a room may include beside itself and the public headers. Transitive includes are not looked at.
MAY = {
    "base": [],
    "math": ["base"],
    "image": ["base"],
    "signal": ["base", "image"],
    "layers": ["base", "math"],
    "net": ["base", "math", "image", "layers"],
    "format": ["base", "net"],
    "data": ["base", "math", "image"],
    "train": ["base", "math", "layers", "net", "format"],
    "eval": ["base", "math", "image", "layers", "net"],
}
# Single files that may see one room more.
EXCEPTIONS = {"eval/gradcam.c": ["train"]}
# The only files that see BLAS and LAPACK.
BLAS = {"math/gemm.c", "math/eigen.c"}
BLAS_HEADERS = {"cblas.h", "lapacke.h", "lapack.h", "openblas_config.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


def includes(path):
    text = path.read_text(encoding="utf-8")
    for m in INCLUDE.finditer(text):
        yield text.count("\n", 0, m.start()) + 1, m.group(1) == '"', m.group(2)


def c_files(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".c", ".h", ".def"))


def check_cycles():
    done = set()

    def visit(room, above):
        if room in above:
            return ["the table of rooms has a cycle: " + " -> ".join(above + [room])]
        if room in done:
            return []
        done.add(room)
        return [e for r in MAY[room] for e in visit(r, above + [room])]

    return [e for room in MAY for e in visit(room, [])]


def check_lib(root):
    errors = []
    for path in c_files(root / "lib"):
        name = path.relative_to(root / "lib").as_posix()
        room = name.split("/")[0]
        if room not in MAY:
            errors.append(f"lib/{name}: no such room as {room}")
            continue
        allowed = {room, *MAY[room], *EXCEPTIONS.get(name, [])}
        for line, quoted, target in includes(path):
            where = f"lib/{name}:{line}"
            if not quoted:
                if target in BLAS_HEADERS and name not in BLAS:
                    errors.append(f"{where}: <{target}> belongs to {' and '.join(sorted(BLAS))}")
                elif target.startswith("ecgcnn/") or target.split("/")[0] in MAY:
                    errors.append(f'{where}: <{target}> is written with quotes in lib/')
                continue
            head = target.split("/")[0]
            if head == "ecgcnn":
                base = root / "include"
            elif "/" not in target or head not in MAY:
                errors.append(f'{where}: "{target}" does not begin with a room')
                continue
            elif head not in allowed:
                errors.append(f'{where}: room {room} may not include "{target}"')
                continue
            else:
                base = root / "lib"
            if not (base / target).is_file():
                errors.append(f'{where}: "{target}" does not exist')
    return errors


def check_public(root):
    errors = []
    for path in c_files(root / "include"):
        for line, quoted, target in includes(path):
            if quoted and not (path.parent / target).is_file():
                errors.append(f'{path.relative_to(root)}:{line}: "{target}" is no public header')
            if not quoted and "/" in target and not target.startswith("ecgcnn/"):
                errors.append(f"{path.relative_to(root)}:{line}: <{target}> is not of the C library")
    return errors


def check_users(root):
    errors = []
    for folder in ("tools", "examples"):
        for path in c_files(root / folder) if (root / folder).is_dir() else []:
            for line, quoted, target in includes(path):
                where = f"{path.relative_to(root)}:{line}"
                if target.startswith("ecgcnn/"):
                    continue
                if not quoted:
                    if target.split("/")[0] in MAY:
                        errors.append(f"{where}: <{target}> is inside the library")
                    continue
                beside = "/" not in target and (path.parent / target).is_file()
                if beside or (folder == "tools" and "/" in target and ".." not in target and
                               (root / "tools" / target).is_file()):
                    continue
                errors.append(f'{where}: "{target}" is no public header')
    return errors


def check(root):
    return check_cycles() + check_lib(root) + check_public(root) + check_users(root)


def self_test():
    clean = {
        "include/ecgcnn/net.h": '#include <stdint.h>\n#include "types.h"\n',
        "include/ecgcnn/types.h": "",
        "lib/base/mem.h": "",
        "lib/base/mem.c": '#include "base/mem.h"\n',
        "lib/math/gemm.c": '#include <cblas.h>\n#include "base/mem.h"\n#include "ecgcnn/net.h"\n',
        "lib/net/model.h": "",
        "lib/format/chunk.c": '#include "net/model.h"\n',
        "tools/common/opts.h": "",
        "tools/ecg_train.c": '#include <ecgcnn/net.h>\n#include "common/opts.h"\n',
        "examples/predict.c": '#include <ecgcnn/net.h>\n',
    }
    planted = {
        "lib/base/up.c": '#include "math/gemm.h"\n',
        "lib/layers/conv2d.c": '#include "net/model.h"\n',
        "lib/net/spec.c": '  #  include "format/chunk.h"\n',
        "lib/train/trainer.c": '#include "data/loader.h"\n',
        "lib/image/blas.c": "#include <cblas.h>\n",
        "lib/base/bare.c": '#include "mem.h"\n',
        "lib/base/angle.c": "#include <base/mem.h>\n",
        "lib/base/gone.c": '#include "base/gone.h"\n',
        "lib/attic/x.c": "",
        "include/ecgcnn/inner.h": '#include "base/mem.h"\n',
        "tools/ecg_eval.c": '#include "base/mem.h"\n',
        "tools/ecg_up.c": '#include "../lib/base/mem.h"\n',
        "examples/deep.c": "#include <net/model.h>\n",
    }

    def found(files):
        with tempfile.TemporaryDirectory() as scratch:
            for name, text in files.items():
                path = Path(scratch, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check(Path(scratch))

    bad = [f"clean tree: {e}" for e in found(clean)]
    for name, text in planted.items():
        errors = found({**clean, name: text})
        if len(errors) != 1 or not errors[0].startswith(name):
            bad.append(f"planted in {name}, found: {errors}")
    for line in bad:
        print(line)
    print(f"layering self-test: {len(planted)} planted violations, {len(bad)} problems")
    return bool(bad)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    errors = check(root)
    for e in errors:
        print(e)
    print(f"layering: {len(c_files(root / 'lib'))} files of the library, {len(errors)} violations")
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
