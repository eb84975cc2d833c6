#!/bin/sh
# Downloads that are cut: what is staged is not fetched again.
. "$(dirname "$0")/agent.sh"
fleet
publish 1
mkdir dev
serve public
settings
agent poll --now >/dev/null
agent confirm >/dev/null
head -c 150000 /dev/urandom | od -An -tx1 >lib/net.py
publish 2
mkdir two
cp -r main.py lib two/
cp -a dev clean
payload=$(od -An -v -tx1 -j128 -N32 "public/devices/$device/manifest" | tr -d ' \n')
payload=/payloads/$(echo "$payload" | cut -c 1-2)/$payload
size=$(wc -c <"public$payload")
[ "$size" -gt 150000 ]
ok $? "a payload of $size bytes, several segments"

# again: the device before the update.
again() {
    rm -rf dev
    cp -a clean dev
}

# installs WHAT: what is staged is complete.
installs() {
    agent boot >/dev/null
    same dev two && is version 2 phase trial
    ok $? "$1: all of it is installed"
}

# stalled N: a poll that got N bytes of the payload, and gave up.
stalled() {
    again
    rule "/payloads/ cut-once $1"
    agent poll --force >"$work/.out" 2>"$work/.err"
    [ $? -eq 5 ] && is phase staging
    ok $? "cut after $1 bytes"
}

# One poll, one connection after the other.
rule '/payloads/ cut 60000'
run 10 'a server that cuts the connection after every 60,000 bytes' agent poll
sed -n 's/.*range=//p' a.log >ranges
n=60000
while [ $n -lt "$size" ]; do
    echo $n-
    n=$((n + 60000))
done | cmp -s - ranges
ok $? 'goes on exactly where it was'
installs 'in pieces'

# The next poll: the manifest, then one range request from a segment on.
stalled 100000
rule
run 10 'the next poll' agent poll --force
asked 2
ok $? 'asks for the manifest, and once for the payload'
from=$(sed -n "s|^206 $payload range=\(.*\)-\$|\1|p" a.log)
[ "${from:-0}" -gt 30000 ] && [ "$from" -le 100000 ]
ok $? "by a range request, from a segment on ($from)"
installs 'a range request'

stalled 100000
rule '/payloads/ norange'
run 10 'a server that ignores Range' agent poll --force
grep -q "^200 $payload range=$from-\$" a.log && asked 2
ok $? 'what is there is read past'
installs 'read past'

stalled 100000
rule '/payloads/ wrongrange'
run 5 'a server that answers with another range' agent poll --force
says err "cannot fetch '$url$payload': it answered with another range"
rule
run 10 'then a good one' agent poll --force
grep -q "^206 $payload range=$from-\$" a.log
ok $? 'still goes on there'
installs 'after all'

stalled 100000
for _ in 1 2; do
    rule "/payloads/ stall 50000"
    agent poll --force --deadline 1 >/dev/null 2>&1
done
rule
run 10 'several cuts' agent poll --force
next=$(sed -n "s|^206 $payload range=\(.*\)-\$|\1|p" a.log)
[ "${next:-0}" -gt "$from" ]
ok $? "from $from, then from $next"
installs 'several cuts'

stalled 1000
rule
run 10 'cut before the first segment ended' agent poll --force
grep -q "^200 $payload\$" a.log
ok $? 'begins anew'
installs 'begun anew'

# The power goes: nothing is lost but the last segment.  The journal is as long
# as after the same bytes above once all of them are dealt with.
stalled 100000
dealt=$(wc -c <dev/.ota/journal)
again
rule '/payloads/ stall 100000'
ota-agent -c agent.conf poll >/dev/null 2>&1 &
pid=$!
servers="$servers $pid"
while [ "$(cat dev/.ota/journal 2>/dev/null | wc -c)" -lt "$dealt" ]; do
    kill -0 $pid || break
    sleep 0.05
done
kill -9 $pid
wait $pid 2>/dev/null
rule
run 0 'boot after kill -9' agent boot
same dev clean
ok $? 'all old'
run 10 'and the next poll' agent poll --force
grep -q "^206 $payload range=$from-\$" a.log && asked 2
ok $? 'goes on'
installs 'after kill -9'

# From a card what the network began.
stalled 100000
ota-pack build -o cards >/dev/null 2>&1
run 10 'apply' agent apply cards/$device/2.otab
installs 'begun by a poll, ended by apply'

# Something newer came.
stalled 100000
echo 'import new' >main.py
cp -a public before
publish 3
rule
run 10 'a newer version meanwhile' agent poll --force
! grep -q range a.log
ok $? 'begins anew'
agent boot >/dev/null
is version 3 && cmp -s main.py dev/main.py
ok $? 'version 3'
rm -rf public
mv before public

# The payload is gone.
stalled 100000
rule '/payloads/ status 404'
run 5 'a payload that is not there any more' agent poll --force
says err 'version 2 is announced, but its payload is not there: later'
[ ! -e dev/.ota/journal ] && [ ! -e dev/.ota/etag ]
ok $? 'is dropped'
rule
run 10 'when it is there again' agent poll --force
! grep -q range a.log
ok $? 'all of it is fetched'
installs 'there again'
done_testing
