#!/bin/sh
# Apache: publishers that are cut, rivals, outages, a full disk.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/cuts.sh"
if ! command -v apache2 >/dev/null; then
    echo '1..0 # SKIP apache is not there'
    exit 0
fi
kind=apache
server_of() {
    echo "$url$1/"
}
start() {
    start_apache
}
begin 3
points 25 3 1 killed before
points 25 3 1 killed half
points 25 3 3 rivals 3
points 10 1 9 outage
points 10 1 13 outage lasting
on_full_disk
done_testing
