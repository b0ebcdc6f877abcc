#!/bin/bash
# ecg-beats pack: a training, an evaluation and an audit of a pack are those of the folder, to the byte.
. "$2/common.sh"
fast=(--net "$net" --epochs 2 --batch 16 --seed 5 --threads 2 -q)

# ---- A folder with train/ and test/, of several shards; files and pixels ----
run ecg-beats synth -o data -n 350 --patients 12 --size 24x32 -q
wants 0 '' 'pictures to pack'
run ecg-beats pack data -o files --shard-size 20K
wants 0 'not a medical device|Not a medical device' 'pack'
check 'says what it made' grep -qE '^files/train: [0-9]+ pictures of 7 classes as files, 0\.[0-9] MiB in [0-9]+ shards' out
check 'several shards' test "$(ls files/train/shard-*.ecgs | wc -l)" -gt 3
run ecg-beats pack data -o pixels --pixels --json -q
wants 0 '' 'pack --pixels'
check 'JSON' is_json out
check 'JSON says the size' grep -q '"height":24,"width":32' out

for set in data files pixels; do
    run ecg-train "$set" -o "$set.ecgm" "${fast[@]}" --json
    wants 0 '' "training from $set"
    run ecg-eval -m "$set.ecgm" "$set" --json -q --csv "$set.csv" --html "$set.html"
    wants 0 '' "evaluation of $set"
    cp out "$set.json"
    run ecg-beats audit "$set" --json -q
    wants 0 '' "audit of $set"
    sed "s/\"$set/\"data/g" out >"$set.audit"
done
for set in files pixels; do
    check "the model of $set" cmp data.ecgm "$set.ecgm"
    check "the figures of $set" cmp data.json "$set.json"
    check "the answers of $set" cmp data.csv "$set.csv"
    check "the audit of $set" cmp data.audit "$set.audit"
done
check 'the report shows pictures' grep -q 'data:image/png' files.html

# ---- Resumed from the other; named by its index; by group; with a cache that is too small ----
run ecg-train data/train -o a.ecgm "${fast[@]}" --group-column record --cache 4K
wants 0 '' 'training by group'
run ecg-train files/train/index.ecgp -o b.ecgm "${fast[@]}" --group-column record --cache 4K
wants 0 '' 'training by group, from a pack named by its index'
check 'the same model' cmp a.ecgm b.ecgm
run ecg-train data/train -o a.ecgm "${fast[@]}" --checkpoint half.ecgc --epochs 1
run ecg-train files/train -o b.ecgm "${fast[@]}" --resume half.ecgc
wants 0 '' 'a training begun on the folder goes on with its pack'
run ecg-train files/train -o x.ecgm "${fast[@]}" --group-column sex
wants 1 'files/train/index.ecgp: the pack has no column "sex"' 'a column that was not kept'
run ecg-train files/train -o x.ecgm "${fast[@]}" --keras-folders
wants 1 'rules of Keras' 'rules of Keras'

# ---- Synthetic beats drawn into packs: the bytes of folders that are packed ----
for kind in files pixels; do
    flag=; [ $kind = pixels ] && flag=--pixels
    for mix in '' --mix=Normal=5,PVC=2; do
        rm -rf s-folder s-packed s-drawn
        run ecg-beats synth -o s-folder -n 230 --patients 9 --size 16x16 --seed 4 -q $mix
        run ecg-beats pack s-folder -o s-packed -q $flag
        wants 0 '' "pack of synthetic beats as $kind"
        run ecg-beats synth -o s-drawn -n 230 --patients 9 --size 16x16 --seed 4 -q --threads 3 --pack $kind $mix
        wants 0 '' "synth --pack $kind"
        check "synth --pack $kind $mix is synth and pack" diff -r s-packed s-drawn
    done
done

# ---- Looking ----
run ecg-beats pack --verify files/train --json
wants 0 '' 'verify'
check 'JSON of verify' is_json out
run ecg-beats pack --list files/test
wants 0 '' 'list'
cut -d , -f 1,2,4,6 data/test/manifest.csv | sort >wanted
sort out >listed
check 'the list is the manifest' cmp wanted listed
run ecg-beats pack --list data
wants 1 'data: is no pack' 'a folder is no pack'

# ---- Damage ----
cp -r files damaged
printf 'x' | dd of=damaged/train/shard-000001.ecgs bs=1 seek=5000 conv=notrunc 2>/dev/null
run ecg-beats pack --verify damaged/train
wants 1 'index.ecgp: picture [0-9]+, .*png, class .*: damaged: at byte [0-9]+ of shard-000001.ecgs' 'a damaged picture'
check 'how many' grep -q '1 of [0-9]* pictures are damaged' err
run ecg-train damaged -o x.ecgm "${fast[@]}"
wants 1 'damaged: at byte' 'training stops at it'
run ecg-train damaged -o y.ecgm "${fast[@]}" --skip-bad
wants 0 'skipped: .*damaged: at byte' 'or leaves it out'
rm damaged/train/shard-000002.ecgs
run ecg-train damaged -o x.ecgm "${fast[@]}"
wants 1 'shard-000002.ecgs: cannot open' 'a missing shard'
cp files/train/shard-000003.ecgs damaged/train/shard-000002.ecgs
run ecg-train damaged -o x.ecgm "${fast[@]}"
wants 1 'shard-000002.ecgs' 'another shard in its place'
head -c 700 files/train/index.ecgp >damaged/train/index.ecgp
run ecg-train damaged -o x.ecgm "${fast[@]}"
wants 1 'damaged/train/index.ecgp: ' 'a cut index'

# ---- What is refused, and what is left of it ----
run ecg-beats pack data/train -o files/test
wants 1 'files/test: is not empty' 'a folder that is full'
run ecg-beats pack files/train -o again
wants 1 'files/train: is a pack already' 'a pack of a pack'
echo 'image,class
../x.png,A' >data/test/manifest.csv
run ecg-beats pack data/test -o again
wants 1 'manifest.csv:2: the image "../x.png"' 'a path out of the folder'
run ecg-beats pack data
wants 2 'where to' 'no -o'
run ecg-beats pack --verify --list files
wants 2 'not both' '--verify and --list'
run ecg-beats pack --verify files -o x
wants 2 'not with' '--verify and -o'
check 'no model of a failed run' test ! -e x.ecgm
check 'nothing of a failed pack' test -z "$(ls -d again* ./*partial* 2>/dev/null)"

# ---- A disk that is full: nothing is left, and it is said ----
(
    ulimit -f 20 # blocks of 1 KiB
    trap '' XFSZ
    "$tools/ecg-beats" pack data/train -o full -q >out 2>err
)
code=$?
wants 1 'cannot write' 'a file that may not grow'
check 'nothing is left of it' test -z "$(ls -d full* 2>/dev/null)"
finish
