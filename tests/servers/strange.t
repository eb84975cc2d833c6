#!/bin/sh
# A login, a maintenance page, a compressed or cut answer in place of what was
# published: it is told as what it is, and nobody is sent to start anew.
. "$(dirname "$0")/servers.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
fleet

# serving WHERE WHAT: nginx, with WHAT for the location WHERE.
serving() {
    nginx_extra="location $1 { $2 }"
    start_nginx on || exit 1
    server=$url
    config auto
}

# strange TEXT COMMAND...: with status 5, and says so; no advice that loses.
strange() {
    text=$1
    shift
    run 5 "$*" ota-pack "$@"
    says err "$text"
    ! grep -q -e 'new-base' -e damaged "$work/.err"
    ok $? 'no word of damage, nor of a new base'
}

page='default_type text/html; return 200 "<!DOCTYPE html><html>log in</html>";'
start_nginx on || exit 1
server=$url
config auto
run 0 'publish' ota-pack publish -q
gzip -c "$www/index/head" >"$work/head.gz"
head -c 100 "$www/index/head" >"$work/head.cut"
size=$(stat -c %s "$www/index/head")
stop_servers

serving '= /index/head' "$page"
echo 'import two' >main.py
for command in publish plan prune 'verify --server' 'publish --new-base'; do
    # shellcheck disable=SC2086  # words
    strange "'${url}index/head' answers with a web page in place of what was \
published (Content-Type: text/html)" $command
done
run 5 'doctor' ota-pack doctor
says out 'answers with a web page'
stop_servers

serving '= /index/head' \
    'default_type application/json; return 200 "{\"error\":\"busy\"}";'
strange 'answers with JSON' publish
says err '(Content-Type: application/json)'
stop_servers

serving '= /index/head' \
    "alias $work/head.gz; add_header Content-Encoding gzip;"
strange 'answers with gzip data' publish
says err 'Content-Encoding: gzip)'
stop_servers

serving '= /index/head' "alias $work/head.cut;"
strange "answers with the first 100 of $size bytes" publish
stop_servers

serving '~ "^/index/[0-9a-f]{64}$"' "$page"
strange 'answers with a web page' publish
stop_servers

serving '/devices/' "limit_except GET { deny all; } $page"
strange 'answers with a web page' verify --server
stop_servers

serving '/payloads/' "limit_except GET { deny all; } $page"
strange 'answers with a web page' verify --server
stop_servers
unset nginx_extra

start_nginx on || exit 1
server=$url
config auto
run 0 'as it should be' ota-pack publish
says out 'version 1 -> 2'

# -- cut on the server's own disk: a new base is a way out
for size in 0 60; do
    echo "import cut_$size" >>main.py
    truncate -s $size "$www/index/head"
    run 5 "a head of $size bytes" ota-pack publish
    run 0 'a new base' ota-pack publish --new-base
    echo "import shard_$size" >>main.py
    find "$www/index" -type f ! -name 'head*' -exec truncate -s $size {} +
    run 5 "a shard of $size bytes" ota-pack publish
    run 0 'a new base' ota-pack publish --new-base
    run 0 'all is whole' ota-pack verify --server
done
done_testing
