#!/bin/sh
# publish after others: cut ones whose content is not wanted any more, a lock
# that is broken, an index that is lost.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config auto
ota-pack publish >/dev/null 2>&1
cp -a public start

# again: what is published as it was, and its files.
again() {
    rm -rf public
    cp -a start public
    forget
    config auto "$@"
    echo 'import net' >main.py
    rm -f lib/extra.py
    export SOURCE_DATE_EPOCH=1790000000
}

# agrees WHAT ID: the index says the version of the device's manifest.
agrees() {
    ota-pack status --json >"$work/.out" 2>"$work/.err"
    grep -q "\"id\":\"$2\",.*\"version\":$(version "$2")," "$work/.out"
    ok $? "$1: index and manifest agree"
}

# The index is lost.
rm public/index/head
stamp public/devices >before
run 5 'no index, where there was one' ota-pack publish
says err "there is no index in 'public', and this machine has seen one there, \
with versions up to 1"
forget
run 5 'manifests and no index' ota-pack publish
says err "'public' has manifests of devices and no index: put its 'index' \
folder back from a copy; only if there is none: 'ota-pack publish --new-base' \
goes on above the versions that can still be read"
cp -a release.key kept.key && cp -a release.pub kept.pub
rm release.key release.pub
ota-pack keygen -W release >/dev/null 2>&1
run 5 'nor with another key' ota-pack publish
stamp public/devices >after
cmp -s before after
ok $? 'nothing was written'
mv kept.key release.key && mv kept.pub release.pub
run 0 'it starts anew when asked to' ota-pack publish --new-base

# One device of its own content cannot be written: the next run gives it the
# same version.
again
mkdir site
for n in 1 2 3; do echo "$n" >"site/246f2800000$n.py"; done
sed 's|- main.py|- {from: "site/{id}.py", to: site.py}|' ota-pack.yml >x
mv x ota-pack.yml
rm -rf public/devices/246f28000002
: >public/devices/246f28000002
run 7 'a device that cannot be written' ota-pack publish
rm public/devices/246f28000002
run 0 'the next run' ota-pack publish
[ "$(version 246f28000001)$(version 246f28000002)" = 22 ]
ok $? 'gives it the version of the others'

# A name that changed its case is deleted as it is now.
again
cp main.py lib/Extra.py
ota-pack publish >/dev/null 2>&1
mv lib/Extra.py lib/extra.py
ota-pack publish >/dev/null 2>&1
rm lib/extra.py
ota-pack publish >/dev/null 2>&1
run 0 'a file that is gone' ota-pack show public/devices/246f28000001
says out 'lib/extra.py'

# A lock that somebody holds, and does not give back.
if command -v flock >/dev/null; then
    again
    echo 'import gc' >main.py
    run 0 '--break-lock' flock public/lock ota-pack publish --break-lock
    [ "$(version 246f28000001)" = 2 ]
    ok $? 'it is published'
    [ -z "$(ls -A public/.part 2>/dev/null)" ]
    ok $? 'no temporary file'
    run 0 'the lock is free' ota-pack publish --lock-timeout 0s
else
    echo '# skipped: flock(1) is not there'
fi

if ! can_trace; then
    done_testing
fi

# killed CALL N [ARGUMENT]...: publish, killed at the Nth such call.
killed() {
    call=$1 when=$2
    shift 2
    killed_at "$call" "$when" ota-pack -j 1 publish "$@"
    ok $? "killed at $call $when"
}

# A file that only a cut publish had: twice, so that the manifests that brought
# it are gone.
again
echo 'extra' >lib/extra.py
killed syncfs 1
rm lib/extra.py
echo 'import gc' >main.py
killed syncfs 1
[ "$(version 246f28000001)" = 3 ]
ok $? 'two were cut'
echo 'import os' >main.py
run 0 'a third one' ota-pack publish
[ "$(version 246f28000001)" = 4 ]
ok $? 'goes above both'
run 0 'what it deletes' ota-pack show public/devices/246f28000001
says out 'lib/extra.py'

# The same where one device of three is published.
again
echo 'extra' >lib/extra.py
killed syncfs 1
rm lib/extra.py
run 0 'one device' ota-pack publish north
agrees 'another one' 246f28000003
run 0 'the others' ota-pack publish
run 0 'what is deleted' ota-pack show public/devices/246f28000003
says out 'lib/extra.py'
run 0 'nothing more to do' ota-pack publish
silent out

# A cut publish moved a device, and it is to stay.
again '  - name: shed' '    version: auto' '    files: [main.py]' \
    '    devices:' '      - {id: "24:6f:28:00:00:05"}'
ota-pack publish >/dev/null 2>&1
cp ota-pack.yml stay.yml
sed '/name: north/d' stay.yml >ota-pack.yml
echo '      - {id: "24:6f:28:00:00:01", name: north}' >>ota-pack.yml
killed syncfs 1
[ "$(version 246f28000001)" = 2 ]
ok $? 'it was moved'
cp stay.yml ota-pack.yml
run 0 'it stays' ota-pack publish
[ "$(version 246f28000001)" = 3 ]
ok $? 'and gets what it had'
agrees 'stays' 246f28000001

# A number that is used up is nothing to be completed.
again
echo 'import gc' >main.py
killed renameat,renameat2 2
[ "$(version 246f28000001)" = 1 ]
ok $? 'begun, and no manifest written'
echo 'import net' >main.py
run 0 'taken back' ota-pack publish
silent out
run 0 'status' ota-pack status
silent err

# A device that only a cut publish knew.
again '      - {id: "24:6f:28:00:00:04", name: east}'
killed syncfs 1
config auto
echo 'import gc' >main.py
run 0 'without it' ota-pack publish
config auto '      - {id: "24:6f:28:00:00:04", name: east}'
run 0 'with it' ota-pack publish
agrees 'east' 246f28000004
[ "$(version 246f28000004)" -gt 1 ]
ok $? 'above what it was given'

# A release that is gone with its intent.
again '  - name: shed' '    version: auto' '    files: [main.py]' \
    '    devices:' '      - {id: "24:6f:28:00:00:05"}'
killed syncfs 1
config auto
run 0 'its release is gone' ota-pack publish
run 0 'status' ota-pack status
silent err

# Taken up when its manifests have expired.
again '    expires: 90d'
today=$(date +%s)
export SOURCE_DATE_EPOCH="$today"
echo 'import gc' >main.py
killed syncfs 1
export SOURCE_DATE_EPOCH=$((today + 80 * 86400))
run 0 'completed late' ota-pack publish
run 0 'nothing more to do' ota-pack publish
silent out
run 0 'not expired' ota-pack verify -k release.pub \
    --time $((today + 91 * 86400)) public/devices/246f28000001/manifest
export SOURCE_DATE_EPOCH=1790000000

# Ctrl-C when all is written.
again
echo 'import gc' >main.py
run 0 'interrupted too late' strace -f -o /dev/null -e trace=syncfs \
    -e inject=syncfs:signal=INT:when=1 ota-pack publish
says out 'published: 3 manifests'
run 0 'nothing more to do' ota-pack publish
silent out
whole 'all verify'

# A head that no index has.
head -c 70000 /dev/zero >public/index/head
echo 'import re' >main.py
run 5 'a head that is too large' ota-pack publish
says err 'is damaged (head: it is too large)'
run 0 'a new base' ota-pack publish --new-base
whole 'all verify'
done_testing
