#!/bin/sh
# Every bundle of tests/vectors through `ota-agent apply`: the good ones are
# installed, the bad ones get their error and change nothing.
. "$(dirname "$0")/agent.sh"
index=$vectors/index.json
sed -n 's/^ "device_key": "\(.*\)",*$/\1/p' "$index" >device.key
default_device=$(sed -n 's/^ "device": "\(.*\)",*$/\1/p' "$index")

# A line an entry: section, then key=value words (no value has a blank).
awk '
    /^ "(good|bad)": / { section = $1; gsub(/[^a-z]/, "", section) }
    /^  \{/ { line = section }
    /^   "(file|error|device|above|hardware|expect|encrypted)": / {
        key = $1; value = $2
        gsub(/[":,]/, "", key)
        sub(/,$/, "", value)
        gsub(/"/, "", value)
        line = line " " key "=" value
    }
    /^  \}/ { print line }
' "$index" | grep 'file=.*\.otab' >entries
[ "$(grep -c '^good' entries)" -ge 9 ] && [ "$(grep -c '^bad' entries)" -ge 100 ]
ok $? "$(grep -c '' entries) bundles"

read_entry() { # WORD...
    file='' error='' device=$default_device above='' hardware='' expect=''
    encrypted=''
    for word in "$@"; do
        case $word in
        file=* | error=* | device=* | above=* | hardware=* | expect=* | \
            encrypted=*)
            eval "${word%%=*}=\${word#*=}"
            ;;
        esac
    done
    options="-c /dev/null --root dev --time 1800000000 --device $device"
    options="$options --key $vectors/release.pub --slot app=slot.a,slot.b"
    options="$options${above:+ --lowest $above}"
    options="$options${hardware:+ --hardware $hardware}"
    options="$options${encrypted:+ --device-key device.key}"
}

# shellcheck disable=SC2086 # $options are words
bad() {
    run 9 "$file" ota-agent apply $options "$vectors/$file"
    grep -q "^ota-agent: '.*': .* ($error)" "$work/.err"
    ok $? "$file: $error"
    ota-agent status --json $options >"$work/.out"
    grep -Eq '"phase":"(idle|staging)","version":0,' "$work/.out" &&
        grep -q "\"highest\":${above:-0}," "$work/.out" &&
        [ "$(find dev -path dev/.ota -prune -o -print)" = dev ]
    ok $? "$file: nothing was begun"
}

# shellcheck disable=SC2086 # $options are words
good() {
    run 10 "$file" ota-agent apply $options "$vectors/$file"
    ota-agent boot $options >"$work/.out" 2>"$work/.err"
    [ -z "$expect" ] || diff -r -x .ota "$vectors/$expect" dev >/dev/null
    ok $? "$file: equal to ${expect:-nothing in particular}"
    ota-agent status $options >"$work/.out"
    says out "is on trial: 'ota-agent confirm' keeps it"
    run 0 "$file: confirmed" ota-agent confirm $options
    run 0 "$file again is nothing new" ota-agent apply $options "$vectors/$file"
}

while read -r section words; do
    # shellcheck disable=SC2086 # they are words
    read_entry $words
    rm -rf dev slot.a slot.b
    mkdir dev
    "$section"
done <entries
done_testing
