#!/bin/bash
# ecg-serve: options here, HTTP in ../web.
. "$2/common.sh"
if [ ! -x "$tools/ecg-serve" ]; then
    skip 'ecg-serve was not built: no libmicrohttpd'
    exit 0
fi
if ! command -v python3 >/dev/null; then
    skip 'no python3'
    exit 0
fi
"$make_pictures" data 20 || exit 2
for n in 4 5; do
    run ecg-train data -o "m$n.ecgm" --net "${net/conv2d 4/conv2d $n}" --epochs 8 --batch 8 --lr 0.01 --quiet
    wants 0 '' 'a model to serve'
done

# ---- Wrong usage ----
wrong() { # PATTERN OPTIONS...
    run ecg-serve "${@:2}"
    wants 2 "$1" "${*:2}"
}
wrong 'which model' --listen 127.0.0.1:0
wrong 'unexpected argument' -m m4.ecgm m5.ecgm
wrong '--listen nowhere: ' -m m4.ecgm --listen nowhere
wrong '--listen 127.0.0.1:99999: ' -m m4.ecgm --listen 127.0.0.1:99999
wrong "unknown option '--upload', did you mean '--uploads'" -m m4.ecgm --upload x
wrong 'expected 1\.\.256' -m m4.ecgm --threads 0
wrong 'expected 1\.\.3600' -m m4.ecgm --timeout 0
wrong 'need --uploads' -m m4.ecgm --retain-days 3
run ecg-serve --help
wants 0 '' '--help'
check 'it names the signals' grep -q SIGHUP out
fails() { # PATTERN OPTIONS...
    run ecg-serve --listen 127.0.0.1:0 "${@:2}"
    wants 1 "$1" "${*:2}"
    check "one line: ${*:2}" test "$(wc -l <err)" -eq 1
}
echo short >token
fails 'missing\.ecgm: .*No such file' -m missing.ecgm
fails 'nowhere: No such file' -m m4.ecgm --web nowhere
fails 'nowhere/kept: ' -m m4.ecgm --uploads nowhere/kept
fails 'nowhere/log: ' -m m4.ecgm --log nowhere/log
fails 'nowhere: No such file' -m m4.ecgm --card nowhere
fails 'token: the first line has 5 characters' -m m4.ecgm --token token
if [ "$(id -u)" -ne 0 ]; then
    fails '127.0.0.1:1: Permission denied' -m m4.ecgm --listen 127.0.0.1:1
fi

# ---- HTTP ----
python3 -c '
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
w = h = 2500
rows = b"".join(b"\0" + bytes((x * y >> 7) & 255 for x in range(w)) for y in range(h))
open("large.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)) +
                              chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))' || exit 2
more=${ECG_SHARED:-}/data/beat-images
[ -d "$more" ] || { skip 'no shared pictures'; more=; }
web() { # SCRIPT ARGUMENTS...
    python3 "$source/../web/$1" "$tools" "${@:2}" >said 2>&1
    code=$?
    cat said
    check "$1" test "$code" -eq 0
}
web api.py m4.ecgm m5.ecgm data ${more:+"$more"}
web limits.py m4.ecgm 'data/Class A/00.png' large.png
finish
