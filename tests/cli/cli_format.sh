#!/bin/bash
# Files that the library writes, read by tests/format/ecgm.py, which knows FORMAT.md and not the library.
. "$2/common.sh"
export PYTHONDONTWRITEBYTECODE=1
command -v python3 >/dev/null || { skip 'no python3'; ok; finish; }
"$make_pictures" data 6 || exit 2
train() { # FILE, arguments
    run ecg-train data -o "$1" --epochs 1 --batch 8 --quiet "${@:2}"
    wants 0 '' "training for $1"
}
train default.ecgm
train seed.ecgm --net seed --size 16x20 --color rgb
train jun.ecgm --net jun2018 --size 8x8
train windows.ecgm --net 'input 17x13x1; conv2d 4 3x2 stride=2x1 pad=same relu; conv2d 3 3 pad=1,0,2,1 dilation=2x1 bias=0;
    batchnorm eps=0.01 elu; avgpool 3x2 stride=1 pad=1,0,0,1; maxpool 2 pad=same; leaky_relu 0.1; global_avgpool; dense 5 bias=0
    tanh; dropout 0.25; gelu; dense 3; softmax # all of it'
train wide.ecgm --net 'input 9x9x1; conv2d 6 3x3 pad=same silu; conv2d 2 1x1 sigmoid; elu 0.5; global_maxpool; dense 3; softmax' \
    --samplewise-center --samplewise-std
train zca.ecgm --net 'input 6x6x1; flatten; dense 3; softmax' --zca --zca-epsilon 0.01
train once.ecgm --net 'input 5x5x1; flatten; dense 3; softmax' --checkpoint stand.ecgm
run ecg-model show stand.ecgm
wants 0 '' 'a checkpoint is shown'
check 'it says how far it got' grep -q '^checkpoint  yes: 1 epochs and [1-9][0-9]* steps done' out
run ecg-model show --json stand.ecgm
check 'in JSON too' grep -q '"checkpoint":{"epochs":1,"steps":' out
cp -r data mixed # some pictures with wrong labels: else no temperature is best
for i in 00 01 02; do cp "data/Class A/$i.png" "mixed/Class B/a$i.png" && cp "data/Class B/$i.png" "mixed/Class C/b$i.png"; done
run ecg-train data -o good.ecgm --net "$net" --epochs 20 --batch 8 --lr 0.01 --quiet
wants 0 '' 'a model that is mostly right'
run ecg-eval -m good.ecgm mixed --calibrate -o ruled.ecgm --quiet
wants 0 '' 'a model with a rule'
check 'its rule stands in it' grep -q RULE ruled.ecgm
run ecg-model verify ./*.ecgm
wants 0 '' 'they are whole'
check 'both readers agree, and damage is refused' python3 "$source/../format/check.py" "$tools/ecg-model" \
    ./*.ecgm "$source"/../golden/format/*.ecgm
check 'it prints them' sh -c "python3 '$source/../format/ecgm.py' ./*.ecgm >out"
check 'as JSON' is_json out
head -c 500 zca.ecgm >cut.ecgm
check 'a damaged file is refused' sh -c "! python3 '$source/../format/ecgm.py' cut.ecgm 2>/dev/null"
finish
