#!/bin/bash
# The tools with the n-th allocation, write, fsync, rename, close or open failing, or the process killed in it: exit
# code 0 or 1 (137 when killed), a line that says so, the model that was there or a whole new one, nothing left behind.
# ECG_FULL=1: every n; else all of the first 30 allocations and each 11th of the others.
# usage: tools.sh TOOLS SOURCE WORK PRELOAD
set -u
. "$2/../cli/common.sh" "$1" "$2" "$3"
preload=$4
nm -D "$tools/ecg-predict" 2>/dev/null | grep -q __asan && { echo "SKIP: built with sanitizers"; exit 77; }
# Kernels are chosen by starting again, which is not what is tested.
export OPENBLAS_NUM_THREADS=1 ECG_RESTARTED=1 INJECT_HIT=$PWD/hit
"$(dirname "$work")/../cli/make_pictures" data 4 || exit 1
mkdir made
small='input 8x8x1; conv2d 2 3x3 relu; flatten; dense 3; softmax'
train=(ecg-train data -o made/m.ecgm --net "$small" --val-split 0.25 --epochs 2 --batch 4 --seed 1 --threads 1 -q)
"$tools/ecg-train" --help | grep -q -- --checkpoint && train+=(--checkpoint made/c.ecgm)
run "${train[@]}"
wants 0 '' 'training without a failure'
cp made/m.ecgm new.ecgm
run "${train[@]}" --seed 2
wants 0 '' 'training with another seed'
cp made/m.ecgm old.ecgm
rm -f made/c.ecgm
predict=(ecg-predict -m old.ecgm data/*/0*.png --threads 1)
evaluate=(ecg-eval -m old.ecgm data --threads 1 -q)

loads() { # FILE
    cmp -s "$1" old.ecgm || cmp -s "$1" new.ecgm || "$tools/ecg-predict" -m "$1" data/Class\ A/*.png >/dev/null 2>&1
}

# inject KIND ERROR NAME COMMAND...: for n = 1, 2, ... until nothing fails; ERROR 0 kills
inject() {
    local kind=$1 error=$2 name=$3 n=1 runs=0 step=1 before=$failed
    shift 3
    while [ "$n" -lt 5000 ] && [ "$failed" -lt 10 ]; do
        cp old.ecgm made/m.ecgm
        rm -f hit made/c.ecgm
        INJECT="$kind $n $error" LD_PRELOAD=$preload timeout 60 "$tools/$1" "${@:2}" >out.txt 2>err </dev/null
        code=$?
        [ -e hit ] || break
        runs=$((runs + 1))
        local what="$name, $kind $n errno $error"
        case $code in
        0) ;;
        1) [ "$(wc -l <err)" -ge 1 ] && grep -q "^$1: " err || bad "$what: no line says so" ;;
        137) [ "$error" -eq 0 ] || bad "$what: killed" ;;
        *) bad "$what: exit code $code" ;;
        esac
        for file in made/m.ecgm made/c.ecgm; do
            [ ! -e $file ] || loads $file || bad "$what: $file is torn"
        done
        [ -e made/m.ecgm ] || bad "$what: the model is gone"
        if [ "$error" -ne 0 ] && [ "$(find made -type f ! -name m.ecgm ! -name c.ecgm | wc -l)" -ne 0 ]; then
            bad "$what: left $(ls -A made) behind"
        fi
        find made -type f -name '.*' -delete
        if [ "$kind" = malloc ] && [ -z "${ECG_FULL:-}" ] && [ "$n" -ge 30 ]; then step=11; fi
        n=$((n + step))
    done
    [ -e hit ] && bad "$name, $kind: no end"
    [ "$failed" -eq "$before" ] && ok
    echo "$name: $kind errno $error, $runs runs, up to the $((n - step))th"
}

exec 3>&2 2>/dev/null # of the shell: "Killed"
for error in 28 5; do # ENOSPC, EIO
    for kind in write fsync rename close; do
        inject $kind $error training "${train[@]}"
    done
done
inject open 24 training "${train[@]}" # EMFILE
for kind in write fsync rename; do
    inject $kind 0 'training, killed' "${train[@]}"
done
inject malloc 12 training "${train[@]}"
inject malloc 12 predicting "${predict[@]}"
inject open 24 predicting "${predict[@]}"
inject malloc 12 evaluating "${evaluate[@]}"
exec 2>&3
finish
