#!/bin/bash
# ecg-model import: options, class names, what is written and what is said. The files are those of the fuzz targets; all
# kinds of layers and all that is refused are checked by tests/keras.
. "$2/common.sh"
h5=$source/../fuzz/corpus/keras_h5/small.h5 zip=$source/../fuzz/corpus/keras_zip/stored.keras
cp "$h5" m.h5 && cp "$zip" m.keras || exit 2

run ecg-model import m.h5 -o m.ecgm --rescale 1/255
if [ $code -eq 1 ] && grep -q 'built without' err; then
    wants 1 'm.h5: a Keras model: .*libhdf5.*jansson.*libhdf5-dev' 'what is missing is named'
    run ecg-model import m.keras -o m.ecgm --rescale 1/255
    wants 1 'built without libhdf5, jansson or libzip' 'for .keras too'
    check 'nothing is written' test ! -e m.ecgm
    finish
fi

# ---- done ----
wants 0 'class 0.*--class-names' 'an HDF5 file is imported, and names are asked for'
check 'what was made is said' grep -qx 'm.ecgm: 2 classes, 6x6 gray pictures, 42 parameters' out
run ecg-model show m.ecgm
for want in 'profile keras' 'filter nearest' 'pixel \* 0.00392156886' 'class 1' 'imported_from = Keras 2.4.0' 'conv2d 2 3x3'; do
    check "the model says $want" grep -q -e "$want" out
done
run ecg-model verify m.ecgm
wants 0 '' 'the model is whole'
run ecg-model import m.keras -o z.ecgm --rescale 1/255 -q --class-names 'Normal,Other one'
wants 0 '' 'a .keras file is imported'
check '--quiet says nothing' test ! -s err
run ecg-model show z.ecgm
check 'named classes' grep -q 'Other one' out
check 'Keras and kind' grep -q 'imported_from = Keras 3.3.3, .keras' out
printf 'Normal\r\n\nOther\n' >names.txt
run ecg-model import m.h5 -o n.ecgm --rescale=0.5 --class-names names.txt
wants 0 '' 'class names from a file'
check 'no word of numbers' test ! -s err
run ecg-model show n.ecgm
check 'both names' grep -q 'Other' out
check 'the factor' grep -q 'pixel \* 0.5' out
run ecg-model import m.h5 -o again.ecgm --rescale 0.5 --class-names names.txt
check 'the same bytes again' cmp -s n.ecgm again.ecgm

# ---- refused ----
run ecg-model import m.h5 -o x.ecgm
wants 1 '^ecg-model: m.h5: how pixels were scaled .*--rescale' 'the factor must be given'
for bad in 0 -1 1/0 x 1/255x nan inf ''; do
    run ecg-model import m.h5 -o x.ecgm "--rescale=$bad"
    wants 2 'rescale' "--rescale '$bad'"
done
run ecg-model import m.h5 --rescale 1
wants 2 '-o MODEL is needed' 'no output'
run ecg-model import m.h5 m.h5 -o x.ecgm --rescale 1
wants 2 '' 'two files'
run ecg-model import m.h5 -o x.ecgm --rescale 1 --class-names a,b,c
wants 1 'm.h5: 3 class names are given, the network has 2 classes' 'too many names'
run ecg-model import m.h5 -o x.ecgm --rescale 1 --class-names a,a
wants 1 'two classes are named "a"' 'a name twice'
run ecg-model import m.h5 -o x.ecgm --rescale 1 --class-names a,
wants 1 'm.h5: 1 class names' 'an empty name is none'
run ecg-model import m.h5 -o x.ecgm --rescale 1 --class-names none.txt
wants 1 'class-names none.txt: No such file' 'no file of names'
: >empty.txt
run ecg-model import m.h5 -o x.ecgm --rescale 1 --class-names empty.txt
wants 1 'no names in it' 'an empty file of names'
run ecg-model import m.h5 -o x.ecgm --rescale 1 --gray
wants 1 'reads 1 channels: --gray is for three' 'gray already'
run ecg-model import m.h5 -o x.ecgm --rescale 1 --size 7x6
wants 1 'reads 6x6 pictures, not --size 7x6' 'another size'
run ecg-model import none.h5 -o x.ecgm --rescale 1
wants 1 'none.h5: No such file' 'no file'
run ecg-model import . -o x.ecgm --rescale 1
wants 1 '^ecg-model: \.: not an ordinary file' 'a folder'
mkfifo pipe
run ecg-model import pipe -o x.ecgm --rescale 1
wants 1 '^ecg-model: pipe: not an ordinary file' 'a pipe'
printf 'hello' >text
run ecg-model import text -o x.ecgm --rescale 1
wants 1 '^ecg-model: text: ' 'another file'
head -c 9000 m.h5 >cut.h5
run ecg-model import cut.h5 -o x.ecgm --rescale 1
wants 1 '^ecg-model: cut.h5: ' 'a file cut short'
check 'one line' test "$(wc -l <err)" -eq 1
run ecg-model import m.h5 -o none/x.ecgm --rescale 1
wants 1 'none/x.ecgm' 'no folder to write to'
check 'nothing was written' test ! -e x.ecgm
cp m.h5 $'odd\nname.h5'
run ecg-model import $'odd\nname.h5' -o x.ecgm
check 'a line stays a line' test "$(wc -l <err)" -eq 1
finish
