#!/bin/sh
# A publish that takes its time: what it shows on a terminal, SIGUSR1, Ctrl-C.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
start_nginx on || exit 1
fleet
many=600
lines=$(seq 1 $many | sed 's/.*/      - "24:6f:28:01:00:00"/' |
    awk '{ printf "      - \"24:6f:28:01:%02x:%02x\"\n", NR / 256, NR % 256 }')
server=$url
config 1 "$lines"
all=$((many + 3))

manifests() {
    find "$www/devices" -name manifest 2>/dev/null | wc -l
}

# slowly SIGNAL COUNT: publishes past a slow proxy; the signal is sent once so
# many manifests are there.  Sets $status, and $took: the time from then on.
slowly() {
    # what a shell starts in the background ignores SIGINT
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' ota-pack publish \
        >.out 2>.err </dev/null &
    publisher=$!
    for _ in $(seq 300); do
        [ "$(manifests)" -lt "$2" ] || break
        sleep 0.1
    done
    kill "-$1" $publisher
    before=$(date +%s%N)
    wait $publisher
    status=$?
    took=$((($(date +%s%N) - before) / 1000000))
}

proxy '150+ slow 300'
config 1 "$lines"
sed -i "s|^server: .*|server: $through|" ota-pack.yml
slowly INT 200
[ $status -eq 130 ]
ok $? "Ctrl-C: exit 130, not $status"
[ $took -lt 1500 ] # a second, and what a loaded machine adds
ok $? "it ends soon: $took ms"
says err "of $all devices; what was published before is whole, run 'ota-pack"
says err 'ota-pack: stopping'
[ "$(wc -l <.err)" -eq 2 ]
ok $? 'which is all that it says'
silent out
[ ! -e "$www/lock" ]
ok $? 'the lock is removed'
written=$(manifests)
[ "$written" -gt 0 ] && [ "$written" -lt $all ]
ok $? "$written of $all were written"
ota-pack verify -q -k release.pub "$www"/devices/*/manifest
ok $? 'they are whole'

sed -i "s|^server: .*|server: $url|" ota-pack.yml
run 0 'the next run goes on' ota-pack publish
says out "published: $all manifests"
rm -rf "${www:?}"/*
forget
proxy '150+ slow 300'
sed -i "s|^server: .*|server: $through|" ota-pack.yml
slowly USR1 200
[ $status -eq 0 ]
ok $? 'SIGUSR1 does not end it'
grep -qE "^ota-pack: [0-9]+ of $all devices, .* KiB, .*/s, [0-9]+ s left\$" .err
ok $? 'SIGUSR1: how far it is'
[ "$(wc -l <.err)" -eq 1 ]
ok $? 'one line, and no other without a terminal'
says out "published: $all manifests"
server=reference/
config 1 "$lines"
ota-pack publish -q
at=$www
same 'all is as if nothing had happened'

# -- on a terminal
if ! has_terminal; then
    ok 0 'a terminal # SKIP script(1) is not there'
    done_testing
fi
# shown OPTION...: publishes on a terminal, what it shows to .out
shown() {
    echo "# $*" >>main.py
    version=$((${version:-1} + 1))
    config $version "$lines"
    sed -i "s|^server: .*|server: $through|" ota-pack.yml
    TERM=xterm script -qec "ota-pack publish $*" /dev/null </dev/null |
        tr '\r' '\n' >.out
}
escape=$(printf '\033')
proxy '150+ slow 300'
shown
drawn="^[0-9]* of $all devices, .*/s, [0-9]* s left$escape\[K\$"
[ "$(grep -c "$drawn" .out)" -gt 3 ]
ok $? 'a line that is redrawn'
grep -q "^$escape\[Kgreenhouse: version" .out
ok $? 'and erased before anything else'
grep "$drawn" .out | sed 's/ .*//' | sort -nc
ok $? 'what is done only grows'
grep "$drawn" .out | sed 's/ .*//' | grep -qvxF -e 0 -e $all
ok $? 'and counts what the server has'
proxy none
shown -q
silent out
lines=
shown
grep -q ' of 3 devices, ' .out
[ $? -ne 0 ]
ok $? 'no line where it takes no time'
done_testing
