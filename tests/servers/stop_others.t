#!/bin/sh
# prune, withdraw, verify --server and rollback that take their time: SIGUSR1,
# Ctrl-C, a terminal; and where there is nothing to do.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/trouble.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
start_nginx on || exit 1
ota-pack keygen -W release >/dev/null 2>&1 || exit 1
many=300

# at URL: the same fleet, there.
at() {
    sed -i "s|^server: .*|server: $1|" ota-pack.yml
}

# aged DAYS: by the server's clock too it lies there so long.
aged() {
    find "$www" -type f -exec touch -d "$1 days ago" {} +
}

files() {
    find "$www" -path "*/$1/*" -type f | wc -l
}

# slowly SIGNAL REQUESTS COMMAND...: runs it where each request takes 200 ms;
# the signal is sent after so many.  Sets $status.
slowly() {
    signal=$1
    requests=$2
    shift 2
    verb="$1 $2"
    proxy '1+ slow 200'
    at "$through"
    # what a shell starts in the background ignores SIGINT
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$@" >.out 2>.err </dev/null &
    victim=$!
    for _ in $(seq 300); do
        [ -e proxy.log ] && [ "$(wc -l <proxy.log)" -ge "$requests" ] && break
        sleep 0.05
    done
    kill "-$signal" $victim
    wait $victim
    status=$?
    at "$url"
}

# stopped REQUESTS COMMAND...: by Ctrl-C, after so many; it says $way.
stopped() {
    slowly INT "$@"
    [ $status -eq 130 ]
    ok $? "Ctrl-C: $verb: exit 130, not $status"
    grep -qE "^ota-pack: stopped after [1-9][0-9]* of $way" .err
    ok $? "it says: $way"
    [ "$(wc -l <.err)" -eq 2 ]
    ok $? 'which is all that it says'
    [ ! -e "$www/lock" ]
    ok $? 'the lock is removed'
}

# told REQUESTS WHAT COMMAND...: SIGUSR1 prints one line.
told() {
    after=$1
    what=$2
    shift 2
    slowly USR1 "$after" "$@"
    [ $status -eq 0 ]
    ok $? "SIGUSR1: $verb: exit 0, not $status"
    grep -qE "^ota-pack: [0-9]+ of [0-9]+ $what" .err
    ok $? "how far it is"
    [ "$(wc -l <.err)" -eq 1 ]
    ok $? 'one line, and no other without a terminal'
}

# drawn WHAT COMMAND...: on a terminal a line is redrawn.
drawn() {
    has_terminal || return 0
    what=$1
    shift
    proxy '1+ slow 200'
    at "$through"
    TERM=xterm script -qec "$*" /dev/null </dev/null | tr '\r' '\n' >.out
    at "$url"
    [ "$(grep -cE "^[0-9]+ of $many $what" .out)" -gt 3 ]
    ok $? "on a terminal: $1 $2"
}

# quietly COMMAND...: nothing to do, as cron has it.
quietly() {
    run 0 "nothing to do: $1 $2" "$@"
    silent out
    silent err
}

# -- each device has a file of its own, which is changed
server=$url
day 1
round=1
devices $many
run 0 'published' ota-pack publish -q
drawn devices ota-pack verify --server
told $((many + 50)) "devices, .* KiB" ota-pack verify --server
slowly INT $((many + 50)) ota-pack verify --server
[ $status -eq 130 ]
ok $? "Ctrl-C: $verb: exit 130, not $status"
silent err
quietly ota-pack prune
for round in 2 3; do
    day $round
    devices $many
    ota-pack publish -q
done
day 60
aged 60
old=$((2 * many))
way="$old payloads; run 'ota-pack prune' again to complete this"
stopped 280 ota-pack prune
left=$(files payloads)
[ "$left" -gt $many ] && [ "$left" -lt $((old + many)) ]
ok $? "$left of $((old + many)) payloads are left"
# those of the first 128 are gone, and are looked for once more
at_removal=$(grep -n '^DELETE .*/payloads/' proxy.log | sed 's/:.*//;q')
proxy "$((at_removal + 140)) status 403"
at "$through"
run 6 'a removal is refused' ota-pack prune
says err "cannot remove '${through}payloads/"
[ "$(wc -l <.err)" -eq 1 ] && [ "$(files payloads)" -eq $((many + 1)) ]
ok $? 'which is told, and all the others are removed'
at "$url"
run 0 'the one that is left' ota-pack prune
says out 'removed: 1 payload of '
[ "$(files payloads)" -eq $many ]
ok $? 'to the end'
quietly ota-pack prune
run 0 'what is left is whole' ota-pack verify --server
says out "$many of $many devices ok, $many payloads"

round=4
day 61
devices $many
ota-pack publish -q
day 120
aged 120
told 200 payloads ota-pack prune

# -- withdrawn: all but those that are listed
ids=$(sed 1d fleet.csv | tr '\n' ' ')
gone=$many
devices $((many + 1))
way="$many devices; run 'ota-pack withdraw' again to complete this"
# shellcheck disable=SC2086
stopped 280 ota-pack withdraw $ids
left=$(files devices)
[ "$left" -gt 0 ] && [ "$left" -lt $many ]
ok $? "$left of $many manifests are left"
# shellcheck disable=SC2086
told 120 devices ota-pack withdraw $ids
[ "$(files devices)" -eq 0 ]
ok $? 'which goes on, to the end'
# shellcheck disable=SC2086
quietly ota-pack withdraw $ids

# -- one content for all
rm -rf "${www:?}"/*
forget
gone=
for round in 1 2; do
    devices $many
    sed -i 's|site/{id}.py|main.py|' ota-pack.yml
    echo "x = $round" >main.py
    ota-pack publish -q
done
way="$many devices; .* run 'ota-pack rollback' again to complete this"
stopped 250 ota-pack rollback greenhouse --to 1
told 360 devices ota-pack rollback greenhouse --to 1
run 0 'as it was' ota-pack verify --server
says out "$many of $many devices ok"
quietly ota-pack rollback greenhouse --to 1
drawn devices ota-pack rollback greenhouse --to 2
done_testing
