#!/bin/sh
# A server in Python (pyftpdlib), which wants a command on its way before TLS of
# the data begins; and one whose logins are slow.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! pyftpd_there; then
    echo '1..0 # SKIP pyftpdlib or pyOpenSSL is not there'
    exit 0
fi
start_pyftpd || exit 1
scenario "$url" 'pyftpdlib'
scenario "{url: $urls, ca: srv.pem}" 'pyftpdlib with TLS'
grown_old
scenario "{url: ${urls}a/b/, ca: srv.pem}" 'pyftpdlib with TLS, deeper' a/b/
stop_servers

# logins: how many there were; began: when the first one and the last one were
# asked for, in tenths of a login.
logins() {
    grep -c '^login' "$logs/python3.out"
}

slow=3
start_pyftpd $slow || exit 1
rm -rf "${www:?}"/* release.*
forget
run 0 'a key' ota-pack -q keygen -W release
echo 1 >main.py
{
    printf 'key: release.key\nserver: "%s"\nreleases:\n' "$url"
    printf '  - {name: r, version: auto, files: [main.py], devices: ['
    for i in $(seq 10 59); do
        printf '"02:00:00:00:00:%s", ' "$i"
    done
    printf ']}\n'
} >ota-pack.yml
begin=$(date +%s)
run 0 'logins are slow: 50 devices' ota-pack publish
took=$(($(date +%s) - begin))
says out 'published: 50 manifests'
[ $took -le $((3 * slow)) ]
ok $? "it takes three logins at most ($took s of $slow s each)"
[ "$(logins)" -le 9 ]
ok $? "no more connections than pay ($(logins))"
done_testing
