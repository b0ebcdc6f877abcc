#!/bin/bash
# ecg-train: good runs, bad folders, bad files, interruption.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
fast=(--net "$net" --epochs 2 --batch 8 --lr 0.01)

# ---- Good runs ----
run ecg-train data -o a.ecgm "${fast[@]}" --threads 1 --history a.csv
wants 0 'conv2d' 'a training run'
cp err a.err
check 'the result is on stdout' grep -qE '^a.ecgm: epoch [12] of 2, validation loss' out
check 'the network table has its total' grep -qE 'parameters to train' err
check 'the split is named' grep -q 'validation: stratified' err
check 'shared patients are warned of' grep -q 'may come from the same patients' err
check 'the history has a line per epoch' test "$(wc -l <a.csv)" -eq 3
check 'the history has its header' grep -qx 'epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds,best' a.csv
run ecg-train data -o b.ecgm "${fast[@]}" --threads 2 --quiet
wants 0 '' 'the same with two threads'
check '--quiet says nothing' test ! -s err
check 'one and two threads give the same bytes' cmp a.ecgm b.ecgm
if grep -q '^calibration:' a.err; then
    check 'a fitted temperature is said' grep -q 'fitted on 6 pictures' a.err
else
    check 'without one, why' grep -q 'note: not calibrated: temperature: ' a.err
fi
run ecg-train data -o c.ecgm "${fast[@]}" --seed 1 -q
wants 0 '' 'another seed'
check 'another seed gives another model' test "$(cmp -s a.ecgm c.ecgm; echo $?)" -eq 1
run ecg-train data -o 'with space.ecgm' "${fast[@]}" --json -q --class-weight balanced
wants 0 '' 'a path with a space'
check '--json is JSON' is_json out
check '--json is one line' test "$(wc -l <out)" -eq 1
run ecg-train data --summary --net "$net"
wants 0 '' '--summary needs no output file'
check '--summary prints the table to stdout' grep -q softmax out
run ecg-train data --summary --json --net "$net"
wants 0 '' '--summary --json'
check 'that is JSON' is_json out
check 'in one line' test "$(wc -l <out)" -eq 1
# 4 kernels of 3x3 and biases on 10x10 outputs; 100 values to 3 classes.
check 'a layer with its figures' grep -qF \
    '{"name":"conv2d","text":"4 3x3","output":[10,10,4],"params":40,"state":0,"macs":3600}' out
check 'the totals' grep -qF '"outputs":3,"params":343,"state":0,' out
printf '# a comment first\n%s\n' "$net" >net.txt
run ecg-train data -o d.ecgm --net @net.txt --epochs 1 --size 16x20 --color rgb -q
wants 0 '' 'a network from a file, in another size and colour'
mkdir 'a folder' && cp -r data 'a folder/train' && cp -r data 'a folder/test' && cp -r data 'a folder/val'
run ecg-train 'a folder' -o e.ecgm "${fast[@]}"
wants 0 'its own folder' 'train, val and test folders, in a path with a space'
check 'the test folder is reported' grep -qE '^test: 60 pictures, accuracy' out
check 'no warning of shared patients' test "$(grep -c 'same patients' err)" -eq 0
run ecg-train data --val data -o f.ecgm "${fast[@]}" -q
wants 0 '' '--val'

run ecg-train 'a folder' -o f.ecgm "${fast[@]}" -q --split leading --val-split 0.2
wants 0 'a folder/val holds the validation pictures, --split has no effect' '--split beside val/'
check '--val-split too' grep -q 'val-split has no effect' err
run ecg-train data -o f.ecgm "${fast[@]}" -q --seed 18446744073709551616
wants 2 'expected 0..18446744073709551615' 'a seed out of range'
run ecg-train data -o f.ecgm "${fast[@]}" -q --seed -1
wants 2 'expected 0..18446744073709551615' 'a negative seed'
run ecg-train data -o diverged.ecgm "${fast[@]}" -q --optimizer sgd --lr 1e30
wants 1 'is not finite \((nan|inf)\); a lower learning rate \(--lr, now 1e\+30\) or --clip-norm may help' 'a loss that is not finite'

# ---- Where the time goes ----
run ecg-train data -o p.ecgm "${fast[@]}" -q --profile --threads 2
wants 0 '^forward +1 conv2d 4 3x3 +[0-9.]+ +[0-9.]+ % +[0-9.]+$' '--profile'
for stage in 'reading pictures' fetch loss reduce optimizer wait 'val fetch' 'val forward' save 'the rest'; do
    check "--profile has $stage" grep -qE "^$stage +-?[0-9. -]*[0-9.]+ %" err
done
check 'backward of the last dense layer' grep -qE '^backward +5 dense 3 ' err
check 'that fits 80 columns' test "$(awk 'length > 80' err | wc -l)" -eq 0
# Shares of 100 %, with the lines that split another one left out.
check 'the shares make a whole' awk '/%/ && !/of it/ { for (i = 1; i <= NF; i++) if ($i == "%") sum += $(i - 1) }
    END { exit !(sum > 97 && sum < 103) }' err
check 'timing changes nothing' cmp b.ecgm p.ecgm
run ecg-train --profile data -o p.ecgm "${fast[@]}" -q --profile keras
wants 0 'GFLOP/s' '--profile before a folder, and --profile keras'
run ecg-train data -o p.ecgm "${fast[@]}" -q --profile keras
check '--profile keras prints no times' test "$(grep -c GFLOP err)" -eq 0

# ---- Augmentation ----
run ecg-train --augment-help
wants 0 '' '--augment-help alone'
check '--augment-help explains' grep -q 'time_shift' out
run ecg-train data -o aug1.ecgm "${fast[@]}" --augment ecg,time_shift=0.08 --threads 1 --balance
wants 0 '' 'a run with augmentation'
check 'no note without a flip' test "$(grep -c 'reverses' err)" -eq 0
run ecg-train data -o aug2.ecgm "${fast[@]}" --augment ecg,time_shift=0.08 --threads 2 --balance -q --cache 1000
wants 0 '' 'the same with two threads and hardly any memory'
check 'threads and memory give the same bytes' cmp aug1.ecgm aug2.ecgm
check 'the model says how' grep -qa 'time_shift=-0.08:0.08' aug1.ecgm
check 'augmentation matters' test "$(cmp -s a.ecgm aug1.ecgm; echo $?)" -eq 1
run ecg-train data -o aug3.ecgm "${fast[@]}" --augment keras-seed --cache 1000
wants 0 'horizontal_flip reverses time' 'the original settings'
check 'the cap is named' grep -q 'decoded in each epoch' err
run ecg-train data --augment ecg --net "$net" --augment-preview sheet.png
wants 0 '' '--augment-preview needs no output file'
check 'the sheet is a PNG' grep -qa '^.PNG' sheet.png
check 'its rows are named' grep -qE '^row 6: Class C/' out
run ecg-train data --augment ecg --net "$net" --augment-preview nowhere/sheet.png
wants 1 'nowhere/sheet.png' 'a sheet that cannot be written'
run ecg-train data -o x.ecgm --augment ecg,time_shfit=0.08
wants 2 'time_shift' 'a misspelt parameter'
run ecg-train data -o x.ecgm --augment mixup=0.2
wants 2 'mixup needs mixed labels' 'mixup'

# ---- Groups and folders ----
run ecg-train data -o grp.ecgm "${fast[@]}" --group-pattern '/(.)[0-9]' --val-split 0.5
wants 0 'validation: by group' 'groups by pattern'
check 'groups share nothing' test "$(grep -c 'same patients' err)" -eq 0
run ecg-train data -o x.ecgm --split group
wants 2 'needs --group-pattern' 'groups without saying which'
run ecg-train data -o x.ecgm --group-pattern '/x(.)'
wants 1 'does not match' 'a pattern that does not match'
run ecg-train data -o x.ecgm --group-column hospital
wants 1 'no manifest.csv' 'a column without a manifest'
run ecg-train data -o x.ecgm --balance --class-weight balanced
wants 2 'exclude each other' 'two kinds of balance'
cp -r data hidden && cp -r 'data/Class A' hidden/.git && cp 'data/Class A/00.png' 'hidden/Class A/extrapng'
run ecg-train hidden -o x.ecgm --summary
check 'hidden folders are no classes' grep -qE 'dense 3' out
run ecg-train hidden -o x.ecgm --summary --keras-folders
check 'with --keras-folders they are' grep -qE 'dense 4' out

# ---- Wrong use ----
run ecg-train data
wants 2 '-o MODEL' 'no output'
run ecg-train data -o x.ecgm --val data --val-split 0.2
wants 2 'exclude each other' '--val and --val-split'
ln -s . here && echo kept >there.ecgm && ln there.ecgm again.ecgm
for pair in 'x.ecgm x.ecgm' 'x.ecgm ./x.ecgm' "x.ecgm $PWD/x.ecgm" 'here/x.ecgm x.ecgm' 'there.ecgm again.ecgm' \
    'here/there.ecgm there.ecgm'; do
    run ecg-train data -o "${pair%% *}" --history "${pair#* }"
    wants 2 'are one file' "model and history: $pair"
done
check 'neither was touched' grep -qx kept there.ecgm
run ecg-train data -o data/../one.ecgm "${fast[@]}" -q --history one.csv
wants 0 '' 'model and history in one folder'
run ecg-train data -o x.ecgm --epochs 0
wants 2 'expected 1..1000000' 'no epochs'
run ecg-train data -o x.ecgm --optimizer nonsense
wants 2 'adam\|amsgrad' 'an unknown optimiser'
run ecg-train data -o x.ecgm --net 'input 12x12x1; conv3d 4; softmax'
wants 1 'conv3d' 'an unknown layer'
run ecg-train data -o x.ecgm --net @nothing.txt
wants 1 'nothing.txt: No such file' 'a missing network file'

# ---- Folders ----
run ecg-train nowhere -o x.ecgm "${fast[@]}"
wants 1 'nowhere' 'a missing folder'
mkdir empty
run ecg-train empty -o x.ecgm "${fast[@]}"
wants 1 'empty' 'an empty folder'
mkdir -p one && cp -r 'data/Class A' one
run ecg-train one -o x.ecgm "${fast[@]}"
wants 1 'at least two class' 'one class'
mkdir 'one/Class B'
run ecg-train one -o x.ecgm "${fast[@]}"
wants 1 'at least two class' 'one class and an empty one'
cp -r data more && mkdir 'more/Class AA'
run ecg-train more -o g.ecgm --net "$net" --epochs 1 --batch 8
wants 0 "class 'Class AA' has no pictures and is left out" 'an empty class'
check 'the others are trained on' test -s g.ecgm

# ---- Pictures ----
cp -r data text && echo 'this is no picture' >'text/Class B/text.png'
run ecg-train text -o x.ecgm "${fast[@]}"
wants 1 'text.png' 'a text named .png'
run ecg-train text -o h.ecgm "${fast[@]}" --skip-bad
wants 0 'skipped: .*text.png' 'a text named .png with --skip-bad'
cp -r data cut && head -c 100 'data/Class A/00.png' >'cut/Class A/00.png'
run ecg-train cut -o x.ecgm "${fast[@]}"
wants 1 'Class A/00.png' 'a truncated PNG'

# ---- Output ----
run ecg-train data -o nowhere/x.ecgm "${fast[@]}"
wants 1 'nowhere/x.ecgm: cannot be written' 'an output folder that is not there'
check 'that is said before training' test "$(grep -c conv2d err)" -eq 0
run ecg-train data -o data "${fast[@]}"
wants 1 'not a regular file' 'a folder as output'
run ecg-train data -o /dev/null "${fast[@]}"
wants 1 'not a regular file' 'a device as output'
run ecg-train data -o i.ecgm "${fast[@]}" --history nowhere/h.csv
wants 1 'nowhere/h.csv' 'a history that cannot be written'
check 'no failed run left a model' test ! -e x.ecgm
check 'no run left a temporary file' test -z "$(find . -name '*probe*' -o -name '*.tmp*')"
if [ -w /dev/full ]; then
    run ecg-train data -o j.ecgm "${fast[@]}" --history /dev/full
    wants 1 'No space left' 'a full disk for the history'
fi

# ---- Permissions: as root by giving them up, else as we are ----
mkdir closed && chmod 0 closed
mkdir -p locked && cp -r data locked/ && chmod 555 locked
if [ "$(id -u)" -ne 0 ]; then
    as=()
elif command -v setpriv >/dev/null; then
    as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
else
    as=(none)
fi
if [ "${as[*]:-}" != none ] && "${as[@]}" test -x "$tools/ecg-train" -a -r "$work"/data 2>/dev/null; then
    "${as[@]}" "$tools/ecg-train" closed -o "$work/x.ecgm" >out 2>err </dev/null
    code=$?
    wants 1 '' 'a folder that may not be read'
    "${as[@]}" "$tools/ecg-train" data -o locked/x.ecgm >out 2>err </dev/null
    code=$?
    wants 1 'locked/x.ecgm: cannot be written' 'an output folder that may not be written'
    mkdir shared && chmod 777 shared && cp a.ecgm shared/kept.ecgm && chmod 444 shared/kept.ecgm
    "${as[@]}" "$tools/ecg-train" data -o shared/kept.ecgm "${fast[@]}" >out 2>err </dev/null
    code=$?
    wants 1 'shared/kept.ecgm: cannot be written: Permission denied' 'a model that is read-only'
    check 'it is as it was' cmp a.ecgm shared/kept.ecgm
else
    skip 'permissions: no other user can run the tools here'
fi
chmod 755 closed locked

# ---- Interruption ----
interrupt() { # SIGNAL NAME: after the first epoch is in the history
    rm -f "$2.csv"
    "$tools/ecg-train" data -o "$2.ecgm" --net "$net" --epochs 1000000 --history "$2.csv" --quiet >out 2>err </dev/null &
    local pid=$! i
    for i in $(seq 600); do
        [ -f "$2.csv" ] && [ "$(wc -l <"$2.csv")" -ge 3 ] && break
        sleep 0.1
    done
    kill -s "$1" "$pid"
    wait "$pid"
    code=$?
}
for signal in INT TERM; do
    # A background job of a script ignores SIGINT unless job control is on.
    set -m
    interrupt $signal int$signal
    set +m
    wants 75 'holds the best model so far' "SIG$signal"
    run ecg-predict -m int$signal.ecgm 'data/Class A/00.png'
    wants 0 '' "the model after SIG$signal can be used"
done
finish
