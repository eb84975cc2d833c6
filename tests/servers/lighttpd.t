#!/bin/sh
# lighttpd with mod_webdav.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! command -v lighttpd >/dev/null; then
    echo '1..0 # SKIP lighttpd is not there'
    exit 0
fi
start_lighttpd || exit 1
scenario "$url" 'lighttpd'
scenario "${url}a/b/fleet/" 'lighttpd, deeper' a/b/fleet/
stop_servers
start_lighttpd 'server.stat-cache-engine = "disable"' || exit 1
lying "$url" lighttpd
done_testing
