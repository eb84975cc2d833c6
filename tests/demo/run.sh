#!/bin/sh
# The demonstration: the example fleet packed, published into a folder, read
# back with the device's reader, tampered with, changed, published again.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${BUILD:=build}"
case $BUILD in /*) ;; *) BUILD=$top/$BUILD ;; esac
PATH=$BUILD:$PATH
export LC_ALL=C
demo=$BUILD/demo
rm -rf "$demo"
mkdir -p "$demo/tests/demo"
cd "$demo"
cp "$top/ota-pack.yml.example" ota-pack.yml
for part in greenhouse valve lib site; do
    cp -R "$top/tests/demo/$part" tests/demo/
done

say() {
    printf '\n# %s\n' "$*"
}

# $ COMMAND, and what it says; the second argument is the status to expect.
run() {
    printf '$ %s\n' "$1"
    status=0
    eval "$1" >out 2>&1 || status=$?
    fold -s -w 79 out | sed 's/ *$//'
    [ "$status" -eq "${2:-0}" ] || {
        echo "demo: exit $status, not ${2:-0}" >&2
        exit 1
    }
}

say 'a throw-away key, and the fleet of ota-pack.yml.example published'
run 'ota-pack keygen -W release'
run 'ota-pack publish'

say 'what any web server can serve now: a small manifest for each device, and'
echo '# payloads, which devices with the same files share (the two valves do)'
run 'find public/*s -type f -printf "%6s  %p\n" | sort -k 2 | cut -c 1-64'

say 'a device reads its own: every byte is authenticated before it is used'
run 'ota-pack unpack -k release.pub -C device public/devices/246f28aabb01'
run 'find device -type f | sort'
cmp -s device/main.py tests/demo/greenhouse/main.py
cmp -s device/site.json tests/demo/site/246f28aabb01.json

say 'a few bytes changed on the server: refused by the device it is for'
run 'cp -R public www'
# shellcheck disable=SC2016  # eval expands it
run 'sed -i "s/^./X/" $(ls www/payloads/*/* | head -n 1)'
run 'ota-pack verify -q -k release.pub www/devices/*' 9

say 'a setting of one device changes: what would be published, and then is'
run "sed -i 's/: 900/: 600/' tests/demo/site/246f28aabb01.json"
run 'ota-pack plan'
run 'ota-pack publish'
run 'ota-pack status'
grep -q '600' tests/demo/site/246f28aabb01.json
ota-pack verify -q -k release.pub public/devices/*/manifest
