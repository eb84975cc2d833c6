#!/bin/sh
# verify --server --repair where objects are read by size as a rule: WebDAV and
# SFTP.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"

# damaged KIND URL: payload and manifest, each in several ways.
damaged() {
    kind=$1
    server=$2
    fleet
    config 1
    run 0 "$kind: published" ota-pack publish
    tree "$www" | grep -v '/index/' >before
    payload=$(find "$www/payloads" -type f)
    manifest=$www/devices/246f28000001/manifest
    size=$(stat -c %s "$payload")
    for how in "rm '$payload'" "head -c $size /dev/zero >'$payload'" \
        "truncate -s 9 '$payload'" "rm '$manifest'" "echo x >'$manifest'" \
        "cp '$www/devices/246f28000002/manifest' '$manifest'"; do
        sh -c "$how"
        run 9 "$kind: $how" ota-pack verify --server
        run 0 "$kind: it is mended" ota-pack verify --server --repair
        says out 'put again: 1 '
        tree "$www" | grep -v '/index/' | cmp -s - before
        ok $? "$kind: byte for byte"
    done
    [ ! -e "$www/lock" ]
    ok $? "$kind: the lock is gone"
    echo 'import os' >>main.py
    rm "$payload"
    run 9 "$kind: the sources are others" ota-pack verify --server --repair
    config 2
    run 0 "$kind: a new version" ota-pack publish --repair
    run 0 "$kind: all is well" ota-pack verify --server
    stop_servers
    rm -rf "${www:?}"/* main.py lib release.*
    forget
}

if command -v nginx >/dev/null; then
    start_nginx on || exit 1
    damaged nginx "$url"
else
    ok 0 'nginx # SKIP it is not there'
fi
if command -v sshd >/dev/null; then
    unset SSH_AUTH_SOCK OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD
    export HOME="$work"
    start_sshd || exit 1
    damaged OpenSSH "{url: $url, known_hosts: known_hosts, identity: id}"
else
    ok 0 'OpenSSH # SKIP it is not there'
fi
done_testing
