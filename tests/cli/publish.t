#!/bin/sh
# publish: what is on the server afterwards, and what is refused.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config 7

run 0 'a first publish' ota-pack publish
says out 'greenhouse: version 7 for 3 devices, 3 files of '
says out 'published: 3 manifests, 1 new payload of '
silent err
[ "$(echo public/*)" = \
    'public/devices public/index public/lock public/payloads' ]
ok $? 'the layout of the folder'
[ "$(cd public/devices && echo *)" = \
    '246f28000001 246f28000002 246f28000003' ]
ok $? 'a folder a device'
[ "$(find public/payloads -type f | wc -l)" -eq 1 ]
ok $? 'one payload'
[ "$(version 246f28000001)" = 7 ]
ok $? 'version 7'
whole 'all verify'
[ -z "$(ls -A public/.part 2>/dev/null)" ]
ok $? 'no temporary file'

stamp public >before
run 0 'nothing to do' ota-pack publish
silent out
silent err
run 0 'nothing to do, as JSON' ota-pack publish --json
says out '{"type":"summary","status":0,"errors":0,"written":0,"failed":0,"payloads":0,"payload_bytes":0,"v":1}'
stamp public >after
cmp -s before after
ok $? 'nothing was written'

sed 's/2026.11/2026.12/' ota-pack.yml >x && mv x ota-pack.yml
run 3 'the same version, another label' ota-pack publish
says err "version 7 of 'greenhouse' is already published with other content"
config 6
run 3 'a lower version' ota-pack publish
says err "version 6 of 'greenhouse' is below 7, which its devices have: set \
'version: 7' (or 'version: auto')"
[ "$(version 246f28000001)" = 7 ]
ok $? 'still version 7'

# A change.
echo 'def read(): return 22' >lib/sensor.py
rm lib/net.py
config 7
run 3 'the same version, other content' ota-pack publish
says err "version 7 of 'greenhouse' is already published with other content: \
set 'version: 8' (or 'version: auto')"
cp -a public undone
config auto
run 0 'auto, said at length' ota-pack publish -v
says out 'greenhouse: version 7 -> 8 for 3 devices'
says out '  - lib/net.py '
says out '  ~ 24:6f:28:00:00:03'
says out 'published: 3 manifests, 1 new payload of '
[ "$(version 246f28000003)" = 8 ]
ok $? 'version 8'
ota-pack unpack -k release.pub -C unpacked \
    public/devices/246f28000001/manifest >"$work/.out" 2>"$work/.err"
cmp -s unpacked/lib/sensor.py lib/sensor.py
ok $? 'the new content'
ota-pack show public/devices/246f28000001 >"$work/.out" 2>"$work/.err"
grep -q 'lib/net.py' "$work/.out"
ok $? 'the file that is gone is deleted'

# A new device joins at the published version, with the published payload.
config 8 '      - {id: "24:6f:28:00:00:04", name: east}'
stamp public/payloads >before
run 0 'a new device' ota-pack publish
says out 'published: 1 manifest, 0 new payloads'
[ "$(version 246f28000004)" = 8 ]
ok $? 'it has the published version'
stamp public/payloads >after
cmp -s before after
ok $? 'and the published payload'
whole 'all verify'

# A device moves to another release.
two() {
    config "$1" '  - name: shed' "    version: $2" '    files: [shed.py]' \
        '    devices:' "${3:-      - '24:6f:28:00:00:05'}" \
        "${4:-      - '24:6f:28:00:00:06'}"
}
echo 'shed' >shed.py
two 8 3
run 0 'a second release' ota-pack publish
[ "$(version 246f28000005)" = 3 ]
ok $? 'it has version 3'
two 8 3
grep -v 00:02 ota-pack.yml >x && mv x ota-pack.yml
echo "      - {id: '24:6f:28:00:00:02', name: south}" >>ota-pack.yml
run 3 'a move to a release with a lower version' ota-pack publish
says err "'south' moves from 'greenhouse', where it has version 8, to 'shed': \
set 'version: 9' (or 'version: auto')"
sed 's/version: 3/version: auto/' ota-pack.yml >x && mv x ota-pack.yml
run 0 'a move with auto' ota-pack publish
says out 'shed: version 3 -> 9 for 1 device'
[ "$(version 246f28000002)" = 9 ]
ok $? 'it has version 9'
[ "$(version 246f28000005)" = 3 ]
ok $? 'the others are left alone'
ota-pack show public/devices/246f28000002 >"$work/.out" 2>"$work/.err"
grep -q 'lib/sensor.py' "$work/.out"
ok $? 'what it had is deleted'
run 0 'nothing more to do' ota-pack publish
silent out
whole 'all verify'

# Not listed: manifest and version stay.
two auto auto "      - {id: '24:6f:28:00:00:02', name: south}"
sed '/lib.*py/,/00:03/{/south/d}' ota-pack.yml >x && mv x ota-pack.yml
run 0 'gone from the file' ota-pack publish
[ "$(version 246f28000004)" = 8 ]
ok $? 'it keeps its manifest'

# Narrowed.
echo 'shed 2' >shed.py
echo 'import net, sensor' >main.py
two 10 auto
run 0 'narrowed to a release' ota-pack publish shed
[ "$(version 246f28000001)" = 8 ]
ok $? 'the other release is left alone'
[ "$(version 246f28000005)" = 10 ]
ok $? 'this one is published'
run 0 'narrowed to a device' ota-pack publish north
[ "$(version 246f28000001)$(version 246f28000003)" = 108 ]
ok $? 'it alone is published'
run 0 'the rest' ota-pack publish
[ "$(version 246f28000003)" = 10 ]
ok $? 'it joins the version'
run 0 'nothing more to do' ota-pack publish
silent out
whole 'all verify'

# A move to a fixed version that is published: the same content, but a payload
# that deletes what the device had; all of the release delete it from then on.
mv public kept
forget
two 1 2
run 0 'two releases' ota-pack publish
two 1 2 "      - '24:6f:28:00:00:05'" "      - '24:6f:28:00:00:01'"
sed '/north/d' ota-pack.yml >x && mv x ota-pack.yml
run 0 'a move to a published version' ota-pack publish
says out 'shed: version 2 for 1 device'
says out 'published: 1 manifest, 1 new payload'
ota-pack show public/devices/246f28000001 >"$work/.out" 2>"$work/.err"
grep -q 'delete  *lib/sensor.py' "$work/.out"
ok $? 'what it had is deleted'
run 0 'nothing more to do' ota-pack publish
silent out
echo 'shed 3' >shed.py
sed 's/version: 2/version: 3/' ota-pack.yml >x && mv x ota-pack.yml
run 0 'the next version, as JSON' ota-pack publish --json
says out '{"type":"release","name":"shed","before":2,"version":3,"devices":2,"unchanged":0,"resumed":false,"v":1}'
says out '"written":2,"failed":0,"payloads":1,'
ota-pack show public/devices/246f28000005 >"$work/.out" 2>"$work/.err"
grep -q 'delete  *lib/sensor.py' "$work/.out"
ok $? 'deletes it everywhere'

# A folder that becomes a file, in two steps.
one_file() {
    sed "s|    files: .shed.*|    files: [{from: shed.py, to: $1}]|" \
        ota-pack.yml >x
    sed 's/version: 3/version: auto/' x >ota-pack.yml
}
cp ota-pack.yml shed.yml
one_file x/y
run 0 'a file in a folder' ota-pack publish
cp shed.yml ota-pack.yml
one_file x
run 3 'the folder becomes a file' ota-pack publish
says err "'x' cannot become a file in one step"
cp shed.yml ota-pack.yml
one_file z
run 0 'a version without both' ota-pack publish
cp shed.yml ota-pack.yml
one_file x
run 0 'then one with the file' ota-pack publish
says err "warning: an earlier version installed 'x/y'"
whole 'all verify'
rm -rf public && mv kept public
forget
two 10 auto

# Another key.
cp -a public kept
mv release.key old.key && mv release.pub old.pub
ota-pack keygen -W release >/dev/null 2>&1
stamp public >before
run 6 'another key' ota-pack publish
stamp public >after
cmp -s before after
ok $? 'nothing was written'
run 0 '--new-base' ota-pack publish --new-base
says err "starts anew"
ota-pack verify -k release.pub public/devices/246f28000001/manifest \
    >"$work/.out" 2>"$work/.err"
ok $? 'signed by the new key'
mv old.key release.key && mv old.pub release.pub
rm -rf public && mv kept public
forget

# An index that is older than the manifests.
cp -a public/index older
echo 'import sensor, net' >main.py
two 11 auto
run 0 'a newer version' ota-pack publish
rm -rf public/index && mv older public/index
forget
echo 'import os' >main.py
two 12 auto
run 5 'an index that was put back' ota-pack publish
says err "the index in 'public' is older than its manifests: \
'24:6f:28:00:00:01' was given version 11, the index says 10"

# Refresh.
rm -rf public
forget
today=$(date +%s)
export SOURCE_DATE_EPOCH="$today"
config 1 '    expires: 90d'
run 0 'with a time of life' ota-pack publish
export SOURCE_DATE_EPOCH=$((today + 59 * 86400))
run 0 'more than a third is left' ota-pack publish
silent out
export SOURCE_DATE_EPOCH=$((today + 61 * 86400))
run 0 'plan says refresh' ota-pack plan
says out 'refresh: version 1 signed anew before it expires'
cp public/devices/246f28000001/manifest old
run 0 'less than a third is left' ota-pack publish
says out 'published: 3 manifests, 0 new payloads'
[ "$(version 246f28000001)" = 1 ]
ok $? 'the same version'
cmp -s old public/devices/246f28000001/manifest
[ $? -eq 1 ]
ok $? 'another manifest'
run 0 'nothing more to do' ota-pack publish
silent out
export SOURCE_DATE_EPOCH=1790000000

# Bad input, a bad server.
rm -rf public
forget
config 7
if [ "$(id -u)" -eq 0 ]; then
    ln -s missing lib/net.py
else
    chmod 0 lib/sensor.py
fi
run 4 'a file that cannot be read' ota-pack publish
[ ! -e public ]
ok $? 'nothing was written'
rm -f lib/net.py
chmod 644 lib/sensor.py
run 0 'it can be read' ota-pack publish
echo 'import time' >main.py
config 8
rm -rf public/devices/246f28000002
: >public/devices/246f28000002
run 7 'one device cannot be written' ota-pack publish
says err '1 of 3 devices were not written'
says err "not written: 'south'"
[ "$(version 246f28000003)" = 8 ]
ok $? 'the others are'
rm public/devices/246f28000002
run 0 'the next run' ota-pack publish
says out 'greenhouse: version 8 for 1 device'
[ "$(version 246f28000002)" = 8 ]
ok $? 'writes the rest'
run 0 'nothing more to do' ota-pack publish
silent out
whole 'all verify'

# A lock that is held.
echo 'import gc' >main.py
config 9
if command -v flock >/dev/null; then
    run 8 'a lock that is held' \
        flock public/lock ota-pack publish --lock-timeout 0s
    says err "'public'"
    [ "$(version 246f28000001)" = 8 ]
    ok $? 'nothing was written'
else
    echo '# skipped: flock(1) is not there'
fi
run 2 'no time' ota-pack publish --lock-timeout soon
says err "'soon' is not a time"
run 0 'a lock that is free' ota-pack publish --lock-timeout 5s

# Two runs give the same bytes.
mv public first
forget
config 9
run 0 'from nothing' ota-pack publish
mv public once
forget
ota-pack publish -j 1 >/dev/null 2>&1
for part in devices payloads; do
    tree once/$part >a
    tree public/$part >b
    cmp -s a b
    ok $? "$part: the same bytes twice"
done

# A server that is full.
rm -rf public
forget
mkdir public
if [ "$(id -u)" -eq 0 ] &&
    mount -t tmpfs -o size=64k,nr_inodes=64 tmpfs public 2>/dev/null; then
    head -c 200000 /dev/urandom >lib/big.py
    run 5 'a full server' ota-pack publish
    find public -type f | grep -q '/devices/'
    [ $? -eq 1 ]
    ok $? 'no manifest'
    [ -z "$(ls -A public/.part 2>/dev/null)" ]
    ok $? 'no temporary file'
    mount -o remount,size=4m public
    run 0 'with room again' ota-pack publish
    whole 'all verify'
    umount public
else
    echo '# skipped: a full disk needs root and tmpfs'
fi
done_testing
