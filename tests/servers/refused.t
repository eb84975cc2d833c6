#!/bin/sh
# SFTP and FTP where the server refuses something, or its disk is full: what is
# said, and that nothing half made is left.
. "$(dirname "$0")/servers.sh"
fleet
head -c 300000 /dev/urandom >lib/large.py
unset SSH_AUTH_SOCK
may_not='(does the server let this user write, rename and remove files, and make'
trap 'stop_servers; umount -l "$www" 2>/dev/null; rm -rf "$work"' EXIT

# refused WHAT TEXT: publishing fails, at once, and says so.
refused() {
    config 1
    begin=$(date +%s)
    run 5 "$kind: $1" ota-pack publish
    [ $(($(date +%s) - begin)) -lt 6 ]
    ok $? "$kind: told at once"
    says err "$2"
    stop_servers
    rm -rf "${www:?}"/* "$www/.part"
    forget
}

# full START TEXT: the server's disk has no room for a payload.
full() {
    mount -t tmpfs -o size=200k tmpfs "$www" 2>/dev/null || {
        ok 0 "$kind: a full disk # SKIP nothing can be mounted here"
        return
    }
    $1 || exit 1
    address
    config 1
    run 5 "$kind: a full disk" ota-pack publish
    says err "$2"
    [ -d "$www/.part" ] && [ -z "$(ls -A "$www/.part")" ]
    ok $? "$kind: what was begun is removed"
    [ ! -e "$www/devices/246f28000001" ]
    ok $? "$kind: no device is told of it"
    stop_servers
    sleep 0.3
    umount -l "$www"
}

if proftpd_there; then
    for tls in on off; do
        kind="ProFTPD, TLS $tls"
        address() {
            [ $tls = on ] && server="{url: '$urls', ca: srv.pem}" || server=$url
        }
        start_proftpd '<Limit MKD>' DenyAll '</Limit>' || exit 1
        address
        refused 'no folder may be made' \
            "': the server says '550 lock: Permission denied' $may_not"
        start_proftpd '<Limit STOR>' DenyAll '</Limit>' || exit 1
        address
        refused 'no file may be written' \
            "/lock/holder': the server says '550 lock/holder: Operation not per"
        start_proftpd "<Directory $www/payloads>" '<Limit RNTO>' DenyAll \
            '</Limit>' '</Directory>' || exit 1
        address
        refused 'no file may be renamed' ": Operation not permitted' $may_not"
    done
    kind='ProFTPD with TLS'
    tls=on
    full start_proftpd "the server says '452 Transfer aborted. No space left"
fi

if command -v vsftpd >/dev/null; then
    for tls in on off; do
        kind="vsftpd, TLS $tls"
        address() {
            [ $tls = on ] && server="{url: '$urls', ca: srv.pem}" || server=$url
        }
        for setting in write_enable anon_mkdir_write_enable \
            anon_upload_enable anon_other_write_enable; do
            start_vsftpd $setting=NO || exit 1
            address
            refused "$setting=NO" "' $may_not"
        done
    done
    kind='vsftpd with TLS'
    tls=on
    full start_vsftpd \
        "the server says '451 Failure writing to local file.' (is its disk full?)"
fi

if command -v sshd >/dev/null; then
    kind=OpenSSH
    address() {
        server="{url: '$url', known_hosts: known_hosts, identity: id}"
    }
    start_sshd 'ForceCommand internal-sftp -R' || exit 1
    address
    refused 'nothing may be written' \
        "mkdir command failed: Permission denied $may_not"
    start_sshd 'ForceCommand internal-sftp -P rename' || exit 1
    address
    refused 'no file may be renamed' "Permission denied $may_not"
    full start_sshd 'and does not say why: is its disk full?)'
fi
[ $count -gt 0 ] || {
    echo '1..0 # SKIP no server of them is there'
    exit 0
}
done_testing
