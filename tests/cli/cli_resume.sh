#!/bin/bash
# ecg-train: checkpoints, signals, going on, and what is refused.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
dropping='input 12x12x1; conv2d 4 3x3; batchnorm relu; maxpool 2x2; dropout 0.2; flatten; dense 3; softmax'
fast=(--net "$dropping" --batch 8 --augment ecg --quiet)
# Steps of some milliseconds: 14 of them in an epoch.
slow=(--net 'conv2d 16 3x3; batchnorm relu; conv2d 16 3x3 relu; maxpool 2x2; dropout 0.2; flatten; dense 3; softmax'
    --size 64x64 --batch 4 --epochs 4 --augment ecg --balance --quiet)

# lines FILE N: waits until FILE has at least N lines, or $pid has ended
lines() {
    local i
    for i in $(seq 6000); do
        [ -f "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ] && return
        kill -s 0 $pid 2>/dev/null || return
        sleep 0.01
    done
}
# there FILE: waits until it is
there() {
    local i
    for i in $(seq 1200); do
        [ -f "$1" ] && return
        kill -s 0 $pid 2>/dev/null || return
        sleep 0.02
    done
}
same_history() { cmp <(cut -d, -f1-6,8 "$1") <(cut -d, -f1-6,8 "$2"); }

# ---- Signals ----
run ecg-train data -o whole.ecgm "${slow[@]}" --history whole.csv
wants 0 '' 'a run that nobody disturbs'
# A background job of a script ignores SIGINT unless job control is on.
set -m
for signal in INT TERM; do
    # In the first epoch, unless this script is put to sleep for the length of it; then after the second.
    for try in 1 2 3 4 5 6 7 8; do
        rm -f $signal.*
        "$tools/ecg-train" data -o $signal.ecgm "${slow[@]}" --history $signal.csv --checkpoint $signal.ckpt \
            --threads 1 >out 2>err </dev/null &
        pid=$!
        lines $signal.csv 1
        kill -s $signal $pid
        wait $pid
        code=$?
        [ "$(wc -l <$signal.csv)" -eq 1 ] && break
    done
    wants 75 'as it stood in the first epoch, never validated' "SIG$signal in the first epoch"
    check 'it says how to go on' grep -q "the same command with --resume $signal.ckpt" err
    rm $signal.ecgm
    "$tools/ecg-train" data -o $signal.ecgm "${slow[@]}" --history $signal.csv --resume $signal.ckpt \
        --threads 2 >out 2>err </dev/null &
    pid=$!
    lines $signal.csv 3
    kill -s $signal $pid
    wait $pid
    code=$?
    wants 75 'holds the best model so far, of epoch [1-4]' "SIG$signal later"
    rm $signal.ecgm
    run ecg-predict -m $signal.ckpt 'data/Class A/00.png'
    wants 0 '' 'a checkpoint is a model'
    run ecg-train data -o $signal.ecgm "${slow[@]}" --history $signal.csv --resume $signal.ckpt --json
    wants 0 '' 'resumed to the end'
    check 'JSON as ever' grep -q '"interrupted":false,"epochs":4,' out
    check 'the same model' cmp whole.ecgm $signal.ecgm
    check 'the same history' same_history whole.csv $signal.csv
done

# ---- In validation: almost all pictures validate, so that is where a signal meets it ----
many=(--net 'conv2d 32 3x3 relu; conv2d 32 3x3 relu; global_avgpool; dense 3; softmax' --size 144x144 --batch 2
    --epochs 1 --val-split 0.9 --quiet)
run ecg-train data -o val.ecgm "${many[@]}"
wants 0 '' 'a run that mostly validates'
for pause in 0.1 0.3 0.6; do
    rm -f cut.csv
    "$tools/ecg-train" data -o cut.ecgm "${many[@]}" --history cut.csv --checkpoint cut.ckpt >out 2>err </dev/null &
    pid=$!
    lines cut.csv 1
    sleep $pause
    kill -s INT $pid 2>/dev/null
    wait $pid
    code=$?
    [ $code -eq 0 ] && continue # it was quicker
    wants 75 '' "SIGINT after $pause s"
    run ecg-train data -o cut.ecgm "${many[@]}" --history cut.csv --resume cut.ckpt
    wants 0 '' 'and on'
    check 'the same model after validation was cut short' cmp val.ecgm cut.ecgm
done

# ---- A second signal ends it at once; the step is long enough to be met by both ----
twice=(--net 'conv2d 32 3x3 relu; conv2d 32 3x3 relu; global_avgpool; dense 3; softmax' --size 144x144 --batch 27
    --epochs 2 --quiet)
run ecg-train data -o twice.ecgm "${twice[@]}"
wants 0 '' 'a run of long steps'
hit=0
for try in 1 2 3 4 5 6; do
    rm -f second.*
    "$tools/ecg-train" data -o second.ecgm "${twice[@]}" --checkpoint second.ckpt --checkpoint-every 1 >out 2>err </dev/null &
    pid=$!
    there second.ckpt
    kill -s INT $pid 2>/dev/null
    sleep 0.02
    kill -s INT $pid 2>/dev/null
    wait $pid
    code=$?
    [ $code -eq 130 ] && hit=1 && break
    wants 75 '' 'a step that was over before the second SIGINT'
done
set +m
check 'a second SIGINT ends it with 130' test $hit -eq 1
run ecg-train data -o second.ecgm "${twice[@]}" --resume second.ckpt
wants 0 '' 'the checkpoint before it is whole'
check 'and leads to the same model' cmp twice.ecgm second.ecgm

# ---- Going on ----
run ecg-train data -o five.ecgm "${fast[@]}" --epochs 5 --history five.csv
wants 0 '' 'five epochs'
run ecg-train data -o two.ecgm "${fast[@]}" --epochs 2 --checkpoint two.ckpt --checkpoint-every 2 --checkpoint-minutes 0.5
wants 0 '' 'two epochs'
cp two.ckpt kept.ckpt
run ecg-train data -o two.ecgm "${fast[@]}" --epochs 5 --resume two.ckpt --history two.csv --checkpoint other.ckpt
wants 0 '' 'two epochs and three'
check 'are five' cmp five.ecgm two.ecgm
check 'in the history too' same_history five.csv two.csv
check 'with --checkpoint the old one stays' cmp two.ckpt kept.ckpt
check 'and the new one is there' test -s other.ckpt
rm two.ecgm
run ecg-train data -o two.ecgm "${fast[@]}" --epochs 5 --resume other.ckpt
wants 0 '' 'a run that is over'
check 'its model is made again' cmp five.ecgm two.ecgm
run ecg-train data -o two.ecgm "${fast[@]}" --epochs 5 --checkpoint other.ckpt
wants 0 'other.ckpt will be replaced; --resume other.ckpt would go on from it' 'a checkpoint that is in the way'

# ---- Refused, each with what differs, and nothing touched ----
cp five.csv guarded.csv
cp five.ecgm guarded.ecgm
refused() { # PATTERN OPTIONS...: beside those of the checkpoint
    run ecg-train data -o guarded.ecgm "${fast[@]}" --epochs 2 --history guarded.csv --resume kept.ckpt "${@:2}"
    wants 1 "$1" "refused: ${*:2}"
    check 'in one line' test "$(wc -l <err)" -eq 1
    check 'the history is as it was' cmp guarded.csv five.csv
    check 'the model is as it was' cmp guarded.ecgm five.ecgm
}
refused 'kept.ckpt: seed is 0 in the checkpoint, 1 here' --seed 1 --split leading
refused 'kept.ckpt: lr is 0.001 in the checkpoint, 0.01 here' --lr 0.01
refused 'batch is 8 in the checkpoint, 9 here' --batch 9
refused 'optimizer is adam in the checkpoint, sgd here' --optimizer sgd
refused 'schedule is constant in the checkpoint, cosine here' --schedule cosine
refused 'early_stop is 0 in the checkpoint, 3 here' --early-stop 3
refused 'stands in epoch 2 already, epochs is 1 here' --epochs 1
refused '--augment is .* in the checkpoint, none here' --augment none
refused '--balance is off in the checkpoint, on here' --balance
refused 'class_weights is none in the checkpoint' --class-weight balanced
refused 'the network is .*batchnorm relu; .* in the checkpoint, .*conv2d 4 3x3 relu; .* here' --net "$net"
refused 'preprocessing is .* in the checkpoint, .* here' --filter nearest
refused 'training pictures is 54 in the checkpoint, 30 here' --val-split 0.5
refused 'choice of validation pictures is .* in the checkpoint, the leading' --split leading
cp -r data more && cp 'more/Class A/00.png' 'more/Class A/zz.png'
run ecg-train more -o guarded.ecgm "${fast[@]}" --epochs 2 --resume kept.ckpt
wants 1 'training pictures is 54 in the checkpoint, 55 here' 'one picture more'
cp -r data named && mv 'named/Class A/00.png' 'named/Class A/000.png'
run ecg-train named -o guarded.ecgm "${fast[@]}" --epochs 2 --resume kept.ckpt
wants 1 'print of the names of (training|validation) pictures is [0-9a-f]{16} in the checkpoint' 'another name'
cp -r data inked && cp 'inked/Class A/01.png' 'inked/Class A/00.png'
run ecg-train inked -o guarded.ecgm "${fast[@]}" --epochs 2 --resume kept.ckpt
wants 1 'print of the pixels of (training|validation) pictures is [0-9a-f]{16} in the checkpoint' 'other pixels'
cp -r data third && mv 'third/Class C' 'third/Class D'
run ecg-train third -o guarded.ecgm "${fast[@]}" --epochs 2 --resume kept.ckpt
wants 1 'class 2 is Class C in the checkpoint, Class D here' 'another class'
run ecg-train data -o guarded.ecgm "${fast[@]}" --epochs 2 --resume nothing.ckpt
wants 1 'nothing.ckpt: cannot open' 'a checkpoint that is not there'
run ecg-train data -o guarded.ecgm "${fast[@]}" --epochs 2 --resume five.ecgm
wants 1 'five.ecgm: is a model, not a checkpoint' 'a model'
head -c 5000 kept.ckpt >cut.ckpt
run ecg-train data -o guarded.ecgm "${fast[@]}" --epochs 2 --resume cut.ckpt
wants 1 'cut.ckpt: ' 'half a checkpoint'
check 'it is as it was' test "$(wc -c <cut.ckpt)" -eq 5000
run ecg-train data -o guarded.ecgm "${fast[@]}" --epochs 4 --schedule cosine --checkpoint cosine.ckpt
wants 0 '' 'a schedule that depends on the epochs'
run ecg-train data -o guarded.ecgm "${fast[@]}" --epochs 5 --schedule cosine --resume cosine.ckpt
wants 1 'epochs is 4 in the checkpoint, 5 here, and the schedule cosine depends on it' 'more of them'

# ---- Wrong use, and files that cannot be written ----
run ecg-train data -o x.ecgm --checkpoint-every 5
wants 2 'need --checkpoint' 'every without where'
run ecg-train data -o x.ecgm --checkpoint-every 0 --checkpoint c.ckpt
wants 2 'expected 1' 'every 0 steps'
run ecg-train data -o x.ecgm --checkpoint ./x.ecgm
wants 2 'are one file' 'model and checkpoint'
run ecg-train data -o x.ecgm --history h.csv --resume h.csv
wants 2 'are one file' 'history and checkpoint'
run ecg-train data -o x.ecgm "${fast[@]}" --checkpoint nowhere/c.ckpt
wants 1 'nowhere/c.ckpt: cannot be written' 'a folder that is not there'
check 'nothing was written' test ! -e x.ecgm

# ---- A loss that is not finite ----
run ecg-train data -o lost.ecgm "${fast[@]}" --optimizer sgd --lr 1e30 --checkpoint lost.ckpt
wants 1 'epoch 1: .*step [0-9]+ is not finite \((nan|inf)\); a lower learning rate \(--lr, now 1e\+30\) or --clip-norm' 'divergence'
check 'there was no model yet' grep -q 'lost.ecgm was not written' err
finish
