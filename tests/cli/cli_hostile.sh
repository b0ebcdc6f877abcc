#!/bin/bash
# What no one means to give to the tools, and places that take no more: one clear line, the right exit code, no waiting.
. "$2/common.sh"
"$make_pictures" data 12 || exit 2
fast=(--net "$net" --epochs 2 --batch 8 --threads 2 -q)

# As run, and stopped after a minute (exit code 124).
timed() {
    timeout 60 "$tools/$1" "${@:2}" >out 2>err </dev/null
    code=$?
}
# one_line TOOL DESCRIPTION: a single line of the tool beside the notice, without control bytes
one_line() {
    if [ "$(grep -vc 'Not a medical device' err)" -eq 1 ] && grep -q "^$1: " err && ! LC_ALL=C grep -q '[[:cntrl:]]' err; then
        ok
    else
        bad "$2: not one clear line"
    fi
}
timed ecg-train data -o m.ecgm "${fast[@]}"
wants 0 '' 'a model to work with'

# ---- Names ----
mkdir -p names/one names/$'t\two\nlines'
long=$(printf 'n%.0s' {1..251}).png
i=0
for name in "$long" $'new\nline.png' $'tab\t.png' $'\377\376.png' '-o.png' ' .png' '%s%n.png' "'\".png"; do
    cp "data/Class A/0$i.png" "names/one/$name" && cp "data/Class B/0$i.png" "names/"$'t\two\nlines'"/$name"
    i=$((i + 1))
done
timed ecg-train names -o n.ecgm --net "${net/dense 3/dense 2}" --epochs 1 --val-split 0.25 -q
wants 0 '' 'training on names of every kind'
timed ecg-eval -m n.ecgm names --json --csv n.csv
wants 0 '' 'evaluation of them'
check 'the figures are JSON' is_json out
timed ecg-predict -m n.ecgm names/*/* --json
wants 0 '' 'prediction of them'
check 'one object a picture' test "$(wc -l <out)" -eq 16
timed ecg-predict -m n.ecgm names/*/*
wants 0 '' 'as lines'
check 'one line a picture' test "$(wc -l <out)" -eq 16
timed ecg-predict -m n.ecgm $'gone\nfor\tever.png'
wants 1 '' 'a picture that is not there'
one_line ecg-predict 'a picture that is not there'

# ---- Things that are no pictures ----
mkfifo pipe.png
mkdir folder.png
: >empty.png
ln -s loop.png loop.png
ln -s nowhere dangling.png
ln -s /dev/zero device.png
head -c 300 "data/Class A/00.png" >cut.png
for name in pipe folder empty loop dangling device cut; do
    for kind in pictures train; do
        rm -rf set && cp -r data set
        rm "set/Class B/03.png"
        if [ $kind = pictures ]; then
            timed ecg-predict -m m.ecgm "data/Class A/00.png" $name.png "data/Class B/00.png"
            wants 1 "$name.png: " "prediction of $name"
            one_line ecg-predict "prediction of $name"
            check "the others are done beside $name" test "$(wc -l <out)" -eq 2
            continue
        fi
        cp -a $name.png "set/Class B/03.png"
        [ $name = folder ] && continue # a folder in a class folder is looked into
        for tool in ecg-train ecg-eval; do
            rm -f x.ecgm
            if [ $tool = ecg-train ]; then args=(set -o x.ecgm "${fast[@]}"); else args=(-m m.ecgm set -q); fi
            timed $tool "${args[@]}"
            wants 1 'set/Class B/03.png: ' "$tool with $name"
            one_line $tool "$tool with $name"
            check 'no model of a failed run' test ! -e x.ecgm
            timed $tool "${args[@]}" --skip-bad
            wants 0 'skipped: set/Class B/03.png: ' "$tool --skip-bad with $name"
        done
        rm -f x.ecgm
    done
done

# ---- Folders ----
mkdir -p loops/A loops/B
cp data/Class\ A/* loops/A
cp data/Class\ B/* loops/B
ln -s .. loops/A/up
ln -s ../B loops/A/other
ln -s A loops/B/self
timed ecg-train loops -o x.ecgm --net "${net/dense 3/dense 2}" --epochs 1 -q
wants 0 '' 'links to folders are not entered'
timed ecg-train loops -o x.ecgm --net "${net/dense 3/dense 2}" --epochs 1 -q --follow-links
wants 1 'leads back to a folder above' 'a loop of links that is followed'
one_line ecg-train 'a loop of links'
rm -rf x.ecgm deep && mkdir -p deep/A deep/B && cp data/Class\ A/* deep/A
(cd deep/B && for _ in $(seq 70); do mkdir d && cd d || exit; done && cp "$work/data/Class B/00.png" .)
timed ecg-train deep -o x.ecgm "${fast[@]}"
wants 1 'more than 64 folders deep' 'very deep folders'
one_line ecg-train 'very deep folders'
for what in /dev/null /dev/zero pipe.png empty.png nowhere; do
    timed ecg-train $what -o x.ecgm "${fast[@]}"
    wants 1 "$what" "$what as the folder of pictures"
    one_line ecg-train "$what as the folder"
    timed ecg-predict -m $what "data/Class A/00.png"
    wants 1 "$what" "$what as a model"
    one_line ecg-predict "$what as a model"
done
mkdir -p manifest && cp -r data/* manifest && mkfifo manifest/manifest.csv
timed ecg-train manifest -o x.ecgm "${fast[@]}"
wants 1 'manifest/manifest.csv' 'a manifest that is a pipe'
one_line ecg-train 'a manifest that is a pipe'

# ---- Without permission: as somebody else where we are root ----
as_nobody() {
    if [ "$(id -u)" -ne 0 ]; then
        timeout 60 "$@" >out 2>err </dev/null
    else
        timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups "$@" >out 2>err </dev/null
    fi
    code=$?
}
as_nobody "$tools/ecg-predict" --version
if [ "$code" -eq 0 ] && [ -r "$PWD" ] && as_nobody test -r "$PWD/m.ecgm" && [ "$code" -eq 0 ]; then
    rm -rf locked && cp -r data locked && chmod 0 "locked/Class A/01.png"
    as_nobody "$tools/ecg-eval" -m m.ecgm locked -q
    wants 1 'locked/Class A/01.png: cannot open: Permission denied' 'a picture that may not be read'
    one_line ecg-eval 'a picture that may not be read'
    as_nobody "$tools/ecg-eval" -m m.ecgm locked -q --skip-bad
    wants 0 'skipped' 'the same with --skip-bad'
    chmod 0 'locked/Class B'
    as_nobody "$tools/ecg-eval" -m m.ecgm locked -q --skip-bad
    wants 1 'locked/Class B: cannot open the folder: Permission denied' 'a folder that may not be read'
    one_line ecg-eval 'a folder that may not be read'
    chmod 700 'locked/Class B'
    mkdir -p closed && chmod 555 closed
    as_nobody "$tools/ecg-train" data -o closed/x.ecgm "${fast[@]}"
    wants 1 'closed/x.ecgm: cannot be written' 'a folder that may not be written'
    one_line ecg-train 'a folder that may not be written'
    check 'nothing is in it' test -z "$(ls -A closed)"
else
    skip 'permissions: there is no other user who can run the tools here'
fi

# ---- Files that may not grow ----
wide='conv2d 8 3x3 relu; flatten; dense 64 relu; dense 3; softmax'
cp m.ecgm kept.ecgm
(ulimit -f 8 && exec timeout 60 "$tools/ecg-train" data -o kept.ecgm --net "$wide" --epochs 1 -q >out 2>err </dev/null)
code=$?
wants 1 'kept.ecgm.*File too large' 'a limit of file sizes'
one_line ecg-train 'a limit of file sizes'
check 'the model from before is still there' cmp m.ecgm kept.ecgm
check 'nothing is left behind' test -z "$(find . -maxdepth 1 -name '.ecg-*')"

# ---- A disk that is full ----
mkdir disk
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=64k none disk 2>/dev/null; then
    trap 'umount "$work/disk"' EXIT
    cp m.ecgm disk/m.ecgm
    timed ecg-train data -o disk/m.ecgm --net "$wide" --epochs 1 -q
    wants 1 'disk/m.ecgm.*No space left' 'a full disk'
    one_line ecg-train 'a full disk'
    check 'the model from before is still there' cmp m.ecgm disk/m.ecgm
    check 'nothing is left on it' test "$(ls -A disk)" = m.ecgm
    head -c 65536 /dev/zero >disk/fill 2>/dev/null
    timed ecg-eval -m m.ecgm data -q --csv disk/table.csv
    wants 1 'disk/table.csv.*No space left' 'a table on a full disk'
    umount disk
    trap - EXIT
else
    skip 'a full disk: no permission to mount one'
fi

# ---- Nobody who listens ----
for args in '-m m.ecgm data/Class_A/00.png' '-m m.ecgm --help' '--version'; do
    read -ra words <<<"$args"
    words=("${words[@]/Class_A/Class A}")
    timeout 60 "$tools/ecg-predict" "${words[@]}" >/dev/full 2>err </dev/null
    code=$?
    wants 1 'No space left on device' "ecg-predict $args >/dev/full"
    one_line ecg-predict "ecg-predict $args >/dev/full"
    timeout 60 "$tools/ecg-predict" "${words[@]}" >&- 2>err </dev/null
    code=$?
    wants 1 '' "ecg-predict $args with stdout closed"
    one_line ecg-predict "ecg-predict $args with stdout closed"
done
timeout 60 "$tools/ecg-eval" -m m.ecgm data -q >/dev/full 2>err </dev/null
code=$?
wants 1 'No space left on device' 'ecg-eval >/dev/full'
timeout 60 "$tools/ecg-train" data -o full.ecgm "${fast[@]}" >/dev/full 2>err </dev/null
code=$?
wants 1 'No space left on device' 'ecg-train >/dev/full'
check 'the model is there all the same' test -s full.ecgm
# 200 answers of 80 bytes are more than a pipe's reader wants: true reads none.
{ timeout 60 "$tools/ecg-predict" -m m.ecgm data/*/* data/*/* data/*/* data/*/* --json 2>err; echo $? >status; } | true
code=$(cat status)
wants 1 '' 'a pipe that nobody reads'
check 'no signal, and nothing to say' test ! -s err
timeout 60 "$tools/ecg-predict" -m m.ecgm 'data/Class A/00.png' >out 2>&- </dev/null
code=$?
[ "$code" -eq 0 ] && ok || bad "stderr closed: exit code $code"
check 'the answer is whole' grep -q 'Class [ABC]' out
timeout 60 "$tools/ecg-predict" -m m.ecgm - >out 2>err <&-
code=$?
wants 1 'standard input' 'standard input closed'
finish
