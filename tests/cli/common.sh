# Sourced by cli_*.sh TOOLS SOURCE WORK: a fresh folder to work in, and ways to check.
set -u
export LC_ALL=C
[ $# -eq 3 ] || { echo "usage: $0 TOOLS SOURCE WORK"; exit 2; }
tools=$(cd "$1" && pwd) source=$(cd "$2" && pwd) work=$3
make_pictures=$(dirname "$work")/make_pictures
make_pictures=$(cd "$(dirname "$make_pictures")" && pwd)/make_pictures
rm -rf "$work"
mkdir -p "$work"
cd "$work" || exit 2
unset ECG_MODEL
passed=0 failed=0
net='input 12x12x1; conv2d 4 3x3 relu; maxpool 2x2; flatten; dense 3; softmax'

ok() { # description
    passed=$((passed + 1))
}
bad() { # description
    failed=$((failed + 1))
    echo "FAILED: $*"
    sed 's/^/    /' err 2>/dev/null | head -n 5
}
# run TOOL ARGS...: stdout to out, stderr to err, the exit code to $code
run() {
    "$tools/$1" "${@:2}" >out 2>err </dev/null
    code=$?
}
# wants CODE PATTERN DESCRIPTION: of the last run; PATTERN (grep -E) in stderr, '' for any
wants() {
    if [ "$code" -ne "$1" ]; then
        bad "$3: exit code $code, expected $1"
    elif [ -n "$2" ] && ! grep -qE -e "$2" err; then
        bad "$3: stderr lacks '$2'"
    else
        ok
    fi
}
# check DESCRIPTION COMMAND...: the command must succeed
check() {
    if "${@:2}"; then ok; else bad "$1"; fi
}
skip() {
    echo "SKIP: $*"
}
finish() {
    echo "passed $passed of $((passed + failed))"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}
is_json() { # FILE: one JSON text a line
    command -v python3 >/dev/null || { skip "no python3: JSON of $1 not parsed"; return 0; }
    python3 -c 'import json,sys
def no(x): raise ValueError(x)
lines = [json.loads(l, parse_constant=no) for l in open(sys.argv[1], encoding="utf-8")]
sys.exit(not lines)' "$1"
}
