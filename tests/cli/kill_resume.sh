#!/bin/bash
# ecg-train killed at random moments and resumed: the checkpoint and the model are whole after each, and the end is the
# same as without. KILLS: how many (default 12, with ECG_FULL 200); SEED: of the moments.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
kills=${KILLS:-${ECG_FULL:+200}}
kills=${kills:-12}
RANDOM=${SEED:-1}
train=(data --net 'input 24x24x1; conv2d 8 3x3; batchnorm relu; maxpool 2x2; dropout 0.2; flatten; dense 3; softmax'
    --augment ecg --epochs 20 --batch 4 --quiet)

now() { date +%s%3N; }

# ends AS DESCRIPTION: model and history are those of the uninterrupted run, times aside
ends() {
    check "$2: the same model" cmp whole.ecgm "$1.ecgm"
    check "$2: the same history" cmp <(cut -d, -f1-6,8 whole.csv) <(cut -d, -f1-6,8 "$1.csv")
}
# whole FILE: it is not there, or it can be used
whole() {
    [ -e "$1" ] || return 0
    "$tools/ecg-predict" -m "$1" 'data/Class A/00.png' >/dev/null 2>err </dev/null
}

start=$(now)
run ecg-train "${train[@]}" -o whole.ecgm --history whole.csv --checkpoint whole.ckpt --checkpoint-every 3
wants 0 '' 'the run that nobody disturbs'
long=$(($(now) - start))
most=$((long * 2 / 3)) # later ones would meet resumed runs too rarely

killed=0 ended=0 resumed=0
while [ $killed -lt "$kills" ]; do
    from=()
    [ -e cut.ckpt ] && from=(--resume cut.ckpt)
    "$tools/ecg-train" "${train[@]}" -o cut.ecgm --history cut.csv --checkpoint cut.ckpt --checkpoint-every 3 \
        --threads $((1 + killed % 2)) "${from[@]}" >out 2>err </dev/null &
    pid=$!
    sleep "$(printf '0.%03d' $(((RANDOM * 32768 + RANDOM) % (most < 999 ? most : 999))))"
    kill -s KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    code=$?
    if [ $code -eq 137 ]; then
        killed=$((killed + 1))
        [ ${#from[@]} -gt 0 ] && resumed=$((resumed + 1))
        check "kill $killed: the checkpoint is whole" whole cut.ckpt
        check "kill $killed: the model is whole" whole cut.ecgm
    else
        wants 0 '' "a run that was quicker than the kill"
        ended=$((ended + 1))
        ends cut "end $ended"
        rm -f cut.ckpt cut.ecgm cut.csv
    fi
    [ $failed -gt 5 ] && finish
done
from=()
[ -e cut.ckpt ] && from=(--resume cut.ckpt)
run ecg-train "${train[@]}" -o cut.ecgm --history cut.csv --checkpoint cut.ckpt "${from[@]}"
wants 0 '' 'the last run'
ends cut 'at last'
echo "$killed kills in runs of $long ms, $resumed of them in resumed runs, $((ended + 1)) runs came to their end"
check 'some kills hit a resumed run' test $resumed -gt 0
finish
