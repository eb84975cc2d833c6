#!/bin/sh
# What is published a second, from a program's start to its end: a line each for
# new devices and for a change of all of them, on loopback (MS 0) or where each
# way takes MS.  Not a test.
#
#     tests/servers/speed.sh [DEVICES [MS [KIND...]]]
#
# KINDs: nginx, h2, apache, lighttpd, s3, sftp, ftp, ftps.  `rivals`: nginx on
# loopback against curl --parallel and wrk, which put as many manifests of that
# size there, each in turn, three times.
. "$(dirname "$0")/servers.sh"
devices=${1:-1000}
ms=${2:-25}
[ $# -gt 2 ] && shift 2 || set -- nginx h2 apache lighttpd s3 sftp ftp ftps
unset SSH_AUTH_SOCK
export HOME="$work" S3D_QUICK=1
far=127.0.0.2

# start KIND: $server is how it is reached, over the slow line if there is one.
start() {
    low=$(free_port)
    ranges=
    case $1 in
    nginx | h2)
        nginx_extra='keepalive_timeout 300;'
        start_nginx on && server="{url: $urls, ca: srv.pem" ports=$ports
        [ "$1" = nginx ] || server="$server, http2: true"
        ;;
    apache) start_apache && server="{url: $urls, ca: srv.pem" ;;
    lighttpd) start_lighttpd && server="{url: $urls, ca: srv.pem" ;;
    s3)
        start_s3d && ports=$port
        server="{url: s3://ota/fleet, endpoint: \"$url\""
        ;;
    sftp)
        unset OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD
        start_sshd && ports=$port
        sed "s/127.0.0.1/$far/" known_hosts >known_far
        cat known_far >>known_hosts
        server="{url: $url, known_hosts: known_hosts, identity: id"
        ;;
    ftp | ftps)
        start_vsftpd "pasv_min_port=$low" "pasv_max_port=$((low + 199))" &&
            ports=$port ranges=$low-$((low + 199))
        server="{url: $1://127.0.0.1:$port/"
        [ "$1" = ftp ] || server="$server, ca: srv.pem"
        ;;
    esac
    server="$server}"
    [ "$ms" -eq 0 ] && return
    server=$(echo "$server" | sed "s/127\.0\.0\.1/$far/g")
    # shellcheck disable=SC2086  # a list
    "$BUILD/tests/servers/delay" "$ms" "$far" 127.0.0.1 "$ports" $ranges &
    pids="$pids $!"
    sleep 0.2
}

configure() { # VERSION
    cat >ota-pack.yml <<EOT
key: release.key
server: $server
releases:
  - name: greenhouse
    version: $1
    files: [main.py]
    devices: [from: fleet.csv]
EOT
}

timed() { # WHAT: publishes
    begin=$(date +%s.%N)
    ota-pack publish >.out 2>&1 || cat .out
    took "$1"
}

took() { # WHAT [COUNT]: since $begin, for all devices
    awk -v what="$1" -v count="${2:-$devices}" -v begin="$begin" \
        -v end="$(date +%s.%N)" 'BEGIN {
            printf "%-24s %7.2f s, %7.1f a second\n", what, end - begin,
                count / (end - begin) }'
}

# many_curls N FOLDER: what is in put/ into it, by curl with N in flight.
many_curls() {
    find put -type f -printf '%P\n' | awk -v url="${url}curl.$2/" '{
        printf "upload-file=put/%s\nurl=%s%s\noutput=/dev/null\n", $1, url, $1
    }' >curl.conf
    curl -s -u pub:secret123 -H 'Expect:' --parallel --parallel-max "$1" \
        --parallel-immediate -K curl.conf 2>/dev/null
}

# raw_handles N FOLDER: requests a second of wrk's, each a PUT of a new manifest.
raw_handles() {
    cat >put.lua <<EOT
local body = io.open("put/devices/246f28000000/manifest"):read("a")
local headers = {["Authorization"] = "Basic cHViOnNlY3JldDEyMw=="}
local n = 0
request = function()
    n = n + 1
    return wrk.format("PUT", string.format("/wrk.$2/%06x/manifest", n),
        headers, body)
end
EOT
    wrk -t1 -c"$1" -d4s -s put.lua "$url" |
        awk -v n="$1" '/^Requests.sec/ {
            printf "%-24s %17.1f a second\n", "wrk, " n " connections", $2 }'
}

rivals() {
    ms=0
    start_nginx on || exit 1
    server=$url
    configure 1
    for round in 1 2 3; do
        server=${url}ours$round/
        configure 1
        timed 'ota-pack'
        rm -rf put
        mkdir put
        cp -a "$www/ours$round/devices" put/
        for flight in 50 100 300; do
            begin=$(date +%s.%N)
            many_curls "$flight" "$round.$flight"
            took "curl, $flight in flight"
        done
        for flight in 16 64 100; do
            raw_handles $flight "$round.$flight"
        done
    done
}

ota-pack keygen -W release >/dev/null 2>&1 || exit 1
openssl req -x509 -newkey ec -nodes -days 2 -subj /CN=test \
    -pkeyopt ec_paramgen_curve:P-256 \
    -addext "subjectAltName=IP:127.0.0.1,IP:$far" \
    -keyout srv.key -out srv.pem 2>/dev/null
{
    echo id
    awk -v n="$devices" 'BEGIN { for (i = 0; i < n; i++)
        printf "246f28%06x\n", i }'
} >fleet.csv
for kind; do
    echo 'print(1)' >main.py
    rm -rf "${www:?}"/*
    forget
    [ "$kind" != rivals ] || {
        rivals
        stop_servers
        continue
    }
    start "$kind"
    configure 1
    timed "$kind, new"
    echo 'print(2)' >main.py
    configure 2
    timed "$kind, replaced"
    timed "$kind, nothing to do"
    stop_servers
done
