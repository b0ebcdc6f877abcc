#!/bin/bash
# The same sources in two folders, built at two times, give the same bytes: libraries, tools and packages.
# usage: reproducible.sh ROOT SCRATCH_DIR
set -eu
export LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1700000000 CCACHE_DISABLE=1
root=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2"
work=$(cd "$2" && pwd)
for name in one a-folder-with-a-longer-name/two; do
    mkdir -p "$work/$name/source"
    for part in CMakeLists.txt CHANGELOG.md LICENSE include lib tools examples; do
        cp -R "$root/$part" "$work/$name/source"
    done
    cmake -S "$work/$name/source" -B "$work/$name/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DECG_TESTS=OFF \
        -DECG_EXAMPLES=OFF >"$work/log.txt" 2>&1 &&
        cmake --build "$work/$name/build" -j "$(nproc)" >>"$work/log.txt" 2>&1 || { tail -n 30 "$work/log.txt"; exit 1; }
    if command -v dpkg-shlibdeps >/dev/null && command -v fakeroot >/dev/null; then
        (cd "$work/$name/build" && cpack -G DEB -B "$work/$name/deb") >>"$work/log.txt" 2>&1 ||
            { tail -n 30 "$work/log.txt"; exit 1; }
        rm -rf "$work/$name/deb/_CPack_Packages"
    fi
    (cd "$work/$name" && find build/lib build/tools deb -type f \( -name '*.so*' -o -name '*.a' -o -name '*.deb' -o \
        -name 'ecg-*' -perm -u+x \) ! -path '*CMakeFiles*' -exec sha256sum {} + | sort -k 2) >"$work/sums-${name##*/}"
done
n=$(wc -l <"$work/sums-one")
[ "$n" -ge 8 ] || { echo "only $n files were compared"; exit 1; }
diff "$work/sums-one" "$work/sums-two" || { echo "two builds differ"; exit 1; }
if grep -rlaF "$work" "$work"/one/build/lib/*.so.* "$work"/one/build/lib/*.a; then
    echo "a library names the folder it was built in"
    exit 1
fi
echo "reproducible: $n files are the same"
rm -rf "$work"
