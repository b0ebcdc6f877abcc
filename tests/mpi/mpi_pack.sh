#!/bin/bash
# ecg-train-mpi on packs: the model of ecg-train on the folder, to the bit; and a picture that is damaged is named.
. "$2/common.sh"
run ecg-beats synth -o data -n 300 --patients 12 --size 24x24 -q
run ecg-beats pack data -o packed --shard-size 20K -q
wants 0 '' 'a pack'
train=(--net "${net/12x12/24x24}" --epochs 2 --batch 24 --threads 1 -q)
train[1]=${train[1]/dense 3/dense 7}
run ecg-train data "${train[@]}" -o folder.ecgm
wants 0 '' 'one process, the folder'
for n in 2 3; do
    ranks $n packed "${train[@]}" -o "$n.ecgm"
    wants 0 '' "$n ranks, the pack"
    check "$n ranks, the pack: the same model" cmp folder.ecgm "$n.ecgm"
done
printf x | dd of=packed/train/shard-000001.ecgs bs=1 seek=9000 conv=notrunc 2>/dev/null
ranks 2 packed "${train[@]}" -o x.ecgm
wants 1 'index.ecgp: picture [0-9]+, .*damaged: at byte' 'a damaged picture'
check 'no model is left' test ! -e x.ecgm
finish
