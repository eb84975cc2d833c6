#!/bin/sh
# Which answers a device may stop listening to: nobody on the line who answers
# once silences it, and no server whose files have fixed times.
. "$(dirname "$0")/agent.sh"
fleet
publish 1
mkdir dev
serve public
settings
agent poll --now >/dev/null
agent confirm >/dev/null
path=/devices/$device/manifest
created=$(date -u -d '+1 hour' '+%a, %d %b %Y %H:%M:%S GMT')

# answer FILE [LINE]...: the manifest FILE with these headers.
answer() {
    file=$1
    shift
    {
        printf 'HTTP/1.1 200 OK\r\nConnection: close\r\n'
        [ $# -eq 0 ] || printf '%s\r\n' "$@"
        printf 'Content-Length: %d\r\n\r\n' "$(wc -c <"$file")"
        cat "$file"
    } >public/answer
    rm -f dev/.ota/etag
    rule '/devices/ raw answer'
}

# kept YES|NO WHAT STATUS: the ETag of the answer is kept, or not.
keeps() {
    rm -rf run
    run "$3" "$2" agent poll --force
    [ -e dev/.ota/etag ] && got=yes || got=no
    [ $got = "$1" ]
    ok $? "its ETag is kept: $1"
}

# -- what it says
cp "public$path" now
printf 'X' | cat now - >longer
{
    head -c 30 now
    printf '\377'
    tail -c +32 now
} >forged
ota-pack keygen -W other >/dev/null 2>&1
mkdir strange
sed 's/^key: .*/key: other.key/; s|^server: .*|server: strange/|' \
    ota-pack.yml >strange.yml
ota-pack -c strange.yml publish >/dev/null 2>&1
head -c 100 now >short
printf '<html>' >page
answer now 'ETag: "a"'
keeps yes 'what is installed' 0
answer public/devices/246f28000002/manifest 'ETag: "a"'
keeps yes "another device's" 9
answer forged 'ETag: "a"'
keeps no 'a signature that does not verify' 9
answer "strange$path" 'ETag: "a"'
keeps no 'a key that is not trusted' 9
answer longer 'ETag: "a"'
keeps no 'bytes behind it' 9
for file in short page /dev/null; do
    answer $file 'ETag: "a"'
    keeps no "no manifest: $file" 5
done
answer now 'ETag: "a"'
agent poll --force >/dev/null
answered=$(cat dev/.ota/etag)
cp dev/.ota/etag was
answer forged 'ETag: "a"'
cp was dev/.ota/etag
run 9 'a forged one with the ETag that is kept' agent poll --force
[ -n "$answered" ] && [ ! -e dev/.ota/etag ]
ok $? 'takes it out of use'

# -- which tags are tags
long=$(head -c 200 /dev/zero | tr '\0' x)
for tag in '*' 'bare' '"' '""' 'W/""' '"a", "b"' '"a","b"' '"open' 'shut"' \
    'w/"a"' "\"$long\"" "\"$(printf 'a\303\244')\"" ''; do
    answer now "ETag: $tag"
    keeps no "the ETag $(echo "$tag" | cut -c 1-20)" 0
done
for tag in '"a"' 'W/"a"' '"5f-1/x*"'; do
    answer now "ETag: $tag"
    keeps yes "the ETag $tag" 0
done

# -- when the file is from
answer now 'ETag: "a"' "Last-Modified: $created"
keeps yes 'a file put there since' 0
for time in 'Thu, 01 Jan 1970 00:00:00 GMT' 'Thu, 01 Jan 1970 00:00:01 GMT' \
    'Tue, 01 Jan 1980 00:00:00 GMT' 'yesterday' ''; do
    answer now 'ETag: "a"' "Last-Modified: $time"
    keeps no "a file of '$time'" 0
done
answer now 'ETag: "a"' "Last-Modified: $created" "Date: $created"
keeps no 'a file of this very second' 0

# -- what the device was told to judge by has changed
answer now 'ETag: "a"'
agent poll --force >/dev/null
for changed in '--hardware 3' '--lowest 1' "--key release.pub --key other.pub"; do
    : >a.log
    # shellcheck disable=SC2086  # words
    agent poll --force $changed >/dev/null 2>&1
    ! grep -q conditional a.log
    ok $? "with $changed it asks anew"
    agent poll --force >/dev/null 2>&1
done

# -- a page from elsewhere
{
    printf 'HTTP/1.1 200 OK\r\nConnection: close\r\n'
    printf 'Content-Type: text/html;charset=\033[31m\r\n\r\n  <!DOCTYPE html>\n'
} >public/login
rule '/devices/ redirect /portal' '/portal raw login'
run 5 'a captive portal' agent poll --force
says err "the manifest is a web page (18 bytes, Content-Type 'text/html;charset=?[31m', no Content-Encoding, from '$url/portal'): a login or a maintenance page?"
gzip -c now >packed
answer packed 'ETag: "a"' 'Content-Encoding: gzip' \
    'Content-Type: application/octet-stream'
keeps no 'a proxy that compresses' 5
says err "came compressed, which was not asked for ($(wc -c <packed) bytes, Content-Type 'application/octet-stream', Content-Encoding 'gzip', from '$url$path?v=1&p=idle'): switch compression off"
answer packed 'ETag: "a"'
keeps no 'one that does not say so' 5
says err 'came compressed'
printf '{"error":"no such key"}\n' >json
answer json 'ETag: "a"' 'Content-Type: application/json'
keeps no 'an error in JSON' 5
says err "the manifest is a text (24 bytes, Content-Type 'application/json'"
done_testing
