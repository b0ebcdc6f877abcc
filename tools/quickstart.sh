#!/bin/bash
# From nothing to a trained network, in a minute or two: build, draw synthetic beats, train, evaluate, predict one.
# Installs packages that are missing where it may, else prints the command to run; asks nothing; needs no network once the
# packages are there. What it makes is in build/quickstart, made anew by each run.
#
#     tools/quickstart.sh [--count N] [--epochs N] [--seed N]
set -eu
cd "$(dirname "$0")/.."
count=2100 epochs=8 seed=1
while [ $# -gt 0 ]; do
    case $1 in
    --count | --epochs | --seed)
        if ! [[ ${2:-} =~ ^[0-9]+$ ]]; then
            echo "quickstart.sh: $1 takes a number" >&2
            exit 2
        fi
        declare "${1#--}=$2"
        shift 2
        ;;
    -h | --help)
        sed -n '2,6s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *)
        echo "quickstart.sh: $1? Usage: tools/quickstart.sh [--count N] [--epochs N] [--seed N]" >&2
        exit 2
        ;;
    esac
done

# shellcheck source=tools/packages.sh
. tools/packages.sh
need_packages "${ECG_BUILD_PACKAGES[@]}" "${ECG_MORE_PACKAGES[@]}"

say() {
    printf '\n== %s\n' "$*"
}
show() { # print a command, then run it
    printf '$ %s\n' "$*"
    "$@"
}

build=build/release
out=build/quickstart
mkdir -p build
log=build/quickstart-build.txt
say "building into $build"
generator=()
[ -f "$build/CMakeCache.txt" ] || generator=(-G Ninja)
targets=(ecg-beats ecg-train ecg-eval ecg-predict ecg-model)
if ! { cmake -S . -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release &&
    { ! cmake --build "$build" --target help | grep -q '\becg-serve\b' || targets+=(ecg-serve); } &&
    cmake --build "$build" -j "$(nproc)" --target "${targets[@]}"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "quickstart.sh: the build failed; all of it is in $log" >&2
    exit 1
fi

rm -rf "$out"
mkdir -p "$out"
say "drawing $count synthetic beats, seven classes"
show $build/tools/ecg-beats synth -o $out/beats --count "$count" --seed "$seed"

say "training, $epochs epochs"
show $build/tools/ecg-train $out/beats -o $out/beats.ecgm --epochs "$epochs" --seed "$seed"

say "evaluating on pictures of patients it has not seen"
show $build/tools/ecg-eval -m $out/beats.ecgm $out/beats/test

say "predicting one picture"
picture=$(find $out/beats/test -name '*.png' | LC_ALL=C sort | sed -n 1p)
show $build/tools/ecg-predict -m $out/beats.ecgm --top 3 "$picture"

cat <<END

The model is $out/beats.ecgm. What to try next:
  $build/tools/ecg-predict -m $out/beats.ecgm YOUR.png       a picture of your own: one beat, dark on white
  $build/tools/ecg-serve -m $out/beats.ecgm                  the same on a web page, http://127.0.0.1:8080
  $build/tools/ecg-train YOUR_FOLDER -o my.ecgm              your own pictures, a folder for each class
  $build/tools/ecg-train --help                              other networks, sizes, optimisers, schedules
  examples/predict.c                                         the same from a C program of yours
The beats above are drawn by formula, so figures on them say nothing about real ones.
$(sed -n 's/^#define ECG_NOTICE "\(.*\)"$/\1/p' include/ecgcnn/version.h)
END
