#!/bin/sh
# What publishing costs, against a floor: a program that does no more than
# must be done (tests/bench/floor.c).  Runs come in pairs, one beside the
# other, since machines vary from minute to minute.  STRICT=1 fails above the
# limits; PAIRS (3) and DEVICES (10000) make it longer or shorter.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${BUILD:=build}" "${PAIRS:=3}" "${DEVICES:=10000}"
case $BUILD in /*) ;; *) BUILD=$top/$BUILD ;; esac
bench=$BUILD/bench
over=0
export SOURCE_DATE_EPOCH=1790000000 XDG_STATE_HOME="$bench/state"
# Removing 100,000 folders can take minutes, so this is done here, once, and
# each run has folders of its own.
rm -rf "$bench"
mkdir -p "$bench/content/lib"
cd "$bench"

# 1.5 MiB of an installed program, and 12 library files in Python, or Perl
# where there is no Python.
find_program() {
    for p in "$(command -v perl || true)" "$(command -v git || true)" \
        "$("${CC:-cc}" -print-prog-name=cc1)"; do
        [ -f "$p" ] && [ "$(wc -c <"$p")" -ge 1572864 ] && echo "$p" && return
    done
    return 1
}

find_library() {
    for dir in /usr/lib/python3*; do
        [ -f "$dir/argparse.py" ] || continue
        for m in argparse ast base64 calendar csv datetime difflib functools \
            inspect pickle random tarfile; do
            echo "$dir/$m.py"
        done
        return
    done
    find /usr/share/perl /usr/lib/*/perl-base /usr/share/perl5 -name '*.pm' \
        -size +8k 2>/dev/null | sort | head -n 12
}

program=$(find_program)
head -c 1572864 "$program" >content/program.bin
find_library >library.txt
i=0
while read -r file; do
    i=$((i + 1))
    cp "$file" "content/lib/$i-$(basename "$file")"
done <library.txt
echo "content: 1.5 MiB of $program, $(wc -l <library.txt) files" \
    "like $(head -n 1 library.txt), $(cat content/*.bin content/lib/* | wc -c) bytes"

fleet() { # NAME COUNT: a configuration for so many devices
    cat >"$1.yml" <<END
key: release.key
server: ./public.$1/
releases:
  - name: bench
    version: 1
    files: [{from: "content/**", to: ""}]
    devices: [{from: $1.csv}]
END
    awk -v n="$2" 'BEGIN {
        print "id"
        for (i = 0; i < n; i++) printf "246f28%06x\n", i
    }' >"$1.csv"
}

# measure COMMAND...: sets cpu and wall (seconds) and rss (KiB).
measure() {
    "$BUILD/tests/bench/measure" measured "$@" >log 2>&1 || {
        cat log >&2
        exit 1
    }
    read -r cpu wall rss <measured
}

calc() { # EXPRESSION FORMAT
    awk "BEGIN { printf \"${2:-%.2f}\", $1 }"
}

median() {
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

limit() { # WHAT VALUE MOST
    if [ "$(calc "$2 <= $3" %d)" -eq 1 ]; then
        echo "  $1: $2 (at most $3)"
    else
        echo "  $1: $2, ABOVE $3"
        over=1
    fi
}

publish() { # NAME
    measure "$BUILD/ota-pack" -c "$1.yml" publish -q
}

"$BUILD/ota-pack" keygen -W release >/dev/null
: >ratios
: >nothing
pair=0
while [ "$pair" -lt "$PAIRS" ]; do
    pair=$((pair + 1))
    fleet "$pair" "$DEVICES"
    measure "$BUILD/tests/bench/floor" "floor.$pair" "$DEVICES" \
        content/*.bin content/lib/*
    floor=$cpu floor_wall=$wall
    publish "$pair"
    full=$cpu full_wall=$wall full_rss=$rss
    publish "$pair"
    calc "$full / $floor" %.3f\\n >>ratios
    calc "$cpu / $full" %.3f\\n >>nothing
    echo "pair $pair: floor $floor s (elapsed $floor_wall)," \
        "publish $full s ($full_wall), nothing to do $cpu s ($wall)"
done

payload=$(find public.1/payloads -type f -printf '%s\n' |
    awk '{ n += $1 } END { print n }')
most=$(calc "64 + 2 * $payload / 1048576" %.1f)
echo "$DEVICES devices, a payload of $payload bytes:"
limit 'processor time over the floor' "$(median <ratios)" 1.5
limit 'nothing to do, of a full publish' "$(median <nothing)" 0.1
limit 'peak memory, MiB' "$(calc "$full_rss / 1024" %.1f)" "$most"

many=$((DEVICES * 10))
fleet many "$many"
publish many
echo "$many devices: $cpu s (elapsed $wall)"
limit 'peak memory, MiB' "$(calc "$rss / 1024" %.1f)" "$most"
publish many
echo "  nothing to do: $cpu s, $(calc "$rss / 1024" %.1f) MiB"
[ "$over" -eq 0 ] || [ "${STRICT:-}" != 1 ]
