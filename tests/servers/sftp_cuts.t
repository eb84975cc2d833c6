#!/bin/sh
# OpenSSH's sftp: publishers that are cut, rivals, outages, a full disk.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/cuts.sh"
if ! command -v sshd >/dev/null; then
    echo '1..0 # SKIP sshd is not there'
    exit 0
fi
unset SSH_AUTH_SOCK
export HOME="$work"
kind=OpenSSH torn=1
server_of() {
    echo "{url: $url$1/, known_hosts: $work/known_hosts, identity: $work/id}"
}
start() {
    start_sshd
}
begin 6
points 100 6 1 killed before
points 100 6 5 rivals 3
points 100 6 9 pairs
points 10 1 41 outage
points 1 1 90 outage lasting
on_full_disk
done_testing
