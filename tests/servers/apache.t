#!/bin/sh
# Apache with mod_dav.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! command -v apache2 >/dev/null; then
    echo '1..0 # SKIP Apache is not there'
    exit 0
fi
start_apache || exit 1
scenario "$url" 'Apache'
lying "$url" apache
scenario "${url}a/b/fleet/" 'Apache, deeper' a/b/fleet/
done_testing
