#!/bin/bash
# ecg-train and signals: in the first epoch, before it, and ignored ones.
. "$2/common.sh"
"$make_pictures" data 20 || exit 2
# Steps that take long: an epoch has 54 of them.
slow=(--net 'conv2d 16 3x3 relu; conv2d 16 3x3 relu; maxpool 2x2; flatten; dense 3; softmax'
    --size 256x256 --batch 1 --epochs 1000 --quiet)

# lines FILE N: waits until FILE has at least N lines
lines() {
    local i
    for i in $(seq 3000); do
        [ -f "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ] && return
        sleep 0.01
    done
}

# ---- The first epoch ----
# A background job of a script ignores SIGINT unless job control is on.
set -m
for json in '' --json; do
    rm -f first.csv
    "$tools/ecg-train" data -o first.ecgm "${slow[@]}" $json --history first.csv >out 2>err </dev/null &
    pid=$!
    lines first.csv 1
    kill -s INT $pid
    wait $pid
    code=$?
    wants 75 'as it stood in the first epoch, never validated' "SIGINT in the first epoch $json"
    check 'no epoch was done' test "$(wc -l <first.csv)" -eq 1
    if [ "$json" ]; then
        check '--json is JSON' is_json out
        for key in best_epoch loss accuracy val_loss val_accuracy; do
            check "$key is null" grep -q "\"$key\":null[,}]" out
        done
        check 'it says that it was interrupted' grep -q '"interrupted":true,"epochs":0,' out
    else
        check 'the line says so' grep -qx 'first.ecgm: interrupted before the first epoch was done' out
    fi
done

# ---- While pictures are read ----
# Links to one large picture, which takes some time to decode.
python3 - <<'END'
import os, struct, zlib
def chunk(tag, data):
    return struct.pack('>I', len(data)) + tag + data + struct.pack('>I', zlib.crc32(tag + data))
n = 2500
with open('large.png', 'wb') as f:
    f.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', n, n, 8, 0, 0, 0, 0))
            + chunk(b'IDAT', zlib.compress(bytes(n * (n + 1)))) + chunk(b'IEND', b''))
for c in 'ab':
    os.makedirs('many/' + c)
    for i in range(2000):
        os.symlink('../../large.png', f'many/{c}/{i}.png')
END
"$tools/ecg-train" many -o loading.ecgm --net "$net" --checkpoint loading.ckpt >out 2>err </dev/null &
pid=$!
for _ in $(seq 600); do
    grep -q '^validation: ' err && break
    sleep 0.05
done
kill -s TERM $pid
wait $pid
code=$?
wants 75 'interrupted while reading pictures' 'SIGTERM while pictures are read'
check 'no model and no checkpoint was made' test ! -e loading.ecgm -a ! -e loading.ckpt
check 'and no result told' test ! -s out
set +m

# ---- Ignored by whoever started it ----
rm -f ignored.csv
(trap '' INT && exec "$tools/ecg-train" data -o ignored.ecgm --net "$net" --epochs 1000000 --history ignored.csv \
    --quiet) >out 2>err </dev/null &
pid=$!
lines ignored.csv 2
kill -s INT $pid
lines ignored.csv $(($(wc -l <ignored.csv) + 5))
check 'an ignored SIGINT stops nothing' kill -s 0 $pid
kill -s TERM $pid
wait $pid
code=$?
wants 75 'holds the best model so far' 'SIGTERM does'
finish
