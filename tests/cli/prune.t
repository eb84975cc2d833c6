#!/bin/sh
# prune: what no device needs goes, when its time has come, and nothing else.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet

# day DAY: the time from here on; what is on the server grows older.
day() {
    passed=$((1790000000 + $1 * 86400 - SOURCE_DATE_EPOCH))
    export SOURCE_DATE_EPOCH=$((1790000000 + $1 * 86400))
    [ -d public ] && [ "$passed" -gt 0 ] || return 0
    find public -type f | while read -r file; do
        touch -d "@$(($(stat -c %Y "$file") - passed))" "$file"
    done
}

# release N: main.py says N, and is published.
release() {
    echo "import net # $1" >main.py
    ota-pack publish >"$work/.out" 2>"$work/.err"
    ok $? "version $1 is published"
}

# payloads N WHAT: so many are on the server.
payloads() {
    [ "$(find public/payloads -type f | wc -l)" -eq "$1" ]
    ok $? "$2: $1 payloads"
}

config auto
run 0 'nothing was published' ota-pack prune
silent out
[ ! -e public ]
ok $? 'nothing is made'
run 2 'an argument' ota-pack prune greenhouse
says err "prune takes no argument: 'greenhouse'"
sed '1s/^/keep: 0\n/' ota-pack.yml >x && mv x ota-pack.yml
run 3 'keep nothing' ota-pack prune
says err "ota-pack.yml:1:7: error: keep '0' is not a number of versions from 1 to 65535"

config auto
for n in 1 2 3 4 5; do
    day "$n"
    release "$n"
done
payloads 5 'all'
stamp public >before
run 0 'too early' ota-pack prune
silent out
day 31
stamp public >before
run 0 'a day too early' ota-pack prune -n
says out 'nothing to prune'
stamp public >after
cmp -s before after
ok $? 'nothing was written'

# Version 1 was left on day 2, version 2 on day 3.
day 32
stamp public >before
run 0 'one is due' ota-pack prune -n
says out ' - greenhouse version 1'
says out ' - payloads/'
says out 'would remove: 1 payload of 236 B, 1 version of the history'
stamp public >after
cmp -s before after
ok $? 'nothing was written'
day 40
run 0 'two are due' ota-pack prune
says out 'removed: 2 payloads of '
says out ', 2 versions of the history'
payloads 3 'three versions are kept'
whole 'all verify'
run 0 'nothing more' ota-pack prune
silent out
run 0 'as JSON' ota-pack prune --json
says out '{"type":"summary","status":0,"errors":0,"payloads":0,"bytes":0,"versions":0,"failed":0,"v":1}'
run 0 'nothing to publish' ota-pack publish
silent out

# keep: 1.
sed '1s/^/keep: 1\n/' ota-pack.yml >x && mv x ota-pack.yml
run 0 'one is kept' ota-pack prune -v
says out ' - greenhouse version 3'
says out ' - greenhouse version 4'
payloads 1 'one version is kept'
whole 'all verify'
release 6
[ "$(version 246f28000001)" = 6 ]
ok $? 'numbers go on'

# A version that a device still has stays, whether it is listed or not.
config auto
sed '1s/^/keep: 1\n/' ota-pack.yml >x && mv x ota-pack.yml
sed '/south/d' ota-pack.yml >x && mv x ota-pack.yml
day 50
release 7
day 51
release 8
day 200
run 0 'one that is not listed has version 6' ota-pack prune -v
says out ' - greenhouse version 7'
[ "$(version 246f28000002)" = 6 ]
ok $? 'it has'
payloads 2 'its payload and the newest'
whole 'all verify'

# Files that only an old version had are deleted all the same.
echo 'old' >lib/old.py
release 9
rm lib/old.py
day 201
release 10
day 202
release 11
day 300
run 0 'the versions that had it go' ota-pack prune
says out 'removed: 3 payloads of '
release 12
run 0 'the next one' ota-pack show public/devices/246f28000001
says out 'lib/old.py'

# A folder that became a file: what was below it is remembered without the
# version that had it.
one() {
    sed "s|- lib/.*|- {from: main.py, to: $1}|" ota-pack.yml >x
    mv x ota-pack.yml
}
cp ota-pack.yml plain.yml
one x/y
day 310
release 13
cp plain.yml ota-pack.yml
day 311
release 14
one x
day 312
release 15
day 313
release 16
day 400
run 0 'they go' ota-pack prune -v
says out ' - greenhouse version 14'
says out ' - greenhouse version 13'
says out ' - greenhouse version 15'
payloads 2 'that is all'
cp plain.yml ota-pack.yml
release 17
run 0 'without the file' ota-pack show public/devices/246f28000001
says out 'x/y'

# Payloads of devices that have their own.
mkdir site
for n in 1 3; do echo "$n" >"site/246f2800000$n.py"; done
sed 's|- main.py|- {from: "site/{id}.py", to: site.py}|' plain.yml >ota-pack.yml
day 500
run 0 'contents of their own' ota-pack publish
echo 11 >site/246f28000001.py
day 501
run 0 'one changes' ota-pack publish
payloads 6 'old ones, too'
day 531
run 0 'the retired one, too' ota-pack prune
says out 'removed: 3 payloads of '
payloads 3 'each device has its own'
whole 'all verify'

# What cannot be removed is tried again.
if [ "$(id -u)" -ne 0 ] || ! can_trace; then
    done_testing
fi
again() {
    rm -rf public
    forget
    day 1
    cp plain.yml ota-pack.yml
    for n in 1 2 3 4; do
        echo "import net # $n" >main.py
        ota-pack publish >/dev/null 2>&1
    done
    day 100
}
again
run 5 'an object that cannot be removed' strace -f -o /dev/null \
    -e trace=unlinkat -e inject=unlinkat:error=EACCES:when=2 ota-pack prune
says err "cannot remove 'public/payloads/"
says out 'removed: 2 payloads of '
payloads 2 'one is left'
run 0 'the next run' ota-pack prune
says out 'removed: 1 payload of '
payloads 1 'none is left'

# Killed at each call that writes: devices are served all the time, and the
# next run completes it.
again
cp -a public start
ota-pack prune >/dev/null 2>&1
tree public/payloads >wanted.sums

# killed CALL N: a prune that is killed at the Nth call; fails if there is none.
killed() {
    rm -rf public
    cp -a start public
    forget
    killed_at "$1" "$2" ota-pack -j 1 prune
}

# What devices read is whole; the next run brings it to its end, and there is
# nothing left for the one after it.
cut() {
    ota-pack verify -k release.pub public/devices/*/manifest \
        >"$work/.out" 2>"$work/.err" || return 1
    ota-pack prune >"$work/.out" 2>"$work/.err" || return 1
    tree public/payloads >sums
    cmp -s sums wanted.sums && [ -z "$(ota-pack prune -v)" ] &&
        ota-pack publish >"$work/.out" 2>"$work/.err"
}

places=0
for call in write rename renameat fsync unlinkat; do
    at=1
    while killed "$call" $at; do
        cut || break
        at=$((at + 1))
    done
    ! killed "$call" $at
    ok $? "killed at each of $((at - 1)) $call: whole, and completed"
    places=$((places + at - 1))
done
[ $places -gt 10 ]
ok $? "there were calls to be killed at: $places"

# Where the index is in doubt, a publish that looks at all devices comes first.
again
echo 'import gc' >main.py
run 0 'what others have is not looked at' ota-pack publish --accept-rollback north
stamp public >before
run 1 'where there is doubt' ota-pack prune
says err "devices may have something else than the index says: run 'ota-pack pub"
stamp public >after
cmp -s before after
ok $? 'and nothing is removed'
run 0 'all are looked at' ota-pack publish
run 0 'then there is none' ota-pack prune

# So does one that was cut short.
again
echo 'import gc' >main.py
killed_at syncfs 1 ota-pack -j 1 publish
stamp public >before
run 1 'after a publish that was cut short' ota-pack prune
says err "a publish was cut short, and what devices have is not known: run 'ota-pack publish' to finish it, then prune"
stamp public >after
cmp -s before after
ok $? 'nothing was written'
run 0 'publish' ota-pack publish
run 0 'then prune' ota-pack prune
whole 'all verify'
done_testing
