#!/bin/bash
# ecg-eval: intervals, --merge, --calibrate, abstaining, --train.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
run ecg-train data -o m.ecgm --net "$net" --epochs 2 --batch 8 --lr 0.004 --seed 2 --no-calibrate --no-gate --quiet
wants 0 '' 'a model to ask'
field() { # FILE EXPRESSION of Python, with j the parsed file
    python3 -c "import json,sys
j = json.load(open(sys.argv[1]))
print($2)" "$1"
}

# ---- figures and intervals ----
run ecg-eval -m m.ecgm data --csv all.csv --bootstrap 200
wants 0 '' 'an evaluation'
check 'it says what was drawn' grep -q '^Intervals: bootstrap over 60 pictures, 200 draws, seed 0' out
check 'it says that patients are not named' grep -q "nothing names every picture's patient" out
check 'it fits into 80 columns' awk 'length > 80 {exit 1}' out
check 'no patients, no column' test "$(head -n 1 all.csv)" = 'image,truth,predicted,status,p:Class A,p:Class B,p:Class C'
run ecg-eval -m m.ecgm data --bootstrap 0
check '--bootstrap 0: none' sh -c '! grep -q interval out'
# A manifest that names patients: ten pictures each.
cp -r data named
(cd named && {
    echo image,class,patient
    for c in A B C; do
        for f in "Class $c"/*.png; do n=$(basename "$f" .png); echo "$f,Class $c,p$((10#$n / 10))$c"; done
    done
} >manifest.csv)
run ecg-eval -m m.ecgm named --json --csv named.csv
cp out named.json
wants 0 '' 'pictures with patients'
check '--json is JSON' is_json out
check 'the CSV names them' grep -q '^image,truth,predicted,status,p:Class A,p:Class B,p:Class C,patient$' named.csv
if command -v python3 >/dev/null; then
    check 'patients are drawn' test "$(field out 'j["ci"]["by"], j["ci"]["units"]')" = "patients 6"
    for key in balanced_accuracy kappa j_kappa brier ece macro weighted ci confusion_rows coverage accepted; do
        check "JSON has $key" field out "j[\"$key\"]" >/dev/null
    done
else
    skip 'no python3: JSON is not looked into'
fi

# ---- --merge ----
head -n 31 named.csv >a.csv
{ head -n 1 named.csv; tail -n +32 named.csv | sed 's/$/\r/'; } >b.csv # one file with other line ends
run ecg-eval --merge a.csv b.csv --json
wants 0 '' 'two files'
if command -v python3 >/dev/null; then
    check 'merged are as one' test "$(field out '{k: v for k, v in j.items() if k != "files"} == json.load(open("named.json"))')" = True
    check 'each file is told' test "$(field out '[f["images"] for f in j["files"]]')" = '[30, 30]'
fi
run ecg-eval --merge a.csv b.csv
wants 0 'Not a medical device' 'two files, for people'
check 'a line for each' grep -qE '^b.csv +30 ' out
sed 's/^\(image,.*\),p:Class C/\1,p:Class X/' a.csv >x.csv
run ecg-eval --merge a.csv x.csv
wants 1 "x.csv: class 'Class X' is not in the files before it" 'other classes'
sed '5s/,/,Nobody,/' a.csv >x.csv
run ecg-eval --merge x.csv
wants 1 'x.csv: line 5: has 9 fields, expected 8' 'a field too many'
sed '5s/Class A,Class/Nobody,Class/; 5s/Class A/Nobody/2' a.csv >x.csv
run ecg-eval --merge x.csv
wants 1 "x.csv: line 5: the truth 'Nobody'" 'an unknown truth'
sed '3s/\(,ok,\)[0-9.e-]*/\11.5/' a.csv >x.csv
run ecg-eval --merge x.csv
wants 1 'x.csv: line 3: a probability is not within 0..1' 'a wrong probability'
sed '3s/\(,ok,\)[0-9.e-]*/\1high/' a.csv >x.csv
run ecg-eval --merge x.csv
wants 1 "x.csv: line 3: expected a probability, got 'high'" 'no probability'
printf 'image,truth,"p:A' >x.csv
run ecg-eval --merge x.csv
wants 1 'x.csv: line 1: a quoted field does not end' 'an open quote'
: >x.csv
run ecg-eval --merge x.csv
wants 1 'x.csv: is empty' 'an empty file'
echo a,b >x.csv
run ecg-eval --merge x.csv
wants 1 'expected a file of ecg-eval --csv' 'another table'
run ecg-eval --merge x.csv -m m.ecgm
wants 2 'reads CSV files only' 'a model with --merge'
run ecg-eval -m m.ecgm data more
wants 2 "unexpected argument 'more'" 'two folders'

# ---- --calibrate ----
"$make_pictures" wrong 20 && mv 'wrong/Class A/00.png' 'wrong/Class B/x.png' && mv 'wrong/Class B/01.png' 'wrong/Class C/y.png'
run ecg-eval -m m.ecgm wrong --calibrate -o few.ecgm
wants 1 'few.ecgm was not written: temperature: only [2-9] of 60 predictions are wrong, too few' 'too few mistakes'
check 'nothing is written then' test ! -e few.ecgm
check 'the reason is given once' test "$(grep -c 'too few' err)" -eq 1
for i in 10 11 12 13 14; do
    mv "wrong/Class A/$i.png" "wrong/Class B/x$i.png" && mv "wrong/Class B/$i.png" "wrong/Class C/y$i.png"
done
run ecg-eval -m m.ecgm wrong --calibrate -o c.ecgm
wants 0 'note: these pictures may be of patients who trained' 'calibrating, patients unknown'
check 'it says the temperature' grep -qE '^c.ecgm: temperature [0-9.]+$' out
check 'the model is another' sh -c '! cmp -s m.ecgm c.ecgm'
run ecg-eval -m c.ecgm wrong --calibrate -o c2.ecgm -q
check 'calibrating again finds the same' cmp c.ecgm c2.ecgm
run ecg-eval -m m.ecgm wrong --csv before.csv -q --bootstrap 0
run ecg-eval -m c.ecgm wrong --csv after.csv -q --bootstrap 0
check 'answers stay' sh -c 'cut -d , -f 1-4 before.csv >b3; cut -d , -f 1-4 after.csv >a3; cmp b3 a3'
check 'probabilities do not' sh -c '! cmp -s before.csv after.csv'
run ecg-predict -m c.ecgm 'wrong/Class A/05.png' --json -q
p=$(grep '^Class A/05.png' after.csv | cut -d , -f 5)
check 'predicting gives the calibrated ones' grep -q "\"Class A\":$p[,}]" out
# Patients: those of the training pictures are left out.
cp -r wrong val
(cd val && {
    echo image,class,patient
    for c in A B C; do for f in "Class $c"/*.png; do echo "$f,Class $c,$(basename "$f" .png)"; done; done
} >manifest.csv)
mkdir seen && cp -r "data/Class A" seen && (cd seen && {
    echo image,class,patient
    echo "Class A/05.png,Class A,05"
} >manifest.csv)
run ecg-eval -m m.ecgm val --calibrate -o p.ecgm --train seen
wants 0 '3 pictures of patients who trained the model are left out' 'patients who trained'
check 'it says that the others did not' grep -q 'are of patients who did not train the model' err
run ecg-eval -m m.ecgm data --calibrate -o no.ecgm -q
if grep -q 'all 60 predictions are right' err; then
    wants 1 'not calibrated' 'nothing to learn from'
    check 'nothing is written' test ! -e no.ecgm
fi

# ---- abstaining ----
run ecg-eval -m m.ecgm wrong --calibrate -o u.ecgm --coverage 0.5
wants 0 'of these pictures are answered' '--coverage'
run ecg-eval -m u.ecgm wrong --csv u.csv
wants 0 '' 'a model that abstains'
check 'half are answered' grep -qE '^answered: 5[0-9]\.[0-9]+ %' out
check 'the CSV says which are not' test "$(grep -c ',uncertain,' u.csv)" -ge 20
run ecg-eval --merge u.csv --json
check 'merging keeps it' grep -q '"coverage":0.5' out
image=$(grep -m 1 ',uncertain,' u.csv | cut -d , -f 1)
run ecg-predict -m u.ecgm "wrong/$image"
wants 0 '' 'an uncertain picture'
check 'STATUS is uncertain' grep -q "$(printf '\t')uncertain\$" out
run ecg-predict -m u.ecgm --json "wrong/$image"
check 'reasons are given' grep -qE '"status":"uncertain","reasons":\["probability [0-9.]+ is below [0-9.]+"\]' out
check '--json is JSON' is_json out
run ecg-eval -m m.ecgm wrong --calibrate -o e.ecgm --max-error 0 --coverage 0.5
wants 2 'not both' 'two wishes'
run ecg-eval -m m.ecgm wrong --max-error 0.1
wants 2 'belong to --calibrate' 'a threshold without calibrating'

# ---- --train ----
"$tools/ecg-beats" synth -o old --count 140 --patients 4 --size 64x96 --seed 5 -q >made
"$tools/ecg-beats" synth -o new --count 70 --patients 4 --size 64x96 --seed 6 -q >made
for set in old new; do
    mv $set all-$set && mv all-$set/train $set && rm -f $set/manifest.csv
done
new=$(find new -name '*.png' | wc -l)
for class in old/*/; do cp "$(find "$class" -name '*.png' | sort | head -n 1)" "new/${class#old/}leaked.png"; done
run ecg-train old -o s.ecgm --net 'input 16x16x1; flatten; dense 7; softmax' --epochs 1 --quiet
run ecg-eval -m s.ecgm new --train old
wants 0 '' '--train'
check 'the copies are found' grep -q '^7 of these pictures trained the model' out
check 'figures without them' grep -q "^without them: $new pictures, accuracy" out
run ecg-eval -m s.ecgm new --train old --json
check 'JSON too' grep -q "\"leaked\":7,\"without_leaked\":{\"images\":$new," out
check '--json is JSON' is_json out

# ---- ecg-train calibrates ----
run ecg-train data --val wrong -o t.ecgm --net "$net" --epochs 2 --batch 8 --lr 0.004 --seed 2
wants 0 'calibration: temperature [0-9.]+ fitted on 60 pictures' 'training calibrates'
run ecg-train data --val wrong -o t2.ecgm --net "$net" --epochs 2 --batch 8 --lr 0.004 --seed 2 --threads 1 --json -q
wants 0 '' 'again, on one thread'
check 'with the same bytes' cmp t.ecgm t2.ecgm
check 'JSON has the temperature' grep -qE '"temperature":[0-9.]+' out
finish
