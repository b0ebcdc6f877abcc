#!/bin/bash
# What every tool has in common: help, version, wrong use, man page.
. "$2/common.sh"
man=$source/../../tools/man

# Long options in a text, sorted; --[no-]x counts as --x.
options() {
    sed 's/--\[no-\]/--/g' "$1" | grep -oE -e "$2" | grep -oE -e '--[a-z][a-z0-9-]*' | sort -u
}

for tool in ecg-train ecg-eval ecg-predict; do
    run $tool --help
    wants 0 '' "$tool --help"
    check "$tool --help prints to stdout" grep -q '^Usage: ' out
    check "$tool --help leaves stderr empty" test ! -s err
    check "$tool --help fits 80 columns" test "$(wc -L <out)" -le 80
    check "$tool --help shows the notice" grep -q 'Not a medical device' out
    cp out help
    run $tool --version
    wants 0 '' "$tool --version"
    check "$tool --version names itself" grep -qE "^$tool [0-9]+\.[0-9]+\.[0-9]+$" out
    check "$tool --version shows the notice" grep -q 'Not a medical device' out
    run $tool --no-such-flag
    wants 2 "unknown option '--no-such-flag'" "$tool with a wrong flag"
    check "$tool says where help is" grep -q "try '$tool --help'" err
    check "$tool keeps stdout empty when used wrongly" test ! -s out
    run $tool --quite
    wants 2 "did you mean '--quiet'" "$tool suggests the nearest option"
    run $tool
    wants 2 'expected' "$tool without arguments"
    run $tool --threads none x
    wants 2 "expected 1..256, got 'none'" "$tool with a bad number"

    options help '^  (-., |    )--[^ ]*' >in-help
    sed 's/\\-/-/g; s/^\.It Fl Fl \([a-z0-9-]*\).*/--\1/; s/^\.It Fl . , Fl Fl \([a-z0-9-]*\).*/--\1/' \
        "$man/$tool.1" >page
    options page '^--[^ ]*' >in-man
    check "$tool has options" test "$(wc -l <in-help)" -ge 5
    if cmp -s in-help in-man; then
        ok
    else
        bad "$tool: options of --help (<) and of the man page (>) differ"
        diff in-help in-man
    fi
done

for tool in ecg-eval ecg-predict; do
    run $tool x
    wants 2 '-m MODEL.*ECG_MODEL' "$tool without a model names both ways"
    run $tool -m missing.ecgm x
    wants 1 'missing.ecgm' "$tool with a missing model"
    echo 'this is no model' >text.ecgm
    run $tool -m text.ecgm x
    wants 1 'text.ecgm' "$tool with a text as model"
done

if [ -w /dev/full ]; then
    "$tools/ecg-train" --help >/dev/full 2>err
    code=$?
    wants 1 'standard output: No space left on device' 'a full disk on stdout'
else
    skip 'no /dev/full'
fi

# ---- Layers ----
run ecg-train --help
sed -n '/^Layers in the text/,/^$/s/^  \([a-z0-9_]*\): .*/\1/p' out >layers
check 'the help lists layers' test "$(grep -cxE 'conv2d|batchnorm|softmax' layers)" -eq 3
sed -n '/^.Sh LAYERS/,/^.El/s/^.It Cm //p' "$man/ecg-train.1" >in-man
check 'the man page lists the same layers' cmp layers in-man

# ---- Closed streams: no file of ours may take their place ----
"$make_pictures" data 20 || exit 2
"$tools/ecg-train" data -o a.ecgm --net "$net" --epochs 2 --history a.csv >out 2>&- </dev/null
code=$?
wants 0 '' 'stderr closed'
check 'the history holds its own lines only' test "$(grep -cvE '^(epoch,loss,|[12],)' a.csv)" -eq 0
check 'the history is whole' test "$(wc -l <a.csv)" -eq 3
"$tools/ecg-train" data -o b.ecgm --net "$net" --epochs 2 --history b.csv -q 2>err >&- <&-
code=$?
wants 1 'standard output: Bad file descriptor' 'stdin and stdout closed'
check 'that history holds its own lines only' test "$(grep -cvE '^(epoch,loss,|[12],)' b.csv)" -eq 0
"$tools/ecg-predict" -m a.ecgm - >out 2>err <&-
code=$?
wants 1 'standard input: Bad file descriptor' 'reading a closed stdin'
# ---- The kernels of the BLAS: what runs, and a warning where the processor could run faster ones ----
if "$tools/ecg-train" --version | grep -q 'OpenBLAS [A-Z]' && grep -qw avx2 /proc/cpuinfo 2>/dev/null; then
    OPENBLAS_CORETYPE=Nehalem run ecg-train --version
    wants 0 '' '--version with old kernels'
    check '--version names the kernels' grep -q 'OpenBLAS Nehalem' out
    check '--version says which are faster' grep -qE 'slower BLAS kernels .* set OPENBLAS_CORETYPE=[A-Z]' out
    run ecg-train --version
    check 'kernels that the tools choose are right' test "$(grep -c 'slower BLAS' out)" -eq 0
else
    skip 'kernels: no OpenBLAS that says what it runs, or no AVX2'
fi
finish
