#!/bin/bash
# Debian packages: made by cpack, looked at by lintian, installed by dpkg, used by programs that are built outside the tree
# with nothing else of ours, removed. They are installed into an overlay over this system that is thrown away, or, with
# ECG_FULL=1 and mmdebstrap, into a new Debian that apt completes; where neither can be, they are extracted into a folder,
# and it says so.
# usage: deb.sh ROOT BUILD_DIR SCRATCH_DIR
set -eu
export LC_ALL=C.UTF-8
root=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
for tool in dpkg-deb dpkg-shlibdeps fakeroot; do
    command -v $tool >/dev/null || { echo "no $tool here"; exit 77; }
done
rm -rf "$3"
mkdir -p "$3"
work=$(cd "$3" && pwd)
arch=$(dpkg --print-architecture)
libdir=lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)

fail() {
    echo "FAILED: $*"
    exit 1
}

# A build folder may be older than this place for libraries.
grep -q "^CMAKE_INSTALL_LIBDIR:.*=$libdir\$" "$build/CMakeCache.txt" ||
    cmake -S "$root" -B "$build" -DCMAKE_INSTALL_LIBDIR="$libdir" >/dev/null
cmake --build "$build" --target all >"$work/build.txt" || { tail "$work/build.txt"; exit 1; }
(cd "$build" && cpack -G DEB -B "$work/deb") >"$work/cpack.txt" 2>&1 || { cat "$work/cpack.txt"; exit 1; }
rm -rf "$work/deb/_CPack_Packages"
debs=("$work"/deb/*.deb)
packages=3
[ -x "$build/tools/ecg-train-mpi" ] && packages=4
[ ${#debs[@]} -eq $packages ] || fail "expected $packages packages, got ${debs[*]##*/}"
library=$(basename "$work"/deb/libecgcnn[0-9]*.deb)
library=${library%%_*}
for deb in "${debs[@]}"; do
    echo "${deb##*/}: $(stat -c %s "$deb") bytes, installed $(dpkg-deb -f "$deb" Installed-Size) KiB, needs" \
        "$(dpkg-deb -f "$deb" Depends)"
done

# ---- What is where ----
contents() { # package: the paths of its files, below /
    dpkg-deb -c "$work/deb/$1"_*.deb | awk '{print $6}' | sed -n 's,^\./,,p'
}
has() { # package pattern
    contents "$1" | grep -qxE "$2" || fail "$1 has no $2"
}
has "$library" "usr/$libdir/libecgcnn\.so\.[0-9]+\.[0-9]+\.[0-9]+"
has libecgcnn-dev "usr/$libdir/libecgcnn\.so"
has libecgcnn-dev "usr/$libdir/libecgcnn_infer\.a"
has libecgcnn-dev "usr/$libdir/pkgconfig/ecgcnn\.pc"
has libecgcnn-dev "usr/$libdir/cmake/ecgcnn/ecgcnn-config\.cmake"
has libecgcnn-dev 'usr/include/ecgcnn/net\.h'
has libecgcnn-dev 'usr/share/man/man3/libecgcnn\.3\.gz'
for page in "$root"/tools/man/*.1; do
    tool=$(basename "$page" .1)
    [ -x "$build/tools/$tool" ] || continue
    package=ecgcnn-tools
    [ $tool = ecg-train-mpi ] && package=ecgcnn-mpi
    has $package "usr/bin/$tool"
    has $package "usr/share/man/man1/$tool\.1\.gz"
    has $package "usr/share/bash-completion/completions/$tool"
done
for package in "$library" libecgcnn-dev ecgcnn-tools; do
    has $package "usr/share/doc/$package/copyright"
    has $package "usr/share/doc/$package/changelog\.Debian\.gz"
done
dpkg-deb -f "$work/deb/$library"_*.deb Depends | grep -q libopenblas || fail "$library does not depend on OpenBLAS"
dpkg-deb -f "$work"/deb/ecgcnn-tools_*.deb Depends | grep -q "$library (=" || fail 'the tools do not name their library'
dpkg-deb --ctrl-tarfile "$work/deb/$library"_*.deb | tar -xO ./triggers | grep -q ldconfig || fail "no ldconfig trigger"

# ---- lintian ----
if command -v lintian >/dev/null; then
    lintian --allow-root --no-cfg --fail-on error "${debs[@]}" || fail 'lintian finds errors'
    echo "lintian: no errors"
else
    echo "SKIP: no lintian here"
fi

# ---- A stranger's folder: sources of programs, and what is done with them ----
mkdir -p "$work/root-side"
cp "$work"/deb/*ecgcnn[0-9]*.deb "$work"/deb/*-dev_*.deb "$work"/deb/*-tools_*.deb "$root"/examples/{train_custom,predict,stream,embedded}.c "$work/root-side"
cat >"$work/root-side/use.sh" <<'END'
set -eu
export LC_ALL=C.UTF-8
cd "$1"
prefix=${2:-}
flags() { pkg-config ${prefix:+--define-prefix} "$@" ecgcnn; }
for program in train_custom predict stream; do
    cc -std=c11 -O1 $program.c $(flags --cflags --libs) -o $program
done
cc -std=c11 -O1 embedded.c $(flags --cflags) $(flags --static --libs | sed 's/-lecgcnn/-lecgcnn_infer/') -o embedded
./train_custom own.ecgm
./embedded own.ecgm
./stream own.ecgm 10
ecg-beats synth -o beats --count 140 --seed 3 --quiet >/dev/null
ecg-train beats -o m.ecgm --epochs 1 --seed 3 --size 32x32 --quiet \
    --net "conv2d 4 3x3 relu; maxpool 4x4; flatten; dense 7; softmax"
picture=$(find beats -name '*.png' | sort | head -n 1)
want=$(ecg-predict -m m.ecgm "$picture" | cut -f 2,3)
got=$(./predict m.ecgm "$picture")
echo "ecg-predict: $want; own program: $got"
[ "$got" = "$want" ]
END
cat >"$work/root-side/all.sh" <<'END'
set -eu
cd "$1"
if [ "${2:-dpkg}" = apt ]; then
    apt-get -q update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends ./*.deb gcc libc6-dev >apt.txt 2>&1 ||
        { tail apt.txt; exit 1; }
else
    dpkg -i ./*.deb >dpkg.txt 2>&1 || { cat dpkg.txt; exit 1; }
fi
ldconfig -p | grep -q libecgcnn || { echo "the loader does not know the library"; exit 1; }
sh use.sh "$1"
dpkg -P ecgcnn-tools libecgcnn-dev $(ls | sed -n 's/^\(libecgcnn[0-9.]*\)_.*/\1/p') >dpkg.txt 2>&1 ||
    { cat dpkg.txt; exit 1; }
left=$(find /usr \( -name '*ecgcnn*' -o -name 'ecg-*' \) 2>/dev/null)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
END

in_new_debian() {
    local system=$work/system
    mmdebstrap --quiet --variant=minbase bookworm "$system" >"$work/mmdebstrap.txt" 2>&1 || return 1
    mkdir -p "$system/opt/stranger"
    cp "$work"/root-side/* "$system/opt/stranger"
    cp /etc/resolv.conf "$system/etc/" 2>/dev/null || true
    # shellcheck disable=SC2016
    unshare -m bash -eu -c 'mount -t proc proc "$1/proc"; chroot "$1" sh /opt/stranger/all.sh /opt/stranger apt' \
        - "$system" || fail 'in a new Debian'
    rm -rf "$system"
}

in_overlay() {
    mkdir -p "$work/over"
    # shellcheck disable=SC2016
    unshare -m bash -eu -c '
        over=$1 stranger=$2 tree=$3
        mount -t tmpfs none "$over"
        mkdir "$over/upper" "$over/work" "$over/system"
        mount -t overlay overlay -o "lowerdir=/,upperdir=$over/upper,workdir=$over/work" "$over/system"
        mount -t proc proc "$over/system/proc"
        mount --rbind /dev "$over/system/dev"
        mkdir -p "$over/system/opt/stranger" "$over/system/tmp"
        cp "$stranger"/* "$over/system/opt/stranger"
        [ ! -d "$over/system$tree" ] || mount -t tmpfs none "$over/system$tree"
        chroot "$over/system" env -u LD_LIBRARY_PATH PATH=/usr/sbin:/usr/bin:/sbin:/bin sh /opt/stranger/all.sh /opt/stranger
    ' - "$work/over" "$work/root-side" "$root"
}

extracted() {
    local prefix=$work/extracted deb
    for deb in "${debs[@]}"; do
        dpkg-deb -x "$deb" "$prefix"
    done
    PATH=$prefix/usr/bin:$PATH PKG_CONFIG_PATH=$prefix/usr/$libdir/pkgconfig LD_LIBRARY_PATH=$prefix/usr/$libdir \
        sh "$work/root-side/use.sh" "$work/root-side" "$prefix"
}

can_overlay() {
    [ "$(id -u)" -eq 0 ] || return 1
    mkdir -p "$work/try"
    # shellcheck disable=SC2016
    unshare -m bash -eu -c 'mount -t tmpfs none "$1"; mkdir "$1/u" "$1/w" "$1/s"
        mount -t overlay overlay -o "lowerdir=/,upperdir=$1/u,workdir=$1/w" "$1/s"; chroot "$1/s" true' - "$work/try" \
        2>/dev/null
}

if [ -n "${ECG_FULL:-}" ] && [ "$(id -u)" -eq 0 ] && command -v mmdebstrap >/dev/null && in_new_debian; then
    echo "installed by apt in a new, minimal Debian, used, and removed"
fi
if can_overlay; then
    in_overlay || fail 'installed in an overlay'
    echo "installed by dpkg in an overlay over this system, used, and removed"
else
    extracted || fail 'extracted into a folder'
    echo "no overlay can be mounted here: the packages were extracted into a folder and used there, not installed"
fi
