#!/bin/sh
# Servers that are dead, or die while something is published: how long that
# takes.  All at once, since each takes a minute or so.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/trouble.sh"
fleet
unset SSH_AUTH_SOCK

# begin NAME URL [SETTING]...: publishes there, in a folder of its own.
begin() {
    name=$1
    mkdir -p "$name"
    cp -r main.py lib release.* known_far known_hosts id srv.pem "$name/" \
        2>/dev/null
    server="{url: '$2'${3:+, $3}}"
    (
        cd "$name" || exit 1
        many 1
        since=$(date +%s)
        ota-pack publish >out 2>err
        echo "$? $(($(date +%s) - since))" >result
    ) &
    waiting="$waiting $!"
}

# gave_up NAME LEAST MOST TEXT: so many seconds after, with that message.
gave_up() {
    read -r status took <"$1/result"
    cp "$1/err" .err
    cp "$1/out" .out
    [ "$status" -eq 5 ] && [ "$took" -ge "$2" ] && [ "$took" -le "$3" ]
    ok $? "$1: given up after $2 to $3 s"
    echo "# exit $status after $took s"
    says err "$4"
    [ "$(grep -c ': cannot' .err)" -le 4 ]
    ok $? "$1: which is not told of each object"
}
waiting=

# one that lets nobody in: its queue of connections is full
perl -MIO::Socket::INET -e '
    $l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1");
    @c = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1", Timeout => 1,
        PeerPort => $l->sockport) } 1 .. 4;
    open F, ">full.part"; print F $l->sockport; close F;
    rename "full.part", "full"; sleep 600' &
pids="$pids $!"
for _ in $(seq 60); do
    [ -s full ] && break
    sleep 0.2
done
full=127.0.0.1:$(cat full)
touch known_hosts
for scheme in http ftp sftp; do
    begin "$scheme" "$scheme://$full/"
done

# nobody is there
begin refused "ftp://127.0.0.1:$(free_port)/"

# those that die: their line is stopped
# stop_lines CONT|STOP
stop_lines() {
    for pid in $pids; do
        grep -q delay "/proc/$pid/comm" 2>/dev/null && kill "-$1" "$pid"
    done
}
kinds=
if command -v nginx >/dev/null; then
    start_nginx on || exit 1
    slow_line "$port"
    begin 'nginx that dies' "http://$far:$port/"
    sleep 0.4
    stop_lines STOP
    kinds="$kinds nginx"
    unset OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD
fi
if command -v sshd >/dev/null; then
    start_sshd || exit 1
    slow_line "$port"
    sed "s/127.0.0.1/$far/" known_hosts >known_far
    begin 'OpenSSH that dies' "sftp://$(id -un)@$far:$port$www/sftp/" \
        'known_hosts: known_far, identity: id'
    kinds="$kinds OpenSSH"
fi
if command -v vsftpd >/dev/null; then
    low=$(free_port)
    start_vsftpd "pasv_min_port=$low" "pasv_max_port=$((low + 99))" || exit 1
    mkdir "$www/ftp"
    slow_line "$port" "$low-$((low + 99))"
    begin 'vsftpd that dies' "ftps://$far:$port/ftp/" 'ca: srv.pem'
    kinds="$kinds vsftpd"
fi
sleep 2
stop_lines STOP
for pid in $waiting; do
    wait "$pid"
done
stop_lines CONT
advice='(is the server up, the port right, and no firewall in between?'
for scheme in http ftp sftp; do
    gave_up "$scheme" 38 50 "$advice"
done
gave_up refused 4 20 "$advice"
for kind in $kinds; do
    gave_up "$kind that dies" 20 200 "$advice"
done
done_testing
