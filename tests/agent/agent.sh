# Sourced by tests/agent/*.t: a published fleet, a server for it, a device.
# shellcheck shell=sh
# In memory where that is possible: a disk's fsync is slow.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../cli/lib.sh"
. "$top/tests/cli/fleet.sh"
httpd=$BUILD/tests/agent/httpd
device=246f28000001
servers=
trap 'kill $servers 2>/dev/null; rm -rf "$work"' EXIT

# serve FOLDER [NAME]: serves it as NAME (default "a"): NAME.rules, NAME.log;
# its address is in $url.
serve() {
    name=${2:-a}
    : >"$name.rules"
    : >"$name.log"
    rm -f "$name.port"
    "$httpd" "$1" "$name.rules" "$name.log" "$name.port" &
    servers="$servers $!"
    waited=0
    while [ ! -s "$name.port" ] && [ $waited -lt 100 ]; do
        sleep 0.05
        waited=$((waited + 1))
    done
    url=http://127.0.0.1:$(cat "$name.port")
}

# killed CALL N COMMAND...: is killed at the Nth call; fails if there is none.
killed() {
    call=$1 at=$2
    shift 2
    killed_at "$call" "$at" ota-agent -c agent.conf "$@"
}

# everywhere WHAT CHECK START COMMAND...: from a copy of START it is killed at
# each of $calls; CHECK holds after each.
everywhere() {
    what=$1 check=$2 from=$3
    shift 3
    places=0
    for call in $calls; do
        at=1
        while rm -rf dev && cp -a "$from" dev && killed $call $at "$@"; do
            "$check" || {
                echo "# stuck after $call $at"
                places=0
                break 2
            }
            at=$((at + 1))
            places=$((places + 1))
        done
    done
    ! killed "$call" "$at" "$@" && [ "$places" -ge 2 ]
    ok $? "$what: killed at $places calls, and goes on after each"
}

# rule [LINE]...: how the server misbehaves from now on; the log is empty.
rule() {
    : >a.rules
    [ $# -eq 0 ] || printf '%s\n' "$@" >a.rules
    : >a.log
}

# settings [LINE]...: agent.conf for the device in dev/, then lines.
trusts=release.pub identity=24:6f:28:00:00:01 clock=1790000100
settings() {
    {
        cat <<EOT
root = $work/dev
url = $url
key = $trusts
device = $identity
run-dir = $work/run
unconditional = 0
time = $clock
EOT
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >agent.conf
}

# agent COMMAND...: on that device.
agent() {
    ota-agent -c agent.conf "$@"
}

# publish VERSION: what is in main.py and lib/ now.
publish() {
    config "$1"
    ota-pack publish >"$work/.out" 2>"$work/.err" || {
        cat "$work/.err" >&2
        exit 1
    }
}

# files FOLDER: what is installed there: names, modes and sums.
files() {
    (cd "$1" && find . -path ./.ota -prune -o -type f \
        -exec stat -c '%a %n' {} + -exec cksum {} + | sort)
}

# same A B: two folders have the same files.
same() {
    [ "$(files "$1")" = "$(files "$2")" ]
}

# value NAME: a number or text of the device's status.
value() {
    agent status --json | sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

# is NAME VALUE...: the status says so.
is() {
    wrong=
    while [ $# -gt 1 ]; do
        [ "$(value "$1")" = "$2" ] || wrong="$wrong $1=$(value "$1")"
        shift 2
    done
    [ -z "$wrong" ] || echo "# but$wrong"
    [ -z "$wrong" ]
}

# asked N: so many requests since the last rule.
asked() {
    [ "$(wc -l <a.log)" -eq "$1" ] || {
        sed 's/^/# log: /' a.log
        return 1
    }
}

# kept: all below .ota with its time of change.
kept() {
    find dev -printf '%p %s %T@ %C@\n' | sort
}
