#!/bin/bash
# ecg-train-mpi: the model and the history are those of ecg-train, bit for bit, or nearly with --reduce fast.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2

# 54 pictures train: batches of 8 and a last one of 6; 3 ranks have unequal parts of both.
dropping='input 12x12x1; conv2d 4 3x3 bias=0; batchnorm relu; maxpool 2x2; dropout 0.2; flatten; dense 16 elu; dense 3; softmax'
same() { # NAME RANKS... -- OPTIONS...
    local name=$1 n list=()
    shift
    while [ "$1" != -- ]; do list+=("$1") && shift; done
    shift
    run ecg-train data -o one.ecgm --history one.csv --quiet "$@"
    wants 0 '' "$name: one process"
    for n in "${list[@]}"; do
        rm -f many.*
        ranks "$n" data -o many.ecgm --history many.csv --quiet "$@"
        wants 0 '' "$name: $n ranks"
        check "$name: $n ranks make the same model" cmp one.ecgm many.ecgm
        check "$name: $n ranks make the same history" same_history one.csv many.csv
    done
}
same 'batch normalisation' 1 2 4 -- --net "$dropping" --batch 8 --epochs 4 --augment ecg --balance
same 'unequal parts' 3 -- --net "$dropping" --batch 10 --shards 7 --epochs 3 --augment ecg --early-stop 1 --lr 0.03 \
    --class-weight balanced --weighted-mean --clip-norm 1 --schedule plateau --every 1
same 'the seed network' 2 4 -- --size 24x24 --net 'conv2d 32 3x3 relu; maxpool 2x2; conv2d 32 3x3 relu; maxpool 2x2;
    flatten; dense 32; dense 3; softmax' --batch 16 --epochs 2
same 'threads' 2 -- --net "$dropping" --batch 8 --epochs 2 --threads 2 --l2 0.001 --optimizer sgd --momentum 0.9

# ---- fast: the losses of all epochs ----
near() { # FILES: columns loss and val_loss within 1e-5
    paste -d, "$1" "$2" | awk -F, 'NR > 1 { for (i = 2; i <= 4; i += 2) { d = $i - $(i + 8); if (d < 0) d = -d
        if (!(d <= 1e-5)) bad = 1; n++ } } END { exit bad || n != 6 }'
}
# The second has sums that begin while backward runs: 2.3 million parameters.
wide='input 12x12x1; conv2d 4 3x3 relu; maxpool 2x2; flatten; dense 2048 relu; dense 1024 relu; dense 3; softmax'
for text in "$wide" "$dropping"; do
    fast=(--net "$text" --batch 8 --epochs 3 --optimizer sgd --lr 0.05)
    run ecg-train data -o one.ecgm --history one.csv --quiet "${fast[@]}"
    wants 0 '' 'fast: one process'
    for n in 2 4; do
        ranks "$n" data -o many.ecgm --history many.csv --quiet "${fast[@]}" --reduce fast
        wants 0 '' "fast: $n ranks"
        check "fast: $n ranks are near" near one.csv many.csv
    done
done
run ecg-model show many.ecgm
check 'the model says that its sums were fast' grep -q '4, whose gradients were summed in any order' out
ranks 2 data -o many.ecgm --history many.csv --quiet "${fast[@]}" --reduce fast --statistics rank
wants 0 '' 'fast: statistics of each rank'

# ---- what is said, and once ----
ranks 3 data -o many.ecgm --net "$dropping" --batch 8 --epochs 1
wants 0 '3 ranks on 1 host, sums exact' 'where the ranks are'
check 'once' test "$(grep -c 'ranks on 1 host' err)" -eq 1
check 'the result once' test "$(grep -c '^many.ecgm: epoch 1 of 1' out)" -eq 1
check 'the notice once' test "$(grep -c 'Not a medical device' err)" -eq 1
ranks 2 data -o many.ecgm --epochs 1 --json --quiet --net "$dropping"
wants 0 '' 'JSON'
check 'is JSON' is_json out
check 'one line of it' test "$(wc -l <out)" -eq 1
ranks 3 --epohcs 4 data -o many.ecgm
wants 2 "unknown option '--epohcs'" 'a wrong option'
check 'is said once' test "$(grep -c epohcs err)" -eq 1
ranks 3 nothing -o many.ecgm
wants 1 'nothing: cannot open the folder' 'no data'
check 'are said once' test "$(grep -c 'nothing: cannot' err)" -eq 1
ranks 3 data -o nowhere/many.ecgm
wants 1 'nowhere/many.ecgm: cannot be written' 'a model that cannot be written'
ranks 3 data -o many.ecgm --batch 2 --net "$dropping"
wants 1 'a batch of 2 in 2 shards is not enough for 3 ranks' 'more ranks than shards'
ranks 2 data --summary --net "$dropping"
wants 0 '' 'a summary'
check 'is printed once' test "$(grep -c 'parameters to train' out)" -eq 1
run ecg-train-mpi --help
wants 0 '' 'help without mpirun'
check 'names its options' grep -q -e '--reduce HOW' out
run ecg-train --help
check 'which ecg-train has not' test -z "$(grep -e --reduce out)"
run ecg-train data -o x.ecgm --reduce fast
wants 2 'unknown option' 'and does not take'
ranks 2 data -o many.ecgm --statistics rank
wants 2 '--statistics rank needs --reduce fast' 'statistics'
run ecg-train-mpi data -o many.ecgm --quiet --net "$dropping" --batch 8 --epochs 2
wants 0 '' 'without mpirun'
run ecg-train data -o one.ecgm --quiet --net "$dropping" --batch 8 --epochs 2
check 'it is ecg-train' cmp one.ecgm many.ecgm
finish
