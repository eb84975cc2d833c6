#!/bin/sh
# build: one self-contained bundle a device.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config 7
grep -v server: ota-pack.yml >x && mv x ota-pack.yml

run 0 'without a server' ota-pack build
says out "built: 3 bundles in 'out', 0 as before"
run 0 'each verifies for its device' ota-pack verify -k release.pub \
    --device 24:6f:28:00:00:01 out/246f28000001/7.otab
run 9 'and for no other' ota-pack verify -k release.pub \
    --device 24:6f:28:00:00:01 out/246f28000002/7.otab
ota-pack unpack -k release.pub -C unpacked out/246f28000001/7.otab \
    >"$work/.out" 2>"$work/.err"
cmp -s unpacked/main.py main.py && cmp -s unpacked/lib/net.py lib/net.py
ok $? 'it holds the files'

stamp out >before
run 0 'again' ota-pack build
says out "built: 0 bundles in 'out', 3 as before"
stamp out >after
cmp -s before after
ok $? 'nothing was written'
run 0 'into another folder' ota-pack build -o twice -j 1
tree out >a
tree twice >b
cmp -s a b
ok $? 'the same bytes'
run 0 'narrowed' ota-pack build -o one south
[ "$(ls one)" = 246f28000002 ]
ok $? 'one bundle'
run 0 '-n' ota-pack build -n -o none
says out 'none/246f28000001/7.otab'
[ ! -e none ]
ok $? 'nothing was written'
run 0 '-q' ota-pack build -q -o quiet
silent out
run 0 '--json' ota-pack build --json -o json south
says out '{"type":"bundle","file":"json/246f28000002/7.otab",'
says out '"id":"246f28000002","name":"south","version":7,"v":1}'
says out '{"type":"summary","status":0,"errors":0,"written":1,"unchanged":0,"v":1}'
run 0 '--json -n' ota-pack build --json -n -o none south
says out '{"type":"bundle","file":"none/246f28000002/7.otab",'

config auto
grep -v server: ota-pack.yml >x && mv x ota-pack.yml
run 0 'auto without an index' ota-pack build -o auto
[ -e auto/246f28000001/1.otab ]
ok $? 'is version 1'

# With an index its versions count.
config 7
run 0 'publish' ota-pack publish
config auto
run 0 'what is published' ota-pack build -o public-build
[ -e public-build/246f28000001/7.otab ]
ok $? 'has the published version'
cat public/devices/246f28000001/manifest public/payloads/*/* >joined
cmp -s joined public-build/246f28000001/7.otab
ok $? 'is manifest and payload joined'
echo 'import gc' >main.py
run 0 'a change' ota-pack build -o changed
[ -e changed/246f28000001/8.otab ]
ok $? 'has the next version'

# Per-device files.
mkdir site
for i in 1 2 3; do echo "{\"n\": $i}" >site/246f2800000$i.json; done
config auto
sed 's/- lib.*/- {from: "site\/{id}.json", to: site.json}/' ota-pack.yml >x
mv x ota-pack.yml
run 0 'per-device files' ota-pack build -o own
for i in 1 2 3; do
    ota-pack unpack -k release.pub -C own$i own/246f2800000$i/8.otab \
        >"$work/.out" 2>"$work/.err"
    cmp -s own$i/site.json site/246f2800000$i.json
    ok $? "device $i has its own"
done

# Accidents.
: >file
run 1 'a folder that is a file' ota-pack build -o file
run 4 'a file that is missing' sh -c 'rm main.py; ota-pack build -o never'
[ ! -e never ]
ok $? 'nothing was written'
run 2 'an option without its folder' ota-pack build -o
done_testing
