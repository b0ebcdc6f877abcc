#!/bin/bash
# Which folders train, validate and test, and what becomes of classes that only some of them have.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
fast=(--net "$net" --epochs 1 --batch 8)

# ---- val/ or test/ alone ----
for name in val test; do
    mkdir -p "lonely-$name" && cp -r data "lonely-$name/$name" && cp -r data "lonely-$name/other"
    run ecg-train "lonely-$name" -o x.ecgm "${fast[@]}"
    wants 1 "lonely-$name: there is $name/ but no train/" "$name/ without train/"
done
mkdir listed && cp -r data listed/val
(cd listed && echo image,class && for c in A B C; do
    for f in "val/Class $c"/*.png; do echo "$f,Class $c"; done
done >rows; cat rows) >manifest && mv manifest listed/manifest.csv
run ecg-train listed -o listed.ecgm "${fast[@]}"
wants 0 '' 'val/ without train/ in a manifest'

# ---- Classes that training does not know ----
mkdir parts && cp -r data parts/train && cp -r data parts/val && mkdir parts/train/Empty
run ecg-train parts -o e.ecgm "${fast[@]}"
wants 0 "class 'Empty' has no pictures and is left out" 'an empty class folder in train/'
cp -r 'data/Class A' parts/val/Empty
run ecg-train parts -o e.ecgm "${fast[@]}"
wants 0 "parts/val: class 'Empty' has no pictures in training, its 20 here are left out" 'the same with pictures in val/'
cp -r 'data/Class A' parts/val/Other
run ecg-train parts -o x.ecgm "${fast[@]}"
wants 1 "parts/val: class 'Other' is not among the 3 expected" 'an unknown class beside an empty one'
rm -r parts/val/Other/* parts/train/Empty parts/val/Empty
run ecg-train parts -o e.ecgm "${fast[@]}"
wants 0 "parts/val: class 'Other' is unknown and has no pictures" 'an empty unknown class in val/'

# ---- What trained can be evaluated ----
cp -r data half && mkdir half/Empty
run ecg-train half -o half.ecgm "${fast[@]}" -q
wants 0 '' 'training with an empty class folder'
run ecg-eval -m half.ecgm half
wants 0 "half: class 'Empty' is unknown and has no pictures, it is left out" 'evaluation of the same folder'
check 'all others are counted' grep -q '^60 pictures' out
cp -r 'data/Class A' half/Other
run ecg-eval -m half.ecgm half
wants 1 "half: class 'Other' is not among the 3 expected" 'an unknown class with pictures'
run ecg-eval -m half.ecgm half --ignore-unknown
wants 0 '2 class folders' 'unknown classes with --ignore-unknown'

# ---- Splits of a manifest ----
# manifest FOLDER AWK: a manifest of FOLDER whose split is what AWK makes of n, the number of the row
manifest() {
    (cd "$1" && find . -name '*.png' | sort | awk -F / '
        BEGIN {print "image,class,split"} {n = NR; split_ = ""; '"$2"'; print $2 "/" $3 "," $2 "," split_}' >manifest.csv)
}
cp -r data rows && manifest rows 'if (n % 2) split_ = "test"'
run ecg-train rows -o rows.ecgm "${fast[@]}" --val-split 0.2
wants 0 '^all +24 +6 +30$' 'the fraction is one of the rows that are not for the test'
manifest rows 'split_ = n % 5 == 0 ? "" : n % 5 == 1 ? "val" : n % 5 == 2 ? "test" : "train"'
run ecg-train rows -o rows.ecgm "${fast[@]}"
wants 0 'rows: 12 pictures are left out, the manifest gives them to none' 'rows without a split beside named ones'
check 'the others are used' grep -qE '^all +24 +12 +12$' err
manifest rows 'split_ = n % 5 == 1 ? "val" : n % 5 == 2 ? "test" : "train"'
run ecg-train rows -o rows.ecgm "${fast[@]}"
wants 0 'named by the manifest' 'rows that all have a split'
check 'nothing is left out' test "$(grep -c 'left out' err)" -eq 0
check 'no failed run left a model' test ! -e x.ecgm
finish
