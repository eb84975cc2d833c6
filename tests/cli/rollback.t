#!/bin/sh
# rollback: a release gets the content of a version that it had, and publish
# does not undo that.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config auto
run 2 'nothing was published' ota-pack rollback greenhouse --to 1
says err "nothing was ever published to 'public'"
[ ! -e public ]
ok $? 'nothing is made'

# Version 1: good; 2: another file and another main.py.
good() {
    echo 'import net' >main.py
    rm -f lib/bad.py
}
bad() {
    echo 'import gc' >main.py
    echo 'bad' >lib/bad.py
}
with_delete() {
    sed 's|    devices:|    delete: [boot.py]\n    devices:|' ota-pack.yml >x
    mv x ota-pack.yml
}
with_delete
ota-pack publish >/dev/null 2>&1
sed '/delete:/d' ota-pack.yml >x && mv x ota-pack.yml
bad
ota-pack publish >/dev/null 2>&1
cp -a public bad

run 2 'no release' ota-pack rollback --to 1
says err "rollback takes one RELEASE and '--to VERSION'"
run 2 'no version' ota-pack rollback greenhouse
says err 'rollback needs the version to go back to: --to VERSION'
run 2 'another release' ota-pack rollback grenhouse --to 1
says err "'public' has no release 'grenhouse' (did you mean 'greenhouse'?)"
run 2 'another version' ota-pack rollback greenhouse --to 7
says err "'greenhouse' has no version 7 in 'public': the versions that are left are 2, 1"
stamp public >before
mv lib elsewhere
run 0 'what it would do, without the sources' \
    ota-pack rollback greenhouse --to 1 -n
says out 'greenhouse: version 2 -> 3 for 3 devices, 3 files of 49 B, with the content of version 1'
says out '  - lib/bad.py  4 B'
says out '3 devices to be written: 3 changed; 0 up to date'
run 0 'as JSON' ota-pack rollback greenhouse --to 1 -n --json
says out '"before":2,"version":3,"devices":3,"unchanged":0,"resumed":false,"content_of":1,"v":1}'
stamp public >after
cmp -s before after
ok $? 'nothing was written'

run 0 'back to version 1' ota-pack rollback greenhouse --to 1
says out 'greenhouse: version 2 -> 3 for 3 devices, 3 files of 49 B, with the content of version 1'
says out 'published: 3 manifests, 1 new payload of '
[ "$(version 246f28000001)$(version 246f28000003)" = 33 ]
ok $? 'as version 3'
whole 'all verify'
ota-pack unpack -k release.pub -C unpacked public/devices/246f28000001 \
    >"$work/.out" 2>"$work/.err"
echo 'import net' | cmp -s - unpacked/main.py
ok $? 'the old content'
run 0 'what it deletes' ota-pack show public/devices/246f28000001
says out 'delete                  lib/bad.py'
says out 'delete                  boot.py'
run 0 'the index agrees' ota-pack verify --server
run 0 'again' ota-pack rollback greenhouse --to 1
silent out
mv elsewhere lib

# The configuration asks for the bad content still.
run 10 'plan' ota-pack plan --exit-code
says out "greenhouse: left alone, its content is that of version 2, which was \
rolled back: change its files (a label, delete or version alone is not enough), \
or run 'ota-pack publish --again'"
says out 'only the index is to be written: 0 devices are up to date; 3 left alone'
run 0 'plan as JSON' ota-pack plan --json
says out '"devices":0,"unchanged":0,"resumed":false,"rolled_back":2,"v":1}'
cp -a public back
run 0 'a quiet publish' ota-pack publish -q
silent out
silent err
rm -rf public
cp -a back public
forget
run 0 'publish says it' ota-pack publish
says err "ota-pack: note: 'greenhouse' is left alone: its content is that of \
version 2, which was rolled back; change its files (a label, delete or version \
alone is not enough), or run 'ota-pack publish --again'"
silent out
[ "$(version 246f28000001)" = 3 ]
ok $? 'still version 3'
run 0 'once' ota-pack publish
silent err
run 0 'narrowed' ota-pack publish north
says err "'greenhouse' is left alone"
config auto '      - {id: "24:6f:28:00:00:04", name: east}'
run 0 'with a new device' ota-pack publish
says err "'greenhouse' is left alone"
[ "$(version 246f28000004)" = 3 ]
ok $? 'which gets what is in force'

# The good content is no change; another one is published.
good
config auto
with_delete
run 0 'the good content' ota-pack publish
silent out
silent err
[ "$(version 246f28000001)" = 3 ]
ok $? 'still version 3'
echo 'import better' >main.py
run 0 'better content' ota-pack publish
[ "$(version 246f28000001)" = 4 ]
ok $? 'version 4'
bad
run 0 'the bad content is known for good' ota-pack publish
says err "'greenhouse' is left alone"

# --again: one device tries it, then all of them.
run 0 'one device tries it' ota-pack publish --again north
[ "$(version 246f28000001)$(version 246f28000002)" = 54 ]
ok $? 'it alone has it'
run 0 'the others are left alone' ota-pack publish
says err "'greenhouse' is left alone"
[ "$(version 246f28000002)" = 4 ]
ok $? 'they are'
run 0 'what --again would do' ota-pack publish --again -n
says out '2 devices to be written'
run 0 'again' ota-pack publish --again
[ "$(version 246f28000002)" = 5 ]
ok $? 'all have it'
run 0 'it is not marked any more' ota-pack publish
silent err
config auto '      - {id: "24:6f:28:00:00:04", name: east}'
with_delete
run 0 'a new device gets it' ota-pack publish
[ "$(version 246f28000004)" = 5 ]
ok $? 'it has'
whole 'all verify'

# A payload that deletes all that is to go is used as it is: a file that
# changed, none that came.
rm -rf public
forget
good
config auto
ota-pack publish >/dev/null 2>&1
echo 'import gc' >main.py
ota-pack publish >/dev/null 2>&1
stamp public/payloads >before
run 0 'with the payload that is there' ota-pack rollback greenhouse --to 1
says out 'published: 3 manifests, 0 new payloads'
stamp public/payloads >after
cmp -s before after
ok $? 'no payload was written'
whole 'all verify'
run 0 'and forth' ota-pack rollback greenhouse --to 2
[ "$(version 246f28000001)" = 4 ]
ok $? 'as version 4'
run 0 'what is configured is published' ota-pack publish
silent err

# Devices that are not listed go back, those of other releases and those that
# were withdrawn do not; a device that has the content stays as it is.
rm -rf public
forget
good
config auto '  - name: shed' '    version: auto' '    files: [main.py]' \
    '    devices: ["24:6f:28:00:00:05"]'
ota-pack publish >/dev/null 2>&1
echo 'import gc' >main.py
ota-pack publish north south >/dev/null 2>&1
config auto
sed '/south/d' ota-pack.yml >x && mv x ota-pack.yml
run 0 'some of the devices' ota-pack rollback greenhouse --to 1 -v
says out '24:6f:28:00:00:01 north  version 2 -> 3'
says out '24:6f:28:00:00:02 south  version 2 -> 3'
says out 'published: 2 manifests'
[ "$(version 246f28000003)$(version 246f28000005)" = 11 ]
ok $? 'the others are as they were'

# Files of devices' own.
rm -rf public
forget
good
config auto
ota-pack publish >/dev/null 2>&1
mkdir site
for n in 1 2 3; do echo "$n" >"site/246f2800000$n.py"; done
sed 's|- main.py|- {from: "site/{id}.py", to: site.py}|' ota-pack.yml >x
mv x ota-pack.yml
ota-pack publish >/dev/null 2>&1
stamp public >before
run 1 'files of their own' ota-pack rollback greenhouse --to 1
says err "'greenhouse' cannot go back to version 1: devices have files of \
their own, and the index keeps only the newest of these; publish the sources of that version"
says err "'north' has files of its own"
says err "'24:6f:28:00:00:03' has files of its own"
config auto
echo 'import os' >main.py
ota-pack publish >/dev/null 2>&1
run 1 'back to files of their own' ota-pack rollback greenhouse --to 2
says err "'greenhouse' cannot go back to version 2"
run 0 'back over them' ota-pack rollback greenhouse --to 1
run 0 'what it deletes' ota-pack show public/devices/246f28000001
says out 'site.py'

# A folder where a file was.
rm -rf public
forget
config auto
sed 's|- lib/.*|- {from: main.py, to: x}|' ota-pack.yml >one.yml
sed 's|- lib/.*|- {from: main.py, to: x/y}|' ota-pack.yml >two.yml
cp one.yml ota-pack.yml
ota-pack publish >/dev/null 2>&1
config auto
ota-pack publish >/dev/null 2>&1
cp two.yml ota-pack.yml
ota-pack publish >/dev/null 2>&1
run 3 'a folder cannot become a file' ota-pack rollback greenhouse --to 1
says err "'x' cannot become a file in one step"
run 0 'but go' ota-pack rollback greenhouse --to 2
run 0 'and then become one' ota-pack rollback greenhouse --to 1
whole 'all verify'

# The payload is not there, or not what it was.
rm -rf public
forget
good
config auto
ota-pack publish >/dev/null 2>&1
payload=$(find public/payloads -type f)
bad
ota-pack publish >/dev/null 2>&1
printf X | dd of="$payload" bs=1 seek=50 conv=notrunc 2>/dev/null
run 9 'a damaged payload' ota-pack rollback greenhouse --to 1
says err "the payload of version 1 in 'public' does not verify (chunk): \
publish the sources of that version"
rm "$payload"
run 5 'a payload that is gone' ota-pack rollback greenhouse --to 1
says err "the payload of version 1 is not in 'public': publish the sources of that version"
[ "$(version 246f28000001)" = 2 ]
ok $? 'still version 2'

# Manifests that expire are signed anew, though the release is left alone.
rm -rf public
forget
good
today=$(date +%s)
export SOURCE_DATE_EPOCH="$today"
config auto '    expires: 90d'
ota-pack publish >/dev/null 2>&1
bad
ota-pack publish >/dev/null 2>&1
ota-pack rollback greenhouse --to 1 >/dev/null 2>&1
ota-pack publish >/dev/null 2>&1
export SOURCE_DATE_EPOCH=$((today + 61 * 86400))
run 0 'two thirds of their life are over' ota-pack publish
says out 'published: 3 manifests, 0 new payloads'
[ "$(version 246f28000001)" = 3 ]
ok $? 'the same version'
run 0 'nothing more to do' ota-pack publish
silent out
silent err
run 0 'they are well' ota-pack verify --server
export SOURCE_DATE_EPOCH=1790000000

# A version that was rolled back stays known when it is pruned.
rm -rf public
forget
good
config auto
ota-pack publish >/dev/null 2>&1
bad
ota-pack publish >/dev/null 2>&1
ota-pack rollback greenhouse --to 1 >/dev/null 2>&1
good
for n in 4 5 6; do
    echo "import net # $n" >main.py
    ota-pack publish >/dev/null 2>&1
done
SOURCE_DATE_EPOCH=$((1790000000 + 31 * 86400))
find public -type f -exec touch -d '31 days ago' {} +
run 0 'prune' ota-pack prune -v
says out 'greenhouse version 2, only its payload'
run 1 'its payload is gone' ota-pack rollback greenhouse --to 2
says err "the payload of version 2 of 'greenhouse' was pruned: publish the sources of that version"
bad
run 0 'its mark is not' ota-pack publish
says err "its content is that of version 2, which was rolled back"
SOURCE_DATE_EPOCH=1790000000

if ! can_trace; then
    done_testing
fi

# A publish that was cut short is gone back from: its content is marked, too.
rm -rf public
forget
good
config auto
ota-pack publish >/dev/null 2>&1
bad
killed_at syncfs 1 ota-pack -j 1 publish
[ "$(version 246f28000001)" = 2 ]
ok $? 'a publish that was cut short'
run 0 'back from it' ota-pack rollback greenhouse --to 1
[ "$(version 246f28000001)" = 3 ]
ok $? 'as version 3'
run 0 'what it deletes' ota-pack show public/devices/246f28000001
says out 'lib/bad.py'
run 0 'publish' ota-pack publish
says err "its content is that of version 2, which was rolled back"
whole 'all verify'

# Killed at each call that writes: whole at each moment, and brought to its end
# by a rollback or by a publish, which is what cron would run, to the same
# bytes.
rm -rf public
cp -a bad public
forget
config auto
ota-pack rollback greenhouse --to 1 >/dev/null 2>&1
tree public/devices >wanted.sums
tree public/payloads >>wanted.sums

# given: a device was given version 3.
given() {
    for folder in public/devices/*; do
        [ "$(version "${folder##*/}")" != 3 ] || return 0
    done
    return 1
}

cut() {
    ota-pack verify -k release.pub public/devices/*/manifest \
        >"$work/.out" 2>"$work/.err" || return 1
    if [ $(($1 % 2)) -eq 1 ] && given; then
        set -- rollback greenhouse --to 1
    else
        set -- publish
    fi
    SOURCE_DATE_EPOCH=1790086400 ota-pack "$@" >"$work/.out" 2>"$work/.err" ||
        return 1
    # Cut before the intent was there nothing was begun.
    given ||
        ota-pack rollback greenhouse --to 1 >"$work/.out" 2>"$work/.err"
    {
        tree public/devices
        tree public/payloads
    } >sums
    cmp -s sums wanted.sums && ota-pack verify --server >"$work/.out"
}

again() {
    rm -rf public
    cp -a bad public
    forget
    killed_at "$1" "$2" ota-pack -j 1 rollback greenhouse --to 1
}

places=0
for call in write rename renameat mkdir mkdirat fsync syncfs unlinkat; do
    at=1
    while again "$call" $at; do
        cut $at || break
        at=$((at + 1))
    done
    ! again "$call" $at
    ok $? "killed at each of $((at - 1)) $call: whole, and completed"
    places=$((places + at - 1))
done
[ $places -gt 20 ]
ok $? "there were calls to be killed at: $places"
done_testing
