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

# clean: nothing is left of what doctor put.
clean() {
    [ ! -e "$www/doctor" ] && [ ! -e "$www/lock" ] &&
        [ ! -e "$www/devices/doctor" ] && [ ! -e "$www/payloads/00/doctor" ]
    ok $? 'nothing is left there'
}

nginx_extra='add_header Cache-Control no-cache;'
for folders in off on; do
    rm -rf "${www:?}"/*
    start_nginx $folders || exit 1
    doctor 0 "a good server, its folders made by itself: $folders" "$url"
    grep -cE '^[a-z]+ +(warning|error)' .out >/dev/null
    [ $? -eq 1 ]
    ok $? 'all is well'
    for name in key reachable login index lock writable atomic readable \
        encoding clock range etag cache payload replace; do
        check $name ok
    done
    clean
    [ $folders = on ] || stop_servers
done

run 0 'as objects' ota-pack doctor --json
says out "{\"type\":\"check\",\"server\":\"$url\",\"check\":\"etag\",\"result\":\"ok\""
says out '"type":"summary","status":0,"errors":0,"ok":15,"warnings":0}'
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
doctor 5 'a public_url of another folder' "$url" "public_url: ${url}other/"
check writable ok
check readable error "'${url}other/' gives devices HTTP 404"
clean
doctor 5 'no server' "http://127.0.0.1:$(free_port)/"
check reachable error 'Failed to connect'
stop_servers

# -- what may be wrong with its settings
nginx_extra="location /ro/ { alias $www/; etag off; }
    gzip on; gzip_types *; gzip_min_length 0; gzip_http_version 1.0;
    add_header Cache-Control max-age=600;"
start_nginx on || exit 1
doctor 0 'compression and caching' "$url"
check encoding warning "'gzip' for who accepts it"
check cache warning 'up to 600 s late'
doctor 5 'one that takes nothing, and has no ETag' "${url}ro/"
check writable error 'HTTP 405'
check readable ok
check etag warning 'there is none'
clean
nginx_extra=
stop_servers

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
