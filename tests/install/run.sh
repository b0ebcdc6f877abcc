#!/bin/bash
# Install a build into a scratch prefix and use it as a stranger would: examples/predict.c built by find_package (shared,
# static, inference only) and by pkg-config. All must give the installed tool's answer, and the inference-only program
# must carry no training code.
# usage: run.sh ROOT BUILD_DIR SCRATCH_DIR
set -eu
root=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
rm -rf "$3"
mkdir -p "$3"
work=$(cd "$3" && pwd)
prefix=$work/prefix

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
# Nothing of where it was built stands in what is installed for CMake and pkg-config.
if grep -rn -F -e "$build" -e "$root/lib" "$libdir/cmake" "$libdir/pkgconfig"; then
    echo "the installed configuration names the build folder"
    exit 1
fi
