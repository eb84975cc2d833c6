#!/bin/sh
# The demonstration: the example fleet packed and published into a folder;
# three simulated devices that poll, install, crash, undo, and confirm; forged
# files refused.  Everything is in build/demo.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${BUILD:=build}"
case $BUILD in /*) ;; *) BUILD=$top/$BUILD ;; esac
PATH=$BUILD:$BUILD/tests/agent:$PATH
demo=$BUILD/demo
export LC_ALL=C XDG_STATE_HOME="$demo/state"
rm -rf "$demo"
mkdir -p "$demo/tests/demo"
cd "$demo"
cp "$top/ota-pack.yml.example" ota-pack.yml
cp "$top/tests/demo/board.sh" .
for part in greenhouse valve lib site; do
    cp -R "$top/tests/demo/$part" tests/demo/
done

say() {
    printf '\n# %s\n' "$@" | sed '3,${/^$/d;}'
}

# $ COMMAND, and what it says; the second argument is the status to expect.
run() {
    printf '$ %s\n' "$1"
    status=0
    eval "$1" >out 2>&1 || status=$?
    fold -s -w 78 out | sed 's/ *$//'
    [ "$status" -eq "${2:-0}" ] || {
        echo "demo: exit $status, not ${2:-0}" >&2
        exit 1
    }
}

# is NAME TEXT: the device's state says so, else the demonstration failed.
is() {
    ota-agent -c "$1.conf" status | grep -qF "$2" || {
        echo "demo: $1 is not '$2'" >&2
        exit 1
    }
}

# The web server of the agent's tests: any other does as well.
server=
trap 'kill $server 2>/dev/null' EXIT
serve() {
    : >httpd.rules
    httpd public httpd.rules httpd.log httpd.port &
    server=$!
    tries=0
    until [ -s httpd.port ]; do
        tries=$((tries + 1))
        [ $tries -le 100 ] || exit 1
        sleep 0.1
    done
}

# device NAME ID: an empty one, and the settings of its agent.
device() {
    mkdir "$1"
    cat >"$1.conf" <<EOT
root = $1
url = http://127.0.0.1:$(cat httpd.port)
key = release.pub
device = $2
run-dir = run
EOT
}

say 'a throw-away key, and the fleet of ota-pack.yml.example published'
run 'ota-pack keygen -W release'
run 'ota-pack publish'

say 'what any web server can serve now: a small manifest for each device, and' \
    'payloads, which devices with the same files share (the two valves do)'
run 'find public/*s -type f -printf "%6s  %p\n" | sort -k 2 | cut -c 1-64'

serve
device north 24:6f:28:aa:bb:01
device south 24:6f:28:aa:bb:02
device nursery 24:6f:28:aa:bb:03
say 'a device asks a web server (here a test server) for news; nothing changes' \
    'before all of it is there and verified; then it starts anew; so do two more'
run 'cat north.conf'
run 'ota-agent -c north.conf poll' 10
run 'sh board.sh north'
cmp -s north/main.py tests/demo/greenhouse/main.py
cmp -s north/site.json tests/demo/site/246f28aabb01.json

# shellcheck disable=SC2016  # eval expands it
run 'for d in south nursery; do ota-agent -qc $d.conf poll; done' 10
run 'sh board.sh south nursery'

say 'version 2 has a mistake: it crashes at every start, and is undone when' \
    'three more starts have not confirmed it, without any help'
main=tests/demo/greenhouse/main.py
run "sed -i 's/^import sensors\$/import sensor/' $main"
run 'ota-pack publish'
run 'ota-agent -qc north.conf poll' 10
run 'sh board.sh north north north north north'
run 'ota-agent -c north.conf poll' 9
run 'grep f=2 httpd.log   # the server is told: 2 failed, never confirmed'
is north 'version 1 is installed'

say 'version 3 is right again: all three take it'
run "sed -i 's/^import sensor\$/import sensors/' $main"
run 'ota-pack publish'
# shellcheck disable=SC2016  # eval expands it
run 'for d in north south nursery; do ota-agent -qc $d.conf poll; done' 10
run 'sh board.sh north south nursery'
for name in north south nursery; do
    is $name 'version 3 is installed'
    cmp -s $name/main.py $main
done

say 'a setting of one device changes: only that one gets something'
run "sed -i 's/: 900/: 600/' tests/demo/site/246f28aabb02.json"
run 'ota-pack plan'
run 'ota-pack publish -q'

say 'somebody else got into the web server: other bytes in that payload, and' \
    'another label in a manifest; both are refused'
cp -R south south.before
# shellcheck disable=SC2016  # eval expands it
run 'sed -i "s/^./X/" $(ls -t public/payloads/*/* | head -n 1)'
run 'ota-agent -c south.conf poll' 9
run 'sed -i s/2026.11/2026.12/ public/devices/246f28aabb01/manifest'
run 'ota-agent -c north.conf poll' 9
run 'sh board.sh south north'
diff -r -x .ota south.before south
cmp -s north/main.py $main
