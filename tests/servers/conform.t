#!/bin/sh
# What store.h promises, of each kind of server, without anything above a store:
# tests/store/conform.c.
. "$(dirname "$0")/servers.sh"
unset SSH_AUTH_SOCK
export S3D_QUICK=1
export HOME="$work"

# conforms KIND SERVER: the server, which has nothing yet, does.
conforms() {
    server=$2
    config 1
    run 0 "$1" "$BUILD/tests/store/conform" ota-pack.yml
    stop_servers
    unset OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD
    rm -rf "${www:?}" # and its owner
    mkdir "$www"
}

# missing KIND: it cannot be started here.
missing() {
    echo "# SKIP $1 is not there"
}

# begins KIND COMMAND...: the server is there, and starts.
begins() {
    kind=$1
    shift
    "$@" && return
    ok 1 "$kind starts"
    return 1
}

if ! command -v nginx >/dev/null; then
    missing nginx
else
    begins nginx start_nginx off && conforms nginx "$url"
    begins nginx start_nginx on &&
        conforms 'nginx with TLS and HTTP/2, deeper' \
            "{url: ${urls}a/b/fleet/, ca: srv.pem, http2: true}"
fi
if ! command -v apache2 >/dev/null; then
    missing apache
else
    begins apache start_apache && conforms apache "$url"
fi
if ! command -v lighttpd >/dev/null; then
    missing lighttpd
else
    begins lighttpd start_lighttpd && conforms lighttpd "$url"
fi
if ! perl -MDigest::SHA -MDigest::MD5 -MTime::Local -e 1 2>/dev/null; then
    missing "perl's Digest::SHA"
else
    begins S3 start_s3d &&
        conforms S3 "{url: s3://ota/fleet, endpoint: \"$url\"}"
fi
if ! s3rver=$(sh "$top/tests/servers/s3rver.sh" 2>/dev/null); then
    missing s3rver
else
    begins s3rver start_s3rver "$s3rver" &&
        conforms s3rver "{url: s3://ota/fleet/, endpoint: \"$url\"}"
fi
if ! command -v sshd >/dev/null; then
    missing sshd
else
    begins OpenSSH start_sshd &&
        conforms OpenSSH \
            "{url: $url, known_hosts: known_hosts, identity: id}"
fi
if ! command -v vsftpd >/dev/null; then
    missing vsftpd
else
    begins vsftpd start_vsftpd && conforms vsftpd "$url"
    begins vsftpd start_vsftpd &&
        conforms 'vsftpd with TLS' "{url: $urls, ca: srv.pem}"
fi
if ! pyftpd_there; then
    missing pyftpdlib
else
    begins pyftpdlib start_pyftpd && conforms pyftpdlib "$url"
    begins pyftpdlib start_pyftpd &&
        conforms 'pyftpdlib with TLS' "{url: $urls, ca: srv.pem}"
fi
# last: its libraries are found by LD_LIBRARY_PATH
if ! proftpd_there; then
    missing ProFTPD
else
    begins ProFTPD start_proftpd &&
        conforms 'ProFTPD with TLS' "{url: $urls, ca: srv.pem}"
fi
done_testing
