#!/bin/bash
# ecg-eval --html and --card, ecg-train --report.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
page() { # FILE [JSON]: well-formed, whole, and of these figures
    command -v python3 >/dev/null || { skip "no python3: $1 not parsed"; return 0; }
    python3 "$source/page.py" "$@" >found || { sed 's/^/    /' found; return 1; }
}
run ecg-train data -o m.ecgm --net "$net" --epochs 2 --batch 8 --lr 0.004 --seed 2 --report t.html --history t.csv --quiet
wants 0 '' 'training with a report'
check 'the report of a run' page t.html

# ---- figures are those of --json ----
"$make_pictures" wrong 20 && mv 'wrong/Class A/00.png' 'wrong/Class B/x.png' && mv 'wrong/Class B/01.png' 'wrong/Class C/y.png'
run ecg-eval -m m.ecgm wrong --json --html r.html --card r.md
cp out r.json
wants 0 '' 'a report and a card'
check '--json stays JSON' is_json out
check 'the report has the figures of --json' page r.html r.json
check 'pictures of mistakes are in it' grep -q 'src="data:image/png;base64,iVBOR' r.html
sha=$(sha256sum m.ecgm | cut -d ' ' -f 1)
check 'it names the model' grep -q "$sha" r.html
check 'it says that nobody looked for leaks' grep -q 'The training pictures were not given' r.html
check 'the card names the model' grep -q "$sha" r.md
check 'the card has the notice' grep -q 'Not a medical device' r.md
for head in 'Intended use' 'Out of scope' 'Training data independent of test data' \
    'Representative of the intended population' Performance 'Calibration and abstaining' 'Known failures' \
    'Performance of people and model together' 'Clear, essential information to users' \
    'Monitored after deployment' Provenance; do
    check "the card has '$head'" grep -qx "## $head" r.md
done
if command -v python3 >/dev/null; then
    check 'the card has the figures of --json' python3 - <<'X'
import json, sys
j, card = json.load(open("r.json")), open("r.md", encoding="utf-8").read().splitlines()
def row(name):
    return next(l for l in card if l.startswith(f"| {name} |"))
def wanted(v, ci, d):
    return f"| {v:.{d}f} ({ci[0]:.{d}f}-{ci[1]:.{d}f}) |"
ok = wanted(j["accuracy"], j["ci"]["accuracy"], 4) in row("accuracy")
ok &= wanted(j["ece"], j["ci"]["ece"], 4) in row("expected calibration error")
for c in j["classes"]:
    for k in ("sensitivity", "ppv", "f1", "auc", "pr_auc"):
        ok &= wanted(c[k], c["ci"][k], 3) in row(c["name"])
    ok &= f"| {c['support']} |" in row(c["name"])
sys.exit(not ok)
X
fi
run ecg-eval -m m.ecgm wrong -q --bootstrap 0 --html r0.html --card r0.md
wants 0 '' 'without intervals'
check 'it says so' grep -q 'No confidence intervals were computed' r0.html
check 'the page is whole' page r0.html
check 'the same, again' sh -c 'cp r.html again.html; '"$tools"'/ecg-eval -m m.ecgm wrong --json --html again.html >/dev/null && cmp r.html again.html'

# ---- leaks and flaws ----
cp 'data/Class A/05.png' 'wrong/Class B/copy.png'
run ecg-eval -m m.ecgm wrong --train data --html l.html --card l.md -q --json
wants 0 '' 'with the training pictures'
leaked=$(grep -o '"leaked":[0-9]*' out | cut -d : -f 2)
check 'copies are said' grep -q "$leaked of the pictures measured here trained the model" l.html
check 'and in the card' grep -q "$leaked of the pictures measured here trained the model" l.md
check 'figures without them' grep -q 'without copies of training pictures' l.html
check 'copies under two classes are found' grep -qE '<li>[1-9][0-9]* sets? of copies stands? under two classes' l.html
run ecg-eval -m m.ecgm data -q --html d.html --bootstrap 0
wants 0 '' 'pictures without that flaw'
check 'none are found' grep -q '<bdi>0 sets of copies</bdi>' d.html
check 'the page is whole' page l.html

# ---- hostile names ----
evil='<script>alert(1)</script> "x" &amp; '\''y'\'' | `z` *b*'
evil=${evil//\//_}
bytes=$(printf 'bad\xff\xc0 name\xe2\x80\xae')
mkdir -p evil && cp -r 'data/Class A' "evil/$evil" && cp -r 'data/Class B' "evil/$bytes" && cp -r 'data/Class C' evil/plain
mv "evil/plain/00.png" "evil/plain/<img src=x onerror=alert(2)>\".png"
mv "evil/$bytes/00.png" "evil/plain/$(printf 'http:\xff\n<b>').png"
run ecg-train evil -o "e<b>.ecgm" --net "$net" --epochs 1 --batch 8 --seed 2 --lr 0.0001 --report et.html --quiet
wants 0 '' 'names that are markup'
check 'the report of that run' page et.html
run ecg-eval -m "e<b>.ecgm" evil --html e.html --card e.md -q --json
cp out e.json
wants 0 '' 'evaluating them'
check 'nothing of it is markup' page e.html
check 'no script' sh -c '! grep -qi "<script\|<img src=x\|<b>\.ecgm" e.html et.html e.md'
check 'names are escaped' grep -q '&lt;script&gt;alert(1)&lt;_script&gt; &quot;x&quot; &amp;amp; &#39;y&#39;' e.html
check 'what is no UTF-8 is replaced' grep -q "bad$(printf '\xef\xbf\xbd\xef\xbf\xbd') name" e.html
check 'the card escapes them' grep -qF '&lt;script\>alert(1)&lt;\_script\> "x" &amp;amp; '\''y'\'' \| \`z\` \*b\*' e.md
if command -v python3 >/dev/null; then
    check 'the card is UTF-8' python3 -c 'open("e.md", encoding="utf-8").read()'
    check 'each row of it has as many cells' python3 -c '
import re
rows = [l for l in open("e.md", encoding="utf-8") if l.startswith("| ")]
heads = [l for l in rows if l.startswith("| class ")]
i = rows.index(heads[0])
n = [len(re.findall(r"(?<!\\)\|", l)) for l in rows[i:i + 4]]
assert n == [9] * 4, n'
fi

# ---- whole or not at all ----
mkdir folder
for option in --html --card; do
    run ecg-eval -m m.ecgm data $option none/r.html
    wants 1 'none/r.html: cannot be written: No such file' "$option in no folder"
    check 'nothing was printed before' test ! -s out
    run ecg-eval -m m.ecgm data $option folder
    wants 1 'folder: cannot be written: not a regular file' "$option onto a folder"
    run ecg-eval -m m.ecgm data $option m.ecgm
    wants 1 'are one file' "$option onto the model"
    run ecg-eval --merge r.csv $option x.html
    wants 2 'not with' "$option with --merge"
    run ecg-eval -m m.ecgm data --calibrate $option x.html
    wants 2 'belong to an evaluation' "$option with --calibrate"
done
run ecg-eval -m m.ecgm data --html one --card one
wants 1 'are one file' 'two in one'
run ecg-train data -o x.ecgm --net "$net" --epochs 1 --report none/t.html
wants 1 'none/t.html: cannot be written' '--report in no folder'
check 'nothing was trained' test ! -e x.ecgm
run ecg-train data -o x.ecgm --net "$net" --epochs 1 --report x.ecgm
wants 2 'are one file' '--report onto the model'
if [ -w /dev/full ]; then
    echo old >kept.html
    (ulimit -f 8 && trap '' XFSZ && "$tools/ecg-eval" -m m.ecgm wrong --html kept.html -q >/dev/null 2>err)
    code=$?
    wants 1 'kept.html: cannot be written: File too large' 'no room'
    check 'the old file stays' test "$(cat kept.html)" = old
fi
check 'no temporary file is left' test -z "$(find . -name '*.tmp')"

# ---- a run that is interrupted and resumed ----
run ecg-train data -o f.ecgm --net "$net" --epochs 3 --batch 8 --lr 0.004 --seed 2 --checkpoint c.ckpt --quiet
run ecg-train data -o f.ecgm --net "$net" --epochs 5 --batch 8 --lr 0.004 --seed 2 --resume c.ckpt --report f.html --history f.csv --quiet
wants 0 '' 'a resumed run'
check 'its report' page f.html
check 'it says so' grep -q 'Resumed from a checkpoint after epoch 3' f.html
check 'all epochs are in it' test "$(grep -cE '<tr><th scope="row"><bdi>[1-5](, best)?</bdi>' f.html)" -eq 5
"$make_pictures" many 60
"$tools/ecg-train" many -o i.ecgm --net "$net" \
    --epochs 100000 --threads 1 --report i.html --history i.csv --quiet >out 2>err &
pid=$!
for _ in $(seq 300); do
    [ -e i.csv ] && [ "$(wc -l <i.csv)" -ge 2 ] && break
    sleep 0.1
done
kill -TERM $pid # INT is ignored by what a script starts
wait $pid
code=$?
wants 75 'interrupted' 'an interrupted run'
check 'it has a report' page i.html
check 'which says so' grep -q 'The run was interrupted' i.html
finish
