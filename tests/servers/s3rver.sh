#!/bin/sh
# Prints the path of s3rver, an S3 store for Node.js, which is got with npm into
# the build folder where this machine has none.  Exit 1, and says so: none is
# to be had.
set -u
version=3.7.1
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${BUILD:=$top/build}"
case $BUILD in /*) ;; *) BUILD=$top/$BUILD ;; esac
place=$BUILD/s3rver-$version
program=$place/node_modules/.bin/s3rver

if command -v s3rver 2>/dev/null; then
    exit 0
fi
if [ ! -x "$program" ]; then
    for needed in node npm; do
        command -v "$needed" >/dev/null 2>&1 || {
            echo "s3rver needs $needed" >&2
            exit 1
        }
    done
    mkdir -p "$BUILD"
    new=$(mktemp -d "$BUILD/s3rver.XXXXXX") || exit 1
    trap 'rm -rf "$new"' EXIT
    # in a folder of its own until it is complete: tests run side by side
    timeout 180 npm install --prefix "$new" --ignore-scripts --no-audit \
        --no-fund --no-update-notifier --loglevel=error \
        "s3rver@$version" </dev/null >"$new/log" 2>&1 || {
        echo "npm cannot get s3rver $version: $(tail -n 1 "$new/log")" >&2
        exit 1
    }
    mv -T "$new" "$place" 2>/dev/null || [ -x "$program" ]
fi
"$program" --version >/dev/null 2>&1 || {
    echo "s3rver $version does not run with node $(node --version)" >&2
    exit 1
}
echo "$program"
