# shellcheck shell=bash
# Sourced by tools/quickstart.sh and tests/run.sh: the Debian packages that are needed, installed when missing.

# What the library and its tools are built from.
# shellcheck disable=SC2034
ECG_BUILD_PACKAGES=(cmake ninja-build gcc pkg-config libopenblas-dev libpng-dev libjpeg-dev zlib1g-dev check)

# What parts of the tools need that are left out without it: the web page, and the import of Keras models.
# shellcheck disable=SC2034
ECG_MORE_PACKAGES=(libmicrohttpd-dev libhdf5-dev libjansson-dev libzip-dev)

# What the tests need beside it.
# shellcheck disable=SC2034
ECG_TEST_PACKAGES=(g++ python3 python3-sklearn python3-h5py python3-pil python3-onnx binutils dpkg-dev fakeroot lintian
    doxygen zsh mandoc)

# Without these a tool is not built and its tests say SKIP: ecg-train-mpi; its test with several hosts needs ip.
# shellcheck disable=SC2034
ECG_OPTIONAL_PACKAGES=(libopenmpi-dev openmpi-bin iproute2)

package_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages NAME...: returns 0 when all are there in the end. Installs as root, or by a sudo that does not ask;
# otherwise prints the one command to run. Where there is no dpkg it trusts the user: CMake names what is missing.
need_packages() {
    local missing=() p run=()
    if ! command -v dpkg-query >/dev/null; then
        echo "not a Debian or Ubuntu system: assuming that these are here: $*" >&2
        return 0
    fi
    for p in "$@"; do
        package_installed "$p" || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            run=(sudo -n)
        else
            echo "Packages are missing, and only root may install them. Run this, then start again:" >&2
            echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
    fi
    echo "installing: ${missing[*]}" >&2
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update >&2 &&
        "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends \
            "${missing[@]}" >&2
}
