#!/bin/bash
# ecg-eval --record: two annotation files of a recording, compared beat by beat.
. "$2/common.sh"

run ecg-eval --record --help
wants 0 '' '--record --help'
check 'help names the rules' grep -q bxb out
check 'help fits 80 columns' test "$(wc -L <out)" -le 80
grep -oE -e '^  (-., |    )--[a-z-]+' out | grep -oE -e '--[a-z-]+' | sort >in-help
sed -n '/^\.Sh COMPARING/,/^\.Sh EXIT/p' "$source/../../tools/man/ecg-eval.1" |
    sed -n 's/\\-/-/g; s/^\.It Sy .*--\([a-z-]*\).*/--\1/p' | sort >in-man
check 'help and man page have the same options' cmp -s in-help in-man
check 'there are options' test "$(wc -l <in-help)" -ge 9
for wrong in '--record' '--record=' '--record a b' '--record a --window 0' '--record a --from -1' \
    '--record a --from 9 --to 5' '--record a --model m'; do
    # shellcheck disable=SC2086
    run ecg-eval $wrong
    wants 2 '' "ecg-eval $wrong"
    check "$wrong: nothing on stdout" test ! -s out
done
run ecg-eval --record nothing
wants 1 'nothing.hea: cannot open' 'a record that is not there'

command -v python3 >/dev/null || { skip 'no python3 to write recordings with'; finish; }

# Ten minutes at 100 frames a second; a beat each second, every tenth a V, one S. The test is 50 ms late, misses one N,
# takes a V for an N, and finds one that is not there.
mkdir -p db
python3 - <<'PY'
import struct

def write(path, beats):
    out, time = b"", 0
    for sample, code in beats:
        step = sample - time
        if step > 1023:
            out += struct.pack("<HHH", 59 << 10, step >> 16, step & 0xffff)
            step = 0
        out += struct.pack("<H", code << 10 | step)
        time = sample
    open(path, "wb").write(out + b"\0\0")

codes = {"N": 1, "V": 5, "A": 8, "j": 11}
reference = [(100 * i, codes["V" if i % 10 == 0 else "A" if i == 455 else "j" if i == 466 else "N"]) for i in range(1, 600)]
test = [(s + 5, 1 if s == 40000 else c) for s, c in reference if s != 35100] + [(50050, 5)]
write("db/r.atr", reference)
write("r.cnn", sorted(test))
open("db/r.hea", "w").write("r 1 100 60000\nr.dat 16\n")
open("db/r.dat", "wb").write(bytes(120000))
PY
run ecg-eval --record db/r
wants 0 'Not a medical device' 'a comparison; the test annotations are in the current folder'
cat >want <<'TABLE'
           n      s      v      f      q      o      x
  N |    267      0      0      0      0      1      0
  S |      0      2      0      0      0      0      0
  V |      1      0     29      0      0      0      0
  F |      0      0      0      0      0      0      0
  Q |      0      0      0      0      0      0      0
  O |      0      0      1      0      0
  X |      0      0      0      0      0
TABLE
check 'the table' test "$(grep -cxFf want out)" -eq 8
check 'QRS sensitivity' grep -qF 'QRS sensitivity:   99.67 % (299/300)' out
check 'VEB sensitivity' grep -qF 'VEB sensitivity:   96.67 % (29/30)' out
check 'VEB predictivity' grep -qF 'VEB positive predictivity:   96.67 % (29/30)' out
check 'SVEB' grep -qF 'SVEB sensitivity:  100.00 % (2/2)' out
check 'where aami5 differs' grep -qF 'e 0, j 1, n 0' out
run ecg-eval --record db/r --json --from 0 --quiet
wants 0 '' 'from the beginning, for machines'
check 'json' is_json out
check 'json alone' test ! -s err
check 'figures' python3 -c 'import json
r = json.load(open("out"))
assert r["matrix"][0][0] == 537 and r["matrix"][2][0] == 1 and r["matrix"][5][2] == 1, r["matrix"]
assert abs(r["qrs_sensitivity"] - 598 / 599) < 1e-8 and r["sveb_ppv"] == 1 and r["to"] == 600
assert r["aami5_differs"]["j"] == {"here": "S", "aami5": "N", "beats": 1}'
run ecg-eval --record db/r.hea --from 0 --window 0.04 --json
check 'nothing is near enough' python3 -c 'import json
r = json.load(open("out"))
assert r["qrs_sensitivity"] == 0 and r["matrix"][0][5] == 538 and r["sveb_ppv"] == 0, r'
run ecg-eval --record db/r --test atr
check 'a file against itself' grep -qF 'QRS positive predictivity:  100.00 % (300/300)' out
run ecg-eval --record db/r --test ./r.cnn --from 700
wants 1 'try --from 0' 'a record shorter than the time that does not count'
run ecg-eval --record db/r --test nobody
wants 1 'r.nobody: cannot open' 'annotations that are nowhere'
printf 'x' >r.bad
run ecg-eval --record db/r --test ./r.bad
wants 1 'r.bad: ends at byte 1' 'damaged annotations'
finish
