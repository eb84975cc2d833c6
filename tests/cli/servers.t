#!/bin/sh
# Several servers: the same publish goes to each, each with its own state.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet

# two VERSION: publishes to a/ and b/.
two() {
    config "$1"
    sed -i 's/^server: .*/servers: [a, {url: b}]/' ota-pack.yml
}

# number FOLDER: the version of its first device.
number() {
    od -An -tu4 -j28 -N4 "$1/devices/246f28000001/manifest" | tr -d ' '
}

two 3
run 0 'plan' ota-pack plan
says out 'a:'
says out 'b:'
run 0 'to both' ota-pack publish
cat >want <<'EOT'
a:
greenhouse: version 3 for 3 devices, 3 files of 49 B
published: 3 manifests, 1 new payload of 233 B, to 'a'
b:
greenhouse: version 3 for 3 devices, 3 files of 49 B
published: 3 manifests, 1 new payload of 233 B, to 'b'
EOT
cmp -s want .out
ok $? 'each is told apart'
tree a/devices >ta
tree b/devices >tb
cmp -s ta tb
ok $? 'both have the same'
run 0 'nothing to do' ota-pack publish
silent out

# One of them missed something: `auto` gives both one number.
config auto
sed -i 's/^server: .*/server: a/' ota-pack.yml
echo 'import os' >>main.py
run 0 'a alone' ota-pack publish -q
echo 'import sys' >>main.py
run 0 'a alone, again' ota-pack publish -q
[ "$(number a) $(number b)" = '5 3' ]
ok $? 'a has 5, b has 3'
two auto
run 0 'the same content for both' ota-pack publish
says out 'greenhouse: version 3 -> 5 for 3 devices'
[ "$(number a) $(number b)" = '5 5' ]
ok $? 'both have 5'
sed -i 's/^servers: .*/server: b/' ota-pack.yml
echo 'import re' >>main.py
run 0 'b alone' ota-pack publish -q
echo 'import gc' >>main.py
two auto
run 0 'new content for both' ota-pack publish -q
[ "$(number a) $(number b)" = '7 7' ]
ok $? 'both have 7'
tree a/devices >ta
tree b/devices >tb
cmp -s ta tb
ok $? 'byte for byte'

# A rollback gives both one number, whatever they had.
sed -i 's/^servers: .*/server: b/' ota-pack.yml
echo 'import os' >>main.py
run 0 'b alone' ota-pack publish -q
two auto
run 0 'what a rollback would do' ota-pack rollback greenhouse --to 5 -n
says out 'greenhouse: version 7 -> 9 for 3 devices, 3 files of 70 B, with the content of version 5'
says out 'greenhouse: version 8 -> 9 for 3 devices, 3 files of 70 B, with the content of version 5'
run 0 'back to version 5' ota-pack rollback greenhouse --to 5
[ "$(number a) $(number b)" = '9 9' ]
ok $? 'both have 9'
tree a/devices >ta
tree b/devices >tb
cmp -s ta tb
ok $? 'byte for byte'
run 0 'again' ota-pack rollback greenhouse --to 5 --json
says out '{"type":"summary","status":0,"errors":0,"written":0,'
run 7 'one that only b has had' ota-pack rollback greenhouse --to 8
says err "'greenhouse' has no version 8 in 'a'"
[ "$(number a) $(number b)" = '9 10' ]
ok $? 'b goes back to it'
run 0 'both are read back' ota-pack verify --server
[ "$(grep '^[ab]:$' .out | tr '\n' ' ')" = 'a: b: ' ]
ok $? 'each is named once'
says out '3 of 3 devices ok, 1 payload of '
rm b/devices/246f28000003/manifest
run 9 'one is not well' ota-pack verify --server -q
says out '24:6f:28:00:00:03: missing: it has no manifest'
echo 'import io' >>main.py
run 0 'both are published to' ota-pack publish -q
run 0 'a device is gone' sed -i '/00:03/d' ota-pack.yml
run 0 'from both' ota-pack withdraw 24:6f:28:00:00:03
[ "$(grep -c 'withdrawn: 1 device' .out)" -eq 2 ]
ok $? 'both say so'
[ ! -e a/devices/246f28000003 ] && [ ! -e b/devices/246f28000003 ]
ok $? 'both have done it'
SOURCE_DATE_EPOCH=1799000000
find a b -type f -exec touch -d '105 days ago' {} +
run 0 'both are pruned' ota-pack prune -v
[ "$(grep -c '^removed: ' .out)" -eq 2 ]
ok $? 'both say what'
SOURCE_DATE_EPOCH=1790000000
two auto
run 0 'it comes back' ota-pack publish -q
[ "$(number a)" = "$(number b)" ]
ok $? 'both have one number'

# One that fails keeps no other from it.
echo 'import ssl' >>main.py
had=$(number b)
rm -rf a
echo 'in the way' >a
run 7 'a is no folder' ota-pack publish
says err "cannot open 'a'"
[ "$(grep -c "cannot open 'a'" .err)" -eq 1 ]
ok $? 'which is told once'
says out 'published: 3 manifests'
[ "$(number b)" -gt "$had" ]
ok $? 'b has it'
run 0 'status of what answers' sh -c 'ota-pack status; [ $? -eq 5 ]'
says out '3 devices: 3 published, 0 never'
done_testing
