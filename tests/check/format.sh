#!/bin/bash
# Every C file stands as clang-format 14 would write it. 77: there is no clang-format 14 (others write differently).
# usage: format.sh ROOT
set -u
cd "$1" || exit 1
for tool in clang-format-14 clang-format; do
    version=$("$tool" --version 2>/dev/null) && [[ $version == *" 14."* ]] && break
    tool=
done
if [ -z "$tool" ]; then
    echo "no clang-format 14 here"
    exit 77
fi
find lib include tools tests examples -name '*.[ch]' -print0 | xargs -0 -r "$tool" --dry-run -Werror
