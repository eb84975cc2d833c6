# Sourced by tests/servers/*.t after scenario.sh: what must hold where things go
# wrong, over a line that takes $each_way ms each way.
# shellcheck shell=sh
far=127.0.0.2 each_way=25

# slow_line PORT[-PORT]...: what is said to $far arrives here, later.
slow_line() {
    "$BUILD/tests/servers/delay" "$each_way" "$far" 127.0.0.1 "$@" &
    pids="$pids $!"
    wait_port "${1%%-*}"
}

# many VERSION: thirty devices more.
many() {
    for n in 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
        set -- "$@" "      - \"24:6f:28:00:01:$n\"" \
            "      - \"24:6f:28:00:02:$n\""
    done
    config "$@"
}

# watch FILE OLD: reads FILE until the file `watching` is gone; prints a line
# for each content that it had, OLD and what it has at the end apart.
watch() {
    perl -e 'my ($file, $old) = @ARGV;
        sub content { open my $f, "<", $_[0] or return "missing";
            local $/; my $c = <$f>; defined $c ? $c : "" }
        my (%seen, $was); $was = content($old);
        $seen{content($file)}++ while -e "watching";
        delete @seen{$was, content($file)};
        print $_ eq "" ? "empty" : $_ eq "missing" ? $_ : "torn", "\n"
            for keys %seen' "$1" "$2"
}

# watched URL MAY...: a device that polls while its manifest is replaced sees
# the old one or the new one, or what MAY says.
watched() {
    server=$1
    shift
    fresh
    many 1
    run 0 "$kind: over a slow line" ota-pack publish
    cp "$www/devices/246f28000003/manifest" old
    echo 'import gc' >>main.py
    many 2
    touch watching
    watch "$www/devices/246f28000003/manifest" old >seen &
    watcher=$!
    run 0 "$kind: replaced while it is polled" ota-pack publish
    rm watching
    wait "$watcher"
    cmp -s old "$www/devices/246f28000003/manifest" && echo old >>seen
    for word; do
        sed -i "/^$word\$/d" seen
    done
    [ ! -s seen ]
    ok $? "$kind: and never anything harmful"
    sed 's/^/# /' seen
}

# counted URL: what is on its way there is not counted as done.
counted() {
    has_terminal || return 0
    server=$1
    fresh
    many 1
    TERM=xterm script -qec 'ota-pack publish' /dev/null </dev/null |
        tr '\r' '\n' >shown
    grep -E '^[0-9]+ of 33 devices' shown | grep -qvE '^(0|33) '
    ok $? "$kind: devices are counted one by one"
}

# fresh: a fleet, and nothing on the server.
fresh() {
    rm -rf reference main.py lib release.* "${www:?}"/* "$www"/.part
    forget
    fleet
    at=$www
}

# killed URL: whenever a publisher is killed, the next one comes to the same.
killed() {
    fresh
    version=0
    for after in 0.8 1.3 1.7 2.1 2.5 3.0; do
        version=$((version + 1))
        echo "x = $version" >>main.py
        server=$1
        many "$version"
        ota-pack publish >/dev/null 2>&1 &
        victim=$!
        sleep "$after"
        kill -9 "$victim" 2>/dev/null
        wait "$victim" 2>/dev/null
        run 0 "$kind: goes on after a kill at $after s" \
            ota-pack publish --break-lock
        server=reference/
        many "$version"
        ota-pack publish >/dev/null 2>&1
        same "$kind: as if nothing had been"
    done
    [ -z "$(ls -A "$www/.part")" ]
    ok $? "$kind: nothing half made is left"
}

# locked URL: one publisher at a time.
locked() {
    server=$1
    fresh
    config 1
    mkdir "$www/lock"
    printf 'ann on far, process 7\n00\n%s\n' $(($(date +%s) + 600)) \
        >"$www/lock/holder"
    run 8 "$kind: somebody publishes" ota-pack publish --lock-timeout 1s
    says err 'is being published to by ann on far, process 7: try again later'
    [ -z "$(ls "$www/devices" 2>/dev/null)" ]
    ok $? "$kind: and nothing was written"
    (sleep 2 && rm -r "$www/lock") &
    run 0 "$kind: waits until that is done" ota-pack publish --lock-timeout 30s
    wait $!
    echo 'y = 1' >>main.py
    config 2
    mkdir "$www/lock"
    printf 'ann on far, process 7\n00\n%s\n' $(($(date +%s) + 600)) \
        >"$www/lock/holder"
    touch "$www/.part/0badcafe.1"
    run 0 "$kind: breaks a lock" ota-pack publish --break-lock
    [ ! -e "$www/lock" ] && [ ! -e "$www/.part/0badcafe.1" ]
    ok $? "$kind: it is gone, and what its holder left"
}

# day DAY: the time from here on.
day() {
    export SOURCE_DATE_EPOCH=$((1790000000 + $1 * 86400))
}

# devices COUNT: a fleet of so many, each with a file of its own, at $server;
# without those whose number is below $gone.
devices() {
    cat >ota-pack.yml <<EOT
key: release.key
server: $server
releases:
  - name: greenhouse
    version: auto
    files: [{from: "site/{id}.py", to: main.py}]
    devices: [from: fleet.csv]
EOT
    mkdir -p site
    {
        echo id
        seq "${gone:-0}" $(($1 - 1)) | awk '{ printf "246f28%06x\n", $1 }'
    } >fleet.csv
    for id in $(sed 1d fleet.csv); do
        echo "device = '$id' # ${round:-}" >"site/$id.py"
    done
}
