#!/bin/bash
# What is no ECG, and why: gates in training, evaluation and prediction; heat maps.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
fast=(--net "$net" --epochs 6 --batch 8 --lr 0.01 --no-calibrate --seed 3 -q)
one='data/Class A/00.png' two='data/Class B/01.png'

run ecg-train data -o m.ecgm "${fast[@]}" --threads 1
wants 0 '' 'training'
run ecg-train data -o again.ecgm "${fast[@]}" --threads 3
wants 0 '' 'training once more'
check 'the same gate for any number of threads' cmp -s m.ecgm again.ecgm
run ecg-train data -o bare.ecgm "${fast[@]}" --no-gate
wants 0 '' '--no-gate'
check 'a chunk GATE' grep -q GATE m.ecgm
check 'and none' test -z "$(grep -c GATE bare.ecgm | grep -v '^0$')"
run ecg-model verify m.ecgm bare.ecgm
wants 0 '' 'both are whole'

# ---- heat maps ----
run ecg-predict -m m.ecgm "$one" --heatmap h.png
wants 0 'Not a medical device' 'a heat map'
check 'its answer' grep -qE '	(ok|uncertain)$' out
check 'it is a PNG' test "$(head -c 4 h.png | tail -c 3)" = PNG
run ecg-predict -m m.ecgm "$one" "$two" nowhere.png "$two" --heatmap many.png --heat occlusion -q
wants 1 'nowhere.png' 'several, one of them missing'
check 'the others are written' test -s many-1.png -a -s many-2.png -a -s many-4.png -a ! -e many-3.png -a ! -e many.png
check 'the same picture, the same bytes' cmp -s many-2.png many-4.png
run ecg-predict -m m.ecgm "$one" --heatmap l1.png --layer 1 -q
wants 0 '' 'another layer'
check 'another heat' test -n "$(cmp h.png l1.png)"
"$tools/ecg-predict" -m m.ecgm - --heatmap in.png -q <"$one" >out 2>err
code=$?
wants 0 '' 'of standard input'
check 'is written too' test -s in.png
run ecg-predict -m m.ecgm "$one" --heatmap x.png --layer 5
wants 1 'layer 5, dense, has no rows and columns' 'a layer without rows and columns'
run ecg-predict -m m.ecgm "$one" --heatmap x.png --layer 99
wants 1 'layer 99, expected 1..5' 'a layer that is not there'
run ecg-predict -m m.ecgm "$one" --heatmap nowhere/x.png
wants 1 'nowhere/x.png' 'a folder that is not there'
check 'nothing else was written' test ! -e x.png
run ecg-predict -m m.ecgm "$one" --layer 1
wants 2 'belongs to --heatmap' '--layer without --heatmap'
run ecg-predict -m m.ecgm "$one" --heatmap x.png --heat occlusion --layer 1
wants 2 'belongs to --heat gradcam' '--layer of occlusion'
run ecg-predict -m m.ecgm "$one" --heatmap x.png --heat guess
wants 2 'guess' 'another heat'
run ecg-predict -m m.ecgm --record r --heatmap x.png
wants 2 'heatmap' 'a recording'

# ---- what is no ECG: such a page ----
run ecg-predict -m m.ecgm h.png
wants 0 '' 'a page'
check 'is none' grep -q '	not_ecg$' out
run ecg-predict -m m.ecgm h.png "$one" --json -q
wants 0 '' 'as JSON'
check 'is JSON' is_json out
check 'with reasons' grep -q '"status":"not_ecg","reasons":\[".*expected at ' out
check 'and a score' grep -qE '"status":"not_ecg".*"gate":([2-9]|[1-9][0-9]+|1\.)' out
check 'and one that is' grep -qE '"status":"ok","reasons":\[\],"gate":(0|1)' out
run ecg-predict -m bare.ecgm h.png --json
check 'a model without a gate takes it' grep -q '"status":"ok","reasons":\[\]}' out
run ecg-predict -m bare.ecgm "$one" --json -q
mv out bare.json
run ecg-predict -m m.ecgm "$one" --json -q
check 'probabilities are the same' test "$(sed 's/,"status.*//' out)" = "$(sed 's/,"status.*//' bare.json)"

# ---- ecg-eval ----
mkdir page && cp -r data/* page && cp h.png 'page/Class A/h.png'
run ecg-eval -m m.ecgm page --csv page.csv --json --quiet
wants 0 '' 'an evaluation'
check 'counts them' grep -qE '"not_ecg":[1-9]' out
check 'the CSV says it' grep -q '^Class A/h.png,.*,not_ecg,' page.csv
check 'as often' test "$(grep -c ',not_ecg,' page.csv)" = "$(sed 's/.*"not_ecg":\([0-9]*\).*/\1/' out)"
"$tools/ecg-predict" -m m.ecgm data/*/*.png -q >said 2>err
check 'as ecg-predict does' test "$(grep -c 'not_ecg$' said)" = "$(($(grep -c ',not_ecg,' page.csv) - 1))"
check 'few of its own' test "$(grep -c 'not_ecg$' said)" -le 6
run ecg-eval -m m.ecgm page --quiet --bootstrap 0
check 'in words' grep -qE '^no ECG, by the model.s gate: [1-9]' out
run ecg-eval -m bare.ecgm --gates --train data data -o gated.ecgm
wants 0 'gate: learned from 60 pictures, its limits set on 60 others' '--gates'
run ecg-predict -m gated.ecgm h.png
check 'such a gate works' grep -q 'not_ecg$' out
run ecg-eval -m bare.ecgm --gates data -o alone.ecgm
wants 0 'not known which pictures' '--gates without the training pictures'
run ecg-eval -m bare.ecgm --gates --json data
wants 2 'goes alone' '--gates and --json'
run ecg-eval -m gated.ecgm --calibrate data --coverage 0.9 -o warm.ecgm -q
run ecg-predict -m warm.ecgm h.png
check 'calibrating keeps the gate' grep -q 'not_ecg$' out
finish
