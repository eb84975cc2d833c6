#!/bin/sh
# verify --server: what devices would get, and what is wrong with it.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
today=$(date +%s)
export SOURCE_DATE_EPOCH="$today"
mkdir site
for n in 5 6; do echo "$n" >"site/246f2800000$n.py"; done
fleet_of() {
    config "$1" '    expires: 90d' '  - name: shed' '    version: auto' \
        '    files: [{from: "site/{id}.py", to: site.py}]' \
        '    devices: ["24:6f:28:00:00:05", "24:6f:28:00:00:06"]'
}
fleet_of 6
run 0 'nothing was published' ota-pack verify --server
says out '0 of 0 devices ok, 0 payloads of 0 B read'
[ ! -e public ]
ok $? 'nothing is made'
ota-pack publish >/dev/null 2>&1
cp -a public older
echo 'import gc' >main.py
fleet_of 7
ota-pack publish >/dev/null 2>&1

run 2 'with a file' ota-pack verify --sample 1 -k release.pub x
says err "'--sample' goes with '--server'"
run 2 'with a key' ota-pack verify --server -k release.pub
says err "'--server' takes key and devices from the configuration"
run 2 'nobody' ota-pack verify --server nobody
says err "'public' has no release or device 'nobody'"
stamp public >before
run 0 'all is well' ota-pack verify --server
says out '5 of 5 devices ok, 3 payloads of '
silent err
run 0 'quietly' ota-pack verify --server -q
silent out
run 0 'at length' ota-pack verify --server -v
says out '24:6f:28:00:00:01 north: ok (greenhouse, version 7)'
run 0 'a release' ota-pack verify --server greenhouse
says out '3 of 3 devices ok, 1 payload of '
run 0 'devices' ota-pack verify --server north 246f.2800.0006
says out '2 of 2 devices ok, 2 payloads of '
run 0 'a sample' ota-pack verify --server --sample 2
says out '2 of 2 devices ok, '
run 0 'a large sample' ota-pack verify --server --sample 99
says out '5 of 5 devices ok, 3 payloads of '
run 2 'a sample of none' ota-pack verify --server --sample 0
run 0 'as JSON' ota-pack verify --server --json north
says out '{"type":"verify","device":"246f28000001","name":"north","ok":true,"v":1}'
says out '"devices":1,"bad":0,"payloads":1,"bytes":'
stamp public >after
cmp -s before after
ok $? 'nothing was written'

# bad WHAT DEVICE ERROR: the device does not verify, for that reason.
bad() {
    run 9 "$1" ota-pack verify --server
    says out "$2: $3"
    says out '4 of 5 devices ok'
    rm -rf public
    cp -a kept public
    forget
}
rm -rf kept
cp -a public kept

rm public/devices/246f28000001/manifest
bad 'a manifest is missing' '24:6f:28:00:00:01 north' \
    'missing: it has no manifest'
cp older/devices/246f28000001/manifest public/devices/246f28000001/
bad 'an old manifest' '24:6f:28:00:00:01 north' \
    'index: it has version 6, and the index says 7'
cp public/devices/246f28000003/manifest public/devices/246f28000001/
bad 'the manifest of another' '24:6f:28:00:00:01 north' 'device: '
printf X | dd of=public/devices/246f28000002/manifest bs=1 seek=70 \
    conv=notrunc 2>/dev/null
bad 'a changed manifest' '24:6f:28:00:00:02 south' 'signature: '
: >public/devices/246f28000002/manifest
bad 'an empty manifest' '24:6f:28:00:00:02 south' 'truncated: '

# payload_of ID: the payload of a device's manifest.
payload_of() {
    od -An -tx1 -j128 -N32 "public/devices/$1/manifest" | tr -d ' \n' |
        sed 's|^\(..\)|public/payloads/\1/\1|'
}
printf X | dd of="$(payload_of 246f28000006)" bs=1 seek=50 conv=notrunc \
    2>/dev/null
bad 'a changed payload' '24:6f:28:00:00:06' 'chunk: '
echo >>"$(payload_of 246f28000006)"
bad 'a payload that is too long' '24:6f:28:00:00:06' 'truncated: '
rm "$(payload_of 246f28000001)"
run 9 'a payload is missing' ota-pack verify --server --json
says out '"name":"north","ok":false,"error":"truncated","message":"'
says out '"devices":5,"bad":3,"payloads":2,'
says out '{"type":"summary","status":9,"errors":3,'
run 9 'quietly' ota-pack verify -q --server
says out 'south: truncated: '
rm -rf public
cp -a kept public
forget
SOURCE_DATE_EPOCH=$((today + 100 * 86400))
run 9 'expired' ota-pack verify --server
says out '24:6f:28:00:00:03: expired: '
says out '2 of 5 devices ok'
SOURCE_DATE_EPOCH=$today

# Another key's.
ota-pack keygen -W other >/dev/null 2>&1
sed 's/release.key/other.key/' ota-pack.yml >other.yml
run 6 'another key' ota-pack -c other.yml verify --server

# Withdrawn, not listed, cut short.
grep -v south ota-pack.yml >x && mv x ota-pack.yml
run 0 'not listed' ota-pack verify --server
says out '5 of 5 devices ok'
run 0 'withdrawn' ota-pack withdraw south
run 0 'without it' ota-pack verify --server
says out '4 of 4 devices ok'
run 2 'it alone' ota-pack verify --server south
if can_trace; then
    fleet_of auto
    echo 'import os' >main.py
    killed_at syncfs 1 ota-pack -j 1 publish
    [ "$(version 246f28000001)" = 8 ]
    ok $? 'cut short'
    run 0 'its manifests are news' ota-pack verify --server
    says out '4 of 4 devices ok, 3 payloads'
fi
done_testing
