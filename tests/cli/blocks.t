#!/bin/sh
# What README.md and the manual print works as printed: each block that is a
# configuration or commands is taken out and run, in a fleet and with a device
# that are made for it.  A block of no known kind fails.  Those that need a
# server of others are in tests/servers/blocks.t.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/blocks.sh"
blocks
units=$top/src/device/agent/systemd
unset SOURCE_DATE_EPOCH

# kind BLOCK: what it is, by its page, its language and its first line.
kind() {
    case $1 in
    ota-bundle.5:* | ota-index.5:* | ota-install.7:* | ota-publish.7:*) echo bytes && return ;;
    *.nginx | *.caddy | *.apache | *.lighttpd) echo server && return ;;
    *.console) echo demo && return ;;
    esac
    case $(grep -m 1 . "$work/blocks/$1") in
    '#include '*) echo c ;;
    *'+--'* | *' files  '* | 'idle -> '* | ' ota-pack.yml, your'*) echo drawing ;;
    include/ota/*) echo folders ;;
    public/*) echo published ;;
    'GET /'*) echo request ;;
    '{"type":'*) echo json ;;
    '{"Version"'*) echo policy ;;
    key:*) echo fleet ;;
    server:*) echo where ;;
    id,*) echo csv ;;
    'Match '*) echo server ;;
    'root = '* | 'url = '*) echo agent ;;
    'PATH='*) echo crontab ;;
    '[Unit]'* | *'An example: the program'*) echo unit ;;
    '[Service]'*) echo drop-in ;;
    *': error: '* | 'ota-agent: '*) echo message ;;
    'ota-agent boot') echo starts ;;
    dnf* | apk* | apt-get*) echo packages ;;
    wsl* | docker* | podman*) echo other ;;
    '$ '* | '# '*) echo prompt ;;
    ota-pack* | ota-agent* | make* | mkdir* | cd* | git* | sudo* | rsync* | \
        export* | eval* | until*) echo commands ;;
    *) echo none ;;
    esac
}

# Why a kind is not run here.
reason() {
    case $1 in
    bytes | drawing | folders | published | request) echo 'no command' ;;
    c) echo 'compiled, and compared by tests/cli/manual.t' ;;
    demo) echo "compared with the commands of 'make demo' below" ;;
    message) echo 'what a program says' ;;
    packages) echo "another system's packages" ;;
    other) echo 'needs Windows, or containers' ;;
    *) return 1 ;;
    esac
}

# check_server NAME FILE: it is one of those that tests/servers/blocks.t takes.
check_server() {
    sed -n "s/.*block '\([^']*\)'.*/\1/p" "$top/tests/servers/blocks.t" |
        while IFS= read -r pattern; do
            block "$pattern" | cmp -s - "$2" && echo "$pattern"
        done | grep -q .
    ok $? "$1: run by tests/servers/blocks.t"
}

# stub NAME [SCRIPT]: a program that stands before all others.
mkdir stubs
stub() {
    printf '#!/bin/sh\n%s\n' "${2-:}" >"stubs/$1"
    chmod 755 "stubs/$1"
}
did="echo \"\${0##*/} \$*\" >>$work/did"
for name in apt-get reboot systemctl python3 sleep git rsync; do
    stub $name "$did"
done
# There is no terminal that could be asked for a password.
stub ota-pack "case \$1 in init) shift; set -- init -W \"\$@\" ;; esac
exec $BUILD/ota-pack \"\$@\""
stub ota-agent "exec $BUILD/ota-agent \"\$@\" -c $work/agent.conf"
stub aws 'echo "export AWS_ACCESS_KEY_ID=A"; echo "export AWS_SECRET_ACCESS_KEY=B"'
stub jq 'grep . >/dev/null; exit 0'
stub editor
# make is asked for targets that there are; install is run below.
stub make "for target; do
    grep -q \"^\$target:\" $top/Makefile $top/tests/*.mk || exit 1
done"
stub sudo 'exec "$@"'
stub cp "set -- \$(echo \"\$*\" | sed 's|/usr/local/share/doc/ota-pack/greenhouse.service|$units/greenhouse.service|; s|/etc/|$work/etc/|; s|^-a ||')
exec /bin/cp -a \"\$@\""
PATH=$work/stubs:$PATH
export EDITOR=editor
mkdir -p etc/systemd/system

# The fleet that the commands stand in: all the files of the examples, releases
# at version 8 with 7 behind it, and a bundle on a memory card.
sources() {
    mkdir -p fleet/lib fleet/build fleet/site fleet/src
    cd fleet || exit 1
    for file in main.py lib/pump.py lib/test_pump.py build/net.py src/more.py \
        program.py firmware.bin run.sh old.py; do
        echo "# $file" >$file
    done
    for id in bbcc bbcd bb01 bb02 bb05; do echo '{}' >site/246f28aa$id.json; done
    echo 'id,name,site' >fleet.csv
    echo '24:6f:28:aa:bb:05,east,kew' >>fleet.csv
    echo 'id' >gateways.csv
    echo '24:6f:28:aa:cc:01' >>gateways.csv
    ota-pack keygen -W release >/dev/null 2>&1
    : >ours.pem
    cd ..
}
sources
releases() { # VERSION
    cat <<EOT
key: release.key
server: public/
releases:
  - name: greenhouse
    version: $1
    files: [main.py, {from: "site/{id}.json", to: site.json}]
    devices: [{id: "24:6f:28:aa:bb:cc", name: north}]
  - name: valve
    version: $1
    label: "$1"
    files: [lib/pump.py]
    devices: [{id: "24:6f:28:aa:bc:01", name: east}]
EOT
}
for version in 7 8; do
    releases $version >fleet/ota-pack.yml
    ota-pack -c fleet/ota-pack.yml publish -q || exit 1
done
# A device that gets it from a web server.
mkdir dev
: >rules
"$BUILD/tests/agent/httpd" fleet/public rules log port &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ ! -s port ] || break
    sleep 0.1
done
cat >agent.conf <<EOT
root = $work/dev
url = http://127.0.0.1:$(cat port)
key = $work/fleet/release.pub
device = 24:6f:28:aa:bb:cc
run-dir = $work/run
EOT

# prepared NAME: the current folder becomes a new copy of that fleet.
prepared() {
    rm -rf "$work/now"
    mkdir "$work/now"
    /bin/cp -a "$work/fleet" "$work/now/fleet"
    cd "$work/now/fleet" || exit 1
    export XDG_STATE_HOME="$work/now/state"
}

# fine LINE STATUS: it may end so: news is staged, or nothing is on trial.
fine() {
    case $1:$2 in
    *:0 | *'ota-agent poll'*:10 | *'ota-agent confirm'*:12) ;;
    *) return 1 ;;
    esac
}

# commands FILE: each command of it, one after the other in one shell.
commands() {
    command=
    while IFS= read -r line; do
        command="$command$line
"
        case $line in *\\) continue ;; esac
        sh -n -c "$command" 2>/dev/null || continue
        eval "$command" >>"$work/.out" 2>>"$work/.err" </dev/null
        status=$?
        fine "$command" $status || {
            echo "exit $status: $command" >>"$work/.err"
            return 1
        }
        command=
    done <"$1"
    [ -z "$command" ]
}

# run_commands NAME FILE
run_commands() {
    : >.out
    : >.err
    case $(cat "$2") in
    *'ota-pack init'*) # where nothing is yet
        (rm -rf empty && mkdir empty && cd empty && commands "$2")
        ;;
    *'apply --now'*)
        sed "s|/media/card/[^ ]*|$work/card.otab|" "$2" >card
        (prepared && ota-pack build -q -o out north &&
            /bin/cp out/*/*.otab "$work/card.otab" && commands "$work/card")
        ;;
    *' -C next '*) (prepared && mkdir now && commands "$2") ;;
    *) (prepared && commands "$2") ;;
    esac
    ok $? "$1: its commands run"
}

# check_fleet NAME FILE: 'ota-pack check' takes it, where nothing is published.
check_fleet() {
    prepared
    rm -rf public
    /bin/cp "$2" ota-pack.yml
    grep -q '^releases:' ota-pack.yml ||
        releases 9 | sed '/^key:/d; /^server:/d' >>ota-pack.yml
    OTA_PACK_KEY=$(cat release.key)
    export OTA_PACK_KEY
    run 0 "$1: 'ota-pack check' takes it" ota-pack check
    unset OTA_PACK_KEY
    cd "$work" || exit 1
}

# check_where NAME FILE: each `server:`, with the indented lines below it, names
# a server.  Nobody is to be asked, so there is one mistake elsewhere, and it has
# to be the only one.
check_where() {
    rm -f rest where.*
    awk '/^server:/ { file = "where." ++n }
        !/^( |server:)/ { file = "rest" }
        { print >file }' "$2"
    ! grep -qs . rest || run_commands "$1" "$work/rest"
    for where in where.*; do
        prepared
        {
            releases 9 | sed '/^server:/d'
            cat "$work/$where"
            echo 'mistake: here'
        } >ota-pack.yml
        run 3 "$1: $(tr '\n' ' ' <"$work/$where")" ota-pack check
        [ "$(grep -c ': error: ' "$work/.err")" -eq 1 ] &&
            grep -q "unknown key 'mistake'" "$work/.err"
        ok $? 'is a server'
        cd "$work" || exit 1
    done
}

# check_agent NAME FILE: the agent takes these settings.
check_agent() {
    sed "s|^root = .*|root = $work/dev|
        s|^key = .*|key = $work/fleet/release.pub|" "$2" >example.conf
    run 0 "$1: the agent takes it" "$BUILD/ota-agent" -c example.conf status
}

# check_crontab NAME FILE: lines NAME=VALUE, or five times and a command, which
# runs in what cron gives it.
check_crontab() {
    ! grep -q '\\$' "$2"
    ok $? "$1: each line of the table is whole"
    awk 'length($0) > 79' "$2" | grep -q .
    [ $? -eq 1 ]
    ok $? 'and no line is folded by a terminal'
    grep -q '^PATH=/usr/local/bin:' "$2"
    ok $? "which finds what 'make install' installed"
    variables=$(sed -n 's|^\([A-Z_]*=[^ ]*\)$|\1|p' "$2" |
        sed "s|/usr/local/bin|$work/stubs:/usr/local/bin|")
    grep -v '^[A-Z_]*=' "$2" >table
    while IFS= read -r job; do
        echo "$job" | grep -qE '^([0-9*/,-]+ +){5}[^ ]'
        ok $? "five times: $job"
        prepared
        run 0 'and what is run' as_cron "$job"
        cd "$work" || exit 1
    done <table
}

# as_cron JOB: with the variables of its table.
as_cron() {
    job=$(echo "$1" | sed -E 's/^([^ ]+ +){5}//')
    # shellcheck disable=SC2086  # one word a variable
    env -i HOME="$work/now" LOGNAME=root SHELL=/bin/sh PATH=/usr/bin:/bin \
        $variables /bin/sh -c "$job"
}

# check_poll_job NAME: what the crontab does after each exit status of a poll.
check_poll_job() {
    for status in 0 5 10; do
        /bin/cp stubs/ota-agent kept
        stub ota-agent "exit $status"
        : >did
        as_cron "$(cat table)" >.out 2>.err
        restarted=$(grep -c '^reboot' did)
        [ "$restarted" -eq $((status == 10)) ]
        ok $? "$1: exit $status: restarted $restarted times"
        /bin/mv kept stubs/ota-agent
    done
}

# check_starts NAME FILE: after boot the program runs, or the machine restarts.
check_starts() {
    /bin/cp stubs/ota-agent kept
    for case in 0:python3 12:python3 3:python3 10:reboot 1:reboot 8:reboot; do
        stub ota-agent "exit ${case%:*}"
        : >did
        (. "$2") >.out 2>.err
        [ "$(tail -n 1 did | sed 's/ .*//')" = "${case#*:}" ]
        ok $? "$1: exit ${case%:*}: ${case#*:}"
    done
    /bin/mv kept stubs/ota-agent
}

# check_json NAME FILE: one object or more.
check_json() {
    perl -0777 -MJSON::PP -ne '$json = JSON::PP->new;
        $json->incr_parse($_);
        while ($json->incr_parse) { $count++ }
        die $json->incr_text if !$count || $json->incr_text =~ /\S/' \
        "$2" >.out 2>.err
    ok $? "$1: JSON"
}

# verified FILE...: as far as systemd is here.
verified() {
    command -v systemd-analyze >/dev/null || return 0
    rm -rf verify
    mkdir verify
    for file; do
        sed "s|/usr/local/bin/|$BUILD/|
            s|/usr/bin/python3|/bin/true|" "$file" >"verify/${file##*/}"
    done
    systemd-analyze --man=no verify verify/*
}

check_unit() {
    run 0 "$1: is the unit that 'make install' puts in place" \
        diff "$2" "$units/greenhouse.service"
}

# check_drop_in NAME FILE: systemd takes it behind the unit.
check_drop_in() {
    mkdir -p drop
    /bin/cp "$units"/* drop/
    cat "$2" >>drop/ota-agent-boot.service
    run 0 "$1: systemd takes it" verified drop/*
}

while read -r name; do
    cd "$work" || exit 1
    file=$work/blocks/$name
    what=$(kind "$name")
    case $what in
    fleet) check_fleet "$name" "$file" ;;
    where) check_where "$name" "$file" ;;
    agent) check_agent "$name" "$file" ;;
    crontab)
        check_crontab "$name" "$file"
        ! grep -q ota-agent "$file" || check_poll_job "$name"
        ;;
    starts) check_starts "$name" "$file" ;;
    json | policy)
        check_json "$name" "$file"
        ;;
    server) check_server "$name" "$file" ;;
    unit) check_unit "$name" "$file" ;;
    drop-in) check_drop_in "$name" "$file" ;;
    csv)
        prepared
        /bin/cp "$file" fleet.csv
        run 0 "$name: a list of devices" ota-pack check
        ;;
    commands) run_commands "$name" "$file" ;;
    prompt)
        sed 's/^[$#] //' "$file" >typed
        run_commands "$name" "$work/typed"
        ;;
    *)
        why=$(reason "$what")
        ok $? "$name: ${why:-of no known kind}"
        ;;
    esac
done <"$work/blocks/list"
cd "$work" || exit 1

# The units: what systemd thinks of them, and what they do after each exit
# status of the agent.
run 0 'systemd takes the units' verified "$units"/*
# value NAME UNIT
value() {
    sed -n "s/^$1=//p" "$units/$2.service"
}
# after UNIT STATUS: runs it; "good" or "failed", then what it did.
after() {
    stub ota-agent "exit $2"
    : >did
    start=$(value ExecStart "$1")
    sh -c "${start#/usr/local/bin/}"
    got=$?
    result=failed
    for good in 0 $(value SuccessExitStatus "$1"); do
        [ $got -ne "$good" ] || result=good
    done
    stop=$(value ExecStopPost "$1" | sed 's/\$\$/$/g')
    EXIT_STATUS=$got sh -c "${stop#+}"
    echo "$result $(tr '\n' ' ' <did)"
}
while read -r unit status want; do
    got=$(after "$unit" "$status")
    [ "${got% }" = "$want" ]
    ok $? "$unit: exit $status: $want"
done <<'EOT'
ota-agent-boot 0 good
ota-agent-boot 12 good
ota-agent-boot 3 good
ota-agent-boot 10 failed systemctl --no-block reboot
ota-agent-boot 1 failed sleep 60 systemctl --no-block reboot
ota-agent-boot 8 failed sleep 60 systemctl --no-block reboot
ota-agent-poll 0 good
ota-agent-poll 5 failed
ota-agent-poll 8 good
ota-agent-poll 10 good systemctl --no-block reboot
EOT
grep -q '^Requires=ota-agent-boot.service' "$units/greenhouse.service" &&
    grep -q '^After=ota-agent-boot.service' "$units/greenhouse.service"
ok $? 'the program starts after a good boot alone'

# Installed, they run what was installed; and nothing stays.
make=$(PATH=${PATH#*:} command -v make)
if [ -n "$make" ]; then
    install() {
        MAKEFLAGS='' "$make" -s -C "$top" -o all "$1" BUILD="$BUILD" \
            DESTDIR="$work/root" PREFIX=/opt/ota
    }
    run 0 'make install' install install
    unit=root/opt/ota/lib/systemd/system/ota-agent-boot.service
    grep -q '^ExecStart=/opt/ota/bin/ota-agent boot' $unit
    ok $? 'the unit runs what is installed'
    run 0 'make uninstall' install uninstall
    [ -z "$(find root -type f)" ]
    ok $? 'leaves nothing'
fi

# The demonstration, but for what is another one each time.
constant() {
    sed 's/^key id  .*/key id/; s/127\.0\.0\.1:[0-9]*/HOST/'
}
run 0 'make demo' sh "$top/tests/demo/run.sh"
sed 1d .out | constant >demo
block '^\$ ota-pack keygen -W release' | constant >printed
run 0 'README.md prints what it prints' diff printed demo
done_testing
