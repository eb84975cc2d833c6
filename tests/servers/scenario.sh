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

# scenario URL KIND [PATH]: publishes there, which is PATH below $www, what a
# fleet goes through.
scenario() {
    publish_to=$1
    kind=$2
    at=$www/${3-}
    rm -rf reference main.py lib release.* "${www:?}"/*
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
    ok $? "$kind: the ETag is another at once"
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
    each ota-pack prune
    same "$kind: pruned"
    run 0 "$kind: read back again" ota-pack verify --server
    fetch_back
    [ ! -e "$at/lock" ]
    ok $? "$kind: no lock is left"
}
