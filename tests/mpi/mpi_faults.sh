#!/bin/bash
# ecg-train-mpi: ranks that are killed, stopped, signalled or cannot read; the checkpoint is whole each time, and the end
# after --resume, with the same and other numbers of ranks, is the same. KILLS_MPI: how often one is killed (default 3,
# with ECG_FULL 20); SEED: of the moments.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
kills=${KILLS_MPI:-${ECG_FULL:+20}}
kills=${kills:-3}
RANDOM=${SEED:-1}
train=(data --net 'input 24x24x1; conv2d 8 3x3; batchnorm relu; maxpool 2x2; dropout 0.2; flatten; dense 8; dense 3; softmax'
    --augment ecg --epochs 60 --batch 8 --quiet)

ends() { # DESCRIPTION: cut.* are those of the uninterrupted run
    check "$1: the same model" cmp whole.ecgm cut.ecgm
    check "$1: the same history" same_history whole.csv cut.csv
}
whole() { # FILE: it is not there, or it can be used
    [ -e "$1" ] || return 0
    "$tools/ecg-predict" -m "$1" 'data/Class A/00.png' >/dev/null 2>err </dev/null
}
run ecg-train "${train[@]}" -o whole.ecgm --history whole.csv --checkpoint whole.ckpt
wants 0 '' 'the run that nobody disturbs'

# ---- killed ----
count=(2 4 3 2)
killed=0 ended=0 resumed=0
while [ $killed -lt "$kills" ]; do
    n=${count[$((killed % 4))]} from=()
    [ -e cut.ckpt ] && from=(--resume cut.ckpt)
    rm -f cut.csv
    begin "$n" "${train[@]}" -o cut.ecgm --history cut.csv --checkpoint cut.ckpt --checkpoint-every 3 "${from[@]}"
    # Not before training begins: mpirun of Open MPI 4.1 can wait for ever for a rank that dies in MPI_Init.
    there cut.csv
    there cut.ckpt
    sleep "$(printf '0.%03d' $((RANDOM % 700)))"
    victim=$(rank_pid $((RANDOM % n)))
    [ -n "$victim" ] && kill -s KILL "$victim" 2>/dev/null
    start=$SECONDS
    await 60
    if [ $code -ne 0 ]; then
        killed=$((killed + 1))
        [ ${#from[@]} -gt 0 ] && resumed=$((resumed + 1))
        check "kill $killed: the job ends soon" test $((SECONDS - start)) -lt 60
        check "kill $killed: and says why" grep -qE 'signal 9|ecg-train-mpi: rank [0-9]' err
        check "kill $killed: the checkpoint is whole" whole cut.ckpt
        check "kill $killed: the model is whole" whole cut.ecgm
    else
        ended=$((ended + 1))
        ends "end $ended"
        rm -f cut.*
    fi
    [ $failed -gt 5 ] && finish
done
from=()
[ -e cut.ckpt ] && from=(--resume cut.ckpt)
cp cut.ckpt again.ckpt 2>/dev/null
ranks 3 "${train[@]}" -o cut.ecgm --history cut.csv --checkpoint cut.ckpt "${from[@]}"
wants 0 '' 'the last run'
ends 'at last'
if [ -e again.ckpt ]; then
    run ecg-train "${train[@]}" -o cut.ecgm --history cut.csv --resume again.ckpt
    wants 0 '' 'or by one process'
    ends 'one process'
fi
echo "$killed kills, $resumed of them in resumed runs, $((ended + 1)) runs came to their end"

# ---- signals: to a rank, and to mpirun, which hands SIGUSR1 on ----
long=("${train[@]}" --epochs 3000)
run ecg-train "${long[@]}" --epochs 3 -o three.ecgm
for signal in USR1:0 TERM:1 INT:2 USR1:mpirun; do
    rm -f cut.*
    begin 3 "${long[@]}" -o cut.ecgm --checkpoint cut.ckpt
    there cut.ckpt
    who=${signal#*:}
    [ "$who" = mpirun ] && to=$pid || to=$(rank_pid "$who")
    kill -s "${signal%:*}" "$to"
    await 60
    wants 75 'interrupted: cut.ecgm holds the best model so far' "SIG${signal%:*} to $who"
    check 'it says how to go on' grep -q 'the same command with --resume cut.ckpt' err
    check 'and once' test "$(grep -c 'interrupted: ' err)" -eq 1
    check 'the checkpoint is whole' whole cut.ckpt
    check 'the result is told' grep -q '^cut.ecgm: epoch' out
done

# ---- one that answers no more, as if its machine were cut off ----
rm -f cut.*
begin 3 "${long[@]}" -o cut.ecgm --checkpoint cut.ckpt --patience 2
there cut.ckpt
stopped=$(rank_pid 1)
kill -s STOP "$stopped"
start=$SECONDS
await 60
kill -s KILL "$stopped" 2>/dev/null
wants 1 'ecg-train-mpi: rank [02]: waited 2 seconds for the other ranks' 'a rank that answers no more'
check 'ends the job soon' test $((SECONDS - start)) -le 60
check 'it says how to go on' grep -q 'with --resume cut.ckpt' err
check 'the checkpoint is whole' whole cut.ckpt

# ---- a picture that is gone in the middle: one rank misses it, all say so ----
rm -f cut.*
cp -r data poor
begin 3 poor "${long[@]:1}" -o cut.ecgm --checkpoint cut.ckpt --cache 1
there cut.ckpt
rm 'poor/Class B/07.png' 'poor/Class B/08.png' 'poor/Class B/09.png'
await 60
wants 1 'ecg-train-mpi: rank [0-2]: .*poor/Class B/0[789].png: ' 'a picture that is gone'
check 'it is said once' test "$(grep -c 'poor/Class B' err)" -eq 1
finish
