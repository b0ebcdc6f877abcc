#!/bin/bash
# ecg-eval and ecg-predict: formats, and that they agree.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
run ecg-train data -o m.ecgm --net "$net" --epochs 8 --batch 8 --lr 0.01 --quiet
wants 0 '' 'a model to ask'

# ---- ecg-eval ----
run ecg-eval -m m.ecgm data --csv all.csv
wants 0 'Not a medical device' 'an evaluation'
check 'a line per class' test "$(grep -cE '^Class [ABC] +20 ' out)" -eq 3
check 'the sum is there' grep -qE '^60 pictures: accuracy [01]\.[0-9]+, macro F1' out
# The classes of make_pictures can be learnt: an answer worse than this is a broken chain.
check 'it has learnt' awk '/^60 pictures/ {exit !($4 + 0 >= 0.9)}' out
check 'the CSV header' test "$(head -n 1 all.csv)" = 'image,truth,predicted,status,p:Class A,p:Class B,p:Class C'
check 'a CSV line per picture' test "$(wc -l <all.csv)" -eq 61
run ecg-eval -m m.ecgm data --json --quiet
wants 0 '' 'an evaluation as JSON'
check '--quiet says nothing' test ! -s err
check '--json is JSON' is_json out
for key in images accuracy macro_f1 loss classes confusion support sensitivity specificity ppv f1 auc; do
    check "JSON has $key" grep -q "\"$key\":" out
done
ECG_MODEL=m.ecgm run ecg-eval data
wants 0 '' 'the model from ECG_MODEL'

cp -r data unknown && mkdir unknown/Other && cp 'data/Class A/00.png' unknown/Other
run ecg-eval -m m.ecgm unknown
wants 1 'Other' 'an unknown class'
run ecg-eval -m m.ecgm unknown --ignore-unknown
wants 0 'left out' '--ignore-unknown'
check 'its pictures are not counted' grep -q '^60 pictures' out
cp -r data fewer && rm -r 'fewer/Class C'
run ecg-eval -m m.ecgm fewer --json
wants 0 "class 'Class C' has no pictures" 'a class without pictures'
check 'its sensitivity is null' grep -q '"name":"Class C","support":0,"sensitivity":null' out
check 'that is JSON' is_json out
mkdir both && cp -r data both/train && cp -r fewer both/test
run ecg-eval -m m.ecgm both
wants 0 'evaluating both/test' 'train and test folders'
check 'test is what is evaluated' grep -q '^40 pictures' out
cp -r data bad && echo text >'bad/Class A/bad.png'
run ecg-eval -m m.ecgm bad
wants 1 'bad.png' 'a bad picture'
run ecg-eval -m m.ecgm bad --skip-bad
wants 0 'skipped: .*bad.png' 'a bad picture with --skip-bad'
run ecg-eval -m m.ecgm data --csv nowhere/x.csv
wants 1 'nowhere/x.csv' 'a CSV that cannot be written'
if [ -w /dev/full ]; then
    run ecg-eval -m m.ecgm data --csv /dev/full
    wants 1 '/dev/full: .*No space left' 'a CSV on a full disk'
    "$tools/ecg-predict" -m m.ecgm 'data/Class A/00.png' >/dev/full 2>err
    code=$?
    wants 1 'standard output: No space left' 'answers on a full disk'
fi
run ecg-eval -m m.ecgm nowhere
wants 1 'nowhere' 'a missing folder'

# ---- ecg-predict ----
tab=$(printf '\t')
(cd data && "$tools/ecg-predict" -m ../m.ecgm --top 3 -- */*.png) >top.tsv 2>err
code=$?
wants 0 'Not a medical device' 'all pictures'
# IMAGE C1 P1 C2 P2 C3 P3 STATUS against image,truth,predicted,status,p:A,p:B,p:C; digit by digit.
awk -F '\t' '{p[$2] = $3; p[$4] = $5; p[$6] = $7
    print $1 "," $2 "," $8 "," p["Class A"] "," p["Class B"] "," p["Class C"]}' top.tsv | sort >of-predict
tail -n +2 all.csv | cut -d , -f 1,3- | sort >of-eval
check 'eval and predict agree in every digit' cmp of-predict of-eval
check '--top is in order' awk -F '\t' '$3 < $5 || $5 < $7 {bad = 1} END {exit bad || NR != 60}' top.tsv
(cd data && "$tools/ecg-predict" -m ../m.ecgm --threads 1 --top 3 -q -- */*.png) >top1.tsv 2>err
check 'one thread gives the same' cmp top.tsv top1.tsv
check '--quiet says nothing' test ! -s err
run ecg-predict -m m.ecgm 'data/Class B/03.png'
wants 0 '' 'one picture'
check 'the line' grep -qE "^data/Class B/03\.png${tab}Class [ABC]${tab}[0-9.e-]+${tab}ok$" out
cut -f 2- out >of-file
check 'alone and among others agree' test "$(cut -f 1,2 of-file)" = "$(grep '^Class B/03' top.tsv | cut -f 2,3)"
"$tools/ecg-predict" -m m.ecgm - <'data/Class B/03.png' >out 2>err
code=$?
wants 0 '' 'standard input'
check 'it is named -' grep -q "^-$tab" out
cut -f 2- out >of-stdin
check 'standard input and file agree' cmp of-file of-stdin
run ecg-predict -m m.ecgm -
wants 1 'standard input' 'an empty standard input'

odd=$(printf 'tab\there\\ "quoted"\nand a line \377.png')
cp 'data/Class A/00.png' "$odd"
run ecg-predict -m m.ecgm "$odd"
wants 0 '' 'an odd file name'
check 'it is one line of four fields' awk -F '\t' '{exit NF != 4 || NR != 1}' out
check 'it is escaped' grep -qF 'tab\there\\ "quoted"\nand a line' out
run ecg-predict -m m.ecgm --json "$odd" 'data/Class A/00.png'
wants 0 '' 'an odd file name in JSON'
check 'one object a line' test "$(wc -l <out)" -eq 2
check '--json is JSON' is_json out
for key in image class probability probabilities status reasons; do
    check "JSON has $key" test "$(grep -c "\"$key\":" out)" -eq 2
done
cp 'data/Class A/00.png' ./--help.png
run ecg-predict -m m.ecgm -- --help.png
wants 0 '' 'a picture that looks like an option'

head -c 100 'data/Class A/00.png' >cut.png
run ecg-predict -m m.ecgm 'data/Class A/00.png' cut.png missing.png data 'data/Class C/00.png'
wants 1 'cut.png' 'bad pictures among good ones'
check 'each bad one has its line' test "$(grep -c '^ecg-predict: ' err)" -eq 3
check 'the good ones are answered' test "$(grep -c "${tab}ok$" out)" -eq 2
run ecg-predict -m m.ecgm --top 0 x
wants 2 'expected 1..65536' 'no classes wanted'
run ecg-predict -m m.ecgm --top 99 'data/Class A/00.png'
wants 0 '' 'more classes than there are'
check 'all are printed' awk -F '\t' '{exit NF != 8}' out
head -c 200 m.ecgm >cut.ecgm
run ecg-predict -m cut.ecgm 'data/Class A/00.png'
wants 1 'cut.ecgm' 'a truncated model'
finish
