#!/bin/sh
# Tokens and pinned keys: what is sent, to whom, and what never is.
. "$(dirname "$0")/servers.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
fleet
token=sesame-0pen.7f~x
elsewhere=$(free_port)
nginx_http="server { listen 127.0.0.1:$elsewhere;
    access_log $logs/elsewhere; location / { return 200; } }"
# quoted as nginx's, not the shell's
# shellcheck disable=SC2016
wants='if ($http_authorization != "Bearer '$token'") { return 401; }'
nginx_extra="location /t/ { $wants alias $www/; create_full_put_path on;
        dav_methods PUT DELETE MKCOL; }
    location /moved/ { return 307 http://127.0.0.1:$elsewhere\$request_uri; }"
start_nginx on || exit 1
unset OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD

# secret WHAT: the token is in nothing that was said.
secret() {
    ! grep -qF -- "${2-$token}" .out .err
    ok $? "$1: nothing of it is shown"
}

# -- tokens
server=${url}t/
config 1
run 6 'nobody' ota-pack publish
says err 'HTTP 401 (it wants a login: name its user and password'
export OTA_PACK_SERVER_TOKEN=sesame-0pen.7f
run 6 'a wrong token' ota-pack publish
says err 'HTTP 401 (it does not take the token of OTA_PACK_SERVER_TOKEN)'
secret 'a wrong token' "$OTA_PACK_SERVER_TOKEN"
run 5 'doctor, with a wrong token' ota-pack doctor
says out 'OTA_PACK_SERVER_TOKEN'
secret 'doctor' "$OTA_PACK_SERVER_TOKEN"
[ ! -e "$www/index" ]
ok $? 'nothing was written'
export OTA_PACK_SERVER_TOKEN=$token
run 0 'the token' ota-pack publish --json
says out '"written":3'
secret 'publish'
run 5 'doctor, where devices have no token' ota-pack doctor
says out 'login       ok      taken'
says out "'${url}t/' gives devices HTTP 401"
secret 'doctor'
OTA_PACK_SERVER_TOKEN="$token
Host: elsewhere" run 6 'a token with a newline' ota-pack publish
says err 'OTA_PACK_SERVER_TOKEN holds a blank, a newline'
secret 'with a newline'
OTA_PACK_SERVER_USER=pub OTA_PACK_SERVER_PASSWORD=wrong \
    run 0 'a token goes before a password' ota-pack status
printf 'servers: [%st/, other]\n' "$url" >two
sed -e '/^server: /{r two' -e 'd}' ota-pack.yml >two.yml
run 6 'of several servers none is meant' ota-pack status -c two.yml
says err 'HTTP 401'

# -- what others see of it
port=${url#http://127.0.0.1:} port=${port%/}
proxy '2+ slow 400'
server=${through}t/
config 2
echo 'import os' >>main.py
ota-pack publish >/dev/null 2>&1 &
publisher=$!
sleep 1
ps -eo pid,args >seen
wait "$publisher"
ok $? 'publish, over a slow line'
grep -q "^ *$publisher .*publish" seen
ok $? 'ps shows it'
! grep -qF "$token" seen
ok $? 'and not its token'
server=${url}moved/
config 3
run 5 'a redirect to another host' ota-pack publish
says err "HTTP 307 (a redirect: use the URL that it leads to)"
run 5 'doctor, there' ota-pack doctor
secret 'a redirect'
[ ! -s "$logs/elsewhere" ]
ok $? 'nothing was sent there'
curl -s "http://127.0.0.1:$elsewhere/" && [ -s "$logs/elsewhere" ]
ok $? 'which would have been seen'
unset OTA_PACK_SERVER_TOKEN

# -- user and password: in the URL, and in a variable
export OTA_PACK_SERVER_PASSWORD=secret123
server=http://p%75b@${url#http://}
config 4
run 0 'the user in the URL' ota-pack publish --new-base
run 0 'doctor, too' ota-pack doctor -q

# -- pinned keys
# pin_of CERTIFICATE
pin_of() {
    openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform der |
        openssl dgst -sha256 -binary | base64
}
login
right="sha256//$(pin_of srv.pem)"
wrong="sha256//$(printf x | openssl dgst -sha256 -binary | base64)"
server="{url: '$urls', ca: srv.pem, pin: $right}"
config 5
run 0 'the right key' ota-pack publish
run 0 'doctor' ota-pack doctor -q
server="{url: '$urls', ca: srv.pem, pin: $wrong;$right}"
config 5
run 0 'one of two keys' ota-pack status
server="{url: '$urls', ca: srv.pem, pin: $wrong}"
config 5
wc -l <"$logs/nginx.access" >before
run 5 'another key' ota-pack publish
says err "(nothing was sent: the server's key is not what 'pin' says"
secret 'a password' secret123
run 5 'doctor' ota-pack doctor
says out 'reachable   error'
says out 'pinned public key'
wc -l <"$logs/nginx.access" | cmp -s - before
ok $? 'nothing was asked'
server="{url: '$urls', pin: $right}"
config 5
run 5 'the right key, of an authority that nobody knows' ota-pack publish
says err "'ca' names the file of a private certificate authority"
stop_servers

if proftpd_there; then
    start_proftpd 'LogFormat said "%m"' "ExtendedLog $logs/said ALL said" ||
        exit 1
    server="{url: '$urls', ca: srv.pem, pin: $right}"
    config 6
    run 0 'FTP with TLS, the right key' ota-pack publish --new-base
    grep -qx PASS "$logs/said"
    ok $? 'a password was sent'
    : >"$logs/said"
    server="{url: '$urls', ca: srv.pem, pin: $wrong}"
    config 6
    run 5 'another key' ota-pack publish
    says err "(nothing was sent: the server's key is not what 'pin' says"
    sleep 0.3
    ! grep -qE 'USER|PASS' "$logs/said"
    ok $? 'no user and no password were sent'
    stop_servers
fi
done_testing
