#!/bin/sh
# nginx: publishers that are cut, rivals, outages, a full disk.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/cuts.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
kind=nginx
server_of() {
    echo "$url$1/"
}
start() {
    start_nginx on
}
begin 3
points 20 3 1 killed before
points 20 3 1 killed half
points 20 3 1 killed after
points 20 3 1 rivals 2
points 20 3 1 rivals 3
points 20 3 1 pairs
points 10 1 6 outage
points 10 1 7 outage lasting
spoilt
on_full_disk
done_testing
