#!/bin/sh
# A publisher to S3 that is killed at every request, before the store sees it
# and after, and requests that go wrong: as cuts.t, with a store whose lock is
# one object.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! perl -MDigest::SHA -MDigest::MD5 -MTime::Local -e 1 2>/dev/null; then
    echo '1..0 # SKIP perl has no Digest::SHA'
    exit 0
fi
export S3D_QUICK=1
start_s3d || exit 1
fleet
at=$www/ota/fleet
kind=s3

# store URL: the server, for a configuration.
store() {
    echo "{url: s3://ota/fleet, endpoint: \"$1\"}"
}

publish_to=$(store "$url")
both 1
cp -a "$www/ota" before.ota
echo 'import os' >>main.py
both 2 '      - "24:6f:28:00:00:04"'
same 'undisturbed'

# again RULE: all is as before; through the proxy with this rule, the
# publisher's process in the file pid.
again() {
    rm -rf "${www:?}/ota"
    cp -a before.ota "$www/ota"
    proxy "$1"
    server=$(store "$through")
    config 2 '      - "24:6f:28:00:00:04"'
    # shellcheck disable=SC2016  # the inner shell's
    sh -c 'echo $$ >pid; exec ota-pack publish -q' >"$work/.out" 2>"$work/.err"
}

# sound: each manifest that is there verifies, and its payload is there.
sound() {
    ota-pack verify -q -k release.pub "$at"/devices/*/manifest \
        >"$work/.out" 2>"$work/.err"
}

# whole: it is what an undisturbed publish leaves.
whole() {
    [ "$(tree "$at/devices")" = "$(tree reference/devices)" ] &&
        [ "$(tree "$at/payloads")" = "$(tree reference/payloads)" ]
}

again none
last=$(wc -l <proxy.log)
[ "$last" -gt 15 ] && [ "$last" -lt 40 ]
ok $? "a publish takes $last requests"
for when in before after; do
    wrong=
    at_request=1
    while [ "$at_request" -le "$last" ]; do
        again "$at_request $when pid"
        status=$?
        sound || wrong="$wrong $at_request:manifest"
        [ $status -eq 137 ] || wrong="$wrong $at_request:exit$status"
        server=$(store "$url")
        config 2 '      - "24:6f:28:00:00:04"'
        ota-pack publish -q --lock-timeout 5s >"$work/.out" 2>"$work/.err" ||
            wrong="$wrong $at_request:next"
        whole || wrong="$wrong $at_request:end"
        at_request=$((at_request + 1))
    done
    [ -z "$wrong" ]
    ok $? "killed $when each of $last requests; but:$wrong"
done
for action in reset lost half 'status 503 Retry-After: 1'; do
    wrong=
    for at_request in 1 3 5 6 9 "$last"; do
        again "$at_request $action"
        [ $? -eq 0 ] && whole || wrong="$wrong $at_request"
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
done_testing
