#!/bin/sh
# ProFTPD, with TLS: publishers that are cut, rivals, outages, a full disk.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/cuts.sh"
if ! proftpd_there; then
    echo '1..0 # SKIP ProFTPD is not there'
    exit 0
fi
kind=ProFTPD
server_of() {
    echo "{url: $urls$1/, ca: $work/srv.pem}"
}
start() {
    low=$(free_port)
    start_proftpd "PassivePorts $low $((low + 99))"
}
begin 6
points 130 6 1 killed before
points 130 6 9 rivals 3
points 10 1 71 outage
points 1 1 120 outage lasting
on_full_disk
done_testing
