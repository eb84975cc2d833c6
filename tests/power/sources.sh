#!/bin/sh
# Fetches littlefs and FatFs, as MicroPython's Debian source package has them,
# into DIR: tests/power/sources.sh DIR
# Exits 0 with DIR/lib/littlefs and DIR/lib/oofatfs there, else 1: says why.
# The package is only in sid.  apt's own configuration stays as it is: lists
# and sources.list of this run are below DIR, the mirror is the machine's.
set -u

dir=${1:?}
package=micropython version=1.26.1+ds-1

skip() {
    echo "skipped: no source of $package ($1)"
    exit 1
}

[ -f "$dir/lib/littlefs/lfs2.c" ] && [ -f "$dir/lib/oofatfs/ff.c" ] && exit 0
command -v apt-get >/dev/null 2>&1 || skip 'no apt-get'
command -v xz >/dev/null 2>&1 || skip 'no xz'

mirror=$(apt-get --print-uris update 2>/dev/null |
    sed -n "s,^'\([^']*/debian[^'-]*\)/dists/.*,\1,p" | head -n 1)
[ -n "$mirror" ] || skip 'no mirror of Debian in sources.list'

mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" || exit 1
dir=$(cd "$dir" && pwd)
ring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f $ring ] && ring="[signed-by=$ring] " || ring=
echo "deb-src $ring$mirror sid main" >"$dir/sources.list"

apt() {
    (cd "$dir" && timeout 180 apt-get -qq \
        -o Dir::Etc::sourcelist="$dir/sources.list" \
        -o Dir::Etc::sourceparts=- -o Dir::State::lists="$dir/lists" \
        -o Dir::Cache="$dir/cache" -o APT::Sandbox::User="$(id -un)" \
        -o Acquire::Languages=none -o Acquire::Retries=2 "$@") \
        >>"$dir/log" 2>&1
}

: >"$dir/log"
apt update || skip "apt-get update failed, see $dir/log"
apt source --download-only "$package=$version" ||
    apt source --download-only "$package" ||
    skip "apt-get source failed, see $dir/log"
rm -rf "$dir/lists" "$dir/cache"
for tar in "$dir/$package"_*.orig.tar.*; do
    tar -xf "$tar" -C "$dir" --strip-components=1 --wildcards \
        '*/lib/littlefs/*' '*/lib/oofatfs/*' >>"$dir/log" 2>&1 && exit 0
done
skip 'its archive is not as expected'
