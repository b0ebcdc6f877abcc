#!/bin/bash
# ecg-model: show and verify, for people and for machines, on whole and damaged files.
. "$2/common.sh"
samples=$source/../golden/format
cp "$samples"/0.1.0-*.ecgm . || exit 2
m=0.1.0-trained.ecgm

# ---- show ----
run ecg-model show $m
wants 0 '' 'a model is shown'
sum=$(sha256sum $m | cut -d' ' -f1)
for want in "sha256      $sum" 'checkpoint  no' '2525 bytes, format 1.0' 'conv2d 4 3x3' '12x12x1' 'Class B' \
    'epochs = 8' 'profile correct' 'temperature 1' 'WGTS' 'Not a medical device'; do
    check "show says $want" grep -qF -e "$want" out
done
run ecg-model show $m --json
wants 0 '' 'as JSON'
check 'one JSON text' is_json out
check 'on one line' test "$(wc -l <out)" -eq 1
for key in file architecture network classes preprocess rule meta bytes sha256 format checkpoint chunks damages; do
    check "JSON has $key" grep -q "\"$key\":" out
done
run ecg-model show 0.1.0-standardized.ecgm
check 'standardisation is said' grep -q 'own mean subtracted, divided by own deviation, then a matrix of 9x9' out

# ---- verify ----
run ecg-model verify ./*.ecgm
wants 0 '' 'whole files'
check 'a line for each' test "$(grep -c ': whole: ' out)" -eq 4
run ecg-model verify -q ./*.ecgm
check '--quiet says nothing' test ! -s out
head -c 900 $m >cut.ecgm
run ecg-model verify cut.ecgm $m
wants 1 '' 'a file cut short'
check 'where it ends' grep -q '^cut.ecgm: chunk WGTS, tensor 5.dense.kernel, byte 900: the file ends 1280 bytes early' out
check 'the other is whole' grep -q "^$m: whole: 2525 bytes, 7 chunks, sha256 $sum" out
cp $m flip.ecgm
printf '\377' | dd of=flip.ecgm bs=1 seek=1000 conv=notrunc status=none
run ecg-model verify flip.ecgm
wants 1 '' 'a changed byte'
check 'it is named' grep -q 'chunk WGTS, tensor 5.dense.kernel, byte 1000: .*this one is ff and was' out
run ecg-model verify flip.ecgm cut.ecgm $m --json
wants 1 '' 'as JSON'
check 'a line of JSON for each file' is_json out
check 'three lines' test "$(wc -l <out)" -eq 3
check 'which is whole' test "$(grep -c '"whole":true,"status":"ECG_OK"' out)" -eq 1
check 'and which is not' grep -q '"whole":false,"status":"ECG_ECORRUPT".*"offset":1000,"chunk":"WGTS","tensor":"5.dense.kernel"' out
run ecg-model show flip.ecgm
wants 1 'flip.ecgm: byte 1000, chunk WGTS, tensor 5.dense.kernel: damaged' 'a damaged file is not shown'
check 'nothing on stdout' test ! -s out
printf 'hello' >other
run ecg-model verify other
wants 1 '' 'another file'
check 'it is named so' grep -q 'is no model file' out
run ecg-model verify none $m
wants 1 'none: cannot open' 'a missing file'
check 'the next is still looked at' grep -q ': whole: ' out
cp $m $'odd\nname.ecgm'
run ecg-model verify $'odd\nname.ecgm'
check 'a line stays a line' test "$(wc -l <out)" -eq 1

# ---- usage ----
run ecg-model
wants 2 '' 'no command'
run ecg-model verify
wants 2 '' 'no file'
run ecg-model show a b
wants 2 '' 'two files to show'
run ecg-model shew $m
wants 2 '' 'no such command'
run ecg-model --help
wants 0 '' '--help'
check '--help names the commands' grep -q 'verify' out
run ecg-model show --help
wants 0 '' 'show --help'
finish
