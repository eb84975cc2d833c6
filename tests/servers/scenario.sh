# Sourced by tests/servers/*.t after servers.sh: what must hold on every server.
# shellcheck shell=sh

# fetch_back: makes $www what the server has, where it is not that itself; a
# test may have its own.
fetch_back() {
    :
}

# same WHAT: devices/ and payloads/ are as if they had been published into a
# folder, byte for byte.
same() {
    fetch_back
    for part in devices payloads; do
        tree "$at/$part" >"$work/is" 2>&1
        tree "reference/$part" >"$work/want" 2>&1
        cmp -s "$work/is" "$work/want" || {
            ok 1 "$1"
            diff "$work/want" "$work/is" | sed 's/^/# /'
            return
        }
    done
    ok 0 "$1"
}

# both VERSION [LINE]...: published to the server (exit 0), and to the folder.
both() {
    server=reference/
    config "$@"
    ota-pack publish >/dev/null 2>&1 || echo "# the folder failed"
    server=$publish_to
    config "$@"
    run 0 "publish version $1 to $kind" ota-pack publish
}

# each COMMAND...: the same on the server (exit 0) and on the folder, whose
# configurations are the last ones of both().
each() {
    sed -i 's|^server: .*|server: reference/|' ota-pack.yml
    "$@" >/dev/null 2>&1 || echo "# the folder failed"
    sed -i "s|^server: .*|server: $publish_to|" ota-pack.yml
    run 0 "$kind: $*" "$@"
}

# etag DEVICE: of its manifest, as devices see it; $read empty: as nginx and
# others would make it.
etag() {
    [ -n "$read" ] || {
        stat -c '%Y-%s' "$at/devices/$1/manifest"
        return
    }
    curl -sSI --cacert "$work/srv.pem" "$read${at#"$www/"}devices/$1/manifest" |
        sed -n 's/^[Ee][Tt][Aa][Gg]: *//p' | tr -d '\r'
}

# in_days DAYS COMMAND...: with a clock that is so far ahead.
in_days() {
    ahead=$1
    shift
    env SOURCE_DATE_EPOCH=$((SOURCE_DATE_EPOCH + ahead * 86400)) "$@"
}

# scenario URL KIND [PATH]: publishes there, which is PATH below $www, what a
# fleet goes through.
scenario() {
    publish_to=$1
    kind=$2
    at=$www/${3-}
    rm -rf reference main.py lib release.* "${www:?}"/*
    forget
    fleet
    both 1
    says out 'published: 3 manifests, 1 new payload'
    same "$kind: a first publish"
    first=$(etag 246f28000001)
    run 0 "$kind: nothing to do" ota-pack publish
    silent out
    silent err
    echo 'import os' >>main.py
    both 2
    same "$kind: a change"
    [ -n "$first" ] && [ "$first" != "$(etag 246f28000001)" ]
    ok $? "$kind: the ETag changes at once"
    both 2 '      - "24:6f:28:00:00:04"'
    says out 'published: 1 manifest, 0 new payloads'
    same "$kind: a device more"
    run 0 "$kind: status" ota-pack status
    says out '4 devices: 4 published, 0 never'
    run 0 "$kind: read back" ota-pack verify --server
    each ota-pack rollback greenhouse --to 1
    same "$kind: a rollback"
    config 3
    each ota-pack withdraw 24:6f:28:00:00:04
    same "$kind: a device withdrawn"
    [ -d "$at/devices/246f28000003" ] &&
        [ -z "$(find "$at/devices" -path '*246f28000004*' ! -type d)" ]
    ok $? "$kind: and no file of its is left"
    each ota-pack prune
    same "$kind: pruned"
    sed -i '1s/^/keep: 1\n/' ota-pack.yml
    run 0 "$kind: pruned by a wrong clock" in_days 300 ota-pack prune
    says err 'nothing is pruned for its age since then; is the clock right?'
    same "$kind: nothing went"
    run 0 "$kind: read back again" ota-pack verify --server
    fetch_back
    [ ! -e "$at/lock" ]
    ok $? "$kind: no lock is left"
}

# grown_old: what scenario() has left, 300 days later.
grown_old() {
    find "$at" -type f -exec touch -d '300 days ago' {} +
    run 0 "$kind: what would go" in_days 300 ota-pack prune -n
    says out 'would remove: 1 payload of '
    run 0 "$kind: pruned in time" in_days 300 ota-pack prune
    says out 'removed: 1 payload of '
    silent err
    run 0 "$kind: what is left is whole" ota-pack verify --server
}

# put_back: what was there when version 2 was published.
put_back() {
    rm -rf "$at/index"
    cp -a index.2 "$at/index"
}

# lying URL KIND [PATH]: as scenario, where the server has another index than was
# put there; a publisher that changes something says so and writes nothing.
lying() {
    publish_to=$1
    kind=$2
    at=$www/${3-}
    rm -rf reference main.py lib release.* index.? "${www:?}"/*
    forget
    fleet
    both 1
    cp -a "$at/index" index.1
    echo 'import os' >>main.py
    both 2
    cp -a "$at/index" index.2
    tree "$at/devices" >devices.2
    echo 'import sys' >>main.py
    config 3
    for size in 0 1 100 200; do
        truncate -s $size "$at/index/head"
        rm -f "$at/index/head.new"
        run 5 "$kind: a head of $size bytes" ota-pack publish
        grep -Eq "answers with (nothing|text|the first)|is damaged \(head: " .err
        ok $? "$kind: it is said what came"
        put_back
    done
    printf x | dd of="$at/index/head" bs=1 seek=60 conv=notrunc 2>/dev/null
    rm -f "$at/index/head.new"
    run 5 "$kind: a head with a byte that is another" ota-pack publish
    says err 'is damaged (head: its signature is wrong)'
    put_back
    for shard in "$at"/index/????????????????*; do
        truncate -s -1 "$shard"
    done
    run 5 "$kind: a shard that is cut" ota-pack publish
    grep -Eq 'answers with the first|its content does not fit its name' .err
    ok $? "$kind: it is said what came"
    rm "$at"/index/????????????????*
    run 5 "$kind: no shard" ota-pack publish
    says err ' is missing: '
    put_back
    ota-pack keygen -W other >/dev/null 2>&1
    sed 's/^key: .*/key: other.key/; s|^server: .*|server: others/|' \
        ota-pack.yml >other.yml
    ota-pack publish -q -c other.yml
    rm -f "$at/index/head.new" other.key
    cat others/index/head >"$at/index/head"
    run 6 "$kind: a head of another key" ota-pack publish
    says err 'was published with key '
    rm -rf "$at/index" other*
    cp -a index.1 "$at/index"
    rm -rf "${XDG_STATE_HOME:-none}"
    run 5 "$kind: an older index" ota-pack publish
    says err 'is older than '
    rm -rf "$at/index"
    forget
    run 5 "$kind: no index" ota-pack publish
    says err 'has manifests of devices and no index'
    tree "$at/devices" | cmp -s - devices.2
    ok $? "$kind: and nothing was written"
    put_back
    both 3
    same "$kind: with the right one it goes on"
}
