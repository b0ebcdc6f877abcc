#!/bin/bash
# get-mitdb.sh [--from DIR|URL] [--to DIR]: the MIT-BIH Arrhythmia Database (48 half hours, 100 MB) from PhysioNet, or
# from a mirror or a copy on disk, into ./mitdb. What is there already and whole is not fetched again; what was cut off
# is gone on with. Files are checked against the list SHA256SUMS.txt of the source and take their name only when right.
#
# Cite: Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng in Med and Biol 20(3):45-50 (2001).
# Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 101(23):e215-e220 (2000). Licence: ODC-By 1.0.
set -u
export LC_ALL=C
from=https://physionet.org/files/mitdb/1.0.0 to=mitdb
records="100 101 102 103 104 105 106 107 108 109 111 112 113 114 115 116 117 118 119 121 122 123 124 200 201 202 203 205
207 208 209 210 212 213 214 215 217 219 220 221 222 223 228 230 231 232 233 234"

die() {
    echo "get-mitdb.sh: $*" >&2
    exit "${code:-1}"
}
usage() {
    sed -n '2,4s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage; exit 0 ;;
    --from | --to)
        [ $# -ge 2 ] && [ -n "$2" ] || code=2 die "$1 needs a value"
        if [ "$1" = --from ]; then from=$2; else to=$2; fi
        shift 2 ;;
    --from=?*) from=${1#*=}; shift ;;
    --to=?*) to=${1#*=}; shift ;;
    *) code=2 die "unknown: $1; see --help" ;;
    esac
done
from=${from%/}
command -v sha256sum >/dev/null || die "sha256sum is missing (Debian: coreutils)"
local_copy=0
case $from in
*://*) command -v curl >/dev/null || die "curl is missing; install it, or fetch $from yourself and give --from DIR" ;;
*) [ -d "$from" ] || die "$from: no such folder"; local_copy=1 ;;
esac
mkdir -p "$to" || die "$to: cannot be made"

# fetch NAME FILE: whole, or the rest of it
fetch() {
    if [ $local_copy -eq 1 ]; then
        cp -- "$from/$1" "$2"
    else
        curl --fail --silent --show-error --location --retry 3 --connect-timeout 30 --continue-at - --output "$2" "$from/$1"
    fi
}
# right NAME FILE: is this what the list says? A copy without a list is compared with.
right() {
    [ -s "$2" ] || return 1
    [ -n "$sums" ] || { cmp -s "$from/$1" "$2"; return; }
    local wanted
    wanted=$(awk -v name="$1" '{ sub(/^\*/, "", $2) } $2 == name { print $1; exit }' "$sums")
    [ -n "$wanted" ] || die "$sums: does not name $1"
    [ "$(sha256sum <"$2" | cut -d' ' -f1)" = "$wanted" ]
}

sums=$to/SHA256SUMS.txt
if [ $local_copy -eq 1 ] && [ ! -e "$from/SHA256SUMS.txt" ]; then
    sums=
    echo "note: $from has no SHA256SUMS.txt; the files are taken as they are" >&2
else
    rm -f "$sums.part"
    fetch SHA256SUMS.txt "$sums.part" && mv -f "$sums.part" "$sums" || die "$from/SHA256SUMS.txt: cannot be fetched"
fi

got=0 there=0 missing=
for record in $records; do
    if [ $local_copy -eq 1 ] && [ ! -e "$from/$record.hea" ]; then
        missing="$missing $record"
        continue
    fi
    for kind in hea atr dat; do
        name=$record.$kind
        if right "$name" "$to/$name"; then
            there=$((there + 1))
            continue
        fi
        if ! { fetch "$name" "$to/$name.part" && right "$name" "$to/$name.part"; }; then
            # What was cut off may be of another version: once more, from the start.
            rm -f "$to/$name.part"
            fetch "$name" "$to/$name.part" || die "$from/$name: cannot be fetched; run this again to go on"
            right "$name" "$to/$name.part" || die "$from/$name: its checksum is not the one in SHA256SUMS.txt"
        fi
        mv -f "$to/$name.part" "$to/$name" || die "$to/$name: cannot be written"
        got=$((got + 1))
    done
    [ -t 2 ] && printf '\r%s ' "$record" >&2
done
[ -t 2 ] && printf '\r    \r' >&2
[ $((got + there)) -gt 0 ] || die "$from: no record of the database is there"
echo "$to: $got files fetched, $there were there"
[ -z "$missing" ] || echo "not in $from:$missing"
cat <<END

Draw the beats, and train (DS1 trains, DS2 tests; one person, 201 and 202, is in both):

    ecg-beats make $to/*.hea -o beats --window rhythm --classes aami5 --split ds1-ds2
    ecg-train beats -o beats.ecgm --class-weight balanced
END
