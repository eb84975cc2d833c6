#!/bin/sh
# What SFTP and FTP publish a second when each way takes 25 ms: a line each for
# new devices and for a change of all of them; the rate is that of the files'
# times on the server.  Not a test.
#
#     tests/servers/speed.sh [DEVICES [MS [KIND...]]]
. "$(dirname "$0")/servers.sh"
devices=${1:-1000}
ms=${2:-25}
[ $# -gt 2 ] && shift 2 || set -- sftp ftp ftps
far=127.0.0.2
unset SSH_AUTH_SOCK
export HOME="$work"

# far_from KIND: starts it; $server is how it is reached over the slow line.
far_from() {
    case $1 in
    sftp)
        start_sshd || exit 1
        sed "s/127.0.0.1/$far/" known_hosts >known_far
        server="{url: $(echo "$url" | sed "s/127.0.0.1/$far/"), \
known_hosts: known_far, identity: id}"
        set -- "$port"
        ;;
    ftp*)
        low=$(free_port)
        start_vsftpd "pasv_min_port=$low" "pasv_max_port=$((low + 199))" ||
            exit 1
        server="$1://$far:$port/"
        [ "$1" = ftp ] || server="{url: $server, ca: far.pem}"
        openssl req -x509 -newkey ec -nodes -days 2 -subj /CN=test \
            -pkeyopt ec_paramgen_curve:P-256 -addext \
            "subjectAltName=IP:127.0.0.1,IP:$far" \
            -keyout srv.key -out far.pem 2>/dev/null
        cp far.pem srv.pem
        stop_servers
        start_vsftpd "pasv_min_port=$low" "pasv_max_port=$((low + 199))" ||
            exit 1
        server=$(echo "$server" | sed "s/$far:[0-9]*/$far:$port/")
        set -- "$port" "$low-$((low + 199))"
        ;;
    esac
    "$BUILD/tests/servers/delay" "$ms" "$far" 127.0.0.1 "$@" &
    pids="$pids $!"
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
    end=$(date +%s.%N)
    find "$www/devices" -name manifest -newermt "@$begin" -printf '%T@\n' |
        sort -n | awk -v what="$1" -v all="$(echo "$end - $begin" | bc)" '
        NR == 1 { first = $1 }
        { last = $1 }
        END { printf "%-22s %6.2f s in all", what, all
            if (NR > 1) printf ", %6.1f manifests a second",
                (NR - 1) / (last - first)
            print "" }'
}

ota-pack keygen -W release >/dev/null 2>&1 || exit 1
{
    echo id
    awk -v n="$devices" 'BEGIN { for (i = 0; i < n; i++)
        printf "246f28%06x\n", i }'
} >fleet.csv
for kind; do
    echo 'print(1)' >main.py
    rm -rf "${www:?}"/*
    far_from "$kind"
    configure 1
    timed "$kind, new"
    echo 'print(2)' >main.py
    configure 2
    timed "$kind, replaced"
    timed "$kind, nothing to do"
    stop_servers
done
