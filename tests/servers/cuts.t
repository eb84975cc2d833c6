#!/bin/sh
# A publisher that is killed at every request, before the server sees it and
# after: each device has a manifest that verifies and whose payload is there,
# and the next run ends as an undisturbed one does.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
start_nginx on || exit 1
fleet

# devices: what is published for each, as the index says.
devices() {
    ota-pack status --json | grep '"type":"device"'
}

# What is there before, and what is to be: a change, and a device more.
publish_to=$url
kind=nginx
at=$www
both 1
cp -a "$www" before.www
cp -a reference before.reference
echo 'import os' >>main.py
both 2 '      - "24:6f:28:00:00:04"'
same 'undisturbed'
devices >want.devices

# again: all is as before; through the proxy with this rule, the publisher's
# process in proxy.pid.
again() {
    rm -rf "${www:?}"/*
    cp -a before.www/* "$www"/
    proxy "$1"
    server=$through
    config 2 '      - "24:6f:28:00:00:04"'
    # shellcheck disable=SC2016  # the inner shell's
    sh -c 'echo $$ >pid; exec ota-pack publish -q' >"$work/.out" 2>"$work/.err"
}

# sound: each manifest that is there verifies, and its payload is there.
sound() {
    ota-pack verify -q -k release.pub "$www"/devices/*/manifest \
        >"$work/.out" 2>"$work/.err"
}

again none
last=$(wc -l <proxy.log)
[ "$last" -gt 10 ]
ok $? "a publish takes $last requests"
server=$url
for when in before after; do
    wrong=
    at_request=1
    while [ "$at_request" -le "$last" ]; do
        again "$at_request $when pid"
        status=$?
        sound || wrong="$wrong $at_request:manifest"
        [ $status -eq 137 ] || wrong="$wrong $at_request:exit$status"
        config 2 '      - "24:6f:28:00:00:04"'
        sed -i "s|^server: .*|server: $url|" ota-pack.yml
        ota-pack publish -q --lock-timeout 5s >"$work/.out" 2>"$work/.err" ||
            wrong="$wrong $at_request:next"
        for part in devices payloads; do
            [ "$(tree "$www/$part")" = "$(tree reference/$part)" ] ||
                wrong="$wrong $at_request:$part"
        done
        devices | cmp -s - want.devices || wrong="$wrong $at_request:index"
        at_request=$((at_request + 1))
    done
    [ -z "$wrong" ]
    ok $? "killed $when each of $last requests; but:$wrong"
done

# -- what goes wrong on the way is tried again, or told
for action in reset lost 'status 503 Retry-After: 1' 'status 429' half; do
    wrong=
    for at_request in 1 3 5 8 "$last"; do
        again "$at_request $action"
        [ $? -eq 0 ] || wrong="$wrong $at_request"
        [ "$(tree "$www/devices")" = "$(tree reference/devices)" ] ||
            wrong="$wrong $at_request:devices"
    done
    [ -z "$wrong" ]
    ok $? "$action, once: it goes on; but:$wrong"
done
for action in 'status 403' 'status 507' 'status 404'; do
    wrong=
    at_request=4
    while [ "$at_request" -le "$last" ]; do
        again "$at_request+ $action"
        status=$?
        [ $status -eq 5 ] || [ $status -eq 7 ] || [ $status -eq 0 ] ||
            wrong="$wrong $at_request:exit$status"
        sound || wrong="$wrong $at_request:manifest"
        at_request=$((at_request + 3))
    done
    [ -z "$wrong" ]
    ok $? "$action from any request on: exit 5 or 7, all whole; but:$wrong"
done
again '6+ status 507'
says err "HTTP 507 (the server's disk is full)"
again '6+ status 403'
says err 'HTTP 403 (the server does not let this user write there)'
done_testing
