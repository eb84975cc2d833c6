#!/bin/sh
# A device polls: first install, nothing new, update; what is asked and kept.
. "$(dirname "$0")/agent.sh"
fleet
publish 1
mkdir dev one two
cp -r main.py lib one/
serve public
settings
payload() { # of the device's manifest
    od -An -v -tx1 -j128 -N32 "public/devices/$device/manifest" | tr -d ' \n'
}

# First install.
run 0 'status of a device that has nothing' agent status
[ "$(cat "$work/.out")" = 'nothing is installed yet; any version is taken' ]
ok $? 'in one sentence'
run 10 'the first poll' agent poll
says out 'version 1 is staged'
says out 'restart needed'
ok "$([ -z "$(files dev)" ]; echo $?)" 'nothing is live yet'
[ "$(sed -n 1p a.log)" = "200 /devices/$device/manifest?v=0&p=idle" ]
ok $? 'the manifest was asked for, with how the device is'
name=$(payload)
[ "$(sed -n 2p a.log)" = "200 /payloads/$(echo "$name" | cut -c 1-2)/$name" ]
ok $? 'and the payload'
asked 2
ok $? 'and nothing else'
[ "$(stat -c %a dev/.ota)" = 700 ]
ok $? '.ota is for us alone'
rule
run 10 'a poll with something staged' agent poll
asked 0
ok $? 'asks nobody'
run 0 'boot' agent boot
says out 'version 1 is installed, on trial'
same dev one && is phase trial version 1 chances 3
ok $? 'all of it is there'
rule
run 0 'a poll on trial' agent poll
grep -q '^200 .*?v=1&p=trial$' a.log && asked 1 && is chances 2
ok $? 'reports it, and uses a chance'
run 0 'confirm' agent confirm
says out 'version 1 is confirmed'
is phase idle version 1 highest 1 can_undo true
ok $? 'idle'

# Nothing new.
rule
run 0 'a poll with the version that is installed' agent poll
silent out
grep -q '^200 ' a.log && [ -s dev/.ota/etag ]
ok $? 'an answer in full: its ETag is kept'
kept >before
rule
for _ in 1 2 3 4 5; do
    agent poll || echo failed
done >"$work/.out" 2>&1
silent out
asked 5 && [ "$(grep -c '^304 .* conditional$' a.log)" -eq 5 ]
ok $? 'five polls: five times 304'
kept | cmp -s - before
ok $? 'nothing was written on the device'
rule
run 0 'one poll in one asks without' agent poll --unconditional 1
grep -q '^200 .*idle$' a.log && kept | cmp -s - before
ok $? 'the same answer in full: nothing was written either'
rule
for _ in $(seq 160); do
    agent poll --unconditional 16 || echo failed
done >"$work/.out" 2>&1
n=$(grep -c '^200 ' a.log)
[ "$n" -ge 1 ] && [ "$n" -le 40 ]
ok $? "one poll in 16 asks without its ETag ($n of 160)"
agent boot >/dev/null
kept | cmp -s - before
ok $? 'an idle boot writes nothing'
rule
run 0 'a URL that ends with slashes' agent poll --url "$url//"
grep -q "^304 /devices/$device/manifest?v=1&p=idle conditional\$" a.log
ok $? 'is the same URL'
rule '/ noetag'
run 0 'a server without ETags' agent poll
kept | cmp -s - before
ok $? 'nothing to keep'

# Update.
echo 'import gc' >main.py
rm lib/net.py
publish 2
cp -r main.py lib two/
rule
run 10 'a new version' agent poll -v
grep -q '?v=1&p=idle conditional$' a.log
ok $? 'asked for with the old ETag'
same dev one
ok $? 'old until the restart'
run 0 'boot' agent boot
same dev two
ok $? 'new: changed, and deleted'
agent confirm >/dev/null
[ ! -e dev/.ota/etag ]
ok $? 'confirm forgets the ETag'
run 0 'undo by hand' agent undo
says err 'version 2 was undone: undone by hand; version 1 is back'
same dev one && is version 1 failed 2 highest 2 reason 65
ok $? 'all old again'
rule
run 9 'the undone version is not taken again' agent poll
says err 'version 2: this version was undone here: publish a higher one (failed-before)'
grep -q '?v=1&p=idle&f=2&e=65$' a.log && same dev one
ok $? 'and the server is told'
run 0 'the same answer again is nothing new' agent poll
echo 'import os' >main.py
publish 3
run 0 'a fixed version, at once' agent poll --now
says out 'version 3 is staged'
says out 'version 3 is installed, on trial'
is version 3 phase trial && cmp -s main.py dev/main.py
ok $? 'installed'
agent confirm >/dev/null

# An older manifest.
agent poll
cp -r "public/devices/$device" old
echo 'import sys' >main.py
publish 4
agent poll --now >/dev/null
agent confirm >/dev/null
mkdir public/old
cp old/manifest public/old/manifest
rule "/devices/ file /old/manifest"
run 9 "yesterday's manifest" agent poll
says err 'version 3: not above the highest version so far (version)'
is version 4 phase idle
ok $? 'the device stays as it is'
rule
agent poll

# Two at once.
echo 'import io' >main.py
publish 5
rule '/payloads/ silent'
ota-agent -c agent.conf poll >/dev/null 2>&1 &
first=$!
servers="$servers $first"
until grep -q payloads a.log; do sleep 0.05; done
run 8 'a second agent' agent poll
says err "another ota-agent is at work in '$work/dev'"
run 0 'status all the same' agent status
kill $first
wait $first 2>/dev/null
rule
run 10 'when the first is gone' agent poll
agent boot >/dev/null
agent confirm >/dev/null

# Protected paths and boot paths.
mkdir -p dev/lib
echo 'my own' >dev/wifi.json
mkdir dev/calibration
echo '42' >dev/calibration/a.txt
mkdir calibration
echo '0' >calibration/a.txt
echo 'default' >wifi.json
config 6 && sed -i 's|- main.py|- main.py\n      - wifi.json\n      - calibration/a.txt|' ota-pack.yml
ota-pack publish >/dev/null 2>&1
run 10 'protected paths in a bundle' \
    agent poll --protect WIFI.json --protect calibration/
says out '3 files left alone: protected, or not ours'
agent boot --protect wifi.json --protect calibration/ >/dev/null
agent confirm >/dev/null
[ "$(cat dev/wifi.json dev/calibration/a.txt)" = "$(printf 'my own\n42')" ] &&
    is version 6
ok $? 'they stay as they were'
config 7 && sed -i 's|- main.py|- main.py\n      - wifi.json|' ota-pack.yml
ota-pack publish >/dev/null 2>&1
run 9 'a path that must not be in a bundle' agent poll --boot-path main.py
says err 'version 7: a path that the device cannot or must not write (path)'
is version 6 failed 7 phase idle reason 17
ok $? 'the version is not taken again'
done_testing
