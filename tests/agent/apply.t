#!/bin/sh
# Bundles from files: cut, too long, and through a pipe.
. "$(dirname "$0")/agent.sh"
fleet
publish 1
ota-pack build -o cards >/dev/null 2>&1
echo 'import gc' >main.py
head -c 200000 /dev/urandom | od -An -tx1 >lib/net.py
publish 2
ota-pack build -o cards >/dev/null 2>&1
first=cards/$device/1.otab second=cards/$device/2.otab
mkdir dev
url=http://127.0.0.1:1
settings

# Whoever can add a byte must not rule a version out.
cp "$first" long.otab
printf X >>long.otab
run 9 'a byte more' agent apply long.otab
says err "ota-agent: 'long.otab': bytes follow the end (trailing)"
is phase staging failed 0
ok $? 'is not the fault of the version'
run 10 'without it' agent apply "$first"
agent boot >/dev/null
agent confirm >/dev/null
run 10 'one protected file' agent apply "$second" --protect main.py
says out '1 file left alone: protected, or not ours'
rm -rf dev
mkdir dev
run 10 'and two of them' agent apply "$second" --protect main.py --protect lib/net.py
says out '2 files left alone: protected, or not ours'
done_testing
