#!/bin/bash
# How much disk a program takes that trains and predicts: our packages beside PyTorch's of the same Debian, with all the
# packages that each depends on (Depends, first alternatives) but for those that every Debian has. A package that is not
# installed is looked up in apt's lists. In MiB, as Installed-Size says.
# usage: size.sh DEB... [-- PACKAGE...]        (default: python3-torch)
set -eu
export LC_ALL=C
debs=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    debs+=("$1")
    shift
done
[ "${1:-}" != -- ] || shift
others=("${@:-python3-torch}")

# Packages of a minimal Debian: required and important ones, and what they need.
every=$(dpkg-query -W -f '${Priority} ${Package}\n' | awk '$1 == "required" || $1 == "important" {print $2}')

python3 - "$every" "${#debs[@]}" "${debs[@]}" "${others[@]}" <<'END'
import re
import subprocess
import sys

every, count = set(sys.argv[1].split()), int(sys.argv[2])
debs, others = sys.argv[3:3 + count], sys.argv[3 + count:]
info = {}


def fields(text):
    out, key = {}, None
    for line in text.splitlines():
        if not line.strip() and out:
            break
        if line[:1] not in " \t" and ":" in line:
            key, value = line.split(":", 1)
            out[key] = value.strip()
    return out


def show(packages):
    """Look up those that are not known yet, all at once."""
    wanted = sorted(set(packages) - info.keys())
    text = subprocess.run(["apt-cache", "show", "--no-all-versions", *wanted], capture_output=True, text=True).stdout \
        if wanted else ""
    for part in text.split("\n\n"):
        what = fields(part)
        if what:
            info.setdefault(what["Package"], what)
    for package in wanted:
        info.setdefault(package, {})


def provider(package):
    """A package that stands for a virtual one: one that is installed, else the first."""
    text = subprocess.run(["apt-cache", "showpkg", package], capture_output=True, text=True).stdout
    names = [line.split()[0] for line in text.partition("Reverse Provides:")[2].splitlines() if line.strip()]
    for name in names:
        if subprocess.run(["dpkg-query", "-W", name], capture_output=True).returncode == 0:
            return name
    return names[0] if names else None


def closure(start):
    seen, todo = {}, set(start)
    while todo:
        todo -= every | seen.keys()
        show(todo)
        following = set()
        for package in todo:
            what = info[package]
            seen[package] = int(what.get("Installed-Size", 0))
            if not what:
                following.add(provider(package) or "")
            depends = ", ".join(what.get(k, "") for k in ("Depends", "Pre-Depends"))
            following |= {re.split(r"[\s(:|]", d.strip())[0] for d in depends.split(",")}
        todo = following - {""}
    return {package: size for package, size in seen.items() if info[package]}


for deb in debs:
    what = fields(subprocess.run(["dpkg-deb", "-f", deb], check=True, capture_output=True, text=True).stdout)
    info[what["Package"]] = what
ours = [p for p in info if not p.endswith("-dev")]
rows = [("libecgcnn and its tools", ours)] if ours else []
rows += [(p, [p]) for p in others]
print(f"{'':30} {'own':>8} {'with all it needs':>18} {'packages':>9}")
for name, start in rows:
    own = {p for p in start}
    for p in start: # a package of a library is its own, where a language only wraps it
        own |= {d for d in closure([p]) if d.startswith("libtorch")}
    all_of = closure(start)
    if not all_of:
        print(f"{name:30} is not known to apt")
        continue
    print(f"{name:30} {sum(all_of.get(p, 0) for p in own) / 1024:8.1f} {sum(all_of.values()) / 1024:18.1f} {len(all_of):9}")
END
