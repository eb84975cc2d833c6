#!/bin/sh
# doctor on an nginx that is as it should be, and on some that are not.
. "$(dirname "$0")/servers.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
fleet

# doctor STATUS WHAT URL [LINE]...: of a server with these settings.
doctor() {
    want=$1
    what=$2
    target=$3
    shift 3
    config 1
    {
        echo "servers:"
        echo "  - url: $target"
        [ $# -eq 0 ] || printf '    %s\n' "$@"
    } >server.yml
    sed -i -e '/^server: /{r server.yml' -e 'd}' ota-pack.yml
    run "$want" "$what" ota-pack doctor
    silent err
}

# check NAME RESULT [TEXT]: the last run found that.
check() {
    grep "^$1 *$2  *" .out | grep -qF -- "${3-}"
    ok $? "$1: $2${3:+, $3}"
}

# advises TEXT: the last run did, anywhere.
advises() {
    grep -qF -- "                    $1" .out
    ok $? "advises: $1"
}

# clean: nothing is left of what doctor put.
clean() {
    [ ! -e "$www/doctor" ] && [ ! -e "$www/lock" ] &&
        [ ! -e "$www/devices/doctor" ] && [ ! -e "$www/payloads/00/doctor" ]
    ok $? 'nothing is left there'
}

nginx_extra='add_header Cache-Control no-cache;'
for folders in off on; do
    rm -rf "${www:?}"/*
    forget
    start_nginx $folders || exit 1
    doctor 0 "a good server, its folders made by itself: $folders" "$url"
    grep -cE '^[a-z]+ +(warning|error)' .out >/dev/null
    [ $? -eq 1 ]
    ok $? 'all is well'
    for name in key reachable login index lock writable readable encoding \
        clock range etag cache payload replace atomic; do
        check $name ok
    done
    check atomic ok 'the old one was read until the new one was there'
    clean
    [ $folders = on ] || stop_servers
done

run 0 'as objects' ota-pack doctor --json
says out "{\"type\":\"check\",\"server\":\"$url\",\"check\":\"etag\",\"result\":\"ok\""
says out '"type":"summary","status":0,"errors":0,"ok":15,"warnings":0,"v":1}'
run 0 'quietly' ota-pack doctor -q
silent out
touch "$work/before"
run 0 'writing nothing' ota-pack doctor -n
[ -z "$(find "$www" -newer "$work/before")" ]
ok $? 'nothing was written'
server=$url
config 1
run 0 'publish' ota-pack publish -q
doctor 0 'once something is published' "$url"
check times ok 'Last-Modified is that of publishing'
find "$www/devices" -name manifest -exec touch -d @1 {} +
doctor 0 'files with a fixed time' "$url"
check times warning "the Last-Modified of 'devices/"
advises 'let files keep the time at which they were put there'
check index ok 'signed by our key'

doctor 0 'TLS' "$urls" "ca: srv.pem"
check reachable ok 'PUT over https, certificate checked'
doctor 5 'a certificate that nobody knows' "$urls"
check reachable error 'SSL certificate problem'
OTA_PACK_SERVER_PASSWORD=wrong doctor 5 'a wrong password' "$url"
check login error 'HTTP 401'
check index ok
check etag ok
clean
ota-pack keygen -W other >/dev/null 2>&1
doctor 0 'again' "$url"
sed -i 's/^key: .*/key: other.key/' ota-pack.yml
run 6 'another key' ota-pack doctor
check index error
chmod 644 release.key
doctor 0 'a key that others can read' "$url"
check key warning 'others on this machine can read it'
chmod 600 release.key
mkdir "$www/lock"
printf 'joe on far, process 7, since then\nab\n99999999999\n' \
    >"$www/lock/holder"
doctor 0 'while another publishes' "$url"
check lock warning 'joe on far, process 7'
rm -r "$www/lock"
doctor 5 'no server' "http://127.0.0.1:$(free_port)/"
check reachable error 'Failed to connect'
stop_servers

# -- who may write there
nginx_http="limit_conn_zone \$server_port zone=one:1m;
    proxy_cache_path $work/spool/c keys_zone=cache:1m;"
nginx_extra="location /ro/ { alias $www/; etag off; }
    location /denied/ { alias $www/; limit_except GET { deny all; } }
    location /open/ { alias $www/; dav_methods PUT MKCOL DELETE; }
    location /kept/ { alias $www/; dav_methods PUT MKCOL; }
    add_header Cache-Control no-cache;"
start_nginx on || exit 1
doctor 5 'one that takes nothing, and has no ETag' "${url}ro/"
check writable error 'HTTP 405 (the server takes no PUT there: is WebDAV on?)'
advises 'nothing can be published'
check readable ok
check etag warning 'there is none'
advises 'each poll of a device costs the whole manifest'
doctor 6 'one that we may not write to' "${url}denied/"
check writable error "HTTP 403 (it does not let user 'pub'"
check readable ok
clean
mkdir -p "$www/devices" "$www/payloads" "$www/index"
doctor 0 'one that anybody may write to' "${url}open/"
check login warning 'anybody can write there'
advises 'require a login for writing'
clean
doctor 5 'one that keeps all' "${url}kept/"
check removable error 'HTTP 405'
advises 'old payloads can never be removed from there'
rm -rf "$www/lock" "$www/doctor" "$www/devices/doctor" "$www/payloads/00/doctor"
stop_servers

# -- what devices get, where that is another URL
mkdir -p old/devices/doctor old/payloads/00
echo 'of another day' | tee old/devices/doctor/manifest >old/payloads/00/doctor
to_origin='rewrite ^/[a-z]+(/.*)$ $1 break; proxy_pass http://127.0.0.1:$server_port;'
nginx_extra="gzip on; gzip_types *; gzip_min_length 1; gzip_http_version 1.0;
    gzip_proxied any; add_header Cache-Control max-age=600;
    location /secret/ { alias $www/; auth_basic x; auth_basic_user_file htpasswd; }
    location /old/ { alias $work/old/; }
    location /moved/ { return 301 http://127.0.0.1/; }
    location /packed/ { $to_origin proxy_set_header Accept-Encoding gzip; }
    location /whole/ { alias $www/; max_ranges 0; gzip off; }
    location /without/ { alias $www/; gzip off; add_header X-Any x; }
    location /without/payloads/ { return 410; }
    location /never/ { alias $www/; gzip off; add_header Cache-Control no-store; }
    location /cached/ { $to_origin gzip off; proxy_cache cache;
        proxy_cache_valid 200 10m; proxy_ignore_headers Cache-Control; }
    location /same/ { alias $www/; gzip off;
        if (\$http_if_none_match) { return 304; } }
    location /drops/ { alias $www/; gzip off;
        if (\$http_if_none_match) { return 400; } }
    location /one/ { limit_conn one 1; $to_origin }"
start_nginx on || exit 1

# public STATUS WHAT FOLDER: devices read from that one.
public() {
    doctor "$1" "$2" "$url" "public_url: $url$3/"
    clean
}
public 5 'devices read from elsewhere' other
check writable ok
check readable error "'${url}other/' gives devices HTTP 404"
advises 'does the URL name the folder that is published to?'
public 5 'devices read from another copy' old
check readable error "'${url}old/' gives devices other bytes than those that were put"
advises 'is it another folder, or an old copy of a cache?'
public 5 'devices are sent on' moved
check readable error "'${url}moved/' gives devices HTTP 301"
advises 'use the URL that it leads to'
public 5 'devices are to log in' secret
check readable error "'${url}secret/' gives devices HTTP 401"
advises 'let GET through without a login'
doctor 5 'devices find no server' "$url" \
    "public_url: http://127.0.0.1:$(free_port)/"
check readable error 'Failed to connect'
advises 'devices get nothing from there: is it the right URL?'
public 5 'compression that nobody asked for' packed
check encoding error "'gzip' without being asked for"
advises 'switch compression off there: devices do not undo it'
doctor 0 'compression for who accepts it, and caching' "$url"
check encoding warning "'gzip' for whoever accepts it"
advises 'switch compression off there (nginx: gzip off)'
check cache warning 'up to 600 s late'
advises "send 'Cache-Control: no-cache' for devices/"
public 0 'no ranges' whole
check range warning 'answered with HTTP 200'
advises 'a download that is cut begins anew: let ranges through'
public 5 'no payloads' without
check payload error 'devices get HTTP 410 for payloads'
advises 'devices hear of updates, and cannot get them'
check cache warning 'nothing is said about caching manifests'
public 0 'payloads that nobody may keep' never
check payload warning 'caches may not keep payloads'
advises "send 'Cache-Control: public, max-age=31536000, immutable'"
public 0 'a cache that does not ask' cached
check replace warning 'devices still get what was there before'
advises 'a cache on the way keeps manifests: have it ask each time'
public 0 'an ETag that stays' same
check replace warning 'another manifest of that size has the same ETag'
advises 'a device that polls between two publishes within a second'
public 5 'a condition that is not understood' drops
check etag warning 'HTTP 400 where nothing has changed'
check replace error 'HTTP 400'
stop_servers

# -- a clock that is off, and a publish that was cut
nginx_extra=
start_nginx on || exit 1
proxy "1+ date $(date -u -d '+600 sec' '+%a, %d %b %Y %T GMT')"
doctor 0 'a clock that is ahead' "$through"
check clock warning ' s ahead of this machine'
advises 'set both by NTP'
proxy "1+ date $(date -u -d '-600 sec' '+%a, %d %b %Y %T GMT')"
doctor 0 'a clock that is behind' "$through"
check clock warning ' s behind this machine'
proxy '1+ date'
doctor 0 'a server without a clock' "$through"
check clock warning 'the server sends no Date'
clean
rm -rf "${www:?}"/*
forget
proxy '11+ status 507'
server=$through
config 1
run 5 'a publish that is cut' ota-pack publish
doctor 0 'what it has left' "$url"
check index warning 'a publish was cut short'
advises "run 'ota-pack publish' again to complete it"
stop_servers

# -- replacing
nginx_extra="client_body_timeout 100ms;"
rm -rf "${www:?}"/*
forget
start_nginx on || exit 1
doctor 0 'one that has no patience' "$url"
check atomic warning 'an upload that paused'
advises 'publishing over a slow line may fail'
clean
stop_servers
nginx_extra="limit_conn one 1;"
start_nginx on || exit 1
doctor 0 'one that serves nobody else' "$url"
check atomic warning 'HTTP 503 was read while it was replaced'
clean
stop_servers
nginx_extra=
nginx_http=
unset OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD SSH_AUTH_SOCK

if s3rver=$(sh "$top/tests/servers/s3rver.sh" 2>"$work/why"); then
    start_s3rver "$s3rver" || exit 1
    doctor 0 'one that writes in place' "$url/ota/"
    check atomic warning '1024 of 2048 bytes were read while it was replaced'
    advises 'it is safe: a device takes a manifest that is not whole'
    doctor 0 'the same as S3' s3://ota/fleet "endpoint: \"$url\"" \
        "public_url: $url/ota/fleet/"
    check atomic ok 'not tried: such a store takes each object as a whole'
    check replace ok
    [ -z "$(find "$work/s3" -type f -name '*doctor*')" ]
    ok $? 'nothing is left there'
    stop_servers
fi
if command -v sshd >/dev/null; then
    start_sshd || exit 1
    doctor 0 OpenSSH "$url" 'known_hosts: known_hosts' 'identity: id'
    check atomic warning 'renaming over a manifest was refused'
    clean
    [ -z "$(ls -A "$www/.part")" ]
    ok $? 'and nothing half made'
    stop_servers
fi
if command -v vsftpd >/dev/null; then
    start_vsftpd || exit 1
    doctor 0 vsftpd "$urls" 'ca: srv.pem'
    check atomic ok "a rename took the old one's place"
    clean
    stop_servers
fi

# -- a certificate of the past
cat >ca.cnf <<'EOT'
[ca]
default_ca = x
[x]
database = db
serial = serial
new_certs_dir = .
default_md = sha256
policy = p
x509_extensions = e
[p]
commonName = supplied
[e]
subjectAltName = IP:127.0.0.1
EOT
: >db
echo 01 >serial
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj /CN=test -keyout srv.key -out old.csr 2>/dev/null
openssl ca -batch -config ca.cnf -selfsign -keyfile srv.key -in old.csr \
    -notext -out srv.pem -startdate 20200101000000Z \
    -enddate 20210101000000Z >/dev/null 2>&1
start_nginx on || exit 1
doctor 5 'an expired certificate' "$urls" "ca: srv.pem"
check reachable error 'expired'
done_testing
