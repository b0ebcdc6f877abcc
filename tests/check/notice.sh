#!/bin/bash
# The notice of version.h stands in the README and in what each tool says with --version.
# usage: notice.sh ROOT TOOLS_DIR
set -u
notice=$(sed -n 's/^#define ECG_NOTICE "\(.*\)"$/\1/p' "$1/include/ecgcnn/version.h")
bad=0 n=0
if [ -z "$notice" ]; then
    echo "version.h: no ECG_NOTICE found"
    exit 1
fi
if ! tr '\n' ' ' <"$1/README.md" | tr -s ' ' | grep -qF "$notice"; then
    echo "README.md lacks the notice: $notice"
    bad=1
fi
for tool in "$2"/ecg-*; do
    [ -f "$tool" ] && [ -x "$tool" ] || continue
    n=$((n + 1))
    if ! "$tool" --version | grep -qF "$notice"; then
        echo "$(basename "$tool") --version lacks the notice"
        bad=1
    fi
done
echo "notice: README.md and $n tools"
[ "$bad" -eq 0 ] && [ "$n" -gt 0 ]
