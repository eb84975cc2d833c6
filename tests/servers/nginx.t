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
stop_servers
start_nginx on || exit 1
scenario "$url" 'nginx that makes folders'
done_testing
