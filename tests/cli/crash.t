#!/bin/sh
# publish killed at each system call that writes: what devices see is whole,
# and the next run completes it to the same bytes.
# In memory where that is possible: a disk's fsync is slow.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
calls='write pwrite64 rename renameat renameat2 mkdir mkdirat fsync
    fdatasync syncfs unlinkat utimensat ftruncate'
if ! can_trace; then
    echo '1..0 # SKIP strace is not there or may not trace'
    exit 0
fi
fleet
config 1
ota-pack publish >/dev/null 2>&1
cp -a public start
echo 'import gc' >main.py
rm lib/net.py
config 2 '      - {id: "24:6f:28:00:00:04", name: east}'
ota-pack publish >/dev/null 2>&1
mv public wanted
tree wanted/devices >wanted.sums
tree wanted/payloads >>wanted.sums

# Old or new, each manifest verifies and its payload is there; then the next
# run, at another time, gives what an undisturbed publish gives.
cut() {
    ota-pack verify -k release.pub public/devices/*/manifest \
        >"$work/.out" 2>"$work/.err" || return 1
    SOURCE_DATE_EPOCH=$1 ota-pack publish >"$work/.out" 2>"$work/.err" ||
        return 1
    {
        tree public/devices
        tree public/payloads
    } >sums
    cmp -s sums wanted.sums &&
        [ -z "$(find public -path '*/.part/*')" ]
}

# killed CALL N: a publish that is killed at the Nth call; fails if there is
# none.
killed() {
    rm -rf public
    cp -a start public
    forget
    killed_at "$1" "$2" ota-pack -j 1 publish
}

places=0
for call in $calls; do
    at=1
    while killed "$call" $at; do
        cut 1790000000 || break
        at=$((at + 1))
    done
    ! killed "$call" $at
    ok $? "killed at each of $((at - 1)) $call: whole, and completed"
    places=$((places + at - 1))
done
[ $places -gt 30 ]
ok $? 'there were calls to be killed at'

# Later, the intent gives the time.
killed syncfs 1
cut 1790086400
ok $? 'completed a day later with the same bytes'

# Begun and then changed: the number is used up.
killed syncfs 1
[ "$(version 246f28000001)" = 2 ]
ok $? 'killed after the manifests'
echo 'import os' >main.py
run 3 'other content for the version that was begun' ota-pack publish
says err "error: version 2 of 'greenhouse' is already"
sed 's/version: 2/version: auto/' ota-pack.yml >x && mv x ota-pack.yml
run 0 'auto goes above it' ota-pack publish
[ "$(version 246f28000001)" = 3 ]
ok $? 'version 3'

# The old content again: devices that got the begun version need a newer one.
config 2
echo 'import gc' >main.py
killed syncfs 1
echo 'import net' >main.py
echo 'def join(): pass' >lib/net.py
config auto
run 0 'the old content after a cut' ota-pack publish
[ "$(version 246f28000001)" = 3 ]
ok $? 'as a new version'
run 0 'nothing more to do' ota-pack publish
silent out
whole 'all verify'

# Ctrl-C while manifests are written.
rm -rf public
cp -a start public
forget
config 4
echo 'import os' >main.py
run 130 'interrupted' strace -f -o /dev/null -e trace=renameat,renameat2 \
    -e inject=renameat,renameat2:signal=INT:when=4 ota-pack publish
says err 'run '\''ota-pack publish'\'' again'
[ -z "$(ls -A public/.part 2>/dev/null)" ]
ok $? 'no temporary file is left'
whole 'all verify'
run 0 'the next run' ota-pack publish
[ "$(version 246f28000003)" = 4 ]
ok $? 'completes it'
whole 'all verify'

# A second signal while the disk is slow.
cp -a public before
config auto
strace -f -o /dev/null -e trace=fsync -e inject=fsync:delay_enter=1500000 \
    ota-pack publish --new-base >first.out 2>&1 &
until part=$(ls public/.part 2>/dev/null) && [ -n "$part" ]; do
    kill -0 $! || break
    sleep 0.02
done
pid=$(sed 's/.* process //; s/,.*//' public/lock)
kill -TERM "$pid"
kill -HUP "$pid"
wait $!
case $? in 129 | 143) true ;; *) false ;; esac
ok $? 'two signals end it'
[ -z "$(ls -A public/.part 2>/dev/null)" ]
ok $? 'no temporary file is left'
whole 'all verify'
rm -rf public
mv before public
forget

# Two at once: the second is refused, or waits.
config 5
echo 'import re' >main.py
strace -f -o /dev/null -e trace=syncfs -e inject=syncfs:delay_enter=4000000 \
    ota-pack publish >first.out 2>&1 &
until [ -s public/lock ] && [ "$(version 246f28000001)" = 5 ]; do
    kill -0 $! || break
    sleep 0.02
done
run 8 'a second publish' ota-pack publish --lock-timeout 0s
says err "'public' is being published to by $(id -un) on "
run 0 'one that waits' ota-pack publish --lock-timeout 1m
silent out
wait $!
ok $? 'the first one went on'
whole 'all verify'

# An error in place of the kill is this publisher's own: nobody else is blamed,
# and no number is lost.  Of what it only remembers it may be silent.
config auto
echo 'import json' >main.py
for option in '' --new-base; do
    for call in fsync renameat; do
        blamed='' at=0 clean=0
        while [ $clean -lt 4 ]; do
            at=$((at + 1)) clean=$((clean + 1))
            rm -rf public
            cp -a start public
            forget
            # shellcheck disable=SC2086 # it may be nothing
            strace -f -o /dev/null -e trace=$call \
                -e inject=$call:error=EIO:when=$at \
                ota-pack -j 1 publish $option >"$work/.out" 2>"$work/.err"
            ! grep -q 'Input/output error' "$work/.err" || clean=0
            ! grep -q 'somebody else' "$work/.err" || blamed="$blamed $at"
            # shellcheck disable=SC2086 # it may be nothing
            ota-pack publish $option >"$work/.out" 2>&1 ||
                blamed="$blamed $at,then"
            [ -n "$option" ] || [ "$(version 246f28000001)" = 2 ] ||
                blamed="$blamed $at,twice"
        done
        [ $at -gt 8 ] && [ -z "$blamed" ]
        ok $? "errors of $((at - 4)) $call $option:$blamed"
    done
done
done_testing
