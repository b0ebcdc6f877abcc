#!/bin/bash
# ecg-beats: commands, options, and the folders that synth makes.
. "$2/common.sh"
man=$source/../../tools/man

run ecg-beats
wants 2 'which command' 'ecg-beats without a command'
check 'stdout stays empty' test ! -s out
run ecg-beats --help
wants 0 '' 'ecg-beats --help'
check 'help names the command' grep -q synth out
run ecg-beats --version
wants 0 '' 'ecg-beats --version'
check 'the version shows the notice' grep -q 'Not a medical device' out
run ecg-beats sinth
wants 2 "did you mean 'synth'" 'a command with a slip'
for command in synth make; do
    run ecg-beats $command --help
    wants 0 '' "$command --help"
    check "$command: help fits 80 columns" test "$(wc -L <out)" -le 80
    grep -oE -e '^  (-., |    )--[a-z-]+' out | grep -oE -e '--[a-z-]+' | grep -vE -e '--(help|version)' | sort >in-help
    sed -n "/^.Sh OPTIONS OF ${command^^}/,/^.El/p" "$man/ecg-beats.1" |
        sed -n 's/\\-/-/g; s/^\.It Fl .*Fl Fl \([a-z-]*\).*/--\1/p; t; s/^\.It Fl Fl \([a-z-]*\).*/--\1/p' |
        grep -vE -e '--(help|version)' | sort >in-man
    check "$command: help and man page have the same options" cmp -s in-help in-man
    check "$command: there are options" test "$(wc -l <in-help)" -ge 9
done

run ecg-beats synth
wants 2 '-o DIR' 'synth without -o'
for wrong in '--count 0' '--count 7.5' '--size 4x9' '--size 128' '--pen 0' '--test-fraction 1' '--patients 0' \
    '--seed -1' '--count 10 --patients 11' '--count 10 --patients 1' '--seeed 1' 'extra' '--mix Normal' \
    '--mix Norml=1' '--mix N=1,' '--mix N=1,normal=1' '--mix N=0' '--mix N=1x' '--mix N=-1' '--mix N=1e99' \
    '--rhythm af' '--rate 20' '--noise -1' '--wander 99' '--mix PAC=1 --rhythm fibrillation'; do
    # shellcheck disable=SC2086
    run ecg-beats synth -o never $wrong
    wants 2 '' "synth $wrong"
    check "synth $wrong says so on stderr alone" test -s err -a ! -s out
done
check 'wrong usage makes no folder' test ! -e never

run ecg-beats synth -o a --count 140 --patients 20 --seed 3
wants 0 'Not a medical device' 'synth'
check 'the table is on stdout' grep -qE '^20 patients +105 +35$' out
for class in 'Left Bundle Branch Block' Normal Paced 'Premature Atrial Contraction' \
    'Premature Ventricular Contraction' 'Right Bundle Branch Block' 'Ventricular Flutter'; do
    check "15 of $class in train" test "$(find "a/train/$class" -name '*.png' | wc -l)" -eq 15
    check "5 of $class in test" test "$(find "a/test/$class" -name '*.png' | wc -l)" -eq 5
done
for part in train test; do
    check "$part: header" test "$(head -n 1 a/$part/manifest.csv)" = image,class,record,patient,code,split
    (cd a/$part && find . -name '*.png' | sed 's|^\./||' | sort) >files
    sed 1d a/$part/manifest.csv | cut -d, -f1 | sort >listed
    check "$part: the manifest lists the files" cmp -s files listed
    sed 1d a/$part/manifest.csv | cut -d, -f4 | sort -u >patients.$part
done
check 'no patient is on both sides' test -z "$(comm -12 patients.train patients.test)"
check '15 and 5 patients' test "$(wc -l <patients.train) $(wc -l <patients.test)" = '15 5'

"$tools/ecg-beats" synth -o b --count 140 --patients 20 --seed 3 --threads 1 --quiet >out 2>err
check 'quiet is quiet' test ! -s err
check 'the same options give the same bytes' diff -r a b
run ecg-beats synth -o c --count 140 --patients 20 --seed 4 --threads 3 --json
wants 0 '' 'another seed'
check 'json alone on stdout' is_json out
check 'json counts' grep -q '"images":140,"patients":20,"test_patients":5,"seed":4,' out
check 'another seed draws other beats' test "$(cat a/train/Normal/* | cksum)" != "$(cat c/train/Normal/* | cksum)"

run ecg-beats synth -o mixed --count 1000 --patients 10 --test-fraction 0.3 --size 8x8 --mix Normal=14,v=0,PVC=4,A=2
wants 2 "no class 'v'" 'codes are as they are written'
run ecg-beats synth -o mixed --count 1000 --patients 10 --test-fraction 0.3 --size 8x8 --mix 'Normal=14,V=4,premature atrial contraction=2'
wants 0 '' 'a mix of classes'
for row in 'Normal 490 210' 'Premature_Ventricular_Contraction 140 60' 'Premature_Atrial_Contraction 70 30'; do
    read -r class train test <<<"$row"
    check "$class: $train and $test" test "$(find "mixed/train/${class//_/ }" -name '*.png' | wc -l) \
$(find "mixed/test/${class//_/ }" -name '*.png' | wc -l)" = "$train $test"
done
check 'classes that are not named have no folder' test "$(find mixed/train -mindepth 1 -type d | wc -l)" -eq 3
check 'each patient has the mix' test "$(awk -F, 'FNR > 1 && $2 == "Normal" { n[$4]++ }
    END { for (p in n) if (n[p] < 69 || n[p] > 71) wrong++; print length(n), wrong + 0 }' mixed/t*/manifest.csv)" = '10 0'
run ecg-beats synth -o af --count 60 --patients 4 --size 16x16 --rhythm fibrillation --rate 120 --noise 2 --wander 0
wants 0 '' 'fibrillation'
check 'no PAC in it' test ! -e 'af/train/Premature Atrial Contraction' -a -d af/train/Normal
for option in '--rate 120' '--noise 0' '--wander 4' '--rhythm fibrillation' '--mix Normal=1'; do
    rm -rf plain
    # shellcheck disable=SC2086
    "$tools/ecg-beats" synth -o plain --count 140 --patients 20 --seed 3 --quiet $option >out 2>err
    check "$option changes the pictures" test "$(cat a/train/Normal/* | cksum)" != "$(cat plain/train/Normal/* | cksum)"
done
rm -rf plain
"$tools/ecg-beats" synth -o plain --count 140 --patients 20 --seed 3 --quiet --noise 1 --wander 1 --rhythm sinus >out 2>err
check 'the usual noise, wander and rhythm change nothing' diff -r a plain

cp -r a before
run ecg-beats synth -o a --count 14 --patients 2
wants 1 '^ecg-beats: a: is not empty' 'a folder that is not empty'
check 'nothing in it is touched' diff -r a before
mkdir empty
run ecg-beats synth -o empty --count 14 --patients 2 --test-fraction 0 --size 8x9
wants 0 '' 'an empty folder, no test part'
check 'test-fraction 0 makes no test folder' test -d empty/train -a ! -e empty/test
check 'size is in the file' test "$(od -An -tu1 -j16 -N8 "$(find empty -name '*.png' | head -n 1)" | xargs)" = '0 0 0 9 0 0 0 8'
run ecg-beats synth -o no/such/folder
wants 1 '^ecg-beats: no/such/folder: No such file' 'parents are not made'
echo text >file
run ecg-beats synth -o file
wants 1 '^ecg-beats: file: ' 'a file where the folder should be'
finish
