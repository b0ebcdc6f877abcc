#!/bin/bash
# Everything that is checked, on a fresh Debian or Ubuntu too: installs packages that are missing where it may, else
# prints the command and stops. A line per step, PASS, FAIL or SKIP with its seconds; then `N passed, N failed, N skipped`.
#
#     tests/run.sh            about 25 minutes on 2 cores
#     tests/run.sh --quick    release build, its tests and the checks
#     tests/run.sh --full     hours: each target fuzzed for 600 seconds instead of 30, training killed 200 times, every value
#                             of every byte of a model file, every allocation of the tools refused, a million files
#
# ECG_SHARED     folder with reference vectors (default: ../shared beside this project); without it they are skipped
# ECG_BUILD      where to build (default: build)
# FUZZ_SECONDS   for each fuzz target; as many run at once as there are cores
# KILLS          how often training is killed and resumed
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
quick=0 fuzz_seconds=${FUZZ_SECONDS:-30}
for arg in "$@"; do
    case $arg in
    --quick) quick=1 ;;
    --full) fuzz_seconds=${FUZZ_SECONDS:-600}; export ECG_FULL=1 KILLS=${KILLS:-200} ;;
    -h | --help)
        sed -n '2,14s/^# \{0,1\}//p' "$0"
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
    report "$name" "$log" $status $((SECONDS - start))
    return $status
}

report() { # name, log, status, seconds
    case $3 in
    0)
        passed=$((passed + 1))
        echo "PASS $1 $4 s"
        ;;
    77)
        skipped=$((skipped + 1))
        echo "SKIP $1: $(tail -n 1 "$2")"
        ;;
    *)
        failed=$((failed + 1))
        failures+=("$1")
        echo "FAIL $1 $4 s (status $3), the end of $2:"
        tail -n 60 "$2" | sed 's/^/    /'
        ;;
    esac
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
    ctest --test-dir "$build/$preset" --no-tests=error -j "$jobs" --timeout 1800 "$@"
}

# ---- steps ----

# Sources that start threads; ThreadSanitizer runs their tests, and those of what is written on top of them.
threaded='test_(threads|parallel|gemm|trainer|fit|step|resume|loader|session|grads|source|profile|bootstrap|audit|share|together|train_group)[a-z_]*'

tsan_build() {
    local targets
    cmake --preset tsan -G Ninja -B "$build/tsan" -DECG_TESTS=ON || return
    targets=$(cd tests/unit && printf '%s\n' test_*.c | sed 's/\.c$//' | grep -xE "$threaded")
    [ -n "$targets" ] || return 1
    # shellcheck disable=SC2086
    cmake --build "$build/tsan" -j "$jobs" --target $targets serve_tools test_limiter test_uploads
}

# OpenBLAS starts its threads when it is loaded, and a child forked by Check would be refused for them; the tests
# therefore run unforked. A kernel that lays memory out at random over more bits than ThreadSanitizer knows needs setarch.
tsan_test() {
    local personality=()
    setarch "$(uname -m)" -R true 2>/dev/null && personality=(setarch "$(uname -m)" -R)
    CK_FORK=no OPENBLAS_NUM_THREADS=1 TSAN_OPTIONS="halt_on_error=1 die_after_fork=0 allocator_may_return_null=1" \
        "${personality[@]}" ctest --test-dir "$build/tsan" --no-tests=error -j "$jobs" --timeout 1800 \
        -R "^(unit\.$threaded|cli\.(serve|test_limiter|test_uploads))\$"
}

fuzz_one() { # name of a target
    local found=$build/fuzz/found/$1 words=()
    mkdir -p "$found"
    [ -f "tests/fuzz/$1.dict" ] && words=("-dict=tests/fuzz/$1.dict")
    "$build/fuzz/tests/fuzz/fuzz_$1" -max_total_time="$fuzz_seconds" -rss_limit_mb=2048 -timeout=60 -print_final_stats=1 \
        -artifact_prefix="$build/fuzz/$1-" "${words[@]}" "$found" "tests/fuzz/corpus/$1"
}

# All targets that were built, as many at once as there are cores.
fuzz_all() {
    local target name names=() start status seconds
    for target in "$build"/fuzz/tests/fuzz/fuzz_*; do
        [ -f "$target" ] && [ -x "$target" ] && [ -f "tests/fuzz/${target##*/}.c" ] && names+=("${target##*/fuzz_}")
    done
    [ ${#names[@]} -gt 0 ] || { skip fuzz "no target"; return; }
    for name in "${names[@]}"; do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
        {
            start=$SECONDS
            fuzz_one "$name" >"$logs/fuzz-$name.txt" 2>&1 </dev/null
            echo "$? $((SECONDS - start))" >"$logs/fuzz-$name.status"
        } &
    done
    wait
    for name in "${names[@]}"; do
        read -r status seconds <"$logs/fuzz-$name.status"
        report "fuzz $name" "$logs/fuzz-$name.txt" "$status" "$seconds"
    done
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

abi() {
    tests/check/abi.py --self-test && tests/check/abi.py "$build/release/lib/libecgcnn.so"
}

# The API reference, in which doxygen finds nothing to warn of.
docs() {
    command -v doxygen >/dev/null || { echo "no doxygen here"; return 77; }
    cmake --build "$build/release" --target docs && [ -s "$build/release/docs/html/net_8h.html" ] &&
        grep -q ecg_session_new_in "$build/release/docs/html/net_8h.html"
}

# The shortest run of the benchmark: it works and its numbers are numbers. How large they are is not looked at.
bench() {
    "$build/release/tests/bench/ecg-bench" --net seed --seconds 0.2 --rounds 1 --threads 2 --json |
        python3 -c 'import json, sys; r = json.load(sys.stdin); print(r); assert r["train_pictures_per_s"] > 0'
}

# ---- packages ----

# shellcheck source=tools/packages.sh
. tools/packages.sh
packages=("${ECG_BUILD_PACKAGES[@]}" "${ECG_MORE_PACKAGES[@]}" "${ECG_TEST_PACKAGES[@]}")
if [ $quick -eq 0 ] || ! command -v clang-format >/dev/null; then
    packages+=(clang clang-format)
    # Where the sanitizers' run-time libraries are a package of their own.
    [ -n "$(apt-cache search --names-only '^libclang-rt-dev$' 2>/dev/null)" ] && packages+=(libclang-rt-dev)
fi
need_packages "${packages[@]}" || exit 1
need_packages "${ECG_OPTIONAL_PACKAGES[@]}" || echo "going on without; what needs them is skipped"

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
after release "binary interface against the last release" abi
after release "API reference" docs
[ $quick -eq 1 ] || after release "Debian packages" tests/install/deb.sh "$root" "$build/release" "$build/deb"
if [ -n "${ECG_FULL:-}" ]; then # minutes
    step "two builds, the same bytes" tests/check/reproducible.sh "$root" "$build/reproducible"
fi
after release "benchmark runs" bench

if [ $quick -eq 0 ]; then
    step "sanitizer build" build_preset debug && built[debug]=yes
    after debug "sanitizer tests" run_ctest debug
    step "thread sanitizer build" tsan_build && built[tsan]=yes
    after tsan "thread sanitizer tests" tsan_test
    step "fuzz build" build_preset fuzz --target fuzzers && built[fuzz]=yes
    if [ "${built[fuzz]:-no}" = yes ]; then
        fuzz_all
    else
        skip fuzz "the fuzz build failed"
    fi
fi

[ ${#failures[@]} -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
echo "$((SECONDS - start)) seconds, logs in $logs"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
