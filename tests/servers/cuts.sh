# Sourced by tests/servers/*_cuts.t after scenario.sh: publishers that are cut
# at whatever they send, and devices that poll meanwhile, at nginx and at Caddy.
# A test sets $kind, what to call it; $prefix, what is before a folder's name
# below $www; $torn, not empty where a manifest may be torn while it is
# replaced; and defines start, which starts the server, and server_of FOLDER,
# which prints the `server:` for it.
# shellcheck shell=sh
prefix=
torn=
new='      - "24:6f:28:00:00:04"'

# cutting RULE COMMAND...: that, as tests/servers/cut.c does it; the file
# `stopped` is there if it came to that.
cutting() {
    rule=$1
    shift
    rm -f stopped
    LD_PRELOAD=$BUILD/tests/servers/cut.so CUT=$rule CUT_STOPS=stopped "$@"
}

# agent N COMMAND...: of device N, in dev/, which polls at $reader.
agent() {
    id=24:6f:28:00:00:0$1
    shift
    ota-agent "$@" --root dev --url "$reader/$prefix$folder" \
        --key release.pub --device "$id" --run-dir run \
        --unconditional 0 --time 1790000100 -q 2>>agent.err
}

# to VERSION FOLDER SERVER: a configuration there, and content of its own.
to() {
    server=$3
    cp -a "$work/main.py" "$work/lib" "$work"/release.* "$2/"
    [ "$1" -eq 1 ] || echo "x = $1" >>"$2/main.py"
    if [ "$1" -eq 1 ]; then config 1; else config "$1" "$new"; fi
    [ "$2" = . ] || mv ota-pack.yml "$2/"
}

# references: what undisturbed publishes of versions 1 and 2, and of 1 and 3,
# leave in folders.
references() {
    for version in 2 3; do
        mkdir "$work/undisturbed.$version"
        cd "$work/undisturbed.$version" || exit 1
        for each in 1 $version; do
            to "$each" . "$work/reference.$version/"
            ota-pack publish -q || echo '# no reference'
        done
        ota-pack status --json | grep '"type":"device"' >../want.$version
    done
    cd "$work" || exit 1
}

# prepare FOLDER: version 1 is published into it, and three devices have it;
# version 2 is to be published, and 3 by a rival.
prepare() {
    folder=$1
    home=$www/$prefix$1
    mkdir "$work/$1" "$work/$1/rival" && cd "$work/$1" || exit 1
    to 1 . "$(server_of "$1")"
    ota-pack publish -q || echo '# not published'
    reader=${readers##* }
    for d in 1 2 3; do
        mkdir dev
        agent $d poll
        agent $d boot && agent $d confirm && mv dev dev.$d ||
            echo "# device $d has nothing"
    done
    cp -a "$home" before
    to 3 rival "$(server_of "$1")"
    to 2 . "$(server_of "$1")"
}

again() {
    rm -rf "$home"
    cp -a before "$home"
    forget
}

# polled N [STATUS]: device N finds its news whole, or none; with STATUS that and
# nothing else.
polled() {
    rm -rf dev run # and what it backs off from
    if [ -d dev.$1 ]; then cp -a dev.$1 dev; else mkdir dev; fi
    there=$home/devices/246f2800000$1/manifest
    [ -e "$there" ]
    missing=$?
    agent $1 poll
    got=$?
    case ${2-any}$got$missing in
    any00 | any100 | any51 | "${2-none}${2-none}0") ;;
    any40 | any50 | any90) may_be_torn "$there" ;;
    *) false ;;
    esac
}

# polls [STATUS]: each of them, at each reader.  What is wrong is added to
# $wrong.
polls() {
    for reader in $readers; do
        for d in 1 2 3 4; do
            polled $d "$@" || wrong="$wrong $at:poll$got"
        done
    done
}

# may_be_torn FILE: it is one that a device takes for no news: empty, or still
# being written, so that a second later it is whole.
may_be_torn() {
    [ -n "$torn" ] || return
    [ -s "$1" ] || return 0
    sleep 1
    ota-pack verify -q -k release.pub "$1" >/dev/null 2>&1
}

# sound: each manifest that is there verifies, and its payload is there.
sound() {
    for manifest in "$home"/devices/*/manifest; do
        ota-pack verify -q -k release.pub "$manifest" >/dev/null \
            2>>verify.err || may_be_torn "$manifest" ||
            wrong="$wrong $at:${manifest#"$home/devices/"}"
    done
    polls
}

# ends VERSION CONFIGURATION: the next publish leaves what an undisturbed one
# does.  Payloads of what was given up may be there too.
ends() {
    ota-pack publish -q -c "$2" --lock-timeout 5s >next.out 2>next.err ||
        wrong="$wrong $at:next$?"
    ended "$1" "$2"
}

# ended VERSION CONFIGURATION: it is there, byte for byte.
ended() {
    for part in devices payloads; do
        tree "$home/$part" >is
        tree "$work/reference.$1/$part" >want
        if [ $part = payloads ] && [ "$1" -eq 3 ]; then
            grep -xFf want is >both
            mv both is
        fi
        cmp -s want is || wrong="$wrong $at:$part"
    done
    ota-pack status -c "$2" --json | grep '"type":"device"' |
        cmp -s - "$work/want.$1" || wrong="$wrong $at:index"
    polls 10
}

# ends_above VERSION CONFIGURATION: as ends, after two who were not alone: where
# that is found out, the numbers of both are used up, and publish says which one
# is to be set.
ends_above() {
    ota-pack publish -q -c "$2" --lock-timeout 5s >next.out 2>next.err
    next=$?
    number=$(sed -n "s/.*set 'version: \([0-9]*\)'.*/\1/p" next.err | head -n 1)
    if [ $next -ne 3 ] || [ -z "$number" ]; then
        [ $next -eq 0 ] || {
            wrong="$wrong $at:next$next"
            sed "s|^|# $at: |" next.err
        }
        ended "$1" "$2"
        return
    fi
    sed "s/version: [0-9]*/version: $number/" "$2" >"$2.above"
    ota-pack publish -q -c "$2.above" --lock-timeout 5s >next.out 2>next.err ||
        wrong="$wrong $at:above$?"
    sound
    for manifest in "$home"/devices/*/manifest; do
        ota-pack show "$manifest" | grep -q "version *$number\$" ||
            wrong="$wrong $at:not$number"
    done
    polls 10
}

# Each of these is 1 where the publisher came to its end before that.
killed() { # N ACTION
    at=$1$2
    again
    cutting "$1 $2" ota-pack publish -q >.out 2>.err
    got=$?
    if [ ! -e stopped ]; then
        [ $got -eq 0 ] || wrong="$wrong $at:exit$got"
        return 1
    fi
    [ $got -eq 137 ] || wrong="$wrong $at:exit$got"
    [ -z "$torn" ] || sleep 0.2 # the server goes on with what it has got
    sound
    ends 2 ota-pack.yml
}

# stop_at N: a publisher is stopped there; go_on: until it ends, with $got.
stop_at() { # N [OPTION]...
    rm -f stopped
    where=$1
    shift
    cutting "$where stop" ota-pack publish -q "$@" >.out 2>.err &
    publisher=$!
    until [ -s stopped ] || ! kill -0 $publisher 2>/dev/null; do
        sleep 0.02
    done
    [ -s stopped ] && return
    wait $publisher
    return 1
}

go_on() {
    kill -CONT "$(cat stopped)"
    wait $publisher
    got=$?
}

# rivals N VERSION: the lock means nothing to the one that publishes VERSION
# while another one is stopped, and then goes on.
rivals() {
    at=$1v$2
    config=ota-pack.yml
    [ "$2" -eq 2 ] || config=rival/ota-pack.yml
    again
    stop_at "$1" || return 1
    ota-pack publish -q -c $config --break-lock >rival.out 2>rival.err ||
        wrong="$wrong $at:rival$?"
    sound
    go_on
    [ $got -lt 128 ] || wrong="$wrong $at:exit$got"
    sound
    ends_above "$2" $config
}

# pairs N: as rivals, and the rival is stopped too, wherever that is, until the
# other one is done.
pairs() {
    at=$1+$((1 + $1 * 7 % 23))
    again
    stop_at "$1" || return 1
    first=$publisher
    mv stopped first.stopped
    stop_at $((1 + $1 * 7 % 23)) -c rival/ota-pack.yml --break-lock
    second=$publisher
    sound
    kill -CONT "$(cat first.stopped)"
    wait "$first"
    sound
    if [ -s stopped ]; then
        kill -CONT "$(cat stopped)"
        wait "$second"
    fi
    sound
    ends_above 3 rival/ota-pack.yml
}

# outage N [FOR_GOOD]: the server dies, with all that it does, while a publisher
# is stopped; it is there again a second later, or only for the next publish.
outage() {
    at=$1${2:-back}
    again
    stop_at "$1" || return 1
    kill_server
    sound
    if [ "${2-}" ]; then
        go_on
        case $got in
        5 | 7) ;;
        0) [ "$(tree "$home/devices")" = \
            "$(tree "$work/reference.2/devices")" ] || wrong="$wrong $at:0" ;;
        *) wrong="$wrong $at:exit$got" ;;
        esac
        relaunch
    else
        kill -CONT "$(cat stopped)"
        sleep 1
        relaunch
        wait $publisher || wrong="$wrong $at:exit$?"
    fi
    sound
    ends 2 ota-pack.yml
}

# begin N: a server, and N folders on it to work in, each in a shell of its own.
begin() {
    start || exit 1
    start_readers
    rm -rf main.py lib release.* w? undisturbed.* reference.* want.*
    forget
    fleet
    references
    for w in $(seq "$1"); do
        (prepare "w$w")
    done
}

# small_disk: what the server has is on a file system of 2 MiB, which is empty;
# false where that cannot be had.  Before the server starts.
small_disk() {
    mkdir "$work/disk"
    mount -t tmpfs -o size=2m,mode=755 none "$work/disk" 2>/dev/null || return 1
    trap 'stop_servers; umount -l "$work/disk"; rm -rf "$work"' EXIT
    www=$work/disk/www
    rm -rf "$work/spool"
    ln -s disk/spool "$work/spool"
    mkdir "$www" "$work/disk/spool"
}

# full N: the server's disk has room for N blocks more.
full() {
    at=${1}blocks
    again
    cat /dev/zero >"$work/disk/filler" 2>/dev/null
    truncate -s -$(($1 * 4096)) "$work/disk/filler"
    ota-pack publish -q >.out 2>.err
    status=$?
    sound
    rm "$work/disk/filler"
    cat .err >>full.err
    ends 2 ota-pack.yml
    case $status in
    0) return 1 ;;
    5 | 7) ;;
    *) wrong="$wrong $at:exit$status" ;;
    esac
}

# through N ACTION: a publisher through a proxy that spoils its Nth request so;
# its exit status.
through() {
    at=$1:$2
    again
    proxy "$1 $2"
    direct=$url
    url=$through
    to 2 . "$(server_of $folder)"
    url=$direct
    ota-pack publish -q >.out 2>.err
}

# spoilt: requests that go wrong are made again, where that is any use; else all
# that is there stays whole.
spoilt() {
    cd w1 || exit 1
    folder=w1 home=$www/${prefix}w1
    through none none
    last=$(wc -l <proxy.log)
    payload=$(grep -n '^PUT .*payloads/' proxy.log | sed 's/:.*//')
    for action in reset lost half 'status 503 Retry-After: 1' 'status 429'; do
        wrong=
        for request in 1 3 5 8 "$last"; do
            through "$request" "$action" || wrong="$wrong $at"
            [ "$(tree "$home/devices")" = \
                "$(tree ../reference.2/devices)" ] || wrong="$wrong $at:devices"
        done
        [ -z "$wrong" ]
        ok $? "$kind: $action, once: it goes on; but:$wrong"
    done
    for action in 'status 403' 'status 507' 'status 404'; do
        wrong=
        request=4
        while [ "$request" -le "$last" ]; do
            through "$request+" "$action"
            status=$?
            case $status in
            0 | 5 | 6 | 7) ;;
            *) wrong="$wrong $at:exit$status" ;;
            esac
            sound
            request=$((request + 3))
        done
        [ -z "$wrong" ]
        ok $? "$kind: $action, from then on: all stays whole; but:$wrong"
    done
    through "$payload+" 'status 507'
    cp .err "$work/.err"
    says err "HTTP 507 (the server's disk is full)"
    cd "$work" || exit 1
}

# points LEAST WORKERS STEP COMMAND [ARG]: COMMAND N ARG for each STEPth N, until
# it says that there are no more, which are at least LEAST; several at once.
points() {
    least=$1 many=$2 step=$3
    shift 3
    workers=
    for w in $(seq "$many"); do
        (
            cd "$work/w$w" && folder=w$w && home=$www/$prefix$folder || exit 1
            XDG_STATE_HOME=$PWD/.state
            wrong=
            point=$(((w - 1) * step + 1))
            while "$1" $point ${2+"$2"}; do
                point=$((point + many * step))
            done
            echo "$((point - many * step))" >last
            echo "$wrong" >wrong
        ) &
        workers="$workers $!"
    done
    for worker in $workers; do
        wait "$worker"
    done
    last=$(sort -n "$work"/w*/last | tail -n 1)
    wrong=$(cat "$work"/w*/wrong | tr -d '\n')
    [ -z "$wrong" ] && [ "$last" -ge "$least" ]
    ok $? "$kind: $*, at one in $step of $last; but:$wrong"
    rm "$work"/w*/last "$work"/w*/wrong
}

# on_full_disk: whatever finds no room any more.
on_full_disk() {
    stop_servers
    if ! small_disk; then
        echo "# no file system can be mounted here: $kind, full, is left out"
        return
    fi
    begin 1
    points 2 1 1 full
    grep -qiE 'disk|space|no room' w1/full.err
    ok $? "$kind: and says what it is"
}
