#!/bin/bash
# Everything that is checked, on a fresh Debian or Ubuntu too: installs packages that are missing where it may, else
# prints the command and stops. A line per step, PASS, FAIL or SKIP with its seconds; then `N passed, N failed, N skipped`.
#
#     tests/run.sh            about 15 minutes on 2 cores
#     tests/run.sh --quick    release build, its tests and the checks
#     tests/run.sh --full     fuzz each target for 600 seconds instead of 10; every other value of every byte of a model file
#
# ECG_SHARED     folder with reference vectors (default: ../shared beside this project); without it they are skipped
# ECG_BUILD      where to build (default: build)
# FUZZ_SECONDS   for each fuzz target
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
quick=0 fuzz_seconds=${FUZZ_SECONDS:-10}
for arg in "$@"; do
    case $arg in
    --quick) quick=1 ;;
    --full) fuzz_seconds=${FUZZ_SECONDS:-600}; export ECG_FULL=1 ;;
    -h | --help)
        sed -n '2,12s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *)
        echo "tests/run.sh: $arg? Usage: tests/run.sh [--quick | --full]" >&2
        exit 2
        ;;
    esac
done
export LC_ALL=C.UTF-8
export ECG_SHARED=${ECG_SHARED:-$root/../shared}
export CTEST_OUTPUT_ON_FAILURE=1
# Running out of memory is tested: the sanitizers, too, are to answer NULL.
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=allocator_may_return_null=1
build=${ECG_BUILD:-$root/build}
jobs=$(nproc)
logs=$build/logs
passed=0 failed=0 skipped=0
failures=()

# ---- machinery: step NAME COMMAND...; exit status 77 is a skip whose reason is the last line said ----

step() {
    local name=$1 log status start=$SECONDS
    shift
    log=$logs/${name//[^a-zA-Z0-9]/-}.txt
    "$@" >"$log" 2>&1 </dev/null
    status=$?
    case $status in
    0)
        passed=$((passed + 1))
        echo "PASS $name $((SECONDS - start)) s"
        ;;
    77)
        skipped=$((skipped + 1))
        echo "SKIP $name: $(tail -n 1 "$log")"
        ;;
    *)
        failed=$((failed + 1))
        failures+=("$name")
        echo "FAIL $name $((SECONDS - start)) s (status $status), the end of $log:"
        tail -n 60 "$log" | sed 's/^/    /'
        ;;
    esac
    return $status
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIP $1: $2"
}

# after TREE NAME COMMAND...: a step that says nothing unless that tree's build has passed.
declare -A built
after() {
    local tree=$1
    shift
    if [ "${built[$tree]:-no}" = yes ]; then
        step "$@"
    else
        skip "$1" "the $tree build failed"
    fi
}

build_preset() { # preset, arguments of cmake --build
    local preset=$1
    shift
    # Whatever an older build folder was told, all is built here.
    cmake --preset "$preset" -G Ninja -B "$build/$preset" -DECG_TESTS=ON -DECG_EXAMPLES=ON &&
        cmake --build "$build/$preset" -j "$jobs" "$@"
}

run_ctest() { # preset, arguments of ctest
    local preset=$1
    shift
    ctest --test-dir "$build/$preset" --no-tests=error -j "$jobs" --timeout 600 "$@"
}

# ---- steps ----

# Sources that start threads; ThreadSanitizer runs their tests, and those of what is written on top of them.
threaded='test_(parallel|gemm|trainer|fit|step|resume|loader|session|grads|source|profile)[a-z_]*'

tsan_build() {
    local targets
    cmake --preset tsan -G Ninja -B "$build/tsan" -DECG_TESTS=ON || return
    targets=$(cd tests/unit && printf '%s\n' test_*.c | sed 's/\.c$//' | grep -xE "$threaded")
    [ -n "$targets" ] || return 1
    # shellcheck disable=SC2086
    cmake --build "$build/tsan" -j "$jobs" --target $targets
}

# OpenBLAS starts its threads when it is loaded, and a child forked by Check would be refused for them; the tests
# therefore run unforked. A kernel that lays memory out at random over more bits than ThreadSanitizer knows needs setarch.
tsan_test() {
    local personality=()
    setarch "$(uname -m)" -R true 2>/dev/null && personality=(setarch "$(uname -m)" -R)
    CK_FORK=no OPENBLAS_NUM_THREADS=1 TSAN_OPTIONS="halt_on_error=1 die_after_fork=0 allocator_may_return_null=1" \
        "${personality[@]}" ctest --test-dir "$build/tsan" --no-tests=error -j "$jobs" --timeout 600 \
        -R "^unit\.$threaded\$"
}

fuzz_one() { # target
    local name=${1#fuzz_} found=$build/fuzz/found/${1#fuzz_}
    mkdir -p "$found"
    "$build/fuzz/tests/fuzz/$1" -max_total_time="$fuzz_seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$build/fuzz/" "$found" "tests/fuzz/corpus/$name"
}

golden() { # program, folder
    local program=$build/release/tests/$1
    [ -d "$2" ] || { echo "no folder $2"; return 77; }
    [ -x "$program" ] || { echo "no program $1"; return 1; }
    "$program" "$2"
}

layering() {
    tests/check/layering.py --self-test && tests/check/layering.py
}

symbols() {
    local lib
    lib=$(find "$build/release/lib" -maxdepth 1 -name libecgcnn.so)
    tests/check/symbols.py "$lib" "$build/release/lib/libecgcnn.a" "$build/release/lib/libecgcnn_infer.a"
}

# The shortest run of the benchmark: it works and its numbers are numbers. How large they are is not looked at.
bench() {
    "$build/release/tests/bench/ecg-bench" --net seed --seconds 0.2 --rounds 1 --threads 2 --json |
        python3 -c 'import json, sys; r = json.load(sys.stdin); print(r); assert r["train_pictures_per_s"] > 0'
}

# ---- packages ----

# shellcheck source=tools/packages.sh
. tools/packages.sh
packages=("${ECG_BUILD_PACKAGES[@]}" "${ECG_TEST_PACKAGES[@]}")
if [ $quick -eq 0 ] || ! command -v clang-format >/dev/null; then
    packages+=(clang clang-format)
    # Where the sanitizers' run-time libraries are a package of their own.
    [ -n "$(apt-cache search --names-only '^libclang-rt-dev$' 2>/dev/null)" ] && packages+=(libclang-rt-dev)
fi
need_packages "${packages[@]}" || exit 1

mkdir -p "$logs"
start=$SECONDS

# ---- run ----

step "layering" layering
step "a test for each source" tests/check/sources.py
step "headers alone, C11 and C++17" tests/check/headers.sh include
step "formatting" tests/check/format.sh .

step "release build" build_preset release && built[release]=yes
after release "release tests" run_ctest release
after release "exported symbols" symbols
after release "notice" tests/check/notice.sh . "$build/release/tools"

for dir in tests/vectors/*/; do
    program=golden_$(basename "$dir")
    [ -f "tests/golden/$program.c" ] && after release "golden own $(basename "$dir")" golden "$program" "$dir"
done
if ! ls tests/golden/golden_*.c >/dev/null 2>&1; then
    skip golden "no program for reference vectors"
elif [ -d "$ECG_SHARED" ]; then
    for program in tests/golden/golden_*.c; do
        program=$(basename "$program" .c)
        [[ $program =~ ^golden_[a-z0-9]+$ ]] || continue # golden_nn_case.c is a part of golden_nn
        folder=${program#golden_}
        [ "$folder" = image ] && folder=augment
        after release "golden shared ${program#golden_}" golden "$program" "$ECG_SHARED/golden/$folder"
    done
else
    skip golden "no shared folder"
fi

after release "installed, and used from outside" tests/install/run.sh "$root" "$build/release" "$build/install"
after release "benchmark runs" bench

if [ $quick -eq 0 ]; then
    step "sanitizer build" build_preset debug && built[debug]=yes
    after debug "sanitizer tests" run_ctest debug
    step "thread sanitizer build" tsan_build && built[tsan]=yes
    after tsan "thread sanitizer tests" tsan_test
    if ls tests/fuzz/fuzz_*.c >/dev/null 2>&1; then
        step "fuzz build" build_preset fuzz --target fuzzers && built[fuzz]=yes
        for target in tests/fuzz/fuzz_*.c; do
            target=$(basename "$target" .c)
            after fuzz "fuzz ${target#fuzz_}, $fuzz_seconds s" fuzz_one "$target"
        done
    else
        skip fuzz "no target"
    fi
fi

[ ${#failures[@]} -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
echo "$((SECONDS - start)) seconds, logs in $logs"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
