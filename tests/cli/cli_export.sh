#!/bin/bash
# ecg-model export: ONNX and C from models of every kind of layer, run by others; ONNX back in.
. "$2/common.sh"
make_models=$(dirname "$make_pictures")/make_models
kinds=(default seed jun layers vectors order flat dense avg)

# Beats, where there are some; else drawings. make_models adds noise.
if [ -d "${ECG_SHARED:-}/data/beat-images" ]; then
    mapfile -t pictures < <(for d in "$ECG_SHARED"/data/beat-images/*/; do find "$d" -name '*.png' | sort | head -n 2; done)
else
    skip 'no ECG_SHARED: drawings instead of beats'
    "$make_pictures" drawn 2 >/dev/null || exit 2
    mapfile -t pictures < <(find drawn -name '*.png' | sort)
fi
check 'pictures' test "${#pictures[@]}" -ge 6
"$make_models" . "${pictures[@]}" >made || exit 2
check 'models' test "$(wc -l <made)" -eq "${#kinds[@]}"

# ---- ONNX: checked and run by others ----
python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import numpy, onnx' 2>/dev/null && { python=$p; break; }
done
[ -n "$python" ] || skip 'no python3-onnx: files are not run'
for m in "${kinds[@]}"; do
    types=uint8
    [[ $m = [sv]* ]] && types='uint8 float'
    for type in $types; do
        run ecg-model export $m.ecgm -o $m.$type.onnx --input $type
        wants 0 '' "$m as ONNX, $type"
        [ -z "$python" ] || check "$m, $type: the library's probabilities" "$python" "$source/../check/onnx_run.py" $m.$type.onnx $m.u8 $m.f32 2e-6
        run ecg-model import $m.$type.onnx -o back.ecgm -q
        wants 0 '' "$m back in, $type"
        "$tools/ecg-predict" -m $m.ecgm --json "${pictures[@]}" >there
        "$tools/ecg-predict" -m back.ecgm --json "${pictures[@]}" >back
        check "$m, $type: the same bits after the round trip" cmp -s there back
        for f in $m back; do
            "$tools/ecg-model" show $f.ecgm --json | sed 's/.*"classes":/"classes":/; s/"bytes":.*//' >$f.shown
        done
        check "$m, $type: classes, preprocessing, rule, provenance" cmp -s $m.shown back.shown
    done
done
check 'something was compared' grep -q '"preprocess":.*"rule":.*"epochs":"3"' back.shown
check 'and predicted' test "$(wc -l <back)" -eq "${#pictures[@]}"
run ecg-model export seed.ecgm -o again.onnx
check 'the same bytes again' cmp -s again.onnx seed.uint8.onnx
run ecg-model export jun.ecgm -o left.onnx
wants 0 'only noted: the threshold 0.5' 'what ONNX cannot carry is said'
check 'and in the file' grep -qa 'rule.threshold' left.onnx
check 'with the notice' grep -qa 'Not a medical device' left.onnx
if [ -n "$python" ] && "$python" -c 'import torch, PIL' 2>/dev/null; then
    check 'PyTorch files' "$python" "$source/../check/onnx_torch.py" "$tools" .
else
    skip 'no PyTorch: its files are not read'
fi

# ---- C: compiled by whatever is here ----
compiles() { # FLAGS... FILE: as C99 without a word
    ${CC:-cc} -std=c99 -Wall -Wextra -pedantic -Werror "${@:1:$#-1}" -c "${!#}" -o model.o
}
names=(Normal $'\xc3\x84 "quoted" ??/ \\ */ ' 'a b' c d e f g) # as make_models has them
for ((i = 8; i < 64; i++)); do names+=("class $i"); done
runs() { # NAME FLAGS...
    local m=$1 upper=${1^^}
    ${CC:-cc} "${@:2}" -I. -DHEADER="\"$m.h\"" -DMODEL="$m" -DUPPER="$upper" "$source/run_c.c" model.o -lm -o run_c || return
    ./run_c "$m.u8" "$m.f32" 1e-5 "${names[@]}" >c.txt || { cat c.txt; return 1; }
}
for m in "${kinds[@]}"; do
    [ $m = jun ] && continue
    run ecg-model export $m.ecgm -o $m.c
    wants 0 '' "$m as C"
    check "$m: C99 without a warning" compiles -O2 $m.c
    check "$m: the library's probabilities" runs $m -O2
done
sanitize=(-O1 -fsanitize=address,undefined -fno-sanitize-recover=all)
if compiles "${sanitize[@]}" layers.c 2>/dev/null; then
    for m in layers avg flat; do
        check "$m: sanitized" compiles "${sanitize[@]}" $m.c
        check "$m: nothing found" runs $m "${sanitize[@]}"
    done
else
    skip 'no sanitizers'
fi
if command -v "${CXX:-c++}" >/dev/null; then
    for m in layers avg vectors seed; do
        check "$m: C++98 without a warning" "${CXX:-c++}" -x c++ -std=c++98 -Wall -Wextra -pedantic -Werror -c $m.c -o model.o
    done
    check 'and it links with C' runs seed
else
    skip 'no C++ compiler'
fi
check 'no static memory' compiles -DSEED_NO_STATIC seed.c
if size -A model.o >sections 2>/dev/null; then
    check 'is none' test "$(awk '/^\.bss/ { print $2 }' sections)" = 0
fi
if ${CC:-cc} -fstack-usage -Os -std=c99 -c layers.c -o model.o 2>/dev/null && [ -s model.su ]; then
    check 'the stack is as small as is said' test "$(awk '{ n += $2 } END { print n }' model.su)" -lt 1024
fi
run ecg-model export seed.ecgm -o other.c --name seed
check 'the same C again' sh -c 'sed s/other.h/seed.h/ other.c | cmp -s - seed.c'
grep -q 'define SEED_THRESHOLD 0.0f' seed.h && grep -q 'Not a medical device' seed.h seed.c
check 'threshold and notice' test $? -eq 0
run ecg-model export jun.ecgm -o jun.c
wants 1 'the model has [0-9]* bytes of weights, a C file may have 4194304; --max-bytes allows for more' 'a large model'
check 'and nothing is written' test ! -e jun.c -a ! -e jun.h
run ecg-model export seed.ecgm -o '9 odd-name.c'
wants 0 '' 'a name that is no identifier'
check 'becomes one' grep -q 'int m9_odd_name_predict(' '9 odd-name.c'

# ---- what is not done ----
run ecg-model export seed.ecgm -o seed.pb
wants 2 'ends neither in .onnx nor in .c' 'another form'
run ecg-model export seed.ecgm
wants 2 'where to' 'no output'
run ecg-model export seed.ecgm -o seed2.c --name 2x
wants 1 'no C identifier' 'a name for C'
run ecg-model export none.ecgm -o x.onnx
wants 1 'none.ecgm' 'no model'
run ecg-model export seed.ecgm -o none/x.onnx
wants 1 'none/x.onnx: cannot be written' 'no folder'
head -c 3000 flat.uint8.onnx >cut.onnx
run ecg-model import cut.onnx -o cut.ecgm
wants 1 'cut.onnx: ' 'a file cut short'
check 'no model of it' test ! -e cut.ecgm
run ecg-model export --help
wants 0 '' '--help'
finish
