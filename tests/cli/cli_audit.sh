#!/bin/bash
# ecg-beats audit: what it finds, and in which form.
. "$2/common.sh"
run ecg-beats synth -o a --count 140 --patients 4 --size 64x96 --seed 5 -q
wants 0 '' 'beats of some patients'
run ecg-beats synth -o b --count 140 --patients 4 --size 64x96 --seed 6 -q
wants 0 '' 'beats of others'
for set in a b; do
    mv $set all-$set && mv all-$set/train $set && rm -f $set/manifest.csv
done
class=$(ls a | head -n 1) other=$(ls a | tail -n 1)
pictures=$(find a b -name '*.png' | wc -l)

run ecg-beats audit a b
wants 0 '' 'two folders'
check 'all are counted' grep -q "^$pictures pictures\$" out
check 'nothing is found' grep -q '^0 exact copies of pictures before them; 0 pairs of near copies' out
check 'nothing leaks' grep -q '^0 pictures have a copy in another set, 0 of them an exact one' out
check 'nothing is under two classes' grep -q '^0 pictures stand under two classes' out

# ---- planted ----
one=$(find a -name '*.png' | sort | head -n 1) two=$(find "a/$other" -name '*.png' | sort | tail -n 1)
cp "$one" "b/$class/copy.png"
cp "$two" "b/$class/conflict.png"
printf 'no picture' >"a/$class/text.png"
run ecg-beats audit a b --csv all.csv
wants 0 '' 'planted flaws'
check 'two leak' grep -q '^4 pictures have a copy in another set, 4 of them an exact one' out
check 'one is under two classes' grep -q '^1 pictures stand under two classes' out
check 'one cannot be read' grep -q '^1 cannot be read:' out
check 'the CSV has a line for each' test "$(wc -l <all.csv)" -eq $((pictures + 4))
check 'and says whose copy it is' grep -q "^b/$class/copy.png,.*,$one,$one,$one\$" all.csv
check 'and what is unreadable' grep -q '^a/.*text.png,.*,unreadable,' all.csv
run ecg-beats audit a b --json -q
wants 0 '' 'as JSON'
check '--json is JSON' is_json out
check 'JSON has the figures' grep -q '"exact_copies":2,"near_pairs":0,"copied_across_sets":4' out
check 'JSON has the conflict' grep -q '{"conflict":true,"images":\[' out
check '--quiet says nothing' test ! -s err
cp out two.json
run ecg-beats audit a b --json -q --threads 1
check 'one thread finds the same' cmp out two.json

# ---- sets and patients ----
mkdir -p both && mv a both/train && mv b both/test
run ecg-beats audit both --patient-pattern '([^/_]+)_?[^/]*$'
wants 0 '' 'train and test folders'
check 'they are two sets' grep -qE 'both/train +both/test' out
check 'patients are counted' grep -qE '^[0-9]+ of [0-9]+ patients are in two sets' out
run ecg-beats audit both --patient-pattern '(x'
wants 1 '' 'a wrong pattern'
run ecg-beats audit nowhere
wants 1 'nowhere' 'a missing folder'
run ecg-beats audit
wants 2 'nothing to do' 'no folder'
run ecg-beats audit both --csv nowhere/x.csv
wants 1 'nowhere/x.csv' 'a CSV that cannot be written'

# ---- the shared beat pictures: one blank picture under three classes, and nothing else ----
shared=${ECG_SHARED:-}/data/beat-images
if [ -d "$shared" ]; then
    run ecg-beats audit "$shared" --json -q
    wants 0 '' 'the shared pictures'
    check 'the known flaw alone' grep -q '"images":15341,"exact_copies":4,"near_pairs":0,"copied_across_sets":0,"exactly_copied_across_sets":0,"conflicts":1,' out
else
    skip 'no shared beat pictures'
fi
finish
