#!/bin/bash
# From recordings to pictures, to a model, to annotated recordings: ecg-beats make, ecg-predict --record, get-mitdb.sh.
. "$2/common.sh"
make_records=$(dirname "$make_pictures")/make_records
top=$(cd "$source/../.." && pwd)
mkdir rec
"$make_records" rec 101 103 104 201 202 r1 || bad 'recordings to work with'

# ---- a dataset ----
run ecg-beats make rec/101 rec/103.hea rec/r1 -o a
wants 0 'Not a medical device' 'make'
check 'the table counts pictures' grep -qE '^Premature Atrial Contraction +[1-9]' out
check 'what is outside the classes is counted' grep -q '^left out: 3 beats outside the classes (Q 3)$' out
check 'folders of classes with beats only' test "$(ls a | tr '\n' ' ')" = \
    'Normal Premature Atrial Contraction Premature Ventricular Contraction manifest.csv recipe.txt '
check 'header of the manifest' test "$(head -n 1 a/manifest.csv)" = \
    image,class,record,patient,sample,code,lead,rr_before,rr_after,split
(cd a && find . -name '*.png' | sed 's|^\./||' | sort) >files
sed 1d a/manifest.csv | cut -d, -f1 | sort >listed
check 'the manifest lists the files' cmp -s files listed
check 'as many as the table says' grep -qE "^all +$(wc -l <files)\$" out
check 'the recipe is one line' test "$(wc -l <a/recipe.txt)" = 1
check 'size is in the file' test "$(od -An -tu1 -j16 -N8 "a/$(head -n 1 files)" | xargs)" = '0 0 0 192 0 0 0 128'
check 'nothing is left beside it' test -z "$(ls -d a.partial* 2>/dev/null)"
run ecg-beats make rec/101 rec/103.hea rec/r1 -o b --threads 3 --recipe "$(cat a/recipe.txt)" --json
wants 0 '' 'the recipe gives the same'
check 'byte for byte' diff -r a b
check 'json alone on stdout' is_json out
check 'json counts' grep -q "\"images\":$(wc -l <files),\"records\":3,\"patients\":3," out
cp -r a before
run ecg-beats make rec/101 -o a
wants 1 '^ecg-beats: a: is not empty' 'a folder that is not empty'
check 'nothing in it is touched' diff -r a before
mkdir empty
run ecg-beats make rec/101 -o empty/ --window rr --size 40x50
wants 0 '' 'an empty folder, by a name with a slash'
check 'it is filled' test -s empty/manifest.csv
ls rec | sort >were
for wrong in '--window round' '--views side' '--size 4x9' '--lead V9' '--classes none' '--split ds1-ds2' '--cap 0' \
    '--split patient' '--same-patient 3' '--recipe fixed --pen 1' '--annotations qrs' '--test-fraction 1' '-c rec'; do
    # shellcheck disable=SC2086
    run ecg-beats make rec/r1 -o never $wrong
    check "make $wrong fails" test "$code" -eq 1 -o "$code" -eq 2
    check "make $wrong says so on stderr alone" test -s err -a ! -s out
done
run ecg-beats make rec/101 rec/../rec/101 -o never
wants 1 'there is a record 101 already' 'a record twice'
run ecg-beats make rec/none -o never
wants 1 'rec/none' 'a record that is not there'
run ecg-beats make -o never
wants 2 '' 'no record'
check 'nothing was made' test ! -e never -a -z "$(ls -d never* 2>/dev/null)"
check 'recordings are not touched' test "$(ls rec | sort | cksum)" = "$(cksum <were)"

# ---- splits ----
sides() { # FILE: patients that are on both sides
    comm -12 <(awk -F, '$10 == "train" { print $4 }' "$1" | sort -u) <(awk -F, '$10 == "test" { print $4 }' "$1" | sort -u)
}
for seed in 1 2 3; do
    run ecg-beats make rec/101 rec/201 rec/202 rec/r1 -o p$seed --split patient --test-fraction 0.4 --seed $seed \
        --same-patient 202=201 --size 16x16
    wants 0 '' "split by patient, seed $seed"
    check 'no patient is on both sides' test -z "$(sides p$seed/manifest.csv)"
    check 'there are both sides' test "$(sed 1d p$seed/manifest.csv | cut -d, -f10 | sort -u | tr '\n' ' ')" = 'test train '
    check '202 is patient 201' test "$(awk -F, '$3 == "202" { print $4 }' p$seed/manifest.csv | sort -u)" = 201
done
run ecg-beats make rec/101 rec/201 rec/104 -o d1 --split ds1-ds2 --size 16x16
wants 0 '' 'DS1 alone'
check 'it says that nothing tests' grep -q '^no test pictures: none of these records is of DS2$' out
check 'paced records are in neither' grep -qE '^left out: [0-9]+ beats of 1 records that the split does not name$' out
check 'all train' test "$(sed 1d d1/manifest.csv | cut -d, -f3,10 | sort -u | tr '\n' ' ')" = '101,train 201,train '
run ecg-beats make rec/103 rec/201 rec/202 -o d2 --split ds1-ds2 --size 16x16 --same-patient 202=201
wants 0 '' 'both halves'
check 'DS2 tests' test "$(sed 1d d2/manifest.csv | cut -d, -f3,10 | sort -u | tr '\n' ' ')" = '103,test 201,train 202,test '
check 'who is on both sides is said' grep -q '^note: 201 (train) and 202 (test) are one patient, on both sides; .*without 202' out
run ecg-beats make rec/101 rec/103 -o r --split random --test-fraction 0.3 --size 16x16 --cap 20
wants 0 '' 'by beat'
check 'that it flatters is said' grep -q 'the same patients train and test' out
check 'the cap is of training pictures' test \
    "$(awk -F, '$2 == "Normal" && $10 == "train"' r/manifest.csv | wc -l)" -eq 20
run ecg-beats make rec/101 rec/103 -o even --balance --size 16x16
wants 0 '' 'balanced'
check 'as many of each class' test "$(sed 1d even/manifest.csv | cut -d, -f2 | sort | uniq -c | awk '{ print $1 }' | sort -u | wc -l)" -eq 1

# ---- without annotations ----
mkdir bare
cp rec/101.hea rec/101.dat bare/
run ecg-beats make bare/101 -o found --size 16x16
wants 0 '' 'beats are found'
check 'and unclassified' test "$(sed 1d found/manifest.csv | cut -d, -f2,6 | sort -u)" = 'Unclassified,?'
check 'as many as there are' test "$(sed 1d found/manifest.csv | wc -l)" -eq "$(($(awk -F, '$3 == "101"' a/manifest.csv | wc -l) + 1))"

# ---- a model that knows how its pictures were drawn ----
run ecg-beats make rec/101 rec/103 rec/104 rec/201 -o learn --window rhythm --classes aami5 --size 48x64 --split patient
wants 0 '' 'pictures to learn from'
run ecg-train learn -o m.ecgm --epochs 2 --quiet
wants 0 '' 'train on them'
run ecg-train learn --summary
check 'size and colour are the recipe'"'"'s' grep -q '48x64x3' out
run ecg-predict -m m.ecgm --record rec/r1 --annotations atr
wants 0 'Not a medical device' 'predict a recording'
check 'the summary names classes' grep -qE '^N +[0-9]+' out
check 'annotations are written' test -s r1.cnn
n=$(($(awk -F, '$3 == "r1"' a/manifest.csv | wc -l) + 1))
check 'one answer for each beat' grep -qE "^all +$n *\$" out
run ecg-predict -m m.ecgm --record rec/r1 --json --threads 1 -o empty
wants 0 '' 'with beats that are found'
check 'json alone on stdout' is_json out
check 'json has the figures' grep -qE "\"beats\":$n,\"found\":true,.*\"classes\":\\[\\{\"name\":\"N\"" out
check 'annotations are in the folder' test -s empty/r1.cnn
cp empty/r1.cnn bare/101.atr
run ecg-beats make bare/101 -o again --size 16x16 --classes aami5
wants 0 '' 'what was written can be read'
check 'all of it' test "$(sed 1d again/manifest.csv | wc -l)" -eq "$n"
run ecg-predict -m m.ecgm --record rec/r1 --html page.html -o empty
wants 0 '' 'a page'
check 'it is one' grep -q '</html>' page.html
check 'with the notice' grep -q 'Not a medical device' page.html
check 'it asks nobody for anything' test -z "$(grep -oE '(src|href)=.?https?:|url\(|@import' page.html)"

# A picture of the dataset and the recording give the same answer.
image=$(awk -F, '$3 == "201" && $2 == "N" { print $1 }' learn/manifest.csv | sed -n 5p)
run ecg-predict -m m.ecgm "learn/$image"
one=$(cut -f3 out)
sample=$(basename "$image" .png | sed 's/^201_0*//')
run ecg-predict -m m.ecgm --record rec/201 --annotations atr --html page.html -o empty
check "beat $sample: the recording says what the picture says" \
    grep -qE "\[$sample,[0-9]+,$(printf '%.0f' "$(echo "$one" | awk '{ print 1000 * $1 }')")\]" page.html

cp r1.cnn kept
for wrong in 'rec/none' 'rec/r1 --recipe rhythm,' 'rec/r1 --recipe fixed' 'rec/r1 picture.png' 'rec/r1 -o no/such/folder'; do
    # shellcheck disable=SC2086
    run ecg-predict -m m.ecgm --record $wrong
    check "--record $wrong fails" test "$code" -eq 1 -o "$code" -eq 2
    check "--record $wrong says so on stderr alone" test -s err -a ! -s out
done
check 'what was there stays' cmp -s r1.cnn kept
"$make_pictures" plain >/dev/null 2>&1
run ecg-train plain -o plain.ecgm --net "$net" --epochs 1 --quiet
if [ "$code" -eq 0 ]; then
    run ecg-predict -m plain.ecgm --record rec/r1
    wants 1 '--recipe TEXT' 'a model that knows no recipe'
fi
run ecg-predict -m m.ecgm --html x.html
wants 2 '' '--html without --record'

# ---- get-mitdb.sh ----
mkdir mirror
for i in 100 101; do
    cp rec/101.dat "mirror/$i.dat"
    cp rec/101.atr "mirror/$i.atr"
    sed "s/101/$i/g" rec/101.hea >"mirror/$i.hea"
done
get() {
    bash "$top/data/get-mitdb.sh" "$@" >out 2>err </dev/null
    code=$?
}
get --from mirror --to got
wants 0 'no SHA256SUMS' 'a copy without a list'
check 'six files' grep -q '^got: 6 files fetched, 0 were there$' out
check 'what is missing is said' grep -q '^not in mirror: 102 103' out
check 'the next commands are said' grep -q '^    ecg-beats make got/\*.hea -o beats' out
(cd mirror && sha256sum -- *.hea *.dat *.atr >../sums && mv ../sums SHA256SUMS.txt)
truncate -s 999 got/100.dat
get --from mirror --to got
wants 0 '' 'again'
check 'the damaged one only' grep -q '^got: 1 files fetched, 5 were there$' out
echo x >>mirror/101.atr
rm got/101.atr
get --from mirror --to got
wants 1 '101.atr: its checksum' 'a damaged source'
check 'does not take its name' test ! -e got/101.atr
get --from nowhere
wants 1 'nowhere: no such folder' 'no such copy'
get --frm x
wants 2 'unknown: --frm' 'a slip'
if command -v curl >/dev/null; then
    cp rec/101.atr mirror/101.atr
    for i in 102 103 104 105 106 107 108 109 111 112 113 114 115 116 117 118 119 121 122 123 124 200 201 202 203 205 207 208 \
        209 210 212 213 214 215 217 219 220 221 222 223 228 230 231 232 233 234; do
        for kind in hea dat atr; do cp "mirror/100.$kind" "mirror/$i.$kind"; done
    done
    (cd mirror && rm SHA256SUMS.txt && sha256sum -- *.hea *.dat *.atr >../sums && mv ../sums SHA256SUMS.txt)
    mkdir net
    head -c 5000 mirror/100.dat >net/100.dat.part
    get --from "file://$PWD/mirror" --to net
    wants 0 '' 'by URL, going on where it was cut off'
    check 'all of it' grep -q '^net: 144 files fetched, 0 were there$' out
    check 'as it is there' cmp -s net/100.dat mirror/100.dat
else
    skip 'no curl: downloads not tried'
fi
finish
