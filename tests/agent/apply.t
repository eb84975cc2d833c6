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

# What cannot be sought in.
piped() { # FILE: into apply
    # shellcheck disable=SC2002 # it is to be a pipe
    cat "$1" | agent apply "${2:--}"
}
rm -rf dev
mkdir dev
run 10 'through a pipe' piped "$first"
says out 'version 1 is staged'
agent boot >/dev/null
agent confirm >/dev/null
cp -a dev start
for name in /dev/stdin -; do
    rm -rf dev
    cp -a start dev
    head -c 150000 "$second" >part.otab
    run 9 "$name breaks off" piped part.otab $name
    says err "ota-agent: '$name': it ends before it should: fetch it again (truncated)"
    is phase staging
    ok $? 'it is gone on with'
    run 10 "all of $name" piped "$second" $name
    agent boot >/dev/null
    cmp -s dev/lib/net.py lib/net.py && is version 2
    ok $? 'it is installed'
done
rm -rf dev
cp -a start dev
mkfifo fifo
timeout 10 sh -c 'cat main.py >fifo' >/dev/null 2>&1 &
run 9 'a fifo with something else' agent apply fifo
says err "ota-agent: 'fifo': not a bundle (magic)"
run 9 'nothing at all' agent apply /dev/null
says err "ota-agent: '/dev/null': it ends before it should: fetch it again (truncated)"
run 4 'a folder' agent apply lib
says err "ota-agent: cannot read 'lib': Is a directory"
done_testing
