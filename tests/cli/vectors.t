#!/bin/sh
# Every bundle of tests/vectors: the good ones equal their folder, the bad ones
# get their error, and nothing is left of them.
. "$(dirname "$0")/lib.sh"

index=$vectors/index.json
pub=$vectors/release.pub

# A line an entry: section, then key=value words (no value used here has a
# blank).
awk '
    /^ "(good|bad)": / { section = $1; gsub(/[^a-z]/, "", section) }
    /^  \{/ { line = section }
    /^   "(file|error|device|above|hardware|expect|encrypted|base|slot|payloads)": / {
        key = $1; value = $2
        gsub(/[":,]/, "", key)
        sub(/,$/, "", value)
        gsub(/"/, "", value)
        line = line " " key "=" value
    }
    /^  \}/ { print line }
' "$index" >entries
[ "$(grep -c '' entries)" -eq "$(grep -c '"file":' "$index")" ]
ok $? "every entry of the index is read"
[ "$(grep -c '^good file=' entries)" -ge 10 ] &&
    [ "$(grep -c '^bad file=.* error=' entries)" -ge 100 ]
ok $? "good and bad ones"
find "$vectors/bad" "$vectors/good" -name '*.otab' |
    sed "s|^$vectors/||" | sort >files
tr ' ' '\n' <entries | sed -n 's/^file=\(.*\.otab\)$/\1/p' | sort -u |
    cmp -s - files
ok $? "every bundle is in the index"

top_value() {
    sed -n "s/^ \"$1\": \"\(.*\)\",*\$/\1/p" "$index"
}
default_device=$(top_value device)
top_value device_key >device.key

# read_entry WORD...: sets file, error, ... and the options to read it with.
read_entry() {
    file='' error='' device=$default_device above='' hardware='' expect=''
    encrypted='' base='' slot='' payloads=''
    for word in "$@"; do
        case $word in
        file=* | error=* | device=* | above=* | hardware=* | expect=* | \
            encrypted=* | base=* | slot=* | payloads=*)
            eval "${word%%=*}=\${word#*=}"
            ;;
        esac
    done
    options="--time 1800000000 --device $device"
    options="$options${above:+ --above $above}"
    options="$options${hardware:+ --hardware $hardware}"
    options="$options${encrypted:+ --device-key device.key}"
}

# shellcheck disable=SC2086 # $options are words
bad() {
    run 9 "$file is refused" \
        ota-pack verify --json -k "$pub" $options "$vectors/$file"
    says out "\"ok\":false,\"error\":\"$error\",\"message\":\""
    run 9 "$file is not unpacked" \
        ota-pack unpack -k "$pub" $options -C left "$vectors/$file"
    [ ! -e left ]
    ok $? "$file: nothing is left"
}

# What is in `out` beside the folder that it must equal.
check_extra() {
    if [ "$slot" ]; then
        want=$(ota-pack show --json "$vectors/$file" |
            sed -n 's/.*"path":"'"$slot"'"[^}]*"hash":"\([0-9a-f]*\)".*/\1/p')
        got=$(sha512sum "out/.ota/slot/$slot" | cut -c 1-64)
        [ "$want" ] && [ "$want" = "$got" ]
        ok $? "$file: the slot has its content"
    elif [ -z "$expect" ]; then
        [ -f out/a/program.py ] && [ "$(find out -type f | wc -l)" -eq 1 ]
        ok $? "$file: its one file"
    fi
}

# shellcheck disable=SC2086 # $options are words
good() {
    run 0 "$file is read" \
        ota-pack verify --json -k "$pub" $options "$vectors/$file"
    says out "{\"type\":\"verify\",\"file\":\"$vectors/$file\",\"ok\":true,\"v\":1}"
    run 0 "$file is unpacked" \
        ota-pack unpack -k "$pub" $options -C out "$vectors/$file"
    [ -z "$expect" ] || diff -r "$vectors/$expect" out >/dev/null
    ok $? "$file: equal to ${expect:-nothing in particular}"
    check_extra
    rm -rf out
    [ "$base" ] || return
    run 0 "$file is applied to $base" \
        ota-pack unpack -k "$pub" $options --base "$vectors/$base" \
        --payloads "$vectors/$payloads" -C out "$vectors/$file"
    says out "delta 1 of 1"
    diff -r "$vectors/$expect" out >/dev/null
    ok $? "$file: equal to $expect"
    rm -rf out
}

while read -r section words; do
    # shellcheck disable=SC2086 # they are words
    read_entry $words
    "$section"
done <entries

done_testing
