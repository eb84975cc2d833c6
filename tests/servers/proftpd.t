#!/bin/sh
# ProFTPD, with TLS and without, and with a password.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/trouble.sh"
if ! proftpd_there; then
    echo '1..0 # SKIP ProFTPD is not there'
    exit 0
fi
low=$(free_port)
range=$low-$((low + 99))
start_proftpd "PassivePorts $low $((low + 99))" || exit 1
scenario "$url" 'ProFTPD'
scenario "{url: $urls, ca: srv.pem}" 'ProFTPD with TLS'
lying "{url: $urls, ca: srv.pem}" 'ProFTPD with TLS'
scenario "{url: ${urls}a/b/fleet/, ca: srv.pem}" 'ProFTPD, deeper' a/b/fleet/
grown_old

server="{url: $urls, ca: srv.pem}"
config 3
export OTA_PACK_SERVER_PASSWORD=wrong
run 6 'a wrong password' ota-pack publish
says err "(the server does not take user 'pub' (OTA_PACK_SERVER_USER) with the password of OTA_PACK_SERVER_PASSWORD)"
unset OTA_PACK_SERVER_PASSWORD OTA_PACK_SERVER_USER
server="{url: $urls, ca: srv.pem, user: pub, password_command: echo secret123}"
config 3
run 0 'user and password of the configuration' ota-pack publish
server="{url: ftps://pub@127.0.0.1:$port/, ca: srv.pem, \
password_command: echo secret123}"
config 3
run 0 'the user in the URL' ota-pack publish
server="{url: ftps://de%40ploy@127.0.0.1:$port/, ca: srv.pem, \
password_command: echo secret123}"
config 4
run 0 'with a sign that stands for another one there' ota-pack publish
server="{url: ftps://de%4@127.0.0.1:$port/, ca: srv.pem}"
config 5
run 3 'with half of one' ota-pack publish
says err "ota-pack.yml:2:15: error: server 'ftps://de%4@127.0.0.1:$port/': in i"
login

kind='ProFTPD with TLS'
locked "{url: $urls, ca: srv.pem}"
slow_line "$port" "$range"
slow="{url: $(echo "$urls" | sed "s/127.0.0.1/$far/"), ca: srv.pem}"
watched "$slow"
server="$(echo "$url" | sed "s/127.0.0.1/$far/")"
killed "$server"
done_testing
