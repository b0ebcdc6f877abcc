#!/bin/bash
# Install a build into a scratch prefix, whose name has spaces, and use it as a stranger would: examples/predict.c built by
# find_package (shared, static, inference only) and by pkg-config; all must give the installed tool's answer, and the
# inference-only program must carry no training code. Then all examples, and a program in C++, built and run.
# usage: run.sh ROOT BUILD_DIR SCRATCH_DIR
set -eu
root=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
rm -rf "$3"
mkdir -p "$3"
work=$(cd "$3" && pwd)
prefix="$work/an installed prefix"

cmake --install "$build" --prefix "$prefix" >"$work/install.txt"
libdir=$(dirname "$(find "$prefix" -name 'libecgcnn.so' -print -quit)")
bin=$prefix/bin

# A small model and a picture, by the installed tools: they find their library themselves.
unset LD_LIBRARY_PATH
"$bin/ecg-beats" synth -o "$work/beats" --count 140 --seed 3
"$bin/ecg-train" "$work/beats" -o "$work/m.ecgm" --epochs 1 --seed 3 --size 32x32 --quiet \
    --net "conv2d 4 3x3 relu; maxpool 4x4; flatten; dense 7; softmax"
picture=$(find "$work/beats" -name '*.png' | LC_ALL=C sort | head -n 1)
want=$("$bin/ecg-predict" -m "$work/m.ecgm" "$picture" | cut -f 2,3)
echo "ecg-predict: $want"

try() { # name program
    local got
    got=$("$2" "$work/m.ecgm" "$picture")
    echo "$1: $got"
    [ "$got" = "$want" ] || { echo "$1 differs from ecg-predict"; exit 1; }
    if "$2" "$work/none.ecgm" "$picture" 2>"$work/error.txt" || ! grep -q none.ecgm "$work/error.txt"; then
        echo "$1: a missing model gives no error that names it"
        exit 1
    fi
}

export LD_LIBRARY_PATH=$libdir
for target in ecgcnn static infer; do
    cmake -S "$root/tests/install/cmake" -B "$work/$target" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
        -DECG_TARGET="ecgcnn::$target" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" >"$work/$target.txt"
    cmake --build "$work/$target" >>"$work/$target.txt" || { cat "$work/$target.txt"; exit 1; }
    try "find_package ecgcnn::$target" "$work/$target/predict"
done

export PKG_CONFIG_PATH=$libdir/pkgconfig
for kind in shared static; do
    if [ $kind = shared ]; then
        eval "flags=($(pkg-config --cflags --libs ecgcnn))" # it escapes spaces for a shell
    else
        eval "flags=($(pkg-config --static --cflags --libs ecgcnn | sed 's/-lecgcnn/-l:libecgcnn.a/'))"
    fi
    "${CC:-cc}" -std=c11 -Wall -Wextra -Werror "$root/examples/predict.c" "${flags[@]}" -o "$work/predict-$kind"
    try "pkg-config $kind" "$work/predict-$kind"
done

# A program linked with the static libraries stands by itself; one with the shared library needs it.
for program in static/predict infer/predict predict-static; do
    if ldd "$work/$program" | grep -q libecgcnn; then
        echo "$program is linked with the shared library"
        exit 1
    fi
done
ldd "$work/ecgcnn/predict" | grep -q libecgcnn

python3 "$root/tests/check/symbols.py" --no-training "$work/infer/predict"

# ---- The examples, each as examples/README.md says ----
says() { # what it must say (grep -E), program, arguments
    local pattern=$1
    shift
    "$@" >"$work/said.txt" 2>&1 || { echo "failed: $*"; cat "$work/said.txt"; exit 1; }
    grep -qE -e "$pattern" "$work/said.txt" || { echo "$*: no '$pattern' in this:"; cat "$work/said.txt"; exit 1; }
    echo "$(basename "$1"): $(tail -n 1 "$work/said.txt")"
}
examples=$work/ecgcnn
says 'epoch 4/4: .*validation (9[0-9]|100)\.' "$examples/train_custom" "$work/own.ecgm"
says '^own.ecgm|class' "$bin/ecg-model" show "$work/own.ecgm"
says '23 versions, 1172x524 pixels' "$examples/augment_preview" "$picture" "$work/sheet.png"
says '23 versions' "$examples/augment_preview" "$picture" "$work/sheet2.png" noise=30,horizontal_flip
if cmp -s "$work/sheet.png" "$work/sheet2.png"; then
    echo "augment_preview: other options, the same sheet"
    exit 1
fi
says 'PVC .*ok$' "$examples/stream" "$work/own.ecgm" 20
beats=$(wc -l <"$work/said.txt")
[ "$beats" -ge 20 ] && [ "$beats" -le 30 ] || { echo "stream: $beats beats in 20 seconds"; exit 1; }
says 'session [0-9]+ bytes' "$examples/embedded" "$work/own.ecgm"
python3 "$root/tests/check/symbols.py" --no-training "$examples/embedded"
says '^[0-9.]+ from C\+\+.* Not a medical device' "$examples/in_cpp"

# A recording: two minutes of one lead, a beat every 0.75 s, annotated.
awk 'BEGIN { print "time,MLII"; for (i = 0; i < 30000; i++) { t = i / 250; x = (t - 0.75 * int(t / 0.75) - 0.3) / 0.02
    printf "%.3f,%.3f\n", t, exp(-x * x) - 0.2 * exp(-(x - 2) * (x - 2)) + 0.2 * exp(-(x - 14) * (x - 14) / 30) } }' \
    >"$work/heart.csv"
says 'heart\.cnn: (159|160) beats' "$examples/annotate_record" "$work/own.ecgm" "$work/heart.csv" "$work/heart.cnn"
for program in train_custom augment_preview stream embedded annotate_record; do
    if "$examples/$program" 2>"$work/error.txt" || ! grep -q "^usage: $program" "$work/error.txt"; then
        echo "$program does not say how it is used"
        exit 1
    fi
done
# Nothing of where it was built stands in what is installed for CMake and pkg-config.
if grep -rn -F -e "$build" -e "$root/lib" "$libdir/cmake" "$libdir/pkgconfig"; then
    echo "the installed configuration names the build folder"
    exit 1
fi
