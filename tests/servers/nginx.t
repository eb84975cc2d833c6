#!/bin/sh
# nginx with dav, folders made by it or by us, TLS, HTTP/2.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
start_nginx off || exit 1
scenario "$url" 'nginx'
scenario "${url}a/b/fleet/" 'nginx, deeper' a/b/fleet/
# Devices read from elsewhere.
sed -i "s|^server: .*|server: {url: '${url}a/b/fleet/', public_url: '${url}a/b/fleet'}|" \
    ota-pack.yml
run 0 'read back over public_url' ota-pack verify --server
says out '3 of 3 devices ok'
sed -i "s|b/fleet'|b'|" ota-pack.yml
run 9 'nothing is there' ota-pack verify --server
says out 'missing: '
stop_servers
start_nginx on || exit 1
scenario "$url" 'nginx that makes folders'
lying "$url" nginx
done_testing
