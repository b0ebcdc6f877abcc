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
check 'no failed run left a model' test ! -e x.ecgm
finish
