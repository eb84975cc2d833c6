#!/bin/sh
# prune, withdraw and verify --server over a line that takes 25 ms each way: ten
# times as much takes nowhere near ten times as long, as requests do not wait
# for one another.  (One after the other, it took 5 to 8 times as long.)
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/trouble.sh"
unset SSH_AUTH_SOCK
export HOME="$work"

# spent COMMAND...: runs it; sets $ms to how long that took.
spent() {
    begin=$(date +%s%N)
    "$@" >.out 2>.err </dev/null
    status=$?
    ms=$((($(date +%s%N) - begin) / 1000000))
}

# compare WHAT FEW MANY: the times that were spent on 6 and on 60.
compare() {
    [ "$3" -lt $((4 * $2)) ]
    ok $? "$kind: $1 of 60 is no ten of 6"
    echo "# $kind: $1: $2 ms of 6, $3 ms of 60"
}

# pruned COUNT: so many payloads, of which each has been replaced.
pruned() {
    rm -rf "${www:?}"/*
    forget
    server=$near
    day 1
    round=1
    devices "$1"
    ota-pack publish -q
    day 2
    round=2
    devices "$1"
    ota-pack publish -q
    day 60
    find "$www" -type f -exec touch -d '59 days ago' {} +
    server=$slow
    devices "$1"
    spent ota-pack prune
    [ $status -eq 0 ] && grep -q "^removed: $1 payloads" .out &&
        [ "$(find "$www" -path '*/payloads/*' -type f | wc -l)" -eq "$1" ]
    ok $? "$kind: $1 payloads are pruned"
}

# read_back COUNT
read_back() {
    spent ota-pack verify --server
    [ $status -eq 0 ] && grep -q "^$1 of $1 devices ok, $1 payloads" .out
    ok $? "$kind: $1 devices are read back"
}

# withdrawn COUNT
withdrawn() {
    ids=$(sed 1d fleet.csv)
    gone=$1
    devices $(($1 + 1))
    # shellcheck disable=SC2086
    spent ota-pack withdraw $ids
    gone=
    [ $status -eq 0 ] && grep -q "^withdrawn: $1 devices" .out &&
        [ "$(find "$www" -name manifest | wc -l)" -eq 0 ]
    ok $? "$kind: $1 devices are withdrawn"
}

# measure KIND NEAR SLOW: the same store, as it is reached here and over the
# slow line.
measure() {
    kind=$1
    near=$2
    slow=$3
    pruned 6
    prune=$ms
    read_back 6
    read=$ms
    withdrawn 6
    withdraw=$ms
    pruned 60
    compare prune $prune $ms
    read_back 60
    compare 'verify --server' $read $ms
    withdrawn 60
    compare withdraw $withdraw $ms
    stop_servers
}

# far URL: the same one over the slow line.
far() {
    echo "$1" | sed "s/127.0.0.1/$far/"
}

ota-pack keygen -W release >/dev/null 2>&1 || exit 1
if command -v nginx >/dev/null && start_nginx on; then
    slow_line "$port"
    measure nginx "$url" "$(far "$url")"
fi
export S3D_QUICK=1
if start_s3d; then
    each_way=80 # one slow process
    slow_line "$port"
    each_way=25
    s3="{url: s3://ota/fleet, endpoint: \"$url\"}"
    measure S3 "$s3" "$(far "$s3")"
fi
unset OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD
if command -v sshd >/dev/null && start_sshd; then
    sed "s/127.0.0.1/$far/" known_hosts >known_far
    slow_line "$port"
    measure OpenSSH "{url: $url, known_hosts: known_hosts, identity: id}" \
        "{url: $(far "$url"), known_hosts: known_far, identity: id}"
fi
low=$(free_port)
if command -v vsftpd >/dev/null &&
    start_vsftpd "pasv_min_port=$low" "pasv_max_port=$((low + 199))"; then
    slow_line "$port" "$low-$((low + 199))"
    measure vsftpd "{url: $urls, ca: srv.pem}" \
        "{url: $(far "$urls"), ca: srv.pem}"
fi
[ "$count" -gt 0 ] || {
    echo '1..0 # SKIP no server is there'
    exit 0
}
done_testing
