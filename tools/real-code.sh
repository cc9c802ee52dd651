#!/bin/sh
# Fetches the programs that Tests/RealCode runs: Debian's node-* packages, and Debian's esbuild to bundle them, unpacked
# under .deps/real-code; nothing is installed. A machine without Node.js, which says what is right, gets Debian's there
# too. `make deps` calls it; a second call does nothing.
set -eu

# A bundler, then the programs with what they import.
packages="esbuild
    libjs-lunr libjs-moment node-acorn node-ampproject-remapping node-argparse node-bn.js node-boolbase node-cheerio
    node-css-select node-css-what node-d3-array node-d3-collection node-d3-color node-d3-format node-d3-interpolate
    node-d3-path node-d3-scale node-d3-shape node-d3-time node-d3-time-format node-diff node-dom-serializer
    node-domelementtype node-domhandler node-domutils node-entities node-graphql node-highlight.js node-htmlparser2
    node-immutable node-js-yaml node-json-schema node-lru-cache node-lunr node-marked node-moment node-mustache
    node-nth-check node-object-assign node-pako node-parse5 node-parse5-htmlparser2-tree-adapter node-path-to-regexp
    node-picocolors node-postcss node-qrcode-generator node-react node-react-dom node-scheduler node-semver
    node-terser node-typescript node-undici node-xmldom node-yallist"
# The first that has fetch()'s classes and can be told how to import a module.
oldest_node=18.19

root=$(cd "$(dirname "$0")/.." && pwd)
deps="$root/.deps"
place="$deps/real-code"
modules="usr/share/nodejs"

is_there() { [ -x "$place/node" ] && [ -e "$place/packages" ] && [ "$(cat "$place/packages")" = "$packages" ]; }

fail() {
    echo "make test: $*" >&2
    exit 1
}

# The packages that are named, as files in the folder that is made.
download() { (cd "$fresh" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$@"); }

# What apt knows may be old, or nothing yet.
update() {
    if [ "$(id -u)" = 0 ]; then
        apt-get -q update
    else
        sudo apt-get -q update
    fi
}

# Whether that Node.js is new enough.
serves() {
    "$1" -e '
        const parts = (version) => version.split(".").map(Number);
        const [[major, minor], [least, leastMinor]] = [process.versions.node, process.argv[1]].map(parts);
        process.exitCode = major > least || major === least && minor >= leastMinor ? 0 : 1;' "$oldest_node" 2>/dev/null
}

is_there && exit 0
mkdir -p "$deps"
exec 9>"$deps/lock"
flock 9
is_there && exit 0
rm -rf "$deps"/real-code.new.*
fresh=$(mktemp -d "$deps/real-code.new.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
chmod 755 "$fresh"
node=$(command -v node || true)
fetched=$packages
if [ -z "$node" ] || ! serves "$node"; then
    node=
    fetched="$packages nodejs"
fi
echo "make test: unpacking the programs of Tests/RealCode to .deps/real-code"
# The names are split into words on purpose.
# shellcheck disable=SC2086
download $fetched || { update && download $fetched; } || fail "could not download $fetched"
for archive in "$fresh"/*.deb; do
    dpkg-deb -x "$archive" "$fresh"
    rm "$archive"
done
# Debian carries the WebAssembly module as a string in a script; Workers import it as a file.
tr -d ' \n' <"$fresh/$modules/undici/lib/llhttp/llhttp.wasm.js" | sed 's/.*="\([A-Za-z0-9+/=]*\)".*/\1/' |
    base64 -d >"$fresh/$modules/llhttp.wasm"
[ -x "$fresh/usr/bin/esbuild" ] || fail "the package esbuild does not hold what was expected"
ln -s "${node:-usr/bin/node}" "$fresh/node"
serves "$fresh/node" || fail "Tests/RealCode needs Node.js $oldest_node or newer"
rm -rf "$place"
mv "$fresh" "$place"
printf '%s' "$packages" >"$place/packages"
