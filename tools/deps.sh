#!/bin/sh
# Installs what the build needs and this machine lacks; `make deps` calls it. A second call finds nothing to do.
#
# V8 comes from Debian's libnode-dev. Where that cannot be installed without touching an installed Node.js of another
# vendor, the two packages that hold V8 are unpacked under .deps/v8 instead, where Package.swift looks first.
# MARTLET_V8_INCLUDE and MARTLET_V8_LIB (folders, both or none) name another build of V8; then V8 is not looked at.
#
# Lists of package names are split into words on purpose:
# shellcheck disable=SC2046,SC2086
set -eu

# The oldest Swift that builds Martlet.
swift_major=6
swift_minor=3
swift_guide="https://www.swift.org/install/linux"

# Swift's own needs on Debian: a linker, the C and C++ headers, git with certificates to fetch packages, and the shared
# libraries that the compiler, the package manager and Foundation load.
toolchain_packages="binutils ca-certificates g++ git libc6-dev libcurl4 libncurses6 libsqlite3-0 libxml2"
# What `make wpt` runs, and what unpacks its tests; what the tests make certificates and other tools' data with.
test_packages="openssl python3 xz-utils"
# What Package.swift links, one for each system library target.
library_packages="libicu-dev zlib1g-dev libbrotli-dev libnats-dev libssl-dev libsqlite3-dev libseccomp-dev"
# The server that the tests of locations run.
server_packages="nats-server"
# What the tests of the control API run real clients with.
client_packages="python3-venv"
# Compilers of the Workers in examples/, for the tests.
language_packages="clang golang-go libstd-rust-dev-wasm32 lld rustc"
# What bundles TypeScript and packages for `martlet deploy` and `martlet dev`.
tool_packages="esbuild"
# V8 as Debian packages it.
v8_package="libnode-dev"

root=$(cd "$(dirname "$0")/.." && pwd)
deps="$root/.deps"
unpacked="$deps/v8"
multiarch="$(uname -m)-linux-gnu"

fail() {
    echo "make deps: $*" >&2
    exit 1
}

# Prints those of the named packages that are not installed.
missing() {
    installed=" $(dpkg-query -W -f='${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
    for package in "$@"; do
        case "$installed" in
        *" installed:$package "*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "needs root (there is no sudo): run 'make deps' as root, or apt-get install $needed $v8_package"
    fi
}

# Runs apt-get with options that never ask, never remove a package, and wait for another apt that runs.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 --no-remove --no-install-recommends "$@"
}

# Prints the version of the Swift in PATH as `6.3`, or nothing if it does not start.
swift_version() {
    swiftc --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p'
}

# Ends the script if the Swift version $1 is too old.
check_swift() {
    if [ "${1%.*}" -lt "$swift_major" ] ||
        { [ "${1%.*}" -eq "$swift_major" ] && [ "${1#*.}" -lt "$swift_minor" ]; }; then
        fail "Swift $1 is too old: install Swift $swift_major.$swift_minor or newer ($swift_guide)"
    fi
}

# Says where V8 is: `chosen` by the environment, `unpacked` here, `installed` with the system, or `absent`.
find_v8() {
    if [ -n "${MARTLET_V8_INCLUDE:-}" ] && [ -n "${MARTLET_V8_LIB:-}" ]; then
        [ -f "$MARTLET_V8_INCLUDE/v8.h" ] || fail "MARTLET_V8_INCLUDE: there is no $MARTLET_V8_INCLUDE/v8.h"
        [ -e "$MARTLET_V8_LIB/libnode.so" ] || fail "MARTLET_V8_LIB: there is no $MARTLET_V8_LIB/libnode.so"
        echo chosen
    elif [ -n "${MARTLET_V8_INCLUDE:-}${MARTLET_V8_LIB:-}" ]; then
        fail "set both MARTLET_V8_INCLUDE and MARTLET_V8_LIB, or none"
    elif [ -f "$unpacked/packages" ] && [ -e "$unpacked/usr/lib/$multiarch/libnode.so" ]; then
        echo unpacked
    elif [ -z "$(missing "$v8_package")" ]; then
        echo installed
    else
        echo absent
    fi
}

# Tells whether apt can install V8 and leave every installed package of Node.js as it is.
can_install_v8() {
    plan=$(LC_ALL=C apt-get -s -q --no-install-recommends install "$v8_package" 2>/dev/null) || return 1
    ! echo "$plan" | grep -Eq '^(Remv |Inst (nodejs|libnode[0-9]*) \[)'
}

# Prints the shared libraries that the package $1 depends on; the JavaScript of Node.js itself is not needed.
libraries_of() {
    LC_ALL=C apt-cache show --no-all-versions "$1" | sed -n 's/^Depends: //p' | head -n 1 | tr ',' '\n' |
        sed -n 's/^ *\(lib[a-z0-9.+-]*\|zlib1g\).*/\1/p' | grep -v '^libnode' | tr '\n' ' '
}

# Unpacks V8's two packages to a folder of their own, complete or not at all.
unpack_v8() {
    library=$(LC_ALL=C apt-cache depends "$v8_package" | sed -n 's/.*Depends: \(libnode[0-9][0-9]*\)$/\1/p')
    [ -n "$library" ] || fail "apt knows no $v8_package: add Debian's main archive to apt's sources"
    wanted=$(missing $(libraries_of "$library"))
    [ -z "$wanted" ] || apt_get install $wanted || fail "could not install: $wanted"

    echo "make deps: unpacking $library and $v8_package to .deps/v8; the installed Node.js stays as it is"
    rm -rf "$deps"/v8.new.*
    fresh=$(mktemp -d "$deps/v8.new.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    chmod 755 "$fresh"
    (cd "$fresh" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$library" "$v8_package") ||
        fail "could not download $library and $v8_package"
    for archive in "$fresh"/*.deb; do
        dpkg-deb -x "$archive" "$fresh"
        rm "$archive"
    done
    { [ -f "$fresh/usr/include/node/v8.h" ] && [ -e "$fresh/usr/lib/$multiarch/libnode.so" ]; } ||
        fail "$library and $v8_package do not hold V8 where it was expected"
    libraries_of "$library" >"$fresh/packages"
    rm -rf "$unpacked"
    mv "$fresh" "$unpacked"
}

# Installs what $needed names, and V8 if it is absent.
install() {
    mkdir -p "$deps"
    exec 9>"$deps/lock"
    flock 9
    apt_get update || fail "apt-get update failed: check the network and apt's sources"
    wanted=$(missing $needed)
    [ -z "$wanted" ] || apt_get install $wanted || fail "could not install: $wanted"
    v8=$(find_v8)
    if [ "$v8" = absent ]; then
        if can_install_v8; then
            apt_get install "$v8_package" || fail "could not install $v8_package"
        else
            unpack_v8
        fi
        v8=$(find_v8)
    fi
}

command -v swiftc >/dev/null || fail "no Swift in PATH: install Swift $swift_major.$swift_minor ($swift_guide)"
swift=$(swift_version)
[ -z "$swift" ] || check_swift "$swift"
{ command -v apt-get && command -v dpkg-query; } >/dev/null ||
    fail "no apt here: install by hand what Debian calls $library_packages $v8_package"

v8=$(find_v8)
needed="$toolchain_packages $library_packages $test_packages $client_packages $language_packages"
needed="$needed $server_packages $tool_packages"
[ "$v8" != unpacked ] || needed="$needed $(cat "$unpacked/packages")"
if [ "$v8" = absent ] || [ -n "$(missing $needed)" ]; then
    install
fi
if [ -z "$swift" ]; then
    swift=$(swift_version)
    [ -n "$swift" ] || fail "swiftc does not start: install what Swift itself needs ($swift_guide)"
    check_swift "$swift"
fi
case "$v8" in
chosen) place="$MARTLET_V8_LIB" ;;
unpacked) place=".deps/v8" ;;
*) place="the system's" ;;
esac
echo "make deps: everything is there (V8: $place)"
