#!/bin/sh
# withdraw: a manifest goes, and its number is never free again.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config 7
ota-pack publish >/dev/null 2>&1

# without NAME...: these are listed no more.
without() {
    for name; do
        sed "/$name/d" ota-pack.yml >x && mv x ota-pack.yml
    done
}

run 2 'nobody' ota-pack withdraw
says err 'withdraw needs a DEVICE'
stamp public >before
run 2 'an unknown device' ota-pack withdraw nroth
says err "'public' has no device 'nroth' (did you mean 'north'?)"
run 2 'an unknown id' ota-pack withdraw 24:6f:28:00:00:99
says err "'public' has no device '24:6f:28:00:00:99': nothing was ever \
published for it"
run 3 'one that is listed' ota-pack withdraw north
says err "ota-pack.yml:11:14: error: 'north' is listed here, and the next \
'publish' would give it a manifest again: take it out, then withdraw it"
without south
run 3 'one of two is listed' ota-pack withdraw south 246f28000003
run 0 'what would be' ota-pack withdraw -n south
says out "  - 24:6f:28:00:00:02 south  had 'greenhouse' version 7"
says out 'would be withdrawn: 1 device'
stamp public >after
cmp -s before after
ok $? 'nothing was written by any of them'

run 0 'withdrawn' ota-pack withdraw south
says out "  - 24:6f:28:00:00:02 south  had 'greenhouse' version 7"
says out 'withdrawn: 1 device'
[ "$(cd public/devices && echo *)" = '246f28000001 246f28000003' ]
ok $? 'its folder is gone'
run 0 'again' ota-pack withdraw 24-6F-28-00-00-02
silent out
run 0 'as JSON' ota-pack withdraw --json south
says out '{"type":"summary","status":0,"errors":0,"withdrawn":0,"failed":0,"v":1}'
run 0 'plan' ota-pack plan
says out 'only the index is to be written: 2 devices are up to date'
run 0 'status' ota-pack status
says out '2 devices: 2 published, 0 never'
run 0 'status, said at length' ota-pack status -v
says out '3 devices: 2 published, 0 never; 1 not listed; 1 withdrawn'
run 0 'status as JSON' ota-pack status -v --json
says out '"id":"246f28000002","name":"south","release":"greenhouse","version":null,"label":null,"created":null,"listed":false,"withdrawn":true,"v":1}'
run 0 'nothing to publish' ota-pack publish
silent out
whole 'all verify'

# It comes back.
config 7
run 3 'with the number that it had' ota-pack publish
says err "'south' was withdrawn at version 7 and comes back to 'greenhouse': \
set 'version: 8' (or 'version: auto')"
run 0 'status' ota-pack status
says out 'south  24:6f:28:00:00:02  greenhouse  -        -        withdrawn'
config auto
run 0 'plan' ota-pack plan
says out '24:6f:28:00:00:02 south  was withdrawn, version 7 -> 8'
run 0 'with auto' ota-pack publish
says out 'greenhouse: version 7 -> 8 for 1 device'
[ "$(version 246f28000001)$(version 246f28000002)" = 78 ]
ok $? 'it is above the number that it had'
whole 'all verify'

# In another release, with files of its own before.
echo 'mine' >own.py
config auto
sed 's|- main.py|- {from: "{name}.py", to: own.py}|' ota-pack.yml >x
mv x ota-pack.yml
without south 00:03
mv own.py north.py
run 0 'a file of its own' ota-pack publish
echo 'shed' >shed.py
config auto '  - name: shed' '    version: 1' '    files: [shed.py]' \
    '    devices: ["24:6f:28:00:00:09"]'
without north
run 0 'north goes' ota-pack withdraw north
config auto '  - name: shed' '    version: 1' '    files: [shed.py]' \
    '    devices: ["24:6f:28:00:00:01"]'
without north
run 3 'north comes back in another release' ota-pack publish
says err "'24:6f:28:00:00:01' was withdrawn at version 9 and comes back to \
'shed': set 'version: 10'"
sed 's/version: 1$/version: 10/' ota-pack.yml >x && mv x ota-pack.yml
run 0 'above what it had' ota-pack publish
[ "$(version 246f28000001)" = 10 ]
ok $? 'it has version 10'
run 0 'what it deletes' ota-pack show public/devices/246f28000001
says out 'own.py'
says out 'lib/net.py'

# Listed, taken out, withdrawn and listed again, with no publish in between.
config auto
ota-pack publish >/dev/null 2>&1
without south
run 0 'out' ota-pack withdraw south
config auto
run 0 'and in again' ota-pack publish
[ -s public/devices/246f28000002/manifest ]
ok $? 'it has a manifest'

# Two devices of one name.
config auto '  - name: shed' '    version: auto' '    files: [shed.py]' \
    '    devices: [{id: "24:6f:28:00:00:01", name: main}]'
without north
ota-pack publish >/dev/null 2>&1
config auto
without north
sed 's/south/main/' ota-pack.yml >x && mv x ota-pack.yml
ota-pack publish >/dev/null 2>&1
run 2 'a name of two' ota-pack withdraw main
says err "'main' is the name of 2 devices: name the one by its id"

# A server that fails.
rm -rf public
forget
config auto
ota-pack publish >/dev/null 2>&1
without north south
mkdir elsewhere
mv public/devices/246f28000001 elsewhere/
ln -s ../../elsewhere/246f28000001 public/devices/246f28000001
run 7 'one of two' ota-pack withdraw north south
says out 'withdrawn: 1 device'
says err "cannot open 'public/devices/246f28000001': a part of it is a link, or not a folder"
[ ! -e public/devices/246f28000002 ]
ok $? 'the other one is gone'
rm public/devices/246f28000001
mv elsewhere/246f28000001 public/devices/
run 0 'the next run' ota-pack withdraw north south
says out 'withdrawn: 1 device'
[ "$(cd public/devices && echo *)" = 246f28000003 ]
ok $? 'both are gone'

can_trace || {
    done_testing
}

# After a publish that was cut short: what it gave counts.
rm -rf public
forget
config auto
ota-pack publish >/dev/null 2>&1
echo 'import gc' >main.py
killed_at syncfs 1 ota-pack -j 1 publish
[ "$(version 246f28000002)" = 2 ]
ok $? 'cut short'
without south
run 0 'withdrawn' ota-pack withdraw south
says out "had 'greenhouse' version 2"
run 0 'the publish is brought to its end' ota-pack publish
config auto
run 0 'it comes back' ota-pack publish
[ "$(version 246f28000002)" = 3 ]
ok $? 'above what it had'
whole 'all verify'

# Killed at each call that writes: the others are served, the number is used,
# and the same command completes it.
rm -rf public
forget
config auto
ota-pack publish >/dev/null 2>&1
cp -a public start
config auto
cp ota-pack.yml with.yml
without south
cp ota-pack.yml without.yml

# killed CALL N: a withdraw that is killed at the Nth call; fails if there is
# none.
killed() {
    rm -rf public
    cp -a start public
    forget
    cp without.yml ota-pack.yml
    killed_at "$1" "$2" ota-pack -j 1 withdraw south
}

cut() {
    ota-pack verify -k release.pub public/devices/*/manifest \
        >"$work/.out" 2>"$work/.err" || return 1
    ota-pack withdraw south >"$work/.out" 2>"$work/.err" || return 1
    [ "$(cd public/devices && echo *)" = '246f28000001 246f28000003' ] ||
        return 1
    cp with.yml ota-pack.yml
    ota-pack publish >"$work/.out" 2>"$work/.err"
    [ "$(version 246f28000002)" = 2 ]
}

places=0
for call in write rename renameat fsync syncfs unlinkat; do
    at=1
    while killed "$call" $at; do
        cut || break
        at=$((at + 1))
    done
    ! killed "$call" $at
    ok $? "killed at each of $((at - 1)) $call: whole, and completed"
    places=$((places + at - 1))
done
[ $places -gt 8 ]
ok $? "there were calls to be killed at: $places"
done_testing
