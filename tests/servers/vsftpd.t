#!/bin/sh
# vsftpd, with TLS and without; it wants TLS sessions used again.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/trouble.sh"
if ! command -v vsftpd >/dev/null; then
    echo '1..0 # SKIP vsftpd is not there'
    exit 0
fi
low=$(free_port)
range=$low-$((low + 99))
start_vsftpd "pasv_min_port=$low" "pasv_max_port=$((low + 99))" || exit 1
scenario "$url" 'vsftpd'
lying "$url" vsftpd
scenario "{url: $urls, ca: srv.pem}" 'vsftpd with TLS'
scenario "{url: ${urls}a/b/fleet/, ca: srv.pem}" 'vsftpd, deeper' a/b/fleet/
grown_old

server=$urls
config 3
run 5 'a certificate that nobody knows' ota-pack publish
says err "'ca' names the file of a private certificate authority"

kind='vsftpd with TLS'
locked "{url: $urls, ca: srv.pem}"
slow_line "$port" "$range"
slow="{url: $(echo "$urls" | sed "s/127.0.0.1/$far/"), ca: srv.pem}"
counted "$slow"
watched "$slow"
killed "$slow"
stop_servers
start_vsftpd ssl_enable=NO || exit 1
server="{url: $urls, ca: srv.pem}"
config 99
run 5 'a server without TLS gets nothing' ota-pack publish
done_testing
