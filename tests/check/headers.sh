#!/bin/bash
# Each public header compiles by itself, as strict C11 and as C++17, and twice in one file.
# usage: headers.sh INCLUDE_DIR
set -u
dir=$1
bad=0 n=0
warn=(-Wall -Wextra -Werror -pedantic -pedantic-errors -fsyntax-only "-I$dir")
for header in "$dir"/ecgcnn/*.h; do
    name=ecgcnn/$(basename "$header")
    n=$((n + 1))
    text="#include <$name>
#include <$name>
int main(void) { return 0; }"
    "${CC:-cc}" -std=c11 -Wstrict-prototypes "${warn[@]}" -x c - <<<"$text" || bad=$((bad + 1))
    "${CXX:-c++}" -std=c++17 "${warn[@]}" -x c++ - <<<"$text" || bad=$((bad + 1))
done
echo "headers: $n headers, $bad failures"
[ "$bad" -eq 0 ] && [ "$n" -gt 0 ]
