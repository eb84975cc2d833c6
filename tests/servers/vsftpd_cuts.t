#!/bin/sh
# vsftpd: publishers that are cut, rivals, outages, a full disk.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/cuts.sh"
if ! command -v vsftpd >/dev/null; then
    echo '1..0 # SKIP vsftpd is not there'
    exit 0
fi
kind=vsftpd
server_of() {
    echo "$url$1/"
}
start() {
    low=$(free_port)
    start_vsftpd "pasv_min_port=$low" "pasv_max_port=$((low + 99))"
}
begin 6
points 80 6 1 killed before
points 40 6 3 killed half
points 80 6 5 rivals 3
points 10 1 41 outage
points 1 1 60 outage lasting
on_full_disk
done_testing
