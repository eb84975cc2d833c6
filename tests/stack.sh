#!/bin/sh
# How much stack the device library's own frames take: on a Cortex-M3, where
# its compiler is (gcc-arm-none-eabi, picolibc-arm-none-eabi), and here.  Fails
# where that is 1 KB or more on the Cortex-M3: Ed25519 needs the rest.
set -eu
: "${BUILD:=build}"

# frames NAME LIMIT COMPILER...: a limit of 0 is none.
frames() {
    name=$1 limit=$2
    shift 2
    out=$BUILD/stack/$name
    rm -rf "$out"
    mkdir -p "$out"
    for file in src/bundle/*.c; do
        object=${file##*/}
        "$@" -std=c99 -Iinclude -fcallgraph-info=su -c "$file" \
            -o "$out/${object%.c}.o"
    done
    printf '%s, ' "$name"
    awk -v LIMIT="$limit" -f tests/stack.awk "$out"/*.ci
}

frames "$(gcc -dumpmachine)" 0 gcc -Os
# the libraries' headers are the same on all machines
if echo '#include <string.h>' | arm-none-eabi-gcc --specs=picolibc.specs \
    -E -o /dev/null - 2>/dev/null; then
    frames cortex-m3 1023 arm-none-eabi-gcc --specs=picolibc.specs \
        -mcpu=cortex-m3 -mthumb -Os -idirafter /usr/include \
        -idirafter "/usr/include/$(gcc -print-multiarch)"
else
    echo 'stack: skipped: Cortex-M3 (no gcc-arm-none-eabi or picolibc)'
fi
